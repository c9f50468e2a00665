"""How large a network is, from its name alone: it is built without memory for its weights, and nothing is downloaded."""

import math
import re

from robustshape.models.outline import PHOTOGRAPH, Images, build, training
from robustshape.resources.workload import GRADIENT, NetworkSize

# stands for what cannot be built here
RESNET50 = NetworkSize(8.18e9, 25_557_032, 2048, 1000, 224, assumed=True)


def images_of(about: dict, reading: str | None) -> Images:
    """Return the images of a data set as they are read, from the facts it is registered with.

    >>> images_of({"size": "28 x 28, grey", "reading": "pad32", "n_classes": 10, "n_train": 60_000}, None)
    Images(side=32, channels=1, classes=10, n_train=60000)
    """
    given = re.search(r"\d+", str(about.get("size") or ""))
    read = re.search(r"\d+$", reading or about.get("reading") or "")
    side = int((read or given)[0]) if read or given else PHOTOGRAPH
    channels = 1 if "grey" in str(about.get("size")) else 3
    return Images(side, channels, about.get("n_classes") or 1000, about.get("n_train") or 0)


def size_of(name: str, images: Images, epochs: int = 0) -> NetworkSize:
    """Return the size of the network called `name`; a ResNet-50 where it cannot be built without weights.

    Parameters
    ----------
    name : str
        As `robustshape.models.load` takes it.
    images : Images
        Which networks of ours are made for.
    epochs : int
        Of training; 0 leaves it to the recipe.

    Examples
    --------
    >>> mlp = size_of("zoo:mlp", Images(side=32, channels=1, classes=10, n_train=3500))
    >>> mlp.parameters, mlp.side
    (132490, 32)
    """
    try:
        module, side, channels = build(name, images)
        flops = passes(module, side, channels)
    except Exception:  # whatever a library of networks raises: an estimate does without, and says so
        return RESNET50
    width, classes = _ends(module)
    weights = sum(one.numel() for one in module.parameters())
    seen, steps = training(name, images, epochs)
    passed = float(seen * GRADIENT * (1 + steps))  # as many again for each step of an adversary
    return NetworkSize(flops, weights, width, classes, side, passed)


def passes(module, side: int, channels: int) -> float:
    """Return the floating-point operations of one image's pass, convolutions and products alone."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    module.requires_grad_(False)  # else the counter expects a graph of gradients
    device = next(module.parameters()).device
    image = torch.zeros(1, channels, side, side, device=device)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(image)
    return float(counter.get_total_flops())


def _ends(module) -> tuple[int, int]:
    """Return the width of the penultimate features and the number of classes."""
    from torch import nn

    layers = [layer for layer in module.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
    last = layers[-1]
    return (
        (last.in_features, last.out_features)
        if isinstance(last, nn.Linear)
        else (last.in_channels, last.out_channels)
    )


def as_many(networks: list[NetworkSize], n: int) -> tuple[NetworkSize, ...]:
    """Return `n` networks of the same mix: the given ones in turn.

    >>> from dataclasses import replace
    >>> [one.width for one in as_many([RESNET50, replace(RESNET50, width=512)], 3)]
    [2048, 512, 2048]
    """
    return tuple((networks * math.ceil(n / len(networks)))[:n])
