"""nips17: the development images of the NIPS 2017 adversarial competition, 299 px, of ImageNet's classes.

Kurakin et al., "Adversarial attacks and defences competition", arXiv 1804.00097. Photographs that are not in
ImageNet, chosen by the makers among images that a network of theirs got right: accuracies on them run high.
Labels are the 1,000 of ImageNet, so a network of 1,000 classes answers with all of them. Read from
``nips17/images.csv`` and ``nips17/images/*.png`` in a folder of ROBUSTSHAPE_DATA, or from a tar with half of them.
"""

import csv
import io
from pathlib import Path

from robustshape.datasets import file_state, imagenet_classes, labelled_tar
from robustshape.datasets.image_files import decode, read_bytes
from robustshape.datasets.samples import DATASETS, Entry
from robustshape.errors import MissingFileError, StoreError
from robustshape.paths import find_local

TABLE = "nips17/images.csv"
GET = (
    "download the NIPS 2017 adversarial learning development set (1,000 images) and put its images.csv and images/ "
    "into nips17 in a folder of ROBUSTSHAPE_DATA"
)


def find() -> Path | None:
    """Return the official table, or else the archive that holds some of the images, or None."""
    return find_local(TABLE) or labelled_tar.find()


def read(split: str):
    """Return images (n, 299, 299, 3) uint8, labels (indices among ImageNet's 1,000), ids and facts."""
    place = find()
    if place is None:
        raise MissingFileError(f"nips17 is not on this machine; {GET}")
    if place.suffix == ".csv":
        images, labels, stems = _official(place)
    else:
        images, labels, _, stems = labelled_tar.read(place, "nips17")
    facts = imagenet_classes.facts(imagenet_classes.positions())
    facts = {name: facts[name] for name in ("n_classes", "class_names")} | {"checksum_matches": False}
    return images, labels, [f"nips17/{split}/{stem}" for stem in stems], facts


def _official(table: Path) -> tuple:
    try:
        with table.open(encoding="utf-8", newline="") as file:
            rows = sorted((row["ImageId"], int(row["TrueLabel"]) - 1) for row in csv.DictReader(file))
        if not rows or not all(0 <= label < 1000 for _, label in rows):
            raise ValueError("no row, or another label")
        if strange := [name for name, _ in rows if "/" in name]:
            raise ValueError(f"{strange[0]} is no name of a file")
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise StoreError(
            f"{table} is damaged: it needs columns ImageId and TrueLabel (1 to 1000) ({error})"
        ) from error
    images = []
    for name, _ in rows:
        path = table.parent / "images" / f"{name}.png"
        if not path.is_file():
            raise StoreError(f"{table} names {name}, but {path} does not exist; unpack images/ beside it")
        images.append(decode(io.BytesIO(read_bytes(path)), 3, path))
    return labelled_tar.stacked(images, table), [label for _, label in rows], [name for name, _ in rows]


def state(split: str) -> str:
    """Return what changes with the files of the images."""
    place = find()
    if place is None or place.suffix != ".csv":
        return labelled_tar.state(place)
    images = place.parent / "images"
    return file_state.of_files(place) + file_state.of_folder(images, lambda: file_state.below(images))


def locate() -> str | None:
    """Return the folder or archive that holds the images, or None."""
    place = find()
    return str(place.parent if place and place.suffix == ".csv" else place) if place else None


DATASETS.register(
    "nips17",
    title="development images of the NIPS 2017 adversarial competition; ImageNet's classes",
    n_train=0,
    n_test=1_000,
    size="299 x 299, colour",
    n_classes=1000,
    class_names=None,
    reading="native",
    licence="CC BY 2.0, by image",
    source="your own copy, unpacked",
    citation="Kurakin et al. (2018), arXiv:1804.00097",
    urls=("https://www.kaggle.com/datasets/google-brain/nips-2017-adversarial-learning-development-set",),
    checksum={"test": "none is published for the unpacked files"},
    get=GET,
)(Entry(read, locate, state))
