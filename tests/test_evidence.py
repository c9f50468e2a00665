"""What all populations say of the claims: the picture of the first page, the page of claims, the cards."""

import io

import pandas as pd
import pytest

from robustshape.analysis import claims
from robustshape.book import evidence
from robustshape.paths import require_project

ROOT = require_project()


@pytest.fixture(scope="module")
def lines():
    """Return two populations' verdicts on every claim: the one that decides has an estimate for all but the last."""
    made = []
    for claim in claims.load().values():
        for preset in ("another", claim.population):
            made.append(
                {
                    "claim": claim.id, "study": claim.study, "preset": preset,
                    "statement": claim.statement, "source": claim.source, "estimate": 0.1, "low": 0.0, "high": 0.2,
                    "threshold": claim.threshold, "smallest": claim.smallest_effect, "above": claim.above,
                    "verdict": "cannot be told" if preset == claim.population else "not judged", "population": "many",
                    "reason": "", "n": 48, "unit": "model families", "power": 0.88,
                    "power_at_zero": 0.7, "decides": preset == claim.population,
                }
            )  # fmt: skip
    found = pd.DataFrame(made)
    found["uncorrected"] = found["verdict"]
    found.loc[found["claim"] == list(claims.load())[-1], ["estimate", "low", "high"]] = float("nan")
    return found


def test_the_population_that_decides_stands_first(lines):
    stated = list(claims.load().values())
    own = evidence.of_claim(lines, stated[0])
    assert own["preset"].tolist() == [stated[0].population, "another"]
    unmeasured = evidence.of_claim(lines, stated[-1])
    assert len(unmeasured) == 1 and unmeasured["preset"].iloc[0] == stated[-1].population


def test_a_claim_without_an_estimate_anywhere_is_not_yet_measured(lines):
    claim = list(claims.load().values())[-1]
    others = lines[~((lines["claim"] == claim.id) & (lines["preset"] == claim.population))]
    line = evidence.of_claim(others, claim).iloc[0]
    assert line["preset"] == claim.population and line["verdict"] == "not yet measured"
    on_its_own_page = others.loc[line.name]
    assert on_its_own_page["preset"] == "another" and on_its_own_page["verdict"] == "not judged"


def test_the_picture_has_a_strip_for_every_claim(lines):
    html = evidence.overview(lines)
    for name in claims.load():
        assert f'href="claims.html#{name}"' in html
    assert html.count("<svg") == len(claims.load()) + 1


def test_the_table_of_claims_has_a_line_for_each_with_its_power(lines):
    shown = pd.read_csv(io.BytesIO(evidence.verdicts_table(lines)))
    assert shown["claim"].tolist() == list(claims.load())
    assert set(shown["power at d"][:-1]) == {"88 %"} and shown["verdict"].iloc[-1] == "cannot be told"


def test_the_page_of_claims_says_where_each_was_restated_and_why(lines):
    text = evidence.claims_page(lines)
    for name, claim in claims.load().items():
        assert f"({name})=\n### {name}\n" in text
        if claim.restated:
            assert evidence.plain(claim.restated) in text


def test_a_project_without_claims_has_no_such_pieces(tmp_path):
    assert evidence.claims_pieces(tmp_path) == {}
