"""Statistics: scipy as the twin, hand-computed cases, coverage, degenerate input, the error text."""

import numpy as np
import pytest
from scipy import stats

from robustshape import statistics as s
from robustshape.errors import InputError


def pair(seed=0, n=30):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n)
    return x, 0.6 * x + rng.standard_normal(n)


def test_correlations_equal_scipy():
    x, y = pair()
    x = np.round(x, 1)  # with ties
    assert s.correlations(x, y) == pytest.approx(
        {
            "pearson": stats.pearsonr(x, y).statistic,
            "spearman": stats.spearmanr(x, y).statistic,
            "kendall": stats.kendalltau(x, y).statistic,
        }
    )


@pytest.mark.parametrize("name", s.CORRELATIONS)
def test_correlation_with_a_constant_is_unknown(name):
    assert np.isnan(s.CORRELATIONS[name](np.full(7, 0.1), np.arange(7)))


def test_says_shapes_and_nan():
    with pytest.raises(InputError, match=r"shapes are \[\(3,\), \(2,\)\]"):
        s.pearson([1, 2, 3], [1, 2])
    with pytest.raises(InputError, match="leave out the models that have no result"):
        s.spearman([1, 2, np.nan], [1, 2, 3])


def test_line_equals_scipy():
    x, y = pair(1)
    line, expected = s.fit_line(x, y), stats.linregress(x, y)
    assert (line.slope, line.intercept, line.r_squared) == pytest.approx(
        (expected.slope, expected.intercept, expected.rvalue**2)
    )


def test_partial_correlation_equals_the_closed_form():
    rng = np.random.default_rng(2)
    x, y, z = rng.standard_normal((3, 40)) + rng.standard_normal(40)
    xy, xz, yz = s.pearson(x, y), s.pearson(x, z), s.pearson(y, z)
    expected = (xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2))
    assert s.partial_correlation(x, y, z) == pytest.approx(expected)
    assert s.partial_correlation(5 * x + 3 * z, y - z, 9 - 2 * z) == pytest.approx(expected)


def test_partial_correlation_given_everything_is_unknown():
    x, y = pair(3)
    assert np.isnan(s.partial_correlation(x, y, x))
    assert np.isnan(s.partial_correlation(x[:3], y[:3], [1, 2, 4]))


def test_shared_denominator_null_equals_a_plain_permutation():
    rng = np.random.default_rng(6)
    purity, accuracy, corrupted = rng.uniform(0.5, 0.7, (3, 14))
    accuracy += rng.uniform(0, 0.3, 14)
    null = s.shared_denominator_null(purity, accuracy, corrupted / accuracy, rng, 3000)
    plain = [s.pearson(rng.permutation(purity) / accuracy, corrupted / accuracy) for _ in range(3000)]
    assert null.shape == (3000,)
    assert null.mean() == pytest.approx(np.mean(plain), abs=0.03)
    assert null.std() == pytest.approx(np.std(plain), rel=0.1)
    assert null.mean() > 0.3  # though nothing here depends on anything
    with pytest.raises(InputError, match="above 0"):
        s.shared_denominator_null([1.0, 1.0], [0.0, 1.0], [1.0, 1.0], rng)


def test_holm_by_hand():
    assert s.holm([0.02, 0.01, 0.2, np.nan]) == pytest.approx([0.06, 0.04, 0.4, 1.0])
    assert s.holm([]).shape == (0,)
    with pytest.raises(InputError, match=r"in \[0, 1\]"):
        s.holm([1.2])


def test_wilson_equals_scipy():
    for correct in (0, 3, 10):
        expected = stats.binomtest(correct, 10).proportion_ci(method="wilson")
        assert s.wilson_interval(correct, 10) == pytest.approx((expected.low, expected.high))
    low, high = s.wilson_interval(np.array([1, 5]), np.array([5, 5]))
    assert low.shape == (2,) and high[1] == 1
    with pytest.raises(InputError, match="0 <= correct <= n"):
        s.wilson_interval(6, 5)


def test_paired_difference_equals_scipy():
    x, y = pair(7, 9)
    found, expected = s.paired_difference(x, y), stats.ttest_rel(x, y)
    ends = expected.confidence_interval()
    assert (found.estimate, found.low, found.high, found.p_value, found.n) == pytest.approx(
        (np.mean(x - y), ends.low, ends.high, expected.pvalue, 9)
    )


def test_paired_difference_of_few_or_equal_pairs():
    lone = s.paired_difference([3.0], [1.0])
    assert lone.estimate == 2 and np.isnan([lone.low, lone.high, lone.p_value]).all()
    assert s.paired_difference([1.0, 2.0], [1.0, 2.0]).p_value == 1
