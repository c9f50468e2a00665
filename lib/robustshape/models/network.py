"""A network by name, with the data it is trained on where that is done here: known before anything is loaded."""

import contextlib
import functools
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from robustshape import models
from robustshape.errors import TrainingError
from robustshape.paths import device
from robustshape.store.keys import key_of


@dataclass(frozen=True)
class Network:
    """A network, as studies and a cluster hand it on; its Classifier is loaded when it is asked for.

    Attributes
    ----------
    name : str
        As `robustshape.models.load` takes it.
    dataset, epochs, reading
        What the networks of its source depend on beside the name: the data set that ours are trained on (that of
        whose classes prompts speak), the epochs of training (0: the recipe's own), and how its images are read.

    Examples
    --------
    >>> Network.of("timm:resnet50.a1_in1k", dataset="imagenet")
    Network(name='timm:resnet50.a1_in1k', dataset='', epochs=0, reading=None)
    >>> Network.of("zoo:mlp", dataset="digits").trained_here
    True
    """

    name: str
    dataset: str = ""
    epochs: int = 0
    reading: str | None = None

    @classmethod
    def of(cls, name: str, *, dataset: str, epochs: int = 0, reading: str | None = None) -> "Network":
        """Return the network called `name`, with that of the rest alone on which its numbers depend."""
        given = {"dataset": dataset, "epochs": epochs, "reading": reading or None}
        return cls(name, **{key: given[key] for key in models.source_of(name).takes})

    @property
    def _arguments(self) -> dict:
        given = {"dataset": self.dataset, "epochs": self.epochs or None, "reading": self.reading}
        return {key: given[key] for key in models.source_of(self.name).takes}

    @property
    def trained_here(self) -> bool:
        """Whether it is one of ours, trained on `dataset` when it is first asked for."""
        return models.source_of(self.name).trained_here

    @cached_property
    def identity(self) -> dict:
        """What defines its numbers; nothing is trained. It is asked for once, so that a run has one answer."""
        return models.identity(self.name, **self._arguments)

    @property
    def is_ready(self) -> bool:
        """Whether nothing is left to train."""
        return models.is_ready(self.name, **self._arguments)

    def left(self) -> list[Path]:
        """Return where it will be kept if it is to be trained yet: of several runs one trains it."""
        if self.is_ready:
            return []
        from robustshape.models import zoo

        return [zoo.weights_file(self.identity).parent]

    def load(self, data=None):
        """Return the Classifier, kept in this process; train it first where that is not done yet.

        Given the data set that it is to see, it takes the whole of images that are ``framed`` (see
        `robustshape.datasets.load`), without its own resizing and crop.
        """
        kept = _kept(self, key_of(self.identity), device())
        if data is None or not data.attrs.get("framed"):
            return kept
        from robustshape.models.resizing import whole

        return replace(kept, preprocess=whole(kept.preprocess))

    def untrained(self):
        """Return the Classifier without training it: ours have their first weights, others are loaded."""
        return models.untrained(self.name, **self._arguments) if self.trained_here else self.load()

    def make_ready(self) -> None:
        """Train or fetch it, if it is not kept yet; that a training diverged is kept too, see `diverged`."""
        with contextlib.suppress(TrainingError):
            self.load()

    @property
    def diverged(self) -> str:
        """Why its training diverged; empty if it did not, or was done elsewhere. An untrained one is trained."""
        if not self.trained_here:
            return ""
        try:
            self.load()
        except TrainingError as error:
            return str(error)
        return ""


@functools.lru_cache(maxsize=32)
def _kept(network: Network, key: str, device: str):
    return models.load(network.name, **network._arguments, device=device)
