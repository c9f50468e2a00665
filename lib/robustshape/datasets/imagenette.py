"""imagenette: ten easily told classes of ImageNet; the split ``test`` is its validation part.

Howard 2019, https://github.com/fastai/imagenette. Read from ``imagenette2``, ``imagenette2-320`` or
``imagenette2-160`` as published (``val/WNID/*.JPEG``) in a folder of ROBUSTSHAPE_DATA, or from a tar with
square crops of 40 images of each class. Networks of ImageNet's 1,000 classes answer with the ten among them.
"""

from pathlib import Path

from robustshape.datasets import imagefolder, imagenet_classes, labelled_tar
from robustshape.datasets.samples import DATASETS, Entry
from robustshape.errors import MissingFileError
from robustshape.paths import find_local

FOLDERS = ("imagenette2", "imagenette2-320", "imagenette2-160")
GET = (
    "download https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-320.tgz and unpack it in a folder of "
    "ROBUSTSHAPE_DATA"
)


def find(split: str) -> Path | None:
    """Return the folder of a split, or for ``test`` the archive that holds it, or None."""
    part = {"test": "val", "train": "train"}[split]
    return find_local(*(f"{folder}/{part}" for folder in FOLDERS)) or (
        labelled_tar.find() if split == "test" else None
    )


def read(split: str):
    """Return images or Pictures, labels, ids and facts of ``test`` (the validation part) or ``train``."""
    import numpy as np

    place = find(split)
    if place is None:
        raise MissingFileError(f"imagenette ({split}) is not on this machine; {GET}")
    if place.is_dir():
        images, labels, ids, facts = imagefolder.read_folder(place, f"imagenette/{split}")
        return images, labels, ids, facts | {"checksum_matches": False}  # no digest of its files is published
    images, _, wnids, stems = labelled_tar.read(place, "imagenette")
    classes, labels = np.unique(wnids, return_inverse=True)
    ids = [f"imagenette/{split}/{wnid}/{stem}" for wnid, stem in zip(wnids, stems)]
    return (
        images,
        labels,
        ids,
        imagenet_classes.facts(classes.tolist()) | {"checksum_matches": False},
    )


def state(split: str) -> str:
    """Return what changes with the files of a split."""
    place = find(split)
    return imagefolder.state_of(place) if place and place.is_dir() else labelled_tar.state(place)


def locate() -> str | None:
    """Return the folders or archives of the splits that are there, or None."""
    return ", ".join(sorted({str(place) for place in map(find, ("test", "train")) if place})) or None


DATASETS.register(
    "imagenette",
    title="imagenette: ten classes of ImageNet; its test split is the official validation part",
    n_train=9_469,
    n_test=3_925,
    size="various, colour",
    n_classes=10,
    class_names=None,
    reading="native",
    licence="ImageNet's terms: non-commercial research and education",
    source="your own copy, unpacked",
    citation="Howard (2019), https://github.com/fastai/imagenette",
    urls=("https://github.com/fastai/imagenette",),
    checksum=dict.fromkeys(("test", "train"), "none is published for the unpacked files"),
    get=GET,
)(Entry(read, locate, state))
