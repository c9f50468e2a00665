"""Whether the files behind a data set are still those that were read: their names, sizes and times."""

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from robustshape.datasets.folder_listing import stamp

MANY = 2_000  # files of a folder from which on it is not looked through at every call
SHARE = 20  # then at most one part in so many of the time goes into looking
_seen: dict[Path, tuple[float, str]] = {}  # until when, and what a folder of many files was like


def of_files(*paths) -> str:
    """Return what changes with any of the files (None, or one that is not there, among them): 32 hex digits.

    >>> of_files("/no/such/file") == of_files("/no/such/file"), of_files() == of_files("/no/such/file")
    (True, False)
    """
    return _digest([(str(path), _stamp(path)) for path in paths])


def of_folder(folder: Path, look: Callable[[], list]) -> str:
    """Return what changes with the files of a folder, as `look` lists them with their `stamp`: 32 hex digits.

    A folder of more than `MANY` files is looked through again only after `SHARE` times as long as that takes.
    """
    until, known = _seen.get(folder, (0.0, ""))
    began = time.monotonic()
    if began < until:
        return known
    found = look()
    took = time.monotonic() - began
    now = _digest([str(folder), *found])
    _seen[folder] = (began + took * (1 + SHARE) if len(found) > MANY else 0.0), now
    return now


def below(folder: Path) -> list:
    """Return every file below a folder with its stamp, links followed one level: for `of_folder`."""
    return [
        (os.path.join(above, name), _stamp(os.path.join(above, name)))
        for above, _, files in os.walk(folder)
        for name in sorted(files)
    ]


def _stamp(path) -> tuple | None:
    try:
        return None if path is None else stamp(os.stat(path))
    except OSError:
        return None


def _digest(content: list) -> str:
    return hashlib.blake2b(repr(content).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
