"""Indicators: numbers read from clean features that may foretell how a classifier fails.

Each is one module of pure functions of arrays. The registry names those that are one number per network,
called alike: ``INDICATORS[name](features, labels, rng) -> float``, features (n, d), labels (n,) int.

>>> INDICATORS.names()[:4]
['approximate_skewness', 'intrinsic_dimension', 'kmeans_purity', 'mean_normalised_rank']
>>> INDICATORS.names()[4:]
['neighbourhood_hit', 'silhouette', 'true_skewness']
"""

from robustshape.registry import Registry

INDICATORS = Registry("indicator", "robustshape list indicators")


@INDICATORS.register("true_skewness", symbol="Gamma", about="skewness of all normalised k*, pooled")
def true_skewness(features, labels, rng=None) -> float:
    """Return Gamma, the skewness of the normalised k* of all samples."""
    return _kstar(features, labels, "true_skewness")


@INDICATORS.register("approximate_skewness", symbol="Gamma'", about="mean over classes of the skewness of k*")
def approximate_skewness(features, labels, rng=None) -> float:
    """Return Gamma', the mean over classes of the skewness of their normalised k*."""
    return _kstar(features, labels, "approximate_skewness")


@INDICATORS.register("mean_normalised_rank", symbol="k*/n", about="mean normalised k*; it does not saturate")
def mean_normalised_rank(features, labels, rng=None) -> float:
    """Return the mean normalised k* of all samples."""
    return _kstar(features, labels, "mean_normalised_rank")


@INDICATORS.register(
    "kmeans_purity", symbol="purity", about="purity of k-means with as many clusters as classes"
)
def kmeans_purity(features, labels, rng) -> float:
    """Return the purity of a k-means clustering with as many clusters as classes."""
    import numpy as np

    from robustshape.indicators.purity import cluster_purity, kmeans_clusters

    return cluster_purity(kmeans_clusters(features, len(np.unique(labels)), rng=rng), labels)


@INDICATORS.register(
    "neighbourhood_hit", symbol="NH", about="share of own class among the 10 nearest neighbours"
)
def neighbourhood_hit(features, labels, rng=None) -> float:
    """Return the mean share of same-class samples among the ten nearest (or among all others, if fewer)."""
    from robustshape.indicators import neighbours

    return neighbours.neighbourhood_hit(features, labels, k=min(neighbours.NEIGHBOURS, len(labels) - 1))


@INDICATORS.register(
    "silhouette", symbol="s", about="how much closer samples are to their class than to the next"
)
def silhouette(features, labels, rng=None) -> float:
    """Return the mean silhouette with the classes as clusters."""
    from robustshape.indicators import separability

    return separability.silhouette(features, labels)


@INDICATORS.register(
    "intrinsic_dimension", symbol="ID", about="TwoNN dimension of all features; heeds no label"
)
def intrinsic_dimension(features, labels=None, rng=None) -> float:
    """Return the intrinsic dimension of the features by their two nearest neighbours."""
    from robustshape.indicators import dimensionality

    return dimensionality.intrinsic_dimension(features)


def _kstar(features, labels, name: str) -> float:
    from robustshape.indicators.kstar import kstar_distribution

    return float(kstar_distribution(features, labels)[name])
