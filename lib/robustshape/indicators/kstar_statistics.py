"""What is said of a k* distribution: skewness, pattern, and its interval.

Gamma saturates near the floor of shuffled labels (`kstar_chance`; 3.5 for ten classes of a size), and |gamma|
of n samples cannot exceed (n - 2) / sqrt(n - 1): so neither is shown without that floor, nor without the
mean normalised k* beside it. `kstar_resampling` recomputes the ranks to check both the interval and the floor.
"""

import numpy as np

from robustshape.errors import InputError

BAND = 0.5  # gamma above it: fractured; below -BAND: clustered; otherwise overlapped
SMALL_CLASS = 20  # fewer samples: computed, marked, and warned about
DRAWN_AT_ONCE = 1 << 23  # counts of the bootstrap held together (64 MB)


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


def rank_statistics(normalised_rank, labels) -> dict:
    """Return the numbers of a k* distribution from its normalised ranks; the skewness of each class in one pass.

    Parameters
    ----------
    normalised_rank : (n,) float
        k* divided by the size of the sample's class.
    labels : (n,) int

    Returns
    -------
    dict
        ``true_skewness`` = Gamma (all samples pooled), ``approximate_skewness`` = Gamma' (mean gamma of the classes
        that have one), ``mean_normalised_rank``, ``n_undefined`` (classes that have none), and ``skewness``
        (class,), classes in the order of their labels.

    Examples
    --------
    >>> found = rank_statistics([0.25, 0.25, 0.25, 1.0, 0.5, 0.5], [0, 0, 0, 0, 1, 1])
    >>> found["skewness"].round(4).tolist(), round(found["approximate_skewness"], 4), found["n_undefined"]
    ([1.1547, nan], 1.1547, 1)
    """
    values, labels = _paired(normalised_rank, labels)
    _, first, member, size = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    centred = values - (np.bincount(member, values) / size)[member]
    m2, m3 = (np.bincount(member, centred**power) / size for power in (2, 3))
    # asked of the values, as in `skewness`
    constant = np.bincount(member, values != values[first][member]) == 0
    gamma = np.where(constant, np.nan, m3 / np.where(constant, 1, m2) ** 1.5)
    known = gamma[~constant]
    return {
        "true_skewness": skewness(values),
        "approximate_skewness": float(known.mean()) if len(known) else float("nan"),
        "mean_normalised_rank": float(values.mean()),
        "n_undefined": int(constant.sum()),
        "skewness": gamma,
    }


def in_large_classes(labels, fewest: int = SMALL_CLASS) -> np.ndarray:
    """Return which samples (n,) bool are of a class of at least `fewest`: what to keep where small ones must go.

    Leave the others out before k* is computed, or they stay foreign neighbours of the rest.

    >>> in_large_classes([0, 0, 1, 0], fewest=2).tolist()
    [True, True, False, True]
    """
    _, member, size = np.unique(np.asarray(labels), return_inverse=True, return_counts=True)
    return size[member] >= fewest


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
    return {
        name: tuple(percentile_interval(values, level=level).tolist())
        for name, values in draws.items()
        if values.ndim == 1
    }


def percentile_interval(draws, *, level: float = 0.95) -> np.ndarray:
    """Return the central interval of draws along their first axis, (2, ...): low and high.

    Undefined draws (NaN) are left out; what is undefined in every draw has no interval (NaN).

    >>> percentile_interval([[1.0, np.nan], [2.0, np.nan], [3.0, np.nan]], level=0.5).tolist()
    [[1.5, nan], [2.5, nan]]
    """
    draws = np.asarray(draws, dtype=np.float64)
    if not 0 < level < 1:
        raise InputError(f"level must lie between 0 and 1, such as 0.95, but is {level}")
    if not len(draws):
        raise InputError(f"an interval needs at least one draw, but was given {draws.shape}")
    found = np.full((2, *draws.shape[1:]), np.nan)
    known = np.isfinite(draws).any(axis=0)
    found[:, known] = np.nanquantile(draws[:, known], [(1 - level) / 2, (1 + level) / 2], axis=0)
    return found


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
    values, labels = _paired(normalised_rank, labels)
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
        w = distinct - group.mean()  # about the class's own mean: no cancellation
        powers = np.column_stack([w, w**2, w**3])
        sums, constant = np.empty((n_draws, 3)), np.empty(n_draws, dtype=bool)
        step = max(1, DRAWN_AT_ONCE // len(distinct))
        for start in range(0, n_draws, step):
            part = slice(start, min(start + step, n_draws))
            # a class resampled with replacement is a multinomial count of its distinct ranks
            drawn = rng.multinomial(len(group), count / len(group), size=part.stop - start)
            constant[part] = (drawn > 0).sum(axis=1) < 2
            sums[part] = drawn.astype(np.float64) @ powers
        s1, s2, s3 = sums.T
        pooled += [
            s1 + len(group) * shift,
            s2 + 2 * shift * s1 + len(group) * shift**2,
            s3 + 3 * shift * s2 + 3 * shift**2 * s1 + len(group) * shift**3,
        ]
        gamma[:, c] = np.where(constant, np.nan, skewness_of_sums(s1, s2, s3, len(group)))
    defined = np.isfinite(gamma)
    n_defined = defined.sum(axis=1)
    total = np.where(defined, gamma, 0.0).sum(axis=1)
    return {
        "true_skewness": skewness_of_sums(*pooled, n),
        "approximate_skewness": np.where(n_defined > 0, total / np.maximum(n_defined, 1), np.nan),
        "mean_normalised_rank": centre + pooled[0] / n,
        "skewness": gamma,
    }


def _paired(normalised_rank, labels) -> tuple[np.ndarray, np.ndarray]:
    """Return both as arrays, or say why they are not one label per rank."""
    values, labels = np.asarray(normalised_rank, dtype=np.float64), np.asarray(labels)
    if values.shape != labels.shape or values.ndim != 1 or not len(values):
        raise InputError(
            f"one label per rank is needed, but the shapes are {values.shape} and {labels.shape}"
        )
    return values, labels


def skewness_of_sums(s1, s2, s3, n: int) -> np.ndarray:
    """Return g1 from the sums of the first three powers of n values about any point near their mean."""
    mean = s1 / n
    m2 = s2 / n - mean**2
    m3 = s3 / n - 3 * mean * s2 / n + 2 * mean**3
    return np.where(m2 > 1e-30, m3 / np.maximum(m2, 1e-30) ** 1.5, np.nan)
