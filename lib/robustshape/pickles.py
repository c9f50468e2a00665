"""Pickles read without running what they say: a pickle may name only what the reader allows.

A pickle is a small program that may call any function of Python. Whatever else it names is refused before it is looked
up, so nothing of the file runs.
"""

import io
import pickle
from pathlib import Path

from robustshape.errors import StoreError

DAMAGED = (
    *(pickle.UnpicklingError, EOFError, ValueError, TypeError, KeyError, IndexError, RuntimeError),
    *(AttributeError, ImportError, OverflowError, MemoryError),
)


def read(
    content: bytes,
    allowed: dict,
    *,
    path: Path,
    kind: str,
    encoding: str = "ASCII",
    known: dict[str, str] | None = None,
):
    """Return what is pickled in `content`.

    Parameters
    ----------
    content : bytes
    allowed : dict of (module, name) -> callable
        What stands for each name that the pickle may hold: the object itself, or a harmless one in its place.
    path : Path
        For the messages.
    kind : str
        What such a file is, for the messages: "batch of images".
    encoding : str
        Of texts that Python 2 wrote.
    known : dict of module -> str, optional
        What to say of a file that names anything of a module: files of another kind that are often taken for this one.

    Raises
    ------
    StoreError
        If it is damaged or names anything else: which.

    Examples
    --------
    >>> read(pickle.dumps({"a": [1, 2.5]}), {}, path=Path("x.pkl"), kind="list")
    {'a': [1, 2.5]}
    """

    class Reader(pickle.Unpickler):
        def find_class(self, module, name):
            if module in (known or {}):
                raise StoreError(f"{path} {known[module]}")
            if (module, name) not in allowed:
                raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no {kind} needs")
            return allowed[module, name]

    try:
        return Reader(io.BytesIO(content), encoding=encoding).load()
    except DAMAGED as error:
        raise StoreError(f"{path} is not a {kind} or is damaged ({error}); replace it") from error
