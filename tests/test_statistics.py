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


def test_interval_leaves_out_degenerate_draws():
    values = np.append(np.arange(101.0), np.full(50, np.nan))
    assert s.interval(values, 0.9) == pytest.approx((5, 95))
    assert np.isnan(s.interval([1.0, np.nan, np.nan])).all()
    with pytest.raises(InputError, match="level must lie between 0 and 1"):
        s.interval([1.0], 95)


def test_bootstrap_draws_whole_families():
    families = np.array(["a"] * 4 + ["b"] * 2 + ["c"] * 3 + ["d"])
    seen = []

    def note(index):
        seen.append(np.bincount(index, minlength=10))
        return float(len(index))

    draws = s.bootstrap_over_families(note, families, rng=np.random.default_rng(0), draws=200)
    counts = np.array(seen)
    for name in "abcd":  # members of a family come the same number of times
        own = counts[:, families == name]
        assert (own == own[:, :1]).all()
    # four of four families drawn: all the same one with chance 1/64, and then nothing is known
    assert 0 < np.isnan(draws).mean() < 0.06
    assert np.isnan(draws).sum() + len(seen) == 200


@pytest.mark.parametrize("families", ["aaaaaaaaa", "aaaaabbbb", "aaabbbccc"])
def test_bootstrap_of_few_families_knows_nothing(families):
    draws = s.bootstrap_over_families(lambda i: 1.0, list(families), rng=np.random.default_rng(0), draws=20)
    assert (
        np.isnan(draws).all() and np.isnan(s.interval(draws)).all() and np.isnan(s.bootstrap_p_value(draws))
    )


def test_families_widen_the_interval():
    rng = np.random.default_rng(4)
    families = np.repeat(np.arange(8), 6)
    values = rng.standard_normal(8)[families] + 0.1 * rng.standard_normal(48)
    widths = [
        np.ptp(s.interval(s.bootstrap_over_families(lambda i: values[i].mean(), f, rng=rng)))
        for f in (families, np.arange(48))
    ]
    assert widths[0] > 1.5 * widths[1]


def test_bootstrap_p_value_by_hand():
    assert s.bootstrap_p_value([-1.0] + [1.0] * 8, 0) == pytest.approx(2 * 2 / 10)
    assert s.bootstrap_p_value([1.0] * 9, 5) == pytest.approx(2 * 1 / 10)
    assert s.bootstrap_p_value([-1.0, 1.0]) == 1


def test_leave_one_group_out_equals_a_plain_loop():
    x, y = pair(5, 12)
    groups = np.repeat(["a", "b", "c"], 4)
    found = s.leave_one_group_out(lambda i: s.pearson(x[i], y[i]), groups)
    assert found == {g: s.pearson(x[groups != g], y[groups != g]) for g in "abc"}


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


@pytest.mark.parametrize("partial", [False, True])
def test_all_resamples_at_once_are_those_one_after_the_other(partial):
    rng = np.random.default_rng(3)
    x, y, z = rng.normal(size=(3, 14))
    y, families = y + x, np.array(list("aaabbcccddeeef"))
    y[4] = x[4]
    if partial:
        plain = s.bootstrap_over_families(
            lambda i: s.partial_correlation(x[i], y[i], z[i]),
            families,
            rng=np.random.default_rng(0),
            draws=300,
        )
    else:
        plain = s.bootstrap_over_families(
            lambda i: s.pearson(x[i], y[i]), families, rng=np.random.default_rng(0), draws=300
        )
    found = s.correlation_over_families(
        x, y, families, rng=np.random.default_rng(0), draws=300, given=z if partial else None
    )
    both = np.isfinite(plain) & np.isfinite(found)
    assert both.mean() > 0.97
    np.testing.assert_allclose(found[both], plain[both], atol=1e-7)


def test_resamples_of_too_few_families_or_of_constants_say_nothing():
    x, rng = np.arange(6.0), np.random.default_rng(0)
    assert np.isnan(s.correlation_over_families(x, x, list("aabbcc"), rng=rng, draws=9)).all()
    assert np.isnan(s.correlation_over_families(x, np.ones(6), list("abcdef"), rng=rng, draws=9)).all()
    with pytest.raises(InputError, match="NaN"):
        s.correlation_over_families([*x[:5], np.nan], x, list("abcdef"), rng=rng, draws=9)


def test_few_families_make_a_p_value_larger():
    draws = np.tanh(np.random.default_rng(0).normal(0.9, 0.3, 4000))
    few, many = (s.few_clusters_p_value(np.tanh(0.9), draws, n) for n in (5, 200))
    from scipy.stats import t

    assert few == pytest.approx(2 * t.sf(0.9 / np.arctanh(draws).std(ddof=1), 4))
    assert s.bootstrap_p_value(draws) <= many < few < 0.1
    assert np.isnan(s.few_clusters_p_value(0.5, [np.nan] * 9, 5))
