"""PGD step by step: which images a network still classifies rightly after each number of steps, and the last images.

Steps of one length, 2.5 eps / 20, from a random point of the ball, as the attack ``pgd`` takes 20 of them: so the
number of steps says how far the attack has gone. The last images serve to look at what they change inside, and to be
shown to other networks (does the attack transfer?). Unlike on the ladder of `attacked`,
every image is attacked, those too that are wrong when clean.
"""

import time
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

from robustshape import datasets
from robustshape.attacks.stages import in_words
from robustshape.datasets.selection import Selection
from robustshape.measurements.classes import class_columns, finite, of_classes
from robustshape.models.network import Network
from robustshape.store.kept import Kept, folders_missing

VERSION = 1  # raise when a change of the algorithm changes the numbers


@dataclass(frozen=True)
class Steps:
    """PGD in L-infinity on the first images of a selection.

    Attributes
    ----------
    selection : Selection
    n : int
        Images, its first ones.
    eps : Fraction
        Radius of the ball.
    steps : tuple of int
        Ascending numbers of steps after which to look; the last is the whole attack.
    seed : int
        With an image's id it gives the start.
    """

    selection: Selection
    n: int
    eps: Fraction
    steps: tuple[int, ...]
    seed: int

    def kept(self, network: Network) -> Kept:
        """Return the entry of the attack on a network."""
        spec = {
            "kind": "pgd steps",
            "version": VERSION,
            "model": network.identity,
            "images": self.selection.identity_of_first(self.n),
            "eps": in_words(self.eps),
            "steps": list(self.steps),
            "seed": self.seed,
        }
        return Kept("attacked", spec)


def attacked_images(network: Network, how: Steps, *, keep: bool = True):
    """Return the first images under PGD in L-infinity, from the cache if they are there.

    Parameters
    ----------
    network : Network
    how : Steps
    keep : bool
        Whether to keep them where they were not: images take much room.

    Returns
    -------
    xarray.Dataset
        ``right (step, sample)`` bool after each of the steps, ``x (sample, channel, y, column)`` float32 in [0, 1].
    """
    entry = how.kept(network)
    found = entry.open()
    if found is None and not keep:
        return _attack(network, how)
    if found is None:
        with entry.alone():
            if entry.missing:
                entry.save(_attack(network, how))
        found = entry.open()
    return found


def left(network: Network, how: Steps) -> list[Path]:
    """Return where the entry lies that `attacked_images` still has to make."""
    return folders_missing([how.kept(network)])


def _attack(network: Network, how: Steps):
    import numpy as np
    import torch
    import xarray

    from robustshape.attacks.gradient import from_own_starts
    from robustshape.attacks.harness import CHUNK, FixedBatches

    began, images, right = time.perf_counter(), [], []
    steps, eps = how.steps, float(how.eps)
    data = how.selection.first(how.n)
    classifier = network.load(data)
    module = FixedBatches(of_classes(classifier.on_pixels(), class_columns(classifier, data)))
    for at in range(0, how.n, CHUNK):  # no more at a time, for the whole graph of a step is in memory
        part = data.isel(sample=slice(at, at + CHUNK))
        clean = classifier.pixels(datasets.pixels(part))
        labels = torch.as_tensor(part["label"].values, dtype=torch.int64, device=classifier.device)
        own = {"seed": how.seed, "ids": part.sample.values}
        path = from_own_starts(module, clean, labels, eps=eps, norm="linf", **own)
        seen = {k: x for k, x in enumerate(islice(path, max(steps)), 1) if k in steps}
        with torch.no_grad():
            right.append([(module(seen[k]).argmax(1) == labels).cpu().numpy() for k in steps])
        images.append(seen[max(steps)].cpu().numpy())
    return xarray.Dataset(
        {
            "right": (("step", "sample"), np.concatenate(right, axis=1)),
            "x": (("sample", "channel", "y", "column"), np.concatenate(images)),
        },
        coords={"step": list(steps), "sample": data.sample.values},
        attrs={"model": network.name, "eps": in_words(how.eps), "seconds": time.perf_counter() - began},
    )


def right_on(network: Network, selection: Selection, x):
    """Return which of the images `x`, attacked for another network, this one classifies rightly: (n,) bool.

    Parameters
    ----------
    selection : Selection
        `x` are its first images (`Selection.first`).
    x : (n, c, h, w) float32 array
        Pixels in [0, 1], as `attacked_images` holds them.
    """
    import torch

    data = selection.first(len(x))
    classifier = network.load(data)
    logits = classifier.activations_on_pixels(torch.from_numpy(x).to(classifier.device), ["logits"])["logits"]
    logits = finite(logits, network.name, "logits of attacked images")[:, class_columns(classifier, data)]
    return logits.argmax(1) == data["label"].values
