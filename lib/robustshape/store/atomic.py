"""Nothing half-written is taken for finished: write beside under a unique name, then rename.

A writer that is killed leaves only a name that starts with a dot, which goes after an hour. Two writers of one entry
cannot disturb each other: names are unique, and the first rename decides.
"""

import contextlib
import errno
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from robustshape.errors import DamagedError
from robustshape.paths import checked_path
from robustshape.store.failures import writing

ABANDONED_AFTER_S = 3600  # a writer that is still ending needs seconds; an hour is surely dead
SWEPT: set[Path] = set()  # folders in which this process has looked for what dead writers left


def sweep(folder: Path) -> None:
    """Remove what writers and holders of leases left in a folder that were killed long ago."""
    SWEPT.add(folder)
    with contextlib.suppress(OSError):
        names = [
            name for name in os.listdir(folder) if name.startswith(".") and name.endswith((".tmp", ".lease"))
        ]
        for left in (folder / name for name in names):
            newest = max(part.lstat().st_mtime for part in (left, *left.rglob("*")))
            if time.time() - newest > ABANDONED_AFTER_S:
                remove(left)


def remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it, as far as that can be done."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def beside(path: Path) -> Path:
    """Return a unique name beside `path`, of a kind that goes if its writer is killed.

    >>> beside(Path("entry")).name.startswith(".entry.")
    True
    """
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")


@contextlib.contextmanager
def written_beside(path: Path) -> Iterator[Path]:
    """Yield a unique name beside `path`; whatever stands there afterwards is removed, come what may."""
    temporary = beside(path := checked_path(path, "a file to write"))
    try:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            sweep(path.parent)
            yield temporary
    finally:
        remove(temporary)  # without an error of its own: the one that ended the block is the one to show


@contextlib.contextmanager
def write_file(path: Path) -> Iterator[Path]:
    """Yield a temporary name to write; it becomes `path` (replacing it) when the block ends well."""
    with written_beside(path) as temporary:
        yield temporary
        os.replace(temporary, path)


def place(temporary: Path, folder: Path) -> None:
    """Rename a whole entry into place; one that another writer has just put there stays: equal keys hold equal numbers."""
    try:
        os.rename(temporary, folder)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise


def check_writable(path: Path) -> None:
    """Raise StoreError or InputError if no file can be written there; nothing is left, and what stands there stays."""
    with written_beside(path) as temporary:
        temporary.touch()


def discard(path: Path, error: DamagedError) -> None:
    """Name what is damaged and remove it, in one step."""
    try:
        os.rename(path, gone := beside(path))
        remove(gone)
    except FileNotFoundError:  # another process was faster
        pass
    except OSError as why:
        raise DamagedError(f"{error}; that cannot be done from here ({why.strerror or why})") from why
    print(f"{error} (done now; it is computed again by the next run)", flush=True)
