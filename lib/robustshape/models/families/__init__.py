"""The table of architecture families, and small networks of them for images of 28 and 32 pixels.

A module here is a clan; a function in it builds one family's network, ``(channels, size, n_classes) -> Module``,
from the classes of timm or torchvision at small width, and its decorator enters it in `FAMILIES`. What was made for
224 pixels takes fewer steps of two, stems are not pooled, and a learnt scale of a branch, which begins near 0 in
deep networks, begins at 0.1 or 1, since these train for minutes. No dropout, no drop path, one linear classifier.

>>> family_of("resnext").clan, family_of("cifar_resnet20").family
('conv, residual', 'cifar_resnet')
"""

import importlib
import pkgutil

from robustshape.models.families.table import CLANS, FAMILIES, Family

__all__ = ["CLANS", "FAMILIES", "Family", "built_here", "family_of"]

for _module in pkgutil.iter_modules(__path__):  # each clan enters its families
    importlib.import_module(f"{__name__}.{_module.name}")


def built_here() -> list[str]:
    """Return the names of the architectures that the modules of this package build."""
    return [name for name, family in FAMILIES.items() if family.build]


def family_of(architecture: str) -> Family:
    """Return the entry of an architecture of the zoo; a number that ends the name of one of ours is its depth."""
    return FAMILIES[architecture if architecture in FAMILIES else architecture.rstrip("0123456789")]


def build(architecture: str, channels: int, size: int, n_classes: int):
    """Return the untrained network; images whose side is no multiple of 32 get a border of zeros first.

    >>> build("mobileone", 1, 28, 10).pad.padding
    (2, 2, 2, 2)
    """
    from collections import OrderedDict

    from torch import nn

    border = -size % 32
    network = FAMILIES[architecture].build(channels, size + border, n_classes)
    if not border:
        return network
    before = border // 2
    pad = nn.ZeroPad2d((before, border - before, before, border - before))
    return nn.Sequential(OrderedDict(pad=pad, network=network))
