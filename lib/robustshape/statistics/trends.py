"""The slope of a line through runs, with an interval that does not presume equal scatter everywhere."""

import numpy as np

from robustshape.errors import InputError
from robustshape.statistics.correlations import paired
from robustshape.statistics.inference import Estimate


def slope(x, y, level: float = 0.95, *, groups=None) -> Estimate:
    """Return the least-squares slope of y on x with a heteroscedasticity-consistent interval.

    The standard error is HC3 (MacKinnon, White 1985, J. Econometrics 29), which weighs each residual by how much its
    point pulls the line: where scatter grows with x, or the relation is bent, the usual one is too small. Interval and
    two-sided p-value against 0 follow Student's t with n - 2 degrees of freedom.

    Parameters
    ----------
    x, y : (n,) float
        One value per run; pairs with NaN are left out.
    level : float
    groups : (n,), optional
        Runs of one group, such as a seed, have a level of their own: the slope is that within groups, and each of them
        costs a degree of freedom. A group of one run says nothing of the slope, for it is its level: it is left out.

    Returns
    -------
    Estimate
        In units of y per unit of x; all NaN where fewer than four runs or a single x is left. Interval and p-value are
        NaN where one run alone decides the slope, the only one at its x while all others share theirs: the line meets
        it whatever its y, so nothing says how far it scatters.

    Examples
    --------
    >>> found = slope([0, 0, 1, 1, 2, 2], [0.1, -0.1, 1.1, 0.9, 2.1, 1.9])
    >>> round(found.estimate, 6), round(found.low, 2), round(found.high, 2), found.n
    (1.0, 0.76, 1.24, 6)
    """
    from scipy.stats import t

    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    group = np.zeros(x.shape, int) if groups is None else np.asarray(groups)
    if group.shape != x.shape:
        raise InputError(
            f"a slope needs a group for each run, but was given {group.shape} for {x.shape} runs"
        )
    if x.shape == y.shape:
        there = np.isfinite(x) & np.isfinite(y)
        x, y, group = x[there], y[there], group[there]
    x, y = paired(x, y)  # other lengths raise
    if groups is not None:
        _, group, size = np.unique(group, return_inverse=True, return_counts=True)
        x, y, group = (v[size[group] > 1] for v in (x, y, group))
    _, group, size = np.unique(group, return_inverse=True, return_counts=True)
    n, nothing = len(x), float("nan")
    freedom = n - len(size) - 1
    centred, above = (v - (np.bincount(group, v) / size)[group] for v in (x, y)) if n else (x, y)
    spread = centred @ centred
    if n < 4 or freedom < 1 or spread <= 1e-18 * (x @ x):  # but for rounding, a single x in every group
        return Estimate(nothing, nothing, nothing, nothing, n)
    found = float(centred @ above / spread)
    residual = above - found * centred
    pull = 1 / size[group] + centred**2 / spread
    if pull.max() > 1 - 1e-9:
        return Estimate(found, nothing, nothing, nothing, n)
    scatter = (residual / (1 - pull)) ** 2
    error = float(np.sqrt((centred**2) @ scatter) / spread)
    half = float(t.ppf((1 + level) / 2, freedom)) * error
    p_value = float(2 * t.sf(abs(found) / error, freedom)) if error > 0 else float(found == 0)
    return Estimate(found, found - half, found + half, p_value, n)
