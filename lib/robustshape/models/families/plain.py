"""Convolutional networks without shortcuts, at least once they are trained."""

from functools import partial

from robustshape.models.families.common import byobnet
from robustshape.models.families.table import enter

plain = partial(enter, "conv, plain")


@plain("VGG", "Simonyan, Zisserman 2015, arXiv 1409.1556")
def vgg(channels, size, n_classes):
    from timm.models.vgg import VGG
    from torch import nn

    widths = [16, 16, "M", 32, 32, "M", 64, 64, "M"]
    features = VGG(widths, in_chans=channels, mlp_ratio=0.001, norm_layer=nn.BatchNorm2d).features
    return _pooled(features, 64, n_classes)


@plain("RepVGG", "Ding et al. 2021, arXiv 2101.03697")
def repvgg(channels, size, n_classes):
    from timm.models.byobnet import ByoBlockCfg

    blocks = tuple(ByoBlockCfg(type="rep", d=1, c=width, s=2, gs=0) for width in (24, 48, 96))
    return byobnet(channels, n_classes, blocks=blocks, stem_type="3x3", stem_chs=16)


@plain("SqueezeNet", "Iandola et al. 2016, arXiv 1602.07360")
def squeezenet(channels, size, n_classes):
    from torch import nn
    from torchvision.models.squeezenet import Fire

    features = nn.Sequential(
        nn.Conv2d(channels, 32, 3, 2, 1),
        nn.ReLU(),
        Fire(32, 8, 32, 32),
        Fire(64, 8, 32, 32),
        nn.MaxPool2d(3, 2, 1),
        Fire(64, 16, 64, 64),
        Fire(128, 16, 64, 64),
        nn.MaxPool2d(3, 2, 1),
        Fire(128, 24, 96, 96),
    )
    return _pooled(features, 192, n_classes)


@plain("GoogLeNet", "Szegedy et al. 2015, arXiv 1409.4842")
def googlenet(channels, size, n_classes):
    from torch import nn
    from torchvision.models.googlenet import BasicConv2d, Inception

    features = nn.Sequential(
        BasicConv2d(channels, 24, kernel_size=3, stride=2, padding=1),
        Inception(24, 8, 8, 16, 4, 8, 8),
        Inception(40, 16, 16, 24, 4, 8, 8),
        nn.MaxPool2d(3, 2, 1),
        Inception(56, 24, 16, 40, 8, 16, 16),
        Inception(96, 32, 24, 56, 8, 24, 16),
    )
    return _pooled(features, 128, n_classes)


def _pooled(features, width, n_classes):
    """Return the maps' averages and a linear layer after the features."""
    from collections import OrderedDict

    from torch import nn

    layers = {"features": features, "pool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten()}
    return nn.Sequential(OrderedDict(layers, head=nn.Linear(width, n_classes)))
