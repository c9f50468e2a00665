"""What a population of G families can decide: how often each verdict comes at a true effect.

By the t distribution: the estimate is normal about the truth (on Fisher's z for a correlation), its squared standard
error is chi-squared with G - 1 degrees of freedom, and the two are independent. `simulation` draws networks instead: the
two agree to a few points from 12 families on, while at 6 this promises up to ten points too much.
"""

import numpy as np

from robustshape.errors import InputError
from robustshape.statistics.exact import share_interval
from robustshape.statistics.verdict import (
    FAILS,
    FAILS_SMALL,
    HOLDS,
    HOLDS_SMALL,
    NEGLIGIBLE,
    UNTOLD,
)

STEPS = 4000  # of the integral over the standard error


def within_family_correlation(values, families, recipes=None) -> float:
    """Return how alike the members of a family are once the recipe is taken out: the intraclass correlation.

    ``(MS_between - MS_within) / (MS_between + (m - 1) MS_within)`` of recipe-centred values, with the mean squares of
    the analysis of variance (families, and recipes crossed with them) and m the mean family size, adjusted for unequal
    ones (Donner, Koval 1980, Biometrics 36). Unbiased where every family has every recipe, nearly so where few miss.

    Parameters
    ----------
    values : (n,) float
        One per model; NaN is left out.
    families : (n,) of str or int
    recipes : (n,) of str or int, optional

    Returns
    -------
    float
        At most 1; below 0 where members differ more than families do. NaN for fewer than two families or no family of two.

    Examples
    --------
    >>> round(within_family_correlation([1, 1.2, 2, 2.1, 3, 3.3], list("aabbcc")), 2)
    0.98
    """
    values, families = np.asarray(values, dtype=np.float64), np.asarray(families)
    recipes = np.zeros(len(values), int) if recipes is None else np.asarray(recipes)
    if values.ndim != 1 or not values.shape == families.shape == recipes.shape:
        shapes = [a.shape for a in (values, families, recipes)]
        raise InputError(f"one value, family and recipe per model are needed, but the shapes are {shapes}")
    known = np.isfinite(values)
    values = values[known]
    _, family, size = np.unique(families[known], return_inverse=True, return_counts=True)
    _, recipe, trained = np.unique(recipes[known], return_inverse=True, return_counts=True)
    n, free = len(values), len(values) - len(size) - len(trained) + 1
    if len(size) < 2 or free < 1:
        return float("nan")
    values = values - (np.bincount(recipe, values) / trained)[recipe]
    means = np.bincount(family, values) / size
    between = (size * np.square(means)).sum() / (len(size) - 1)
    within = np.square(values - means[family]).sum() / free
    m = (n - np.square(size).sum() / n) / (len(size) - 1)
    total = between + (m - 1) * within
    return float((between - within) / total) if total > 0 else float("nan")


def expected_error(families: int, recipes: int = 1, *, within: float = 0.0, covariates: int = 1) -> float:
    """Return the standard error of Fisher's z to expect of a recipe-centred (partial) correlation near 0.

    ``sqrt((1 + (m - 1) w^2) / (G m - m - k - 2))`` for G families of m recipes, k covariates, and a within-family
    correlation w of both columns after centring: what a family's members share counts only where both columns share it.

    Examples
    --------
    >>> round(expected_error(48), 3), round(expected_error(48, 4), 3), round(expected_error(48, 4, within=0.5), 3)
    (0.151, 0.074, 0.097)
    """
    free = families * recipes - recipes - covariates - 2
    if free < 1:
        raise InputError(
            f"{families} families of {recipes} networks with {covariates} covariates leave nothing to tell"
        )
    return float(np.sqrt((1 + (recipes - 1) * within**2) / free))


def chances(
    true: float, smallest: float, error: float, groups: int, *, fisher: bool = True, level: float = 0.95
) -> dict:
    """Return how often each verdict comes, by word, where the true effect is `true`.

    Parameters
    ----------
    true, smallest : float
        Turned so that the claimed side is positive; correlations unless `fisher` is false.
    error : float
        The estimate's true standard error, on Fisher's z for a correlation (`expected_error`).
    groups : int
        At least two.

    Returns
    -------
    dict of str -> float
        Sums to 1. The power at d is that of "holds" and "holds, small" at true = d, that at 0 is "negligible".

    Examples
    --------
    >>> at_zero = chances(0.0, 0.3, expected_error(48, 4, within=0.5), 48)
    >>> round(at_zero["negligible"], 1), round(at_zero["holds, small"] + at_zero["holds"], 3)
    (0.8, 0.025)
    """
    from scipy.stats import chi2, norm, t

    if groups < 2 or not error > 0 or not smallest > 0:
        raise InputError(
            "chances need at least two groups, an error and a smallest effect above 0, "
            f"but were given {groups}, {error} and {smallest}"
        )
    place, d = (np.arctanh(v) if fisher else v for v in (true, smallest))
    shares = (np.arange(STEPS) + 0.5) / STEPS
    half = t.ppf((1 + level) / 2, groups - 1) * error * np.sqrt(chi2.ppf(shares, groups - 1) / (groups - 1))

    def between(low, high):
        return float(np.maximum(norm.cdf((high - place) / error) - norm.cdf((low - place) / error), 0).mean())

    within = np.minimum(half, d - half)
    found = {
        HOLDS: between(np.maximum(half, d), np.inf),
        HOLDS_SMALL: between(half, np.maximum(half, d)),
        FAILS: between(-np.inf, -np.maximum(half, d)),
        FAILS_SMALL: between(-np.maximum(half, d), -half),
        NEGLIGIBLE: between(-within, np.abs(within)),  # nothing where the interval is wider than -d to d
    }
    return found | {UNTOLD: max(0.0, 1 - sum(found.values()))}


def power(
    smallest: float, error: float, groups: int, *, fisher: bool = True, level: float = 0.95
) -> tuple[float, float]:
    """Return how often a population decides at d (that the claim holds, small or not) and at 0 (that it is negligible).

    >>> at_d, at_zero = power(0.3, expected_error(48, 4, within=0.06), 48)
    >>> round(at_d, 2), round(at_zero, 2)
    (0.98, 0.94)
    """
    how = {"fisher": fisher, "level": level}
    at_d = chances(smallest, smallest, error, groups, **how)
    return at_d[HOLDS] + at_d[HOLDS_SMALL], chances(0.0, smallest, error, groups, **how)[NEGLIGIBLE]


def power_of_share(smallest: float, threshold: float, n: int) -> tuple[float, float]:
    """Return the same of the share of `n` families, claimed to lie above a threshold, with its exact interval.

    Of six families all must agree to say that more than one half do, which they seldom do where three quarters would.

    >>> at_d, at_zero = power_of_share(0.25, 0.5, 6)
    >>> round(at_d, 3), at_zero
    (0.178, 0.0)
    """
    from scipy.stats import binom

    ends = np.array([share_interval(count, n) for count in range(n + 1)])
    low, high = ends.T - threshold
    within = (low > -smallest) & (low <= 0) & (high >= 0) & (high < smallest)
    true = np.array([[min(threshold + smallest, 1.0)], [threshold]])
    at_d, at_zero = binom.pmf(np.arange(n + 1), n, true)
    return float(at_d[low > 0].sum()), float(at_zero[within].sum())
