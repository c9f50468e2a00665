"""Statistics over models: correlations, intervals over families, nulls, corrections.

Arrays in, numbers out; randomness is an argument. The interval over families is the jackknife of `jackknife` and
`centring`, the rule of a claim `verdict`, its corrections `screen`; what a population decides `planning` and `simulation`.
"""

from robustshape.statistics.centring import correlate_over_families
from robustshape.statistics.correlations import (
    CORRELATIONS,
    Line,
    correlations,
    fit_line,
    kendall,
    partial_correlation,
    pearson,
    residuals,
    spearman,
)
from robustshape.statistics.exact import ExactShare, exact_share, share_of_families
from robustshape.statistics.inference import Estimate, holm, paired_difference, wilson_interval
from robustshape.statistics.jackknife import OverGroups, mean_over_groups, slope_over_groups
from robustshape.statistics.out_of_sample import added, advantage
from robustshape.statistics.planning import within_family_correlation
from robustshape.statistics.resampling import shared_denominator_null

__all__ = [
    "CORRELATIONS",
    "Estimate",
    "ExactShare",
    "Line",
    "OverGroups",
    "added",
    "advantage",
    "correlate_over_families",
    "correlations",
    "exact_share",
    "fit_line",
    "holm",
    "kendall",
    "mean_over_groups",
    "paired_difference",
    "partial_correlation",
    "pearson",
    "residuals",
    "share_of_families",
    "shared_denominator_null",
    "slope_over_groups",
    "spearman",
    "wilson_interval",
    "within_family_correlation",
]
