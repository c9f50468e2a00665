"""PGD step by step: which images a network still classifies rightly after each number of steps, and the last images.

Steps of one length, 2.5 eps / 20, from a random point of the ball, as the attack ``pgd`` takes 20 of them: so the
number of steps says how far the attack has gone. The last images serve to look at what they change inside, and to be
shown to other networks (does the attack transfer?). Unlike on the ladder of `attacked`,
every image is attacked, those too that are wrong when clean.
"""

import time
from fractions import Fraction
from itertools import islice

from robustshape import datasets
from robustshape.attacks.stages import in_words
from robustshape.datasets.selection import Selection
from robustshape.features import Columns, class_columns, finite, load_classifier
from robustshape.paths import cache_dir
from robustshape.store import arrays
from robustshape.store.atomic import usable_folder
from robustshape.store.keys import ids_hash, key_of

VERSION = 1  # raise when a change of the algorithm changes the numbers


def _folder(model: str, options: tuple, selection: Selection, n: int, eps: Fraction, steps, seed: int):
    from robustshape import models

    ids = selection.load().sample.values[:n]
    what = {
        "kind": "pgd steps",
        "version": VERSION,
        "model": models.identity(model, **dict(options)),
        "images": selection.identity() | {"n": n, "ids": ids_hash(ids)},
        "eps": in_words(eps),
        "steps": list(steps),
        "seed": seed,
    }
    return cache_dir("attacked") / key_of(what)


def attacked_images(
    model: str, options: tuple, selection: Selection, n: int, eps: Fraction, steps, seed: int
):
    """Return the first `n` images under PGD in L-infinity, computed once and kept in the cache.

    Parameters
    ----------
    model, options
        As `robustshape.features.load_classifier` takes them.
    selection : Selection
    n : int
    eps : Fraction
        Radius of the ball.
    steps : sequence of int
        Ascending numbers of steps after which to look; the last is the whole attack.
    seed : int
        With an image's id it gives the start.

    Returns
    -------
    xarray.Dataset
        ``right (step, sample)`` bool after each of the `steps`, ``x (sample, channel, y, column)`` float32 in [0, 1].
    """
    folder = _folder(model, options, selection, n, eps, steps, seed)
    if not usable_folder(folder):
        arrays.save_folder(attack(model, options, selection, n, eps, steps, seed), folder)
    return arrays.open_folder(folder)


def attack(model: str, options: tuple, selection: Selection, n: int, eps: Fraction, steps, seed: int):
    """Return the same as `attacked_images`, from the cache if it is there, but keep nothing: images take much room."""
    folder = _folder(model, options, selection, n, eps, steps, seed)
    if usable_folder(folder):
        return arrays.open_folder(folder)
    return _attack(model, options, selection, n, eps, steps, seed)


def _attack(model, options, selection, n, eps, steps, seed):
    import numpy as np
    import torch
    import xarray

    from robustshape.attacks import starts
    from robustshape.attacks.gradient import REACH, STEPS
    from robustshape.attacks.harness import CHUNK, FixedBatches
    from robustshape.attacks.pgd import iterates

    began, images, right = time.perf_counter(), [], []
    data = selection.load().isel(sample=slice(0, n))
    classifier = load_classifier(model, options, data)
    columns, network = class_columns(classifier, data), classifier.on_pixels()
    network = FixedBatches(network if isinstance(columns, slice) else Columns(network, columns).eval())
    for at in range(0, n, CHUNK):  # no more at a time, for the whole graph of a step is in memory
        part = data.isel(sample=slice(at, at + CHUNK))
        clean = classifier.pixels(datasets.pixels(part))
        labels = torch.as_tensor(part["label"].values, dtype=torch.int64, device=classifier.device)
        start = starts.in_ball(part.sample.values, seed, "pgd", like=clean, norm="linf")
        start = (clean + float(eps) * start).clamp(0, 1)
        path = iterates(
            network, clean, labels, start=start, eps=float(eps), step_size=REACH / STEPS * float(eps)
        )
        seen = {k: x for k, x in enumerate(islice(path, max(steps)), 1) if k in steps}
        with torch.no_grad():
            right.append([(network(seen[k]).argmax(1) == labels).cpu().numpy() for k in steps])
        images.append(seen[max(steps)].cpu().numpy())
    return xarray.Dataset(
        {
            "right": (("step", "sample"), np.concatenate(right, axis=1)),
            "x": (("sample", "channel", "y", "column"), np.concatenate(images)),
        },
        coords={"step": list(steps), "sample": data.sample.values},
        attrs={"model": model, "eps": in_words(eps), "seconds": time.perf_counter() - began},
    )


def right_on(model: str, options: tuple, selection: Selection, x):
    """Return which of the images `x`, attacked for another network, this one classifies rightly: (n,) bool.

    Parameters
    ----------
    selection : Selection
        `x` are its first images.
    x : (n, c, h, w) float32 array
        Pixels in [0, 1], as `attacked_images` holds them.
    """
    import torch

    data = selection.load().isel(sample=slice(0, len(x)))
    classifier = load_classifier(model, options, data)
    logits = classifier.activations_on_pixels(torch.from_numpy(x).to(classifier.device), ["logits"])["logits"]
    logits = finite(logits, model, "logits of attacked images")[:, class_columns(classifier, data)]
    return logits.argmax(1) == data["label"].values
