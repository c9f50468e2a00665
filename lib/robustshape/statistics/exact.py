"""The exact interval of a share of families, for counts on which a resampling interval has no width.

If all families lie on one side, every resample of them does. The interval of Clopper and Pearson (1934, Biometrika 26)
holds at least its level whatever the share and the number.
"""

from dataclasses import dataclass

import numpy as np

from robustshape.errors import InputError


@dataclass(frozen=True)
class ExactShare:
    """A share ``count / n`` with its exact interval and its two-sided p-value against one half (the sign test)."""

    estimate: float
    low: float
    high: float
    p_value: float
    n: int
    count: int

    def p_above(self, threshold: float) -> float:
        """Return the exact p-value of the share being no larger than `threshold`: so many or more in binomial draws.

        >>> exact_share(3, 3).p_above(0.5)
        0.125
        """
        from scipy.stats import binom

        return float(binom.sf(self.count - 1, self.n, np.clip(threshold, 0, 1))) if self.n else float("nan")

    def p_below(self, threshold: float) -> float:
        """Return the exact p-value of the share being no smaller than `threshold`: so many or fewer."""
        from scipy.stats import binom

        return float(binom.cdf(self.count, self.n, np.clip(threshold, 0, 1))) if self.n else float("nan")


def exact_share(count: int, n: int, level: float = 0.95) -> ExactShare:
    """Return the share `count` of `n` with the interval of Clopper and Pearson.

    Parameters
    ----------
    count, n : int
        0 <= count <= n. Of no families at all nothing is known: NaN.
    level : float

    Examples
    --------
    Ten of ten: the lower end is the tenth root of .025.

    >>> found = exact_share(10, 10)
    >>> round(found.low, 4), found.high, round(found.p_value, 4)
    (0.6915, 1.0, 0.002)
    """
    if not (0 <= count <= n and int(count) == count and int(n) == n):
        raise InputError(f"a share needs whole numbers, 0 <= count <= n, but was given {count} of {n}")
    if not 0 < level < 1:
        raise InputError(f"level must lie between 0 and 1, such as 0.95, but is {level}")
    nothing = float("nan")
    if n == 0:
        return ExactShare(nothing, nothing, nothing, nothing, 0, 0)
    low, high = share_interval(count, n, level)
    share = ExactShare(count / n, low, high, nothing, int(n), int(count))
    p_value = min(1.0, 2 * min(share.p_above(0.5), share.p_below(0.5)))
    return ExactShare(share.estimate, low, high, p_value, int(n), int(count))


def share_interval(count: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return the interval of Clopper and Pearson of the share ``count / n``; a count may be a sum of shares of each.

    >>> [round(end, 4) for end in share_interval(10, 10)]
    [0.6915, 1.0]
    """
    from scipy.stats import beta

    tail = (1 - level) / 2
    low = float(beta.ppf(tail, count, n - count + 1)) if count > 0 else 0.0
    high = float(beta.isf(tail, count + 1, n - count)) if count < n else 1.0
    return low, high


def share_of_families(values, families, *, above: float = 0.0, level: float = 0.95) -> ExactShare:
    """Return the share of families whose median member lies above a number: each family has one vote.

    Parameters
    ----------
    values : (n,) float
        One per model; NaN is left out, and so is a family whose median is that very number, as in the sign test.
    families : (n,) of str or int
    above, level : float

    Examples
    --------
    >>> share_of_families([1, 2, -1, -5, 3, 0], list("aaabbc")).count, share_of_families([1, -2], list("ab")).n
    (1, 2)
    """
    values, families = np.asarray(values, dtype=np.float64), np.asarray(families)
    if values.ndim != 1 or families.shape != values.shape:
        raise InputError(
            f"one value and one family per model are needed, but the shapes are {values.shape} and {families.shape}"
        )
    known = np.isfinite(values)
    medians = [np.median(values[known & (families == name)]) for name in np.unique(families[known])]
    sides = [m > above for m in medians if m != above]
    return exact_share(sum(sides), len(sides), level)
