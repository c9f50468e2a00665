"""What the study of failures asks, and how its verdicts read; where one generator cannot decide, what it shows."""

import numpy as np

from robustshape.analysis.answers import MOST_WORDS, Question, is_decided, sentence
from robustshape.statistics.jackknife import mean_over_groups
from robustshape.statistics.verdict import (
    FAILS,
    FAILS_SMALL,
    HOLDS,
    HOLDS_SMALL,
    NEGLIGIBLE,
    UNJUDGED,
    UNTOLD,
    verdict,
)  # fmt: skip
from robustshape.studies.failure_discovery.compared import PICKED, RANDOM, WORST, points

QUESTIONS = (
    Question(
        "failure-2",
        whether="style dimensions that a classifier's gradient picks make it fail more than random ones",
        yes="style dimensions that a classifier's gradient picks make it fail more than random ones",
        opposite="random style dimensions make classifiers fail more than those that their gradients pick",
        nothing="style dimensions that a gradient picks take hardly more from a classifier than random ones",
        quantity="difference in probability lost",
    ),
    Question(
        "failure-1",
        whether="classifiers of clean digits lose much more to blur and contrast than to noise",
        yes="classifiers of clean digits lose much more to blur and contrast than to noise, the order on the authors' slides",
        opposite="unlike on the authors' slides, classifiers of clean digits do not lose much more to blur and contrast than to noise",
        nothing="what blur and contrast take more than noise is too near to the threshold of the claim",
        quantity="share of accuracy lost",
    ),
    Question(
        "failure-3",
        whether="noise, blur and contrast hit all classes",
        yes="noise, blur and contrast hit all classes",
        opposite="noise, blur and contrast spare some classes",
        nothing="the share of classes that noise, blur and contrast hit is too near to the threshold of the claim",
        quantity="share of classes",
    ),
    Question(
        "failure-4",
        whether="shape harms fewer classes than image quality",
        yes="shape harms few classes, image quality many",
        opposite="shape harms more classes than image quality",
        nothing="shape is hardly more specific to classes than image quality",
        quantity="difference in unevenness",
    ),
)
BEGINNINGS = {
    HOLDS: "yes",
    HOLDS_SMALL: "a little",
    FAILS: "no, the reverse",
    FAILS_SMALL: "no",
    NEGLIGIBLE: "hardly",
    UNTOLD: "that cannot be told",
}


def answer(questions, judged, rows) -> str:
    """Return the answer: the first question's, and those of the others that are decided, as far as 60 words go.

    Parameters
    ----------
    questions : sequence of Question
        The one that the page asks first, which is about generators.
    judged : pandas.DataFrame
        Indexed by claim, see `analysis.verdicts.judged`.
    rows : xarray.Dataset
        Of the study.
    """
    first, *others = questions
    line = judged.loc[first.claim]
    shown = line["verdict"] == UNJUDGED and np.isfinite(line["estimate"])
    found = of_too_few(rows, line["smallest"]) if shown else sentence(first, line)
    for question in others:
        if is_decided(judged.loc[question.claim]):
            longer = f"{found} {sentence(question, judged.loc[question.claim], numbers=False)}"
            found = longer if len(longer.split()) <= MOST_WORDS else found
    return found


def of_too_few(rows, smallest: float) -> str:
    """Return what the classifiers show behind generators that are too few to decide; the rule is that of all claims."""
    known = points(rows)
    over = mean_over_groups(known[PICKED] - known[RANDOM], known.index)
    beginning = BEGINNINGS[verdict(over.estimate, over.low, over.high, smallest)]
    n = len(set(rows["generator"].values.astype(str)))
    whose = "this one generator" if n == 1 else f"these {n} generators"
    takes = (
        f"a dimension that the gradient picks takes {known[PICKED].mean():.2f} of the probability of the right class, "
        f"a random one {known[RANDOM].mean():.2f}"
    )
    if len(known) == 1:
        return f"Behind {whose}, from one classifier {takes}. One classifier does not decide it."
    rest = "One generator does" if n == 1 else "So few do"
    return (
        f"Behind {whose}, {beginning}: {takes} ({len(known)} classifiers). {rest} not decide it for others."
    )


def reach(known) -> str:
    """Return in words how near the gradient's choice comes to the worst dimension, and how much of what fails is a digit still.

    Parameters
    ----------
    known : pandas.DataFrame
        Of `compared.points`.
    """
    picked, random = (float((known[way] / known[WORST]).median()) for way in (PICKED, RANDOM))
    low, high = known["still readable"].min(), known["still readable"].max()
    if not np.isfinite([picked, random, low]).all():
        return ""
    return (
        f"What the gradient picks takes {picked:.0%} of what the worst dimension takes, a random one {random:.0%} (medians "
        f"over classifiers). Of all digits that one movement makes fail, the judge still reads {low:.0%} to {high:.0%}."
    )
