"""How often the rule of the verdict errs and decides, and what its intervals cover, by drawing networks.

A population is families x recipes. Two numbers of every network have a correlation r within a recipe; a part of each is
shared by a family, and every recipe shifts both by about a standard deviation, which must not count.
"""

import numpy as np

from robustshape.errors import InputError
from robustshape.statistics.centring import correlate_over_families
from robustshape.statistics.verdict import DECIDED, UNTOLD, verdict

AT_ONCE = 200  # populations in memory at a time


def draw_population(
    r: float,
    families,
    recipes,
    *,
    rng: np.random.Generator,
    draws: int,
    within: float = 0.3,
    shift: float = 1.0,
):
    """Return two numbers of every network, correlated by r within a recipe: x and y, each (n, draws) float.

    Parameters
    ----------
    r : float
        True correlation, of what a family shares and of what it does not alike.
    families, recipes : (n,) int
        Of each network.
    rng : numpy.random.Generator
    draws : int
    within : float
        Share of the variance that a family's members have in common, 0 to 1.
    shift : float
        Standard deviation of what a recipe adds.

    Examples
    --------
    >>> x, y = draw_population(0.6, np.arange(2000), np.zeros(2000, int), rng=np.random.default_rng(0), draws=1)
    >>> round(float(np.corrcoef(x[:, 0], y[:, 0])[0, 1]), 1)
    0.6
    """
    families, recipes = np.asarray(families), np.asarray(recipes)
    if not -1 <= r <= 1 or not 0 <= within <= 1 or families.shape != recipes.shape or families.ndim != 1:
        raise InputError(
            f"a population needs r from -1 to 1, a shared part from 0 to 1 and a family and recipe per network, but was "
            f"given {r}, {within}, {families.shape} and {recipes.shape}"
        )

    def pair(groups):
        x, other = rng.normal(size=(2, groups.max() + 1, draws))
        return np.stack([x, r * x + np.sqrt(1 - r**2) * other])[:, groups]

    mixed = np.sqrt(within) * pair(families) + np.sqrt(1 - within) * pair(np.arange(len(families)))
    mixed += shift * rng.normal(size=(2, recipes.max() + 1, draws))[:, recipes]
    return mixed[0], mixed[1]


def verdict_table(
    *, rng: np.random.Generator, draws: int = 2000, families=(6, 12, 24, 48), recipes=(1, 4), effects=(0.0, 0.3, 0.6),
    smallest: float = 0.3, within: float = 0.3,
):  # fmt: skip
    """Return how often each verdict comes, and the interval covers, for populations of several sizes.

    Parameters
    ----------
    rng : numpy.random.Generator
    draws : int
        Populations of each kind: 2,000 give a share to about half a point.
    families, recipes, effects : sequences
        Numbers of families and of recipes, and true correlations: by default none, d and 2 d.
    smallest : float
        d.
    within : float
        Share of the variance that a family's members have in common.

    Returns
    -------
    pandas.DataFrame
        A line for each: families, recipes, effect, the share of each verdict by its word, and ``coverage``.
    """
    import pandas as pd

    lines = []
    for g in families:
        for m in recipes:
            family, recipe = np.repeat(np.arange(g), m), np.tile(np.arange(m), g)
            for effect in effects:
                ends = _intervals(effect, family, recipe, rng=rng, draws=draws, within=within)
                words = [verdict(*found, smallest) for found in ends]
                shares = {word: words.count(word) / draws for word in (*DECIDED, UNTOLD)}
                covered = float(np.mean((ends[:, 1] <= effect) & (effect <= ends[:, 2])))
                lines.append({"families": g, "recipes": m, "effect": effect, **shares, "coverage": covered})
    return pd.DataFrame(lines)


def coverage(
    families: int, *, rng: np.random.Generator, draws: int = 2000, r: float = 0.0, within: float = 0.3, largest: int = 8,
) -> float:  # fmt: skip
    """Return how often the 95 % interval holds the true r for families of 1 to `largest` members, sizes drawn once.

    >>> 0.9 < coverage(12, rng=np.random.default_rng(0), draws=400) < 0.99
    True
    """
    family = np.repeat(np.arange(families), rng.integers(1, largest + 1, size=families))
    ends = _intervals(r, family, np.zeros(len(family), int), rng=rng, draws=draws, within=within)
    return float(np.mean((ends[:, 1] <= r) & (r <= ends[:, 2])))


def _intervals(r, family, recipe, *, rng, draws: int, within: float) -> np.ndarray:
    """Return the estimate and both ends of the interval of every draw: (draws, 3)."""
    found = []
    for start in range(0, draws, AT_ONCE):
        n = min(AT_ONCE, draws - start)
        x, y = draw_population(r, family, recipe, rng=rng, draws=n, within=within)
        over = correlate_over_families(x, y, family, recipes=recipe, pairwise=True)
        found.append(np.stack([over.estimate, over.low, over.high], axis=1))
    return np.concatenate(found)
