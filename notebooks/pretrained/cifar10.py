"""Networks for CIFAR-10 that neither this library nor torchvision or timm has; the cards beside it name them.

Layers are called as in the published weights. This file's checksum is part of the networks' identities: after
an edit their results are measured anew.
"""

from torch import nn
from torch.nn import functional as F


def marabou_large() -> nn.Module:
    """Return the large network of the Marabou benchmark: two strided convolutions without padding, three layers."""
    return nn.Sequential(
        nn.Conv2d(3, 32, 4, 2), nn.ReLU(),  # 15 x 15
        nn.Conv2d(32, 64, 4, 2), nn.ReLU(),  # 6 x 6
        nn.Flatten(),
        nn.Linear(64 * 6 * 6, 128), nn.ReLU(),
        nn.Linear(128, 64), nn.ReLU(),
        nn.Linear(64, 10),
    )  # fmt: skip


def shufflenetv2_x0_5() -> nn.Module:
    """Return torchvision's ShuffleNetV2 x0.5 (Ma et al. 2018) for small images: no halving before its first stage."""
    import torchvision

    network = torchvision.models.shufflenet_v2_x0_5(weights=None, num_classes=10)
    network.conv1[0].stride = (1, 1)
    network.maxpool = nn.Identity()
    return network


class ResNet8(nn.Module):
    """The ResNet-8 of MLPerf Tiny (Banbury et al. 2021), a Keras network: pixels run from 0 to 255.

    Keras pads a strided convolution at the right and the bottom only; every convolution has a bias, and the
    1 x 1 shortcuts have no batch normalisation.
    """

    CONVOLUTIONS = (  # channels in, channels out, kernel, stride
        (3, 16, 3, 1),
        (16, 16, 3, 1), (16, 16, 3, 1),
        (16, 32, 3, 2), (32, 32, 3, 1), (16, 32, 1, 2),
        (32, 64, 3, 2), (64, 64, 3, 1), (32, 64, 1, 2),
    )  # fmt: skip
    NORMALISED = (16, 16, 16, 32, 32, 64, 64)

    def __init__(self):
        super().__init__()
        for i, (inputs, outputs, kernel, stride) in enumerate(self.CONVOLUTIONS):
            padding = 1 if (kernel, stride) == (3, 1) else 0
            setattr(self, f"conv2d_{i}", nn.Conv2d(inputs, outputs, kernel, stride, padding))
        for i, channels in enumerate(self.NORMALISED):
            setattr(self, f"batch_normalization_{i}", nn.BatchNorm2d(channels, eps=1e-3))
        self.dense = nn.Linear(64, 10)

    def _layer(self, x, convolution: int, norm: int):
        layer = getattr(self, f"conv2d_{convolution}")
        x = F.pad(x, (0, 1, 0, 1)) if layer.stride == (2, 2) else x
        return getattr(self, f"batch_normalization_{norm}")(layer(x))

    def forward(self, x):
        x = F.relu(self._layer(x, 0, 0))
        x = F.relu(x + self._layer(F.relu(self._layer(x, 1, 1)), 2, 2))
        x = F.relu(self.conv2d_5(x) + self._layer(F.relu(self._layer(x, 3, 3)), 4, 4))
        x = F.relu(self.conv2d_8(x) + self._layer(F.relu(self._layer(x, 6, 5)), 7, 6))
        return self.dense(x.mean(dim=(2, 3)))


class Block(nn.Module):
    """A residual block without batch normalisation; every convolution has a bias."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut.append(nn.Conv2d(inputs, outputs, 1, stride))

    def forward(self, x):
        return F.relu(self.conv2(F.relu(self.conv1(x))) + self.shortcut(x))


class VerifiedResNet(nn.Module):
    """The ResNet-2B (one stage of two blocks) or ResNet-4B (two stages) of VNN-COMP 2021 (Bak et al. 2021)."""

    def __init__(self, first: int, stages: int):
        super().__init__()
        self.stages, width = stages, 2 * first
        self.conv1 = nn.Conv2d(3, first, 3, 2, 1)  # 16 x 16
        self.layer1 = nn.Sequential(Block(first, width, 2), Block(width, width, 1))  # 8 x 8
        if stages == 2:
            self.layer2 = nn.Sequential(Block(width, width, 2), Block(width, width, 1))  # 4 x 4
        self.linear1 = nn.Linear(width * (16 // 2**stages) ** 2, 100)
        self.linear2 = nn.Linear(100, 10)

    def forward(self, x):
        x = self.layer1(F.relu(self.conv1(x)))
        x = self.layer2(x) if self.stages == 2 else x
        return self.linear2(F.relu(self.linear1(x.flatten(1))))


def vnn_resnet2b() -> nn.Module:
    """Return ResNet-2B."""
    return VerifiedResNet(first=8, stages=1)


def vnn_resnet4b() -> nn.Module:
    """Return ResNet-4B."""
    return VerifiedResNet(first=16, stages=2)
