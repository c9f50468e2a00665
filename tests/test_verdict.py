"""The rule of the verdict: its order, its bounds, the p-value of each word, and Holm's correction."""

import numpy as np
import pytest
from scipy import stats

from robustshape.errors import InputError
from robustshape.statistics.exact import exact_share
from robustshape.statistics.jackknife import from_left_out, mean_over_groups
from robustshape.statistics.verdict import Verdict, corrected, judge, verdict

NAN = float("nan")


@pytest.mark.parametrize(
    "estimate, low, high, expected",
    [
        (0.4, 0.1, 0.7, "holds"),
        (0.3, 0.1, 0.5, "holds"),  # d itself matters
        (0.2, 0.1, 0.9, "holds, small"),
        (0.2, 0.1, 0.25, "holds, small"),  # within -d to d too, but the side is known first
        (-0.4, -0.7, -0.1, "fails"),
        (-0.3, -0.5, -0.1, "fails"),
        (-0.2, -0.25, -0.1, "fails, small"),
        (0.1, -0.1, 0.29, "negligible"),
        (0.0, 0.0, 0.0, "negligible"),
        (0.1, -0.1, 0.3, "cannot be told"),  # an end at d does not lie within
        (-0.1, -0.3, 0.1, "cannot be told"),
        (0.3, 0.0, 0.6, "cannot be told"),  # an end at 0 is on no side
        (0.3, NAN, NAN, "cannot be told"),
        (NAN, NAN, NAN, "cannot be told"),
    ],
)
def test_the_rule_in_its_order(estimate, low, high, expected):
    assert verdict(estimate, low, high, 0.3) == expected


def test_every_interval_has_the_word_of_its_mirror_image():
    other = {
        "holds": "fails",
        "holds, small": "fails, small",
        "fails": "holds",
        "fails, small": "holds, small",
    }
    rng = np.random.default_rng(0)
    for low, estimate, high in np.sort(rng.uniform(-1, 1, (200, 3))):
        word = verdict(estimate, low, high, 0.3)
        assert verdict(-estimate, -high, -low, 0.3) == other.get(word, word)


VALUES = np.array([0.02, -0.05, 0.04, 0.01, -0.03, 0.03, 0.0, -0.01])


def test_a_claim_below_a_threshold_is_turned_and_its_p_value_is_that_of_its_word():
    found = mean_over_groups(VALUES + 0.9, range(8))
    turned = judge(found, smallest=0.1, threshold=1.0, above=False)
    t = stats.ttest_1samp(VALUES + 0.9, 1.0)
    assert turned.word == "holds, small"
    assert turned.estimate == pytest.approx(0.1 - VALUES.mean()) and turned.n == 8
    assert turned.low == pytest.approx(1 - t.confidence_interval(0.95).high)
    assert turned.p_value == pytest.approx(t.pvalue)


def test_the_p_value_of_negligible_is_the_larger_of_two_one_sided_ones():
    found = judge(mean_over_groups(VALUES, range(8)), smallest=0.05)
    sides = [
        stats.ttest_1samp(VALUES, -0.05, alternative="greater").pvalue,
        stats.ttest_1samp(VALUES, 0.05, alternative="less").pvalue,
    ]
    assert found.word == "negligible" and found.p_value == pytest.approx(max(sides)) and max(sides) < 0.025
    wide = judge(mean_over_groups(10 * VALUES, range(8)), smallest=0.05)
    assert wide.word == "cannot be told"
    assert wide.p_value == pytest.approx(stats.ttest_1samp(VALUES, 0).pvalue)


def test_a_correlation_is_compared_with_d_on_fishers_z():
    rng = np.random.default_rng(1)
    places = rng.normal(0, 0.002, 40)
    found = from_left_out(0.0, np.tanh(places), fisher=True)
    judged = judge(found, smallest=0.3)
    error = np.sqrt(39 / 40 * (places**2).sum())
    assert judged.word == "negligible"
    assert judged.p_value == pytest.approx(stats.t.sf(np.arctanh(0.3) / error, 39), rel=1e-3)


def test_a_share_is_judged_by_its_exact_interval():
    assert judge(exact_share(6, 6), smallest=0.25, threshold=0.5).word == "holds"
    assert judge(exact_share(5, 5), smallest=0.25, threshold=0.5).word == "cannot be told"
    assert judge(exact_share(0, 6), smallest=0.25, threshold=0.5).word == "fails"
    even = judge(exact_share(50, 100), smallest=0.25, threshold=0.5)
    assert even.word == "negligible" and even.p_value == pytest.approx(exact_share(50, 100).p_below(0.75))


def test_too_few_and_none():
    few = judge(mean_over_groups(VALUES, range(8)), smallest=0.1, fewest=36, unit="seeds")
    assert (
        (few.word, few.reason) == ("not judged", "8 of the 36 seeds needed")
        and not few.judged
        and np.isnan(few.p_value)
    )
    assert judge(None, smallest=0.1).word == "not yet measured"


def test_holm_runs_over_what_was_judged():
    given = {
        "a": Verdict("holds", 0.5, 0.2, 0.8, 0.01, 48),
        "b": Verdict("negligible", 0.0, -0.1, 0.1, 0.02, 48),
        "c": Verdict("fails, small", -0.1, -0.15, -0.05, 0.04, 48),
        "d": Verdict("cannot be told", 0.1, -0.4, 0.6, 0.6, 48),
        "e": Verdict("not yet measured"),
        "f": Verdict("not judged", n=8, reason="8 of 36 families"),
    }
    found = corrected(given)
    # 4 x .01; then 3 x .02; then 2 x .04; none of the two that were not judged counts
    assert [found[name].p_value for name in "abcd"] == pytest.approx([0.04, 0.06, 0.08, 0.6])
    assert [found[name].word for name in given] == [
        "holds", "cannot be told", "cannot be told", "cannot be told", "not yet measured", "not judged",
    ]  # fmt: skip
    assert corrected({"b": given["b"], "e": given["e"]})["b"].word == "negligible"
    assert corrected({}) == {}
    # claims that are stated for the population and were not estimated count as p = 1
    assert corrected({"a": given["a"]}, over=5)["a"].p_value == pytest.approx(0.05)
    assert corrected({"a": given["a"]}, over=5)["a"].word == "cannot be told"


def test_errors_say_what_was_given():
    with pytest.raises(InputError, match="must be above 0, but is 0"):
        verdict(0.1, 0.0, 0.2, 0)
    with pytest.raises(InputError, match=r"0\.5 is not in 0\.0 to 0\.2"):
        verdict(0.5, 0.0, 0.2, 0.3)
