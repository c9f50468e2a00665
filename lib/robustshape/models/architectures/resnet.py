"""A small residual network (He et al. 2016, arXiv 1512.03385): three basic blocks of 16, 32 and 64 channels.

Ours differs in its stem, a 4 x 4 convolution of stride 4, so that the first block works on 8 x 8 maps.
"""

from collections import OrderedDict

from torch import nn


class Block(nn.Module):
    """Two 3 x 3 convolutions with batch normalisation, added to the (projected) input."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.relu2 = nn.ReLU()
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        y = self.relu1(self.norm1(self.conv1(x)))
        return self.relu2(self.norm2(self.conv2(y)) + self.shortcut(x))


def build(channels: int, size: int, n_classes: int) -> nn.Module:
    """Return the network; its penultimate features are the 64 channels averaged over the last maps."""
    return nn.Sequential(
        OrderedDict(
            stem=nn.Conv2d(channels, 16, 4, 4, bias=False),
            norm=nn.BatchNorm2d(16),
            relu=nn.ReLU(),
            block1=Block(16, 16, 1),  # 8 x 8 for images of 32 x 32
            block2=Block(16, 32, 2),  # 4 x 4
            block3=Block(32, 64, 2),  # 2 x 2
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            head=nn.Linear(64, n_classes),
        )
    )
