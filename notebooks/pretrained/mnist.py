"""The LeNet-5 of AdverTorch (Ding et al. 2019, arXiv 1902.07623) for MNIST; the cards beside it name it.

This file's checksum is part of the networks' identities: after an edit their results are measured anew.
"""

import torch
from torch import nn
from torch.nn import functional as F

from robustshape.errors import InputError


class LeNet5(nn.Module):
    """Two convolutions with pooling, two linear layers; takes 28 x 28 pixels.

    Images that were padded to 32 x 32 lose their border again, so that both readings of MNIST give the same.
    """

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.linear1 = nn.Linear(64 * 7 * 7, 200)
        self.linear2 = nn.Linear(200, 10)

    def forward(self, x):
        if x.shape[2:] not in ((28, 28), (32, 32)):
            raise InputError(
                f"LeNet-5 takes digits of 28 x 28 pixels, or padded to 32 x 32, but was given {tuple(x.shape[2:])}"
            )
        border = (x.shape[2] - 28) // 2
        x = F.pad(x, [-border] * 4).clone(
            memory_format=torch.contiguous_format
        )  # one layout, so one rounding
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.linear2(F.relu(self.linear1(x.flatten(1))))


def lenet5() -> nn.Module:
    """Return the network."""
    return LeNet5()
