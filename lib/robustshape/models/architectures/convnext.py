"""A small ConvNeXt (Liu et al. 2022, arXiv 2201.03545): stages of 16 and 48 channels.

Ours differs: depthwise 5 x 5 kernels, for its maps are 8 x 8 and smaller; no layer scale or drop path.
"""

from collections import OrderedDict

from torch import nn


class Block(nn.Module):
    """A depthwise convolution, then per pixel: normalisation, a fourfold wider layer, and back; all added."""

    def __init__(self, width: int):
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 5, padding=2, groups=width)
        self.norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 4 * width)
        self.gelu = nn.GELU()
        self.narrow = nn.Linear(4 * width, width)

    def forward(self, x):
        y = self.depthwise(x).permute(0, 2, 3, 1)  # (n, h, w, c)
        y = self.narrow(self.gelu(self.widen(self.norm(y))))
        return x + y.permute(0, 3, 1, 2)


def build(channels: int, size: int, n_classes: int) -> nn.Module:
    """Return the network; its penultimate features are the 48 channels averaged and normalised."""
    return nn.Sequential(
        OrderedDict(
            stem=nn.Conv2d(channels, 16, 4, 4),
            block1=Block(16),  # 8 x 8 for images of 32 x 32
            downsample=nn.Conv2d(16, 48, 2, 2),
            block2=Block(48),  # 4 x 4
            block3=Block(48),
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            norm=nn.LayerNorm(48),
            head=nn.Linear(48, n_classes),
        )
    )
