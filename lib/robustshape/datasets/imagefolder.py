"""imagefolder:PATH: any folder with one folder of images per class.

PATH holds the class folders itself (it is then the split ``test``), or ``train`` and ``test`` (or ``val``)
folders that do (`split_folders`), of the same names. `class_order` says which class is number 0, 1, ...;
`folder_listing` which files are images. PATH is absolute, or starts here or in a folder of ROBUSTSHAPE_DATA. Ids and
checksum come from the names and bytes inside the folder, not from where it lies.
Images of one size that fit into 2 GiB are read at once; others are decoded when they are looked at.
"""

import functools
import sys
from collections import Counter
from pathlib import Path

from robustshape.datasets import class_order, file_state, given, imagenet_classes
from robustshape.datasets.folder_listing import SHAPE, Listing, listing, readable, subfolders
from robustshape.datasets.image_files import REMARKS, describe
from robustshape.datasets.pictures import Pictures
from robustshape.datasets.samples import DATASETS, Entry, tell
from robustshape.datasets.split_folders import NAMES, check_above, check_classes, splits
from robustshape.errors import InputError, MissingFileError
from robustshape.paths import cache_dir, checked_path, find_local

IN_MEMORY = 2 << 30  # bytes of pixels
MANY = 2_000  # files from which on a progress bar is shown
INDEX_VERSION = 2  # raise when what is kept of a file changes


def find(place: str) -> Path:
    """Return the folder called `place`; raise MissingFileError if there is none, InputError if its name is no text."""
    folder = checked_path(place, "a folder of images")
    folder = folder if folder.is_dir() else find_local(place)
    if not place or folder is None or not folder.is_dir():
        raise MissingFileError(
            f"there is no folder {place!r}, here or in ROBUSTSHAPE_DATA; images of your own lie as {SHAPE}"
        )
    if readable(folder) != str(folder):
        raise InputError(f"the name of the folder {readable(folder)} is not UTF-8 text; rename it")
    return folder


def index(folder: Path, found: Listing) -> list[tuple]:
    """Return (sha256, height, width, channels, remarks) of each image, kept in the cache until a file changes."""
    from tqdm import tqdm

    from robustshape.store import sealed
    from robustshape.store.keys import key_of

    key = key_of({"folder": str(folder.resolve()), "version": INDEX_VERSION})
    path = cache_dir("datasets", "imagefolder") / f"{key}.json"
    kept = sealed.noted(path) or {}
    new, many = {}, len(found.names) >= MANY
    pairs = tqdm(
        zip(found.names, found.stamps), desc=f"listing {folder.name}", total=len(found.names), unit=" images",
        disable=not many, file=sys.stderr,
    )  # fmt: skip
    for name, stamp in pairs:
        row = kept.get(name)
        new[name] = row if row and row[0] == list(stamp) else [list(stamp), *describe(folder / name)]
    if new != kept:
        sealed.note(path, new)
    return [tuple(row[1:]) for row in new.values()]


def read_folder(folder: Path, prefix: str, skipped: dict | None = None):
    """Return images (or Pictures), labels, ids and facts of a folder of class folders.

    Parameters
    ----------
    folder : Path
    prefix : str
        What the ids begin with; the rest is the path inside the folder.
    skipped : dict, optional
        What was passed over above the folder, and how often.

    Returns
    -------
    tuple
        Facts are ``n_classes``, ``class_names``, ``class_order`` (see `class_order`), ``skipped`` and ``remarks`` (how
        many files were passed over, and how many images show something else to a person, by kind) and, if every class
        is named by an ImageNet WordNet id, ``imagenet_index`` (the names are then ImageNet's). What is skipped or
        remarkable is also said once on the standard error.

    Raises
    ------
    InputError, StoreError
        If the folder holds too little, or a file in it is no image.
    """
    import numpy as np

    found = listing(folder, least=1 if class_order.order_file(folder) else 2)
    check_above(folder, found.names)
    classes, order = class_order.ordered(found.classes, folder)
    if len(classes) < 2:
        raise InputError(
            f"{folder / class_order.ORDER_FILE} names {len(classes)} class, but at least 2 are needed"
        )
    digests, heights, widths, channels, remarks = zip(*index(folder, found))
    paths = np.array([str(folder.absolute() / name) for name in found.names], dtype=object)
    images = Pictures(
        paths, np.array(digests, dtype=object), np.array(heights), np.array(widths), max(channels)
    )
    if images.one_size and images.nbytes <= IN_MEMORY:
        images = np.asarray(images)
    number = {name: i for i, name in enumerate(classes)}
    labels = np.array([number[name.partition("/")[0]] for name in found.names], dtype=np.int64)
    facts = {"n_classes": len(classes), "class_names": classes}
    if set(classes) <= imagenet_classes.positions().keys():
        facts = imagenet_classes.facts(classes)
    facts |= {
        "class_order": order,
        "skipped": found.skipped | (skipped or {}),
        "remarks": dict(Counter(remark for each in remarks for remark in each)),
    }
    for words in _remarkable(folder, classes, labels, facts, dict(zip(found.names, remarks))):
        tell(words)
    return images, labels, [f"{prefix}/{name}" for name in found.names], facts


def _remarkable(folder: Path, classes: list, labels, facts: dict, remarks: dict):
    """Give what a person should know of a folder as it was read."""
    import numpy as np

    if facts["skipped"]:
        said = ", ".join(f"{kind} ({n})" for kind, n in facts["skipped"].items())
        yield f"{folder}: {len(labels)} images are read, and passed over are {said}"
    for remark, n in facts["remarks"].items():
        example = next(name for name, kinds in remarks.items() if remark in kinds)
        yield f"{folder}: {n} of {len(labels)} images, such as {example}, {REMARKS[remark]}"
    if words := class_order.warning(classes, facts["class_order"], folder):
        yield words
    single = np.flatnonzero(np.bincount(labels, minlength=len(classes)) == 1)
    if len(single):
        yield (
            f"{folder}: {len(single)} of {len(classes)} classes have one image, such as {classes[single[0]]}; it "
            "cannot stand in two disjoint parts"
        )


def read(place: str, split: str):
    """Return images (or Pictures), labels, ids and facts of a split of the folder called `place`."""
    top = find(place)
    folders = splits(top)
    if not class_order.order_file(folders[split]):
        check_classes(folders)
    beside = [] if folders[split] == top else set(subfolders(top)) - {each.name for each in folders.values()}
    skipped = {"folders beside the splits": len(beside)} if beside else {}
    images, labels, ids, facts = read_folder(folders[split], f"imagefolder/{split}", skipped)
    return images, labels, ids, facts | {"checksum_matches": True}  # the name stands for whatever lies there


def state_of(folder: Path | None) -> str:
    """Return what changes with the files of a folder of class folders (None: there is none)."""
    if folder is None:
        return file_state.of_files(None)

    def look():
        found = listing(folder, least=1)
        order = class_order.order_file(folder)
        return [*zip(found.names, found.stamps), order and file_state.of_files(order)]

    return file_state.of_folder(folder, look)


def _state(place: str, split: str) -> str:
    folders = splits(find(place))
    return state_of(folders[split]) if split in folders else ""


def locate(place: str) -> str | None:
    """Return the folder called `place`, or None."""
    try:
        return str(find(place))
    except MissingFileError:
        return None


def own(place: str) -> tuple[Entry, dict]:
    """Return the entry and the facts of the folder called `place`."""
    here = dict.fromkeys(splits(find(place)), ABOUT["checksum"]["test"])
    return _entry(place), ABOUT | {"checksum": here}


def _entry(place: str) -> Entry:
    return Entry(*(functools.partial(function, place) for function in (read, locate, _state)))


ABOUT = given.facts(
    "any folder with one folder of images per class", source=f"a folder: {SHAPE}", splits=tuple(NAMES),
    get="name a folder: imagefolder:/path/to/it", checksum="of what lies there",
)  # fmt: skip
DATASETS.own["imagefolder"] = own
DATASETS.register("imagefolder:PATH", **ABOUT)(_entry("PATH"))
