"""What the bootstrap of fixed k* leaves out, and what shuffled labels give: both with the ranks recomputed.

A bootstrap of recomputed ranks is spoilt by its duplicates, which lie at distance zero; one of fixed ranks does not
let the neighbours vary. Halves drawn without replacement do, and hold no duplicate: this is the delete-d jackknife
(Shao and Wu 1989, "A general theory for jackknife variance estimation", Ann. Statist. 17) with d = n - m = n / 2.
The mean of m of n values varies by (1/m - 1/n) s^2 over such draws, which for halves is s^2 / n: the variance of
the mean of n independent ones. So the spread over halves is itself an estimate of the spread at n, although k*
(and Gamma) of a half is another number than that of the whole.

For shuffled labels the neighbours of a sample stay what they are and only their classes change, so the distances
are computed once for all shuffles.
"""

import numpy as np

from robustshape.errors import InputError
from robustshape.indicators.blocks import in_blocks
from robustshape.indicators.checks import centred, class_labels, in_memory
from robustshape.indicators.kstar import nearest_foreign_rank
from robustshape.indicators.kstar_chance import expected_skewness, permutation_floor
from robustshape.indicators.kstar_statistics import (
    bootstrap_draws,
    percentile_interval,
    rank_statistics,
)

STATISTICS = ("true_skewness", "approximate_skewness", "mean_normalised_rank")
MOST_NEIGHBOURS = 1000  # kept of each sample; the rare k* beyond them are computed one by one


def half_sample_check(
    features,
    labels,
    normalised_rank,
    *,
    rng: np.random.Generator,
    n_halves: int = 20,
    n_draws: int = 1000,
    metric: str = "euclidean",
):
    """Return the spread of Gamma, Gamma' and mean normalised k* over recomputed halves, beside the bootstrap's.

    Each half's k* is computed anew, in about a quarter of the time of the whole's.

    Parameters
    ----------
    features, labels, metric
        As for `kstar.nearest_foreign_rank`; at least one class of two samples.
    normalised_rank : (n,) float
        Their k* divided by class size, which the bootstrap resamples.
    rng : numpy.random.Generator
    n_halves : int
        At least 2. Each takes half of every class (rounded down, but one at least). Twenty give the standard
        deviation to about 16 %, 1 / sqrt(2 * 19).
    n_draws : int
        Of the bootstrap.

    Returns
    -------
    xarray.Dataset
        By ``statistic``: ``value`` of all samples, ``half_sample_sd`` = ``sqrt(m / (n - m))`` times the standard
        deviation over halves of m, ``bootstrap_sd``, and ``ratio``, the first divided by the second: above 1, the
        bootstrap's interval is too narrow by it. ``of_half (half, statistic)`` holds the halves' values. NaN
        where a statistic is undefined.

    Examples
    --------
    >>> from robustshape.indicators.kstar import kstar_distribution
    >>> rng = np.random.default_rng(0)
    >>> labels = np.repeat([0, 1], 200)
    >>> features = rng.normal(size=(400, 3)) + labels[:, None]
    >>> normalised = kstar_distribution(features, labels)["normalised_rank"]
    >>> found = half_sample_check(features, labels, normalised, rng=rng)
    >>> found["of_half"].shape, bool(found["ratio"].sel(statistic="mean_normalised_rank") > 1)
    ((20, 3), True)
    """
    import xarray as xr

    features, labels = features if in_blocks(features) else np.asarray(features), np.asarray(labels)
    if n_halves < 2:
        raise InputError(f"n_halves must be at least 2 for a spread, but is {n_halves}")
    value = rank_statistics(normalised_rank, labels)
    draws = bootstrap_draws(normalised_rank, labels, rng=rng, n_draws=n_draws)
    members = [np.flatnonzero(labels == c) for c in np.unique(labels)]
    n, m = len(labels), sum(max(1, len(member) // 2) for member in members)
    if m == n:
        raise InputError("halves need a class of at least two samples, but every class has one")
    of_half = np.empty((n_halves, len(STATISTICS)))
    for h in range(n_halves):
        half = np.sort(
            np.concatenate([rng.permutation(member)[: max(1, len(member) // 2)] for member in members])
        )
        rank = nearest_foreign_rank(features[half], labels[half], metric=metric)
        found = rank_statistics(_normalised(rank, labels[half]), labels[half])
        of_half[h] = [found[name] for name in STATISTICS]
    half_sample_sd = np.sqrt(m / (n - m)) * np.array([_spread(column) for column in of_half.T])
    bootstrap_sd = np.array([_spread(draws[name]) for name in STATISTICS])
    return xr.Dataset(
        {
            "value": ("statistic", [value[name] for name in STATISTICS]),
            "half_sample_sd": ("statistic", half_sample_sd),
            "bootstrap_sd": ("statistic", bootstrap_sd),
            "ratio": ("statistic", half_sample_sd / np.where(bootstrap_sd > 0, bootstrap_sd, np.nan)),
            "of_half": (("half", "statistic"), of_half),
        },
        coords={"statistic": np.array(STATISTICS, dtype=object)},
    )


def permutation_baseline(
    features,
    labels,
    *,
    rng: np.random.Generator,
    n_draws: int = 100,
    metric: str = "euclidean",
    level: float = 0.95,
):
    """Return Gamma, Gamma' and mean normalised k* of shuffled labels on the same features.

    Parameters
    ----------
    features, labels, metric
        As for `kstar.nearest_foreign_rank`, but no dask array: up to 1,000 neighbours of each sample are kept, and all
        features for the rare k* beyond them. Exactly tied neighbours come in no particular order here.
    rng : numpy.random.Generator
        Shuffles the labels.
    n_draws : int
        Shuffles.
    level : float

    Returns
    -------
    xarray.Dataset
        By ``statistic``: ``mean`` over shuffles, ``interval (bound, statistic)`` of them, ``expected`` from the
        class sizes alone (`kstar_chance.permutation_floor`, and for Gamma' the mean of `expected_skewness`,
        which heeds how few samples a class has), and ``of_draw (draw, statistic)``.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> found = permutation_baseline(rng.normal(size=(500, 3)), np.repeat(np.arange(5), 100), rng=rng)
    >>> found["mean"].values.round(1).tolist(), found["expected"].values.round(1).tolist()
    ([2.6, 2.4, 0.0], [2.7, 2.4, 0.0])
    """
    import xarray as xr

    features = np.asarray(in_memory(features, "the permutation baseline"))
    if metric == "cosine":
        norm = np.linalg.norm(features.astype(np.float64), axis=1, keepdims=True)
        features = features / np.where(norm > 0, norm, 1)
    elif metric != "euclidean":
        raise InputError(f"unknown metric {metric!r}; k* is defined for euclidean and cosine")
    features = centred(features, "the permutation baseline")
    labels = class_labels(labels, len(features), "the permutation baseline")
    if n_draws < 1:
        raise InputError(f"n_draws must be at least 1, but is {n_draws}")
    sizes = np.unique(labels, return_counts=True)[1]
    neighbours = _neighbours(features, sizes.max() / len(labels))
    of_draw = np.empty((n_draws, len(STATISTICS)))
    for draw in range(n_draws):
        shuffled = rng.permutation(labels)
        rank = _ranks_among(neighbours, shuffled, features)
        found = rank_statistics(_normalised(rank, shuffled), shuffled)
        of_draw[draw] = [found[name] for name in STATISTICS]
    floor = permutation_floor(sizes).assign(
        approximate_skewness=_mean(expected_skewness(sizes, rng=rng))  # of samples, not of the distribution
    )
    return xr.Dataset(
        {
            "mean": ("statistic", [_mean(column) for column in of_draw.T]),
            "interval": (("bound", "statistic"), percentile_interval(of_draw, level=level)),
            "expected": ("statistic", [float(floor[name]) for name in STATISTICS]),
            "of_draw": (("draw", "statistic"), of_draw),
        },
        coords={
            "statistic": np.array(STATISTICS, dtype=object),
            "bound": np.array(["low", "high"], dtype=object),
        },
    )


def _neighbours(features: np.ndarray, largest_share: float) -> np.ndarray:
    """Return each sample's nearest others in order, (n, k): so many that all of one class are hardly ever met."""
    from sklearn.neighbors import NearestNeighbors

    n = len(features)
    k = int(np.ceil(np.log(1e-3 / n) / np.log(largest_share)))
    k = min(max(k, 1), n - 1, MOST_NEIGHBOURS)
    return NearestNeighbors(n_neighbors=k).fit(features).kneighbors(return_distance=False)


def _ranks_among(neighbours: np.ndarray, labels: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Return k* of every sample from its nearest others, or from all where those are of its class."""
    foreign = labels[neighbours] != labels[:, None]  # (n, k)
    rank = 1 + foreign.argmax(axis=1)
    for i in np.flatnonzero(~foreign.any(axis=1)):
        difference = features - features[i]
        distance = np.einsum("ij,ij->i", difference, difference)
        same = labels == labels[i]
        same[i] = False
        rank[i] = 1 + np.count_nonzero(distance[same] < distance[labels != labels[i]].min())
    return rank


def _normalised(rank: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return k* divided by the size of each sample's class."""
    _, member, size = np.unique(labels, return_inverse=True, return_counts=True)
    return rank / size[member]


def _mean(values: np.ndarray) -> float:
    """Return the mean of the defined values, NaN if there are none."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _spread(values: np.ndarray) -> float:
    """Return the standard deviation (ddof 1) of the defined values, NaN for fewer than two."""
    known = values[np.isfinite(values)]
    return float(known.std(ddof=1)) if len(known) > 1 else float("nan")
