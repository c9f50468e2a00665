"""k-means of features read in blocks: `purity.kmeans_clusters` in the memory of a few blocks, by any number of workers.

The starts are those of k-means in memory, drawn by the same generator; the steps and when they end are scikit-learn's
(Lloyd; a shift of the centres of at most 1e-4 of the features' mean variance). Several starts share each reading of a
block: as many as keep what a task returns as small as a block. Sums of rows are added up in the order of the blocks, so
the number of workers changes nothing. From each start the clusters are those in memory, but for samples that lie between
two centres to the rounding of sums; of starts that are as good to 1e-4 another may be kept, for scikit-learn adds up
float32 squares in float32. So the sum of squares is within 1e-4 of that in memory, and the purity hardly differs where
classes overlap, and not at all where they lie apart.

In one process the most is one block, that block in float64, and (where no worker is) N x 10 x (2 + log clusters) distances.
"""

import functools
from dataclasses import dataclass

import numpy as np
from threadpoolctl import ThreadpoolController

from robustshape.indicators.blocks import BYTES, Blocks, each, in_order
from robustshape.indicators.kmeans_starts import STARTS, grown, squared_distances
from robustshape.indicators.scaled_blocks import Scaled, looked_at

STEPS, TOLERANCE = 300, 1e-4  # scikit-learn's


def kmeans_clusters(features, n_clusters: int, rng: np.random.Generator) -> np.ndarray:
    """Return the cluster of each row of a dask array; arguments and clusters as of `purity.kmeans_clusters`.

    Raises
    ------
    InputError
        If a feature is NaN or infinite, which shows only now.
    """
    given, _ = looked_at(Scaled(Blocks.of(features)))
    n, d = features.shape
    everywhere = range(len(given.blocks))
    variance = sum(found for _, found in in_order(_sum_of_squares, everywhere, given)) / n / d

    def distances_to(chosen):  # (start, draw) -> (n, start, draw)
        others = _rows(given, chosen.ravel())
        out = np.empty((n, *chosen.shape), others.dtype)
        for i, found in each(_distances, everywhere, given, others):
            out[given.blocks.span(i)] = found.reshape(-1, *chosen.shape)
        return out

    starts = grown(n, n_clusters, rng, distances_to)
    together = max(1, BYTES // (8 * n_clusters * d))
    best, clusters = np.inf, np.zeros(n, np.int64)
    for first in range(0, STARTS, together):
        part = starts[first : first + together]
        centres = _rows(given, part.ravel()).astype(np.float64).reshape(*part.shape, d)
        inertia, labels = _lloyd(given, centres, TOLERANCE * variance)
        if inertia.min() < best:
            best, clusters = inertia.min(), labels[inertia.argmin()].astype(np.int64)
    return clusters


def _lloyd(given: Scaled, centres: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the inertia of each start (s,) and its clusters (s, n), from its centres (s, k, d)."""
    labels = np.full((len(centres), given.blocks.features.shape[0]), -1, np.int32)
    moving = np.arange(len(centres))
    for _ in range(STEPS):
        step = _step(given, centres[moving])
        same = (step.labels == labels[moving]).all(axis=1)
        labels[moving] = step.labels
        moved = _means(given, centres[moving], step)
        shift = np.square(moved - centres[moving]).sum(axis=(1, 2))
        centres[moving] = moved
        moving = moving[~same & (shift > tolerance)]
        if not len(moving):
            break
    inertia = np.zeros(len(centres))
    for i, (of_block, squares) in in_order(_settle, range(len(given.blocks)), given, centres):
        labels[:, given.blocks.span(i)] = of_block
        inertia += squares
    return inertia, labels


@dataclass(frozen=True)
class Step:
    """Of every start: each row's cluster, and of each cluster how many rows it has and their sum."""

    labels: np.ndarray  # (s, n) int32
    sizes: np.ndarray  # (s, k)
    sums: np.ndarray  # (s, k, d)


def _step(given: Scaled, centres: np.ndarray) -> Step:
    """Assign every row to the nearest centre of each start."""
    n, (s, k, d) = given.blocks.features.shape[0], centres.shape
    found = Step(np.empty((s, n), np.int32), np.zeros((s, k), np.int64), np.zeros((s, k, d)))
    for i, (labels, sizes, sums) in in_order(_assign, range(len(given.blocks)), given, centres):
        found.labels[:, given.blocks.span(i)] = labels
        found.sizes[:] += sizes
        found.sums[:] += sums
    return found


def _means(given: Scaled, centres: np.ndarray, step: Step) -> np.ndarray:
    """Return the new centres; an empty cluster gets the row farthest from its centre, as in scikit-learn."""
    for s in np.flatnonzero((step.sizes == 0).any(axis=1)):
        empty = np.flatnonzero(step.sizes[s] == 0)
        far, distance = _farthest(given, centres[s], step.labels[s], len(empty))
        if distance[0] > 0:  # else there are fewer different rows than clusters
            for cluster, i, row in zip(empty, far, _rows(given, far).astype(np.float64)):
                old = step.labels[s, i]
                step.sums[s, old] -= row
                step.sums[s, cluster] = row
                step.sizes[s, old] -= 1
                step.sizes[s, cluster] = 1
    means = step.sums / np.maximum(step.sizes, 1)[:, :, None]
    for s, cluster in np.argwhere(step.sizes == 0):  # beside the largest, not at the origin
        means[s, cluster] = means[s, step.sizes[s].argmax()]
    return means


def _farthest(given: Scaled, centres, labels, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the m rows farthest from the centres of their clusters, and their squared distances, farthest first."""
    distance = np.empty(len(labels))
    for i, found in each(_from_own, range(len(given.blocks)), given, centres, labels):
        distance[given.blocks.span(i)] = found
    far = np.argsort(-distance, kind="stable")[:m]
    return far, distance[far]


def _rows(given: Scaled, index: np.ndarray) -> np.ndarray:
    """Return the centred rows of these numbers, read from the blocks that hold them."""
    holder = index // given.blocks.rows
    places = {int(i): index[holder == i] - given.blocks.span(int(i)).start for i in np.unique(holder)}
    found = dict(each(_picked, list(places), given, places))
    out = np.empty((len(index), given.blocks.features.shape[1]), next(iter(found.values())).dtype)
    for i, rows in found.items():
        out[holder == i] = rows
    return out


def _centred(i: int, given: Scaled) -> np.ndarray:
    """Return the rows of block `i` as k-means in memory has them: about the mean in float64, then of their own precision."""
    rows = given.blocks.read(i)
    single = rows.dtype == np.float32
    rows = given.exact(rows)
    rows -= given.mean
    return rows.astype(np.float32) if single else rows


def _picked(i: int, given: Scaled, places: dict[int, np.ndarray]) -> np.ndarray:
    return _centred(i, given)[places[i]]


def _sum_of_squares(i: int, given: Scaled) -> float:
    rows = _centred(i, given)
    return float(np.einsum("ij,ij->i", rows, rows).sum(dtype=np.float64))


def _distances(i: int, given: Scaled, others: np.ndarray) -> np.ndarray:
    """Return the squared distances of the rows of block `i` to others, (rows, m)."""
    rows = _centred(i, given)
    squares, of_others = (np.einsum("ij,ij->i", x, x) for x in (rows, others))
    with _libraries().limit(limits=1):  # the number of cores does not change a bit of the result
        return squared_distances(rows, squares, others, of_others)


@functools.cache
def _libraries() -> ThreadpoolController:
    """Return what sets the threads of BLAS: to look for it costs as much as a small block."""
    return ThreadpoolController()


def _nearest_centres(rows: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return the cluster of each row for the centres (s, k, d) of each start, (s, rows) int32."""
    s, k, d = centres.shape
    with _libraries().limit(limits=1):
        nearness = rows @ centres.reshape(-1, d).T.astype(rows.dtype)  # (rows, s k)
    nearness -= (np.einsum("skd,skd->sk", centres, centres) / 2).ravel().astype(rows.dtype)
    return nearness.reshape(-1, s, k).argmax(axis=2).T.astype(np.int32)


def _assign(i: int, given: Scaled, centres: np.ndarray) -> tuple:
    """Return clusters (s, rows), their sizes (s, k) and sums (s, k, d) in block `i`, for centres (s, k, d)."""
    from scipy.sparse import csr_array

    rows = _centred(i, given)
    (s, k, _), n = centres.shape, len(rows)
    labels = _nearest_centres(rows, centres)
    sizes = np.stack([np.bincount(one, minlength=k) for one in labels])
    ones, edges, sums = np.ones(n, rows.dtype), np.arange(n + 1), np.empty(centres.shape)
    for j in range(s):
        sums[j] = csr_array((ones, labels[j], edges), shape=(n, k)).T @ rows
    return labels, sizes, sums


def _settle(i: int, given: Scaled, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return clusters (s, rows) of block `i`, and the sums of squared distances to their centres (s,)."""
    rows = _centred(i, given)
    labels = _nearest_centres(rows, centres)
    return labels, np.array([_squares_from(rows, *of_start).sum() for of_start in zip(centres, labels)])


def _from_own(i: int, given: Scaled, centres: np.ndarray, labels: np.ndarray) -> np.ndarray:
    rows = _centred(i, given)
    return _squares_from(rows, centres, labels[given.blocks.span(i)])


def _squares_from(rows: np.ndarray, centres: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the squared distance of each row to its own centre, as float64 sums of squared differences."""
    out = np.empty(len(rows))
    for start in range(0, len(rows), 256):  # no second block in memory
        part = slice(start, start + 256)
        difference = rows[part] - centres[labels[part]]
        out[part] = np.einsum("ij,ij->i", difference, difference)
    return out
