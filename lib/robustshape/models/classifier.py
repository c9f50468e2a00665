"""A classifier: a network, the preprocessing it was trained with, and what is known about it."""

import json
import math
from dataclasses import dataclass, field

import numpy as np
import torch

from robustshape.errors import InputError
from robustshape.hooks import capture, find_layer, parts_of
from robustshape.models.examining import UNFIT, first_line
from robustshape.models.heads import find_head
from robustshape.models.outputs import logits_of
from robustshape.models.preprocessing import Preprocessing

CHUNK = 256  # images in every forward pass, always; the last one is padded with its first image
FEWEST = (
    8  # of large images, whose maps would else leave the processor's caches (measured: 1.4 to 1.8x faster)
)


def chunk_of(*sides: int) -> int:
    """Return how many images of this size go through a network at once: 256 up to 32 px, at least 8.

    >>> chunk_of(32, 32), chunk_of(64, 64), chunk_of(224, 224)
    (256, 64, 8)
    """
    fitting = CHUNK * 32 * 32 // math.prod(sides)
    return next((n for n in (CHUNK, 128, 64, 32, 16) if n <= fitting), FEWEST)


@dataclass(frozen=True)
class Classifier:
    """What `robustshape.models.load` returns, whatever the source.

    Attributes
    ----------
    name : str
        As given to `load`, in full.
    module : torch.nn.Module
        In eval mode; maps preprocessed images to logits, or to what `robustshape.models.outputs.logits_of` reads.
    preprocess : Preprocessing
        ``uint8 (n, h, w, c) -> float32 tensor (n, c, h, w)``.
    head : str
        Name of the classifying layer in `module`; its input is the penultimate features. Several names joined by
        ``+``, as of a distilled transformer, are read as `robustshape.hooks.joined` says. Empty: found with the first
        images.
    n_classes : int
        Number of logits; a network that returns another is refused.
    identity : dict
        What defines the numbers (see `robustshape.models.identity`).
    about : dict
        family, recipe, trains_on (names of the corruptions seen in training), licence, citation.
    device : str
    """

    name: str
    module: torch.nn.Module
    preprocess: Preprocessing
    head: str
    n_classes: int
    identity: dict
    about: dict = field(default_factory=dict)
    device: str = "cpu"

    def __post_init__(self):
        self.module.to(self.device).eval().requires_grad_(False)

    def preprocessing(self) -> str:
        """Return what happens to an image before the network sees it, as JSON (or the words of a function)."""
        describe = getattr(self.preprocess, "describe", None)
        return json.dumps(describe()) if describe else str(self.preprocess)

    def activations(self, images, layers=("penultimate",)) -> dict[str, np.ndarray]:
        """Return the activations of some layers for uint8 images.

        Parameters
        ----------
        images : (n, h, w, c) uint8
        layers : sequence of str
            ``penultimate`` (the input of `head`), ``logits`` (the output of the network), any name in
            ``module.named_modules()`` (its output), or ``depth:0.5`` (see `robustshape.hooks.at_depth`).
            Maps (n, c, h, w) are averaged over their pixels.

        Returns
        -------
        dict of (n, d) float32
            A forward pass always sees as many images as `chunk_of` their size, so that numbers do not depend on
            how a caller splits the images, as long as its parts are multiples of 256.

        Raises
        ------
        InputError
            If a layer does not exist or the images do not fit.
        """
        return self._activations(len(images), lambda part: self.preprocess(images[part]), layers)

    def activations_on_pixels(self, x, layers=("penultimate",)) -> dict[str, np.ndarray]:
        """Return the same as `activations` for pixels (n, c, h, w) in [0, 1] as `pixels` returns them."""
        self._check_pixels()
        return self._activations(len(x), lambda part: self.preprocess.normalise(x[part]), layers)

    def _activations(self, n_images: int, batch_of, layers) -> dict[str, np.ndarray]:
        layers = list(layers)
        named = [name for name in layers if name not in ("penultimate", "logits")]
        for name in named:
            find_layer(self.module, name)
        if not n_images:
            raise InputError("activations need at least one image, but were given none")
        parts = {name: [] for name in layers}
        first = batch_of(
            slice(0, FEWEST)
        )  # their size says how many go together; large ones are not read twice
        chunk = chunk_of(*first.shape[2:])
        if not self.head and "penultimate" in layers:
            one = first[:1].to(self.device)
            self._logits(one)  # says in words what does not fit
            object.__setattr__(self, "head", find_head(self.module, one)[0])
        heads = [self.head] if self.head else []
        last = [name for name in (*named, *heads) if _channels_last(self.module, name)]
        with torch.inference_mode(), capture(self.module, inputs=heads, outputs=named) as seen:
            for start in range(0, n_images, chunk):
                begun = start == 0 and chunk == FEWEST
                batch = (first if begun else batch_of(slice(start, start + chunk))).to(self.device)
                n = len(batch)
                if n < chunk:
                    batch = torch.cat([batch, batch[:1].expand(chunk - n, *batch.shape[1:])])
                logits = self._logits(batch)
                for name in layers:
                    if name == "penultimate":
                        values = seen.inputs[self.head]
                    else:
                        values = logits if name == "logits" else seen.outputs[name]
                    layer = heads[0] if name == "penultimate" else name
                    parts[name].append(_vectors(values[:n], name, channels_last=layer in last))
        return {name: np.concatenate(part) for name, part in parts.items()}

    def _logits(self, batch) -> torch.Tensor:
        """Return the logits of a batch, or say in a sentence why there are none."""
        try:
            output = self.module(batch)
        except torch.OutOfMemoryError:
            raise
        except UNFIT as error:
            shape = " x ".join(map(str, batch.shape[1:]))
            raise InputError(
                f"{self.name} cannot take images of {shape} (channels, height, width): {first_line(error)}; choose "
                "another reading of the data, or give the network a preprocessing with its size (file: cards and "
                "python: may)"
            ) from error
        try:
            logits = logits_of(output)
        except InputError as error:
            raise InputError(f"{self.name} cannot be used: {error}") from error
        if logits.shape[1] != self.n_classes:
            raise InputError(
                f"{self.name} returns {logits.shape[1]:,} numbers for an image, but is said to have "
                f"{self.n_classes:,} classes; correct n_classes, or build the network with as many outputs"
            )
        return logits

    def logits(self, images) -> np.ndarray:
        """Return the logits (n, n_classes) float32 of uint8 images (n, h, w, c)."""
        return self.activations(images, ["logits"])["logits"]

    def predict(self, images) -> np.ndarray:
        """Return the predicted classes (n,) int64 of uint8 images (n, h, w, c)."""
        return self.logits(images).argmax(axis=1)

    def pixels(self, images) -> torch.Tensor:
        """Return uint8 images (n, h, w, c) as float32 (n, c, h, w) in [0, 1] on `device`, as the network takes them.

        They are resized, cropped and, for a network of 3 channels, repeated, but not yet normalised: this is
        what an attack changes, and what its budget is counted in.
        """
        self._check_pixels()
        return self.preprocess.pixels(images).contiguous().to(self.device)

    def on_pixels(self) -> torch.nn.Module:
        """Return a module that maps what `pixels` returns to logits; gradients flow to its input alone.

        Raises
        ------
        InputError
            If `preprocess` is a function that does not tell resizing and normalising apart.
        """
        self._check_pixels()
        return _OnPixels(self.module, self.preprocess.normalise).eval()

    def _check_pixels(self) -> None:
        if not (hasattr(self.preprocess, "pixels") and hasattr(self.preprocess, "normalise")):
            raise InputError(
                f"{self.name} cannot be attacked: its preprocessing is one function of its own; make it a "
                "robustshape.models.preprocessing.Preprocessing, or give it the methods pixels(images), uint8 "
                "(n, h, w, c) to [0, 1] (n, c, h, w), and normalise(x)"
            )


class _OnPixels(torch.nn.Module):
    def __init__(self, module, normalise):
        super().__init__()
        self.module, self.normalise = module, normalise

    def forward(self, x):
        return logits_of(self.module(self.normalise(x)))


def _channels_last(module, name: str) -> bool:
    """Return whether a layer works on the last dimension, whatever stands between it and the first."""
    layers = [find_layer(module, part) for part in parts_of(name)]
    return all(isinstance(layer, torch.nn.Linear) or type(layer) is torch.nn.LayerNorm for layer in layers)


def _vectors(values, name: str, channels_last: bool = False) -> np.ndarray:
    """Return (n, d) float32: maps (n, c, h, w), or (n, h, w, c), averaged over pixels, tokens (n, t, d) over tokens."""
    if not isinstance(values, torch.Tensor) or values.ndim < 2:
        raise InputError(f"layer {name!r} does not give one tensor with a row per image; take another layer")
    values = values.float()
    if channels_last and values.ndim > 2:
        values = values.flatten(1, -2).mean(dim=1)
    elif values.ndim == 4:
        values = values.mean(dim=(2, 3))
    elif values.ndim == 3:
        values = values.mean(dim=1)
    return values.flatten(1).cpu().numpy()
