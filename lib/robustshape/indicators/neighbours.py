"""Neighbourhood hit: the share of a sample's nearest neighbours that are of its own class (k-NN purity).

Paulovich, Nonato, Minghim, Levkowitz 2008, "Least square projection", IEEE TVCG 14(3), there of 2-D plots; here
of any features, a plot among them. Where k* asks how far a sample's class reaches before the first foreigner,
this looks at a fixed number of neighbours. Distances are Euclidean and exact (float64); exactly tied neighbours
come in no particular order.
"""

import numpy as np

from robustshape.errors import InputError
from robustshape.indicators.blocks import in_blocks
from robustshape.indicators.checks import centred, class_labels, real_features
from robustshape.indicators.registered import INDICATORS

NEIGHBOURS = 10


def knn_purity(features, labels, *, k: int = NEIGHBOURS) -> np.ndarray:
    """Return, for every sample, the share of its k nearest neighbours that are of its class.

    Parameters
    ----------
    features : (n, d) float
        One row per sample, finite. A dask array is read in blocks, see `neighbour_blocks`.
    labels : (n,) int
        Class of each sample; at least two classes.
    k : int
        From 1 to n - 1. A class of fewer than k + 1 samples cannot reach 1.

    Returns
    -------
    (n,) float64
        In [0, 1], in steps of 1 / k; the sample itself is not its neighbour.

    Raises
    ------
    InputError
        If the shapes do not fit, labels are not integers or of one class, a feature is NaN or infinite, or
        k is out of range.

    Examples
    --------
    >>> knn_purity([[0.0], [1.0], [5.0], [5.5], [7.0]], [0, 0, 0, 1, 1], k=2).tolist()
    [1.0, 1.0, 0.0, 0.5, 0.5]
    """
    purpose = "the neighbourhood hit"
    lazy = in_blocks(features)
    features = real_features(features, purpose) if lazy else centred(features, purpose)
    labels = class_labels(labels, len(features), purpose)
    if not 1 <= k < len(features):
        raise InputError(f"k must be 1 to {len(features) - 1}, the other samples, but is {k}")
    if lazy:
        from robustshape.indicators import neighbour_blocks

        neighbours = neighbour_blocks.nearest(neighbour_blocks.read(features)[0], k)
    else:
        from sklearn.neighbors import NearestNeighbors

        neighbours = NearestNeighbors(n_neighbors=k).fit(features).kneighbors(return_distance=False)  # (n, k)
    return (labels[neighbours] == labels[:, None]).mean(axis=1)


def neighbourhood_hit(features, labels, *, k: int = NEIGHBOURS) -> float:
    """Return the mean of `knn_purity` over the samples.

    In [0, 1]: ``1/n * sum over samples x of (same-class samples among the k nearest of x) / k``. What shuffled
    labels give is `neighbourhood_hit_by_chance`: 0.1 for ten classes of a size.

    >>> neighbourhood_hit([[0.0], [1.0], [5.0], [5.5], [7.0]], [0, 0, 0, 1, 1], k=2)
    0.6
    """
    return float(knn_purity(features, labels, k=k).mean())


def neighbourhood_hit_by_chance(labels) -> float:
    """Return the expected neighbourhood hit of shuffled labels, whatever k and the features.

    A neighbour is any of the other n - 1 samples alike: ``sum over classes of n_c / n * (n_c - 1) / (n - 1)``.

    >>> round(neighbourhood_hit_by_chance([0, 0, 0, 1]), 3)
    0.5
    """
    sizes = np.unique(np.asarray(labels), return_counts=True)[1]
    n = sizes.sum()
    if n < 2:
        raise InputError(f"the neighbourhood hit needs at least 2 samples, but was given {n}")
    return float((sizes * (sizes - 1)).sum() / (n * (n - 1)))


@INDICATORS.register(
    "neighbourhood_hit", symbol="NH", about="share of own class among the 10 nearest neighbours"
)
def hit_among_ten(features, labels) -> float:
    """Return the `neighbourhood_hit` of the ten nearest (or of all others, if fewer)."""
    return neighbourhood_hit(features, labels, k=min(NEIGHBOURS, len(labels) - 1))
