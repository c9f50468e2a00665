"""The published corrupted benchmarks, and how their files lie in a folder of ROBUSTSHAPE_DATA.

Hendrycks and Dietterich, "Benchmarking neural network robustness to common corruptions and perturbations", ICLR
2019. ImageNet-C and Tiny-ImageNet-C are folders of JPEG files (quality 85), CIFAR-10-C and CIFAR-100-C an array for
each corruption; their addresses are those of https://github.com/hendrycks/robustness. An image is found by its id,
and only where the benchmark has it under its label. Tiny-ImageNet-C shows other photographs than Tiny ImageNet's
validation part (issues 39 and 59 there): it is a set of its own, which `Benchmark.paired` says.

A further benchmark is one entry of `BENCHMARKS`.
"""

import hashlib
import os
import re
import stat
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from robustshape.errors import InputError, StoreError
from robustshape.paths import data_dirs

SEVERITIES = (1, 2, 3, 4, 5)
IMAGE = re.compile(r"[^.].*\.JPEG")
ARCHIVES = ("blur", "digital", "extra", "noise", "weather")  # of ImageNet-C; some keep them as folders


@dataclass(frozen=True)
class Benchmark:
    """A published benchmark: its name, where it comes from, and how its files lie.

    A subclass gives ``wanted(ids, labels)``, what the images are called there; ``holds(wanted, corruption, severity)``,
    whether all of them are; ``files(wanted, corruption, severity)``, where they lie; and ``read(wanted, corruption,
    severity)``, the images (n, size, size, 3) uint8, which raises FileNotFoundError where one is not.
    """

    title: str
    url: str
    folders: tuple[str, ...]  # the names its folder may have
    layout: str  # how its files lie, in words
    size: int  # pixels a side
    ids: (
        str  # a regular expression: the ids of the images it was made from, or its own where it is not paired
    )
    reading: str = "native"  # of the clean images: the one that shows what the stored ones show
    paired: bool = True  # whether each image is the corrupted version of one of the clean data set

    def roots(self) -> list[Path]:
        """Return the folders of the benchmark that are there, in the order of ROBUSTSHAPE_DATA."""
        named = self.folders
        places = [top if top.name in named else top / name for top in data_dirs() for name in named]
        return [place for place in dict.fromkeys(places) if place.is_dir()]

    def find(self, name: str) -> Path:
        """Return the first file or folder called `name` in the benchmark; raise FileNotFoundError if none is."""
        for root in self.roots():
            for archive in ("", *ARCHIVES):
                if (root / archive / name).exists():
                    return root / archive / name
        raise FileNotFoundError(name)

    def parsed(self, ids) -> list[tuple[str, ...]]:
        """Return the groups of `ids` in the id of each image."""
        found = [(name, re.fullmatch(self.ids, str(name))) for name in ids]
        strange = [name for name, match in found if match is None]
        if strange:
            raise InputError(
                f"{self.title} finds an image by its id, as robustshape.datasets.load gives it, but was asked for "
                f"{strange[0]!r}; use the data set as loaded, or corrupted='generated'"
            )
        return [match.groups() for _, match in found]

    def state(self, wanted, corruption: str, severity: int) -> str:
        """Return what changes with the files of these images: their names, sizes and times of change, 32 hex digits.

        Where they lie does not enter. Raises FileNotFoundError where one is not there.
        """
        digest = hashlib.blake2b(digest_size=16)
        for path in self.files(wanted, corruption, severity):
            about = path.stat()
            digest.update(f"{path.parent.name}/{path.name} {about.st_size} {about.st_mtime_ns}\n".encode())
        return digest.hexdigest()

    def damaged(self, path: Path, why) -> StoreError:
        """Return the error that names a file that cannot be used."""
        return StoreError(f"{path} is damaged or not of {self.title} ({why}); replace it from {self.url}")


@dataclass(frozen=True)
class Files(Benchmark):
    """``CORRUPTION/SEVERITY/WNID/NAME.JPEG``; `ids` has the groups WNID and NAME."""

    def wanted(self, ids, labels) -> list[tuple[str, str]]:
        """Return (class folder, file) of each image."""
        return [(wnid, f"{name}.JPEG") for wnid, name in self.parsed(ids)]

    def members(self, corruption: str, severity: int) -> list[list[str]]:
        """Return the ids of a benchmark that is not paired, those of each class folder, which are sorted by name."""
        folder = self.find(corruption) / str(severity)
        classes = sorted(name for name in _listed(folder) if re.fullmatch(r"n\d{8}", name))
        images = [filter(IMAGE.fullmatch, _listed(folder / wnid)) for wnid in classes]
        found = [
            [f"{self.title}/{wnid}/{name[:-5]}" for name in names] for wnid, names in zip(classes, images)
        ]
        return [sorted(names, key=lambda name: (len(name), name)) for names in found]

    def holds(self, wanted, corruption: str, severity: int) -> bool:
        """Return whether every image is there; each class folder is listed once."""
        files: dict = {}
        for wnid, file in wanted:
            files.setdefault(wnid, set()).add(file)
        try:
            folder = self.find(corruption) / str(severity)
            return all(needed <= set(_listed(folder / wnid)) for wnid, needed in files.items())
        except FileNotFoundError:
            return False

    def files(self, wanted, corruption: str, severity: int) -> list[Path]:
        """Return the file of each image."""
        folder = self.find(corruption) / str(severity)
        return [folder / wnid / file for wnid, file in wanted]

    def read(self, wanted, corruption: str, severity: int):
        """Return the images (n, size, size, 3) uint8."""
        images = np.empty((len(wanted), self.size, self.size, 3), np.uint8)
        for image, path in zip(images, self.files(wanted, corruption, severity)):
            image[:] = self._decoded(path)
        return images

    def _decoded(self, path: Path):
        from PIL import Image

        try:
            if not stat.S_ISREG(path.stat().st_mode):
                raise self.damaged(path, "it is no plain file")
            with Image.open(path, formats=("JPEG",)) as picture:
                width, height = picture.size
                if width == height == self.size:
                    return np.asarray(picture.convert("RGB"))
        except (FileNotFoundError, StoreError):
            raise
        except (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError) as error:
            raise self.damaged(path, error) from error
        raise self.damaged(path, f"{height} x {width} px, not {self.size} x {self.size}")


@dataclass(frozen=True)
class Arrays(Benchmark):
    """``CORRUPTION.npy``, the test images at severity 1, then at 2, ...; ``labels.npy``; `ids` has the position."""

    images: int = 10_000  # of the test split

    def wanted(self, ids, labels) -> tuple:
        """Return the position of each image in the test split, and its label."""
        positions = np.array([int(number) for (number,) in self.parsed(ids)])
        if positions.max() >= self.images:
            raise InputError(
                f"{self.title} was made from {self.images:,} test images, but was asked for number {positions.max()}"
            )
        return positions, labels

    def files(self, wanted, corruption: str, severity: int) -> list[Path]:
        """Return the array of a corruption and that of the labels: those of all images and severities."""
        path = self.find(f"{corruption}.npy")
        return [path, path.with_name("labels.npy")]

    def _opened(self, wanted, corruption: str):
        """Return the array of a corruption, its pixels still in the file; refuse other labels than the images'."""
        positions, labels = wanted
        count = self.images * len(SEVERITIES)
        array, path = self.files(wanted, corruption, SEVERITIES[0])
        stored = self._mapped(array, (count, self.size, self.size, 3), np.uint8)
        known = np.asarray(self._mapped(path, (count,), np.integer)).reshape(len(SEVERITIES), -1)
        differ = (known[:, positions] != labels).any(axis=0)
        if differ.any():
            raise StoreError(
                f"{path} gives {differ.sum()} of these {len(labels)} images another label than the data set does, so "
                f"it is not made from this copy of it; replace it by that of {self.title}, from {self.url}"
            )
        return stored

    def _mapped(self, path: Path, shape: tuple, kind):
        try:  # as np.load(mmap_mode="r", allow_pickle=False) does, but of a .npy only
            array = np.lib.format.open_memmap(path, mode="r")
        except FileNotFoundError:
            raise
        except (OSError, ValueError) as error:  # a file that was cut short is a ValueError too
            raise self.damaged(path, error) from error
        if array.shape != shape or not np.issubdtype(array.dtype, kind):
            raise self.damaged(path, f"{array.dtype} of shape {array.shape}, not of {shape}")
        return array

    def holds(self, wanted, corruption: str, severity: int) -> bool:
        """Return whether the corruption is there, with its labels; no pixel is read."""
        try:
            self._opened(wanted, corruption)
        except FileNotFoundError:
            return False
        return True

    def read(self, wanted, corruption: str, severity: int):
        """Return the images (n, size, size, 3) uint8; no others are read."""
        stored = self._opened(wanted, corruption)
        return np.asarray(stored[self.images * (severity - 1) + wanted[0]])


def _listed(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileNotFoundError(folder) from error
    except OSError as error:
        raise StoreError(
            f"{folder} cannot be read ({error.strerror or error}); allow it or replace it"
        ) from error


def _cifar(classes: int, record: int) -> Arrays:
    title = f"CIFAR-{classes}-C"
    layout, ids = f"{title}/CORRUPTION.npy and {title}/labels.npy", rf"cifar{classes}/test/(\d+)"
    return Arrays(title, f"https://zenodo.org/records/{record}", (title,), layout, 32, ids)


BENCHMARKS = {
    "imagenet": Files(
        title="ImageNet-C",
        url="https://zenodo.org/records/2235448",
        folders=("imagenet-c", "ImageNet-C"),
        layout="imagenet-c/CORRUPTION/SEVERITY/WNID/*.JPEG",
        size=224,
        ids=r"imagenet/test/(n\d{8})/(?:.*/)?([^/]+)\.\w+",
        reading="frame224",
    ),
    "tiny_imagenet": Files(
        title="Tiny-ImageNet-C",
        url="https://zenodo.org/records/2536630",
        folders=("Tiny-ImageNet-C", "TinyImageNet-C", "tiny-imagenet-c"),
        layout="Tiny-ImageNet-C/CORRUPTION/SEVERITY/WNID/*.JPEG",
        size=64,
        ids=r"Tiny-ImageNet-C/(n\d{8})/([^/]+)",
        paired=False,
    ),
    "cifar10": _cifar(10, 2535967),
    "cifar100": _cifar(100, 3555552),
}
