"""Silhouette: how much closer a sample is to its own class than to the next one.

Rousseeuw 1987, "Silhouettes", J. Comput. Appl. Math. 20, with the classes in the place of clusters. With a the
mean distance of a sample to the others of its class and b its smallest mean distance to another class, its
silhouette is ``(b - a) / max(a, b)``; 0 in a class of one.
"""

import numpy as np

from robustshape.errors import InputError
from robustshape.indicators.blocks import in_blocks
from robustshape.indicators.checks import centred, class_labels, real_features
from robustshape.indicators.registered import INDICATORS


@INDICATORS.register(
    "silhouette", symbol="s", about="how much closer samples are to their class than to the next"
)
def silhouette(features, labels) -> float:
    """Return the mean silhouette of the samples, by Euclidean distance.

    Every distance is computed, a few rows at a time: the time grows with n^2 d. Give it a sample of a large set,
    or a dask array, which is read in blocks (`neighbour_blocks`; equal to 1e-9 of the features' size).

    Parameters
    ----------
    features : (n, d) float
        One row per sample, finite.
    labels : (n,) int
        Class of each sample; at least two classes, fewer classes than samples.

    Returns
    -------
    float
        In [-1, 1]. Shuffled labels give about 0, a little below (b is the smallest of several equals).

    Raises
    ------
    InputError
        If the shapes do not fit, labels are not integers or of one class, all samples are of different
        classes, or a feature is NaN or infinite.

    Examples
    --------
    For 0: a = 1, b = 9.5; for 1: a = 1, b = 8.5; the other two alike.

    >>> round(silhouette([[0.0], [1.0], [9.0], [10.0]], [0, 0, 1, 1]), 4)
    0.8885
    """
    purpose = "the silhouette"
    lazy = in_blocks(features)
    features = real_features(features, purpose) if lazy else centred(features, purpose)
    labels = class_labels(labels, len(features), purpose)
    if len(np.unique(labels)) == len(labels):
        raise InputError(f"{purpose} needs a class of two samples, but each of {len(labels)} is its own")
    if lazy:
        return float(_in_blocks(features, labels).mean())
    from sklearn.metrics import silhouette_score

    return float(silhouette_score(features, labels))


def _in_blocks(features, labels) -> np.ndarray:
    """Return the silhouette of every row of a dask array."""
    from robustshape.indicators import neighbour_blocks

    given, _ = neighbour_blocks.read(features, labels)
    sums = neighbour_blocks.class_distances(given)  # (n, class)
    sizes, own = np.bincount(given.label), (np.arange(len(labels)), given.label)
    a = sums[own] / np.maximum(sizes[given.label] - 1, 1)
    means = sums / sizes
    means[own] = np.inf
    b = means.min(axis=1)
    larger = np.maximum(a, b)
    found = np.divide(b - a, larger, out=np.zeros(len(a)), where=larger > 0)
    return np.where(sizes[given.label] > 1, found, 0.0)
