"""Verdicts as pictures: a strip for each claim, its estimate and interval against the smallest effect that would matter.

All strips have one axis: the estimate less the claim's threshold, turned so that the claimed side is on the right, in
units of the claim's smallest effect. The grey band holds what would be too small to matter.
"""

from html import escape

import numpy as np

from robustshape.analysis.page import Shown
from robustshape.analysis.verdicts import MEASURED
from robustshape.analysis.verdicts import in_words as numbers
from robustshape.statistics.verdict import FAILS, FAILS_SMALL, HOLDS, HOLDS_SMALL, NEGLIGIBLE

COLOURS = {  # of a verdict; those that were not reached are grey
    HOLDS: "#0072b2", HOLDS_SMALL: "#56a4d6", FAILS: "#d55e00", FAILS_SMALL: "#e69f4f", NEGLIGIBLE: "#8a63a8",
}  # fmt: skip
GREY = "#8c8c8c"
ENDS = 3.3  # smallest effects from the middle to either end of a strip
WIDE = 3  # smallest effects to either side: an interval that tells nothing
WIDTH, HEIGHT = 208, 26  # of a strip, in its own units


def strips(judged) -> Shown:
    """Return a strip for each claim, with its statement, its verdict and of whom it speaks; those that are judged come first.

    Parameters
    ----------
    judged : pandas.DataFrame
        Indexed by claim, see `verdicts.judged`. A claim may occur more than once, for several populations.
    """
    if "decides" in judged:
        judged = judged.sort_values("decides", ascending=False, kind="stable")
    lines, before = [], None
    measured = {str(who).partition(MEASURED)[2] for who in judged["population"] if who}
    common = measured.pop() if len(measured) == 1 and len(judged) > 1 else ""  # said once, beneath
    for claim, line in judged.iterrows():
        statement = escape(str(line["statement"])) if claim != before else ""
        lines.append(_line(statement, line, common))
        before = claim
    key = f'<div class="rs-claim rs-key"><p></p>{axis()}<p></p></div>'
    beneath = f"<small>Measured: {escape(common)}.</small>" if common else ""
    return Shown(f'<div class="rs-claims">{key}{"".join(lines)}{beneath}</div>')


def axis() -> str:
    """Return what the sides of a strip mean, to stand above them."""
    return (
        f'<svg viewBox="0 0 {WIDTH} 14" role="img" aria-label="left: against the claim; middle: too small to matter; '
        f'right: for the claim"><text x="0" y="11">against</text><text x="{WIDTH / 2}" y="11" text-anchor="middle">'
        f'too small</text><text x="{WIDTH}" y="11" text-anchor="end">for</text></svg>'
    )


def _line(statement: str, line, common: str) -> str:
    word, reason = str(line["verdict"]), str(line.get("reason", ""))
    alone = str(line.get("uncorrected", word))
    without = f"without the correction over {line['corrected_over']} claims: {alone}" if alone != word else ""
    population = str(line["population"]).removesuffix(f"{MEASURED}{common}" if common else "")
    whom = "; ".join(part for part in (population, reason, without) if part)
    shown, ends = word.partition(":")[0], (line[end] for end in ("estimate", "low", "high"))
    return (
        f'<div class="rs-claim"><p>{statement}<small>{escape(whom)}</small></p><div>{strip(line)}'
        f'<small class="rs-numbers">{escape(numbers(*ends))}</small></div><p class="rs-word">{escape(shown)}</p></div>'
    )


def in_words(line) -> str:
    """Return the estimate of a claim with its interval, or that there is none.

    >>> in_words({"estimate": 0.1234, "low": -0.05, "high": 0.3, "smallest": 0.3, "threshold": 0.0, "above": True})
    'estimate 0.12, 95 % interval -0.05 to 0.30, against 0; the smallest effect that would matter is 0.3'
    """
    if not np.isfinite(line["estimate"]):
        return "no estimate"
    digits = 3 if np.nanmax(np.abs([line["low"], line["high"], line["estimate"]])) < 0.1 else 2
    numbers = [f"{line[name]:z.{digits}f}" for name in ("estimate", "low", "high")]
    if not np.isfinite([line["low"], line["high"]]).all():
        return f"estimate {numbers[0]} without an interval"
    return (
        f"estimate {numbers[0]}, 95 % interval {numbers[1]} to {numbers[2]}"
        f"{', which leaves everything open' * leaves_all_open(line)}, against {line['threshold']:g}; "
        f"the smallest effect that would matter is {line['smallest']:g}"
    )


def leaves_all_open(line) -> bool:
    """Return whether an interval reaches three smallest effects and more to either side of the threshold.

    >>> leaves_all_open({"low": -0.98, "high": 0.99, "smallest": 0.3, "threshold": 0.0, "above": True})
    True
    """
    ends = sorted(place(line[end], line) for end in ("low", "high"))
    return bool(ends[0] <= -WIDE and ends[1] >= WIDE)


def place(value: float, line) -> float:
    """Return where a value stands on a strip: 0 at the claim's threshold, 1 at its smallest effect on the claimed side.

    >>> place(0.5, {"threshold": 0.2, "smallest": 0.3, "above": True})
    1.0
    """
    return float((value - line["threshold"]) / line["smallest"] * (1 if line["above"] else -1))


def strip(line, others=None, *, decides: bool = True) -> str:
    """Return one claim's strip as SVG; of a claim without an estimate the empty axis.

    Parameters
    ----------
    line : pandas.Series
        Of `verdicts.judged`.
    others : pandas.DataFrame, optional
        Lines of the same claim for other populations, which are drawn beneath, thin and grey.
    decides : bool
        Whether `line` is of the population that decides the claim; else it is drawn as the others are.
    """
    import pandas as pd

    if not decides:
        others = pd.concat([line.to_frame().T, others])
    middle = WIDTH / 2
    parts = [
        f'<rect x="{_x(-1)}" y="2" width="{_x(1) - _x(-1):.1f}" height="{HEIGHT - 4}" fill="{GREY}" opacity="0.2"/>',
        f'<line x1="{middle}" x2="{middle}" y1="1" y2="{HEIGHT - 1}" stroke="currentColor" stroke-width="1"/>',
    ]
    told = [f"{line['verdict']}: {in_words(line)}; {line['population']}" if decides else str(line["verdict"])]
    many = 0 if others is None else len(others)
    for i in range(many):
        other = others.iloc[i]
        parts.append(_bar(other, HEIGHT - 3 - 9 * i / max(many, 3), GREY, thin=True))
        told.append(f"{other['preset']}: {in_words(other)}")
    y = HEIGHT / 2 if not many else HEIGHT / 3
    if decides:
        parts.append(_bar(line, y, COLOURS.get(str(line["verdict"]), GREY)))
    words = escape("; ".join(told))
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{words}"><title>{words}</title>'
        f"{''.join(parts)}</svg>"
    )


def _x(position: float) -> float:
    return round(WIDTH / 2 + float(np.clip(position, -ENDS, ENDS)) / ENDS * (WIDTH / 2 - 4), 1)


def _bar(line, y: float, colour: str, *, thin: bool = False) -> str:
    """Return a dot with its interval, an arrow where the interval goes on beyond the strip; "" without an estimate."""
    if not np.isfinite(line["estimate"]):
        return ""
    y, parts = round(y, 1), []
    ends = sorted(place(line[end], line) for end in ("low", "high"))
    if np.isfinite(ends).all():
        low, high = ends
        width = 1 if thin else 3
        parts.append(
            f'<line x1="{_x(low)}" x2="{_x(high)}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="{width}"/>'
        )
        for end, beyond in ((low, low < -ENDS), (high, high > ENDS)):
            if beyond and not thin:
                parts.append(f'<path d="M{_x(end)} {y}l{6 if end < 0 else -6} -5v10z" fill="{colour}"/>')
    at = _x(place(line["estimate"], line))
    edge = "" if thin else ' stroke="white" stroke-width="1"'
    return "".join(parts) + f'<circle cx="{at}" cy="{y}" r="{2 if thin else 5}" fill="{colour}"{edge}/>'
