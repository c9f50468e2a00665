"""The jackknife over groups: Student's t by hand, a plain twin, invariance, and what cannot be told."""

import numpy as np
import pytest
from scipy import stats

from robustshape.errors import InputError
from robustshape.statistics.jackknife import from_left_out, jackknife, mean_over_groups, slope_over_groups


def test_a_mean_of_single_members_is_students():
    values = np.random.default_rng(0).normal(0.3, 1, 9)
    found = mean_over_groups(values, np.arange(9))
    known = stats.ttest_1samp(values, 0)
    assert found.estimate == pytest.approx(values.mean()) and found.n == 9
    assert (found.low, found.high) == pytest.approx(tuple(known.confidence_interval(0.95)))
    assert found.p_value == pytest.approx(known.pvalue)
    assert found.p_above(0.1) == pytest.approx(stats.ttest_1samp(values, 0.1, alternative="greater").pvalue)
    assert found.p_below(0.1) == pytest.approx(stats.ttest_1samp(values, 0.1, alternative="less").pvalue)


def test_a_group_counts_once_and_nan_not_at_all():
    found = mean_over_groups([1, 3, 4, 0, 2, np.nan], list("aabcde"))
    assert found == mean_over_groups([2, 4, 0, 2], list("abcd"))
    many = mean_over_groups([1, 3] * 50 + [4, 0, 2], ["a"] * 100 + list("bcd"))
    assert many.estimate == pytest.approx(2) and many.low == pytest.approx(found.low)


def test_of_any_statistic_by_leaving_each_group_out():
    rng = np.random.default_rng(1)
    x, y, groups = rng.normal(size=20), rng.normal(size=20), np.arange(20) // 2
    found = jackknife(lambda i: np.corrcoef(x[i], y[i])[0, 1], groups, fisher=True)
    z = np.arctanh(np.corrcoef(x, y)[0, 1])
    zs = [np.arctanh(np.corrcoef(x[groups != g], y[groups != g])[0, 1]) for g in range(10)]
    error = np.sqrt(9 / 10 * sum((v - z) ** 2 for v in zs))
    half = stats.t.ppf(0.975, 9) * error
    assert (found.low, found.high) == pytest.approx((np.tanh(z - half), np.tanh(z + half)))
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(z) / error, 9))
    assert found.p_above(0.3) == pytest.approx(stats.t.sf((z - np.arctanh(0.3)) / error, 9))
    assert -1 < found.low < found.estimate < found.high < 1


def test_the_slope_of_a_seed_is_the_unit():
    x = np.tile([-1.0, -0.4, 0.0], 6)
    seeds = np.repeat(np.arange(6), 3)
    rng = np.random.default_rng(2)
    y = rng.normal(size=6)[seeds] * 10 + 0.5 * x + rng.normal(size=18)  # a seed's level does not matter
    slopes = [np.polyfit(x[seeds == s], y[seeds == s], 1)[0] for s in range(6)]
    found = slope_over_groups(x, y, seeds)
    assert found.estimate == pytest.approx(np.mean(slopes)) and found.n == 6
    assert (found.low, found.high) == pytest.approx(
        tuple(stats.ttest_1samp(slopes, 0).confidence_interval(0.95))
    )
    beside = slope_over_groups([*x, 0.0], [*y, 99.0], [*seeds, 7])  # a seed with one alpha has no slope
    assert (beside.estimate, beside.n) == (pytest.approx(found.estimate), 6)


def test_few_groups_have_an_estimate_but_no_interval():
    found = from_left_out(2.0, [2.5, 2.0, 1.5])
    assert found.estimate == 2.0 and found.n == 3 and np.isnan([found.low, found.high, found.p_value]).all()
    for values in ([1.0, 2.0, 6.0], [1.0, 2.0]):  # but of a mean Student's interval is exact
        mean, known = mean_over_groups(values, range(len(values))), stats.ttest_1samp(values, 0)
        assert (mean.low, mean.high) == pytest.approx(tuple(known.confidence_interval(0.95)))
        assert mean.p_value == pytest.approx(known.pvalue)
    one, none = mean_over_groups([1.0], ["a"]), mean_over_groups([np.nan], ["a"])
    assert one.estimate == 1.0 and np.isnan(one.low) and none.n == 0 and np.isnan(none.estimate)


def test_what_does_not_vary():
    same, nothing = mean_over_groups([2.0] * 5, range(5)), mean_over_groups([0.0] * 5, range(5))
    assert (same.low, same.high, same.p_value) == (2.0, 2.0, 0.0)
    assert (nothing.low, nothing.high, nothing.p_value) == (0.0, 0.0, 1.0)
    perfect = from_left_out(1.0, [1.0] * 6, fisher=True)
    assert (perfect.low, perfect.high) == pytest.approx((1, 1)) and perfect.p_value == 0


def test_errors_say_what_was_given():
    with pytest.raises(InputError, match=r"the shapes are \(2,\) and \(3,\)"):
        mean_over_groups([1.0, 2.0], list("abc"))
    with pytest.raises(InputError, match=r"the shapes are \(2,\), \(2,\) and \(3,\)"):
        slope_over_groups([1.0, 2.0], [1.0, 2.0], list("abc"))
    with pytest.raises(InputError, match="one group per model"):
        jackknife(lambda i: 0.0, [])
    with pytest.raises(InputError, match="level must lie between 0 and 1"):
        from_left_out(0.0, [0.0] * 5, level=95)
