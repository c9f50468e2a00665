"""Study: does the k* distribution of clean features say how robust a network is?"""

from robustshape.studies.kstar_skewness.measure import STUDY

__all__ = ["STUDY"]
