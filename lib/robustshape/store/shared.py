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
import hashlib
from pathlib import Path

from robustshape.errors import StoreError
from robustshape.paths import cache_address, cache_dir, offline
from robustshape.store.atomic import place, written_beside
from robustshape.store.manifest import MANIFEST, SHARED, first_unlike, parsed
from robustshape.store.remote import Refused, remote

STAYS = ("executed",)  # kinds of entries that are this machine's own: notebooks that a book shows
_TOLD: set[str] = set()  # addresses that this process has said nothing can be written to


def offer(folder: Path) -> None:
    """Copy a finished entry of the cache to its address, if the cache has one and the entry is not there.

    Where the address may be read alone, that is said once, and what is made here stays here.
    """
    name = _name(folder)
    if not name or (folder / SHARED).exists() or (there := remote()) is None:
        return
    if there.content(f"{name}/{MANIFEST}") is None:
        text = (folder / MANIFEST).read_bytes()
        try:
            there.put({f"{name}/{_digest(text)}/{file}": folder / file for file in parsed(text)})
            there.put({f"{name}/{MANIFEST}": folder / MANIFEST})
        except Refused as error:
            _tell(error)
            return
    with contextlib.suppress(OSError):  # where nothing may be written, it is looked for again
        (folder / SHARED).touch()


def take(folder: Path) -> bool:
    """Return whether a finished entry was copied from the cache's address; one that is damaged there is named and removed."""
    name = _name(folder)
    if not name or (there := remote()) is None:
        return False
    text = there.content(f"{name}/{MANIFEST}")
    if text is None:
        return False
    with written_beside(folder) as temporary:
        temporary.mkdir()
        damage = _copied(there, f"{name}/{_digest(text)}", text, temporary)
        if not damage:
            (temporary / MANIFEST).write_bytes(text)
            (temporary / SHARED).touch()
            place(temporary, folder)
            return True
    print(f"{there.address}/{name} is damaged: {damage}; it is made again", flush=True)
    if there.content(f"{name}/{MANIFEST}") == text:  # nobody has mended it meanwhile
        try:
            there.remove(f"{name}/{MANIFEST}")
        except Refused as error:
            _tell(error)
    return False


def holds(folder: Path) -> bool:
    """Return whether a finished entry is at the cache's address."""
    name = _name(folder)
    there = remote() if name else None
    return there is not None and there.content(f"{name}/{MANIFEST}") is not None


def offer_file(path: Path) -> None:
    """Copy a small file of the cache to its address, in place of an earlier one; none where there is none."""
    if (name := _name(path)) and path.is_file() and (there := remote()) is not None:
        try:
            there.put({name: path})
        except Refused as error:
            _tell(error)


def content(path: Path) -> bytes | None:
    """Return what a small file of the cache holds at its address; None where there is none."""
    name = _name(path)
    there = remote() if name else None
    return None if there is None else there.content(name)


def state() -> str:
    """Return the cache's address and whether it can be read and written now, in words; "" where the cache is a folder."""
    address = cache_address()
    if not address:
        return ""
    if offline():
        return f"{address} (not asked: ROBUSTSHAPE_OFFLINE is set)"
    try:
        remote().check()
    except Refused as error:
        return f"{address}, which answers, but may not be written ({error.__cause__})"
    except StoreError as error:
        return str(error)
    return f"{address}, which can be read and written"


def _name(path: Path) -> str:
    """Return the name of a path of the cache at its address; "" where it is not shared."""
    if not cache_address() or not path.is_relative_to(cache_dir()):
        return ""
    name = path.relative_to(cache_dir())
    return "" if name.parts[0] in STAYS else name.as_posix()


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:32]


def _copied(there, name: str, text: bytes, folder: Path) -> str:
    """Copy the files that a manifest names into a folder; return what is wrong with them, in words."""
    try:
        manifest = parsed(text)
    except ValueError as error:
        return f"its {MANIFEST} cannot be read ({error})"
    for file in manifest:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
    for _ in range(2):  # what was garbled on its way is whole the second time
        there.get({f"{name}/{file}": folder / file for file in manifest})
        damage = first_unlike(folder, manifest)
        if not damage:
            break
    return damage


def _tell(error: Refused) -> None:
    """Say once that nothing may be written at the address."""
    address = cache_address()
    if address not in _TOLD:
        print(
            f"{address} may be read and not written ({error.__cause__}): what is made stays in {cache_dir()}",
            flush=True,
        )
    _TOLD.add(address)
