"""Where k-means starts from: greedy k-means++, several starts at once.

Each next sample is drawn in proportion to the squared distance to the nearest so far, a few times, and the draw that
leaves the least sum of these is kept (Arthur and Vassilvitskii 2007, as in scikit-learn). All starts grow together,
which reads the features once for all of them: several times faster than one after the other.
"""

from collections.abc import Callable

import numpy as np

STARTS = 10  # the best of them by inertia is kept


def spread_starts(x, n_clusters: int, rng: np.random.Generator) -> np.ndarray:
    """Return the samples that k-means starts from, ``(STARTS, n_clusters)`` int.

    Parameters
    ----------
    x : (n, d) float
        About their mean, so that the distances keep their digits.
    n_clusters : int
    rng : numpy.random.Generator
    """
    squares = np.einsum("ij,ij->i", x, x)

    def to(chosen):  # (start, draw) -> (n, start, draw)
        found = squared_distances(x, squares, x[chosen.ravel()], squares[chosen.ravel()])
        return found.reshape(len(x), *chosen.shape)

    return grown(len(x), n_clusters, rng, to)


def squared_distances(x, squares, others, of_others) -> np.ndarray:
    """Return the squared distances of rows to others, (n, m), given the squared lengths of both."""
    found = x @ others.T
    found *= -2
    found += squares[:, None]
    found += of_others
    return np.maximum(found, 0, out=found)


def grown(n: int, n_clusters: int, rng: np.random.Generator, distances_to: Callable) -> np.ndarray:
    """Return the starts among n samples, whose squared distances to samples (start, draw) are (n, start, draw)."""
    starts = np.arange(STARTS)
    kept = np.empty((STARTS, n_clusters), np.int64)
    kept[:, 0] = rng.integers(n, size=STARTS)
    nearest = distances_to(kept[:, :1])[:, :, 0]
    for i in range(1, n_clusters):
        heaped = nearest.cumsum(axis=0, dtype=np.float64)
        at = rng.random((STARTS, 2 + int(np.log(n_clusters)))) * heaped[-1][:, None]
        drawn = np.stack([np.searchsorted(heaped[:, s], at[s], side="right") for s in starts])
        drawn = drawn.clip(max=n - 1)
        left = distances_to(drawn)
        np.minimum(left, nearest[:, :, None], out=left)
        best = left.sum(axis=0, dtype=np.float64).argmin(axis=1)
        kept[:, i], nearest = drawn[starts, best], left[:, starts, best]
    return kept
