"""Claims: the project's own file, and errors that name claim and field."""

import math
import re
from pathlib import Path

import pytest

from robustshape.analysis.claims import load
from robustshape.errors import InputError, StoreError

FILE = Path(__file__).parents[1] / "data" / "claims.toml"

FIELDS = {
    "id": "x-1", "study": "x", "statement": "A rises with B.", "source": "ours", "quantity": "r(A, B)",
    "claimed": "> 0", "population": "digits", "unit": "family", "test": "jackknife", "smallest_effect": 0.3,
    "fewest_units": 24, "restated": "2026-11-27: first stated",
}  # fmt: skip


def written(tmp_path, **other) -> Path:
    def toml(value):
        return "[" + ", ".join(map(toml, value)) + "]" if isinstance(value, list) else repr(value)

    entry = {name: value for name, value in {**FIELDS, **other}.items() if value is not None}
    lines = ["[[claim]]"] + [f"{name} = {toml(value)}" for name, value in entry.items()]
    path = tmp_path / "claims.toml"
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize("name", load(FILE))
def test_every_claim_says_before_it_is_measured_what_decides_it(name):
    stated = load(FILE)[name]
    assert re.fullmatch(r"[a-z]+-\d+[ab]?", name) and stated.statement.endswith(".")
    assert 0 < len(stated.short) <= 52
    assert math.isfinite(stated.threshold) and stated.above == (stated.claimed[0] == ">")
    assert "image" not in stated.unit and stated.fewest_units >= 3
    assert re.match(r"2026-\d\d-\d\d: \w", stated.restated)
    assert stated.formerly or stated.restated.endswith("first stated, before it was measured")
    default = 0.01 if stated.quantity.startswith("slope over alpha") else 0.3
    assert stated.smallest_effect_why or stated.smallest_effect == default


def test_every_study_states_all_its_claims():
    stated = load(FILE)
    numbers = {
        ("cluster_purity", "purity"): range(1, 6),
        ("kstar_skewness", "kstar"): range(1, 9),
        ("class_selectivity", "selectivity"): (
            1, "2a", "2b", "3a", "3b", "4a", "4b", "5a", "5b", 6, 7, 8, 9, "10a", "10b", 11,
        ),
        ("failure_discovery", "failure"): range(1, 5),
        ("indicator_comparison", "cross"): range(1, 5),
    }  # fmt: skip
    for (study, short), own in numbers.items():
        assert [n for n, c in stated.items() if c.study == study] == [f"{short}-{i}" for i in own]
    assert sum(map(len, numbers.values())) == len(stated)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"unit": None}, "claim 'x-1': the field 'unit' is missing"),
        ({"unit": " "}, "claim 'x-1': 'unit' must be a text"),
        ({"claimed": "at least 0"}, "claim 'x-1': 'claimed' must be such as '> 0'"),
        ({"claimed": ">"}, "claim 'x-1': 'claimed' must be such as '> 0'"),
        ({"smallest_effect": "0.3"}, "claim 'x-1': 'smallest_effect' must be a number above 0, but is '0.3'"),
        ({"smallest_effect": 0}, "claim 'x-1': 'smallest_effect' must be a number above 0, but is 0"),
        ({"fewest_units": -2}, "claim 'x-1': 'fewest_units' must be a number of units above 0, but is -2"),
        ({"screen": 1}, "claim 'x-1': 'screen' must be true, or left out, but is 1"),
        ({"smallest_effect": None}, "claim 'x-1': the field 'smallest_effect' is missing"),
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
