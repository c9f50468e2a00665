"""The manifest of a finished entry: the digest of each of its files, by which it is known to be as it was written."""

import hashlib
import json
from pathlib import Path, PurePosixPath

from robustshape.store.failures import ABSENT, unlike

MANIFEST = "manifest.json"
SHARED = ".shared"  # beside it: the entry is at the cache's address, too
LONGEST = 255  # bytes of a name that file systems take


def sha256(path: Path) -> str:
    """Return the digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def manifest_of(folder: Path) -> str:
    """Return the text of the manifest of all files in a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return json.dumps({path.relative_to(folder).as_posix(): sha256(path) for path in files}, indent=0)


def parsed(text: str | bytes) -> dict[str, str]:
    """Return the digest of each file by its name; raise ValueError for what is no manifest, or leads out of its folder.

    >>> parsed('{"../a": "00"}')
    Traceback (most recent call last):
    ValueError: it names '../a'
    """
    try:
        text = text.decode() if isinstance(text, bytes) else text
        pairs = json.loads(text, object_pairs_hook=tuple)
        if not isinstance(pairs, tuple):
            raise TypeError("it is no object")
        manifest = {str(name): str(digest) for name, digest in pairs}
    except (TypeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    if len(manifest) < len(pairs):
        raise ValueError("it names a file twice")
    folders = {str(folder) for name in manifest for folder in PurePosixPath(name).parents}
    for name in manifest:
        path = PurePosixPath(name)
        odd = str(path) != name or path.is_absolute() or ".." in path.parts or "\0" in name or "\\" in name
        long = any(len(part.encode(errors="replace")) > LONGEST for part in path.parts)
        if odd or long or name in folders or name in (MANIFEST, SHARED) or not name.isprintable():
            raise ValueError(f"it names {name!r}")
    return manifest


def first_unlike(folder: Path, manifest: dict[str, str]) -> str:
    """Return which file of a folder is not as the manifest says, in words, or "" where all are."""
    for name, digest in manifest.items():
        try:
            found = sha256(folder / name)
        except ABSENT:
            found = "that of no file"
        if found != digest:
            return f"{name} is not as it was written ({unlike(found, digest)})"
    return ""
