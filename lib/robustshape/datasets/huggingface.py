"""hf:NAME: images of a data set of Hugging Face: a folder that ``save_to_disk`` wrote, or a name of the hub.

Needs the extra ``huggingface`` (``pip install datasets``). The images are the first column of pictures, the classes its
column of class labels, or else one called ``label`` or ``labels``. The split ``test`` is the one of that name, or
``validation`` where there is none; a folder without splits is ``test``. Bytes are decoded as image files are everywhere here.
"""

import functools
import hashlib
import io
from pathlib import Path

from robustshape.datasets import file_state, given
from robustshape.datasets.image_files import GREY, decode, named, opened, read_bytes
from robustshape.datasets.pictures import Pictures
from robustshape.datasets.samples import DATASETS, Entry
from robustshape.download import check_answers, has_checksum, hugging_face
from robustshape.errors import DownloadError, InputError, MissingFileError, StoreError
from robustshape.paths import cache_dir, checked_path, data_dirs, offline
from robustshape.store.atomic import write_file

LABELS = ("label", "labels", "fine_label", "class", "target")
SPLITS = {"test": ("test", "validation", "valid", "val"), "train": ("train",)}
MARKS = ("dataset_dict.json", "state.json")  # one of them lies in a saved folder


def find(place: str) -> Path | None:
    """Return the saved folder called `place`, or None for a name of the hub."""
    folders = [checked_path(place, "a saved data set"), *(folder / place for folder in data_dirs())]
    return next((folder for folder in folders if any((folder / mark).is_file() for mark in MARKS)), None)


def _library():
    try:
        import datasets
    except ImportError as error:
        raise InputError(
            "data sets of Hugging Face need the package datasets: pip install datasets, or robustshape[huggingface]"
        ) from error
    datasets.disable_progress_bars()
    return datasets


def _splits(place: str):
    """Return the data set, or its splits by name."""
    library, folder = _library(), find(place)
    if folder is not None:
        try:
            return library.load_from_disk(str(folder))
        except Exception as error:  # pyarrow and datasets raise many kinds for a damaged folder
            raise StoreError(
                f"the data set saved in {folder} cannot be read ({' '.join(str(error).split())[:200]}); save it again"
            ) from error
    if "/" in place and Path(place).expanduser().is_dir():
        raise InputError(
            f"{place} is no data set that save_to_disk wrote: it has no {' and no '.join(MARKS)}"
        )
    if offline():
        raise MissingFileError(
            f"hf:{place} is no folder that save_to_disk wrote, here or in ROBUSTSHAPE_DATA, and ROBUSTSHAPE_OFFLINE forbids the "
            "download; unset it, or save the data set: datasets.load_dataset(...).save_to_disk(path)"
        )
    check_answers(hugging_face(), "save it where there is one: datasets.load_dataset(...).save_to_disk(path)")
    try:
        return library.load_dataset(place, cache_dir=str(cache_dir("datasets")))
    except Exception as error:  # and many for a hub that does not answer
        raise DownloadError(
            f"the data set hf:{place} could not be had ({type(error).__name__}: {' '.join(str(error).split())[:200]}); check the "
            "name, or save it elsewhere: datasets.load_dataset(...).save_to_disk(path)"
        ) from error


def read(place: str, split: str):
    """Return images (n, h, w, c) uint8, or Pictures where they are of several sizes, labels, ids and facts."""
    import numpy as np

    whole, what = _splits(place), f"hf:{place}"
    if isinstance(whole, dict):
        name = next((name for name in SPLITS[split] if name in whole), None)
        if name is None:
            raise InputError(f"{what} has no split {' or '.join(SPLITS[split])}; it has {', '.join(whole)}")
        whole = whole[name]
    elif split != "test":
        raise InputError(
            f"{what} has no splits, so it is read as test; save a DatasetDict with a split train"
        )
    column, label = _columns(whole.features, what)
    contents = _contents(whole, column)
    if not contents:
        raise InputError(f"{what} is empty; there must be images of at least two classes")
    labels, names = np.array(whole[label]), getattr(whole.features[label], "names", None)
    if labels.dtype.kind in "UO":
        names, labels = np.unique(labels.astype(str), return_inverse=True)
    labels = given.checked_labels(labels, len(contents), what)
    facts = given.classes(labels, names, what) | {"checksum_matches": True}
    return _images(contents, what), labels, [f"hf/{split}/{i:06d}" for i in range(len(contents))], facts


def _columns(features, what: str) -> tuple[str, str]:
    """Return the columns of the pictures and of the classes."""
    library = _library()
    pictures = [name for name, feature in features.items() if isinstance(feature, library.Image)]
    classes = [name for name, feature in features.items() if isinstance(feature, library.ClassLabel)]
    classes += [name for name in LABELS if name in features and name not in classes]
    if not pictures or not classes:
        absent = "pictures" if not pictures else f"class labels, nor one called {', '.join(LABELS)}"
        raise InputError(f"{what} has no column of {absent}; its columns are {', '.join(features)}")
    return pictures[0], classes[0]


def _contents(whole, column: str) -> list[bytes]:
    """Return the files that the pictures are stored as."""
    rows = whole.cast_column(column, _library().Image(decode=False))[column]
    return [row["bytes"] if row["bytes"] is not None else read_bytes(row["path"]) for row in rows]


def _images(contents: list[bytes], what: str):
    """Return the pixels (n, h, w, c), or, where they are of several sizes, files in the cache as Pictures."""
    import numpy as np

    sizes, grey = [], []
    for i, content in enumerate(contents):
        with named(f"{what}, image {i}"), opened(io.BytesIO(content), f"{what}, image {i}") as picture:
            sizes.append(picture.size)
            grey.append(picture.mode in GREY)
    channels = 1 if all(grey) else 3
    if len(set(sizes)) == 1:
        return np.stack(
            [decode(io.BytesIO(one), channels, f"{what}, image {i}") for i, one in enumerate(contents)]
        )
    digests = [hashlib.sha256(content).hexdigest() for content in contents]
    paths = [cache_dir("datasets") / "hf" / digest for digest in digests]
    for path, content in zip(paths, contents):
        if not has_checksum(path, path.name):
            with write_file(path) as temporary:
                temporary.write_bytes(content)
    widths, heights = np.array(sizes).T
    return Pictures(
        np.array(list(map(str, paths)), object), np.array(digests, object), heights, widths, channels
    )


def locate(place: str) -> str | None:
    """Return the saved folder called `place`, or None."""
    return str(find(place) or "") or None


def _state(place: str) -> str:
    folder = find(place)
    return file_state.of_folder(folder, lambda: file_state.below(folder)) if folder else place


def own(place: str) -> tuple[Entry, dict]:
    """Return the entry and the facts of the data set called `place`."""
    entry = Entry(
        functools.partial(read, place), functools.partial(locate, place), lambda split: _state(place)
    )
    return entry, ABOUT


ABOUT = given.facts(
    "a data set of Hugging Face: a folder of save_to_disk, or a name of the hub", whose="its own",
    source="huggingface.co/datasets, or a saved folder", checksum="of what lies there",
    get="name a folder that save_to_disk wrote, or a data set of the hub: hf:NAME; needs pip install datasets",
)  # fmt: skip
DATASETS.own["hf"] = own
DATASETS.register("hf:NAME", **ABOUT)(own("NAME")[0])
