"""k*: the given vectors, a float64 brute force, invariances, constant and tiny classes, intervals, the floor."""

import tracemalloc
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.spatial.distance import cdist

from robustshape.errors import InputError
from robustshape.indicators import INDICATORS, class_rows, foreign_ranks, precise_products, value
from robustshape.indicators.kstar import (
    bootstrap_intervals,
    kstar_distribution,
    nearest_foreign_rank,
    permutation_floor,
    skewness,
)
from robustshape.indicators.kstar_statistics import bootstrap_draws

VECTORS = np.load(Path(__file__).parent / "vectors" / "kstar_vectors.npz")
CASES = sorted({key.split("/")[0] for key in VECTORS.files})
UNTIED = [case for case in CASES if not case.startswith("E")]

pytestmark = pytest.mark.filterwarnings("ignore:.*fewer than 20 samples:UserWarning")


def case(name):
    return {key.split("/")[1]: VECTORS[key] for key in VECTORS.files if key.startswith(f"{name}/")}


def brute_force(features, labels):
    distance = cdist(np.asarray(features, np.float64), np.asarray(features, np.float64), "sqeuclidean")
    foreign = labels[:, None] != labels[None]
    nearest = np.where(foreign, distance, np.inf).min(axis=1)
    same = ~foreign & ~np.eye(len(labels), dtype=bool)
    return 1 + (same & (distance < nearest[:, None])).sum(axis=1)


def sample(seed=0, n=400, d=20, n_classes=4, spread=0.8):
    rng = np.random.default_rng(seed)
    labels = rng.integers(n_classes, size=n)
    features = rng.standard_normal((n, d)) + spread * rng.standard_normal((n_classes, d))[labels]
    return features.astype(np.float32), labels


def test_by_hand():
    features, labels = np.array([[0.0], [1.0], [4.0], [5.0], [5.5]]), np.array([7, 7, 7, 2, 2])
    # 0 and 1: foreign at 5 and 4, both others closer; 4: foreign at 1, none closer; 5 and 5.5: the other at .5
    assert nearest_foreign_rank(features, labels).tolist() == [3, 3, 1, 2, 2]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("offset", [0, 1000])
def test_vectors_are_met_exactly(name, offset):
    given = case(name)
    moved = given["X"].astype(np.float64) + offset * np.ceil(
        given["X"].std()
    )  # whole numbers: ties stay ties
    assert np.array_equal(nearest_foreign_rank(moved, given["y"]), given["k_exact_other_first"])


@pytest.mark.parametrize("name", CASES)
def test_statistics_of_the_vectors(name):
    given = case(name)
    found = kstar_distribution(given["X"], given["y"])
    assert np.allclose(found["skewness"], given["skew_exact_other_first"], atol=1e-9, equal_nan=True)
    assert float(found["true_skewness"]) == pytest.approx(float(given["Gamma_true_pooled_norm"]))
    assert float(found["approximate_skewness"]) == pytest.approx(float(given["Gamma_approx_nanmean"]))
    assert int(found["n_undefined"]) == np.isnan(given["skew_exact_other_first"]).sum()


@pytest.mark.parametrize("name", UNTIED)
def test_compat_gives_the_authors_numbers(name):
    given = case(name)
    found = kstar_distribution(given["X"], given["y"], compat="authors")
    assert np.array_equal(found["rank"], given["k_authors"])
    assert np.allclose(found["skewness"], given["skew_authors"], atol=2e-5)
    assert found["pattern"].values.tolist() == [p.lower() for p in given["pattern_authors"]]
    assert np.allclose(found["mean"], given["mean_authors"], atol=1e-6)
    assert np.allclose(found["std"], given["std_authors"], atol=1e-6)
    assert float(found["approximate_skewness"]) == pytest.approx(
        float(given["Gamma_approx_authors_patch"]), abs=2e-5
    )


def test_compat_on_exact_ties():
    given = case("E_ties_duplicates")
    found = kstar_distribution(given["X"], given["y"], compat="authors")
    rank, low, high = (
        found["rank"].values,
        given["k_exact_other_first"],
        given["k_exact_same_first"],
    )
    settled = low == high
    assert np.array_equal(rank[settled], given["k_authors"][settled])
    # the order of exact ties is that of torch's unstable sort, which is the vectors' own on AVX-512 alone
    same_sort = torch.backends.cpu.get_cpu_capability() == "AVX512"
    tolerance = 2e-5 if same_sort else 1.5
    assert np.allclose(found["skewness"], given["skew_authors"], atol=tolerance)


@pytest.mark.parametrize("n", [11, 30, 31, 100, 1000])  # the float32 mean of n times 1/n is off by rounding
def test_compat_calls_a_wholly_fractured_class_overlapped_with_skewness_0(n):
    from robustshape.indicators.kstar_authors import authors_skewness

    gamma, pattern = authors_skewness([np.full(n, 1 / n), np.ones(n), np.array([0.1, 0.1, 0.1, 0.5])])
    assert gamma.tolist() == pytest.approx([0.0, 2 / 3**0.5, 2 / 3**0.5])
    assert pattern.tolist() == ["overlapped", "clustered", "fractured"]


@pytest.mark.parametrize("name", UNTIED)
def test_anchored_variant(name):
    given = case(name)
    found = kstar_distribution(given["X"], given["y"], anchors=True)
    assert np.allclose(found["skewness"], given["skew_anchored01"], atol=2e-5)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int16])
def test_equals_a_brute_force(dtype):
    features, labels = sample()
    features = (features * (8 if dtype == np.int16 else 1)).astype(dtype)
    assert np.array_equal(nearest_foreign_rank(features, labels), brute_force(features, labels))


HARD = [
    lambda x, y, rng: np.maximum(x, 1.5) - 1.5,  # mostly dead units: many equal rows
    lambda x, y, rng: np.where(rng.uniform(size=(len(x), 1)) < 0.3, 0, x),  # a third of the samples dead
    lambda x, y, rng: np.zeros_like(x),  # a dead network
    lambda x, y, rng: np.round(x),  # ties everywhere
    lambda x, y, rng: x + 1e4 * (y % 2)[:, None],  # two far groups: float32 products say nothing within them
    lambda x, y, rng: x * np.where(np.arange(len(x)) == 5, 1e6, 1)[:, None],  # one outlier
    lambda x, y, rng: x * 1e-30,
    lambda x, y, rng: x.astype(np.float64) * 1e60,
    lambda x, y, rng: x[:, :1],
    lambda x, y, rng: np.concatenate([x[:200], x[:200]]),  # every sample twice, most across classes
]


def hard(make):
    """Return features that a float32 product tells little of, and labels."""
    features, labels = sample(3)
    features = make(features, labels, np.random.default_rng(0))
    if np.abs(features).max() < 1e-20:  # the brute force works in float64 squares; scale it exactly
        features = features.astype(np.float64) * 2.0**100
    return features, labels


@pytest.mark.parametrize("make", HARD)
def test_exact_on_hard_features(make):
    features, labels = hard(make)
    assert np.array_equal(nearest_foreign_rank(features, labels), brute_force(features, labels))


def test_exact_where_blocks_are_small_and_classes_share_them(monkeypatch):
    features, _ = sample(4, n=500)
    labels = np.repeat(np.arange(30), np.random.default_rng(0).multinomial(470, np.arange(1, 31) / 465) + 1)
    labels = np.random.default_rng(1).permutation(np.append(labels, np.full(500 - len(labels), 29)))[:500]
    blocks = foreign_ranks.class_blocks
    monkeypatch.setattr(foreign_ranks, "class_blocks", lambda ordered, size, shared: blocks(ordered, 32, 16))
    kinds = {block.mixed for block in blocks(np.sort(labels), 32, 16)}
    assert kinds == {True, False}
    assert np.array_equal(nearest_foreign_rank(features, labels), brute_force(features, labels))


def test_cosine_is_euclidean_on_unit_rows_and_ignores_length():
    features, labels = sample(5)
    unit = features.astype(np.float64) / np.linalg.norm(features.astype(np.float64), axis=1, keepdims=True)
    expected = brute_force(unit, labels)
    lengths = 2.0 ** np.random.default_rng(0).integers(-5, 6, size=(len(features), 1))
    assert np.array_equal(nearest_foreign_rank(features, labels, metric="cosine"), expected)
    assert np.array_equal(nearest_foreign_rank(features * lengths, labels, metric="cosine"), expected)


def test_cosine_sees_parallel_rows_as_equal():
    # x twice in class 0 and 2x in class 1 point the same way: nothing is strictly closer than distance 0
    features, labels = np.array([[1.0, 2.0], [1.0, 2.0], [2.0, 4.0], [0.0, 1.0]]), np.array([0, 0, 1, 1])
    assert nearest_foreign_rank(features, labels, metric="cosine").tolist() == [1, 1, 1, 1]


def test_order_of_samples_names_of_classes_and_rotation_do_not_matter():
    features, labels = sample(6)
    rng = np.random.default_rng(0)
    order = rng.permutation(len(labels))
    expected = nearest_foreign_rank(features, labels)
    assert np.array_equal(nearest_foreign_rank(features[order], 100 - 3 * labels[order]), expected[order])
    rotation = np.linalg.qr(rng.standard_normal((20, 20)))[0]
    assert np.array_equal(nearest_foreign_rank(features.astype(np.float64) @ rotation, labels), expected)


def test_no_square_array_is_made(monkeypatch):
    features, labels = sample(7, n=6_000, d=16)
    sizes, multiply = [], torch.mm

    def watched(left, right, *, out):
        sizes.append(out.numel())
        return multiply(left, right, out=out)

    monkeypatch.setattr(torch, "mm", watched)
    tracemalloc.start()
    nearest_foreign_rank(features, labels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert max(sizes) <= foreign_ranks.BLOCK["cpu"] ** 2 < 0.05 * len(labels) ** 2
    assert sum(sizes) < 0.75 * len(labels) ** 2  # each pair of blocks once
    assert peak < 0.05 * 4 * len(labels) ** 2


def test_blocks_shrink_where_little_is_free(monkeypatch):
    cpu = torch.device("cpu")
    assert foreign_ranks.block_rows(cpu) == foreign_ranks.BLOCK["cpu"]
    monkeypatch.setattr(foreign_ranks, "free_bytes", lambda device: 40 * 2**20 * torch.get_num_threads())
    assert foreign_ranks.block_rows(cpu) == 512
    monkeypatch.setattr(foreign_ranks, "free_bytes", lambda device: 0)
    assert foreign_ranks.block_rows(cpu) == 128


def test_features_on_disk_are_read_in_blocks(monkeypatch, tmp_path):
    features, labels = sample(10, n=3000, d=200)
    np.save(tmp_path / "features.npy", features)
    on_disk = np.load(tmp_path / "features.npy", mmap_mode="r")
    expected = nearest_foreign_rank(features, labels)
    for module in (class_rows, foreign_ranks):
        monkeypatch.setattr(module, "free_bytes", lambda device: 0)
    tracemalloc.start()
    found = nearest_foreign_rank(on_disk, labels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.array_equal(found, expected)
    assert peak < 0.5 * features.nbytes


class OnDisk:
    """What zarr gives: rows by slice, of which it remembers the most asked for at once."""

    def __init__(self, array):
        self.array, self.most = array, 0
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim

    def __getitem__(self, index):
        rows = self.array[index]
        self.most = max(self.most, len(rows))
        return rows


def test_an_array_that_is_none_of_numpy_is_copied_in_blocks(monkeypatch):
    features, labels = sample(11, n=3000, d=200)
    given = OnDisk(features)
    assert np.array_equal(nearest_foreign_rank(given, labels), nearest_foreign_rank(features, labels))
    assert 0 < given.most <= 0.5 * len(features)
    assert type(class_rows.held(given)) is np.ndarray
    monkeypatch.setattr(class_rows, "free_bytes", lambda device: 0)
    spilled = class_rows.held(given)
    assert isinstance(spilled, np.memmap) and np.array_equal(spilled, features)


def test_says_when_there_is_no_room(monkeypatch):
    monkeypatch.setattr(class_rows, "free_bytes", lambda device: 0)
    monkeypatch.setattr(class_rows.shutil, "disk_usage", lambda folder: SimpleNamespace(free=1000))
    with pytest.raises(InputError, match=r"copy of 400 rows of 22 features needs 0\.0 GB.*set TMPDIR"):
        nearest_foreign_rank(*sample())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.int64])
def test_takes_tensors(dtype):
    features, labels = sample(12)
    tensor = torch.from_numpy(np.round(8 * features)).to(dtype)
    if tensor.is_floating_point():
        tensor.requires_grad_()
    expected = brute_force(np.round(8 * features), labels)
    assert np.array_equal(nearest_foreign_rank(tensor, torch.from_numpy(labels)), expected)
    assert np.array_equal(nearest_foreign_rank(tensor, labels, device="cpu"), expected)


def test_same_ranks_on_any_number_of_threads_and_settings_of_torch_come_back():
    features, labels = sample(13, n=2500, n_classes=3)
    features[1000:1200] = features[:200]
    expected = nearest_foreign_rank(features, labels)
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    torch.backends.mkldnn.matmul.fp32_precision = "bf16"
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert np.array_equal(nearest_foreign_rank(features, labels), expected)
        assert torch.get_num_threads() == 3
        assert torch.backends.mkldnn.matmul.fp32_precision == "bf16"
    finally:
        torch.set_num_threads(before)
        torch.backends.mkldnn.matmul.fp32_precision = "none"


def test_an_error_in_a_thread_is_told():
    torch.set_num_threads(2)
    try:
        with (
            precise_products.alone_and_precise(torch.device("cpu")) as each,
            pytest.raises(ZeroDivisionError),
        ):
            each(lambda number: 1 // number, range(-3, 3))
    finally:
        torch.set_num_threads(1)


def test_exact_where_every_row_has_the_same_hash(monkeypatch):
    features, labels = sample(14)
    features[::3] = features[0]
    monkeypatch.setattr(torch, "rand", lambda n, **options: torch.full((n,), -0.5, dtype=torch.float64))
    assert np.array_equal(nearest_foreign_rank(features, labels), brute_force(features, labels))


def test_equal_rows_become_one():
    features, labels = np.array([[0.0], [1.0], [-0.0], [1.0], [3.0]]), np.array([5, 5, 5, 4, 4])
    with precise_products.alone_and_precise(torch.device("cpu")) as each:
        rows = class_rows.Rows(features, labels, unit_norm=False, device=torch.device("cpu"), each=each)
    assert rows.ordered.tolist() == [0, 0, 1, 1]  # class 4 first
    assert rows.weight[rows.member].tolist() == [1 + 1, 1, 1 + 1, 1, 1]
    assert rows.touching[rows.member].tolist() == [False, True, False, True, False]


def test_small_classes_are_left_out_on_request():
    features, labels = sample(15, n=300)
    labels[:15] = 9
    with pytest.warns(UserWarning, match="1 of 5 classes have fewer than 20.*exclude_small=True"):
        assert kstar_distribution(features, labels)["small"].values.tolist() == [False] * 4 + [True]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = kstar_distribution(features, labels, exclude_small=True)
    alone = kstar_distribution(features[15:], labels[15:])
    assert found["sample"].values.tolist() == list(range(15, 300)) and found.sizes["class"] == 4
    assert np.array_equal(found["rank"], alone["rank"])
    with pytest.raises(InputError, match=r"without the classes of fewer than 20 samples .* \(of 30\)"):
        kstar_distribution(features, np.arange(300) % 30, exclude_small=True)


def test_constant_and_tiny_classes():
    # three far clusters (constant k* = n_c), and pairs mixed one to one (constant k* = 1)
    far = np.repeat([[0.0, 0.0], [100.0, 0.0]], 30, axis=0) + np.random.default_rng(0).normal(size=(60, 2))
    mixed = np.array([[1000.0 + 10 * (i // 2), 0.1 * (i % 2)] for i in range(60)])
    features = np.concatenate([far, mixed, [[5000.0, 0.0]]])
    labels = np.concatenate([np.repeat([0, 1], 30), np.tile([2, 3], 30), [4]])
    with pytest.warns(UserWarning, match="1 of 5 classes have fewer than 20 samples"):
        found = kstar_distribution(features, labels)
    assert found["pattern"].values.tolist() == [
        "clustered",
        "clustered",
        "fractured",
        "fractured",
        "undefined",
    ]
    assert np.isnan(found["skewness"]).all() and int(found["n_undefined"]) == 5
    assert np.isnan(found["approximate_skewness"]) and np.isfinite(found["true_skewness"])
    assert found["small"].values.tolist() == [False] * 4 + [True]
    authors = kstar_distribution(features, labels, compat="authors")  # what ours does differently
    assert authors["pattern"].values.tolist() == ["clustered"] * 2 + ["overlapped"] * 2 + ["clustered"]
    assert authors["skewness"].values.tolist() == [0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    "features, labels, options, words",
    [
        (np.ones((3, 2)), [0, 1], {}, r"features \(3, 2\) and labels \(2,\)"),
        (np.ones(3), [0, 1, 1], {}, r"real features \(n, d\), but was given float64 \(3,\)"),
        (np.ones((3, 2)), [0.0, 1.0, 1.0], {}, "labels must be integers, but are float64"),
        (np.ones((3, 2)), [1, 1, 1], {}, "at least two classes"),
        (np.array([[1.0], [np.nan], [np.inf]]), [0, 1, 1], {}, "2 of 3 samples have NaN or infinite"),
        (np.ones((3, 2)), [True, False, True], {}, "labels must be integers, but are bool"),
        (np.ones((3, 2)), [4, 7, 9], {}, "each of the 3 samples has a label of its own"),
        (np.ones((3, 2)), [[1, 0], [0, 1], [0, 1]], {}, r"features \(3, 2\) and labels \(3, 2\)"),
        (np.ones((3, 2), complex), [0, 1, 1], {}, r"real features \(n, d\), but was given complex128"),
        (torch.tensor([[1.0], [np.nan], [0.0]]), [0, 1, 1], {}, "1 of 3 samples have NaN or infinite"),
        (np.ones((3, 2)), [0, 1, 1], {"metric": "cosin"}, "unknown metric 'cosin'"),
        (np.ones((3, 2)), [0, 1, 1], {"device": "mps"}, 'device "cpu" or "cuda", but was asked for \'mps\''),
    ],
)
def test_says_what_is_wrong(features, labels, options, words):
    with pytest.raises(InputError, match=words):
        nearest_foreign_rank(features, labels, **options)


def test_says_that_there_is_no_cuda(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="no CUDA device is visible here for 'cuda'"):
        kstar_distribution(*sample(), device="cuda")


def test_compat_is_named():
    with pytest.raises(InputError, match='compat must be None or "authors"'):
        kstar_distribution(*sample(), compat="author")


def test_skewness_is_the_biased_g1():
    values = np.random.default_rng(0).exponential(size=300)
    assert skewness(values) == pytest.approx(stats.skew(values, bias=True))
    assert np.isnan(skewness(np.full(37, 1 / 37)))  # whose mean is not 1/37 in floating point


def test_bootstrap_draws_equal_a_plain_bootstrap():
    features, labels = sample(8, n=300, n_classes=3, spread=0.3)
    values = kstar_distribution(features, labels)["normalised_rank"].values
    draws = bootstrap_draws(values, labels, rng=np.random.default_rng(0), n_draws=4000)
    rng, plain = np.random.default_rng(1), {"true_skewness": [], "approximate_skewness": []}
    groups = [values[labels == c] for c in range(3)]
    for _ in range(500):
        drawn = [rng.choice(g, len(g)) for g in groups]
        plain["true_skewness"].append(stats.skew(np.concatenate(drawn)))
        plain["approximate_skewness"].append(np.mean([stats.skew(g) for g in drawn]))
    for name, expected in plain.items():
        assert np.mean(draws[name]) == pytest.approx(np.mean(expected), abs=0.2 * np.std(expected))
        assert np.std(draws[name]) == pytest.approx(np.std(expected), rel=0.15)
    assert draws["mean_normalised_rank"].mean() == pytest.approx(values.mean(), rel=0.01)
    low, high = bootstrap_intervals(values, labels, rng=np.random.default_rng(0))["true_skewness"]
    assert low < skewness(values) < high


def test_bootstrap_of_a_constant_class_leaves_it_out():
    values = np.concatenate([np.ones(30), np.linspace(0.1, 1, 30)])
    draws = bootstrap_draws(values, np.repeat([0, 1], 30), rng=np.random.default_rng(0), n_draws=50)
    assert np.isnan(draws["skewness"][:, 0]).all()
    assert np.allclose(draws["approximate_skewness"], draws["skewness"][:, 1])


def test_floor_equals_shuffled_labels():
    rng = np.random.default_rng(0)
    sizes = np.array([60, 100, 140])
    features, labels = rng.standard_normal((300, 5)), np.repeat([0, 1, 2], sizes)
    floor = permutation_floor(sizes)
    found = [[] for _ in sizes]
    for _ in range(60):
        shuffled = rng.permutation(labels)
        ranks = nearest_foreign_rank(features, shuffled)
        for c, size in enumerate(sizes):
            found[c].append(ranks[shuffled == c] / size)
    for c in range(3):
        pooled = np.concatenate(found[c])
        assert float(floor["mean"][c]) == pytest.approx(pooled.mean(), rel=0.03)
        assert float(floor["skewness"][c]) == pytest.approx(stats.skew(pooled), rel=0.1)
    everything = np.concatenate([np.concatenate(f) for f in found])
    assert float(floor["mean_normalised_rank"]) == pytest.approx(everything.mean(), rel=0.02)
    assert float(floor["true_skewness"]) == pytest.approx(stats.skew(everything), rel=0.1)


def test_floor_by_hand():
    # class of 2 among 3: the first neighbour is foreign with chance 1/2; the lone sample has k* = 1
    floor = permutation_floor([2, 1])
    assert float(floor["mean"][0]) == pytest.approx(0.5 * 0.5 + 0.5 * 1.0)
    assert np.isnan(floor["skewness"][1]) and float(floor["skewness"][0]) == pytest.approx(0, abs=1e-12)
    with pytest.raises(InputError, match="at least two classes"):
        permutation_floor([5])


@pytest.mark.parametrize("name", INDICATORS.names())
def test_every_registered_indicator_gives_a_number(name):
    features, labels = sample(9, n=120)
    given = {"features": features, "labels": labels, "rng": np.random.default_rng(0)}
    given |= {"logits": features[:, : labels.max() + 1], "calibration": (features, labels)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = value(name, **given)
    assert isinstance(found, float) and np.isfinite(found) and INDICATORS.about(name)["about"]
