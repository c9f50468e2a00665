"""A null by permutation: what a ratio that shares its denominator with its target gives by that alone (Pearson 1897)."""

import numpy as np

from robustshape.errors import InputError
from robustshape.statistics.correlations import paired


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
