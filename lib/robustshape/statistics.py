"""Statistics over models: correlations, intervals by resampling families, nulls, corrections.

Networks of one family are not independent draws, so an interval over models resamples whole families
(a cluster bootstrap; Davison and Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8).
A ratio that shares its denominator with its target is correlated with it by that alone (Pearson 1897),
so it stands beside `shared_denominator_null`. Everything here is arrays in, numbers out.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from robustshape.errors import InputError

FEWEST_FAMILIES = 4  # below it an interval over families is not formed


@dataclass(frozen=True)
class Line:
    """A straight line fitted by least squares, with the share of the variance that it explains."""

    slope: float
    intercept: float
    r_squared: float


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % (or other) interval, its two-sided p-value and the number of replicates."""

    estimate: float
    low: float
    high: float
    p_value: float
    n: int


def _paired(*arrays) -> list[np.ndarray]:
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
    x, y = _paired(x, y)
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

    x, y = _paired(x, y)
    return pearson(rankdata(x), rankdata(y))


def kendall(x, y) -> float:
    """Return Kendall's tau-b of two (n,) arrays; NaN where either is constant.

    >>> round(kendall([1, 2, 3, 40], [1, 3, 2, 4]), 6)
    0.666667
    """
    from scipy.stats import kendalltau

    x, y = _paired(x, y)
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
    x, y = _paired(x, y)
    if len(x) < 2 or np.ptp(x) == 0:
        return Line(float("nan"), float("nan"), float("nan"))
    centred = x - x.mean()
    slope = float(centred @ y / (centred @ centred))
    return Line(slope, float(y.mean() - slope * x.mean()), pearson(x, y) ** 2)


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
    x, y, given = _paired(x, y, given)
    given = given.reshape(len(given), -1)
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


def interval(values, level: float = 0.95) -> tuple[float, float]:
    """Return the central percentile interval of bootstrap draws.

    Draws that are NaN (degenerate resamples) are left out; where they are the majority, or there is no
    draw, nothing can be said and both ends are NaN.

    >>> interval([1.0, 2.0, 3.0, float("nan")], level=0.5)
    (1.5, 2.5)
    """
    values = np.asarray(values, dtype=np.float64)
    known = values[np.isfinite(values)]
    if not 0 < level < 1:
        raise InputError(f"level must lie between 0 and 1, such as 0.95, but is {level}")
    if not len(known) or 2 * len(known) < len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def bootstrap_p_value(draws, threshold: float = 0.0) -> float:
    """Return the two-sided p-value of a bootstrap distribution against a threshold.

    Twice the smaller share of draws on either side, one added above and below (Davison and Hinkley 1997,
    eq. 4.11), so that it is never 0; NaN draws are left out as in `interval`.

    >>> round(bootstrap_p_value([1.0] * 999), 3)
    0.002
    """
    draws = np.asarray(draws, dtype=np.float64)
    known = draws[np.isfinite(draws)]
    if not len(known) or 2 * len(known) < len(draws):
        return float("nan")
    tail = min(np.sum(known <= threshold), np.sum(known >= threshold))
    return float(min(1.0, 2 * (tail + 1) / (len(known) + 1)))


def bootstrap_over_families(
    statistic: Callable[[np.ndarray], float], families, *, rng: np.random.Generator, draws: int = 1000
) -> np.ndarray:
    """Return `statistic` over resamples of whole families with replacement.

    Parameters
    ----------
    statistic : function of an int index array (m,) -> float
        Computes the number from the models with these indices (a model may come several times).
    families : (n,) of str or int
        Family of each model. A family is drawn with all its members.
    rng : numpy.random.Generator
    draws : int

    Returns
    -------
    (draws,) float
        NaN where a resample holds one family only, which says nothing about families, or where
        `statistic` is NaN. With fewer than four families every draw is NaN: so few can be resampled in
        too few ways to say how much another set of families would differ.

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    >>> draws = bootstrap_over_families(lambda i: x[i].mean(), ["a", "a", "b", "c", "d"],
    ...                                 rng=np.random.default_rng(0), draws=200)
    >>> draws.shape, bool(np.nanmin(draws) >= 1.5), bool(np.nanmax(draws) <= 5)
    ((200,), True, True)
    """
    names, family = np.unique(np.asarray(families), return_inverse=True)
    if family.ndim != 1 or not len(family):
        raise InputError("a bootstrap over families needs one family per model, but was given none")
    members = [np.flatnonzero(family == k) for k in range(len(names))]
    values = np.full(draws, np.nan)
    for b, drawn in enumerate(rng.integers(len(names), size=(draws, len(names)))):
        if len(names) >= FEWEST_FAMILIES and np.any(drawn != drawn[0]):
            values[b] = statistic(np.concatenate([members[k] for k in drawn]))
    return values


def leave_one_group_out(statistic: Callable[[np.ndarray], float], groups) -> dict:
    """Return `statistic` of the indices of all models but those of one group, for each group in turn.

    >>> x = np.array([1.0, 2.0, 9.0])
    >>> leave_one_group_out(lambda i: float(x[i].mean()), ["a", "a", "b"])
    {'a': 9.0, 'b': 1.5}
    """
    groups = np.asarray(groups)
    return {name: statistic(np.flatnonzero(groups != name)) for name in np.unique(groups).tolist()}


def shared_denominator_null(
    purity, accuracy, robustness, rng: np.random.Generator, n: int = 1000
) -> np.ndarray:
    """Return r(purity / accuracy, R) with the purities permuted among the models.

    Both ratios divide by the clean accuracy, so they correlate even when the purities say nothing. The
    accuracies stay in place; what is left of r is the denominator's share.

    Parameters
    ----------
    purity, accuracy, robustness : (m,) float
        One value per model; accuracy > 0.
    rng : numpy.random.Generator
    n : int
        Number of permutations.

    Returns
    -------
    (n,) float

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> accuracy = np.linspace(0.3, 0.9, 20)
    >>> null = shared_denominator_null(rng.uniform(0.4, 0.6, 20), accuracy, 0.3 / accuracy, rng)
    >>> bool(null.mean() > 0.8)  # neither purity nor corrupted accuracy varies with anything
    True
    """
    purity, accuracy, robustness = _paired(purity, accuracy, robustness)
    if not (accuracy > 0).all():
        raise InputError("the clean accuracies must be above 0 to divide by them")
    ratios = rng.permuted(np.tile(purity, (n, 1)), axis=1) / accuracy
    ratios -= ratios.mean(axis=1, keepdims=True)
    target = robustness - robustness.mean()
    with np.errstate(invalid="ignore", divide="ignore"):
        return (ratios @ target) / np.sqrt((ratios**2).sum(axis=1) * (target @ target))


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

    treated, control = _paired(treated, control)
    difference = treated - control
    n = len(difference)
    if n < 2:
        estimate = float(difference.mean()) if n else float("nan")
        return Estimate(estimate, float("nan"), float("nan"), float("nan"), n)
    mean, error = float(difference.mean()), float(difference.std(ddof=1) / np.sqrt(n))
    half = float(t.ppf((1 + level) / 2, n - 1)) * error
    p_value = float(2 * t.sf(abs(mean) / error, n - 1)) if error > 0 else float(mean == 0)
    return Estimate(mean, mean - half, mean + half, p_value, n)
