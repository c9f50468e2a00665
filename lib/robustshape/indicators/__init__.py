"""Indicators: numbers read from clean features that may foretell how a classifier fails.

Each is one module of pure functions of arrays. The registry names those that are one number per network,
called alike: ``INDICATORS[name](features, labels, rng) -> float``, features (n, d), labels (n,) int.

>>> INDICATORS.names()[:4]
['approximate_skewness', 'davies_bouldin', 'dispersion_score', 'effective_rank']
>>> INDICATORS.names()[4:8]
['intrinsic_dimension', 'kmeans_purity', 'mean_normalised_rank', 'neighbourhood_hit']
>>> INDICATORS.names()[8:]
['neural_collapse', 'participation_ratio', 'silhouette', 'true_skewness', 'within_between_ratio']
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


@INDICATORS.register(
    "davies_bouldin",
    symbol="DB",
    about="width of each class beside its distance to the worst other; low is good",
)
def davies_bouldin(features, labels, rng=None) -> float:
    """Return the Davies-Bouldin index with the classes as clusters."""
    from robustshape.indicators import class_geometry

    return class_geometry.davies_bouldin(features, labels)


@INDICATORS.register(
    "within_between_ratio", symbol="tr S_W / tr S_B", about="variance within classes over that of their means"
)
def within_between_ratio(features, labels, rng=None) -> float:
    """Return the variance within the classes over that of their means."""
    from robustshape.indicators import class_geometry

    return class_geometry.within_between_ratio(features, labels)


@INDICATORS.register(
    "neural_collapse", symbol="NC1", about="variance within classes where their means differ; 0 is collapsed"
)
def neural_collapse(features, labels, rng=None) -> float:
    """Return NC1, how far the classes are from having collapsed to their means."""
    from robustshape.indicators import class_geometry

    return class_geometry.neural_collapse_nc1(features, labels)


@INDICATORS.register(
    "dispersion_score",
    symbol="log tr S_B",
    about="log scatter of the class means; grows with scale and samples",
)
def dispersion_score(features, labels, rng=None) -> float:
    """Return the logarithm of the scatter of the class means."""
    from robustshape.indicators import class_geometry

    return class_geometry.dispersion_score(features, labels)


@INDICATORS.register(
    "participation_ratio", symbol="PR", about="number of directions with much of the variance; heeds no label"
)
def participation_ratio(features, labels=None, rng=None) -> float:
    """Return the participation ratio of the variances along the principal directions."""
    from robustshape.indicators import spectrum

    return spectrum.participation_ratio(features)


@INDICATORS.register(
    "effective_rank",
    symbol="erank",
    about="number of directions, by entropy of singular values; heeds no label",
)
def effective_rank(features, labels=None, rng=None) -> float:
    """Return the effective rank of the centred features."""
    from robustshape.indicators import spectrum

    return spectrum.effective_rank(features)


def _kstar(features, labels, name: str) -> float:
    from robustshape.indicators.kstar import kstar_distribution

    return float(kstar_distribution(features, labels)[name])
