"""Intervals and nulls by resampling: whole families of models, and purities permuted among models.

Networks of one family are not independent draws, so an interval over models resamples whole families
(a cluster bootstrap; Davison and Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8).
A ratio that shares its denominator with its target is correlated with it by that alone (Pearson 1897),
so it stands beside `shared_denominator_null`.
"""

from collections.abc import Callable

import numpy as np

from robustshape.errors import InputError
from robustshape.statistics.correlations import paired

FEWEST_FAMILIES = 4  # below it an interval over families is not formed


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


def correlation_over_families(
    x, y, families, *, rng: np.random.Generator, draws: int = 1000, given=None
) -> np.ndarray:
    """Return r(x, y), or the partial r given a third, over resamples of whole families; all draws at once.

    The same as `bootstrap_over_families` of `pearson` or `partial_correlation`, up to rounding: a family drawn k times
    weighs k-fold, and a partial correlation follows from the three correlations.

    Parameters
    ----------
    x, y, families : (n,)
        One value, one value and one family per model.
    rng : numpy.random.Generator
    draws : int
    given : (n,) float, optional
        What is held fixed.

    Returns
    -------
    (draws,) float
        NaN as in `bootstrap_over_families`, and where a resample has too little variation.

    Examples
    --------
    >>> x, families = np.array([1.0, 2.0, 3.0, 4.0]), ["a", "b", "c", "d"]
    >>> found = correlation_over_families(x, 2 * x, families, rng=np.random.default_rng(0), draws=50)
    >>> bool(np.nanmin(found) > 0.999999)
    True
    """
    columns = paired(x, y) if given is None else paired(x, y, given)
    names, family = np.unique(np.asarray(families), return_inverse=True)
    if len(names) < FEWEST_FAMILIES:
        return np.full(draws, np.nan)
    drawn = rng.integers(len(names), size=(draws, len(names)))
    counts = (drawn[:, :, None] == np.arange(len(names))).sum(1)  # (draw, family)
    weights = counts[:, family].astype(float)
    weights /= weights.sum(1, keepdims=True)
    values = np.array([column - column.mean() for column in columns])  # (column, model)
    means = weights @ values.T
    products = np.einsum("bn,in,jn->bij", weights, values, values) - means[:, :, None] * means[:, None]
    spread = np.sqrt(np.maximum(np.einsum("bii->bi", products), 0))
    flat = (spread <= 1e-9 * np.abs(values).max(1)).any(1) | (counts.astype(bool).sum(1) < 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = products / (spread[:, :, None] * spread[:, None])
        found = r[:, 0, 1]
        if given is not None:
            left = (1 - r[:, 0, 2] ** 2) * (1 - r[:, 1, 2] ** 2)
            found = (found - r[:, 0, 2] * r[:, 1, 2]) / np.sqrt(left)
            models = (weights > 0).sum(1)
            flat |= (left <= 1e-12) | (models <= 3)
    return np.where(flat, np.nan, np.clip(found, -1, 1))


def few_clusters_p_value(r: float, draws, families: int) -> float:
    """Return a two-sided p-value of a correlation that is not smaller than so few families allow.

    The larger of the bootstrap's own (`bootstrap_p_value`) and Student's t of Fisher's z over its bootstrap standard
    deviation with one degree of freedom less than there are families: resampling few families understates how much
    another set of them would differ (Cameron, Gelbach, Miller 2008, Rev. Econ. Stat. 90).

    >>> draws = np.random.default_rng(0).normal(0.8, 0.12, 1000)
    >>> few_clusters_p_value(0.8, draws, 5) > bootstrap_p_value(draws)
    True
    """
    from scipy.stats import t

    known = np.asarray(draws, dtype=np.float64)
    known = known[np.isfinite(known)]
    own = bootstrap_p_value(draws)
    if not np.isfinite(own) or families < 2:
        return own
    spread = np.arctanh(np.clip(known, -0.999999, 0.999999)).std(ddof=1)
    score = abs(np.arctanh(np.clip(r, -0.999999, 0.999999))) / max(spread, 1e-12)
    return float(max(own, 2 * t.sf(score, families - 1)))


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
    purity, accuracy, robustness = paired(purity, accuracy, robustness)
    if not (accuracy > 0).all():
        raise InputError("the clean accuracies must be above 0 to divide by them")
    ratios = rng.permuted(np.tile(purity, (n, 1)), axis=1) / accuracy
    ratios -= ratios.mean(axis=1, keepdims=True)
    target = robustness - robustness.mean()
    with np.errstate(invalid="ignore", divide="ignore"):
        return (ratios @ target) / np.sqrt((ratios**2).sum(axis=1) * (target @ target))
