"""The answer to a study's question as a sentence or two, chosen from the verdicts by rules, never typed.

So that it stays true when the notebook is run again with other networks: of fewer than five networks no correlation is
spoken of, and of a claim that another population decides it is said that it is not judged here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from robustshape.analysis.strips import leaves_all_open
from robustshape.statistics.verdict import (
    FAILS,
    FAILS_SMALL,
    HOLDS,
    HOLDS_SMALL,
    NEGLIGIBLE,
    UNMEASURED,
    UNTOLD,
)

FEWEST_NETWORKS = 5  # for any word on a correlation
MOST_WORDS = 60


@dataclass(frozen=True)
class Question:
    """What a claim asks, and how its verdicts read; each a clause without a capital or a full stop.

    Attributes
    ----------
    claim : str
        Its id.
    whether : str
        The open question, after "whether".
    yes, opposite, nothing : str
        What is said when the claim holds, when its opposite does, and when there is nothing that would matter.
    quantity : str
        What the estimate is, such as "partial r".
    interval : str
        What its interval is called.
    limits : bool
        Whether it says what the first question's answer is worth, and so is spoken of even where it cannot be told.
    """

    claim: str
    whether: str
    yes: str
    opposite: str
    nothing: str
    quantity: str = "partial r"
    interval: str = "95 % interval"
    limits: bool = False


def answer(questions: Sequence[Question], judged, rows) -> str:
    """Return the answer: that of the first question that the networks are there for, then of others that are decided.

    As far as 60 words go. Where the networks are there for none of the questions, the first one's comes first.

    Parameters
    ----------
    questions : sequence of Question
        The one that the page asks first.
    judged : pandas.DataFrame
        Indexed by claim, see `verdicts.judged`.
    rows : xarray.Dataset
        The networks that the page is about.
    """
    if rows.sizes["model"] < FEWEST_NETWORKS:
        return few(rows)
    first, *others = sorted(questions, key=lambda question: not judged.loc[question.claim].get("decides"))
    found = sentence(first, judged.loc[first.claim])
    for question in others:
        line = judged.loc[question.claim]
        open_limit = question.limits and is_decided(judged.loc[first.claim]) and line["verdict"] == UNTOLD
        if not (is_decided(line) or open_limit):
            continue
        longer = f"{found} {sentence(question, line, numbers=False)}"
        if len(longer.split()) <= MOST_WORDS:
            found = longer
    return found


def is_decided(line, verdict: str = "verdict") -> bool:
    """Return whether a claim's verdict, or another of its words, says more than that it cannot be told."""
    return str(line.get(verdict)) in (HOLDS, HOLDS_SMALL, FAILS, FAILS_SMALL, NEGLIGIBLE)


def sentence(question: Question, line, *, numbers: bool = True) -> str:
    """Return what the verdict on a claim says, with its estimate and interval where they are wanted and there."""
    word = str(line["verdict"])
    known = numbers and np.isfinite([line["estimate"], line["low"], line["high"]]).all()
    measured = (
        f" ({question.quantity} {signed(line['estimate'])}, {question.interval} {signed(line['low'])} to "
        f"{signed(line['high'])}{', which leaves everything open' * leaves_all_open(line)})"
        if known
        else ""
    )
    why = f": {line['reason']}" if str(line.get("reason", "")) else ""
    if word == UNMEASURED:
        return f"Not yet measured: whether {question.whether}."
    # its interval may lie on one side, which a reader sees
    many = (
        f", after the correction over {line['corrected_over']} claims,"
        if is_decided(line, "uncorrected")
        else ""
    )
    return {
        HOLDS: f"Yes: {question.yes}{measured}.",
        HOLDS_SMALL: f"A little: {question.yes}, but by less than would matter{measured}.",
        FAILS: f"No, the reverse: {question.opposite}{measured}.",
        FAILS_SMALL: f"No: {question.opposite}, though by less than would matter{measured}.",
        NEGLIGIBLE: f"No: on these networks {question.nothing}{measured}.",
    }.get(word) or (
        f"It cannot be told on these networks{many} whether {question.whether}{measured}."
        if word.startswith("cannot")
        else f"These networks do not decide whether {question.whether}{measured}{why}."
    )


def signed(value: float) -> str:
    """Return a number with its sign and two decimals, three where it is small.

    >>> signed(-0.251), signed(0.0123), signed(-0.00001)
    ('−0.25', '+0.012', '+0.000')
    """
    digits = 3 if 0 < abs(value) < 0.1 else 2
    return f"{value:+z.{digits}f}".replace("-", "−")


def few(rows) -> str:
    """Return what can be said of too few networks for a correlation: their accuracy and R."""
    from robustshape.analysis.robustness import robustness
    from robustshape.models import short_name

    kept = robustness(rows)
    best = int(np.nanargmax(kept)) if np.isfinite(kept).any() else 0
    n, name = len(kept), short_name(str(rows["model"].values[best]))
    words = "One network is" if n == 1 else f"{n} networks are"
    found = f"{words} too few to compare."
    if not np.isfinite(kept[best]):
        return f"{found} No robustness was measured."
    which = name if n == 1 else f"The most robust, {name},"
    return f"{found} {which} keeps {kept[best]:.0%} of its clean accuracy of {float(rows['accuracy'].values[best]):.2f}."
