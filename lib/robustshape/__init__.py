"""The Shape of Robustness: what a classifier's clean feature space says about how it will fail."""

__version__ = "0.1.0"
