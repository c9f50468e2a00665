"""Cluster purity: does an unsupervised clustering of the features find the classes?

Manning, Raghavan, Schütze, "Introduction to Information Retrieval" (2008), eq. 16.1, as used on latent
spaces by Ho, Pfreundt, Keuper, Keuper 2021 (arXiv 2106.12303). That paper's settings of k-means could not be
read; ours are k-means++ with 10 starts and as many clusters as classes.
A singleton has purity 1, so a purity is never shown without its number of clusters, ARI and NMI.
"""

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix
from threadpoolctl import threadpool_limits

from robustshape.errors import InputError

STARTS = 10  # of k-means++; the best of them by inertia is kept


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
        One row per sample; compared by Euclidean distance.
    n_clusters : int
        From 1 to n; the number of classes, where purity is to be compared with accuracy.
    rng : numpy.random.Generator
        Gives the starts. Runs on one thread, so that the number of cores does not change the result.

    Returns
    -------
    (n,) int64
        In 0..n_clusters - 1.

    Raises
    ------
    InputError
        If `features` is not (n, d), holds NaN or infinity, or `n_clusters` is out of range.

    Examples
    --------
    >>> clusters = kmeans_clusters([[0.0], [0.1], [9.0]], 2, rng=np.random.default_rng(0))
    >>> bool(clusters[0] == clusters[1] != clusters[2])
    True
    """
    features = np.asarray(features)
    if features.ndim != 2 or not features.size:
        raise InputError(f"k-means needs features (n, d) with n, d > 0, but was given {features.shape}")
    if not np.isfinite(features).all():
        raise InputError("the features hold NaN or infinity; leave those samples out or mend the network")
    if not 1 <= n_clusters <= len(features):
        raise InputError(
            f"n_clusters must be 1 to {len(features)}, the number of samples, but is {n_clusters}"
        )
    kmeans = KMeans(n_clusters, init="k-means++", n_init=STARTS, random_state=int(rng.integers(2**31)))
    with threadpool_limits(limits=1):
        return kmeans.fit_predict(features).astype(np.int64)


def _pair(assignments, labels) -> tuple[np.ndarray, np.ndarray]:
    """Return both as arrays, or say why they are not one cluster and one label per sample."""
    assignments, labels = np.asarray(assignments), np.asarray(labels)
    if assignments.shape != labels.shape or labels.ndim != 1 or not len(labels):
        raise InputError(
            f"purity needs one cluster and one label per sample, "
            f"but was given assignments {assignments.shape} and labels {labels.shape}"
        )
    return assignments, labels
