"""Claims: the project's own file, the rule of the verdict, Holm's correction, errors that name claim and field."""

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from robustshape.analysis import claims
from robustshape.analysis.claims import Claim, Evidence, judge, load, summary, verdict
from robustshape.errors import InputError, StoreError

FILE = Path(__file__).parents[1] / "data" / "claims.toml"

FIELDS = {
    "id": "x-1", "study": "x", "statement": "A rises with B.", "source": "ours", "quantity": "r(A, B)",
    "claimed": "> 0", "presets": ["laptop"], "population": "digits", "unit": "family", "test": "bootstrap",
}  # fmt: skip


def claim(**other) -> Claim:
    return Claim(**{**FIELDS, **other})


def evidence(low, high, p=0.001) -> Evidence:
    return Evidence((low + high) / 2, low, high, p, 14, "14 digit networks of 5 families", "laptop")


def written(tmp_path, **other) -> Path:
    def toml(value):
        return "[" + ", ".join(map(toml, value)) + "]" if isinstance(value, list) else repr(value)

    entry = {name: value for name, value in {**FIELDS, **other}.items() if value is not None}
    lines = ["[[claim]]"] + [f"{name} = {toml(value)}" for name, value in entry.items()]
    path = tmp_path / "claims.toml"
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize("name", load(FILE))
def test_every_stated_claim_can_be_judged(name):
    stated = load(FILE)[name]
    assert re.fullmatch(r"[a-z]+-\d+[ab]?", name) and stated.statement.endswith(".")
    assert math.isfinite(stated.threshold) and "image" not in stated.unit
    assert verdict(stated, None) == "not yet measured"


@pytest.mark.parametrize("name", load(FILE))
def test_every_claim_says_before_it_is_measured_what_decides_it(name):
    stated = load(FILE)[name]
    texts = [getattr(stated, f"primary_{part}") for part in ("quantity", "population", "unit", "test")]
    assert all(texts) and "image" not in stated.primary_unit and stated.fewest_units >= 3
    assert re.match(r"2026-\d\d-\d\d: \w", stated.restated)
    default = 0.01 if stated.primary_quantity.startswith("slope over alpha") else 0.3
    assert stated.smallest_effect_why or stated.smallest_effect == default


def test_every_study_states_all_its_claims():
    stated = load(FILE)
    assert [n for n, c in stated.items() if c.study == "cluster_purity"] == [
        f"purity-{i}" for i in range(1, 6)
    ]
    assert [n for n, c in stated.items() if c.study == "kstar_skewness"] == [
        f"kstar-{i}" for i in range(1, 9)
    ]
    assert [n for n, c in stated.items() if c.study == "class_selectivity"] == [
        f"selectivity-{i}"
        for i in (1, "2a", "2b", "3a", "3b", "4a", "4b", "5a", "5b", 6, 7, 8, 9, "10a", "10b", 11)
    ]
    across = judge("indicator_comparison", {}, claims=stated)
    assert across["verdict"].to_dict() == {f"cross-{i}": "not yet measured" for i in range(1, 5)}


@pytest.mark.parametrize(
    "claimed, low, high, expected",
    [
        ("> 0", 0.1, 0.9, "holds"),
        ("> 0", -0.9, -0.1, "fails"),
        ("> 0", -0.1, 0.9, "cannot be told"),
        ("> 0", 0.0, 0.9, "cannot be told"),
        ("< 0", -0.9, -0.1, "holds"),
        ("< 0", 0.1, 0.9, "fails"),
        ("> 0.5", 0.1, 0.4, "fails"),
        ("> 0.5", 0.6, 0.9, "holds"),
        ("< -0.5", -0.4, 0.1, "fails"),
        ("> 0", float("nan"), float("nan"), "cannot be told"),
    ],
)
def test_the_rule(claimed, low, high, expected):
    assert verdict(claim(claimed=claimed), evidence(low, high)) == expected


def test_headline_is_corrected_over_the_measured_claims_only():
    stated = {name: claim(id=name) for name in ("x-1", "x-2", "x-3", "x-4")}
    found = judge(
        "x",
        {"x-1": evidence(0.1, 0.9, 0.01), "x-2": evidence(0.1, 0.9, 0.03), "x-4": evidence(-0.9, -0.1, 0.04)},
        claims=stated,
    )
    assert found["uncorrected"].tolist() == ["holds", "holds", "not yet measured", "fails"]
    # 3 x .01 = .03; then 2 x .03 = .06 and everything after it
    assert found["p_adjusted"].round(3).tolist()[:2] == [0.03, 0.06]
    assert found["verdict"].tolist() == ["holds", "cannot be told", "not yet measured", "cannot be told"]
    assert found.loc["x-1", "population"] == "14 digit networks of 5 families"
    assert found.loc["x-3", "population"] == "digits" and found.loc["x-3", "n"] == 0


def test_a_claim_about_other_presets_does_not_weaken_the_others():
    stated = {"x-1": claim(id="x-1"), "x-2": claim(id="x-2", presets=("elsewhere",))}
    here = {name: evidence(0.1, 0.9, 0.03) for name in stated}
    found = judge("x", {name: replace(e, preset="laptop") for name, e in here.items()}, claims=stated)
    assert found["verdict"].tolist() == ["holds", "not judged"] and found["p_adjusted"].iloc[0] == 0.03


def test_an_unknown_p_value_cannot_hold():
    found = judge("x", {"x-1": evidence(0.1, 0.9, float("nan"))}, claims={"x-1": claim()})
    assert found["uncorrected"].tolist() == ["holds"] and found["verdict"].tolist() == ["cannot be told"]


@pytest.mark.parametrize(
    "estimate, low, high, expected",
    [
        (0.5, 0.25, 0.75, "+0.50 (0.25 to 0.75)"),
        (0.03, 0.004, 0.06, "+0.030 (0.004 to 0.060)"),
        (-0.0274, -0.0996, -0.0008, "-0.027 (-0.100 to -0.001)"),
        (0.05, -0.1, 0.02, "+0.05 (-0.10 to 0.02)"),  # an end at a tenth is wide
        (0.05, 0.02, 0.1, "+0.05 (0.02 to 0.10)"),
        (-0.1, -0.25, 0.05, "-0.10 (-0.25 to 0.05)"),
    ],
)
def test_a_page_shows_a_third_decimal_where_the_interval_is_narrow(estimate, low, high, expected):
    found = Evidence(estimate, low, high, 0.01, 9, "9 runs of resnet on digits", "laptop")
    shown = summary(judge("x", {"x-1": found}, claims={"x-1": claim(), "x-2": claim(id="x-2")}))
    assert shown["measured (95 % interval)"].tolist() == [expected, "–"]
    assert shown["of whom"].tolist() == ["9 runs of resnet on digits", "digits"]
    assert shown["claim"].tolist() == ["x-1", "x-2"] and shown["uncorrected"].iloc[1] == "not yet measured"


def test_an_interval_that_is_not_known_is_shown_as_such():
    found = Evidence(0.05, float("nan"), float("nan"), float("nan"), 3, "3 runs", "laptop")
    shown = summary(judge("x", {"x-1": found}, claims={"x-1": claim()}))
    assert shown["measured (95 % interval)"].tolist() == ["+0.05 (nan to nan)"]


def test_judges_the_projects_own_claims(monkeypatch):
    monkeypatch.setattr(claims.paths, "require_project", lambda: FILE.parents[1])
    found = judge("kstar_skewness", {"kstar-3": evidence(-0.9, -0.5)})
    assert found["verdict"].value_counts().to_dict() == {"not yet measured": 7, "holds": 1}


def test_evidence_for_no_claim_is_refused():
    with pytest.raises(InputError, match="x makes no claim 'x-9'; closest: x-1"):
        judge("x", {"x-9": evidence(0, 1)}, claims={"x-1": claim()})
    with pytest.raises(InputError, match="unknown study 'y'"):
        judge("y", {}, claims={"x-1": claim()})


@pytest.mark.parametrize(
    "change, words",
    [
        ({"unit": None}, "claim 'x-1': the field 'unit' is missing"),
        ({"unit": " "}, "claim 'x-1': 'unit' must be a text"),
        ({"presets": "laptop"}, "claim 'x-1': 'presets' must be a list of preset names, but is 'laptop'"),
        ({"presets": []}, "claim 'x-1': 'presets' must be a list"),
        ({"claimed": "at least 0"}, "claim 'x-1': 'claimed' must be such as '> 0'"),
        ({"claimed": ">"}, "claim 'x-1': 'claimed' must be such as '> 0'"),
        ({"primary_claimed": "more"}, "claim 'x-1': 'primary_claimed' must be such as '> 0'"),
        ({"smallest_effect": "0.3"}, "claim 'x-1': 'smallest_effect' must be a number above 0, but is '0.3'"),
        ({"smallest_effect": 0}, "claim 'x-1': 'smallest_effect' must be a number above 0, but is 0"),
        ({"fewest_units": -2}, "claim 'x-1': 'fewest_units' must be a number of units above 0, but is -2"),
        ({"screen": 1}, "claim 'x-1': 'screen' must be true, or left out, but is 1"),
        ({"primary_unit": ""}, "claim 'x-1': 'primary_unit' must be a text"),
        ({"statment": "A."}, "claim 'x-1': unknown field 'statment'; closest: statement"),
        ({"id": None}, "claim 'number 1': the field 'id' is missing"),
    ],
)
def test_errors_name_claim_and_field(tmp_path, change, words):
    with pytest.raises(InputError, match=words):
        load(written(tmp_path, **change))


def test_double_damaged_and_missing_files(tmp_path):
    path = written(tmp_path)
    path.write_text(path.read_text() + "\n" + path.read_text())
    with pytest.raises(InputError, match="'x-1' is stated twice"):
        load(path)
    path.write_text("[[claim")
    with pytest.raises(StoreError, match=r"claims\.toml cannot be read"):
        load(path)
    with pytest.raises(StoreError, match=r"nowhere\.toml cannot be read"):
        load(tmp_path / "nowhere.toml")
