"""The cheapest generator there is: differences between means of real images. Does StyleSpace find more than they do?"""

import functools

import numpy as np

from robustshape.generators.corrupted_images import CORRUPTIONS, randomly_corrupted
from robustshape.generators.quality import grey
from robustshape.studies.failure_discovery.predictions import Subject, predictions
from robustshape.studies.failure_discovery.scene import Scene

N_REAL = 200  # images of each class


def baseline(subject: Subject):
    """Return the largest decrease of each class in StyleSpace, and along differences of means that move pixels as far.

    Returns
    -------
    xarray.Dataset
        ``best_fall (class)`` under the worst dimension, which moves pixels by ``best_distance (class)`` (root mean square,
        in [0, 1]); ``baseline_fall (class)`` of real images moved as far along the worst of another class's mean minus
        its own, and of corrupted minus clean.
    """
    import xarray

    images, labels, _ = real(subject.scene)
    found = []
    for c, k in enumerate(subject.classes):
        own = subject.labels == k
        d, way = np.unravel_index(int(subject.decrease[:, :, c].argmax()), subject.decrease.shape[:2])
        after = subject.sweep["image"].isel(dimension=d, way=way).values[own]
        size = np.sqrt(np.mean((grey(after) - grey(subject.images[own])) ** 2))
        mine = images[labels == k]
        before = predictions(subject.classifier, mine, np.array(k)).probability.mean()
        after = [
            predictions(subject.classifier, shifted(mine, step, size), np.array(k)).probability.mean()
            for difference in differences(subject.scene, int(k))
            for step in (difference, -difference)
        ]
        found.append((subject.decrease[d, way, c], before - min(after), size))
    names = ("best_fall", "baseline_fall", "best_distance")
    return xarray.Dataset(
        {name: ("class", np.array(values)) for name, values in zip(names, zip(*found))},
        coords={"class": subject.classes},
    )


def shifted(images, direction, size: float) -> np.ndarray:
    """Return images (n, h, w, c) uint8 moved along a direction (h, w, c) by `size` (root mean square, in [0, 1]).

    >>> shifted(np.full((1, 1, 2, 1), 100, np.uint8), np.array([[[1.0], [-1.0]]]), 0.1).ravel().tolist()
    [126, 74]
    """
    length = np.sqrt(np.mean(direction**2))
    step = direction * (255 * size / length) if length else direction
    return np.rint((images + step).clip(0, 255)).astype(np.uint8)


def real(scene: Scene):
    """Return the first real test images of each class, their labels and ids."""
    from robustshape import datasets

    return _real(scene, datasets.state(scene.dataset))


@functools.lru_cache(maxsize=2)
def _real(scene: Scene, _state: str):
    from robustshape import datasets

    data = datasets.load(scene.dataset, split="test", reading=scene.reading)
    labels = data.label.values
    chosen = np.concatenate([np.flatnonzero(labels == k)[:N_REAL] for k in np.unique(labels)])
    return datasets.pixels(data)[chosen], labels[chosen], data.sample.values[chosen]


def differences(scene: Scene, label: int) -> list[np.ndarray]:
    """Return every other class's mean minus that of a class, and its mean under each corruption minus the clean one."""
    from robustshape import datasets

    return _differences(scene, label, datasets.state(scene.dataset))


@functools.lru_cache(maxsize=16)
def _differences(scene: Scene, label: int, _state: str) -> list[np.ndarray]:
    images, labels, ids = real(scene)
    own = images[labels == label].mean(axis=0)
    others = [images[labels == k].mean(axis=0) - own for k in np.unique(labels) if k != label]
    how = {"probability": 1.0, "constants": "224", "seed": scene.seed}
    mine = images[labels == label], ids[labels == label]
    return others + [
        randomly_corrupted(*mine, corruptions=[name], **how)[0].mean(axis=0) - own for name in CORRUPTIONS
    ]
