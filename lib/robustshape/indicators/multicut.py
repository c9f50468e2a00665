"""Minimum cost multicuts: a clustering of the features that finds the number of clusters by itself.

Every pair of samples is an edge of a complete graph, and a multicut is the set of edges between the clusters of some
clustering. With p the probability that the two samples of an edge are of different classes, its cost is
``c = log((1 - p) / p)``, and the clustering with the least sum of costs over the edges that it cuts is the likeliest
one if edges were independent (Chopra and Rao 1993; Bansal, Blum, Chawla 2004; used on latent spaces by Ho, Pfreundt,
J. Keuper, M. Keuper 2021, arXiv 2106.12303, whose settings could not be read).

Ours: p comes from a logistic regression on the Euclidean distance, fitted on samples of other classes, with both kinds
of pairs weighing alike. With the natural weights nearly all pairs are of different classes, and nearly every sample
ends as a cluster of its own. The least sum is NP-hard to find; the solvers, of the package bioimage-cpp, are greedy
additive edge contraction and, from there, Kernighan-Lin with joins (Keuper et al. 2015).
"""

import functools
import hashlib
from dataclasses import dataclass

import numpy as np

from robustshape.errors import InputError
from robustshape.indicators.checks import centred, class_labels, in_memory
from robustshape.indicators.registered import INDICATORS

MOST = 4000  # samples: 8 million edges; the time grows with about the cube
RIDGE = 1.0  # on the slope per standard deviation of the distances: finite where distances separate perfectly


@dataclass(frozen=True)
class Calibration:
    """How likely two samples at a distance are of different classes: ``p = 1 / (1 + exp(-(slope d + intercept)))``.

    Attributes
    ----------
    slope, intercept : float
        A slope of at most 0 says that distances do not tell classes apart; `multicut_clusters` refuses it.
    auc : float
        In [0, 1]: how often a pair of different classes is farther apart than one of the same class; 0.5 by chance.
    """

    slope: float
    intercept: float
    auc: float

    @property
    def separates(self) -> bool:
        """Whether pairs of different classes are farther apart than those of the same class."""
        return self.slope > 0

    def cost(self, distance):
        """Return ``log((1 - p) / p)`` of each distance: above 0 where the pair had better stay together."""
        return -(self.slope * np.asarray(distance) + self.intercept)


def pair_distances(features) -> np.ndarray:
    """Return the Euclidean distances of all pairs, ``(n (n - 1) / 2,)`` float64: 0-1, 0-2, ..., 1-2, ...

    >>> pair_distances([[0.0], [3.0], [4.0]]).round(9).tolist()
    [3.0, 4.0, 1.0]
    """
    from scipy.spatial.distance import squareform
    from threadpoolctl import threadpool_limits

    x = centred(features, "a multicut")  # small numbers: the products below cancel less
    squares = np.einsum("ij,ij->i", x, x)
    with threadpool_limits(limits=1):  # the number of cores does not change a bit of the result
        distances = x @ x.T
    distances *= -2
    distances += squares[:, None]
    distances += squares
    np.maximum(distances, 0, out=distances)
    return np.sqrt(squareform(distances, checks=False))


def fit_calibration(features, labels) -> Calibration:
    """Return the class-balanced logistic regression of "different classes" on the distance, over all pairs.

    Parameters
    ----------
    features : (n, d) float
        Of other samples, and better of other classes, than those that are to be clustered.
    labels : (n,) int
        At least two classes, one of them with two samples.

    Raises
    ------
    InputError
        If there is no pair of the same class, or none of different classes, or `checks.centred` refuses.

    Examples
    --------
    >>> found = fit_calibration([[0.0], [1.0], [9.0], [10.0]], [0, 0, 1, 1])
    >>> found.separates, found.auc
    (True, 1.0)
    """
    from scipy.special import expit

    purpose = "the calibration of a multicut"
    labels = class_labels(labels, len(centred(features, purpose)), purpose)
    distance, differ = pair_distances(features), _differ(labels)
    n_differ = int(differ.sum())
    if not 0 < n_differ < len(differ):
        raise InputError(
            "a calibration needs pairs of the same class and pairs of different classes, but of its "
            f"{len(differ)} pairs {n_differ} are of different classes; give it more samples of more classes"
        )
    middle, scale = distance.mean(), distance.std() or 1.0
    z = (distance - middle) / scale
    weight = np.where(differ, 0.5 / n_differ, 0.5 / (len(differ) - n_differ)) * len(differ)
    design = np.stack([z, np.ones_like(z)])
    beta = np.zeros(2)
    for _ in range(50):  # Newton's steps on the penalised log-likelihood, which is concave
        p = expit(beta @ design)
        gradient = design @ (weight * (differ - p)) - [RIDGE * beta[0], 0]
        hessian = (design * (weight * p * (1 - p))) @ design.T + np.diag([RIDGE, 0])
        step = np.linalg.solve(hessian, gradient)
        beta += step * min(1.0, 5 / (np.abs(step).max() + 1e-300))  # a longer step could overshoot from afar
        if np.abs(step).max() < 1e-10:
            break
    slope = float(beta[0] / scale)
    return Calibration(slope, float(beta[1] - slope * middle), _auc(distance, differ))


def _differ(labels) -> np.ndarray:
    rows, columns = np.triu_indices(len(labels), 1)
    return labels[rows] != labels[columns]


def _auc(score, positive) -> float:
    """Return the area under the receiver operating curve, by ranks (Mann and Whitney 1947)."""
    from scipy.stats import rankdata

    n = int(positive.sum())
    rank_sum = rankdata(score)[positive].sum()
    return float((rank_sum - n * (n + 1) / 2) / (n * (len(score) - n)))


def check_number(n: int) -> None:
    """Raise InputError if a multicut of n samples would take too long, before any distance is computed."""
    if not 1 <= n <= MOST:
        raise InputError(
            f"a multicut takes 1 to {MOST:,} samples, but was given {n:,}: its time grows with the cube; "
            "draw fewer classes, or fewer samples of each"
        )


@functools.lru_cache(maxsize=2)
def _complete_graph(n: int):
    """Return the complete graph of n nodes, its edges in the order of `pair_distances`."""
    from bioimage_cpp.graph import UndirectedGraph

    graph = UndirectedGraph.from_unique_edges(n, np.stack(np.triu_indices(n, 1), axis=1).astype(np.uint64))
    graph.freeze()
    return graph


def minimum_cost_multicut(n: int, costs) -> np.ndarray:
    """Return a clustering of n nodes whose cut edges cost little, by contraction and then Kernighan-Lin.

    Parameters
    ----------
    n : int
        At least 1, at most `MOST`.
    costs : (n (n - 1) / 2,) float
        Of cutting each edge, in the order of `pair_distances`; above 0 pulls together, below 0 apart.

    Returns
    -------
    (n,) int64
        Clusters numbered from 0 in the order of their first node.

    Raises
    ------
    InputError
        If there are too many nodes, another number of costs than pairs, or a cost is NaN or infinite.

    Examples
    --------
    >>> minimum_cost_multicut(3, [2.0, -1.0, -2.0]).tolist()
    [0, 0, 1]
    """
    from bioimage_cpp.graph.multicut import (
        ChainedMulticutSolvers,
        GreedyAdditiveMulticut,
        KernighanLinMulticut,
        MulticutObjective,
    )

    costs = np.asarray(costs, dtype=np.float64)
    check_number(n)
    if costs.shape != (n * (n - 1) // 2,):
        raise InputError(f"{n} nodes have {n * (n - 1) // 2} pairs, but costs were given as {costs.shape}")
    if not np.isfinite(costs).all():
        raise InputError(
            "the costs of a multicut hold NaN or infinity; look at the features and the calibration"
        )
    if n == 1:
        return np.zeros(1, np.int64)
    objective = MulticutObjective(_complete_graph(n), costs)
    found = ChainedMulticutSolvers([GreedyAdditiveMulticut(), KernighanLinMulticut()]).optimize(objective)
    _, first, cluster = np.unique(found, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[cluster].astype(np.int64)


def multicut_clusters(features, calibration: Calibration) -> np.ndarray:
    """Return the cluster of each sample by a minimum cost multicut of the complete graph.

    Parameters
    ----------
    features : (n, d) float
        At most `MOST` rows, so no dask array; finite.
    calibration : Calibration
        Of `fit_calibration`, on other samples.

    Returns
    -------
    (n,) int64
        From 0, in the order of their first sample. One cluster, or as many as samples, say that the calibration
        does not fit these features: look at it before at the purity.

    Raises
    ------
    InputError
        If the calibration's slope is at most 0, or there are too many samples.

    Examples
    --------
    >>> known = fit_calibration([[0.0], [1.0], [9.0], [10.0]], [0, 0, 1, 1])
    >>> multicut_clusters([[20.0], [33.0], [20.5], [32.0]], known).tolist()
    [0, 1, 0, 1]
    """
    if not calibration.separates:
        raise InputError(
            f"the calibration does not tell classes apart (slope {calibration.slope:.3g}, area under the curve "
            f"{calibration.auc:.2f}): pairs of different classes are no farther apart than those of the same; fit it "
            "on more samples, or take another layer"
        )
    features = np.asarray(in_memory(features, "a multicut"))
    check_number(len(features))
    return minimum_cost_multicut(len(features), calibration.cost(pair_distances(features)))


@INDICATORS.register(
    "multicut_purity",
    symbol="multicut purity",
    about="purity of a minimum cost multicut, calibrated on others",
)
def multicut_purity(features, labels, calibration) -> float:
    """Return the purity of the multicut; NaN where the calibrating classes are not told apart by distance."""
    return _agreement(features, labels, calibration)["purity"]


@INDICATORS.register(
    "multicut_ari", symbol="multicut ARI", about="adjusted Rand index of that multicut and the classes"
)
def multicut_ari(features, labels, calibration) -> float:
    """Return the adjusted Rand index of the multicut; NaN where the calibrating classes are not told apart."""
    return _agreement(features, labels, calibration)["ari"]


def _agreement(features, labels, calibration) -> dict[str, float]:
    from robustshape.indicators.purity import cluster_agreement

    arrays = [np.ascontiguousarray(in_memory(array, "a multicut")) for array in (features, *calibration)]
    clusters = _clustered(_Arrays(arrays))
    return {"purity": np.nan, "ari": np.nan} if clusters is None else cluster_agreement(clusters, labels)


class _Arrays:
    """Arrays that are equal if their content is, so that both numbers of a clustering share it."""

    def __init__(self, arrays: list[np.ndarray]):
        self.arrays = arrays
        digest = hashlib.blake2b(digest_size=16)
        for array in arrays:
            digest.update(repr((array.shape, array.dtype)).encode() + array.tobytes())
        self.digest = digest.hexdigest()

    def __eq__(self, other) -> bool:
        return self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


@functools.lru_cache(maxsize=32)
def _clustered(given: _Arrays) -> np.ndarray | None:
    features, others, labels = given.arrays
    calibration = fit_calibration(others, labels)
    return multicut_clusters(features, calibration) if calibration.separates else None
