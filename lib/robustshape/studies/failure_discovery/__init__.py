"""Study: which visible changes, found in a generator's StyleSpace, make a classifier of digits fail?"""

from robustshape.studies.failure_discovery.measure import measure, specifications

TITLE = "Which visible changes make a classifier fail? (failure discovery in StyleSpace)"
QUANTITIES = ("accuracy", "corrupted_accuracy", "start_accuracy", "fall", "walk_accuracy", "repair")

__all__ = ["QUANTITIES", "TITLE", "measure", "specifications"]
