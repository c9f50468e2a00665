"""What every classifier is shown: a generator's samples that an independent judge reads as what they were asked to be.

A sample that is no longer the digit it should be is the generator's failure, not the classifier's. So only samples that
the judge gets right are moved.
"""

import functools
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from robustshape.errors import InputError
from robustshape.generators.attributes import FIRST, identity
from robustshape.models.network import Network
from robustshape.paths import device, find_local, project_root

SHIPPED = "corrupted_mnist.safetensors"  # in data/models
N_DEVIATIONS = (
    2_000  # samples of which the deviation and the range of each dimension, and the directions, are taken
)
UNITS = {  # of a shift: what 1 is, from the styles (n, size) of many samples
    "std": lambda styles: styles.std(dim=0),
    "range": lambda styles: styles.amax(dim=0) - styles.amin(dim=0),
    "raw": lambda styles: torch.ones_like(styles[0]),
}


@dataclass(frozen=True)
class Scene:
    """A generator, the samples that are moved and how far; everything but the classifier."""

    generator: str  # a file, or "" for the one that ships
    dataset: str
    reading: str | None
    judge: str
    epochs: int  # of the judge's training; 0 leaves it to the recipe
    n_samples: int  # asked of the generator, for the gradients
    n_moved: int  # of each class, moved along every dimension
    n_walked: int  # of each class, moved along the named directions
    distance: float  # units that a dimension moves where one number stands for its effect
    shifts: tuple[float, ...]  # of the walks, from 0 outwards, taken either way
    map_attributes: tuple[str, str]
    truncation_psi: float
    noise: str
    seed: int
    shift_unit: str = "std"

    @cached_property
    def judging(self) -> Network:
        """The judge, if it is one of ours then trained on the scene's data set."""
        return Network.of(self.judge, dataset=self.dataset, epochs=self.epochs, reading=self.reading)

    def samples(self) -> dict:
        """Return what defines the samples that are moved: the generator by its checksum, not by its place."""
        return {
            "generator": checksum(generator_path(self.generator)),
            "judge": self.judging.identity,
            "n_samples": self.n_samples,
            "truncation_psi": self.truncation_psi,
            "noise": self.noise,
            "seed": self.seed,
        }

    def identity(self) -> dict:
        """Return what defines the samples and how they are moved."""
        names = (
            "n_moved",
            "n_walked",
            "distance",
            "shifts",
            "shift_unit",
            "dataset",
            "reading",
        )
        # one that is added is kept under its own name beside these, see `movements` and `added`
        named = {
            "attributes": [identity(name) for name in FIRST],
            "map_attributes": tuple(identity(name) for name in self.map_attributes),
        }
        return self.samples() | {name: getattr(self, name) for name in names} | named

    @property
    def places(self) -> np.ndarray:
        """The shifts of a walk in order, either way: from minus the farthest to the farthest."""
        return np.unique(np.concatenate([-np.array(self.shifts), self.shifts]) + 0.0)

    @property
    def map_places(self) -> np.ndarray:
        """The shifts of a map over two directions."""
        return np.linspace(-max(self.shifts), max(self.shifts), 7)


class Start(NamedTuple):
    """The samples of a scene that the judge reads rightly, before anything moves."""

    generator: Any
    index: np.ndarray  # (n,) place among the samples that were asked for
    styles: Any  # (n, size) float tensor
    labels: np.ndarray  # (n,)
    deviations: Any  # (size,) float tensor on the processor: standard deviations over many samples
    units: Any  # (size,) float tensor on the processor: what a shift of 1 is, see `UNITS`
    many: Any  # (N_DEVIATIONS, size) float tensor: styles of the samples over which both are taken
    many_labels: np.ndarray  # (N_DEVIATIONS,) what they were asked to be

    def of_classes(self, n: int) -> np.ndarray:
        """Return the places of the first `n` samples of each class, class by class."""
        return np.concatenate([np.flatnonzero(self.labels == k)[:n] for k in np.unique(self.labels)])


def generator_path(name: str) -> Path:
    """Return the file of a generator: a path, a name under ROBUSTSHAPE_DATA or of one that ships; "" for the first of these."""
    root, path = project_root(), Path(name).expanduser()
    shipped = root / "data" / "models" / (name or SHIPPED) if root else None
    if name:
        ships = shipped if shipped and path.name == name and shipped.is_file() else None
        return path if path.is_file() else find_local(name) or ships or path
    path = shipped
    if path is None or not path.is_file():
        raise InputError(
            "no generator ships here; train one with: robustshape train-generator -o mine.safetensors, then give it as "
            "-p generator mine.safetensors"
        )
    return path


def checksum(path: Path) -> str:
    """Return the sha256 of a generator's file; raise MissingFileError if there is none."""
    from robustshape.errors import MissingFileError

    if not path.is_file():
        raise MissingFileError(
            f"there is no generator {path}; give the path of a .safetensors or an official .pkl"
        )
    about = path.stat()
    return _checksum(path, about.st_mtime_ns, about.st_size)  # a generator trained further is another one


@functools.lru_cache(maxsize=8)
def _checksum(path: Path, changed: int, size: int) -> str:
    from robustshape.models.weights import sha256

    return sha256(path)


def all_samples(generator, n: int, *, seed: int, truncation_psi: float):
    """Return the labels (n,) of a scene's samples, class after class in turn, and their styles (n, size)."""
    from robustshape.generators.quality import sampled_styles

    labels = np.arange(n) % generator.settings["c_dim"]
    return labels, sampled_styles(generator, labels, seed=seed, truncation_psi=truncation_psi)


def prepared(scene: Scene) -> Start:
    """Return the samples of a scene that its judge reads rightly, in order.

    Raises
    ------
    InputError
        If generator and judge do not fit, or a class has fewer right samples than are to be moved.
    """
    return _prepared(scene, checksum(generator_path(scene.generator)))


@functools.lru_cache(maxsize=2)
def _prepared(scene: Scene, checksum: str) -> Start:
    from robustshape.generators.stylegan2 import read_network
    from robustshape.generators.stylespace import images_of

    generator = read_network(generator_path(scene.generator)).to(device())
    judge = scene.judging.load()
    fitting(generator, judge)
    how = {"truncation_psi": scene.truncation_psi}
    labels, styles = all_samples(generator, scene.n_samples, seed=scene.seed, **how)
    other_labels, others = all_samples(generator, N_DEVIATIONS, seed=scene.seed + 1, **how)
    right = judge.predict(images_of(generator, styles, noise=scene.noise)) == labels
    counts = np.bincount(labels[right], minlength=judge.n_classes)
    needed = max(scene.n_moved, scene.n_walked)
    if counts.min() < needed:
        worst = int(counts.argmin())
        raise InputError(
            f"{scene.judge} reads {counts[worst]} of the {np.sum(labels == worst)} samples of class {worst} as what they "
            f"were asked to be, but {needed} of each class are to be moved; raise n_samples, lower n_moved and n_walked, or "
            "train the generator longer"
        )
    return Start(
        generator,
        np.flatnonzero(right),
        styles[torch.from_numpy(right)],
        labels[right],
        others.std(dim=0).cpu(),
        UNITS[scene.shift_unit](others).cpu(),
        others,
        other_labels,
    )


def fitting(generator, classifier):
    """Return a module from a generator's pixels (n, c, r, r) in [0, 1] to a classifier's logits; see `check_fits`.

    Grey images are shown to a classifier of three channels; none is resized, for that would be no part of the gradient.
    """
    module = classifier.on_pixels()  # a preprocessing that is one function of its own raises
    made, takes = generator.settings, classifier.preprocess
    size = classifier.identity.get("size") or (getattr(takes, "size", None) or [made["img_resolution"]])[0]
    channels = getattr(takes, "channels", None) or made["img_channels"]
    check_fits(generator, classifier.name, classifier.n_classes, size, channels)
    return _repeated(module, channels // made["img_channels"])


def check_fits(generator, name: str, n_classes: int, size: int, channels: int) -> None:
    """Raise InputError unless a generator makes images of the classes, size and channels that a classifier takes."""
    made = generator.settings
    if not made["c_dim"]:
        raise InputError(
            "the generator knows no classes (c_dim 0), but failures are sought class by class; give a class-conditional one"
        )
    if made["c_dim"] != n_classes:
        raise InputError(
            f"the generator makes {made['c_dim']} classes, but {name} knows {n_classes}; give two of one data set"
        )
    if made["img_resolution"] != size:
        raise InputError(
            f"the generator makes images of {made['img_resolution']} px, but {name} takes {size} px; give two of one "
            "size, by a reading of the data set such as the generator's card names"
        )
    if channels not in (made["img_channels"], 3):
        raise InputError(
            f"the generator makes images of {made['img_channels']} channels, but {name} takes {channels}; give two of one kind"
        )


def _repeated(module, times: int):
    """Return `module` behind a layer that shows it each channel `times` times; the module itself for once."""

    class Repeat(torch.nn.Module):
        def forward(self, x):
            return x.repeat(1, times, 1, 1)

    return module if times == 1 else torch.nn.Sequential(Repeat(), module).eval()
