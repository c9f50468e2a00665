"""Verdicts on a study's claims: the rule on every branch, screens apart, other populations, and why there is none."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray

from robustshape.analysis.claims import load
from robustshape.analysis.verdicts import judged, population, summary
from robustshape.errors import InputError
from robustshape.statistics.exact import exact_share
from robustshape.statistics.jackknife import OverGroups, from_left_out, mean_over_groups
from robustshape.statistics.planning import power
from robustshape.studies.cluster_purity import verdicts as purity
from robustshape.studies.indicator_comparison import verdicts as comparison
from robustshape.studies.kstar_skewness import verdicts as kstar

STATED = load(Path(__file__).parents[1] / "data" / "claims.toml")


def correlation(r, n=48):
    places = np.arctanh(r) + 0.01 * np.tile([1, -1], n // 2)
    return from_left_out(r, np.tanh(places), fisher=True)


def rows(preset, n=6):
    known = {"family": ("model", np.repeat(list("ab"), n // 2)), "n_samples": ("model", np.full(n, 1000))}
    known["dataset"] = "model", np.full(n, "mnist")
    return xarray.Dataset(known, {"model": [f"zoo:{i}" for i in range(n)]}, {"preset": preset})


STUDIES = {"kstar": kstar, "purity": purity, "cross": comparison}


def judge(monkeypatch, preset, **found):
    """Judge one study, that of the first claim."""
    given = {name.replace("_", "-"): estimate for name, estimate in found.items()}
    module = STUDIES[next(iter(given)).partition("-")[0]]
    monkeypatch.setattr(module, "estimates", lambda rows: given)
    return judged(module.__name__.split(".")[-2], rows(preset), claims=STATED)


def test_every_branch_of_the_rule_with_its_side_and_smallest_effect(monkeypatch):
    purities = judge(
        monkeypatch, "families_mnist", purity_1=correlation(0.5), purity_2=correlation(0.0), purity_3=correlation(-0.4)
    )  # fmt: skip
    ranks = judge(
        monkeypatch, "families_mnist", kstar_3=correlation(0.2), kstar_6=correlation(-0.2),
        kstar_4=mean_over_groups(-0.25 + 0.005 * np.arange(48), range(48)),
    )  # fmt: skip
    across = judge(
        monkeypatch, "families_mnist", cross_1="features were not clustered", cross_2=correlation(0.5, n=20)
    )
    found = pd.concat([purities, ranks, across])
    words = found["uncorrected"].to_dict()
    elsewhere = [
        "purity-5",
        "kstar-1",
        "kstar-2",
        "kstar-5",
        "kstar-7",
        "kstar-8",
        "cross-3",
        "cross-4",
    ]
    assert {words.pop(name) for name in elsewhere} == {"not judged"}  # other networks decide these
    assert words == {
        "purity-1": "holds", "purity-2": "negligible", "purity-3": "fails", "purity-4": "not yet measured",
        "kstar-3": "holds, small", "kstar-4": "holds", "kstar-6": "fails, small",  # kstar-4: -0.13, claimed below 0
        "cross-1": "not yet measured", "cross-2": "not judged",
    }  # fmt: skip
    assert (found["verdict"] == found["uncorrected"]).all()
    assert set(purities["corrected_over"]) == set(ranks["corrected_over"]) == {8}  # all that are stated
    line = found.loc["purity-1"]
    assert (line["estimate"], line["threshold"], line["smallest"], line["above"]) == (0.5, 0, 0.3, True)
    assert 0.3 < line["low"] < 0.5 < line["high"] < 0.7  # as measured, not turned
    assert found.loc["kstar-4", "estimate"] < 0 and not found.loc["kstar-4", "above"]
    assert (line["n"], line["fewest"], line["unit"], line["preset"]) == (
        48,
        36,
        "model families",
        "families_mnist",
    )
    assert (
        line["reason"] == ""
        and line["population"]
        == "over 48 model families; measured: 6 networks of 2 families on mnist, 1,000 images"
    )
    assert found.loc["cross-1", ["reason", "population"]].tolist() == ["features were not clustered", ""]
    assert (
        found.loc["cross-2", "reason"] == "20 of the 36 model families needed"
        and found.loc["cross-2", "estimate"] == 0.5
    )


def test_holm_runs_over_all_primary_claims_that_are_stated_for_the_population(monkeypatch):
    weak = from_left_out(0.35, np.tanh(np.arctanh(0.35) + 0.0255 * np.tile([1, -1], 24)), fisher=True)
    assert 0.01 < weak.p_value < 0.05
    alone = judge(monkeypatch, "families_mnist", purity_1=weak, purity_5=weak)
    assert alone.loc["purity-1", ["uncorrected", "verdict"]].tolist() == ["holds", "cannot be told"]
    assert alone["corrected_over"].iloc[0] == 8  # those that were not estimated count, too
    strong = {f"purity_{i}": correlation(0.5) for i in (2, 3, 4)}
    many = judge(monkeypatch, "families_mnist", purity_1=weak, **strong)
    assert many.loc["purity-1", "verdict"] == "cannot be told" and many.loc["purity-3", "verdict"] == "holds"
    assert many["corrected_over"].iloc[0] == 8


def test_the_claims_of_other_studies_count_and_are_judged_on_their_own_pages(monkeypatch):
    found = judge(monkeypatch, "families_cifar10", cross_4=correlation(0.5), kstar_5=correlation(0.5))
    assert found.index.tolist() == [f"cross-{i}" for i in range(1, 5)]
    assert found.loc["cross-4", "corrected_over"] == 2  # kstar-5 is stated for these networks, too


def test_a_screen_is_corrected_by_itself(monkeypatch):
    places = np.arctanh([0.6, 0.1])
    error = np.array([0.05, 0.05])
    screen = OverGroups(
        np.tanh(places), None, None, np.array([1e-9, 0.05]), np.array([48, 48]), error, fisher=True
    )
    found = judge(monkeypatch, "families_mnist", cross_1=screen, cross_2=correlation(0.5))
    line = found.loc["cross-1"]
    assert line["verdict"] == "holds" and line["estimate"] == pytest.approx(0.6) and line["n"] == 48
    assert line["low"] < np.tanh(places[0] - 2.02 * 0.05)  # wider than its own 95 %
    assert line["corrected_over"] == 8  # of the primary claims; a screen is none of them


def test_another_population_is_shown_and_not_judged(monkeypatch):
    found = judge(
        monkeypatch, "cifar10", kstar_3=correlation(0.5), kstar_1="no k* was measured",
        kstar_4=correlation(0.1), purity_1=correlation(0.9),
    )  # fmt: skip
    assert found.index.tolist() == [f"kstar-{i}" for i in range(1, 9)]  # all of its own, no other
    line = found.loc["kstar-3"]
    assert (line["verdict"], line["reason"]) == ("not judged", "another population decides: families_mnist")
    assert line["estimate"] == 0.5 and line["n"] == 48
    assert found.loc["kstar-1", "verdict"] == "not judged"
    assert found.loc["kstar-1", "reason"] == "no k* was measured; another population decides: imagenet"
    few = judge(monkeypatch, "cifar10", kstar_3=from_left_out(np.nan, [np.nan]))
    assert few.loc["kstar-3", "verdict"] == "not judged"
    assert few.loc["kstar-3", "reason"].startswith("too few networks for an estimate; another population")
    assert found.loc["kstar-2", "reason"].startswith("not estimated") and set(found["corrected_over"]) == {0}


def test_a_share_is_judged_against_its_threshold(monkeypatch):
    six, four = (judge(monkeypatch, "imagenet", kstar_1=exact_share(n, n)) for n in (6, 4))
    assert six.loc["kstar-1", ["verdict", "threshold"]].tolist() == ["holds", 0.5]
    assert four.loc["kstar-1", ["verdict", "reason"]].tolist() == [
        "not judged",
        "4 of the 6 model families needed",
    ]


def test_the_power_of_the_networks_stands_beside_each_verdict(monkeypatch):
    found = judge(monkeypatch, "families_mnist", purity_1=correlation(0.5), purity_3="no k* was measured")
    assert found.loc["purity-1", ["power", "power_at_zero"]].tolist() == list(
        power(0.3, correlation(0.5).error, 48)
    )
    assert found[["power", "power_at_zero"]].drop("purity-1").isna().all(axis=None)
    spread = mean_over_groups(0.01 * np.arange(48), range(48))
    line = judge(monkeypatch, "families_mnist", kstar_4=spread).loc["kstar-4"]
    assert line["power"] == power(0.1, spread.error, 48, fisher=False)[0] > 0.9  # whichever side is claimed


def test_the_power_of_a_screen_is_that_of_one_indicator_at_the_corrected_level(monkeypatch):
    error = np.array([0.05, 0.11, 0.2])
    screen = OverGroups(np.zeros(3), None, None, np.ones(3), np.array([48, 48, 48]), error, fisher=True)
    line = judge(monkeypatch, "families_mnist", cross_1=screen).loc["cross-1"]
    assert line["power"] == power(0.3, 0.11, 48, level=1 - 0.05 / 3)[0] < power(0.3, 0.11, 48)[0]
    assert np.isnan(line["power_at_zero"])


def test_the_table_of_claims_shows_what_the_correction_takes_away(monkeypatch):
    weak = from_left_out(0.35, np.tanh(np.arctanh(0.35) + 0.0255 * np.tile([1, -1], 24)), fisher=True)
    shown = summary(judge(monkeypatch, "families_mnist", purity_1=weak)).set_index("claim")
    assert shown.loc["purity-1", "verdict"] == "cannot be told (alone: holds)"
    assert shown.loc["purity-2", "verdict"] == "not yet measured"
    assert shown.loc["purity-1", "power at d"] == f"{100 * power(0.3, weak.error, 48)[0]:.0f} %"


def test_the_power_of_a_share_is_that_of_its_exact_interval(monkeypatch):
    line = judge(monkeypatch, "imagenet", kstar_1=exact_share(4, 6)).loc["kstar-1"]
    assert line["power"] == pytest.approx(0.75**6)  # only six of six exclude one half
    assert line["power_at_zero"] == 0


def test_a_page_says_it_in_words(monkeypatch):
    found = judge(
        monkeypatch,
        "cifar10",
        kstar_3=from_left_out(0.5, [0.4] * 3),
        kstar_6=mean_over_groups([0.02, 0.03] * 10, range(20)),
    )
    shown = summary(found).set_index("claim")
    assert shown.loc["kstar-3", "estimate (95 % interval)"] == "+0.50"  # three families have no interval
    assert shown.loc["kstar-6", "estimate (95 % interval)"] == "+0.025 (0.023 to 0.027)"
    assert (
        shown.loc["kstar-1", "estimate (95 % interval)"] == "–"
        and shown.loc["kstar-4", "claimed, d"] == "< 0, 0.1"
    )
    assert set(shown["power at d"]) == {"–"}  # other networks decide
    assert (
        shown.loc["kstar-6", "over"] == "20 model families of cifar10" and shown.loc["kstar-1", "over"] == "–"
    )
    one = rows("x", 2).isel(model=[0])
    assert population(one) == "1 network of 1 family on mnist, 1,000 images"
    seen = one.assign(n_robustness=("model", [500]), robustness_dataset=("model", ["mnist"]))
    assert population(seen) == "1 network of 1 family on mnist, 1,000 images clean and 500 corrupted"
    seen = seen.assign(robustness_dataset=("model", ["nips17"]))
    assert population(seen).endswith("1,000 images clean and 500 corrupted of nips17")
    judged_too = seen.assign(n_judged=("model", [700]))
    assert population(judged_too) == "1 network of 1 family on mnist, 700 generated and 500 real images"


def test_errors_say_what_was_given(monkeypatch):
    with pytest.raises(InputError, match="there is no claim 'purity-11'; closest: purity-1"):
        judge(monkeypatch, "families_mnist", purity_11=correlation(0.5))
    with pytest.raises(InputError, match="unknown study with claims 'severity_profile'; closest: "):
        judged("severity_profile", rows("mnist"), claims=STATED)
    with pytest.raises(InputError, match=r"a screen is of several indicators with one target \(m,\)"):
        judge(monkeypatch, "families_mnist", cross_1=correlation(0.5))
