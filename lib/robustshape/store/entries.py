"""Entries of the cache: folders that are whole or not there, each with a manifest of its files.

Where ROBUSTSHAPE_CACHE is an address, what is finished here is copied there, and what is not here is looked for there:
see `robustshape.store.shared`.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from robustshape.errors import DamagedError
from robustshape.paths import cache_address
from robustshape.store import shared
from robustshape.store.atomic import SWEPT, discard, place, sweep, written_beside
from robustshape.store.failures import ABSENT, reading
from robustshape.store.manifest import MANIFEST, first_unlike, manifest_of, parsed

_WHOLE: dict[Path, tuple] = {}  # how the files of entries looked when this process found them whole


@contextlib.contextmanager
def write_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder to fill; it becomes `path`, with a manifest, when the block ends well.

    If another writer finished the same entry meanwhile, that one stays: equal keys hold equal numbers.
    """
    with written_beside(path) as temporary:
        temporary.mkdir()
        yield temporary
        (temporary / MANIFEST).write_text(manifest_of(temporary))
        place(temporary, path)
    shared.offer(path)


def check_folder(path: Path) -> bool:
    """Return whether the finished entry `path` exists, here or at the cache's address, from where it is then copied.

    A process reads every file once, and again only if it has been written since.

    Raises
    ------
    DamagedError
        If a file in it is not as it was written: which, and what was expected.
    StoreError
        If one cannot be read.
    """
    path = Path(path)
    if path.parent not in SWEPT:
        sweep(path.parent)
    with reading(path):
        if not _is_here(path) and not shared.take(path):
            return False
        manifest = _manifest(path)
        looks = _looks(path, [MANIFEST, *manifest])
        if _WHOLE.get(path) == looks:
            return True
        if damage := first_unlike(path, manifest):
            raise DamagedError(f"{path} is damaged: {damage}; delete the folder")
    _WHOLE[path] = looks
    shared.offer(path)
    return True


def usable_folder(path: Path) -> bool:
    """Return whether `path` is finished and whole; a damaged one is named, removed, and made again."""
    try:
        return check_folder(path)
    except DamagedError as error:
        discard(path, error)
        taken = check_folder(path)
        if taken:
            print(f"{path} was copied anew from {cache_address()}", flush=True)
        return taken


def is_finished(path: Path) -> bool:
    """Return whether there is an entry, here or at the cache's address, without a look at its files."""
    return (path / MANIFEST).is_file() or shared.holds(path)


def _is_here(path: Path) -> bool:
    try:
        path.stat()
    except ABSENT:
        return False
    return True


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
        return parsed((path / MANIFEST).read_text("utf-8"))
    except (*ABSENT, ValueError) as error:
        raise DamagedError(
            f"{path} is damaged: its {MANIFEST} cannot be read ({error}); delete the folder"
        ) from error
