"""A small vision transformer (Dosovitskiy et al. 2021, arXiv 2010.11929): width 64, two blocks, four heads.

Ours differs: a stem of two convolutions (4 x 4 stride 4, 2 x 2 stride 2; Xiao et al. 2021, arXiv 2106.14881)
makes 16 tokens of a 32 x 32 image, and the tokens are averaged instead of adding a class token.
"""

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    """Self-attention and a two-layer perceptron, each on normalised tokens and added."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.perceptron = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x):
        n, tokens, width = x.shape
        qkv = self.qkv(self.norm1(x)).view(n, tokens, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)  # each (n, head, token, width / heads)
        mixed = F.scaled_dot_product_attention(query, key, value)
        x = x + self.project(mixed.transpose(1, 2).reshape(n, tokens, width))
        return x + self.perceptron(self.norm2(x))


class VisionTransformer(nn.Module):
    """Stem, learnt positions, blocks, average over tokens, head."""

    def __init__(
        self, channels: int, size: int, n_classes: int, width: int = 64, depth: int = 2, heads: int = 4
    ):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(channels, width // 2, 4, 4), nn.GELU(), nn.Conv2d(width // 2, width, 2, 2)
        )
        self.position = nn.Parameter(0.02 * torch.randn(1, (size // 8) ** 2, width))
        self.blocks = nn.Sequential(*[Block(width, heads) for _ in range(depth)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, n_classes)

    def forward(self, x):
        tokens = self.stem(x).flatten(2).transpose(1, 2)  # (n, token, width)
        tokens = self.blocks(tokens + self.position)
        return self.head(self.norm(tokens.mean(1)))


def build(channels: int, size: int, n_classes: int) -> nn.Module:
    """Return the network; its penultimate features are the 64 normalised means over the tokens."""
    return VisionTransformer(channels, size, n_classes)
