"""Which files of a folder are its images: of each class those below its folder, and how many were passed over.

Passed over and counted: hidden files and folders (a dot in front) and what systems leave behind (`LEFT_BEHIND`), files
whose ending is none of `ENDINGS`, and links back to a folder that is read anyway. Refused: links that lead nowhere,
folders that may not be read, names that are no UTF-8 text.
"""

import os
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from robustshape.errors import InputError, StoreError

ENDINGS = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".tif", ".tiff"),
    *(".webp", ".ppm", ".pgm", ".pbm", ".pnm"),
)
LEFT_BEHIND = {
    *("Thumbs.db", "ehthumbs.db", "desktop.ini", "Icon\r", "$RECYCLE.BIN", "System Volume Information"),
    *("__MACOSX", "@eaDir", "#recycle", "#snapshot", "@Recycle", "lost+found"),
}
ORDER_FILE = "classes.txt"  # see `class_order`
SHAPE = "PATH/CLASS/IMAGE.jpg, or PATH/train/CLASS/IMAGE.jpg and PATH/test/CLASS/IMAGE.jpg"
HIDDEN, LINKED, BESIDE = (
    "hidden files or folders",
    "links to a folder read anyway",
    "files outside class folders",
)


class Listing(NamedTuple):
    """The class folders of a folder, its images as ``CLASS/.../IMAGE`` with their `stamp`, and what was passed over."""

    classes: list[str]
    names: list[str]
    stamps: list[tuple]
    skipped: dict[str, int]


def stamp(about: os.stat_result) -> tuple[int, int, int, int]:
    """Return what changes whenever a file does: size, times of its content and of its entry, and its number."""
    return about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino


def readable(name) -> str:
    """Return a name as text that can be printed, bytes that are no UTF-8 as ``\\xe9``.

    >>> print(readable("caf\\udce9.png"))
    caf\\xe9.png
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def subfolders(folder: Path) -> list[str]:
    """Return the names of the folders in a folder that are not hidden, sorted."""
    return [entry.name for entry in _shown(folder, Counter()) if _is_folder(entry)]


def listing(folder: Path, *, least: int = 2) -> Listing:
    """Return the classes and images of a folder; nothing is opened.

    Parameters
    ----------
    folder : Path
        Holds a folder of images for each class.
    least : int
        Number of class folders there must be.

    Raises
    ------
    InputError
        If there are too few classes, a class has no image, two class folders are one, or a name is no text.
    StoreError
        If a link leads nowhere, or a folder may not be read.
    """
    skipped: Counter = Counter()
    inside = list(_entries(folder, skipped))
    classes = {entry.name: about for entry, about in inside if stat.S_ISDIR(about.st_mode)}
    skipped[BESIDE] = sum(entry.name not in {*classes, ORDER_FILE} for entry, _ in inside)
    here = folder.resolve()
    seen = {_mark(place.stat()): place for place in (here, *here.parents)}
    for name, about in classes.items():
        other = seen.setdefault(_mark(about), folder / name)
        if other != folder / name:
            raise InputError(
                f"the class folder {folder / name} is the folder {other} itself; remove the link"
            )
    names, stamps = [], []
    for name in classes:
        found = sorted(_images(folder, name, seen, skipped))
        if not found:
            raise InputError(
                f"the class folder {folder / name} holds no image ({' '.join(ENDINGS)}); fill it or remove it"
            )
        names += [each for each, _ in found]
        stamps += [each for _, each in found]
    if len(classes) < least:
        raise InputError(
            f"{folder} has {len(classes)} class folder(s), but at least {least} are needed; images lie as {SHAPE}"
        )
    return Listing(list(classes), names, stamps, {kind: n for kind, n in sorted(skipped.items()) if n})


def _images(folder: Path, inside: str, seen: dict, skipped: Counter) -> Iterator[tuple[str, tuple]]:
    """Give the name and the stamp of every image below ``folder / inside``."""
    for entry, about in _entries(folder / inside, skipped):
        name = f"{inside}/{entry.name}"
        if stat.S_ISDIR(about.st_mode):
            if _mark(about) in seen:
                skipped[LINKED] += 1
            else:
                seen[_mark(about)] = folder / name
                yield from _images(folder, name, seen, skipped)
        elif not entry.name.lower().endswith(ENDINGS):
            ending = readable(os.path.splitext(entry.name)[1].lower())
            skipped[f"{ending} files" if ending else "files without ending"] += 1
        else:
            yield name, stamp(about)


def _entries(folder: Path, skipped: Counter) -> list[tuple[os.DirEntry, os.stat_result]]:
    """Return what lies in a folder and is not hidden, sorted by name, with what each link leads to."""
    return [(entry, _followed(entry)) for entry in _shown(folder, skipped)]


def _shown(folder: Path, skipped: Counter) -> list[os.DirEntry]:
    try:
        with os.scandir(folder) as entries:
            inside = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise StoreError(
            f"the folder {readable(folder)} cannot be read ({error.strerror or error}); allow it or remove it"
        ) from error
    shown = [entry for entry in inside if not (entry.name.startswith(".") or entry.name in LEFT_BEHIND)]
    skipped[HIDDEN] += len(inside) - len(shown)
    return shown


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself: `listing` refuses it
        return False


def _followed(entry: os.DirEntry) -> os.stat_result:
    try:
        about = entry.stat()
    except OSError as error:
        said = (
            f"a link to {readable(os.readlink(entry.path))}, which" if entry.is_symlink() else "a file that"
        )
        raise StoreError(
            f"{readable(entry.path)} is {said} cannot be reached ({error.strerror or error}); get what it stands for, "
            "or remove it"
        ) from error
    try:
        entry.name.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f"the name {readable(entry.path)} is not UTF-8 text; rename it (convmv -f latin1 -t utf8 does so for many)"
        ) from error
    return about


def _mark(about: os.stat_result) -> tuple[int, int]:
    return about.st_dev, about.st_ino
