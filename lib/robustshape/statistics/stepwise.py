"""Forward choice of predictors by the error of leaving one out (PRESS; Allen 1974, Technometrics 16).

A choice belongs to the fit: whoever leaves a family out leaves it out of the choice, too.
"""

import numpy as np

from robustshape.statistics.correlations import paired

ROUNDING = 1e-9  # of a column's variation: what is left of one that the others determine


def choose(given, candidates, y, *, most: int = 2) -> list[int]:
    """Return which candidates a least-squares fit takes beside what is given, one after the other.

    Each time the candidate that lowers the sum of squared leave-one-out errors most, as long as one lowers it.

    Parameters
    ----------
    given : (n, g) float
        Columns that are always in the fit, beside a constant.
    candidates : (n, p) float
    y : (n,) float
    most : int
        How many are taken at most.

    Returns
    -------
    list of int
        Columns of `candidates`, in the order in which they were taken.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> given, x, noise = rng.normal(size=(3, 50, 1))
    >>> choose(given, np.column_stack([noise, x]), (given + x).ravel(), most=1)
    [1]
    """
    candidates, y = paired(candidates, y)
    basis, _ = np.linalg.qr(np.column_stack([np.ones(len(y)), given]))
    left, residual, leverage = (
        candidates - basis @ (basis.T @ candidates),
        y - basis @ (basis.T @ y),
        (basis**2).sum(1),
    )
    smallest = ROUNDING * np.square(candidates - candidates.mean(axis=0)).sum(axis=0) + 1e-24 * np.square(
        candidates
    ).sum(axis=0)
    chosen, press = [], _press(residual, leverage)
    while len(chosen) < most:
        size = np.square(left).sum(axis=0)
        free = size > smallest
        free[chosen] = False
        if not free.any():
            break
        unit = np.where(free, left, 0) / np.sqrt(np.where(free, size, 1))
        found = np.where(
            free, _press(residual[:, None] - unit * (residual @ unit), leverage[:, None] + unit**2), np.inf
        )
        best = int(np.argmin(found))
        if not found[best] < press:
            break
        own = unit[:, best]
        residual, leverage, press = residual - own * (own @ residual), leverage + own**2, found[best]
        left = left - np.outer(own, own @ left)
        chosen.append(best)
    return chosen


def _press(residual, leverage):
    """Return the sum of squared leave-one-out errors over the first axis; infinite where one value fixes itself."""
    room = 1 - leverage
    errors = np.divide(
        residual, room, out=np.full(np.broadcast(residual, room).shape, np.inf), where=room > ROUNDING
    )
    return np.square(errors).sum(axis=0)
