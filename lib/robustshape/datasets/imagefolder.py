"""imagefolder:PATH: any folder with one folder of images per class.

PATH holds the class folders itself (it is then the split ``test``), or ``train`` and ``test`` (or ``val``)
folders that do, of the same names. Classes are numbered by their sorted names. PATH is absolute, or starts
here or in a folder of ROBUSTSHAPE_DATA. Ids and checksum come from the names and bytes inside the
folder, not from where it lies.
Images of one size that fit into 2 GiB are read at once; others are decoded when they are looked at.
"""

import functools
import json
import os
import sys
from pathlib import Path

from robustshape.datasets import imagenet_classes
from robustshape.datasets.pictures import Pictures, describe
from robustshape.datasets.samples import DATASETS, Entry
from robustshape.errors import InputError, MissingFileError
from robustshape.paths import cache_dir, find_local

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
SPLITS = {"train": ("train",), "test": ("test", "val", "validation")}
IN_MEMORY = 2 << 30  # bytes of pixels
MANY = 2_000  # files from which on a progress bar is shown
SHAPE = "PATH/CLASS/IMAGE.jpg, or PATH/train/CLASS/IMAGE.jpg and PATH/test/CLASS/IMAGE.jpg"


def find(place: str) -> Path:
    """Return the folder called `place`; raise MissingFileError if there is none."""
    folder = Path(os.path.expanduser(place))
    folder = folder if folder.is_dir() else find_local(place)
    if not place or folder is None or not folder.is_dir():
        raise MissingFileError(
            f"there is no folder {place!r}, here or in ROBUSTSHAPE_DATA; images of your own lie as {SHAPE}"
        )
    return folder


def splits(folder: Path) -> dict[str, Path]:
    """Return the folder of each split; the whole is ``test`` where there are none."""
    found = {
        split: folder / name
        for split, names in SPLITS.items()
        for name in reversed(names)
        if (folder / name).is_dir() and _subfolders(folder / name)
    }
    return found or {"test": folder}


def _subfolders(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def listing(folder: Path) -> tuple[list[str], list[str]]:
    """Return the names of the classes of a folder, and of all its images as ``CLASS/.../IMAGE``, sorted.

    Raises
    ------
    InputError
        If there are fewer than two classes, or a class has no image.
    """
    classes, names = _subfolders(folder), []
    for name in classes:
        inside = [
            Path(above, file).relative_to(folder).as_posix()
            for above, _, files in os.walk(folder / name, followlinks=True)
            for file in files
            if file.lower().endswith(ENDINGS) and not file.startswith(".")
        ]
        if not inside:
            raise InputError(
                f"the class folder {folder / name} holds no image ({' '.join(ENDINGS)}); fill it or remove it"
            )
        names += sorted(inside)
    if len(classes) < 2:
        raise InputError(
            f"{folder} has {len(classes)} class folder(s), but at least 2 are needed; images lie as {SHAPE}"
        )
    return classes, names


def index(folder: Path, names: list[str]) -> list[tuple]:
    """Return (sha256, height, width, channels) of each image, kept in the cache until a file changes."""
    from tqdm import tqdm

    from robustshape.store.atomic import write_file
    from robustshape.store.keys import key_of

    path = cache_dir("datasets", "imagefolder") / f"{key_of({'folder': str(folder.resolve())})}.json"
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none yet, or damaged
        kept = {}
    new = {}
    for name in tqdm(
        names, desc=f"listing {folder.name}", unit=" images", disable=len(names) < MANY, file=sys.stderr
    ):
        stat = (folder / name).stat()
        stamp = [stat.st_size, stat.st_mtime_ns]
        row = kept.get(name)
        new[name] = row if row and row[:2] == stamp else [*stamp, *describe(folder / name)]
    if new != kept:
        with write_file(path) as temporary:
            temporary.write_text(json.dumps(new), encoding="utf-8")
    return [tuple(new[name][2:]) for name in names]


def read_folder(folder: Path, prefix: str):
    """Return images (or Pictures), labels, ids and facts of a folder of class folders.

    Parameters
    ----------
    folder : Path
    prefix : str
        What the ids begin with; the rest is the path inside the folder.

    Returns
    -------
    tuple
        Facts are ``n_classes``, ``class_names`` and, if every class is named by an ImageNet WordNet id,
        ``imagenet_index`` (the names are then ImageNet's).

    Raises
    ------
    InputError, StoreError
        If the folder holds too little, or a file in it is no image.
    """
    import numpy as np

    classes, names = listing(folder)
    digests, heights, widths, channels = zip(*index(folder, names))
    paths = np.array([str(folder.absolute() / name) for name in names], dtype=object)
    images = Pictures(
        paths, np.array(digests, dtype=object), np.array(heights), np.array(widths), max(channels)
    )
    if images.one_size and images.nbytes <= IN_MEMORY:
        images = np.asarray(images)
    number = {name: i for i, name in enumerate(classes)}
    labels = np.array([number[name.partition("/")[0]] for name in names], dtype=np.int64)
    facts = {"n_classes": len(classes), "class_names": classes}
    if set(classes) <= imagenet_classes.positions().keys():
        facts = imagenet_classes.facts(classes)
    return images, labels, [f"{prefix}/{name}" for name in names], facts


def read(place: str, split: str):
    """Return images (or Pictures), labels, ids and facts of a split of the folder called `place`."""
    folders = splits(find(place))
    _check_classes(folders)
    images, labels, ids, facts = read_folder(folders[split], f"imagefolder/{split}")
    return images, labels, ids, facts | {"checksum_matches": True}  # the name stands for whatever lies there


def _check_classes(folders: dict[str, Path]) -> None:
    """Refuse splits of different classes, whose numbers would stand for one class here and another there."""
    classes = {split: set(_subfolders(folder)) for split, folder in folders.items()}
    every = set.union(*classes.values())
    if lacking := {split: sorted(every - own) for split, own in classes.items() if own != every}:
        said = "; ".join(
            f"{folders[split]} lacks {', '.join(names[:5])}"
            + (f" and {len(names) - 5} more" if len(names) > 5 else "")
            for split, names in lacking.items()
        )
        raise InputError(
            f"the splits of a folder must have the same classes, but {said}; add or remove class folders, or "
            f"name one split alone, as in imagefolder:{folders['test']}"
        )


def locate(place: str) -> str | None:
    """Return the folder called `place`, or None."""
    try:
        return str(find(place))
    except MissingFileError:
        return None


def own(place: str) -> tuple[Entry, dict]:
    """Return the entry and the facts of the folder called `place`."""
    here = dict.fromkeys(splits(find(place)), ABOUT["checksum"]["test"])
    return Entry(functools.partial(read, place), functools.partial(locate, place)), ABOUT | {"checksum": here}


ABOUT = dict(
    title="any folder with one folder of images per class",
    n_train="any",
    n_test="any",
    size="any",
    n_classes=None,
    class_names=None,
    reading="native",
    licence="your own",
    source=f"a folder: {SHAPE}",
    citation="your own",
    urls=("any folder",),
    checksum=dict.fromkeys(SPLITS, "of what lies there"),
    get="name a folder: imagefolder:/path/to/it",
)
DATASETS.own["imagefolder"] = own
DATASETS.register("imagefolder:PATH", **ABOUT)(
    Entry(functools.partial(read, "PATH"), functools.partial(locate, "PATH"))
)
