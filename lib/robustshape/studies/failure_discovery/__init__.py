"""Study: which visible changes, found in a generator's StyleSpace, make a classifier of digits fail?"""

from robustshape.studies.failure_discovery.measure import STUDY

__all__ = ["STUDY"]
