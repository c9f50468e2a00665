"""The slope of a line through runs, with an interval that does not presume equal scatter everywhere."""

import numpy as np

from robustshape.statistics.correlations import paired
from robustshape.statistics.inference import Estimate


def slope(x, y, level: float = 0.95) -> Estimate:
    """Return the least-squares slope of y on x with a heteroscedasticity-consistent interval.

    The standard error is HC3 (MacKinnon, White 1985, J. Econometrics 29), which weighs each residual by how much its
    point pulls the line: where scatter grows with x, or the relation is bent, the usual one is too small. Interval and
    two-sided p-value against 0 follow Student's t with n - 2 degrees of freedom.

    Parameters
    ----------
    x, y : (n,) float
        One value per run; pairs with NaN are left out.
    level : float

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
    if x.shape == y.shape:
        there = np.isfinite(x) & np.isfinite(y)
        x, y = x[there], y[there]
    x, y = paired(x, y)  # other lengths raise
    n, nothing = len(x), float("nan")
    if n < 4 or np.ptp(x) == 0:
        return Estimate(nothing, nothing, nothing, nothing, n)
    centred = x - x.mean()
    spread = centred @ centred
    found = float(centred @ y / spread)
    residual = y - y.mean() - found * centred
    pull = 1 / n + centred**2 / spread
    if pull.max() > 1 - 1e-9:
        return Estimate(found, nothing, nothing, nothing, n)
    scatter = (residual / (1 - pull)) ** 2
    error = float(np.sqrt((centred**2) @ scatter) / spread)
    half = float(t.ppf((1 + level) / 2, n - 2)) * error
    p_value = float(2 * t.sf(abs(found) / error, n - 2)) if error > 0 else float(found == 0)
    return Estimate(found, found - half, found + half, p_value, n)
