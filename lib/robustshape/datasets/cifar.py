"""cifar10 and cifar100: 60,000 small colour photographs each, 50,000 to train on and 10,000 to test on.

Krizhevsky, "Learning multiple layers of features from tiny images", technical report, Toronto 2009. Read from
``cifar10_train.npz`` and ``cifar10_test.npz`` (``images`` (n, 32, 32, 3) uint8 and ``labels``), the official
binary or Python batches, or the official archives, in the folders of ROBUSTSHAPE_DATA and in the cache; else the
binary archive is downloaded into the cache. Nothing is unpacked: an archive is read where it lies.
A copy is the official one if its pixels and labels, written as binary batches, have the official sha256, or if
its Python batches have the official md5. Any other is used, and its results say so.
"""

import functools
import hashlib
from pathlib import Path
from typing import NamedTuple

from robustshape.datasets import cifar_facts as known
from robustshape.datasets import file_state
from robustshape.datasets.pickled_batches import read_batch
from robustshape.datasets.samples import DATASETS, Entry, places
from robustshape.errors import StoreError
from robustshape.paths import cache_dir, data_dirs
from robustshape.unpacking import check_npz, open_tar, tar_bytes

SITE = "https://www.cs.toronto.edu/~kriz/"
IMAGES = {"train": 50_000, "test": 10_000}
CITATION = "Krizhevsky (2009), Learning multiple layers of features from tiny images"


class Form(NamedTuple):
    """The official batches in one of their two forms: the names of their folder, their archive, and of each."""

    folder: str
    archive: str
    batches: dict  # of each split: the name of each batch and its digest


class Cifar(NamedTuple):
    """One of the two data sets and the forms it comes in."""

    name: str
    binary: Form
    python: Form
    labels: str  # what the Python batches call the labels
    classes: list
    coarse: tuple  # the family of each class where the binary batches hold it in front of the label, else ()
    archive: tuple  # bytes and sha256 of the binary one


CIFAR10 = Cifar(
    "cifar10",
    Form("cifar-10-batches-bin", "cifar-10-binary.tar.gz", known.BINARY_10),
    Form("cifar-10-batches-py", "cifar-10-python.tar.gz", known.PYTHON_10),
    "labels",
    known.CLASSES_10,
    (),
    known.ARCHIVE_10,
)
CIFAR100 = Cifar(
    "cifar100",
    Form("cifar-100-binary", "cifar-100-binary.tar.gz", known.BINARY_100),
    Form("cifar-100-python", "cifar-100-python.tar.gz", known.PYTHON_100),
    "fine_labels",
    known.CLASSES_100,
    known.COARSE_100,
    known.ARCHIVE_100,
)


def read(cifar: Cifar, split: str):
    """Return the images (n, 32, 32, 3) uint8, labels, ids, and whether they are the official ones.

    Raises
    ------
    StoreError
        If the local copy is damaged.
    MissingFileError, DownloadError
        If there is none and it may not or cannot be downloaded.
    """
    place, form = find(cifar, split) or (download(cifar), cifar.binary)
    matches = False
    if form is None:
        images, labels = read_npz(place)
    else:
        contents = read_batches(place, form.batches[split])
        if form is cifar.python:
            images, labels = read_python(contents, cifar.labels, place)
            digests = [hashlib.md5(content, usedforsecurity=False).hexdigest() for content in contents]
            matches = digests == list(form.batches[split].values())
        else:
            images, labels = read_binary(contents, 2 if cifar.coarse else 1, place)
    shapes = (images.shape[1:], labels.shape, images.dtype, labels.dtype.kind)
    if shapes != ((32, 32, 3), images.shape[:1], "uint8", "i") or not len(labels):
        raise _damaged(
            place, f"{images.dtype} images {images.shape} and {labels.dtype} labels {labels.shape}"
        )
    if labels.min() < 0 or labels.max() >= len(cifar.classes):
        raise _damaged(place, f"labels from {labels.min()} to {labels.max()}")
    matches = matches or is_official(cifar, split, images, labels)
    ids = [f"{cifar.name}/{split}/{i:05d}" for i in range(len(labels))]
    return images, labels, ids, {"checksum_matches": matches}


def find(cifar: Cifar, split: str) -> tuple[Path, Form | None] | None:
    """Return the first file or folder that holds a split, with its form (None: an .npz), or None."""
    return _search(cifar, split, data_dirs()) or _search(cifar, split, [cache_dir("datasets")])


def _search(cifar: Cifar, split: str, folders: list[Path]):
    for folder in folders:
        if (folder / f"{cifar.name}_{split}.npz").is_file():
            return folder / f"{cifar.name}_{split}.npz", None
        for form in (cifar.binary, cifar.python):
            batches = folder if folder.name == form.folder else folder / form.folder
            if all((batches / name).is_file() for name in form.batches[split]):
                return batches, form
        for form in (cifar.binary, cifar.python):
            if (folder / form.archive).is_file():
                return folder / form.archive, form
    return None


def download(cifar: Cifar) -> Path:
    """Fetch the binary archive into the cache and return it."""
    from robustshape.download import fetch

    size, sha256 = cifar.archive
    path = cache_dir("datasets") / cifar.binary.archive
    instead = f"or put {cifar.python.folder} or {cifar.binary.folder} into a folder of ROBUSTSHAPE_DATA"
    return fetch([SITE + path.name], path, sha256=sha256, size=size, instead=instead)


def read_npz(path: Path):
    """Return images and labels of a file with ``images`` and ``labels``."""
    import zipfile
    import zlib

    import numpy as np

    try:
        check_npz(path)
        with np.load(path, allow_pickle=False) as arrays:
            return arrays["images"], arrays["labels"].astype(np.int64)
    except (OSError, EOFError, TypeError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise _damaged(path, error) from error


def read_batches(place: Path, names) -> list[bytes]:
    """Return the contents of the named batches in a folder or an archive, of which nothing else is read."""
    import tarfile
    import zlib

    try:
        if place.is_dir():
            return [(place / name).read_bytes() for name in names]
        found = {}
        with open_tar(place) as archive:
            for member in archive:
                name = member.name.rpartition("/")[2]
                if member.isfile() and name in names:
                    found[name] = tar_bytes(archive, member)
        return [found[name] for name in names]
    except KeyError as error:
        raise _damaged(place, f"it has no {error}") from error
    except (OSError, EOFError, ValueError, tarfile.TarError, zlib.error) as error:
        raise _damaged(place, error) from error


def read_binary(contents: list[bytes], n_labels: int, place: Path):
    """Return images and labels of binary batches: of each image the label bytes, then 1,024 bytes per channel."""
    import numpy as np

    rows = np.concatenate([np.frombuffer(content, np.uint8) for content in contents])
    if len(rows) % (n_labels + 3072):
        raise _damaged(place, f"{len(rows):,} bytes are not a whole number of images")
    rows = rows.reshape(-1, n_labels + 3072)
    return _upright(rows[:, n_labels:]), rows[:, n_labels - 1].astype(np.int64)


def read_python(contents: list[bytes], key: str, place: Path):
    """Return images and labels of pickled batches: ``data`` (n, 3072) uint8 and a list of labels."""
    import numpy as np

    batches = [read_batch(content, place) for content in contents]
    try:
        for batch in batches:  # lists that hold each other many times over would become as large as one likes
            if not isinstance(batch["data"], np.ndarray) or not all(
                isinstance(x, int | np.integer) for x in batch[key]
            ):
                raise ValueError("data is no array or labels are no whole numbers")
        images = [_upright(np.asarray(batch["data"], dtype="u1")) for batch in batches]
        labels = [np.asarray(batch[key], dtype="i8") for batch in batches]
        return np.concatenate(images), np.concatenate(labels)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise _damaged(place, error) from error


def _upright(pixels):
    """Return rows of 3,072 bytes, channel after channel, as images (n, 32, 32, 3)."""
    import numpy as np

    return np.ascontiguousarray(pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))


def is_official(cifar: Cifar, split: str, images, labels) -> bool:
    """Return whether the samples, written as binary batches, have the official digests."""
    import numpy as np

    digests = list(cifar.binary.batches[split].values())
    if len(labels) != IMAGES[split]:
        return False
    for digest, pixels, marks in zip(digests, np.split(images, len(digests)), np.split(labels, len(digests))):
        columns = [np.take(cifar.coarse, marks), marks] if cifar.coarse else [marks]
        rows = np.empty((len(marks), len(columns) + 3072), np.uint8)
        rows[:, : len(columns)] = np.stack(columns, axis=1)
        rows[:, len(columns) :] = pixels.transpose(0, 3, 1, 2).reshape(-1, 3072)
        if hashlib.sha256(rows).hexdigest() != digest:
            return False
    return True


def _damaged(place: Path, why) -> StoreError:
    return StoreError(
        f"{place} is not CIFAR or is damaged ({why}); replace it, or remove it to have it downloaded"
    )


def state(cifar: Cifar, split: str) -> str:
    """Return what changes with the files of a split."""
    place, form = find(cifar, split) or (Path(), None)
    return file_state.of_files(
        *([place / name for name in form.batches[split]] if place.is_dir() and form else [place])
    )


def locate(cifar: Cifar) -> str | None:
    """Return the files or folders that hold the splits, or the one that is there, or None."""
    return places(lambda split: (find(cifar, split) or (None,))[0], ("train", "test"))


for _cifar, _title in ((CIFAR10, "CIFAR-10 photographs"), (CIFAR100, "CIFAR-100 photographs, fine classes")):
    DATASETS.register(
        _cifar.name,
        title=_title,
        n_train=IMAGES["train"],
        n_test=IMAGES["test"],
        size="32 x 32, colour",
        n_classes=len(_cifar.classes),
        class_names=_cifar.classes,
        reading="native",
        licence="none stated; for research",
        source=f"the official batches, .npz, or a download of {_cifar.archive[0] // 10**6} MB",
        citation=CITATION,
        urls=(SITE + "cifar.html",),
        checksum={
            split: "sha256 of the binary batches " + " ".join(batches.values())
            for split, batches in _cifar.binary.batches.items()
        },
        get=(
            f"downloaded when first used ({_cifar.archive[0] // 10**6} MB); or put {_cifar.binary.folder} or "
            f"{_cifar.python.folder} from {SITE}cifar.html into a folder of ROBUSTSHAPE_DATA"
        ),
    )(Entry(*(functools.partial(function, _cifar) for function in (read, locate, state))))
