"""npz:PATH: images and labels in a file of NumPy's, of one split or of both.

One split, ``test``: ``images`` or ``x``, and ``labels`` or ``y``. Two: ``x_train``, ``y_train``, ``x_test``,
``y_test``, or ``train_images``, ``train_labels``, ``test_images``, ``test_labels``. Images are (n, h, w, c) or
(n, h, w) uint8, labels whole numbers from 0; ``class_names`` may name the classes. PATH starts here or in a folder of
ROBUSTSHAPE_DATA. Ids are positions, so the order of the images is part of what they are.
"""

import functools
from pathlib import Path

from robustshape.datasets import file_state, given
from robustshape.datasets.samples import DATASETS, Entry
from robustshape.errors import InputError, MissingFileError, StoreError
from robustshape.paths import checked_path, find_local
from robustshape.unpacking import check_npz

IMAGES = {"test": ("images", "x", "x_test", "images_test", "test_images")}
LABELS = {"test": ("labels", "y", "y_test", "labels_test", "test_labels")}
for _keys in (IMAGES, LABELS):
    _keys["train"] = tuple(key.replace("test", "train") for key in _keys["test"][2:])
KEYS = "images and labels, or x_train, y_train, x_test and y_test; class_names if need be"


def find(place: str) -> Path:
    """Return the file called `place`; raise MissingFileError if there is none."""
    path = checked_path(place, "an .npz")
    path = path if path.is_file() else find_local(place)
    if not place or path is None or not path.is_file():
        raise MissingFileError(
            f"there is no file {place!r}, here or in ROBUSTSHAPE_DATA; it is an .npz with {KEYS}"
        )
    return path


def keys_of(path: Path) -> dict[str, tuple[str, str]]:
    """Return the keys of the images and of the labels of each split that a file has."""
    with _opened(path) as arrays:
        there = set(arrays.files)
    found = {}
    for split in ("train", "test"):
        keys = [[key for key in known[split] if key in there] for known in (IMAGES, LABELS)]
        if max(map(len, keys)) > 1:
            raise InputError(
                f"{path} has {' and '.join(max(keys, key=len))}, which may both be the split {split}; keep one"
            )
        if all(keys):
            found[split] = (keys[0][0], keys[1][0])
    if not found:
        raise InputError(f"{path} has {', '.join(sorted(there)) or 'nothing in it'}; it needs {KEYS}")
    return found


def read(place: str, split: str):
    """Return images (n, h, w, c) uint8, labels, ids and facts of a split of the file called `place`."""
    import numpy as np

    path = find(place)
    keys = keys_of(path)
    with _opened(path) as arrays:
        images = given.checked_images(arrays[keys[split][0]], f"{path}: {keys[split][0]}")
        labels = {}
        for each, (of_images, of_labels) in keys.items():
            n = len(images) if each == split else len(arrays[of_images])
            labels[each] = given.checked_labels(arrays[of_labels], n, f"{path}: {of_labels}")
        names = arrays["class_names"] if "class_names" in arrays.files else None
    facts = given.classes(np.concatenate([*labels.values()]), names, str(path))
    ids = [f"npz/{split}/{i:06d}" for i in range(len(images))]
    return (
        images,
        labels[split],
        ids,
        facts | {"checksum_matches": True},
    )  # the name stands for whatever lies there


class _opened:
    """Open an .npz, running nothing of it, and turn whatever NumPy raises on a broken one into words."""

    def __init__(self, path: Path):
        self.path = path

    def __enter__(self):
        import numpy as np

        try:
            check_npz(self.path)
            self.arrays = np.load(self.path, allow_pickle=False)
            self.arrays.files  # noqa: B018  an .npy has none
        except Exception as error:
            self.__exit__(type(error), error, None)
            raise
        return self.arrays

    def __exit__(self, kind, error, trace):
        import zipfile
        import zlib

        if hasattr(self, "arrays") and hasattr(self.arrays, "close"):
            self.arrays.close()
        broken = (OSError, EOFError, ValueError, AttributeError, MemoryError, zipfile.BadZipFile, zlib.error)
        if isinstance(error, broken) and not isinstance(error, InputError):
            raise StoreError(
                f"{self.path} cannot be read as an .npz of plain arrays ({error}); make it again: numpy.savez("
                "path, images=images, labels=labels)"
            ) from error


def locate(place: str) -> str | None:
    """Return the file called `place`, or None."""
    try:
        return str(find(place))
    except MissingFileError:
        return None


def _entry(place: str) -> Entry:
    return Entry(
        functools.partial(read, place),
        functools.partial(locate, place),
        lambda split: file_state.of_files(find(place)),
    )


def own(place: str) -> tuple[Entry, dict]:
    """Return the entry and the facts of the file called `place`."""
    return _entry(place), ABOUT | {"checksum": dict.fromkeys(keys_of(find(place)), ABOUT["checksum"]["test"])}


ABOUT = given.facts(
    "images and labels in an .npz of your own", source=f"a file with {KEYS}", get="name a file: npz:/path/to/it.npz",
    checksum="of what lies there",
)  # fmt: skip
DATASETS.own["npz"] = own
DATASETS.register("npz:PATH", **ABOUT)(_entry("PATH"))
