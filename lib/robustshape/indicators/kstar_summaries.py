"""The k* distribution of a network in one number: its skewness, pooled or by class, and its mean."""

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
