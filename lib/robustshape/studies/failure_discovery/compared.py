"""Tidy tables of the study of failures: a line for each classifier, and for each number of dimensions that was tried."""

import numpy as np

from robustshape.analysis.robustness import robustness
from robustshape.analysis.style import ACCENT, INK, trained
from robustshape.models import short_name
from robustshape.studies.failure_discovery.analyse import decreases_of_choices

PICKED, RANDOM = "picked by the gradient", "at random"
WORST, MEANS = "the worst of all", "real digits, means"
GREEDY = "greedily, all tried"
COLOURS = {PICKED: ACCENT, GREEDY: INK, RANDOM: "#8a8a8a"}


def points(rows):
    """Return one line for each classifier: who it is, what movements take from it, and whether its gradient told it.

    Returns
    -------
    pandas.DataFrame
        Indexed by classifier, with ``family``, ``trained`` (words for its recipe), ``clean accuracy``, ``R``; the mean
        decrease of the probability of the right class along dimensions that are `PICKED`, `RANDOM`, the `WORST` there is,
        and when real digits move as far in pixels along differences of means (`MEANS`); agreement of the gradient with
        what truly happens; and of all that one movement makes fail the share that the judge still reads.
    """
    import pandas as pd

    decreases = [decreases_of_choices(rows.isel(model=i)) for i in range(rows.sizes["model"])]
    flipped, readable = (
        rows[name].sum(("dimension", "way", "class")).values.astype(float)
        for name in ("flipped", "flipped_readable")
    )
    found = {
        "family": rows["family"].values.astype(str),
        "trained": trained(rows["recipe"].values),
        "clean accuracy": rows["accuracy"].values,
        "R": robustness(rows),
        PICKED: [float(picked.mean()) for picked, _ in decreases],
        RANDOM: [float(random.mean()) for _, random in decreases],
        WORST: rows["best_fall"].mean("class").values,
        MEANS: rows["baseline_fall"].mean("class").values,
        "ranks agree": rows["rank_agreement"].mean("class").values,
        "signs agree": rows["sign_agreement"].mean("class").values,
        "slopes agree": rows["slope_agreement"].values,
        "still readable": np.divide(readable, flipped, out=np.full(len(flipped), np.nan), where=flipped > 0),
    }
    names = [short_name(str(model)) for model in rows.model.values]
    return pd.DataFrame(found, index=pd.Index(names, name="network"))


def taken(known):
    """Return what movements take as a long table: a line for each classifier and way to pick dimensions."""
    ways = [PICKED, RANDOM, WORST, MEANS]
    return known.reset_index().melt(["network", "trained"], ways, "moved", "decrease")


def coverage(rows):
    """Return which share of digits fails under at least one of the first dimensions, mean over classes.

    Returns
    -------
    pandas.DataFrame
        A line for each classifier (``network``, ``trained``), ``choice`` and number of ``dimensions tried``, with the
        share of digits that ``fail``.
    """
    table = rows["covered"].mean("class").to_dataframe("fail").reset_index()
    known = dict(zip(map(str, rows.model.values), trained(rows["recipe"].values)))
    table["trained"] = table["model"].map(known)
    table["network"] = [short_name(str(model)) for model in table["model"]]
    table["choice"] = table["choice"].replace({"gradient": PICKED, "random": RANDOM, "greedy": GREEDY})
    return table.rename(columns={"rank": "dimensions tried"})[
        ["network", "trained", "choice", "dimensions tried", "fail"]
    ]
