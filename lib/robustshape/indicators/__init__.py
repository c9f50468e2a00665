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

import importlib

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


def _in_module(module: str, function: str, *, labelled: bool = True):
    """Return a function of a module here, called as all are; the module is imported when it is first used."""

    def indicator(features, labels=None, rng=None) -> float:
        known = getattr(importlib.import_module(f"robustshape.indicators.{module}"), function)
        return known(features, labels) if labelled else known(features)

    return indicator


for _name, _symbol, _place, _about in (
    ("silhouette", "s", ("separability", "silhouette"), "how much closer samples are to their class than to the next"),
    ("davies_bouldin", "DB", ("class_geometry", "davies_bouldin"), "width of each class beside its distance to the worst other; low is good"),
    ("within_between_ratio", "tr S_W / tr S_B", ("class_geometry", "within_between_ratio"), "variance within classes over that of their means"),
    ("neural_collapse", "NC1", ("class_geometry", "neural_collapse_nc1"), "variance within classes where their means differ; 0 is collapsed"),
    ("dispersion_score", "log tr S_B", ("class_geometry", "dispersion_score"), "log scatter of the class means; grows with scale and samples"),
):  # fmt: skip
    INDICATORS.register(_name, symbol=_symbol, about=_about)(_in_module(*_place))

for _name, _symbol, _place, _about in (
    ("intrinsic_dimension", "ID", ("dimensionality", "intrinsic_dimension"), "TwoNN dimension of all features; heeds no label"),
    ("participation_ratio", "PR", ("spectrum", "participation_ratio"), "number of directions with much of the variance; heeds no label"),
    ("effective_rank", "erank", ("spectrum", "effective_rank"), "number of directions, by entropy of singular values; heeds no label"),
):  # fmt: skip
    INDICATORS.register(_name, symbol=_symbol, about=_about)(_in_module(*_place, labelled=False))


def _kstar(features, labels, name: str) -> float:
    from robustshape.indicators.kstar import kstar_distribution

    return float(kstar_distribution(features, labels)[name])
