"""Cluster purity: does an unsupervised clustering of the features find the classes?

Manning, Raghavan, Schütze, "Introduction to Information Retrieval" (2008), eq. 16.1, as used on latent
spaces by Ho, Pfreundt, Keuper, Keuper 2021 (arXiv 2106.12303). That paper's settings of k-means could not be
read; ours are k-means++ with 10 starts and as many clusters as classes.
A singleton has purity 1, so a purity is never shown without its number of clusters, ARI and NMI.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from numbers import Integral

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix
from threadpoolctl import threadpool_limits

from robustshape.errors import InputError
from robustshape.indicators.blocks import in_blocks
from robustshape.indicators.checks import as_array, centred, generator, power_of_two, real_features
from robustshape.indicators.kmeans_starts import STARTS, spread_starts
from robustshape.indicators.registered import INDICATORS


def cluster_purity(assignments, labels) -> float:
    """Return the share of samples whose class is the commonest one of their cluster.

    Parameters
    ----------
    assignments : (n,) int
        Cluster of each sample; any integers.
    labels : (n,) int
        Class of each sample.

    Returns
    -------
    float
        In (0, 1]: ``1/n * sum over clusters k of max over classes j of |C_k and Y_j|`` (eq. 16.1).

    Raises
    ------
    InputError
        If the two differ in shape, are not flat, or are empty.

    Examples
    --------
    >>> cluster_purity([0, 0, 0, 1], [5, 5, 7, 7])
    0.75
    """
    assignments, labels = _pair(assignments, labels)
    counts = contingency_matrix(labels, assignments)  # (class, cluster)
    return float(counts.max(axis=0).sum() / len(labels))


def cluster_agreement(assignments, labels) -> dict[str, float]:
    """Return purity with the three numbers that must stand beside it.

    Parameters
    ----------
    assignments, labels : (n,) int
        As for `cluster_purity`.

    Returns
    -------
    dict
        ``purity`` in (0, 1], ``n_clusters``, ``ari`` (adjusted Rand index, at most 1, 0 by chance) and
        ``nmi`` (normalised mutual information, arithmetic mean, in [0, 1]).

    Examples
    --------
    Singletons are perfectly pure and say nothing; the adjusted index shows it.

    >>> cluster_agreement([0, 1, 2, 3], [5, 5, 7, 7])["purity"], cluster_agreement([0, 1, 2, 3], [5, 5, 7, 7])["ari"]
    (1.0, 0.0)
    """
    assignments, labels = _pair(assignments, labels)
    return {
        "purity": cluster_purity(assignments, labels),
        "n_clusters": len(np.unique(assignments)),
        "ari": float(adjusted_rand_score(labels, assignments)),
        "nmi": float(normalized_mutual_info_score(labels, assignments)),
    }


def kmeans_clusters(features, n_clusters: int, *, rng: np.random.Generator) -> np.ndarray:
    """Return the cluster of each sample by k-means: the best of 10 starts of k-means++.

    Parameters
    ----------
    features : (n, d) float
        One row per sample; compared by Euclidean distance. A dask array is read in blocks, see `kmeans_blocks`.
    n_clusters : int
        From 1 to n; the number of classes, where purity is to be compared with accuracy.
    rng : numpy.random.Generator
        Gives the starts. Each runs on one thread, several at a time: the number of cores does not change the result.

    Returns
    -------
    (n,) int64
        In 0..n_clusters - 1.

    Raises
    ------
    InputError
        If `checks.centred` refuses the features, or `n_clusters` is out of range.

    Examples
    --------
    >>> clusters = kmeans_clusters([[0.0], [0.1], [9.0]], 2, rng=np.random.default_rng(0))
    >>> bool(clusters[0] == clusters[1] != clusters[2])
    True
    """
    lazy = in_blocks(features)
    x = real_features(features, "k-means", fewest=1) if lazy else centred(features, "k-means", fewest=1)
    whole = isinstance(n_clusters, Integral) and not isinstance(n_clusters, bool)
    if not whole or not 1 <= n_clusters <= len(x):
        raise InputError(f"n_clusters must be 1 to {len(x)}, the number of samples, but is {n_clusters!r}")
    rng = generator(rng, "k-means")
    if lazy:
        from robustshape.indicators import kmeans_blocks

        return kmeans_blocks.kmeans_clusters(x, n_clusters, rng)
    if np.asarray(features).dtype == np.float32:
        # half the time of float64; a power of two changes no digit and keeps the squares within the range of float32
        x = (x / power_of_two(np.abs(x).max())).astype(np.float32)

    def best_from(start):
        with threadpool_limits(limits=1):  # a thread has its own limit of OpenMP
            return KMeans(n_clusters, init=x[start], n_init=1).fit(x)

    with threadpool_limits(limits=1), ThreadPoolExecutor(min(STARTS, os.cpu_count() or 1)) as pool:
        found = list(pool.map(best_from, spread_starts(x, n_clusters, rng)))
    return min(found, key=lambda one: one.inertia_).labels_.astype(np.int64)


def _pair(assignments, labels) -> tuple[np.ndarray, np.ndarray]:
    """Return both as arrays, or say why they are not one cluster and one label per sample."""
    assignments, labels = as_array(assignments, "purity"), as_array(labels, "purity")
    if assignments.shape != labels.shape or labels.ndim != 1 or not len(labels):
        raise InputError(
            f"purity needs one cluster and one label per sample, "
            f"but was given assignments {assignments.shape} and labels {labels.shape}"
        )
    for given in (assignments, labels):
        if given.dtype.kind == "f" and np.isnan(given).any():
            raise InputError(
                f"{int(np.isnan(given).sum())} of {len(given)} samples have NaN for a cluster or label; leave them out"
            )
    return assignments, labels


@INDICATORS.register(
    "kmeans_purity", symbol="purity", about="purity of k-means with as many clusters as classes"
)
def kmeans_purity(features, labels, rng) -> float:
    """Return the purity of a k-means clustering with as many clusters as classes."""
    labels = np.asarray(labels)
    return cluster_purity(kmeans_clusters(features, len(np.unique(labels)), rng=rng), labels)


@INDICATORS.register(
    "kmeans_ari", symbol="k-means ARI", about="adjusted Rand index of that k-means and the classes"
)
def kmeans_ari(features, labels, rng) -> float:
    """Return the adjusted Rand index of a k-means clustering with as many clusters as classes."""
    labels = np.asarray(labels)
    clusters = kmeans_clusters(features, len(np.unique(labels)), rng=rng)
    return cluster_agreement(clusters, labels)["ari"]
