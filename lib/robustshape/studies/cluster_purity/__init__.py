"""Study: does the purity of a clustering of clean features say how robust a network is?"""

from robustshape.studies.cluster_purity.measure import measure, specifications

TITLE = "Do networks whose clean features cluster by class fail later? (cluster purity)"
QUANTITIES = ("purity", "rival_value", "accuracy", "corrupted_accuracy", "robust_accuracy")

__all__ = ["QUANTITIES", "TITLE", "measure", "specifications"]
