"""LeNet-5 (LeCun et al. 1998) as it is built today: rectified units and max-pooling."""

from collections import OrderedDict

from torch import nn


def build(channels: int, size: int, n_classes: int) -> nn.Module:
    """Return the network; `size` is at least 16, and the penultimate features are the 84 units of LeNet-5."""
    side = ((size - 4) // 2 - 4) // 2
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(channels, 6, 5),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(2),
            conv2=nn.Conv2d(6, 16, 5),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(2),
            flatten=nn.Flatten(),
            full1=nn.Linear(16 * side * side, 120),
            relu3=nn.ReLU(),
            full2=nn.Linear(120, 84),
            relu4=nn.ReLU(),
            head=nn.Linear(84, n_classes),
        )
    )
