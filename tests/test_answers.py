"""The answer of a page is chosen by rules from the verdicts, whatever networks were measured."""

import dataclasses
import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray

from robustshape.analysis import answers
from robustshape.analysis.answers import Question, answer, signed
from robustshape.analysis.claims import load

STATED = load(Path(__file__).parents[1] / "data" / "claims.toml")
FIRST = Question("a-1", "A tells of B", "A tells of B", "A misleads about B", "A tells nothing of B", "r")
SECOND = Question("a-2", "C tells of B", "C tells of B", "C misleads about B", "C tells nothing of B", "r")


def judged(first, second="not judged"):
    lines = {
        "a-1": {
            "verdict": first,
            "estimate": 0.41,
            "low": 0.1,
            "high": 0.63,
            "reason": first.partition(": ")[2],
        },
        "a-2": {"verdict": second, "estimate": 0.2, "low": 0.1, "high": 0.3},
    }
    return pd.DataFrame.from_dict(lines, orient="index").assign(smallest=0.3, threshold=0.0, above=True)


def rows(n=6):
    corrupted = np.linspace(0.5, 0.7, n)[:, None, None]
    return xarray.Dataset(
        {
            "accuracy": ("model", [0.9] * n),
            "corrupted_accuracy": (("model", "corruption", "severity"), corrupted),
        },
        coords={"model": [f"zoo:mlp/{i}" for i in range(n)]},
    )


def test_what_limits_an_answer_is_said_even_where_it_cannot_be_told():
    limit = dataclasses.replace(SECOND, limits=True)
    open_end = " It cannot be told on these networks whether C tells of B."
    assert answer((FIRST, limit), judged("holds", "cannot be told"), rows()).endswith(open_end)
    assert answer((FIRST, limit), judged("holds", "holds"), rows()).endswith(" Yes: C tells of B.")
    for first, second in (("cannot be told", "cannot be told"), ("holds", "not judged")):
        assert "C tells" not in answer((FIRST, limit), judged(first, second), rows())
    assert "C tells" not in answer((FIRST, SECOND), judged("holds", "cannot be told"), rows())


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("holds", "Yes: A tells of B (r +0.41, 95 % interval +0.10 to +0.63)."),
        ("holds, small", "A little: A tells of B, but by less than would matter (r +0.41, 95 % interval +0.10 to +0.63)."),
        ("fails", "No, the reverse: A misleads about B (r +0.41, 95 % interval +0.10 to +0.63)."),
        ("fails, small", "No: A misleads about B, though by less than would matter (r +0.41, 95 % interval +0.10 to +0.63)."),
        ("negligible", "No: on these networks A tells nothing of B (r +0.41, 95 % interval +0.10 to +0.63)."),
        ("cannot be told", "It cannot be told on these networks whether A tells of B (r +0.41, 95 % interval +0.10 to +0.63)."),
        ("not judged: 3 of 36 families", "These networks do not decide whether A tells of B (r +0.41, 95 % interval +0.10 to +0.63): 3 of 36 families."),
        ("not yet measured", "Not yet measured: whether A tells of B."),
    ],
)  # fmt: skip
def test_each_verdict_has_its_sentence(word, said):
    assert answer((FIRST, SECOND), judged(word), rows()) == said


def test_what_the_correction_alone_leaves_open_is_said_to_be():
    lines = judged("cannot be told").assign(uncorrected="holds", corrected_over=6)
    words = answer((FIRST,), lines, rows())
    assert words.startswith(
        "It cannot be told on these networks, after the correction over 6 claims, whether A tells of B ("
    )
    assert ", after" not in answer((FIRST,), lines.assign(uncorrected="cannot be told"), rows())


def test_an_interval_that_tells_nothing_is_said_to():
    lines = judged("cannot be told")
    lines.loc["a-1", ["low", "high"]] = -0.97, 0.99
    assert "(r +0.41, 95 % interval −0.97 to +0.99, which leaves everything open)" in answer(
        (FIRST,), lines, rows()
    )
    lines.loc["a-1", "low"] = -0.5
    assert "open" not in answer((FIRST,), lines, rows())


def test_what_the_networks_are_there_for_is_answered_first():
    lines = judged("not judged: another population decides: c", "cannot be told").assign(
        decides=[False, True]
    )
    words = answer((FIRST, SECOND), lines, rows())
    assert (
        words
        == "It cannot be told on these networks whether C tells of B (r +0.20, 95 % interval +0.10 to +0.30)."
    )
    first = answer((FIRST, SECOND), lines.assign(decides=False), rows())
    assert first.startswith("These networks do not decide whether A tells of B")


def test_what_else_is_decided_follows_without_numbers_as_far_as_sixty_words_go():
    words = answer((FIRST, SECOND), judged("holds", "negligible"), rows())
    assert words.endswith("No: on these networks C tells nothing of B.") and words.count("95 %") == 1
    long = Question("a-2", "x", "y", "z", " ".join(["word"] * 60))
    assert answer((FIRST, long), judged("holds", "negligible"), rows()).count(".") == answer(
        (FIRST,), judged("holds"), rows()
    ).count(".")


def test_of_few_networks_no_correlation_is_spoken_of():
    assert answer((FIRST,), judged("holds"), rows(1)) == (
        "One network is too few to compare. mlp/0 keeps 56% of its clean accuracy of 0.90."
    )
    words = answer((FIRST,), judged("holds"), rows(4))
    assert words.startswith("4 networks are too few to compare. The most robust, mlp/3, keeps 78%")
    assert answer((FIRST,), judged("holds"), rows(2).drop_vars("corrupted_accuracy")).endswith(
        "No robustness was measured."
    )


def test_numbers_have_signs_that_can_be_read():
    assert [signed(v) for v in (-0.5, 0.031, 0)] == ["−0.50", "+0.031", "+0.00"]


def test_the_questions_of_every_study_are_claims_and_clauses():
    import importlib

    from robustshape.analysis import claims

    stated = claims.load()
    for study in {claim.study for claim in stated.values()}:
        questions = importlib.import_module(f"robustshape.studies.{study}.answer").QUESTIONS
        for question in questions:
            assert question.claim in stated
            for words in (question.whether, question.yes, question.opposite, question.nothing):
                assert not words.endswith(".") and words[0].islower(), words
        assert answers.MOST_WORDS == 60


def test_for_every_population_a_study_asks_something_that_its_networks_are_there_for():
    for study in {claim.study for claim in STATED.values()}:
        asked = {
            question.claim
            for question in importlib.import_module(f"robustshape.studies.{study}.answer").QUESTIONS
        }
        populations = {claim.population for claim in STATED.values() if claim.study == study}
        assert asked <= STATED.keys() and populations == {STATED[name].population for name in asked}, study
