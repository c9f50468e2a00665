"""A screen: many indicators are tried, and what is said of the best is corrected for all of them.

The indicator of the largest correlation is chosen by its luck too. So each interval is that of level ``1 - .05 / m`` for m
indicators (Bonferroni), which all hold at once in 95 % of populations, and p-values are Holm's over the m.
"""

from dataclasses import dataclass

import numpy as np

from robustshape.errors import InputError
from robustshape.statistics.inference import holm
from robustshape.statistics.jackknife import OverGroups
from robustshape.statistics.verdict import (
    HOLDS,
    HOLDS_SMALL,
    NEGLIGIBLE,
    SIGNIFICANCE,
    UNJUDGED,
    UNMEASURED,
    UNTOLD,
    Verdict,
)


@dataclass(frozen=True)
class Screened:
    """Every indicator's corrected interval and p-value, each (m,) float; NaN where it has no interval."""

    low: np.ndarray
    high: np.ndarray
    p_value: np.ndarray
    tried: int  # how many it was corrected over


def correct(found: OverGroups) -> Screened:
    """Return the simultaneous intervals and Holm's p-values of a screen.

    Parameters
    ----------
    found : OverGroups
        Of m indicators with one target, arrays (m,), as `centring.correlate_over_families` gives them. All that were
        tried, whatever is shown: one without an interval counts too.

    Examples
    --------
    >>> from robustshape.statistics.jackknife import from_left_out
    >>> found = from_left_out([0.6, 0.1], [[0.55, 0.1], [0.65, 0.05], [0.6, 0.15], [0.6, 0.1]], fisher=True)
    >>> screened = correct(found)
    >>> bool((screened.low < found.low).all()), screened.tried, screened.p_value.round(3).tolist()
    (True, 2, [0.011, 0.204])
    """
    if np.ndim(found.estimate) != 1:
        raise InputError(
            f"a screen is of several indicators with one target (m,), but was given {np.shape(found.estimate)}"
        )
    m = len(found.estimate)
    low, high = found.interval(1 - SIGNIFICANCE / max(m, 1))
    return Screened(low, high, np.where(np.isfinite(found.p_value), holm(found.p_value), np.nan), m)


def judge_screen(found: OverGroups, *, smallest: float, fewest: int = 0, unit: str = "families") -> Verdict:
    """Return the verdict on the claim that at least one of the indicators has a correlation, of either sign.

    It holds if a corrected interval leaves 0 out (and the largest such estimate is at least d, else "holds, small"), is
    negligible if all of them lie within -d to d, and cannot be told otherwise; a magnitude cannot fail.

    Parameters
    ----------
    found : OverGroups
        As for `correct`.
    smallest, fewest, unit
        As for `verdict.judge`.

    Returns
    -------
    Verdict
        In magnitudes: the estimate that is largest among those that leave 0 out (or among all), the lower end of its
        corrected interval, the largest upper end of any. The p-value is corrected over the screen already.

    Examples
    --------
    >>> from robustshape.statistics.jackknife import from_left_out
    >>> found = from_left_out([-0.6, 0.1], [[-0.55, 0.1], [-0.65, 0.05], [-0.6, 0.15], [-0.6, 0.1]], fisher=True)
    >>> judge_screen(found, smallest=0.3).word
    'holds'
    """
    if not smallest > 0:
        raise InputError(f"the smallest effect that would matter must be above 0, but is {smallest}")
    screened = correct(found)
    known = np.isfinite(screened.low)
    if not screened.tried:
        return Verdict(UNMEASURED)
    counts = np.broadcast_to(found.n, known.shape)
    n = int(counts[known].min() if known.any() else counts.max())
    if n < fewest:
        return Verdict(UNJUDGED, n=n, reason=f"{n} of the {fewest} {unit} needed")
    if not known.any():
        return Verdict(UNTOLD, n=n)
    size = np.abs(found.estimate)
    sign = np.where(np.asarray(found.estimate) < 0, -1, 1)
    low, high = np.sort([sign * screened.low, sign * screened.high], axis=0)
    apart = known & (low > 0)
    best = np.flatnonzero(apart if apart.any() else known)
    best = best[np.argmax(size[best])]
    ends = float(size[best]), float(low[best]), float(np.max(high[known]))
    if apart.any():
        word = HOLDS if size[best] >= smallest else HOLDS_SMALL
        return Verdict(word, *ends, float(np.nanmin(screened.p_value)), n)
    within = known.all() and bool(np.all((screened.low > -smallest) & (screened.high < smallest)))
    if within:
        sides = np.maximum(found.p_above(-smallest), found.p_below(smallest))
        return Verdict(NEGLIGIBLE, *ends, float(sides.max()), n)
    return Verdict(UNTOLD, *ends, float(np.nanmin(screened.p_value)), n)
