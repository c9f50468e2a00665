"""The residual networks that He et al. 2016 made for CIFAR-10 (arXiv 1512.03385, section 4.2): 6n + 2 layers.

Three stages of n basic blocks with 16, 32 and 64 channels, so ResNet-20 has n = 3. A block that halves the map
needs a shortcut: option A takes every other pixel and fills the new channels with zeros, half of them on
either side; option B is a 1 x 1 convolution with batch normalisation. Layers are named as in the published
weights of either option.
"""

from torch import nn
from torch.nn import functional as F

from robustshape.errors import InputError


class Block(nn.Module):
    """Two 3 x 3 convolutions with batch normalisation, added to the shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int, shortcut: str):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride, self.new_channels, self.downsample = stride, outputs - inputs, None
        if shortcut == "B" and (stride != 1 or inputs != outputs):
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self._shortcut(x))

    def _shortcut(self, x):
        if self.downsample is not None:
            return self.downsample(x)
        if not self.new_channels:
            return x
        side = self.new_channels // 2
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, side, side))


class CifarResNet(nn.Module):
    """The network; its penultimate features are the 64 channels averaged over the last maps."""

    def __init__(self, depth: int, channels: int, n_classes: int, shortcut: str):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        widths, n = (16, 16, 32, 64), (depth - 2) // 6
        for stage in (1, 2, 3):
            blocks = [Block(widths[stage - 1], widths[stage], 1 if stage == 1 else 2, shortcut)]
            blocks += [Block(widths[stage], widths[stage], 1, shortcut) for _ in range(n - 1)]
            setattr(self, f"layer{stage}", nn.Sequential(*blocks))
        self.head_name = "linear" if shortcut == "A" else "fc"
        setattr(self, self.head_name, nn.Linear(64, n_classes))

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return getattr(self, self.head_name)(x.mean(dim=(2, 3)))


def build(channels: int, size: int, n_classes: int, *, depth: int = 20, shortcut: str = "A") -> nn.Module:
    """Return the network of `depth` 6 n + 2 layers (in the zoo 20, 32, 44, 56) with shortcuts A or B.

    >>> sum(p.numel() for p in build(3, 32, 10).parameters())
    269722
    """
    if depth < 8 or (depth - 2) % 6:
        raise InputError(f"a CIFAR ResNet has 6 n + 2 layers (20, 32, 44, 56), but depth is {depth}")
    if shortcut not in ("A", "B"):
        raise InputError(f"shortcut is 'A' (zero padding) or 'B' (1 x 1 convolution), but was {shortcut!r}")
    return CifarResNet(depth, channels, n_classes, shortcut)
