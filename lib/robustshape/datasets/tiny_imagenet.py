"""tiny_imagenet: 200 classes of ImageNet at 64 x 64 pixels.

Le and Yang, "Tiny ImageNet visual recognition challenge", Stanford CS231N (2015). The split ``test`` is the
official VALIDATION part, 10,000 images: the labels of the official test part were never published. Read from
``tiny-imagenet-200`` (unpacked or as the official .zip) or from ``tiny_imagenet_val.tar`` with
``tiny_imagenet_val_labels.csv`` (columns file, wnid), in the folders of ROBUSTSHAPE_DATA and in the cache; else
the archive is downloaded into the cache. Nothing is unpacked. Grey pictures (168 of them) become RGB.

Attribute ``imagenet_index``: of each class its index among ImageNet's 1,000, so that the accuracy of a network
of 1,000 classes is that of its logits in these columns.
"""

import contextlib
import csv
import hashlib
import io
from pathlib import Path

from robustshape.datasets import file_state, image_files, imagenet_classes
from robustshape.datasets.image_files import decode
from robustshape.datasets.samples import DATASETS, Entry, places
from robustshape.download import fetch, has_checksum
from robustshape.errors import RobustshapeError, StoreError
from robustshape.paths import cache_dir, data_dirs
from robustshape.unpacking import open_tar, tar_bytes, zip_bytes

NAME = "tiny-imagenet-200"
ARCHIVE = f"{NAME}.zip"
URL = f"http://cs231n.stanford.edu/{ARCHIVE}"
SIZE, SHA256 = 248_100_043, "6198c8ae015e2b3e007c7841da39ec069199b9aa3bfa943a462022fe5e43c821"
TAR, TABLE = "tiny_imagenet_val.tar", "tiny_imagenet_val_labels.csv"
ANNOTATIONS = "val/val_annotations.txt"
# of the sha256 and the class of each validation file, in order; the archive is known by its own
VALIDATION = "sha256:dbdf926be52dcb8c2b12e8e917c8536b9dd6f39185b4493244c01056decf0dc4"


def read(split: str):
    """Return the images (n, 64, 64, 3) uint8, labels, ids and facts of ``train`` (100,000) or ``test`` (10,000).

    Raises
    ------
    StoreError
        If the local copy is damaged.
    MissingFileError, DownloadError
        If there is none and it may not or cannot be downloaded.
    """
    import numpy as np

    place = find(split) or download()
    images, stems, wnids, digest = [], [], [], hashlib.sha256()
    with _files(place, split) as (table, content_of):
        for name, wnid in sorted(table, key=_order):
            content = content_of(name)
            digest.update(hashlib.sha256(content).digest() + wnid.encode())
            pixels = decode(io.BytesIO(content), 3, f"{place}: {name}")
            if pixels.shape != (64, 64, 3):
                raise _damaged(place, f"{name} has {pixels.shape[0]} x {pixels.shape[1]} px, not 64 x 64")
            images.append(pixels)
            stems.append(_stem(name))
            wnids.append(wnid)
    if not images:
        raise _damaged(place, "it holds no image")
    classes, labels = np.unique(wnids, return_inverse=True)
    facts = imagenet_classes.facts(classes.tolist())
    if place.suffix == ".zip":
        official = has_checksum(place, SHA256)
    else:
        official = f"sha256:{digest.hexdigest()}" == VALIDATION
    ids = [f"tiny_imagenet/{split}/{stem}" for stem in stems]
    return np.stack(images), labels, ids, facts | {"checksum_matches": official}


def _stem(name: str) -> str:
    return name.rpartition("/")[2].partition(".")[0]


def _order(row: tuple[str, str]):
    """Return what sorts val_2 before val_10, and n01443537_2 before n01443537_10 and n01629819_0."""
    kind, _, number = _stem(row[0]).rpartition("_")
    return kind, len(number), number


def find(split: str) -> Path | None:
    """Return the first folder or archive that holds a split, or None."""
    return _search(data_dirs(), split) or _search([cache_dir("datasets")], split)


def _search(folders: list[Path], split: str) -> Path | None:
    for folder in folders:
        unpacked = folder if folder.name == NAME else folder / NAME
        if (unpacked / (ANNOTATIONS if split == "test" else "train")).exists():
            return unpacked
        if (folder / ARCHIVE).is_file():
            return folder / ARCHIVE
        if split == "test" and (folder / TAR).is_file() and (folder / TABLE).is_file():
            return folder / TAR
    return None


def download() -> Path:
    """Fetch the archive into the cache and return it."""
    instead = f"or put {NAME} into a folder of ROBUSTSHAPE_DATA"
    return fetch([URL], cache_dir("datasets") / ARCHIVE, sha256=SHA256, size=SIZE, instead=instead)


@contextlib.contextmanager
def _files(place: Path, split: str):
    """Give (name, wnid) of each image of a split, and the function that returns the bytes of a name."""
    import tarfile
    import zipfile
    import zlib

    try:
        if place.suffix == ".tar":
            with (place.parent / TABLE).open(encoding="utf-8", newline="") as file:
                table = [(row["file"], row["wnid"]) for row in csv.DictReader(file)]
            with open_tar(place) as archive:
                members = {member.name: member for member in archive}
                yield table, lambda name: tar_bytes(archive, members[name])
        elif place.suffix == ".zip":
            with zipfile.ZipFile(place) as archive:
                names = [name.removeprefix(f"{NAME}/") for name in archive.namelist()]
                read_bytes = lambda name: zip_bytes(archive, f"{NAME}/{name}")  # noqa: E731
                yield _table(names, read_bytes, split), read_bytes
        else:
            names = [
                p.relative_to(place).as_posix() for p in place.glob("train/*/images/*") if split == "train"
            ]
            read_bytes = lambda name: _plain(place / name)  # noqa: E731
            yield _table(names, read_bytes, split), read_bytes
    except RobustshapeError:
        raise
    except (KeyError, AttributeError, ValueError, csv.Error) as error:
        raise _damaged(place, f"a name or column is missing or strange: {error}") from error
    except (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile, zlib.error) as error:
        raise _damaged(place, error) from error


def _plain(path: Path) -> bytes:
    if not path.exists():
        raise ValueError(f"there is no {path.name}")
    return image_files.read_bytes(path)


def _table(names: list[str], read_bytes, split: str) -> list[tuple[str, str]]:
    """Return (name, wnid) of each image of the official layout."""
    if split == "test":
        lines = read_bytes(ANNOTATIONS).decode().splitlines()
        table = [(file, wnid) for file, wnid, *_ in (line.split("\t") for line in lines if line)]
        if strange := [file for file, _ in table if "/" in file]:
            raise ValueError(f"{strange[0]} is no name of a file")
        return [(f"val/images/{file}", wnid) for file, wnid in table]
    parts = [(name, name.split("/")) for name in names if name.endswith(".JPEG")]
    return [(name, part[1]) for name, part in parts if part[0] == "train"]


def _damaged(place: Path, why) -> StoreError:
    return StoreError(
        f"{place} is not Tiny ImageNet or is damaged ({why}); replace it, or remove it to have it downloaded"
    )


def state(split: str) -> str:
    """Return what changes with the files of a split."""
    place = find(split)
    if place is None or not place.is_dir():
        return file_state.of_files(place, place and place.parent / TABLE)
    images = place / ("val/images" if split == "test" else "train")
    return file_state.of_files(place / ANNOTATIONS) + file_state.of_folder(
        images, lambda: file_state.below(images)
    )


def locate() -> str | None:
    """Return the folders or archives that hold the splits, or the one that is there, or None."""
    return places(find, ("train", "test"))


DATASETS.register(
    "tiny_imagenet",
    title="Tiny ImageNet; its test split is the official validation part",
    n_train=100_000,
    n_test=10_000,
    size="64 x 64, colour",
    n_classes=200,
    class_names=None,
    reading="native",
    licence="ImageNet's terms: non-commercial research and education",
    source="the official files, or a download of 248 MB",
    citation="Le and Yang (2015), Tiny ImageNet visual recognition challenge",
    urls=(URL,),
    checksum={"train": f"of the official archive, sha256:{SHA256}", "test": VALIDATION},
    get=f"downloaded when first used (248 MB); or put {NAME} or {ARCHIVE} into a folder of ROBUSTSHAPE_DATA",
)(Entry(read, locate, state))
