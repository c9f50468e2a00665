"""What networks still classify rightly when images are corrupted (`corrupted`) or attacked (`attacked`)."""

from robustshape.robustness.corrupted import PIECE, VERSION, correct, missing, predict, spec

__all__ = ["PIECE", "VERSION", "correct", "missing", "predict", "spec"]
