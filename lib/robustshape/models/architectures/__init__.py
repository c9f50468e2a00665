"""The zoo's networks: each file has ``build(channels, size, n_classes) -> torch.nn.Module``.

All take images in [0, 1]. The last linear layer, called ``head`` where no published weights name it otherwise
(cnn_a, cifar_resnet, tiny_resnet), is the classifier; its input is the penultimate features. `construct` builds these,
and those of `robustshape.models.families`, by their names.
"""

import importlib

from robustshape.errors import InputError
from robustshape.models.families import FAMILIES
from robustshape.models.families import build as build_family
from robustshape.models.recipes import architectures
from robustshape.registry import unknown_name


def construct(
    name: str, *, channels: int = 1, size: int = 32, n_classes: int = 10, seed: int = 0, **arguments
):
    """Return the untrained network of the architecture `name`; its first weights come from the seed alone.

    A number that ends the name is its depth; further `arguments` are those of the architecture.

    >>> construct("cifar_resnet32", channels=3, shortcut="B").fc.out_features
    10
    """
    import torch

    if name not in architectures():
        raise unknown_name("architecture", name, architectures(), "robustshape list models 'zoo:*'")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if name in FAMILIES and FAMILIES[name].build:
            return build_family(name, channels, size, n_classes, **arguments)
        family = name.rstrip("0123456789")
        if family != name:
            depth = int(name[len(family) :])
            if arguments.setdefault("depth", depth) != depth:
                raise InputError(
                    f"zoo:{name} has a depth of {depth}, but its arguments say {arguments['depth']}; leave it out"
                )
        build = importlib.import_module(f"{__name__}.{family}").build
        return build(channels, size, n_classes, **arguments)


def of_identity(spec: dict):
    """Return the untrained network of an identity of the zoo, see `robustshape.models.zoo.identity`."""
    shape = {key: spec[key] for key in ("channels", "size", "n_classes", "seed")}
    return construct(spec["architecture"], **shape)
