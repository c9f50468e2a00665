"""What chance alone gives of k*: its exact distribution under shuffled labels, and the skewness that follows.

For C balanced classes gamma tends to (2 - p) / sqrt(1 - p) with p = 1 - 1/C: 3.5 for ten, as strong as any
network's. Nothing is measured here; `kstar_resampling.permutation_baseline` shuffles the labels of given features.
"""

import numpy as np

from robustshape.errors import InputError
from robustshape.indicators.kstar_statistics import skewness_of_sums


def permutation_floor(class_sizes):
    """Return what shuffled labels give: the exact marginal distribution of k* has a closed form.

    Among the other N - 1 samples in random order, k* - 1 is the number of same-class ones before the first
    foreign one: negative hypergeometric, ``P(k* > s) = prod over t < s of (n_c - 1 - t) / (N - 1 - t)``.

    Parameters
    ----------
    class_sizes : (class,) int
        Samples of each class; at least two classes.

    Returns
    -------
    xarray.Dataset
        ``skewness (class)`` of that distribution (NaN for a class of one), ``mean (class)`` of normalised k*,
        ``true_skewness`` of the mixture over classes by size, ``approximate_skewness`` and
        ``mean_normalised_rank`` (over samples). They are those of the distribution: gamma of a class of few
        samples cannot be that large, see `expected_skewness`.

    Examples
    --------
    Ten classes of 1,000: gamma is 3.48, as strong as any network's, while k* is 1.11 on average.

    >>> floor = permutation_floor([1000] * 10)
    >>> round(float(floor["approximate_skewness"]), 2), round(1000 * float(floor["mean_normalised_rank"]), 2)
    (3.48, 1.11)
    """
    import xarray as xr

    sizes = _checked_sizes(class_sizes)
    total = int(sizes.sum())
    moments = {}  # by class size: the first three moments about 0 of normalised k*
    for size in np.unique(sizes).tolist():
        chance = _shuffled_chance(size, total)
        k = np.arange(1, size + 1) / size
        moments[size] = np.array([chance @ k, chance @ k**2, chance @ k**3])
    of_class = np.array([moments[size] for size in sizes.tolist()])  # (class, 3)
    gamma = np.array([_skewness_of_moments(m) for m in of_class])
    pooled = sizes @ of_class / total
    known = gamma[np.isfinite(gamma)]
    return xr.Dataset(
        {
            "skewness": ("class", gamma),
            "mean": ("class", of_class[:, 0]),
            "true_skewness": _skewness_of_moments(pooled),
            "approximate_skewness": float(known.mean()) if len(known) else np.nan,
            "mean_normalised_rank": float(pooled[0]),
        }
    )


def expected_skewness(class_sizes, *, rng: np.random.Generator, n_draws: int = 1000) -> np.ndarray:
    """Return the gamma that a class of each size has on average under shuffled labels, (class,).

    gamma of few samples of a skewed distribution is below the distribution's own (it is bounded by their number),
    so this, and not `permutation_floor`, is what Gamma' of small classes comes to: its mean is that Gamma'. Each
    draw takes n_c ranks from the exact distribution of `permutation_floor`, as if independent. They are nearly
    so but in the smallest classes, whose mutual neighbours come in pairs: about a tenth too much for 20 samples
    in each of 100 classes, where `kstar_resampling.permutation_baseline` tells.

    Parameters
    ----------
    class_sizes : (class,) int
        Samples of each class; at least two classes.
    rng : numpy.random.Generator
    n_draws : int
        Simulated classes of each size; constant ones have no gamma. NaN for a class of one.

    Examples
    --------
    A hundred classes of 20, whose distribution has a skewness of 10.3:

    >>> round(float(expected_skewness([20] * 100, rng=np.random.default_rng(0))[0]), 1)
    4.0
    """
    sizes = _checked_sizes(class_sizes)
    if n_draws < 1:
        raise InputError(f"n_draws must be at least 1, but is {n_draws}")
    total = int(sizes.sum())
    found = {}
    for size in np.unique(sizes).tolist():
        chance = _shuffled_chance(size, total)
        chance = chance[chance > 1e-15]  # they fall with k*; what is rarer is never drawn
        chance /= chance.sum()
        drawn = rng.multinomial(size, chance, size=n_draws).astype(np.float64)
        k = np.arange(1, len(chance) + 1) / size
        w = k - chance @ k
        gamma = skewness_of_sums(*(drawn @ np.column_stack([w, w**2, w**3])).T, size)
        gamma = gamma[(drawn > 0).sum(axis=1) > 1]
        found[size] = gamma.mean() if len(gamma) else np.nan
    return np.array([found[size] for size in sizes.tolist()])


def _checked_sizes(class_sizes) -> np.ndarray:
    """Return the sizes as an array, or say why there is no floor for them."""
    sizes = np.asarray(class_sizes)
    if sizes.ndim != 1 or len(sizes) < 2 or sizes.dtype.kind not in "iu" or np.any(sizes < 1):
        raise InputError(
            f"the floor needs the sizes of at least two classes, each 1 or more; given {sizes.tolist()}"
        )
    return sizes


def _shuffled_chance(size: int, total: int) -> np.ndarray:
    """Return P(k* = 1 .. size) of a class of `size` among `total` samples with shuffled labels."""
    t = np.arange(size - 1)
    beyond = np.append(1.0, np.cumprod((size - 1 - t) / (total - 1 - t)))  # P(k* > s), s = 0 .. size - 1
    return beyond - np.append(beyond[1:], 0.0)


def _skewness_of_moments(m: np.ndarray) -> float:
    """Return g1 from the first three moments about 0."""
    variance = m[1] - m[0] ** 2
    if variance <= 1e-14 * m[1]:
        return float("nan")
    return float((m[2] - 3 * m[0] * m[1] + 2 * m[0] ** 3) / variance**1.5)
