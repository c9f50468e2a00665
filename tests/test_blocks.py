"""Features read in blocks: k* as of arrays in memory, by this process or by workers, and no more than a few blocks at once."""

import dask.array
import numpy as np
import pytest
import zarr
from distributed import Client, LocalCluster

from robustshape.errors import InputError
from robustshape.indicators import blocks, foreign_ranks_blocks, kmeans_blocks
from robustshape.indicators.dimensionality import intrinsic_dimension
from robustshape.indicators.kstar import kstar_distribution, nearest_foreign_rank
from robustshape.indicators.kstar_resampling import half_sample_check
from robustshape.indicators.neighbours import neighbourhood_hit
from robustshape.indicators.purity import kmeans_purity
from robustshape.indicators.separability import silhouette
from test_kstar import HARD, brute_force, hard, sample


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(blocks, "LEAST", 50)
    monkeypatch.setattr(blocks, "MOST", 150)


def lazy(features, rows=170):
    return dask.array.from_array(features, chunks=(rows, -1))


def test_by_hand():
    features, labels = np.array([[0.0], [1.0], [4.0], [5.0], [5.5]]), np.array([7, 7, 7, 2, 2])
    assert nearest_foreign_rank(lazy(features, 2), labels).tolist() == [3, 3, 1, 2, 2]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int16])
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_ranks_are_those_of_a_brute_force(dtype, metric):
    features, labels = sample(1)
    features = (features * (8 if dtype == np.int16 else 1)).astype(dtype)
    exact = features.astype(np.float64)
    if metric == "cosine":
        exact /= np.maximum(np.linalg.norm(exact, axis=1, keepdims=True), 1e-300)
    assert np.array_equal(
        nearest_foreign_rank(lazy(features), labels, metric=metric), brute_force(exact, labels)
    )


@pytest.mark.parametrize("make", HARD)
def test_hard_features_are_as_exact(make):
    features, labels = hard(make)
    assert np.array_equal(nearest_foreign_rank(lazy(features), labels), brute_force(features, labels))


def test_close_calls_are_settled_and_too_many_of_them_are_made_again_in_float64(monkeypatch):
    features, labels = sample(4)
    features += np.float32(50) * (labels % 2)[:, None]
    settled, precisions = [], []
    settle, count = foreign_ranks_blocks._settle, foreign_ranks_blocks._count
    monkeypatch.setattr(
        foreign_ranks_blocks, "_settle", lambda i, *more: settled.append(i) or settle(i, *more)
    )
    monkeypatch.setattr(
        foreign_ranks_blocks,
        "_count",
        lambda i, given, *more: precisions.append(given.double) or count(i, given, *more),
    )
    assert np.array_equal(nearest_foreign_rank(lazy(features), labels), brute_force(features, labels))
    assert settled and set(precisions) == {False}  # a few calls
    features += np.float32(1e5) * (labels % 2)[:, None]
    assert np.array_equal(nearest_foreign_rank(lazy(features), labels), brute_force(features, labels))
    assert set(precisions) == {False, True}


def test_the_size_of_blocks_and_chunks_does_not_matter(monkeypatch):
    features, labels = sample(5)
    expected = nearest_foreign_rank(features, labels)
    for most, chunk in ((50, 400), (97, 13), (400, 61)):
        monkeypatch.setattr(blocks, "MOST", most)
        assert np.array_equal(nearest_foreign_rank(lazy(features, chunk), labels), expected)


def of_neighbours_and_means(features, labels) -> list[float]:
    return [
        kmeans_purity(features, labels, np.random.default_rng(0)),
        neighbourhood_hit(features, labels),
        silhouette(features, labels),
        intrinsic_dimension(features),
    ]


def test_workers_read_the_store_themselves_and_give_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(kmeans_blocks, "STEPS", 2)  # each is as good as another for what is asked here
    features, labels = sample(6, n=500)
    stored = zarr.create_array(
        tmp_path / "features.zarr", shape=features.shape, chunks=(100, 20), dtype="float32"
    )
    stored[:] = features
    there = dask.array.from_zarr(tmp_path / "features.zarr")
    expected = kstar_distribution(features, labels)
    halves = half_sample_check(
        features, labels, expected["normalised_rank"], rng=np.random.default_rng(0), n_halves=2
    )
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1") as cluster,
        Client(cluster) as client,
    ):
        assert blocks.open_client() is client
        found = kstar_distribution(there, labels)
        again = half_sample_check(
            there, labels, found["normalised_rank"], rng=np.random.default_rng(0), n_halves=2
        )
        others = of_neighbours_and_means(there, labels)
        done = sum(client.run(lambda dask_worker: len(dask_worker.state.log)).values())
        with pytest.raises(InputError, match="3 of 500 samples have NaN"):
            broken = np.where((np.arange(500) % 200 == 7)[:, None], np.nan, features)
            nearest_foreign_rank(lazy(broken), labels)
    assert done and found.identical(expected) and again.identical(halves)
    assert others == of_neighbours_and_means(there, labels)  # to the last bit
    assert blocks.open_client() is None


def test_a_task_of_a_worker_hands_nothing_on(monkeypatch):
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        assert client.submit(lambda: blocks.open_client() is None).result()


def test_few_blocks_are_in_memory_at_once(monkeypatch):
    read, held = [], []
    features, labels = sample(7, n=1500)

    class Watched:
        shape, dtype, ndim = features.shape, features.dtype, 2

        def __getitem__(self, rows):
            read.append(rows.stop - rows.start)
            return features[rows]

    ours = blocks.Blocks.of(Watched())
    monkeypatch.setattr(foreign_ranks_blocks.Blocks, "of", lambda given: ours)
    multiply = foreign_ranks_blocks.on_the_left
    monkeypatch.setattr(
        foreign_ranks_blocks, "on_the_left", lambda one: held.append(one.shape) or multiply(one)
    )
    assert np.array_equal(
        foreign_ranks_blocks.foreign_ranks(Watched(), labels), brute_force(features, labels)
    )
    assert max(read) <= 150 and max(n for n, _ in held) <= 150
    n = len(ours)
    assert len(read) <= n + 2 * n * (n + 1) // 2 + 3 * n * n  # looked at; both sweeps; what was close


def test_errors_say_what_is_wrong():
    features, labels = sample(8)
    with pytest.raises(InputError, match="k\\* needs one label per sample"):
        nearest_foreign_rank(lazy(features), labels[1:])
    with pytest.raises(InputError, match="compat='authors' holds all features in memory; give it features"):
        kstar_distribution(lazy(features), labels, compat="authors")
    with pytest.raises(ZeroDivisionError):
        list(blocks.each(lambda one: 1 // one, [1, 0]))


def test_small_classes_can_be_left_out():
    features, labels = sample(9)
    labels[:7] = 9
    expected = kstar_distribution(features, labels, exclude_small=True)
    assert kstar_distribution(lazy(features), labels, exclude_small=True).identical(expected)


def test_an_array_that_does_not_know_its_length_is_refused():
    features = lazy(np.eye(40))[dask.array.from_array(np.arange(40) < 30, chunks=170)]
    with pytest.raises(
        InputError, match=r"k\* .* does not know how many it has; call its compute_chunk_sizes\(\)"
    ):
        kstar_distribution(features, np.arange(30) % 3)
