"""The direction in StyleSpace along which an attribute changes: a ridge regression of the attribute on many samples' styles.

An attribute such as blur is spread over many dimensions, so no single one stands for it.
"""

from typing import NamedTuple

import numpy as np

PENALTIES = np.logspace(-1, 5, 13)  # of the ridge, chosen by leaving one sample out
N_FOLDS = 5


class Direction(NamedTuple):
    """Where an attribute rises in StyleSpace."""

    weights: (
        np.ndarray
    )  # (size,) of unit length; of styles in units of their deviations; 0 where there is no direction
    explained: (
        float  # share of the attribute's variance within classes, of samples left out; NaN: no direction
    )


def attribute_direction(styles, values, labels, deviations) -> Direction:
    """Return the direction in which an attribute rises, whatever the class.

    Parameters
    ----------
    styles : (n, size) float
    values : (n,) float
        The attribute of each sample's image; NaN where there is none, which are left out.
    labels : (n,) int
        Classes: from styles and values the mean of the class is taken, for the direction is not to lead to another class.
    deviations : (size,) float
        Units of the dimensions; one of 0 never moves.

    Returns
    -------
    Direction
        Styles follow from a code of fewer dimensions, so many directions fit alike; the penalty takes the shortest,
        which stays among the styles that the generator's mapping makes. There is none if fewer than two samples a fold
        have a value, or all samples of each class have the same.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> styles, labels = rng.normal(size=(200, 3)) * [1, 2, 0], np.arange(200) % 2
    >>> found = attribute_direction(styles, styles[:, 1] + 10 * labels, labels, np.array([1, 2, 0]))
    >>> abs(found.weights.round(2)), round(found.explained, 2)
    (array([0., 1., 0.]), 1.0)
    """
    from sklearn.linear_model import RidgeCV
    from sklearn.model_selection import KFold, cross_val_score

    there = np.isfinite(values)
    values, labels = np.asarray(values, dtype=float)[there], np.asarray(labels)[there]
    scaled = np.divide(
        np.asarray(styles, dtype=float)[there],
        deviations,
        out=np.zeros((len(values), len(deviations))),
        where=np.asarray(deviations) > 0,
    )
    x, y = _within(scaled, labels), _within(values[:, None], labels)[:, 0]
    if len(y) < 2 * N_FOLDS or not y.any() or not x.any():
        return Direction(np.zeros(len(deviations)), float("nan"))
    ridge = RidgeCV(PENALTIES, fit_intercept=False)
    folds = KFold(N_FOLDS, shuffle=True, random_state=0)
    explained = cross_val_score(ridge, x, y, cv=folds, scoring="r2").mean()
    weights = ridge.fit(x, y).coef_
    return Direction(weights / np.linalg.norm(weights), float(explained))


def _within(columns, labels):
    """Return columns (n, k) less their mean over the class."""
    columns = columns.copy()
    for k in np.unique(labels):
        columns[labels == k] -= columns[labels == k].mean(axis=0)
    return columns
