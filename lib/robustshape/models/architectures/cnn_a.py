"""CNN-A: the small convolutional network of the literature on verified robustness (Dathathri et al. 2020).

Two strided convolutions and two linear layers, arXiv 2010.11645; layers are numbered, so that published
weights of this layout fit.
"""

from torch import nn


def build(channels: int, size: int, n_classes: int) -> nn.Module:
    """Return the network; `size` is a multiple of 4, and the penultimate features are the 100 hidden units."""
    side = size // 4
    return nn.Sequential(
        nn.Conv2d(channels, 16, 4, 2, 1),  # 16 x 16 for images of 32 x 32
        nn.ReLU(),
        nn.Conv2d(16, 32, 4, 2, 1),  # 8 x 8
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * side * side, 100),
        nn.ReLU(),
        nn.Linear(100, n_classes),
    )
