"""A cache at an address, such as s3://bucket/folder: what is finished is copied there, and from there where it is not here.

Each machine works in a folder of its own, in which a rename is a commit. An object store has no renames, so the manifest of
an entry is written last, and its files lie in a folder named by the digest of that manifest::

    ADDRESS/models/KEY/manifest.json        what `robustshape.store.manifest` says, the same text as here
    ADDRESS/models/KEY/DIGEST/card.json     written before it

Two machines that finish one entry at once cannot mix their files: the manifest that is written last counts, and both are
whole. Leases (`robustshape.store.leases`) hold on one machine: nothing is locked at the address, so two runs on two machines
may make an entry twice. One run on many machines does not, for its tasks are dealt out.
"""

import contextlib
import errno
import functools
import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from robustshape.errors import StoreError
from robustshape.paths import cache_address, cache_dir, offline
from robustshape.store.atomic import written_beside
from robustshape.store.manifest import MANIFEST, first_unlike, parsed

SHARED = ".shared"  # beside the manifest here: the entry is at the address, too
OF_THIS_MACHINE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)  # what else says is the address's
ANSWER = 8  # seconds that an address has to answer when it is asked first


def offer(folder: Path) -> None:
    """Copy a finished entry of the cache to its address, if the cache has one and the entry is not there."""
    if (there := _there(folder)) is None or (folder / SHARED).exists():
        return
    files, place = there
    with _speaking():
        if _content(files, f"{place}/{MANIFEST}") is None:
            text = (folder / MANIFEST).read_bytes()
            names = list(parsed(text))
            files.put(
                [str(folder / name) for name in names], [f"{place}/{_digest(text)}/{name}" for name in names]
            )
            files.put_file(str(folder / MANIFEST), f"{place}/{MANIFEST}")
    with contextlib.suppress(OSError):  # where nothing may be written, it is looked for again
        (folder / SHARED).touch()


def take(folder: Path) -> bool:
    """Return whether a finished entry was copied from the cache's address; one that is damaged there is named and removed."""
    if (there := _there(folder)) is None:
        return False
    files, place = there
    with _speaking():
        text = _content(files, f"{place}/{MANIFEST}")
    if text is None:
        return False
    with written_beside(folder) as temporary, _speaking():
        temporary.mkdir()
        damage = _copied(files, f"{place}/{_digest(text)}", text, temporary)
        if not damage:
            (temporary / MANIFEST).write_bytes(text)
            (temporary / SHARED).touch()
            with contextlib.suppress(FileExistsError):
                os.rename(temporary, folder)
            return True
        if _content(files, f"{place}/{MANIFEST}") == text:  # nobody has mended it meanwhile
            files.rm_file(f"{place}/{MANIFEST}")
    print(
        f"{cache_address()}/{_name(folder)} is damaged: {damage} (removed there; it is made again)",
        flush=True,
    )
    return False


def holds(folder: Path) -> bool:
    """Return whether a finished entry is at the cache's address."""
    if (there := _there(folder)) is None:
        return False
    files, place = there
    with _speaking():
        return _content(files, f"{place}/{MANIFEST}") is not None


def offer_file(path: Path) -> None:
    """Copy a small file of the cache to its address, in place of an earlier one."""
    if there := _there(path):
        files, place = there
        with _speaking():
            files.put_file(str(path), place)


def take_file(path: Path) -> None:
    """Copy a small file of the cache from its address, if it is there and not here."""
    if not path.exists() and (there := _there(path)):
        files, place = there
        with _speaking():
            content = _content(files, place)
        if content is not None:
            with written_beside(path) as temporary:
                temporary.write_bytes(content)
                os.replace(temporary, path)


def state() -> str:
    """Return the cache's address and whether it answers, in words; "" where the cache is a folder."""
    address = cache_address()
    if not address:
        return ""
    if offline():
        return f"{address} (not asked: ROBUSTSHAPE_OFFLINE is set)"
    try:
        _files(address)
    except StoreError as error:
        return f"{address}, missing: {error}"
    return f"{address}, which answers"


def _name(path: Path) -> str:
    return path.relative_to(cache_dir()).as_posix()


def _there(path: Path):
    """Return the file system and the place in it of a path of the cache, or None where nothing is shared."""
    address = cache_address()
    if not address or offline() or not path.is_relative_to(cache_dir()):
        return None
    files, root = _files(address)
    return files, f"{root}/{_name(path)}"


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:32]


def _content(files, place: str) -> bytes | None:
    try:
        return files.cat_file(place)
    except FileNotFoundError:
        return None


def _copied(files, place: str, text: bytes, folder: Path) -> str:
    """Copy the files that a manifest names into a folder; return what is wrong with them, in words."""
    try:
        manifest = parsed(text)
    except ValueError as error:
        return f"its {MANIFEST} cannot be read ({error})"
    for name in manifest:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):  # which, is said below
        files.get([f"{place}/{name}" for name in manifest], [str(folder / name) for name in manifest])
    return first_unlike(folder, manifest)


@contextlib.contextmanager
def _speaking() -> Iterator[None]:
    """Say in words that the address could not be used."""
    try:
        yield
    except StoreError:
        raise
    except Exception as error:  # of whatever library speaks the protocol
        if isinstance(error, OSError) and error.errno in OF_THIS_MACHINE:
            raise
        raise StoreError(_unusable(error)) from error


def _unusable(error) -> str:
    why = str(error) or type(error).__name__
    return (
        f"the cache at {cache_address()} cannot be used ({why}); see to the address and to its credentials, or set "
        f"ROBUSTSHAPE_OFFLINE=1 to go on without; what is finished is kept in {cache_dir()}"
    )


@functools.lru_cache(maxsize=4)
def _files(address: str):
    """Return the file system of an address, and the address within it; raise StoreError if it does not answer in time."""
    import fsspec

    found = []

    def ask():
        try:
            files, root = fsspec.url_to_fs(address, use_listings_cache=False)
            files.exists(root)
            found.append((files, root.rstrip("/")))
        except Exception as error:
            found.append(error)

    asking = threading.Thread(target=ask, daemon=True)  # one that never answers is left behind
    asking.start()
    asking.join(ANSWER)
    if not found:
        raise StoreError(_unusable(f"no answer within {ANSWER} s"))
    if isinstance(found[0], Exception):
        raise StoreError(_unusable(found[0])) from found[0]
    return found[0]
