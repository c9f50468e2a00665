"""Study: does a network whose units are less selective for classes fail less?"""

from robustshape.studies.class_selectivity.measure import STUDY

__all__ = ["STUDY"]
