"""What a network's clean features say of its accuracy under corruption: a line with an interval for a new family.

Two lines for each group of corruptions, on logits of accuracies: one in clean accuracy alone, one with up to two
indicators beside it. The choice of indicators, the line and the width of the interval never see the family they are
tried on. Publishing the comparison of `POPULATION` keeps its calibration in ``data/prediction.json``.
"""

import json

import numpy as np
from scipy.special import expit

from robustshape.analysis.networks import clean_logit, corrupted_logit
from robustshape.analysis.robustness import at_chance
from robustshape.datasets import DATASETS
from robustshape.errors import InputError
from robustshape.statistics.conformal import (
    family_quantile,
    least_squares,
    left_out_predictions,
    nested_coverage,
    without_pairs,
)
from robustshape.statistics.exact import share_interval
from robustshape.statistics.jackknife import from_left_out
from robustshape.statistics.out_of_sample import mean_square
from robustshape.statistics.stepwise import choose
from robustshape.studies.indicator_comparison.analyse import networks, screened
from robustshape.studies.indicator_comparison.calibration import (
    EVERY,
    Calibration,
    Line,
    Saved,
    Target,
)

POPULATION = "families_mnist"
LEVEL = 0.9
MOST = 2  # indicators beside accuracy
FEWEST_FAMILIES = 12  # below, nine scores of an inner fold are not enough for the level


def logits(rows, table):
    """Return the logit of clean accuracy (model,), and by group of corruptions that of the accuracy under it.

    Parameters
    ----------
    rows : xarray.Dataset
        Of the comparison.
    table : pandas.DataFrame
        `analyse.networks` of them.
    """
    from robustshape.corruptions import GROUPS

    measured = set(map(str, rows["corruption"].values))
    groups = {EVERY: measured} | {group: measured & set(own) for group, own in GROUPS.items()}
    shown = {group: corrupted_logit(rows, names) for group, names in groups.items() if names}
    return clean_logit(rows, table["clean"].values), shown


def _taken(x, y) -> list[int]:
    """Return the columns of a line: the first, and up to `MOST` others, chosen by x and y."""
    return [0, *(1 + column for column in choose(x[:, :1], x[:, 1:], y, most=MOST))]


def stepwise(x, y, others) -> np.ndarray:
    """Return the predictions (m,) at `others` of a line in the first column and up to `MOST` others, chosen by x and y."""
    columns = _taken(x, y)
    return least_squares(x[:, columns], y, others[:, columns])


def calibrated(rows) -> Calibration | None:
    """Return `calibrate` of the rows, None for too few families."""
    families = rows["family"].values[~at_chance(rows)]
    return calibrate(rows) if len(set(families)) >= FEWEST_FAMILIES else None


def calibrate(rows) -> Calibration:
    """Fit the lines and measure how far off they are for a family they have not seen.

    Parameters
    ----------
    rows : xarray.Dataset
        Of the comparison, of one population. Networks at chance are left out, and indicators that some network lacks.

    Returns
    -------
    Calibration

    Raises
    ------
    InputError
        For fewer families than an interval at this level takes.
    """
    rows, table, names, x, targets = _learners(rows)
    families = table["family"].values
    if len(set(families)) < FEWEST_FAMILIES:
        raise InputError(
            f"a prediction is calibrated on at least {FEWEST_FAMILIES} families that learned something, but these are "
            f"{len(set(families))}"
        )
    dataset = str(rows["dataset"].values[0])
    return Calibration(
        population=rows.attrs["preset"], dataset=dataset, networks=len(table), families=len(set(families)), level=LEVEL,
        clean=(float(table["clean"].min()), float(table["clean"].max())),
        pixels=tuple(json.loads(str(rows["preprocessing"].values[0]))["size"]),
        data_classes=DATASETS.about(dataset)["n_classes"],
        n_classes=int(rows["n_classes"].values[0]), per_class=int(rows["per_class"].values[0]),
        severities=tuple(int(s) for s in rows["severity"].values),
        targets={group: _target(x, y, families, names) for group, y in targets.items()},
    )  # fmt: skip


def _learners(rows):
    """Return the rows and the table of the networks that learned, names and (n, p) of what may predict, and the targets."""
    found, learned = networks(rows), ~at_chance(rows)
    table, rows = found[learned], rows.isel(model=np.flatnonzero(learned))
    clean, targets = logits(rows, table)
    names = [name for name in screened(table) if np.isfinite(table[name]).all()]
    x = np.column_stack([clean, table[names].values.astype(float)])
    return rows, table, ["clean", *names], x, targets


def _target(x, y, families, names) -> Target:
    ways = {"accuracy": (x[:, :1], least_squares), "indicators": (x, stepwise)}
    told = {way: without_pairs(columns, y, families, predict) for way, (columns, predict) in ways.items()}
    taken = _taken(x, y)
    alone = _line(x[:, :1], y, families, told["accuracy"], names[:1])
    beside = _line(x[:, taken], y, families, told["indicators"], [names[i] for i in taken])
    return Target(alone, beside, _saved(y, families, **told))


def _line(x, y, families, told, names) -> Line:
    """Return the line of least squares with the interval by what was predicted of families left out, `without_pairs`."""
    intercept, *slopes = np.linalg.lstsq(np.column_stack([np.ones(len(x)), x]), y, rcond=None)[0]
    scores = np.abs(y - _own(told, families))
    half = family_quantile(scores, families, rng=np.random.default_rng(0), level=LEVEL)
    coverage = nested_coverage(y, families, told, rng=np.random.default_rng(0), level=LEVEL)
    ends = share_interval(coverage.covered * coverage.families, coverage.families)
    return Line(float(intercept), dict(zip(names, map(float, slopes))), half, coverage.covered, *ends)


def _own(told, families) -> np.ndarray:
    """Return what was predicted of each network without its own family alone."""
    _, family = np.unique(families, return_inverse=True)
    return told[family, np.arange(len(family))]


def _saved(y, families, accuracy, indicators) -> Saved:
    """Return the share of squared error that is saved, with the jackknife over families of the whole computation."""

    def share(kept, told):
        small, large = (mean_square((y - found)[kept], families[kept]) for found in told)
        return 1 - large / small

    every = np.ones(len(y), bool)
    names = np.unique(families)
    whole = share(every, (_own(accuracy, families), _own(indicators, families)))
    found = from_left_out(
        whole, [share(families != g, (accuracy[i], indicators[i])) for i, g in enumerate(names)]
    )
    return Saved(found.estimate, found.low, found.high)


def left_out(rows, calibration: Calibration | None, group: str = EVERY):
    """Return what was predicted of each network, by a line fitted without its family, beside what was measured.

    Returns
    -------
    pandas.DataFrame or None
        Indexed by ``model``: ``family``, ``recipe``; the accuracy under the group of corruptions that was ``measured``
        and ``predicted`` from accuracy and indicators, with ``low`` and ``high``. None without a calibration.
    """
    if calibration is None:
        return None
    _, table, _, x, targets = _learners(rows)
    middle = left_out_predictions(x, targets[group], table["family"].values, stepwise)
    half = calibration.targets[group].indicators.half_width
    numbers = {"measured": targets[group], "predicted": middle, "low": middle - half, "high": middle + half}
    return table[["family", "recipe"]].assign(**{name: expit(logit) for name, logit in numbers.items()})
