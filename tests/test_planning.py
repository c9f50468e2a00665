"""What a population can decide: the intraclass correlation by analysis of variance, chances that add up and agree."""

from itertools import pairwise

import numpy as np
import pytest

from robustshape.errors import InputError
from robustshape.statistics import simulation
from robustshape.statistics.exact import exact_share
from robustshape.statistics.planning import (
    chances,
    expected_error,
    power,
    power_of_share,
    within_family_correlation,
)
from robustshape.statistics.verdict import judge, verdict


def test_within_family_correlation_equals_the_analysis_of_variance_by_hand():
    table = np.array([[1.0, 5.0, 2.0], [3.0, 9.0, 4.0], [2.0, 4.0, 6.0], [8.0, 9.0, 7.0]])  # family, recipe
    rows, columns = table.mean(1), table.mean(0)
    between = 3 * np.square(rows - table.mean()).sum() / 3
    rest = np.square(table - rows[:, None] - columns + table.mean()).sum() / (3 * 2)
    family, recipe = (i.ravel() for i in np.indices(table.shape))
    found = within_family_correlation(table.ravel(), family, recipe)
    assert found == pytest.approx((between - rest) / (between + 2 * rest))
    shifted = table + [0, 100, -40]  # a recipe's level does not matter
    assert within_family_correlation(shifted.ravel(), family, recipe) == pytest.approx(found)


def test_within_family_correlation_finds_what_was_put_in():
    rng = np.random.default_rng(0)
    families, recipes = np.repeat(np.arange(400), 4), np.tile(np.arange(4), 400)
    there = rng.uniform(size=1600) < 0.8
    x, _ = simulation.draw_population(0.0, families, recipes, rng=rng, draws=5, within=0.4)
    found = [within_family_correlation(np.where(there, column, np.nan), families, recipes) for column in x.T]
    assert np.mean(found) == pytest.approx(0.4, abs=0.03)


def test_within_family_correlation_of_nothing():
    assert np.isnan(within_family_correlation([1.0, 2.0], ["a", "b"]))  # no family of two
    assert np.isnan(within_family_correlation([1.0, 2.0], ["a", "a"]))  # one family
    with pytest.raises(InputError, match="one value, family and recipe per model"):
        within_family_correlation([1.0, 2.0], ["a"])


@pytest.mark.parametrize("fisher", [True, False])
def test_chances_add_up_and_mirror(fisher):
    for true in (0.0, 0.2, 0.6):
        found, other = (chances(sign * true, 0.3, 0.15, 24, fisher=fisher) for sign in (1, -1))
        assert sum(found.values()) == pytest.approx(1) and min(found.values()) >= 0
        assert found["holds"] == pytest.approx(other["fails"])
        assert found["holds, small"] == pytest.approx(other["fails, small"], abs=1e-9)
    nothing = chances(0.0, 0.3, 0.15, 24, fisher=fisher)
    assert nothing["holds"] + nothing["holds, small"] == pytest.approx(0.025, abs=1e-4)


def test_chances_equal_draws_of_estimate_and_error():
    rng = np.random.default_rng(1)
    places = rng.normal(np.arctanh(0.3), 0.1, 20_000)
    errors = 0.1 * np.sqrt(rng.chisquare(11, 20_000) / 11)
    half = 2.200985 * errors  # the .975 quantile of t with 11 degrees of freedom
    ends = np.tanh([places, places - half, places + half]).T
    words = [verdict(*end, 0.3) for end in ends]
    for word, chance in chances(0.3, 0.3, 0.1, 12).items():
        assert words.count(word) / 20_000 == pytest.approx(chance, abs=0.012)


def test_more_families_decide_more():
    found = [power(0.3, expected_error(g, 4, within=0.06), g) for g in (6, 12, 24, 48)]
    assert all(a < b for a, b in pairwise(found))
    assert found[-1][0] > 0.95 and found[-1][1] > 0.9
    assert expected_error(48, 4) < expected_error(48, 4, within=0.5) < expected_error(48)


def test_the_power_of_a_share_is_how_often_its_verdict_comes():
    rng = np.random.default_rng(0)
    for smallest, threshold, n in [(0.25, 0.5, 6), (0.25, 0.5, 30), (0.2, 0.9, 24), (0.4, 0.5, 40)]:
        at_d, at_zero = (
            [judge(exact_share(int(k), n), smallest=smallest, threshold=threshold).word for k in rng.binomial(n, true, 4000)]
            for true in (min(threshold + smallest, 1.0), threshold)
        )  # fmt: skip
        found = power_of_share(smallest, threshold, n)
        holds = at_d.count("holds") + at_d.count("holds, small")
        assert holds / 4000 == pytest.approx(found[0], abs=0.025)
        assert at_zero.count("negligible") / 4000 == pytest.approx(found[1], abs=0.025)


def test_errors_say_what_was_given():
    with pytest.raises(InputError, match="4 families of 1 networks with 1 covariates leave nothing to tell"):
        expected_error(4)
    with pytest.raises(InputError, match="at least two groups, an error and a smallest effect above 0"):
        chances(0.0, 0.3, 0.0, 24)
