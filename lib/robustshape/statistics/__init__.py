"""Statistics over models: correlations, intervals by resampling families, nulls, corrections.

Arrays in, numbers out; randomness is an argument.
"""

from robustshape.statistics.correlations import (
    CORRELATIONS,
    Line,
    correlations,
    fit_line,
    kendall,
    partial_correlation,
    pearson,
    spearman,
)
from robustshape.statistics.inference import Estimate, holm, paired_difference, wilson_interval
from robustshape.statistics.resampling import (
    FEWEST_FAMILIES,
    bootstrap_over_families,
    bootstrap_p_value,
    correlation_over_families,
    few_clusters_p_value,
    interval,
    leave_one_group_out,
    shared_denominator_null,
)
from robustshape.statistics.trends import slope

__all__ = [
    "CORRELATIONS",
    "FEWEST_FAMILIES",
    "Estimate",
    "Line",
    "bootstrap_over_families",
    "bootstrap_p_value",
    "correlation_over_families",
    "correlations",
    "few_clusters_p_value",
    "fit_line",
    "holm",
    "interval",
    "kendall",
    "leave_one_group_out",
    "paired_difference",
    "partial_correlation",
    "pearson",
    "shared_denominator_null",
    "slope",
    "spearman",
    "wilson_interval",
]
