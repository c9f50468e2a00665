"""Which of two numbers predicts better? Squared errors on families that were left out, compared network by network.

The larger of several correlations is a biased bar: on noise alone one number falls short of the better of two others. So
predictors are compared by what they predict of a family that neither was fitted on, and where a rival is the better
of several, it is chosen on the other families too. Recipes have a level of their own, as in `centring`.
"""

from dataclasses import dataclass

import numpy as np

from robustshape.errors import InputError
from robustshape.statistics.correlations import paired
from robustshape.statistics.jackknife import OverGroups, jackknife


@dataclass(frozen=True)
class LeftOut:
    """What lines fitted on all other families make of each network."""

    errors: np.ndarray  # (n, p): y less its prediction
    of_mean: (
        np.ndarray
    )  # (n,): y less the mean of the other families with the same recipe, no predictor at all
    fitted: np.ndarray  # (n, p): sum of squared residuals on the other families


def left_out_errors(x, y, families, recipes=None) -> LeftOut:
    """Return the errors of lines fitted on all other families, and how large theirs are there.

    Parameters
    ----------
    x : (n,) or (n, p) float
        p predictors, each with a line of its own.
    y : (n,) float
    families, recipes : (n,) of str or int

    Returns
    -------
    LeftOut
        NaN where no other family has the recipe, or x does not vary without the family.

    Examples
    --------
    Each is predicted by the line through the other two, or by their mean.

    >>> found = left_out_errors([0, 1, 2], [0, 1, 4], list("abc"))
    >>> found.errors.ravel().round(6).tolist(), found.of_mean.round(6).tolist()
    ([2.0, -1.0, 2.0], [-2.5, -1.0, 3.5])
    """
    x, y = paired(x, y)
    x, families = x[:, None] if x.ndim == 1 else x, np.asarray(families)
    recipes = np.zeros(len(y), int) if recipes is None else np.asarray(recipes)
    if y.ndim != 1 or not families.shape == recipes.shape == y.shape:
        shapes = [a.shape for a in (y, families, recipes)]
        raise InputError(f"one y, family and recipe per model are needed, but the shapes are {shapes}")
    names, family = np.unique(families, return_inverse=True)
    kinds, recipe = np.unique(recipes, return_inverse=True)
    size = np.bincount(recipe)
    z = np.column_stack([x, y])
    of_recipe = np.zeros((len(kinds), z.shape[1]))
    np.add.at(of_recipe, recipe, z)
    z = z - (of_recipe / size[:, None])[recipe]  # so that sums over others are those of the own, negative
    count = np.tile(size, (len(names), 1))  # (family, recipe), of the others
    sums, own = np.zeros((*count.shape, z.shape[1])), np.zeros((len(names), z.shape[1], z.shape[1]))
    np.subtract.at(count, (family, recipe), 1)
    np.subtract.at(sums, (family, recipe), z)
    np.add.at(own, family, z[:, :, None] * z[:, None, :])
    means = sums / np.where(count > 0, count, 1)[:, :, None]
    whole = z.T @ z
    products = whole - own - np.einsum("gr,gri,grj->gij", count, means, means)
    spread = np.einsum("gii->gi", products)[:, :-1]  # (family, p)
    rounding = 1e-12 * np.diag(whole)[:-1] + 1e-18 * np.square(x).sum(axis=0)
    spread = np.where(spread > rounding, spread, np.nan)
    slope = products[:, :-1, -1] / spread
    left = z - np.where(count[family, recipe, None] > 0, means[family, recipe], np.nan)  # (n, p + 1)
    fitted = products[:, -1, -1][:, None] - slope**2 * spread
    return LeftOut(left[:, -1:] - left[:, :-1] * slope[family], left[:, -1], fitted[family])


def advantage(x, rivals, y, families, recipes=None, *, level: float = 0.95) -> OverGroups:
    """Return by how much more of the variance x predicts than the best of its rivals, on families left out.

    The difference of out-of-sample R^2, ``(mean squared error of the rival - that of x) / that of the mean``, every mean
    over families of their members'. Which rival is best is decided in each fold on the families that are fitted. The
    interval is the jackknife over families of the whole computation.

    Parameters
    ----------
    x : (n,) float
    rivals : (n,) or (n, p) float
    y, families, recipes
        As for `left_out_errors`; models that have not all numbers are left out.
    level : float

    Returns
    -------
    OverGroups
        Above 0 where x predicts better.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, noise = rng.normal(size=40), rng.normal(size=(40, 2))
    >>> found = advantage(x, noise, x + noise[:, 0] / 2, np.arange(40))
    >>> round(found.estimate, 1), bool(found.low > 0)
    (0.5, True)
    """
    x, y, rivals = (np.asarray(a, dtype=np.float64) for a in (x, y, rivals))
    families = np.asarray(families)
    recipes = np.zeros(len(families), int) if recipes is None else np.asarray(recipes)
    if (
        x.ndim != 1
        or rivals.ndim == 0
        or not len(x) == len(y) == len(rivals) == len(families) == len(recipes)
    ):
        shapes = [a.shape for a in (x, rivals, y, families, recipes)]
        raise InputError(
            f"one row per model is needed in x, rivals, y, families and recipes, but the shapes are {shapes}"
        )
    columns = np.column_stack([x, rivals])
    there = np.isfinite(columns).all(axis=1) & np.isfinite(y)
    columns, y, families, recipes = columns[there], y[there], families[there], recipes[there]
    if not len(y):
        return OverGroups(*[float("nan")] * 4, 0, float("nan"))

    def difference(i):
        found = left_out_errors(columns[i], y[i], families[i], recipes[i])
        best = np.argmin(np.nan_to_num(found.fitted[:, 1:], nan=np.inf), axis=1)
        rival = found.errors[np.arange(len(i)), 1 + best]
        of_rival, of_x, of_none = (
            mean_square(e, families[i]) for e in (rival, found.errors[:, 0], found.of_mean)
        )
        return (of_rival - of_x) / of_none if of_none > 0 else float("nan")

    return jackknife(difference, families, level=level)


def added(x, given, y, families, recipes=None, *, level: float = 0.95) -> OverGroups:
    """Return by how much less of y is mispredicted of families left out when x stands beside what is given.

    ``1 - mean squared error with x / mean squared error without``, both by least squares on all other families with a
    level for each recipe, every mean over families of their members'. The interval is the jackknife over families.

    Parameters
    ----------
    x, given, y : (n,) float
    families, recipes : (n,) of str or int
    level : float

    Returns
    -------
    OverGroups
        Above 0 where x adds something, below where its noise costs more than it tells.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, given, noise = rng.normal(size=(3, 40))
    >>> found = added(x, given, given + x + noise / 10, np.arange(40))
    >>> round(found.estimate, 2), bool(found.low > 0)
    (0.99, True)
    """
    x, given, y = (np.asarray(a, dtype=np.float64) for a in (x, given, y))
    families = np.asarray(families)
    recipes = np.zeros(len(y), int) if recipes is None else np.asarray(recipes)
    there = np.isfinite(x) & np.isfinite(given) & np.isfinite(y)
    x, given, y, families, recipes = (a[there] for a in (x, given, y, families, recipes))
    if len(set(families)) < 4:
        return OverGroups(*[float("nan")] * 4, len(set(families)), float("nan"))
    levels = (recipes[:, None] == np.unique(recipes)).astype(float)
    without, beside = np.column_stack([levels, given]), np.column_stack([levels, given, x])

    def share(i):
        small, large = (
            mean_square(_left_out(design[i], y[i], families[i]), families[i]) for design in (without, beside)
        )
        return 1 - large / small if small > 0 else float("nan")

    return jackknife(share, families, level=level)


def _left_out(design, y, families) -> np.ndarray:
    """Return y less what least squares on all other families predict; NaN where those cannot fix a column that is used."""
    errors = np.full(len(y), np.nan)
    for family in np.unique(families):
        own = families == family
        fitted, *_ = np.linalg.lstsq(design[~own], y[~own], rcond=None)
        unseen = (np.abs(design[~own]).sum(0) == 0) & (np.abs(design[own]) > 0)
        errors[own] = np.where(unseen.any(1), np.nan, y[own] - design[own] @ fitted)
    return errors


def mean_square(errors, families) -> float:
    """Return the mean over families of the mean squared error of their members, those without one left out.

    >>> mean_square([1.0, 3.0, 2.0], ["a", "a", "b"])  # 5 of a, 4 of b
    4.5
    """
    errors, families = np.asarray(errors, dtype=np.float64), np.asarray(families)
    known = np.isfinite(errors)
    if not known.any():
        return float("nan")
    _, family = np.unique(families[known], return_inverse=True)
    return float((np.bincount(family, errors[known] ** 2) / np.bincount(family)).mean())
