"""Recomputed ranks: halves tell the spread of new data, shuffles equal a recomputation, chance, error words."""

import numpy as np
import pytest

from robustshape.errors import InputError
from robustshape.indicators import kstar_resampling
from robustshape.indicators.kstar import nearest_foreign_rank
from robustshape.indicators.kstar_resampling import STATISTICS, half_sample_check, permutation_baseline
from robustshape.indicators.kstar_statistics import rank_statistics

LABELS = np.repeat([6, 2, 3], [50, 80, 70])
SIZE = np.repeat([50, 80, 70], [50, 80, 70])


def features(rng):
    return (
        rng.standard_normal((200, 4)) + 2 * np.eye(4)[[0, 1, 2]][np.repeat([0, 1, 2], [50, 80, 70])]
    ).astype(np.float32)


def numbers(points, labels, size):
    found = rank_statistics(nearest_foreign_rank(points, labels) / size, labels)
    return [found[name] for name in STATISTICS]


def test_halves_tell_how_new_data_spread_and_fixed_ranks_do_not():
    rng = np.random.default_rng(0)
    new = np.array([numbers(features(rng), LABELS, SIZE) for _ in range(150)])
    checks = []
    for _ in range(12):
        points = features(rng)
        normalised = nearest_foreign_rank(points, LABELS) / SIZE
        checks.append(half_sample_check(points, LABELS, normalised, rng=rng, n_draws=200))
    true = dict(zip(STATISTICS, new.std(axis=0, ddof=1)))
    for name in STATISTICS:
        halves = np.mean([float(c["half_sample_sd"].sel(statistic=name)) for c in checks])
        assert halves == pytest.approx(true[name], rel=0.5)
    fixed = np.mean([float(c["bootstrap_sd"].sel(statistic="mean_normalised_rank")) for c in checks])
    assert fixed < 0.7 * true["mean_normalised_rank"]  # neighbours vary too


def test_halves_are_recomputed_and_take_half_of_every_class():
    rng = np.random.default_rng(1)
    points = features(rng)
    normalised = nearest_foreign_rank(points, LABELS) / SIZE
    found = half_sample_check(points, LABELS, normalised, rng=np.random.default_rng(0), n_halves=3, n_draws=9)
    assert found["value"].values == pytest.approx(numbers(points, LABELS, SIZE))
    assert found["half_sample_sd"].values == pytest.approx(found["of_half"].values.std(axis=0, ddof=1))
    assert found["ratio"].values == pytest.approx(
        found["half_sample_sd"].values / found["bootstrap_sd"].values
    )
    # two far classes: every k* of a half is that of its class, 25 of 25
    apart = np.where(np.arange(100) < 50, 0.0, 1e3)[:, None] + rng.uniform(size=(100, 1))
    labels = np.repeat([0, 1], 50)
    far = half_sample_check(apart, labels, np.ones(100), rng=rng, n_halves=2, n_draws=9)
    assert (far["of_half"].sel(statistic="mean_normalised_rank") == 1).all()
    assert np.isnan(far["ratio"]).all() and np.isnan(far["half_sample_sd"][:2]).all()


def test_spread_of_uneven_halves_is_scaled():
    # two classes of 13: 12 of 26 are drawn
    points, labels = np.random.default_rng(3).standard_normal((26, 2)), np.repeat([0, 1], 13)
    found = half_sample_check(points, labels, np.full(26, 1 / 13), rng=np.random.default_rng(0), n_draws=5)
    spread = found["of_half"].values.std(axis=0, ddof=1)
    assert found["half_sample_sd"].values == pytest.approx(np.sqrt(12 / 14) * spread)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("most", [1, 1000])
def test_shuffles_equal_a_recomputation(monkeypatch, metric, most):
    monkeypatch.setattr(kstar_resampling, "MOST_NEIGHBOURS", most)  # with one, half the k* lie beyond it
    points = features(np.random.default_rng(2)) + 50
    found = permutation_baseline(points, LABELS, rng=np.random.default_rng(7), n_draws=4, metric=metric)
    rng = np.random.default_rng(7)
    for draw in range(4):
        labels = rng.permutation(LABELS)
        size = np.unique(labels, return_counts=True)[1][np.unique(labels, return_inverse=True)[1]]
        again = rank_statistics(nearest_foreign_rank(points, labels, metric=metric) / size, labels)
        assert found["of_draw"][draw].values == pytest.approx([again[name] for name in STATISTICS])


def test_shuffles_give_on_average_what_is_expected():
    rng = np.random.default_rng(3)
    labels = np.repeat(np.arange(8), [10, 20, 30, 40, 60, 80, 100, 260])
    found = permutation_baseline(rng.standard_normal((600, 10)), labels, rng=rng, n_draws=400)
    assert found["mean"].values == pytest.approx(found["expected"].values, rel=0.06)
    low, high = found["interval"].values
    assert (low < found["expected"].values).all() and (found["expected"].values < high).all()


@pytest.mark.parametrize(
    "call, words",
    [
        (
            lambda x, y, r: half_sample_check(x, y, r, rng=np.random.default_rng(0), n_halves=1),
            "at least 2 for",
        ),
        (
            lambda x, y, r: half_sample_check(x, y, r[:9], rng=np.random.default_rng(0)),
            r"\(9,\) and \(200,\)",
        ),
        (
            lambda x, y, r: half_sample_check(x[:3], [0, 1, 2], np.ones(3), rng=np.random.default_rng(0)),
            "every class has one",
        ),
        (
            lambda x, y, r: half_sample_check(x, y, r, rng=np.random.default_rng(0), metric="l1"),
            "unknown metric 'l1'",
        ),
        (
            lambda x, y, r: permutation_baseline(x, y, rng=np.random.default_rng(0), metric="l1"),
            "unknown metric 'l1'",
        ),
        (
            lambda x, y, r: permutation_baseline(x, y, rng=np.random.default_rng(0), n_draws=0),
            "n_draws must be at least 1, but is 0",
        ),
        (
            lambda x, y, r: permutation_baseline(x, y * 0, rng=np.random.default_rng(0)),
            "at least two classes, but all labels are 0",
        ),
    ],
)
def test_says_what_is_wrong(call, words):
    with pytest.raises(InputError, match=words):
        call(features(np.random.default_rng(0)), LABELS, np.ones(200))
