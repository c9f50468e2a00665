"""What a network answers to one image, before it is used: does it take its images, return logits, of how many classes?"""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

from robustshape.errors import InputError
from robustshape.hooks import find_layer, parts_of
from robustshape.models.heads import find_head
from robustshape.models.outputs import Logits, logits_of

# Sides tried for a network that does not say what it takes.
SIDES = (32, 28, 64, 224, 96, 128, 256, 299, 384, 160, 192, 240, 288, 320, 336, 448, 512, *range(8, 128, 4))
# What torch and networks raise for an image that they cannot take.
UNFIT = (RuntimeError, AssertionError, ValueError, TypeError, IndexError)


def examined(
    module: nn.Module, preprocess, *, name: str, head: str | None = None, n_classes: int | None = None
):
    """Return (module, head, number of classes) of a network that answers to an image.

    Parameters
    ----------
    module : torch.nn.Module
        Put into eval mode. What `torch.compile` or `DataParallel` wrapped is taken out.
    preprocess : callable
        From uint8 (n, h, w, c) to what the network takes.
    name : str
        What to call it in messages.
    head : str, optional
        Name of the classifying layer; None: found by `robustshape.models.heads.find_head`.
    n_classes : int, optional
        What the number of its answers must be.

    Returns
    -------
    (torch.nn.Module, str, int)
        The module returns a tensor of logits (n, class), whatever it returned before. A network that does not say
        what it takes, and takes none of the usual sizes, is asked again when it sees its first image: until then its
        head is empty, and its classes are as many as its last linear layer gives.

    Raises
    ------
    InputError
        If it takes none of the images tried, returns no logits or another number of them, or the head is not found.
    """
    module = unwrapped(module).eval()
    try:
        x, output = _first_answer(module, preprocess, name)
    except InputError:
        linear = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
        if getattr(preprocess, "size", None) is not None or not linear:
            raise
        return module, head or "", n_classes or linear[-1].out_features
    try:
        found = logits_of(output).shape[1]
        if n_classes not in (None, found):
            raise InputError(
                f"it returns {found:,} numbers for an image, but {n_classes:,} classes are given; correct `classes`, or "
                "build the network with as many outputs (num_classes in `arguments`)"
            )
        if not isinstance(output, torch.Tensor):
            module = Logits(module)
        for part in parts_of(head) if head else ():
            find_layer(module, part)
        return module, head or find_head(module, x)[0], found
    except InputError as error:
        raise InputError(f"{name} cannot be used: {error}") from error


def unwrapped(module: nn.Module) -> nn.Module:
    """Return the network inside what `torch.compile`, `DataParallel` or `DistributedDataParallel` returned."""
    parallel = (nn.DataParallel, nn.parallel.DistributedDataParallel)
    while True:
        if isinstance(module, parallel):
            module = module.module
        elif isinstance(getattr(module, "_orig_mod", None), nn.Module):
            module = module._orig_mod
        else:
            return module


def _first_answer(module, preprocess, name: str):
    """Return (input, output) of the first image, of the sizes that the network may take, that it does take."""
    fault, tried = None, []
    for side, channels in _shapes(module, preprocess):
        images = np.random.default_rng(0).integers(0, 256, (1, *side, channels), dtype=np.uint8)
        tried.append(side)
        try:
            x = preprocess(images).to(_device(module))
            with torch.no_grad(), torch.random.fork_rng(devices=[]):
                return x, module(x)
        except torch.OutOfMemoryError:
            raise
        except UNFIT as error:
            fault = fault or error
    others = len(set(tried)) - 1
    sizes = f"{tried[0][0]} x {tried[0][1]} px" + (f" nor of {others} other sizes" if others else "")
    raise InputError(
        f"{name} does not take images of {sizes}: {first_line(fault)}; say what it takes: the entry preprocessing of a "
        "card, or the preprocess of a robustshape.models.classifier.Classifier that your function returns"
    ) from fault


def _device(module):
    return next((p.device for p in module.parameters()), torch.device("cpu"))


def _shapes(module, preprocess) -> Iterator[tuple[tuple[int, int], int]]:
    """Yield (height and width, channels) of the images that a network may take, the likely ones first."""
    size, wanted = getattr(preprocess, "size", None), getattr(preprocess, "channels", None)
    first = next((x for x in module.modules() if isinstance(x, nn.Linear | nn.Conv2d)), None)
    channels = (3, 1)
    if isinstance(first, nn.Conv2d) and first.in_channels in channels:
        channels = (first.in_channels,)
    channels = (wanted,) if wanted else channels
    if size is not None:
        yield from ((tuple(size), c) for c in channels)
        return
    if isinstance(first, nn.Linear):  # the pixels of one image, side by side
        for c in channels:
            side = math.isqrt(first.in_features // c)
            if side and c * side * side == first.in_features:
                yield (side, side), c
    yield from (((side, side), c) for c in channels for side in SIDES)


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message without its full stop, or its kind where it has none."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(". ") if lines else type(error).__name__
