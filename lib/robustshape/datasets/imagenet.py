"""imagenet: ImageNet-1k as folders of images of various sizes; the split ``test`` is its VALIDATION part.

Russakovsky et al., "ImageNet large scale visual recognition challenge", IJCV 115 (2015). Read from
``imagenet/val/WNID/*.JPEG`` (and ``imagenet/train``) in a folder of ROBUSTSHAPE_DATA, as torchvision unpacks it.
It is not downloaded: image-net.org asks for an account. Some of the 1,000 class folders are enough; attribute
``imagenet_index`` holds the index of each class that is there.
"""

from pathlib import Path

from robustshape.datasets import imagefolder
from robustshape.datasets.samples import DATASETS, Entry
from robustshape.errors import MissingFileError, StoreError
from robustshape.paths import find_local

PLACES = {
    "test": ("imagenet/val", "imagenet/validation", "ILSVRC2012_img_val"),
    "train": ("imagenet/train", "ILSVRC2012_img_train"),
}
GET = (
    "unpack it from https://image-net.org (an account is needed) as imagenet/val/WNID/*.JPEG "
    "in a folder of ROBUSTSHAPE_DATA"
)


def find(split: str) -> Path | None:
    """Return the folder of a split, or None."""
    return find_local(*PLACES[split])


def read(split: str):
    """Return Pictures, labels, ids and facts of ``test`` (the 50,000 validation images) or ``train``."""
    folder = find(split)
    if folder is None:
        raise MissingFileError(f"imagenet ({split}) is not on this machine; {GET}")
    images, labels, ids, facts = imagefolder.read_folder(folder, f"imagenet/{split}")
    if "imagenet_index" not in facts:
        raise StoreError(
            f"{folder} holds folders that are not named by ImageNet's WordNet ids, such as "
            f"{facts['class_names'][0]!r}; load it as imagefolder:{folder}, or {GET}"
        )
    return (
        images,
        labels,
        ids,
        facts | {"checksum_matches": False},
    )  # no digest of unpacked files is published


def locate() -> str | None:
    """Return the folders of the splits that are there, or None."""
    return ", ".join(str(place) for place in map(find, PLACES) if place) or None


DATASETS.register(
    "imagenet",
    title="ImageNet-1k; its test split is the official validation part",
    n_train=1_281_167,
    n_test=50_000,
    size="various, colour",
    n_classes=1000,
    class_names=None,
    reading="native",
    licence="ImageNet's terms: non-commercial research and education",
    source="your own copy, unpacked into one folder per class",
    citation="Russakovsky et al. (2015), doi:10.1007/s11263-015-0816-y",
    urls=("https://image-net.org",),
    checksum=dict.fromkeys(PLACES, "none is published for the unpacked files"),
    get=GET,
)(Entry(read, locate, lambda split: imagefolder.state_of(find(split))))
