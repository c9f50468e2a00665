"""Study: what does one network's clean feature space say about how it will fail? The report of a reader's own model."""

from robustshape.studies.your_model.measure import STUDY

__all__ = ["STUDY"]
