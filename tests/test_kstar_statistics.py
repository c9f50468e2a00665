"""Statistics of fixed ranks: by hand, scipy, loops over classes, small classes, chance in closed form."""

import numpy as np
import pytest
from scipy import stats

from robustshape.errors import InputError
from robustshape.indicators import kstar_statistics
from robustshape.indicators.kstar import kstar_distribution
from robustshape.indicators.kstar_chance import expected_skewness, permutation_floor
from robustshape.indicators.kstar_statistics import (
    bootstrap_draws,
    bootstrap_intervals,
    class_patterns,
    in_large_classes,
    percentile_interval,
    rank_statistics,
)


def ranks(seed=0, sizes=(40, 150, 300)):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(sizes)) * 5, sizes))
    return np.array([rng.integers(1, 1 + sizes[c // 5] // (1 + c)) / sizes[c // 5] for c in labels]), labels


def test_by_hand():
    found = rank_statistics([0.25, 1.0, 0.25, 0.5, 0.25, 0.5], [7, 7, 7, 2, 7, 2])
    # class 2 is constant; class 7: mean 7/16, m2 = 27/256, m3 = 162/4096 (in sixteenths: -3, 9, -3, -3)
    assert found["skewness"] == pytest.approx([np.nan, (648 / 4) / (108 / 4) ** 1.5], nan_ok=True)
    assert found["n_undefined"] == 1 and found["approximate_skewness"] == found["skewness"][1]
    assert found["mean_normalised_rank"] == pytest.approx(2.75 / 6)


def test_equals_scipy_class_by_class():
    values, labels = ranks()
    found = rank_statistics(values, labels)
    by_class = [stats.skew(values[labels == c]) for c in np.unique(labels)]
    assert found["skewness"] == pytest.approx(by_class)
    assert found["approximate_skewness"] == pytest.approx(np.mean(by_class))
    assert found["true_skewness"] == pytest.approx(stats.skew(values))


def test_equals_the_distribution_of_features():
    rng = np.random.default_rng(1)
    labels = np.repeat([4, 1, 9], [60, 80, 30])
    features = rng.standard_normal((170, 4)) + (labels == 4)[:, None] * 40  # class 4 stands apart: constant
    whole = kstar_distribution(features, labels)
    found = rank_statistics(whole["normalised_rank"].values, labels)
    assert found["n_undefined"] == int(whole["n_undefined"]) == 1
    for name in ("skewness", "true_skewness", "approximate_skewness", "mean_normalised_rank"):
        assert np.allclose(found[name], whole[name], equal_nan=True)


def test_a_constant_class_has_no_gamma_whatever_the_rounding_of_its_mean():
    sizes = np.arange(1, 60)
    labels = np.repeat(sizes, sizes)
    found = rank_statistics(1 / labels, labels)
    assert np.isnan(found["skewness"]).all() and found["n_undefined"] == 59
    assert np.isnan(found["approximate_skewness"])


def test_bands_at_their_edges():
    groups = [np.array([0.1, 0.2])] * 4
    assert class_patterns(np.array([0.5, 0.5001, -0.5, -0.5001]), groups).tolist() == [
        "overlapped", "fractured", "overlapped", "clustered",
    ]  # fmt: skip


def test_samples_of_large_classes():
    labels = np.repeat([3, 1, 2], [20, 19, 21])
    assert np.array_equal(in_large_classes(labels), labels != 1)
    assert not in_large_classes(labels, fewest=22).any()


def test_draws_do_not_depend_on_how_many_are_made_at_once(monkeypatch):
    values, labels = ranks(2)
    whole = bootstrap_draws(values, labels, rng=np.random.default_rng(0), n_draws=60)
    monkeypatch.setattr(kstar_statistics, "DRAWN_AT_ONCE", 500)
    parts = bootstrap_draws(values, labels, rng=np.random.default_rng(0), n_draws=60)
    assert all(np.allclose(whole[name], parts[name], atol=1e-12) for name in whole)


def test_each_draw_is_a_resample_of_every_class():
    values, labels = ranks(3)
    draws = bootstrap_draws(values, labels, rng=np.random.default_rng(0), n_draws=2000)
    rng = np.random.default_rng(1)
    for c, label in enumerate(np.unique(labels)):
        group = values[labels == label]
        plain = stats.skew(rng.choice(group, (2000, len(group))), axis=1)
        assert draws["skewness"][:, c].mean() == pytest.approx(plain.mean(), abs=5 * plain.std() / 2000**0.5)
        assert draws["skewness"][:, c].std() == pytest.approx(plain.std(), rel=0.1)
    spread = np.sqrt(
        sum((labels == c).sum() * values[labels == c].var() for c in np.unique(labels)) / len(values) ** 2
    )
    assert draws["mean_normalised_rank"].std() == pytest.approx(spread, rel=0.1)  # stratified: within classes


def test_intervals_of_draws():
    draws = np.array([[1.0, np.nan, np.nan], [2.0, 5.0, np.nan], [3.0, 7.0, np.nan]])
    found = percentile_interval(draws, level=0.5)
    assert found == pytest.approx(np.array([[1.5, 5.5, np.nan], [2.5, 6.5, np.nan]]), nan_ok=True)
    assert np.isnan(percentile_interval([np.nan, np.nan])).tolist() == [True, True]
    values, labels = ranks(4)
    by_name = bootstrap_intervals(values, labels, rng=np.random.default_rng(0), n_draws=50, level=0.8)
    draws = bootstrap_draws(values, labels, rng=np.random.default_rng(0), n_draws=50)
    assert by_name["true_skewness"] == tuple(np.quantile(draws["true_skewness"], [0.1, 0.9]))


def test_the_floor_tends_to_the_geometric_one():
    for n_classes in (2, 10, 100):
        p = 1 - 1 / n_classes
        floor = permutation_floor([50_000] * n_classes)
        assert float(floor["approximate_skewness"]) == pytest.approx((2 - p) / np.sqrt(1 - p), rel=1e-3)


def test_expected_gamma_of_few_samples_equals_a_plain_simulation():
    rng = np.random.default_rng(0)
    sizes = [12, 60, 12, 1]
    found = expected_skewness(sizes, rng=rng, n_draws=4000)
    assert found[0] == found[2] and np.isnan(found[3])
    others = np.repeat([True, False], [11, 73])  # of a sample of a class of 12: the same class or not
    simulated = [[1 + rng.permutation(others).argmin() for _ in range(12)] for _ in range(1500)]
    plain = [stats.skew(drawn) for drawn in simulated if len(set(drawn)) > 1]
    assert found[0] == pytest.approx(np.mean(plain), abs=0.1)
    assert found[0] < float(permutation_floor(sizes)["skewness"][0]) - 0.5  # what it is for


def test_expected_gamma_of_many_samples_is_the_floor():
    found = expected_skewness([20_000, 20_000], rng=np.random.default_rng(0), n_draws=200)
    assert found == pytest.approx(permutation_floor([20_000] * 2)["skewness"].values, rel=0.01)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: rank_statistics([0.1, 0.2], [1]), r"the shapes are \(2,\) and \(1,\)"),
        (lambda: rank_statistics([], []), "one label per rank is needed"),
        (lambda: percentile_interval([1.0], level=95), "between 0 and 1, such as 0.95, but is 95"),
        (lambda: percentile_interval([]), "at least one draw"),
        (lambda: expected_skewness([5], rng=np.random.default_rng(0)), "at least two classes"),
        (lambda: expected_skewness([5, 5], rng=np.random.default_rng(0), n_draws=0), "n_draws must be at"),
        (lambda: bootstrap_draws([1], [1], rng=np.random.default_rng(0), n_draws=0), "n_draws must be at"),
    ],
)
def test_says_what_is_wrong(call, words):
    with pytest.raises(InputError, match=words):
        call()
