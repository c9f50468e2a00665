"""What is said of a k* distribution: skewness, pattern, its interval, and what chance alone would give.

Gamma saturates near the floor of shuffled labels (for C balanced classes about (2 - p) / sqrt(1 - p) with
p = 1 - 1/C; 3.5 for ten), and |gamma| of n samples cannot exceed (n - 2) / sqrt(n - 1): so neither is shown without
`permutation_floor`, nor without the mean normalised k* beside it.
"""

import numpy as np

from robustshape.errors import InputError

BAND = 0.5  # gamma above it: fractured; below -BAND: clustered; otherwise overlapped
SMALL_CLASS = 20  # fewer samples: computed, marked, and warned about


def skewness(values) -> float:
    """Return the biased Fisher-Pearson skewness ``g1 = m3 / m2^1.5``; NaN for constant or no values.

    >>> round(skewness([0, 0, 0, 1]), 4), skewness([1, 1])
    (1.1547, nan)
    """
    values = np.asarray(values, dtype=np.float64)
    # asked of the values: the mean of equal ones can be off by rounding, and then m2 is not 0
    if not len(values) or np.ptp(values) == 0:
        return float("nan")
    centred = values - values.mean()
    return float(np.mean(centred**3) / np.mean(centred**2) ** 1.5)


def class_patterns(gamma: np.ndarray, groups: list[np.ndarray]) -> np.ndarray:
    """Return the pattern of each class from its gamma or, for a constant class, from its ranks.

    All k* = n_c is clustered, all k* = 1 is fractured, another constant overlapped; one sample, undefined.

    >>> groups = [np.ones(3), np.full(3, 1 / 3), np.ones(1), np.array([0.2, 0.2, 1.0])]
    >>> class_patterns(np.array([np.nan, np.nan, np.nan, 0.7]), groups).tolist()
    ['clustered', 'fractured', 'undefined', 'fractured']
    """
    pattern = np.where(gamma > BAND, "fractured", np.where(gamma < -BAND, "clustered", "overlapped"))
    pattern = pattern.astype(object)
    for c, values in enumerate(groups):
        if len(values) == 1:
            pattern[c] = "undefined"
        elif np.isnan(gamma[c]) and values[0] == 1:
            pattern[c] = "clustered"
        elif np.isnan(gamma[c]) and np.isclose(values[0] * len(values), 1):
            pattern[c] = "fractured"
    return pattern


def bootstrap_intervals(
    normalised_rank, labels, *, rng: np.random.Generator, n_draws: int = 1000, level: float = 0.95
) -> dict[str, tuple[float, float]]:
    """Return percentile intervals over samples, resampled with replacement within each class.

    The ranks stay fixed: a resample with duplicates at distance zero would spoil recomputed ones. What the
    neighbours' own variation adds is not in these intervals.

    Parameters
    ----------
    normalised_rank : (n,) float
    labels : (n,) int
    rng : numpy.random.Generator
    n_draws : int
    level : float

    Returns
    -------
    dict of name -> (low, high)
        ``true_skewness``, ``approximate_skewness``, ``mean_normalised_rank``.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> found = bootstrap_intervals(rng.beta(1, 3, size=400), np.repeat([0, 1], 200), rng=rng)
    >>> low, high = found["mean_normalised_rank"]
    >>> bool(0.2 < low < high < 0.3), sorted(found)
    (True, ['approximate_skewness', 'mean_normalised_rank', 'true_skewness'])
    """
    draws = bootstrap_draws(normalised_rank, labels, rng=rng, n_draws=n_draws)
    if not 0 < level < 1:
        raise InputError(f"level must lie between 0 and 1, such as 0.95, but is {level}")
    ends = [(1 - level) / 2, (1 + level) / 2]
    intervals = {}
    for name, values in draws.items():
        known = values[np.isfinite(values)]
        if values.ndim == 1:  # a statistic that is undefined in every draw has no interval
            intervals[name] = tuple(np.quantile(known, ends).tolist()) if len(known) else (np.nan, np.nan)
    return intervals


def bootstrap_draws(
    normalised_rank, labels, *, rng: np.random.Generator, n_draws: int = 1000
) -> dict[str, np.ndarray]:
    """Return the draws behind `bootstrap_intervals`, and those of every class.

    Returns
    -------
    dict
        ``true_skewness``, ``approximate_skewness``, ``mean_normalised_rank`` (n_draws,), and ``skewness``
        (n_draws, class). A class that is constant in a draw has no skewness there (NaN).
    """
    values, labels = np.asarray(normalised_rank, dtype=np.float64), np.asarray(labels)
    if values.shape != labels.shape or values.ndim != 1 or not len(values):
        raise InputError(
            f"one label per rank is needed, but the shapes are {values.shape} and {labels.shape}"
        )
    if n_draws < 1:
        raise InputError(f"n_draws must be at least 1, but is {n_draws}")
    n, centre = len(values), values.mean()
    classes, member = np.unique(labels, return_inverse=True)
    gamma = np.full((n_draws, len(classes)), np.nan)
    pooled = np.zeros((3, n_draws))  # sums of the first three powers about the mean of all
    for c in range(len(classes)):
        group = values[member == c]
        shift = group.mean() - centre
        distinct, count = np.unique(group, return_counts=True)
        # a class resampled with replacement is a multinomial count of its distinct ranks
        drawn = rng.multinomial(len(group), count / len(group), size=n_draws).astype(np.float64)
        w = distinct - group.mean()
        s1, s2, s3 = (
            drawn @ np.column_stack([w, w**2, w**3])
        ).T  # about the class's own mean: no cancellation
        pooled += [
            s1 + len(group) * shift,
            s2 + 2 * shift * s1 + len(group) * shift**2,
            s3 + 3 * shift * s2 + 3 * shift**2 * s1 + len(group) * shift**3,
        ]
        constant = (drawn > 0).sum(axis=1) < 2
        gamma[:, c] = np.where(constant, np.nan, _skewness_of_sums(s1, s2, s3, len(group)))
    defined = np.isfinite(gamma)
    n_defined = defined.sum(axis=1)
    total = np.where(defined, gamma, 0.0).sum(axis=1)
    return {
        "true_skewness": _skewness_of_sums(*pooled, n),
        "approximate_skewness": np.where(n_defined > 0, total / np.maximum(n_defined, 1), np.nan),
        "mean_normalised_rank": centre + pooled[0] / n,
        "skewness": gamma,
    }


def _skewness_of_sums(s1, s2, s3, n: int) -> np.ndarray:
    """Return g1 from the sums of the first three powers of n values about any point near their mean."""
    mean = s1 / n
    m2 = s2 / n - mean**2
    m3 = s3 / n - 3 * mean * s2 / n + 2 * mean**3
    return np.where(m2 > 1e-30, m3 / np.maximum(m2, 1e-30) ** 1.5, np.nan)


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
        ``mean_normalised_rank`` (over samples).

    Examples
    --------
    Ten classes of 1,000: gamma is 3.48, as strong as any network's, while k* is 1.11 on average.

    >>> floor = permutation_floor([1000] * 10)
    >>> round(float(floor["approximate_skewness"]), 2), round(1000 * float(floor["mean_normalised_rank"]), 2)
    (3.48, 1.11)
    """
    import xarray as xr

    sizes = np.asarray(class_sizes)
    if sizes.ndim != 1 or len(sizes) < 2 or sizes.dtype.kind not in "iu" or np.any(sizes < 1):
        raise InputError(
            f"the floor needs the sizes of at least two classes, each 1 or more; given {sizes.tolist()}"
        )
    total = int(sizes.sum())
    moments = {}  # by class size: the first three moments about 0 of normalised k*
    for size in np.unique(sizes).tolist():
        t = np.arange(size - 1)
        beyond = np.append(1.0, np.cumprod((size - 1 - t) / (total - 1 - t)))  # P(k* > s), s = 0 .. size - 1
        chance = beyond - np.append(beyond[1:], 0.0)  # P(k* = s + 1)
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


def _skewness_of_moments(m: np.ndarray) -> float:
    """Return g1 from the first three moments about 0."""
    variance = m[1] - m[0] ** 2
    if variance <= 1e-14 * m[1]:
        return float("nan")
    return float((m[2] - 3 * m[0] * m[1] + 2 * m[0] ** 3) / variance**1.5)
