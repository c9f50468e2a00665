"""The one interval over families: leave each family out in turn, and take Student's t of the families less one.

Networks of a family are not independent draws, so the family with all its members is the unit. With theta of all and
theta_g without family g, the cluster-robust variance CV3 is ``(G - 1)/G * sum over g of (theta_g - theta)^2`` (MacKinnon,
Nielsen, Webb 2023, "Cluster-robust inference: a guide to empirical practice", J. Econometrics 232; Bell, McCaffrey 2002).
Interval and p-value come from it together, with G - 1 degrees of freedom; those of a correlation on Fisher's z.
`simulation` says how often they err.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from robustshape.errors import InputError

FEWEST_GROUPS = 4  # below it no interval is formed, but for a mean, whose Student's t is exact for two
NEAR_ONE = 1 - 1e-12  # where a correlation of 1 is put, that Fisher's z of it be finite


@dataclass(frozen=True)
class OverGroups:
    """An estimate with its interval and two-sided p-value against 0, over `n` groups; floats, or arrays of one shape.

    `error` is the standard error, on Fisher's z (the inverse hyperbolic tangent) where `fisher` is true.
    """

    estimate: float
    low: float
    high: float
    p_value: float
    n: int
    error: float
    fisher: bool = False

    def interval(self, level: float):
        """Return (low, high) at another level, such as ``1 - .05 / m`` for a screen of m.

        >>> found = mean_over_groups([1.0, 2.0, 3.0, 2.0], list("abcd"))
        >>> [round(float(end), 2) for end in found.interval(0.5)]
        [1.69, 2.31]
        """
        from scipy.stats import t

        if not 0 < level < 1:
            raise InputError(f"level must lie between 0 and 1, such as 0.95, but is {level}")
        half = t.ppf((1 + level) / 2, np.maximum(self.n - 1, 1)) * self.error
        place = _z(self.estimate) if self.fisher else np.asarray(self.estimate, float)
        ends = place - half, place + half
        if not self.fisher:
            return ends
        low, high = (
            np.tanh(end) for end in ends
        )  # z of a correlation of 1 is cut, and its ends would leave it out
        return np.minimum(low, self.estimate), np.maximum(high, self.estimate)

    def p_above(self, threshold: float):
        """Return the one-sided p-value of the quantity being no larger than `threshold`; small: it is larger.

        >>> found = mean_over_groups([1.0, 2.0, 3.0, 2.0], list("abcd"))
        >>> bool(found.p_above(0) < 0.01), round(float(found.p_above(2.0)), 3)
        (True, 0.5)
        """
        from scipy.stats import t

        place, bar = (_z(v) if self.fisher else np.asarray(v, float) for v in (self.estimate, threshold))
        return t.sf(_over(place - bar, self.error), np.maximum(self.n - 1, 1))

    def p_below(self, threshold: float):
        """Return the one-sided p-value of the quantity being no smaller than `threshold`; small: it is smaller."""
        return 1 - self.p_above(threshold)


def from_left_out(
    estimate, left_out, *, n=None, fisher: bool = False, level: float = 0.95, fewest: int = FEWEST_GROUPS
) -> OverGroups:
    """Return the interval of an estimate from its values with each group left out.

    Parameters
    ----------
    estimate : float or (...) float
        Of all groups.
    left_out : (G, ...) float
        Without each group in turn.
    n : int or (...) int, optional
        Number of groups; by default G.
    fisher : bool
        Whether these are correlations, whose interval is formed on Fisher's z.
    level : float
    fewest : int

    Returns
    -------
    OverGroups
        Interval, error and p-value are NaN for fewer than `fewest` groups, or where an estimate is NaN.

    Examples
    --------
    Of a mean it is Student's interval.

    >>> found = from_left_out(2.0, [2 + 1 / 3, 2.0, 2.0, 2 - 1 / 3])  # of 1, 2, 2, 3
    >>> round(found.error, 4), round(found.low, 3), round(found.high, 3)
    (0.4082, 0.701, 3.299)
    """
    from scipy.stats import t

    estimate, left_out = np.asarray(estimate, float), np.asarray(left_out, float)
    n = np.asarray(len(left_out) if n is None else n)
    place, places = (_z(estimate), _z(left_out)) if fisher else (estimate, left_out)
    enough = n >= fewest
    squares = np.square(places - place).sum(axis=0)
    error = np.where(enough, np.sqrt((n - 1) / np.maximum(n, 1) * squares), np.nan)
    ends = OverGroups(estimate, None, None, None, n, error, fisher).interval(level)
    p_value = 2 * t.sf(np.abs(_over(place, error)), np.maximum(n - 1, 1))
    parts = (np.asarray(v) for v in (estimate, *ends, p_value, n, error))
    return OverGroups(*[v if v.ndim else v.item() for v in parts], fisher=fisher)


def jackknife(statistic: Callable[[np.ndarray], float], groups, *, fisher: bool = False, level: float = 0.95):
    """Return `statistic` of all models with its interval over groups, each left out in turn.

    Parameters
    ----------
    statistic : function of an int index array (m,) -> float or (...) float
        Computes the number from the models with these indices, everything that is fitted anew included.
    groups : (n,) of str or int
        Group of each model.
    fisher, level
        As for `from_left_out`.

    Returns
    -------
    OverGroups

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 2.0, 3.0])
    >>> round(jackknife(lambda i: x[i].mean(), list("abcd")).low, 3)
    0.701
    """
    names, group = np.unique(np.asarray(groups), return_inverse=True)
    if group.ndim != 1 or not len(group):
        raise InputError("an interval over groups needs one group per model, but was given none")
    left_out = [statistic(np.flatnonzero(group != g)) for g in range(len(names))]
    return from_left_out(statistic(np.arange(len(group))), left_out, fisher=fisher, level=level)


def mean_over_groups(values, groups, *, level: float = 0.95) -> OverGroups:
    """Return the mean over groups of their members' mean: each group counts once, however many members it has.

    Parameters
    ----------
    values : (n,) float
        One per model, such as a difference or a paired difference of squared errors; NaN is left out.
    groups : (n,) of str or int

    Examples
    --------
    >>> mean_over_groups([1.0, 3.0, 4.0, 0.0, 2.0], list("aabcd")).estimate
    2.0
    """
    values, groups = np.asarray(values, dtype=np.float64), np.asarray(groups)
    if values.ndim != 1 or groups.shape != values.shape:
        raise InputError(
            f"one value and one group per model are needed, but the shapes are {values.shape} and {groups.shape}"
        )
    known = np.isfinite(values)
    names, group = np.unique(groups[known], return_inverse=True)
    if not len(names):
        nothing = float("nan")
        return OverGroups(nothing, nothing, nothing, nothing, 0, nothing)
    means = np.bincount(group, values[known]) / np.bincount(group)
    g = len(means)
    left_out = (means.sum() - means) / (g - 1) if g > 1 else np.full(1, np.nan)
    return from_left_out(means.mean(), left_out, level=level, fewest=2)


def slope_over_groups(x, y, groups, *, level: float = 0.95) -> OverGroups:
    """Return the mean over groups of the least-squares slope of y on x within each: a seed's slope is the unit.

    Parameters
    ----------
    x, y : (n,) float
        One pair per run; pairs with NaN are left out.
    groups : (n,) of str or int
        Such as the seed of each run. A group with a single x has no slope and does not count.

    Examples
    --------
    >>> found = slope_over_groups([0, 1] * 4, [0, 1, 5, 6, 0, 2, 1, 1], list("aabbccdd"))
    >>> found.estimate, found.n  # slopes of 1, 1, 2 and 0
    (1.0, 4)
    """
    x, y, groups = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64), np.asarray(groups)
    if x.ndim != 1 or not x.shape == y.shape == groups.shape:
        raise InputError(
            f"one x, y and group per run are needed, but the shapes are {x.shape}, {y.shape} and {groups.shape}"
        )
    known = np.isfinite(x) & np.isfinite(y)
    slopes, names = [], []
    for name in np.unique(groups[known]):
        own = known & (groups == name)
        if np.ptp(x[own]) > 0:
            centred = x[own] - x[own].mean()
            slopes.append(centred @ y[own] / (centred @ centred))
            names.append(name)
    return mean_over_groups(slopes, names, level=level)


def _z(r):
    return np.arctanh(np.clip(np.asarray(r, float), -NEAR_ONE, NEAR_ONE))


def _over(difference, error):
    """Return difference / error, where nothing varies: 0 of no difference, infinite of one."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where((error == 0) & (np.abs(difference) < 1e-12), 0.0, difference / error)
