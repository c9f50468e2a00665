"""Split conformal intervals for a network of a new family: the family is the unit of calibration.

Vovk, Gammerman, Shafer 2005, "Algorithmic learning in a random world"; Dunn, Wasserman, Ramdas 2023, "Distribution-free
prediction sets for two-layer hierarchical models", JASA 118: with groups, one member of each is drawn at random, so that
the scores are exchangeable with that of a member of a new group, and what follows is averaged over draws. A score is the
absolute error of a prediction that was fitted without the family.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from robustshape.errors import InputError
from robustshape.statistics.correlations import paired

Predictor = Callable[
    [np.ndarray, np.ndarray, np.ndarray], np.ndarray
]  # x (n, p), y (n,), x of others (m, p) -> (m,)


@dataclass(frozen=True)
class Coverage:
    """How intervals did for families that neither the prediction nor the calibration had seen."""

    covered: float  # mean over families of the share of their members within the interval
    half_width: float  # median over families
    families: int


def least_squares(x, y, others) -> np.ndarray:
    """Return the predictions (m,) at `others` (m, p) of the plane fitted to x (n, p) and y (n,).

    >>> least_squares(np.array([[0.0], [1.0]]), np.array([1.0, 3.0]), np.array([[2.0]])).round(6).tolist()
    [5.0]
    """
    design = np.column_stack([np.ones(len(x)), x])
    return np.column_stack([np.ones(len(others)), others]) @ np.linalg.lstsq(design, y, rcond=None)[0]


def conformal_quantile(scores, level: float = 0.9) -> float:
    """Return the score that a new one stays below with at least the chance `level`: the ceil((n + 1) level)-th smallest.

    Infinite where there are too few scores for the level (nine are needed for .9).

    >>> conformal_quantile(range(1, 10)), conformal_quantile(range(1, 9))
    (9.0, inf)
    """
    scores = np.sort(np.asarray(scores, dtype=np.float64))
    if not 0 < level < 1:
        raise InputError(f"level must lie between 0 and 1, such as 0.9, but is {level}")
    if scores.ndim != 1 or np.isnan(scores).any():
        raise InputError(f"scores must be a flat list without NaN, but are {scores.shape}")
    place = int(np.ceil((len(scores) + 1) * level - 1e-9))
    return float(scores[place - 1]) if place <= len(scores) else float("inf")


def family_quantile(
    scores, families, *, rng: np.random.Generator, level: float = 0.9, draws: int = 200
) -> float:
    """Return the conformal quantile with one random member of each family, averaged over draws.

    Parameters
    ----------
    scores : (n,) float
        Absolute errors of every network, each predicted without its family.
    families : (n,) of str or int
    rng : numpy.random.Generator
    level : float
    draws : int
        Of a member for each family; one suffices where every family has one member.

    Returns
    -------
    float
        Infinite for too few families.

    Examples
    --------
    A family of many members weighs as much as the others.

    >>> scores, families = [*range(1, 10), *[9.0] * 50], [*range(9), *[8] * 50]
    >>> family_quantile(scores, families, rng=np.random.default_rng(0), level=0.5)
    5.0
    """
    scores = np.asarray(scores, dtype=np.float64)
    _, family = np.unique(np.asarray(families), return_inverse=True)
    if scores.ndim != 1 or family.shape != scores.shape:
        raise InputError(
            f"one score and one family per network are needed, but the shapes are {scores.shape} and {family.shape}"
        )
    members = [scores[family == g] for g in range(family.max() + 1 if len(family) else 0)]
    drawn = np.array([m[rng.integers(len(m), size=draws)] for m in members]).reshape(len(members), draws)
    return float(np.mean([conformal_quantile(one, level) for one in drawn.T]))


def left_out_predictions(x, y, families, predict: Predictor = least_squares) -> np.ndarray:
    """Return the prediction (n,) of every network from all networks of other families.

    >>> left_out_predictions([0.0, 1.0, 2.0], [0.0, 1.0, 4.0], list("abc")).round(6).tolist()
    [-2.0, 2.0, 2.0]
    """
    x, y, families = _checked(x, y, families)
    found = np.empty(len(y))
    for name in np.unique(families):
        own = families == name
        found[own] = predict(x[~own], y[~own], x[own])
    return found


def without_pairs(x, y, families, predict: Predictor = least_squares) -> np.ndarray:
    """Return the predictions (families, n) of every network without its own family and, in each line, without another.

    In the line of its own family a network is predicted without that alone, as by `left_out_predictions`. Both of a pair of
    families are predicted by one fit.

    >>> without_pairs([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 4.0, 9.0], list("abcd"))[0].round(6).tolist()
    [-3.333333, -1.0, 5.0, 7.0]
    """
    x, y, families = _checked(x, y, families)
    _, family = np.unique(families, return_inverse=True)
    members = [np.flatnonzero(family == g) for g in range(family.max() + 1)]
    found = np.empty((len(members), len(y)))
    for g, h in itertools.combinations_with_replacement(range(len(members)), 2):
        out = np.concatenate([members[i] for i in {g, h}])
        kept = np.delete(np.arange(len(y)), out)
        of_h, of_g = np.split(
            predict(x[kept], y[kept], x[np.concatenate([members[h], members[g]])]), [len(members[h])]
        )
        found[g, members[h]], found[h, members[g]] = of_h, of_g
    return found


def nested_coverage(
    y, families, predictions, *, rng: np.random.Generator, level: float = 0.9, draws: int = 50
) -> Coverage:
    """Return how often the interval holds a network of a family left out of prediction and calibration alike.

    The outer loop leaves a family out; an inner one, over the others, makes the scores.

    Parameters
    ----------
    y : (n,) float
    families : (n,) of str or int
    predictions : (families, n) float
        Of `without_pairs`.
    rng, level, draws
        As for `family_quantile`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=60)
    >>> y, families = x + rng.normal(size=60), np.arange(60)
    >>> found = nested_coverage(y, families, without_pairs(x, y, families), rng=rng)
    >>> 0.8 < found.covered < 1, found.families
    (True, 60)
    """
    y, families = np.asarray(y, float), np.asarray(families)
    names, shares, halves = np.unique(families), [], []
    for name, told in zip(names, predictions, strict=True):
        own, scores = families == name, np.abs(y - told)
        halves.append(family_quantile(scores[~own], families[~own], rng=rng, level=level, draws=draws))
        shares.append(np.mean(scores[own] <= halves[-1]))
    return Coverage(float(np.mean(shares)), float(np.median(halves)), len(names))


def _checked(x, y, families):
    """Return x as (n, p), y and families, of one length and at least three families."""
    x, y = paired(x, y)
    families = np.asarray(families)
    if y.ndim != 1 or families.shape != y.shape:
        raise InputError(
            f"one y and family per network are needed, but the shapes are {y.shape} and {families.shape}"
        )
    if len(np.unique(families)) < 3:
        raise InputError(
            f"a conformal interval needs at least three families, but was given {len(np.unique(families))}"
        )
    return x[:, None] if x.ndim == 1 else x, y, families
