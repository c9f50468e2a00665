"""Correlations over models: Pearson, Spearman, Kendall, the line of least squares, and partial correlation."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from robustshape.errors import InputError


@dataclass(frozen=True)
class Line:
    """A straight line fitted by least squares, with the share of the variance that it explains."""

    slope: float
    intercept: float
    r_squared: float


def paired(*arrays) -> list[np.ndarray]:
    """Return the arrays as float64 of one common length; refuse other lengths, NaN and infinity."""
    arrays = [np.asarray(a, dtype=np.float64) for a in arrays]
    if len({a.shape[:1] for a in arrays}) > 1 or any(a.ndim == 0 for a in arrays):
        raise InputError(
            f"one value per model is needed in each, but the shapes are {[a.shape for a in arrays]}"
        )
    if not all(np.isfinite(a).all() for a in arrays):
        raise InputError("NaN or infinity among the values; leave out the models that have no result")
    return arrays


def pearson(x, y) -> float:
    """Return Pearson's r of two (n,) arrays; NaN where either is constant or n < 2.

    >>> round(pearson([1, 2, 3, 4], [1, 3, 2, 4]), 6)
    0.8
    """
    x, y = paired(x, y)
    # a constant column differs from its own mean by rounding alone, so constancy is asked of the values
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    x, y = x - x.mean(), y - y.mean()
    return float(np.clip(x @ y / np.sqrt((x @ x) * (y @ y)), -1, 1))


def spearman(x, y) -> float:
    """Return Spearman's rho of two (n,) arrays (mean ranks for ties); NaN where either is constant.

    >>> round(spearman([1, 2, 3, 40], [1, 3, 2, 4]), 6)
    0.8
    """
    from scipy.stats import rankdata

    x, y = paired(x, y)
    return pearson(rankdata(x), rankdata(y))


def kendall(x, y) -> float:
    """Return Kendall's tau-b of two (n,) arrays; NaN where either is constant.

    >>> round(kendall([1, 2, 3, 40], [1, 3, 2, 4]), 6)
    0.666667
    """
    from scipy.stats import kendalltau

    x, y = paired(x, y)
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    return float(kendalltau(x, y).statistic)


CORRELATIONS: dict[str, Callable] = {"pearson": pearson, "spearman": spearman, "kendall": kendall}


def correlations(x, y) -> dict[str, float]:
    """Return all three correlations by name: ``pearson``, ``spearman``, ``kendall``.

    >>> correlations([1, 2, 3], [2, 4, 9])["kendall"]
    1.0
    """
    return {name: correlate(x, y) for name, correlate in CORRELATIONS.items()}


def fit_line(x, y) -> Line:
    """Return the least-squares line through two (n,) arrays; NaN where x is constant.

    >>> fit_line([0, 1, 2], [1, 3, 5])
    Line(slope=2.0, intercept=1.0, r_squared=1.0)
    """
    x, y = paired(x, y)
    if len(x) < 2 or np.ptp(x) == 0:
        return Line(float("nan"), float("nan"), float("nan"))
    centred = x - x.mean()
    slope = float(centred @ y / (centred @ centred))
    return Line(slope, float(y.mean() - slope * x.mean()), pearson(x, y) ** 2)


def residuals(y, given) -> np.ndarray:
    """Return what is left of y (n,) when a straight line in `given` (n,) is taken out; NaN where a number is missing.

    >>> residuals([1.0, 2.0, 4.0], [0.0, 1.0, 2.0]).round(2)
    array([ 0.17, -0.33,  0.17])
    """
    y, given = np.asarray(y, float), np.asarray(given, float)
    there, left = np.isfinite(y) & np.isfinite(given), np.full(len(y), np.nan)
    if there.sum() > 1:
        line = fit_line(given[there], y[there])
        left[there] = y[there] - line.intercept - line.slope * given[there]
    return left


def partial_correlation(x, y, given) -> float:
    """Return Pearson's r of what is left of x and y after a linear fit on `given`.

    Parameters
    ----------
    x, y : (n,) float
    given : (n,) or (n, k) float
        What is held fixed, e.g. the clean accuracy.

    Returns
    -------
    float
        In [-1, 1]; NaN where `given` (and an intercept) explains x or y entirely, as it always does for
        n <= k + 2.

    Examples
    --------
    Two measures that both follow a third (their r is .60) part ways where it is held fixed.

    >>> round(partial_correlation([2, 1, 4, 5, 7], [1, 3, 2, 5, 4], [1, 2, 3, 4, 5]), 3)
    -0.648
    """
    x, y, given = paired(x, y, given)
    given = given[:, None] if given.ndim == 1 else given
    if len(x) <= given.shape[1] + 2:
        return float("nan")
    design = np.column_stack([np.ones(len(x)), given - given.mean(axis=0)])
    left = []
    for values in (x, y):
        values = values - values.mean()
        residual = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
        if residual @ residual <= 1e-20 * (values @ values):  # nothing but rounding is left
            return float("nan")
        left.append(residual)
    return pearson(*left)
