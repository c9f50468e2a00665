"""The Shape of Robustness: what a classifier's clean feature space says about how it will fail."""

import importlib

__version__ = "0.1.0"
__all__ = ["evaluate", "report"]
_FROM = {
    "evaluate": "evaluation",
    "report": "reporting",
}  # imported when they are first asked for: both need torch


def __getattr__(name: str):
    if name not in _FROM:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_FROM[name]}"), name)
