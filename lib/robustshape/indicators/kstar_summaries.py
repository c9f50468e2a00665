"""The k* distribution of a network in one number: its skewness, pooled or by class, and its mean."""

import numpy as np

from robustshape.indicators.kstar import kstar_distribution
from robustshape.indicators.registered import INDICATORS


@INDICATORS.register("true_skewness", symbol="Gamma", about="skewness of all normalised k*, pooled")
def true_skewness(features, labels) -> float:
    """Return Gamma, the skewness of the normalised k* of all samples."""
    return float(kstar_distribution(features, labels)["true_skewness"])


@INDICATORS.register("approximate_skewness", symbol="Gamma'", about="mean over classes of the skewness of k*")
def approximate_skewness(features, labels) -> float:
    """Return Gamma', the mean over classes of the skewness of their normalised k*."""
    return float(kstar_distribution(features, labels)["approximate_skewness"])


@INDICATORS.register("mean_normalised_rank", symbol="k*/n", about="mean normalised k*; it does not saturate")
def mean_normalised_rank(features, labels) -> float:
    """Return the mean normalised k* of all samples."""
    return float(kstar_distribution(features, labels)["mean_normalised_rank"])


@INDICATORS.register(
    "gaussian_rank",
    symbol="k*/n, normal",
    about="mean normalised k* of normal draws with the classes' moments",
)
def gaussian_rank(features, labels, rng) -> float:
    """Return the mean normalised k* of features without structure within their classes, beside which k* is judged.

    Each class is a normal draw of as many samples, with the class's mean and covariance.
    """
    features, labels = np.asarray(features, dtype=np.float64), np.asarray(labels)
    drawn = np.empty_like(features)
    for c in np.unique(labels):
        own = features[labels == c]
        centred = own - own.mean(0)
        weights = rng.standard_normal((len(own), len(own))) / np.sqrt(max(1, len(own) - 1))
        drawn[labels == c] = own.mean(0) + weights @ centred  # covariance: that of the class's samples
    return mean_normalised_rank(drawn, labels)
