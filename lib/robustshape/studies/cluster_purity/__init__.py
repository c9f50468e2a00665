"""Study: does the purity of a clustering of clean features say how robust a network is?"""

from robustshape.studies.cluster_purity.measure import STUDY

__all__ = ["STUDY"]
