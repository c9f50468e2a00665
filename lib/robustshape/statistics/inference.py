"""Intervals and p-values with a formula: shares, paired differences, and Holm's correction."""

from dataclasses import dataclass

import numpy as np

from robustshape.errors import InputError
from robustshape.statistics.correlations import paired


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % (or other) interval, its two-sided p-value and the number of replicates."""

    estimate: float
    low: float
    high: float
    p_value: float
    n: int


def holm(p_values) -> np.ndarray:
    """Return p-values adjusted by Holm's step-down rule (Holm 1979); an unknown one (NaN) counts as 1.

    >>> holm([0.01, 0.04, 0.03]).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.nan_to_num(np.asarray(p_values, dtype=np.float64), nan=1.0)
    if p.ndim != 1 or np.any((p < 0) | (p > 1)):
        raise InputError(f"p-values must be a flat list of numbers in [0, 1], but are {p.tolist()}")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return adjusted


def wilson_interval(correct, n, level: float = 0.95):
    """Return (low, high) of a share `correct` / `n` by Wilson's score interval (Wilson 1927).

    Numbers or arrays of one shape. For images drawn independently; it says nothing about other networks.

    >>> low, high = wilson_interval(8, 10)
    >>> round(float(low), 3), round(float(high), 3)
    (0.49, 0.943)
    """
    from scipy.stats import norm

    correct, n = np.asarray(correct, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if np.any(n <= 0) or np.any((correct < 0) | (correct > n)):
        raise InputError(f"a share needs 0 <= correct <= n and n > 0, but was given {correct} of {n}")
    z = norm.ppf((1 + level) / 2)
    share = correct / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # none or all correct: the end is exactly 0 or 1, which rounding misses
    low = np.where(correct == 0, 0.0, middle - half)
    return low[()], np.where(correct == n, 1.0, middle + half)[()]


def paired_difference(treated, control, level: float = 0.95) -> Estimate:
    """Return the mean of ``treated - control`` over pairs, with Student's t interval and p-value against 0.

    Fewer than two pairs have no interval: its ends and the p-value are NaN.

    >>> d = paired_difference([3.0, 4.0, 6.0], [2.0, 2.0, 3.0])
    >>> d.estimate, round(d.low, 3), round(d.high, 3), d.n
    (2.0, -0.484, 4.484, 3)
    """
    from scipy.stats import t

    treated, control = paired(treated, control)
    difference = treated - control
    n = len(difference)
    if n < 2:
        estimate = float(difference.mean()) if n else float("nan")
        return Estimate(estimate, float("nan"), float("nan"), float("nan"), n)
    mean, error = float(difference.mean()), float(difference.std(ddof=1) / np.sqrt(n))
    half = float(t.ppf((1 + level) / 2, n - 1)) * error
    p_value = float(2 * t.sf(abs(mean) / error, n - 1)) if error > 0 else float(mean == 0)
    return Estimate(mean, mean - half, mean + half, p_value, n)
