"""Study: do our corrupted digits fail like the digits of a published table?"""

from robustshape.studies.severity_profile.measure import STUDY

__all__ = ["STUDY"]
