"""Correlation and partial correlation over families, the recipe of training taken out as a fixed effect.

Recipes are crossed with families and few: they are no replicates. A recipe that shifts two numbers makes them correlate
over networks, which says nothing about networks of one recipe. So every column is centred within its recipe before it
is correlated, and anew with each family left out.
"""

import numpy as np

from robustshape.errors import InputError
from robustshape.statistics.jackknife import OverGroups, from_left_out

FLAT = 1e-10  # of a column's variance: what is less is rounding


def correlate_over_families(
    x, y, families, *, given=None, recipes=None, pairwise: bool = False, level: float = 0.95
) -> OverGroups:
    """Return Pearson's r, or the partial r given covariates, of recipe-centred columns, with its interval over families.

    For rank correlations give ranks. All leave-outs and all columns are computed at once.

    Parameters
    ----------
    x : (n,) or (n, p) float
        One row per model: p indicators. NaN where a model has none; each pair of columns takes the models that have both.
    y : (n,) or (n, q) float, or a function
        q targets. A function is given which models are kept (n,) bool and returns them for all models, so that what is
        fitted (such as the line of `effective_robustness`) is fitted anew without the family.
    families : (n,) of str or int
    given : (n,) or (n, k) float, optional
        Held fixed, such as clean accuracy; finite.
    recipes : (n,) of str or int, optional
        A level of its own for each; by default one for all models.
    pairwise : bool
        Column i of x with column i of y only (p = q), instead of each with each.
    level : float

    Returns
    -------
    OverGroups
        Floats for two flat arrays, else arrays (p, q), or (p,) if pairwise; flat inputs have no axis. `n` is the number of
        families of the pair. The estimate is NaN where a column is constant within recipes, where the covariates explain
        it, or where there are not two models more than recipes and covariates; interval and p-value are NaN also where that
        is so without one of the families, and for fewer than four families.

    Raises
    ------
    InputError
        If the lengths differ, a covariate is not finite, or `pairwise` columns do not pair up.

    Examples
    --------
    Two recipes shift both numbers; within a recipe they oppose each other.

    >>> x, y = [1, 2, 3, 4, 11, 12, 13, 14], [4, 3, 1, 2, 14, 13, 11, 12]
    >>> families, recipes = list("abcdabcd"), ["plain"] * 4 + ["mixup"] * 4
    >>> round(correlate_over_families(x, y, families).estimate, 2)
    0.91
    >>> found = correlate_over_families(x, y, families, recipes=recipes)
    >>> round(found.estimate, 2), found.n
    (-0.8, 4)
    """
    families = np.asarray(families)
    n = families.shape[0] if families.ndim else 0
    target = y if callable(y) else lambda kept: y
    of_all = np.asarray(target(np.ones(n, bool)), dtype=np.float64)
    x = np.asarray(x, dtype=np.float64)
    given = np.empty((n, 0)) if given is None else np.asarray(given, dtype=np.float64)
    recipes = np.zeros(n, int) if recipes is None else np.asarray(recipes)
    if families.ndim != 1 or any(a.ndim == 0 or len(a) != n for a in (x, of_all, given, recipes)):
        shapes = [a.shape for a in (x, of_all, families, given, recipes)]
        raise InputError(
            f"one row per model is needed in x, y, families, given and recipes, but the shapes are {shapes}"
        )
    if not np.isfinite(given).all():
        raise InputError(
            "NaN or infinity among the covariates; leave out the models that have no such number"
        )
    flat = x.ndim == 1, of_all.ndim == 1
    x, of_all, given = (a[:, None] if a.ndim == 1 else a for a in (x, of_all, given))
    if pairwise and x.shape != of_all.shape:
        raise InputError(f"pairwise columns must pair up, but x is {x.shape} and y {of_all.shape}")

    shape = (x.shape[1],) if pairwise else (x.shape[1], of_all.shape[1])
    parts = [np.full(shape, np.nan) for _ in range(5)]  # estimate, low, high, p-value, error
    counts = np.zeros(shape, int)
    # of no models at all every number is NaN
    for of_x, of_y, there in _patterns(np.isfinite(x), np.isfinite(of_all), pairwise) if n else ():
        names, family = np.unique(families[there], return_inverse=True)
        kept = np.vstack([np.ones(len(family), bool), family != np.arange(len(names))[:, None]])
        ys = (
            np.stack([_target(target, there, fold, of_y) for fold in kept])
            if callable(y)
            else of_all[there][:, of_y]
        )
        r = _folds(x[there][:, of_x], ys, kept, given[there], recipes[there], pairwise)
        found = from_left_out(r[0], r[1:], fisher=True, level=level)
        place = of_x if pairwise else np.ix_(of_x, of_y)
        counts[place] = len(names)
        for part, value in zip(parts, (found.estimate, found.low, found.high, found.p_value, found.error)):
            part[place] = value
    squeeze = [v[..., 0] if flat[1] and not pairwise else v for v in (*parts, counts)]
    first = [v[0] if flat[0] else v for v in squeeze]
    estimate, low, high, p_value, error, counts = [v if v.ndim else v.item() for v in first]
    return OverGroups(estimate, low, high, p_value, counts, error, fisher=True)


def _patterns(of_x, of_y, pairwise: bool):
    """Yield the columns of x and of y, by number, that the same models have, and which models (n,) bool."""
    if pairwise:
        masks, which = np.unique((of_x & of_y).T, axis=0, return_inverse=True)
        for i, mask in enumerate(masks):
            columns = np.flatnonzero(which.ravel() == i)
            if mask.any():
                yield columns, columns, mask
        return
    (x_masks, x_which), (y_masks, y_which) = (
        np.unique(of.T, axis=0, return_inverse=True) for of in (of_x, of_y)
    )
    for i, x_mask in enumerate(x_masks):
        for j, y_mask in enumerate(y_masks):
            if (x_mask & y_mask).any():
                yield (
                    np.flatnonzero(x_which.ravel() == i),
                    np.flatnonzero(y_which.ravel() == j),
                    x_mask & y_mask,
                )


def _target(target, there, fold, columns):
    """Return the target of the models that are there, as it is where only those of the fold are kept."""
    kept = there.copy()
    kept[there] = fold
    values = np.asarray(target(kept), dtype=np.float64)
    return (values[:, None] if values.ndim == 1 else values)[there][:, columns]


def _folds(x, y, kept, given, recipes, pairwise: bool):
    """Return the (partial) correlations in each fold: (fold, p, q), or (fold, p) if pairwise.

    x (n, p), y (n, q) or (fold, n, q), kept (fold, n) bool, given (n, k), recipes (n,).
    """
    names, recipe = np.unique(recipes, return_inverse=True)
    member = (recipe[:, None] == np.arange(len(names))).astype(float)  # (n, recipe)
    weights = kept.astype(float)
    counts = weights @ member  # (fold, recipe)
    per_model = weights / np.maximum(counts, 1)[:, recipe]  # weight of a model in its recipe's mean

    def centred(values):
        axes = "fn,nr,nc->frc" if values.ndim == 2 else "fn,nr,fnc->frc"
        means = np.einsum(axes, per_model, member, values, optimize=True)
        return (values - means[:, recipe]) * weights[:, :, None]  # (fold, n, column)

    scale = given.std(axis=0)
    covariates = centred(given / np.where(scale > 0, scale, 1))
    columns = centred(x), centred(y)
    before = [np.square(c).sum(axis=1) for c in columns]
    spent = (counts > 0).sum(axis=1)
    if given.shape[1]:
        # a covariate that does not vary within recipes in this fold, or follows from the others, is passed over
        spread, axes = np.linalg.eigh(covariates.transpose(0, 2, 1) @ covariates)
        known = spread > FLAT * len(x)
        spent = spent + known.sum(axis=1)
        axes = np.where(known, 1 / np.sqrt(np.where(known, spread, 1)), 0)[:, None] * axes
        basis = covariates @ axes  # (fold, n, k), orthonormal columns
        columns = [c - basis @ (basis.transpose(0, 2, 1) @ c) for c in columns]
    squares = [np.square(c).sum(axis=1) for c in columns]
    sizes = np.abs(x).max(axis=0), np.abs(y).max(axis=-2)
    free = (weights.sum(axis=1) - spent >= 2)[:, None]
    roots = [
        np.where((s > FLAT * b) & (b > 1e-18 * np.square(size) * len(x)) & free, np.sqrt(s), np.nan)
        for s, b, size in zip(squares, before, sizes)
    ]
    with np.errstate(invalid="ignore"):
        if pairwise:
            return np.clip((columns[0] * columns[1]).sum(axis=1) / (roots[0] * roots[1]), -1, 1)
        products = columns[0].transpose(0, 2, 1) @ columns[1]
        return np.clip(products / (roots[0][:, :, None] * roots[1][:, None, :]), -1, 1)
