"""What a file system answers in place of content or room, in words; none of it is damage, and nothing is removed for it."""

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from robustshape.errors import ReadOnlyError, StoreError
from robustshape.paths import READ_ONLY

ABSENT = (FileNotFoundError, NotADirectoryError, IsADirectoryError)  # there is no such file


def unlike(found: str, expected: str) -> str:
    """Return two digests in words, their beginnings where those differ.

    >>> unlike("12" * 32, "34" * 32)
    'its sha256 is 1212121212121212, expected 3434343434343434'
    """
    shown = 16 if found[:16] != expected[:16] else None
    return f"its sha256 is {found[:shown]}, expected {expected[:shown]}"


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Say in words that a file cannot be read.

    >>> with reading(Path("a")):
    ...     raise PermissionError(errno.EACCES, "Permission denied")
    Traceback (most recent call last):
    robustshape.errors.StoreError: a cannot be read (Permission denied); it is left as it is: see to the disk or to its permissions, and run again
    """
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(
            f"{path} cannot be read ({error.strerror or error}); it is left as it is: "
            "see to the disk or to its permissions, and run again"
        ) from error


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say in words why a file cannot be written; ReadOnlyError where nothing may be."""
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            words = f"the disk is full while writing {path}; free some space there and run again"
            raise StoreError(words) from error
        kind = ReadOnlyError if error.errno in READ_ONLY else StoreError
        raise kind(
            f"{path} cannot be written ({error.strerror or error}); check the folder's permissions"
        ) from error
