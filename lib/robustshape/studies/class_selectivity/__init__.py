"""Study: does a network whose units are less selective for classes fail less?"""

from robustshape.studies.class_selectivity.measure import measure, specifications

TITLE = "Do networks fail less when their units are less selective? (class selectivity)"
QUANTITIES = ("mean_selectivity", "accuracy", "corrupted_accuracy", "robust_accuracy", "steps_accuracy")

__all__ = ["QUANTITIES", "TITLE", "measure", "specifications"]
