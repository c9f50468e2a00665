"""Nothing half-written is taken for finished: write beside under a unique name, then rename.

A writer that is killed leaves only a name that starts with a dot, which goes after an hour. Two writers of one entry
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

from robustshape.errors import DamagedError
from robustshape.paths import checked_path
from robustshape.store.failures import ABSENT, reading, unlike, writing

MANIFEST = "manifest.json"
ABANDONED_AFTER_S = 3600  # a writer that is still ending needs seconds; an hour is surely dead
_WHOLE: dict[Path, tuple] = {}  # how the files of entries looked when this process found them whole
_SWEPT: set[Path] = set()  # folders in which this process has looked for what dead writers left


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sweep(folder: Path) -> None:
    """Remove what writers and holders of leases left in a folder that were killed long ago."""
    _SWEPT.add(folder)
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
def _beside(path: Path) -> Iterator[Path]:
    """Yield a unique name beside `path`; whatever stands there afterwards is removed, come what may."""
    temporary = beside(path := checked_path(path, "a file to write"))
    try:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            _sweep(path.parent)
            yield temporary
    finally:
        remove(temporary)  # without an error of its own: the one that ended the block is the one to show


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


def _manifest(path: Path) -> dict[str, str]:
    """Return the digest of each file of an entry by its name; raise DamagedError if it does not say so."""
    try:
        pairs = json.loads((path / MANIFEST).read_text("utf-8"), object_pairs_hook=list)
        manifest = {str(name): digest for name, digest in pairs}
        if len(manifest) < len(pairs):
            raise ValueError("it names a file twice")
    except (*ABSENT, ValueError, TypeError, RecursionError) as error:
        raise DamagedError(
            f"{path} is damaged: its {MANIFEST} cannot be read ({error}); delete the folder"
        ) from error
    return manifest


def check_folder(path: Path) -> bool:
    """Return whether the finished entry `path` exists.

    A process reads every file once, and again only if it has been written since.

    Raises
    ------
    DamagedError
        If a file in it is not as it was written: which, and what was expected.
    StoreError
        If one cannot be read.
    """
    path = Path(path)
    if path.parent not in _SWEPT:
        _sweep(path.parent)
    with reading(path):
        try:
            path.stat()
        except ABSENT:
            return False
        manifest = _manifest(path)
        looks = _looks(path, [MANIFEST, *manifest])
        if _WHOLE.get(path) == looks:
            return True
        for name, digest in manifest.items():
            try:
                found = _sha256(path / name)
            except ABSENT:
                found = "that of no file"
            if found != digest:
                raise DamagedError(
                    f"{path} is damaged: {name} is not as it was written ({unlike(found, str(digest))}); delete the folder"
                )
    _WHOLE[path] = looks
    return True


def usable_folder(path: Path) -> bool:
    """Return whether `path` is finished and whole; a damaged one is named, removed, and made again."""
    try:
        return check_folder(path)
    except DamagedError as error:
        discard(path, error)
        return False


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
