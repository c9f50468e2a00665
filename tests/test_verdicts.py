"""Verdicts of a population: sides and thresholds of the restated claims, screens apart, what is not judged."""

from pathlib import Path

import numpy as np
import pytest

from robustshape.analysis.claims import load
from robustshape.analysis.verdicts import judge_population
from robustshape.errors import InputError
from robustshape.statistics.exact import exact_share
from robustshape.statistics.jackknife import from_left_out, mean_over_groups
from robustshape.statistics.verdict import Verdict

STATED = load(Path(__file__).parents[1] / "data" / "claims.toml")


def correlation(r, n=48):
    places = np.arctanh(r) + 0.01 * np.tile([1, -1], n // 2)
    return from_left_out(r, np.tanh(places), fisher=True)


def words(population, **found):
    given = {name.replace("_", "-"): estimate for name, estimate in found.items()}
    judged = judge_population(population, given, claims=STATED)
    return {name: tuple(verdict.word for verdict in pair) for name, pair in judged.items()}


def test_the_side_is_that_of_the_restated_quantity():
    found = words(
        "families_mnist", purity_1=correlation(0.5), kstar_3=correlation(0.5), kstar_6=correlation(-0.2),
        kstar_4=mean_over_groups(-0.25 + 0.005 * np.arange(48), range(48)),
    )  # fmt: skip
    assert found["purity-1"] == ("holds", "holds")
    assert found["kstar-3"] == (
        "holds",
        "holds",
    )  # less fracturing is a larger k*, where Gamma' was to be smaller
    assert found["kstar-6"][0] == "fails, small"
    assert found["kstar-4"] == ("holds", "holds")  # -0.13, claimed to be below 0
    assert found["purity-2"] == ("not yet measured", "not yet measured") and "purity-5" not in found


def test_a_share_is_judged_against_its_threshold():
    assert words("imagenet", kstar_1=exact_share(6, 6))["kstar-1"] == ("holds", "holds")
    assert words("imagenet", kstar_1=exact_share(4, 4))["kstar-1"][0] == "not judged: 4 of 6 model families"


def test_screens_are_corrected_apart():
    screen = Verdict("holds", 0.5, 0.1, 0.9, 0.04, 48)
    beside = words("families_mnist", cross_1=screen, purity_1=correlation(0.5), purity_2=correlation(0.0))
    assert beside["cross-1"] == ("holds", "holds") and beside["purity-2"] == ("negligible", "negligible")
    judged = judge_population(
        "families_mnist", {"cross-1": screen, "purity-1": correlation(0.5)}, claims=STATED
    )
    assert (
        judged["purity-1"][0].p_value == judged["purity-1"][1].p_value
    )  # the only primary claim that was judged


def test_a_population_that_is_not_the_claims_does_not_judge_it():
    assert words("families_cifar10", purity_1=correlation(0.5))["purity-1"] == ("not judged", "not judged")


def test_every_population_has_its_claims():
    populations = {claim.primary_population for claim in STATED.values()}
    judged = [name for p in populations for name in judge_population(p, {}, claims=STATED)]
    assert sorted(judged) == sorted(STATED)


def test_errors_say_what_was_given():
    with pytest.raises(InputError, match="there is no claim 'purity-11'; closest: purity-1"):
        judge_population("families_mnist", {"purity-11": correlation(0.5)}, claims=STATED)
    with pytest.raises(InputError, match="cross-1 takes a verdict, for it is a screen, but was given"):
        judge_population("families_mnist", {"cross-1": correlation(0.5)}, claims=STATED)
    with pytest.raises(InputError, match="purity-1 takes an estimate with its interval, but was given"):
        judge_population("families_mnist", {"purity-1": Verdict("holds")}, claims=STATED)
