"""torchvision:NAME: a data set of torchvision by the name of its class, such as ``torchvision:FashionMNIST``.

Looked for in the folders of ROBUSTSHAPE_DATA and in the cache, as torchvision lays it down; else it is downloaded into the
cache. Those that have a split ``train`` and one to test on are taken.
"""

import functools
import inspect

from robustshape.datasets import given
from robustshape.datasets.live_data import arrays
from robustshape.datasets.samples import DATASETS, Entry
from robustshape.errors import DownloadError, InputError, MissingFileError
from robustshape.paths import cache_dir, data_dirs, offline
from robustshape.registry import unknown_name

PLACE = "NAME"  # of the listing, in place of a name


def names() -> list[str]:
    """Return the names of torchvision's data sets of labelled images that have a split to test on."""
    from torchvision import datasets

    known = [name for name in datasets.__all__ if inspect.isclass(getattr(datasets, name))]
    return [
        name for name in known if {"root", "download"} <= _takes(name) and _takes(name) & {"train", "split"}
    ]


def _takes(name: str) -> set[str]:
    from torchvision import datasets

    return set(inspect.signature(getattr(datasets, name).__init__).parameters)


def _made(name: str, split: str, root, download: bool):
    from torchvision import datasets

    part = {"train": split == "train"} if "train" in _takes(name) else {"split": split}
    return getattr(datasets, name)(root=str(root), download=download, **part)


def _roots() -> list:
    return [*data_dirs(), cache_dir("datasets") / "torchvision"]


def _local(name: str, split: str):
    """Return the data set from the first folder that holds it, or None."""
    for root in _roots():
        try:
            return _made(name, split, root, download=False)
        except (
            RuntimeError,
            FileNotFoundError,
            ValueError,
            OSError,
        ):  # what torchvision raises where it is not
            continue
    return None


def read(name: str, split: str):
    """Return images (n, h, w, c) uint8, labels, ids and facts of a split."""
    if name == PLACE:
        raise MissingFileError(
            f"torchvision:{PLACE} stands for a name, such as torchvision:FashionMNIST, in a folder of ROBUSTSHAPE_DATA"
        )
    if name not in names():
        raise unknown_name("data set of torchvision", name, names(), "dir(torchvision.datasets)")
    found = _local(name, split)
    if found is None:
        where = cache_dir("datasets") / "torchvision"
        if offline():
            raise MissingFileError(
                f"torchvision:{name} is in no folder of ROBUSTSHAPE_DATA and not in {where}, and ROBUSTSHAPE_OFFLINE forbids "
                "the download; unset it, or put there what torchvision lays down"
            )
        try:
            found = _made(name, split, where, download=True)
        except (
            RuntimeError,
            OSError,
            ValueError,
        ) as error:  # hubs that do not answer, splits that there are not
            raise DownloadError(
                f"torchvision:{name} could not be had: {' '.join(str(error).split())[:200]}"
            ) from error
    if not len(found):
        raise InputError(f"torchvision:{name} has no images in the split {split}")
    images, labels, classes = arrays(found)
    images = given.checked_images(images, f"torchvision:{name}")
    labels = given.checked_labels(labels, len(images), f"torchvision:{name}")
    facts = given.classes(labels, classes, f"torchvision:{name}") | {"checksum_matches": True}
    return images, labels, [f"torchvision/{split}/{i:06d}" for i in range(len(images))], facts


def locate(name: str) -> str | None:
    """Return the folders that are searched, or None where the data set is in none of them."""
    return ", ".join(map(str, _roots())) if name in names() and _local(name, "test") is not None else None


def own(place: str) -> tuple[Entry, dict]:
    """Return the entry and the facts of the data set called `place`."""
    return Entry(functools.partial(read, place), functools.partial(locate, place), lambda split: place), ABOUT


ABOUT = given.facts(
    "a data set of torchvision, by the name of its class", whose="its own", source="torchvision.datasets",
    get="name a class of torchvision.datasets: torchvision:FashionMNIST", checksum="of what lies there",
)  # fmt: skip
DATASETS.own["torchvision"] = own
DATASETS.register(f"torchvision:{PLACE}", **ABOUT)(own(PLACE)[0])
