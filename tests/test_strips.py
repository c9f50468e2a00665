"""Verdict strips: where the dot, the bar and the arrow stand, and what is said of them."""

import re

import numpy as np
import pandas as pd
import pytest

from robustshape.analysis import strips

LINE = {
    "statement": "A rises with B", "estimate": 0.5, "low": 0.2, "high": 0.8, "threshold": 0.2, "smallest": 0.3,
    "above": True, "verdict": "holds", "population": "40 networks", "preset": "p", "reason": "",
}  # fmt: skip


def line(**changed):
    return pd.Series(LINE | changed)


def places(svg):
    """Return where the dots stand, in smallest effects from the middle."""
    return [
        (float(x) - strips.WIDTH / 2) / (strips.WIDTH / 2 - 4) * strips.ENDS
        for x in re.findall('cx="([^"]+)"', svg)
    ]


def test_the_dot_stands_at_the_effect_in_units_of_the_smallest_that_matters():
    assert places(strips.strip(line())) == [pytest.approx(1.0, abs=0.02)]
    assert places(strips.strip(line(above=False))) == [pytest.approx(-1.0, abs=0.02)]
    assert places(strips.strip(line(estimate=9.0))) == [
        pytest.approx(strips.ENDS, abs=0.02)
    ]  # stays on the strip


def test_what_the_correction_alone_changes_is_said():
    given = LINE | {"verdict": "cannot be told", "uncorrected": "holds", "corrected_over": 6}
    shown = strips.strips(pd.DataFrame([given], index=["a-1"])).html
    assert "40 networks; without the correction over 6 claims: holds" in shown
    assert (
        "without"
        not in strips.strips(pd.DataFrame([given | {"uncorrected": "cannot be told"}], index=["a-1"])).html
    )


def test_an_interval_that_goes_on_has_an_arrow():
    assert strips.strip(line()).count("<path") == 0
    assert strips.strip(line(high=5.0)).count("<path") == 1
    assert strips.strip(line(low=-5.0, high=5.0)).count("<path") == 2


def test_without_an_estimate_the_axis_is_empty():
    svg = strips.strip(line(estimate=np.nan, low=np.nan, high=np.nan, verdict="not yet measured"))
    assert "<circle" not in svg and "no estimate" in svg
    alone = strips.strip(line(low=np.nan, high=np.nan))
    assert (
        "<circle" in alone
        and "estimate 0.50 without an interval" in alone
        and 'stroke-width="3"' not in alone
    )


def test_colour_is_the_verdicts_and_grey_where_nothing_is_decided():
    assert strips.COLOURS["holds"] in strips.strip(line())
    assert not any(
        colour in strips.strip(line(verdict="cannot be told")) for colour in strips.COLOURS.values()
    )


def test_every_claim_has_a_line_and_what_is_said_is_escaped():
    judged = pd.DataFrame(
        [LINE, LINE | {"statement": "<b>", "verdict": "not judged: 3 of 36 families"}], index=["a", "b"]
    )
    html = strips.strips(judged).html
    assert html.count('class="rs-claim"') == 2 and "&lt;b&gt;" in html
    assert ">not judged<" in html and "aria-label=" in html
    assert html.count('class="rs-numbers">+0.50 (') == 2  # for those who cannot hover over the strip


def test_who_was_measured_is_said_once_where_it_is_the_same():
    one, other = (LINE | {"population": f"over {n} families; measured: 40 networks"} for n in (9, 8))
    html = strips.strips(pd.DataFrame([one, other], index=["a", "b"])).html
    assert html.count("40 networks") == 1 + 2 * 2  # beneath, and twice in the words of either strip
    assert "<small>over 9 families</small>" in html and "<small>over 8 families</small>" in html
    unlike = strips.strips(pd.DataFrame([one, other | {"population": "of 3 others"}], index=["a", "b"])).html
    assert "<small>over 9 families; measured: 40 networks</small>" in unlike


def test_claims_that_the_networks_decide_come_first():
    lines = [LINE | {"statement": words, "decides": words != "b"} for words in "abc"]
    html = strips.strips(pd.DataFrame(lines, index=list("abc"))).html
    assert re.findall(r"<p>([abc])<small>", html) == ["a", "c", "b"]


def test_other_populations_are_thin_marks_beneath():
    svg = strips.strip(line(), pd.DataFrame([line(estimate=0.2), line(estimate=-0.1)]))
    assert len(places(svg)) == 3 and svg.count('r="2"') == 2


def test_a_population_that_does_not_decide_is_drawn_thin_and_told_with_the_others():
    first, others = line(preset="cifar10"), pd.DataFrame([line(preset="mnist", estimate=0.1)])
    svg = strips.strip(first, others, decides=False)
    assert svg.count('stroke-width="3"') == 0 and svg.count('r="2"') == 2
    assert "cifar10: estimate" in svg and "mnist: estimate" in svg
    assert strips.strip(first, others).count('r="5"') == 1
