"""Study: do our corrupted digits fail like the digits of a published table?"""

from robustshape.studies.severity_profile.measure import measure, specifications

TITLE = "Do our corrupted digits fail like the published ones? (severity profile)"
QUANTITIES = ("accuracy", "corrupted_accuracy")

__all__ = ["QUANTITIES", "TITLE", "measure", "specifications"]
