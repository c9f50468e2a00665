"""ResNet-18 and ResNet-50 (He et al. 2016, arXiv 1512.03385) for the 64-pixel images of Tiny ImageNet.

torchvision's networks, layers named as there, without the max-pooling after the stem: blocks begin at 32 x 32 maps.
"""

from torch import nn
from torchvision import models

from robustshape.errors import InputError

DEPTHS = {18: models.resnet18, 50: models.resnet50}


def build(channels: int, size: int, n_classes: int, *, depth: int = 18) -> nn.Module:
    """Return the network of `depth` 18 or 50; its penultimate features are 512 or 2048 averaged channels.

    >>> sum(p.numel() for p in build(3, 64, 200).parameters())
    11279112
    """
    if depth not in DEPTHS:
        raise InputError(f"a ResNet for Tiny ImageNet has a depth of 18 or 50, but depth is {depth}")
    network = DEPTHS[depth](weights=None, num_classes=n_classes)
    network.maxpool = nn.Identity()
    if channels != 3:
        network.conv1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
        nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
    return network
