"""A screen of indicators: corrected intervals by hand, either sign, and noise that is rarely taken for a finding."""

import numpy as np
import pytest
from scipy import stats

from robustshape.errors import InputError
from robustshape.statistics.centring import correlate_over_families
from robustshape.statistics.jackknife import OverGroups
from robustshape.statistics.screen import correct, judge_screen


def found(r, error=0.05, n=48):
    r, errors = np.asarray(r, float), np.broadcast_to(np.asarray(error, float), np.shape(r))
    places = np.arctanh(r)
    half = stats.t.ppf(0.975, n - 1) * errors
    p_value = 2 * stats.t.sf(np.abs(places) / errors, n - 1)
    counts = np.full(r.shape, n)
    return OverGroups(r, np.tanh(places - half), np.tanh(places + half), p_value, counts, errors, fisher=True)


def test_intervals_are_of_a_twentieth_shared_by_all():
    given = found([0.4, -0.2, 0.0, 0.1])
    screened = correct(given)
    half = stats.t.ppf(1 - 0.025 / 4, 47) * 0.05
    assert screened.low == pytest.approx(np.tanh(np.arctanh(given.estimate) - half))
    assert screened.high == pytest.approx(np.tanh(np.arctanh(given.estimate) + half))
    assert screened.p_value[0] == pytest.approx(4 * given.p_value[0]) and screened.tried == 4


@pytest.mark.parametrize(
    "r, error, expected",
    [
        ([0.1, -0.5, 0.2], 0.1, "holds"),  # of either sign
        ([0.1, -0.2, 0.05], 0.05, "holds, small"),
        ([0.1, -0.1, 0.05], 0.05, "negligible"),
        ([0.1, -0.22, 0.05], 0.1, "cannot be told"),  # its own 95 % interval leaves 0 out
        ([0.1, np.nan, 0.05], 0.05, "cannot be told"),  # one that was tried is not known to be small
        ([0.1, np.nan, 0.5], 0.05, "holds"),
        ([np.nan], 0.05, "cannot be told"),
    ],
)
def test_the_rule(r, error, expected):
    for sign in (1, -1):
        assert judge_screen(found(sign * np.array(r), error), smallest=0.3).word == expected


def test_the_best_is_the_largest_that_is_told():
    judged = judge_screen(found([-0.4, 0.6], [0.05, 0.5]), smallest=0.3)
    half = stats.t.ppf(1 - 0.025 / 2, 47) * np.array([0.05, 0.5])
    ends = np.tanh(np.arctanh(0.4) - half[0]), np.tanh(np.arctanh(0.6) + half[1])
    assert (judged.estimate, judged.low, judged.high) == pytest.approx((0.4, *ends))
    assert judged.word == "holds" and judged.p_value == pytest.approx(2 * found([-0.4]).p_value[0])


def test_noise_is_a_finding_in_a_twentieth_of_screens():
    rng = np.random.default_rng(0)
    families, wolves, alone = np.arange(40), 0, 0
    for _ in range(200):
        over = correlate_over_families(rng.normal(size=(40, 24)), rng.normal(size=40), families)
        wolves += judge_screen(over, smallest=0.3).word.startswith("holds")
        alone += bool((over.p_value < 0.05).any())
    assert (
        wolves <= 20 and alone > 100
    )  # 5 % of 200 and three standard errors; uncorrected most screens find something


def test_few_families_nothing_tried_and_errors():
    few = judge_screen(found([0.5], n=8), smallest=0.3, fewest=36)
    assert (few.word, few.reason) == ("not judged", "8 of the 36 families needed")
    part = found([0.5, np.nan])
    part.n[1] = 0  # an indicator that no network has
    assert judge_screen(part, smallest=0.3, fewest=36).word == "holds"
    assert judge_screen(found([]), smallest=0.3).word == "not yet measured"
    with pytest.raises(InputError, match=r"with one target \(m,\), but was given \(2, 1\)"):
        correct(found([[0.1], [0.2]]))
    with pytest.raises(InputError, match="must be above 0, but is -1"):
        judge_screen(found([0.5]), smallest=-1)
