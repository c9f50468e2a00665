"""What one classifier predicts for the scene's samples before and after every movement."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from robustshape.generators.failures import Predictions
from robustshape.generators.stylespace import images_of
from robustshape.studies.failure_discovery import movements
from robustshape.studies.failure_discovery.scene import Scene, prepared

AT_ONCE = 16  # dimensions whose images are in memory together


def predictions(classifier, images, labels) -> Predictions:
    """Return a classifier's predictions for images (..., n, r, r, c) uint8 of these labels (n,): arrays (..., n)."""
    probabilities = class_probabilities(classifier, images)
    own = np.broadcast_to(labels, probabilities.shape[:-1])[..., None]
    return Predictions(np.take_along_axis(probabilities, own, axis=-1)[..., 0], probabilities.argmax(axis=-1))


def class_probabilities(classifier, images) -> np.ndarray:
    """Return the probabilities (..., n, class) float64 of all classes for images (..., n, r, r, c) uint8."""
    images = np.asarray(images)
    logits = classifier.logits(images.reshape(-1, *images.shape[-3:])).astype(np.float64)
    probabilities = np.exp(logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True))
    return probabilities.reshape(*images.shape[:-3], -1)


@dataclass(frozen=True)
class Subject:
    """One classifier in front of a scene whose movements are made; its predictions are computed when first asked for."""

    scene: Scene
    classifier: object

    @cached_property
    def begin(self):
        """The samples before anything moves."""
        return prepared(self.scene)

    @cached_property
    def sweep(self):
        """The images of every movement, see `movements.sweep`."""
        return movements.sweep(self.scene)

    @cached_property
    def few(self) -> np.ndarray:
        """The places of the samples that move along every dimension."""
        return self.begin.of_classes(self.scene.n_moved)

    @cached_property
    def labels(self) -> np.ndarray:
        """Their classes (n,)."""
        return self.begin.labels[self.few]

    @cached_property
    def classes(self) -> np.ndarray:
        return np.unique(self.labels)

    @cached_property
    def images(self) -> np.ndarray:
        """The images of the samples before they move."""
        return images_of(self.begin.generator, self.begin.styles[self.few], noise=self.scene.noise)

    @cached_property
    def start(self) -> Predictions:
        """The predictions for them (n,)."""
        return predictions(self.classifier, self.images, self.labels)

    @cached_property
    def moved(self) -> Predictions:
        """The predictions for the sweep (dimension, way, n)."""
        parts = [
            predictions(
                self.classifier,
                self.sweep["image"].isel(dimension=slice(k, k + AT_ONCE)).values,
                self.labels,
            )
            for k in range(0, self.sweep.sizes["dimension"], AT_ONCE)
        ]
        return Predictions(*(np.concatenate(part) for part in zip(*parts)))

    @cached_property
    def right(self) -> np.ndarray:
        """Which samples are classified rightly before they move (n,)."""
        return self.start.predicted == self.labels

    @cached_property
    def flips(self) -> np.ndarray:
        """Which movements make a sample wrong that was right (dimension, way, n)."""
        return (self.moved.predicted != self.labels) & self.right

    @cached_property
    def readable(self) -> np.ndarray:
        """Which moved images the judge still reads (dimension, way, n)."""
        return self.sweep["judged"].values == self.labels

    def by_class(self, values, among=None) -> np.ndarray:
        """Return means of values (..., n) over the samples of each class (..., class), of those in `among` (n,) if given.

        NaN where a class has none.
        """
        among = np.ones(len(self.labels), bool) if among is None else among
        with np.errstate(invalid="ignore"):
            sums = [(values * among)[..., self.labels == k].sum(axis=-1) for k in self.classes]
            return np.stack(sums, axis=-1) / np.array([among[self.labels == k].sum() for k in self.classes])

    @cached_property
    def decrease(self) -> np.ndarray:
        """How much lower the probability of the class is then, mean over its samples (dimension, way, class)."""
        return self.by_class(self.start.probability - self.moved.probability)


def decreases(subject: Subject):
    """Return ``fall (dimension, way, class)``, ``flipped`` and ``flipped_readable``, ``start_accuracy (class)``.

    Flipped is the share of the right samples that go wrong; readable are those of them that the judge still reads.
    """
    import xarray

    how = ("dimension", "way", "class")
    flipped = subject.by_class(subject.flips, subject.right)
    readable = subject.by_class(subject.flips & subject.readable, subject.right)
    return xarray.Dataset(
        {
            "fall": (how, subject.decrease.astype(np.float32)),
            "flipped": (how, flipped.astype(np.float32)),
            "flipped_readable": (how, readable.astype(np.float32)),
            "start_accuracy": ("class", subject.by_class(subject.right)),
        },
        coords={
            "class": subject.classes,
            "way": list(movements.WAYS),
            "dimension": np.arange(len(subject.decrease)),
        },
    )
