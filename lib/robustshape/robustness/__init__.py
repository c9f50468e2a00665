"""What networks still classify rightly when images are corrupted (`corrupted`) or attacked (`attacked`)."""

from robustshape.robustness.corrupted import (
    GENERATED,
    PIECE,
    STORED,
    VERSION,
    check,
    correct,
    missing,
    predict,
    spec,
)

__all__ = ["GENERATED", "PIECE", "STORED", "VERSION", "check", "correct", "missing", "predict", "spec"]
