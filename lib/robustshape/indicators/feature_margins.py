"""Feature margins: how much nearer a sample lies to the mean of its own class than to that of the next.

With a the distance of a sample to the mean of the others of its class and b its smallest distance to the mean of another
class, its margin is ``(b - a) / (b + a)``: the margin to the border between two class means, divided by what makes it
free of scale. As Jiang, Krishnan, Mobahi, Bengio 2019, "Predicting the generalization gap in deep networks with margin
distributions", ICLR, we read it in the features and take quartiles; their margin is to the network's own border and
needs its gradient, ours needs features and labels alone.
"""

import numpy as np

from robustshape.indicators.class_geometry import about_class_means
from robustshape.indicators.registered import INDICATORS


def feature_margins(features, labels) -> np.ndarray:
    """Return the margin of every sample.

    Parameters
    ----------
    features : (n, d) float
        One row per sample, finite; computed in float64.
    labels : (n,) int
        Class of each sample; at least two classes, fewer classes than samples.

    Returns
    -------
    (n,) float64 in [-1, 1]
        Above 0: nearer to the own class mean. NaN for a sample alone in its class, which leaves no mean of others, and 0
        where both distances are 0. Rotating, shifting or scaling the features does not change it. Shuffled labels give
        less than 0: the nearest of several others is near.

    Raises
    ------
    InputError
        If the shapes do not fit, labels are not integers or of one class, all samples are of different classes, or a
        feature is NaN or infinite.

    Examples
    --------
    The first is 1 from the other of its class, and 9.5 from the mean of the other class.

    >>> feature_margins([[0.0], [1.0], [9.0], [10.0]], [0, 0, 1, 1]).round(3).tolist()
    [0.81, 0.789, 0.789, 0.81]
    """
    from scipy.spatial.distance import cdist

    classes, means, residuals = about_class_means(features, labels, "a feature margin")
    sizes = np.bincount(classes)[classes]
    # x less the mean of the others of its class is x less the mean of all, times n_c / (n_c - 1)
    own = np.linalg.norm(residuals, axis=1) * sizes / np.maximum(sizes - 1, 1)
    distances = cdist(residuals + means[classes], means)
    distances[np.arange(len(classes)), classes] = np.inf
    other = distances.min(axis=1)
    both = own + other
    margins = np.divide(other - own, both, out=np.zeros(len(both)), where=both > 0)
    return np.where(sizes > 1, margins, np.nan)


@INDICATORS.register(
    "feature_margin", symbol="feature margin", about="mean margin of the distances to the class means"
)
def mean_feature_margin(features, labels) -> float:
    """Return the mean of `feature_margins`; in [-1, 1], higher is better separated.

    >>> round(mean_feature_margin([[0.0], [1.0], [9.0], [10.0]], [0, 0, 1, 1]), 3)
    0.799
    """
    return float(np.nanmean(feature_margins(features, labels)))


@INDICATORS.register("low_feature_margin", symbol="low feature margin", about="lower quartile of that margin")
def low_feature_margin(features, labels) -> float:
    """Return the lower quartile of `feature_margins`: how near the samples lie that are the first to cross a border.

    >>> round(low_feature_margin([[0.0], [1.0], [9.0], [10.0]], [0, 0, 1, 1]), 3)
    0.789
    """
    return float(np.nanquantile(feature_margins(features, labels), 0.25))
