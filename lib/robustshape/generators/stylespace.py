"""StyleSpace: which of a generator's style dimensions make a classifier fail, by one gradient for all of them.

Wu, Lischinski, Shechtman 2021 (arXiv 2011.12799) for the space; Le Coz, Herbin, Adjed 2022 (arXiv 2410.12814) for the
gradient of a classifier's answer with respect to it, averaged over samples. A dimension's flat index counts through the
layers in execution order, toRGB layers among them.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from robustshape.errors import InputError

SCORES = ("probability", "logit", "log_probability")
REDUCTIONS = ("absolute", "signed")
SPACES = ("all", "convolutions")


@dataclass(frozen=True)
class StyleSpace:
    """The layers of a generator's StyleSpace and their widths, in execution order.

    Examples
    --------
    >>> space = StyleSpace(("b4.conv1", "b4.torgb", "b8.conv0"), (3, 3, 2))
    >>> space.size, space.place(4), space.index("b8.conv0", 1), space.inside("convolutions").tolist()
    (8, ('b4.torgb', 1), 7, [0, 1, 2, 6, 7])
    """

    layers: tuple[str, ...]
    widths: tuple[int, ...]

    @classmethod
    def of(cls, generator) -> "StyleSpace":
        """Return the StyleSpace of a `Generator`."""
        layers = generator.synthesis.layers()
        return cls(tuple(layers), tuple(layer.affine.weight.shape[0] for layer, _ in layers.values()))

    @property
    def size(self) -> int:
        """The number of dimensions."""
        return sum(self.widths)

    def place(self, dimension: int) -> tuple[str, int]:
        """Return the layer and the channel of a flat index; raise InputError if there is no such dimension."""
        if not 0 <= dimension < self.size:
            raise InputError(
                f"this generator has the dimensions 0 to {self.size - 1}, but dimension {dimension} was asked for"
            )
        ends = np.cumsum(self.widths)
        k = int(np.searchsorted(ends, dimension, side="right"))
        return self.layers[k], int(dimension - (ends[k] - self.widths[k]))

    def index(self, layer: str, channel: int) -> int:
        """Return the flat index of a layer's channel; raise InputError if there is no such one."""
        if layer not in self.layers:
            raise InputError(f"the layers are {', '.join(self.layers)}, but {layer!r} was asked for")
        k = self.layers.index(layer)
        if not 0 <= channel < self.widths[k]:
            raise InputError(
                f"{layer} has the channels 0 to {self.widths[k] - 1}, but {channel} was asked for"
            )
        return sum(self.widths[:k]) + channel

    def inside(self, space: str) -> np.ndarray:
        """Return the flat indices of "all" dimensions, or of those of "convolutions" only, without toRGB."""
        if space not in SPACES:
            raise InputError(f"space is one of {', '.join(SPACES)}, but was {space!r}")
        keep = [space == "all" or not layer.endswith(".torgb") for layer in self.layers]
        return np.flatnonzero(np.repeat(keep, self.widths))

    def flat(self, styles: dict):
        """Return styles by layer as one tensor (n, size)."""
        return torch.cat([styles[layer] for layer in self.layers], dim=1)

    def split(self, flat) -> dict:
        """Return (n, size) styles by layer, as `Generator.synthesise` takes them."""
        if flat.ndim != 2 or flat.shape[1] != self.size:
            raise InputError(f"styles are (n, {self.size}), but were {tuple(flat.shape)}")
        return dict(zip(self.layers, flat.split(self.widths, dim=1)))


def pixels(images):
    """Return a generator's images, about [-1, 1], as a classifier's pixels, (n, c, r, r) in [0, 1].

    >>> pixels(torch.tensor([-1.2, 0.0, 1.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    return ((images + 1) / 2).clamp(0, 1)


def grey_levels(images) -> np.ndarray:
    """Return a generator's images (n, c, r, r) as they are stored: (n, r, r, c) uint8."""
    return (pixels(images) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()


def images_of(generator, styles, *, noise: str = "const", chunk: int = 250) -> np.ndarray:
    """Return the images (n, r, r, c) uint8 of flat styles (n, size), `chunk` at once."""
    space = StyleSpace.of(generator)
    with torch.no_grad():
        return np.concatenate(
            [
                grey_levels(generator.synthesise(styles=space.split(part), noise=noise))
                for part in styles.split(chunk)
            ]
        )


def score_gradients(
    generator, classify, styles, labels, *, score: str = "probability", noise: str = "const", chunk: int = 100
):
    """Return how each sample's score of its class changes with every style dimension: one backward pass a chunk.

    Parameters
    ----------
    generator : Generator
    classify : callable
        Pixels (n, c, r, r) in [0, 1] to logits (n, classes).
    styles : (n, size) float tensor
        Flat, see `StyleSpace.flat`.
    labels : (n,) int tensor
        The class whose score it is.
    score : {"probability", "logit", "log_probability"}
        The last is minus the cross-entropy.
    noise : {"const", "none"}
    chunk : int
        Samples at once.

    Returns
    -------
    gradients : (n, size) float tensor
    scores : (n,) float tensor
    """
    if score not in SCORES:
        raise InputError(f"score is one of {', '.join(SCORES)}, but was {score!r}")
    space, gradients, scores = StyleSpace.of(generator), [], []
    for part, own in zip(styles.split(chunk), labels.split(chunk)):
        part = part.detach().requires_grad_(True)
        logits = classify(pixels(generator.synthesise(styles=space.split(part), noise=noise)))
        found = _score(logits, own, score)
        # a sample's score depends on its own styles alone, so the gradient of the sum holds every sample's
        [gradient] = torch.autograd.grad(found.sum(), part)
        gradients.append(gradient)
        scores.append(found.detach())
    return torch.cat(gradients), torch.cat(scores)


def _score(logits, labels, score: str):
    values = {"probability": F.softmax, "log_probability": F.log_softmax}.get(score, lambda x, dim: x)(
        logits, dim=1
    )
    return values.gather(1, labels[:, None])[:, 0]


def importance(gradients, deviations=None, *, reduction: str = "absolute"):
    """Return how much each dimension matters to the samples at hand, on average.

    Parameters
    ----------
    gradients : (n, size) float tensor
        Of `score_gradients`, of one class.
    deviations : (size,) float tensor, optional
        Standard deviation of each dimension over many samples: gradients are then per deviation, not per unit.
    reduction : {"absolute", "signed"}
        The mean of absolute values, or the mean, whose sign says where the score rises.

    Returns
    -------
    (size,) float tensor

    Examples
    --------
    >>> gradients = torch.tensor([[1.0, -3.0], [-1.0, -1.0]])
    >>> importance(gradients), importance(gradients, torch.tensor([5.0, 1.0]), reduction="signed")
    (tensor([1., 2.]), tensor([ 0., -2.]))
    """
    if reduction not in REDUCTIONS:
        raise InputError(f"reduction is one of {', '.join(REDUCTIONS)}, but was {reduction!r}")
    scaled = gradients if deviations is None else gradients * deviations
    return scaled.mean(dim=0) if reduction == "signed" else scaled.abs().mean(dim=0)


def strongest(values, n: int, *, inside=None) -> np.ndarray:
    """Return the flat indices of the `n` dimensions with the largest absolute `values`, largest first.

    >>> strongest(torch.tensor([0.1, -3.0, 2.0, 0.5]), 2, inside=[0, 2, 3]).tolist()
    [2, 3]
    """
    size = np.abs(np.asarray(values, dtype=float))
    inside = np.arange(len(size)) if inside is None else np.asarray(inside)
    if not 1 <= n <= len(inside):
        raise InputError(f"there are {len(inside)} dimensions to choose from, but {n} were asked for")
    return inside[np.argsort(-size[inside], kind="stable")[:n]]


def moved(styles, dimension: int, amount):
    """Return a copy of flat styles with one dimension moved by `amount`, a number or one for each sample.

    >>> moved(torch.zeros(2, 3), 1, 4.0)
    tensor([[0., 4., 0.],
            [0., 4., 0.]])
    """
    if not 0 <= dimension < styles.shape[1]:
        raise InputError(
            f"this generator has the dimensions 0 to {styles.shape[1] - 1}, but dimension {dimension} was asked for"
        )
    changed = styles.clone()
    changed[:, dimension] += amount
    return changed
