"""What written pages say of the code: equal to the code, and the simulated rates equal to a fresh draw."""

import csv
import importlib
import io
import re
from pathlib import Path

import pytest

from robustshape import studies
from robustshape.analysis.networks import BAND
from robustshape.book import facts, populations, rates
from robustshape.corruptions.constants import CONSTANTS
from robustshape.indicators import INDICATORS
from robustshape.notebooks import list_presets, read_parameters
from robustshape.store import results

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def made() -> dict[str, list[dict]]:
    """Return the tables by their name, a dictionary a line."""
    return {
        Path(name).name: list(csv.DictReader(io.StringIO(content.decode())))
        for name, content in facts.fact_pieces().items()
        if name.endswith(".csv")
    }


@pytest.mark.parametrize("families, recipes, effect", [(6, 1, 0.0), (6, 4, 0.6)])
def test_a_kept_line_of_the_rates_is_what_is_drawn_again(families, recipes, effect):
    kept = rates.read(ROOT).set_index(["families", "recipes", "effect"]).loc[(families, recipes, effect)]
    drawn = rates.line(families, recipes, effect)
    for name, share in kept.items():
        assert drawn[name] == pytest.approx(share, abs=1.5 / rates.DRAWS), name  # a tie may fall either way


def test_every_kind_of_population_has_a_line_and_shares_sum_to_all(made):
    kept = rates.read(ROOT)
    assert (
        len(kept) == len(rates.FAMILIES) * len(rates.RECIPES) * len(rates.EFFECTS) == len(made["rates.csv"])
    )
    assert kept.drop(columns=["families", "recipes", "effect", "coverage"]).sum(
        axis=1
    ).to_numpy() == pytest.approx(1)


def test_the_sentence_on_errors_says_what_the_table_says():
    said = facts.fact_pieces()["generated/rates.md"].decode()
    nothing = rates.read(ROOT).query("effect == 0")
    wrong = nothing[["holds", "holds, small", "fails", "fails, small"]].sum(axis=1)
    assert f"{100 * wrong.mean():.1f} % on average" in said and f"{100 * wrong.max():.1f} % at most" in said


def test_constants_are_those_that_are_used(made):
    fog = next(one for one in made["constants_32.csv"] if one["corruption"] == "fog")
    assert fog["5"] == "1.5, 1.75, 32"
    assert {one["corruption"].replace("\\", "") for one in made["constants_224.csv"]} == set(CONSTANTS["224"])


def test_the_rule_and_the_registered_are_those_of_the_library(made):
    assert f"{100 * BAND:g} points" in [one["number"] for one in made["rule.csv"]]
    assert [one["name"].strip("`") for one in made["indicators.csv"]] == INDICATORS.names()
    shown = {(one["study"].replace("\\", ""), one["preset"]): one["attacks"] for one in made["ladders.csv"]}
    used = read_parameters("kstar_skewness", "laptop")["attacks"]
    assert used and shown["kstar_skewness", "laptop"] == "; ".join(used)


def test_layers_stand_in_the_order_of_the_import_contract(made):
    order = [one["package or module"].strip("`") for one in made["layers.csv"]]
    assert order[:2] == ["__main__", "cli"] and order.index("studies") < order.index("models") < order.index(
        "store"
    )
    folders = {path.parent.name for path in (ROOT / "lib" / "robustshape").glob("*/__init__.py")}
    assert folders <= set(order) and all(one["what it holds"] for one in made["layers.csv"])


def test_the_glossary_stands_in_order():
    inside = (ROOT / "book" / "glossary.md").read_text().partition(":::{glossary}\n")[2]
    terms = [line for line in inside.splitlines() if line and not line.startswith((" ", ":"))]
    assert terms == sorted(terms, key=lambda term: term.lower().replace("_", " "))


def test_what_the_reference_names_is_there():
    text = (ROOT / "book" / "api.md").read_text()
    named = re.findall(r"auto(?:function|class):: (robustshape[\w.]+)(?:\n   :members: (.+))?", text)
    assert len(named) > 20
    for name, members in named:
        module, _, found = name.rpartition(".")
        found = getattr(importlib.import_module(module), found)
        assert found.__doc__ and all(hasattr(found, one) for one in members.split(", ") if one), name


def test_every_population_says_how_many_of_how_many():
    text = populations.population_pieces()["generated/populations.csv"].decode()
    lines = {
        (one["study"].replace("\\", ""), one["population"].replace("\\", "")): one
        for one in csv.DictReader(io.StringIO(text))
    }
    asked = {
        (study, preset)
        for preset, notebooks in list_presets().items()
        for study in notebooks
        if preset not in populations.NOT_SHOWN and study in studies.names()
    }
    assert set(lines) == asked
    for (study, preset), one in lines.items():
        there, _, of = one["networks"].partition(" of ")
        published = preset in results.published_presets(study)
        assert (int(there) > 0) == published and int(there) <= int(of)
        assert bool(one["minutes"]) == published


def test_a_project_without_populations_has_a_table_too(monkeypatch):
    monkeypatch.setattr(populations, "list_presets", dict)
    text = populations.population_pieces()["generated/populations.csv"].decode()
    assert [one["population"] for one in csv.DictReader(io.StringIO(text))] == ["none"]
