"""Pickled batches read without running what they say: dictionaries, lists, bytes, numbers and NumPy arrays only.

A pickle is a small program that may call any function of Python. Here it may name only the few constructors
that the official CIFAR batches hold; anything else is refused before it is looked up.
"""

import io
import pickle
from pathlib import Path

from robustshape.errors import StoreError


def _constructors() -> dict:
    """Return the only objects a batch may name: those of an array of Python 2's NumPy and of today's."""
    import numpy as np

    rebuild = np.empty(0).__reduce__()[0]
    return {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("numpy.core.multiarray", "_reconstruct"): rebuild,
        ("numpy._core.multiarray", "_reconstruct"): rebuild,
    }


class _Reader(pickle.Unpickler):
    def find_class(self, module, name):
        allowed = _constructors()
        if (module, name) not in allowed:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no batch of images needs")
        return allowed[module, name]


def read_pickle(content: bytes, path: Path) -> dict:
    """Return the dictionary in a pickled batch, its keys as str; `path` is for the messages.

    Raises
    ------
    StoreError
        If it is damaged, not a dictionary, or asks for anything but arrays.
    """
    broken = (
        *(pickle.UnpicklingError, EOFError, ValueError, TypeError, KeyError, IndexError),
        *(AttributeError, ImportError, OverflowError, MemoryError),
    )
    try:
        batch = _Reader(io.BytesIO(content), encoding="bytes").load()
        return {key.decode() if isinstance(key, bytes) else key: value for key, value in batch.items()}
    except broken as error:
        raise StoreError(f"{path} is not a batch of images or is damaged ({error}); replace it") from error
