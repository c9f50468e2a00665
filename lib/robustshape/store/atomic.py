"""Nothing half-written is taken for finished: write beside under a unique name, then rename.

A writer that is killed leaves only a folder whose name starts with a dot. Two writers of one entry
cannot disturb each other: names are unique, and the first rename decides.
"""

import contextlib
import errno
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from robustshape.errors import StoreError
from robustshape.paths import checked_path

MANIFEST = "manifest.json"
ABANDONED_AFTER_S = 3600  # a writer that is still ending needs seconds; an hour is surely dead
_WHOLE: dict[Path, tuple] = {}  # how the files of entries looked when this process found them whole


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sweep(path: Path) -> None:
    """Remove what writers of `path` left that were killed long ago."""
    for left in path.parent.glob(f".{path.name}.*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > ABANDONED_AFTER_S:
                shutil.rmtree(left) if left.is_dir() else left.unlink()


def _explain(error: OSError, path: Path) -> StoreError:
    if error.errno == errno.ENOSPC:
        return StoreError(f"the disk is full while writing {path}; free some space there and run again")
    return StoreError(f"{path} cannot be written ({error.strerror or error}); check the folder's permissions")


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Yield a unique name beside `path`; whatever stands there afterwards is removed, come what may."""
    path = checked_path(path, "a file to write")
    temporary = path.parent / f".{path.name}.{uuid.uuid4().hex}.tmp"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
        yield temporary
    except StoreError:
        raise
    except OSError as error:
        raise _explain(error, path) from error
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):  # the error that ended the block is the one to show
                temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def write_file(path: Path) -> Iterator[Path]:
    """Yield a temporary name to write; it becomes `path` (replacing it) when the block ends well."""
    with _beside(path) as temporary:
        yield temporary
        os.replace(temporary, path)


def check_writable(path: Path) -> None:
    """Raise StoreError or InputError if no file can be written there; nothing is left, and what stands there stays."""
    with _beside(path) as temporary:
        temporary.touch()


@contextlib.contextmanager
def write_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder to fill; it becomes `path`, with a manifest, when the block ends well.

    If another writer finished the same entry meanwhile, that one stays: equal keys hold equal numbers.
    """
    with _beside(path) as temporary:
        temporary.mkdir()
        yield temporary
        files = sorted(f for f in temporary.rglob("*") if f.is_file())
        manifest = {f.relative_to(temporary).as_posix(): _sha256(f) for f in files}
        (temporary / MANIFEST).write_text(json.dumps(manifest, indent=0))
        try:
            os.rename(temporary, path)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise


def _looks(path: Path, names) -> tuple:
    """Return what tells whether a file has been written since, without reading it; None for a file that is missing."""
    found = []
    for name in names:
        try:
            stat = (path / name).stat()
        except OSError:
            found.append(None)
        else:
            found.append((stat.st_ino, stat.st_size, stat.st_mtime_ns))
    return tuple(found)


def check_folder(path: Path) -> bool:
    """Return whether the finished entry `path` exists; raise StoreError naming a damaged file in it.

    A process reads every file once, and again only if it has been written since.
    """
    path = Path(path)
    if not path.exists():
        return False
    try:
        manifest = json.loads((path / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} is damaged: its {MANIFEST} cannot be read; delete the folder") from error
    looks = _looks(path, [MANIFEST, *manifest])
    if _WHOLE.get(path) == looks:
        return True
    for name, digest in manifest.items():
        if not (path / name).is_file() or _sha256(path / name) != digest:
            raise StoreError(f"{path} is damaged: {name} is not as it was written; delete the folder")
    _WHOLE[path] = looks
    return True


def usable_folder(path: Path) -> bool:
    """Return whether `path` is finished and whole; a damaged one is named, removed, and made again."""
    try:
        return check_folder(path)
    except StoreError as error:
        print(f"{error} (done now; it is computed again)")
        shutil.rmtree(path, ignore_errors=True)
        return False
