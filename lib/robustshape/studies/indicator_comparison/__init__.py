"""Study: which number of clean features says most about how a network fails, and how much more than its accuracy?"""

from robustshape.studies.indicator_comparison.measure import STUDY

__all__ = ["STUDY"]
