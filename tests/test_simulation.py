"""Error rates, power and coverage of the rule by simulation, and that wrong methods would fail here."""

from itertools import pairwise

import numpy as np
import pytest

from robustshape.errors import InputError
from robustshape.statistics import simulation
from robustshape.statistics.centring import correlate_over_families
from robustshape.statistics.planning import chances, expected_error

DRAWS = 200
DECIDED = ["holds", "holds, small", "fails", "fails, small"]
LEAST_COVERAGE = 0.93


@pytest.fixture(scope="module")
def table():
    return simulation.verdict_table(rng=np.random.default_rng(0), draws=DRAWS).set_index(
        ["families", "recipes", "effect"]
    )


def test_verdicts_are_rarely_wrong(table):
    assert table[[*DECIDED, "negligible", "cannot be told"]].sum(axis=1).to_numpy() == pytest.approx(1)
    nothing = table.xs(0.0, level="effect")[DECIDED].sum(axis=1)
    assert nothing.max() < 0.05 + 3 * np.sqrt(0.05 * 0.95 / DRAWS) and nothing.mean() < 0.06
    there = table.drop(index=0.0, level="effect")
    assert there[["fails", "fails, small"]].sum(axis=1).max() < 0.02
    assert table.xs(0.3, level="effect")["negligible"].max() < 0.06  # d matters
    assert table.xs(0.6, level="effect")["negligible"].max() == 0


def test_power_rises_with_families_and_recipes(table):
    found = table[["holds", "holds, small"]].sum(axis=1)
    for effect in (0.3, 0.6):
        for recipes in (1, 4):
            power = [found[g, recipes, effect] for g in (6, 12, 24, 48)]
            assert all(a < b + 0.02 for a, b in pairwise(power))
    assert found[48, 4, 0.3] > 0.9 and found[24, 4, 0.6] > 0.97 and found[6, 1, 0.3] < 0.15
    assert table.loc[(48, 4, 0.0), "negligible"] > 0.8 and table.loc[(24, 1, 0.0), "negligible"] < 0.05


@pytest.mark.parametrize("families", [12, 24, 48])
@pytest.mark.parametrize("recipes", [1, 4])
def test_planning_by_the_t_distribution_agrees(table, families, recipes):
    error = expected_error(families, recipes, within=0.3, covariates=0)
    for effect in (0.0, 0.3):
        found, expected = table.loc[(families, recipes, effect)], chances(effect, 0.3, error, families)
        for words in (["holds", "holds, small"], ["negligible"]):
            assert found[words].sum() == pytest.approx(sum(expected[w] for w in words), abs=0.12)


@pytest.mark.parametrize("families", [6, 12, 24, 48])
@pytest.mark.parametrize("r", [0.0, 0.5])
def test_the_interval_covers_for_families_of_one_to_eight(families, r):
    covered = simulation.coverage(families, rng=np.random.default_rng(7), draws=1000, r=r, within=0.5)
    assert covered >= LEAST_COVERAGE


@pytest.mark.parametrize("families", [6, 12, 24])
def test_a_bootstrap_of_networks_does_not(families):
    rng = np.random.default_rng(7)
    family = np.repeat(np.arange(families), rng.integers(1, 9, size=families))
    x, y = simulation.draw_population(0.0, family, np.zeros(len(family), int), rng=rng, draws=400, within=0.5)
    weights = rng.multinomial(len(family), np.full(len(family), 1 / len(family)), size=300) / len(family)
    of_x, of_y = weights @ x, weights @ y
    r = (weights @ (x * y) - of_x * of_y) / np.sqrt((weights @ x**2 - of_x**2) * (weights @ y**2 - of_y**2))
    low, high = np.quantile(r, [0.025, 0.975], axis=0)
    assert np.mean((low <= 0) & (high >= 0)) < LEAST_COVERAGE - 0.03


def test_recipes_that_are_not_taken_out_cry_wolf():
    families, recipes = np.repeat(np.arange(24), 4), np.tile(np.arange(4), 24)
    x, y = simulation.draw_population(0.0, families, recipes, rng=np.random.default_rng(1), draws=300)
    pooled = correlate_over_families(x, y, families, pairwise=True)
    centred = correlate_over_families(x, y, families, recipes=recipes, pairwise=True)
    assert np.mean(pooled.p_value < 0.05) > 0.3 and np.mean(centred.p_value < 0.05) < 0.09


def test_a_population_has_the_correlation_and_the_shared_part_that_were_asked():
    families = np.repeat(np.arange(3000), 2)
    x, y = simulation.draw_population(
        0.4, families, np.zeros(6000, int), rng=np.random.default_rng(2), draws=1, within=0.25
    )
    assert np.corrcoef(x[:, 0], y[:, 0])[0, 1] == pytest.approx(0.4, abs=0.04)
    assert np.corrcoef(x[::2, 0], x[1::2, 0])[0, 1] == pytest.approx(0.25, abs=0.05)


def test_errors_say_what_was_given():
    with pytest.raises(InputError, match="r from -1 to 1, a shared part from 0 to 1"):
        simulation.draw_population(2.0, [0], [0], rng=np.random.default_rng(0), draws=1)
