"""Study: does the k* distribution of clean features say how robust a network is?"""

from robustshape.studies.kstar_skewness.measure import measure, specifications

TITLE = "Do networks that split classes into fragments fail sooner? (k* distribution)"
QUANTITIES = (
    "approximate_skewness",
    "mean_normalised_rank",
    "accuracy",
    "corrupted_accuracy",
    "robust_accuracy",
)

__all__ = ["QUANTITIES", "TITLE", "measure", "specifications"]
