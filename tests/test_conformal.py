"""Conformal intervals for new families: ranks by hand, one vote a family, coverage where the answer is known."""

import numpy as np
import pytest
from scipy.stats import norm

from robustshape.errors import InputError
from robustshape.statistics.conformal import (
    conformal_quantile,
    family_quantile,
    least_squares,
    left_out_predictions,
    nested_coverage,
    without_pairs,
)


def predict_with_interval(x, y, families, new, *, rng, level=0.9, draws=200):
    """Return the predictions for networks of new families and the half-width of their interval, step by step."""
    scores = np.abs(y - left_out_predictions(x, y, families))
    half = family_quantile(scores, families, rng=rng, level=level, draws=draws)
    return least_squares(np.reshape(x, (len(y), -1)), y, np.reshape(new, (-1, np.size(x) // len(y)))), half


def test_the_quantile_by_hand():
    scores = [5.0, 1.0, 4.0, 2.0, 3.0]  # of six equally likely ranks of a new score
    assert [conformal_quantile(scores, k / 6) for k in range(1, 6)] == [1, 2, 3, 4, 5]
    assert conformal_quantile(scores, 0.5) == 3 and conformal_quantile(scores, 0.84) == np.inf
    assert conformal_quantile([], 0.5) == np.inf


def test_a_member_is_drawn_from_each_family():
    scores, families = np.array([1.0, 2, 3, 10, 20]), np.array(list("aaabb"))
    found = family_quantile(scores, families, rng=np.random.default_rng(0), level=1 / 3, draws=4000)
    assert found == pytest.approx(2.0, abs=0.05)  # the smaller of two is always of a: the mean of 1, 2 and 3
    found = family_quantile(scores, families, rng=np.random.default_rng(0), level=2 / 3, draws=4000)
    assert found == pytest.approx(15.0, abs=0.3)
    assert family_quantile(scores, families, rng=np.random.default_rng(0), level=0.9) == np.inf


def test_predictions_are_made_without_the_family():
    rng = np.random.default_rng(0)
    x, y, families = rng.normal(size=(12, 2)), rng.normal(size=12), np.repeat(np.arange(4), 3)
    found = left_out_predictions(x, y, families)
    for g in range(4):
        own = families == g
        fit, *_ = np.linalg.lstsq(np.column_stack([np.ones(9), x[~own]]), y[~own], rcond=None)
        assert found[own] == pytest.approx(fit[0] + x[own] @ fit[1:])


def test_the_half_width_is_that_of_a_known_distribution():
    rng = np.random.default_rng(1)
    x, families = rng.normal(size=600), np.arange(600)
    y = 3 * x + rng.normal(0, 2, 600)
    middle, half = predict_with_interval(x, y, families, [1.0, 2.0], rng=rng, draws=1)
    assert middle == pytest.approx([3, 6], abs=0.6) and half == pytest.approx(2 * norm.ppf(0.95), rel=0.1)


def test_a_new_family_is_covered_as_often_as_promised():
    """Networks of a family share most of what a line cannot say; whoever counts networks has intervals too narrow."""
    covered, pooled = [], []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        sizes = np.append(np.where(rng.uniform(size=19) < 0.5, 1, 8), 1)
        families = np.repeat(np.arange(20), sizes)
        # families that have many networks are the well-behaved ones
        spread = np.where(sizes == 8, 0.3, 2.0) * rng.normal(size=20)
        x = rng.normal(size=len(families))
        y = x + spread[families] + 0.1 * rng.normal(size=len(families))
        new = rng.integers(20)  # a family like the others
        own = families == new
        member = rng.choice(np.flatnonzero(own))
        middle, half = predict_with_interval(x[~own], y[~own], families[~own], x[[member]], rng=rng, draws=20)
        covered.append(abs(y[member] - middle[0]) <= half)
        scores = np.abs(y[~own] - left_out_predictions(x[~own], y[~own], families[~own]))
        every = conformal_quantile(scores)
        pooled.append(abs(y[member] - middle[0]) <= every)
    assert 0.85 <= np.mean(covered) <= 0.97 and np.mean(pooled) < 0.85


def test_nested_coverage_leaves_a_family_out_of_everything():
    rng = np.random.default_rng(3)
    families = np.repeat(np.arange(12), 2)
    x = rng.normal(size=24)
    y = x + rng.normal(size=12)[families]
    seen = []

    def predict(x, y, others):
        seen.append(len(x))
        return least_squares(x, y, others)

    told = without_pairs(x, y, families, predict)
    assert (
        seen.count(22) == 12 and seen.count(20) == 12 * 11 / 2
    )  # a family out, and then another; once for both
    shares = []
    for g in range(12):  # by brute force
        own = families == g
        middle, half = predict_with_interval(
            x[~own], y[~own], families[~own], x[own], rng=rng, level=0.8, draws=4000
        )
        assert told[g, own] == pytest.approx(middle)
        assert told[g, ~own] == pytest.approx(left_out_predictions(x[~own], y[~own], families[~own]))
        shares.append(np.mean(np.abs(y[own] - middle) <= half))
    found = nested_coverage(y, families, told, rng=rng, level=0.8, draws=4000)
    assert found.covered == pytest.approx(np.mean(shares), abs=0.05) and found.families == 12


def test_units_and_order_do_not_matter():
    rng = np.random.default_rng(4)
    x, y, families = rng.normal(size=30), rng.normal(size=30), np.arange(30)
    order = rng.permutation(30)
    one = predict_with_interval(x, y, families, [0.5], rng=rng, draws=1)
    two = predict_with_interval(5 * x[order] + 1, 10 * y[order] - 3, families[order], [3.5], rng=rng, draws=1)
    assert two[0] == pytest.approx(10 * one[0] - 3) and two[1] == pytest.approx(10 * one[1])


def test_errors_say_what_was_given():
    with pytest.raises(InputError, match="level must lie between 0 and 1"):
        conformal_quantile([1.0], 90)
    with pytest.raises(InputError, match="a flat list without NaN"):
        conformal_quantile([np.nan])
    with pytest.raises(InputError, match="at least three families, but was given 2"):
        left_out_predictions([0, 1], [0, 1], ["a", "b"])
    with pytest.raises(InputError, match=r"the shapes are \(2,\) and \(1,\)"):
        family_quantile([1.0, 2.0], ["a"], rng=np.random.default_rng(0))
    with pytest.raises(InputError, match=r"the shapes are \(3,\) and \(2,\)"):
        left_out_predictions([0, 1, 2], [0, 1, 2], ["a", "b"])
