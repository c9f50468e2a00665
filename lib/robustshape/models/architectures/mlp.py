"""A multilayer perceptron with one hidden layer of 128 rectified units: the classical digit classifier."""

from collections import OrderedDict

from torch import nn


def build(channels: int, size: int, n_classes: int) -> nn.Module:
    """Return the network; its penultimate features are the 128 hidden units."""
    return nn.Sequential(
        OrderedDict(
            flatten=nn.Flatten(),
            hidden=nn.Linear(channels * size * size, 128),
            relu=nn.ReLU(),
            head=nn.Linear(128, n_classes),
        )
    )
