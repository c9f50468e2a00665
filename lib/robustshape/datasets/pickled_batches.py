"""Pickled batches read without running what they say: dictionaries, lists, bytes, numbers and NumPy arrays only."""

from pathlib import Path

from robustshape import pickles
from robustshape.errors import StoreError


def _constructors() -> dict:
    """Return the only objects a batch may name: those of an array of Python 2's NumPy and of today's."""
    import numpy as np

    make = np.empty(0).__reduce__()[0]

    def rebuild(*_):
        """Return an empty array, whatever size is asked for: its state brings its shape, which must fit its bytes."""
        return make(np.ndarray, (0,), b"b")

    return {
        ("numpy", "ndarray"): "ndarray",  # named and never called: that would make room for any shape
        ("numpy", "dtype"): np.dtype,
        ("numpy.core.multiarray", "_reconstruct"): rebuild,
        ("numpy._core.multiarray", "_reconstruct"): rebuild,
    }


def read_batch(content: bytes, path: Path) -> dict:
    """Return the dictionary in a pickled batch, its keys as str; `path` is for the messages.

    Raises
    ------
    StoreError
        If it is damaged, not a dictionary, or asks for anything but arrays.
    """
    batch = pickles.read(content, _constructors(), path=path, kind="batch of images", encoding="bytes")
    try:
        return {key.decode() if isinstance(key, bytes) else key: value for key, value in batch.items()}
    except (AttributeError, UnicodeDecodeError) as error:  # no dictionary, or keys that are no text
        raise StoreError(f"{path} is not a batch of images or is damaged ({error}); replace it") from error
