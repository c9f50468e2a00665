"""The discriminator: how real an image looks, given its class if there are classes."""

import math

import torch
from torch import nn

from robustshape.errors import InputError
from robustshape.generators.stylegan2.generator import Mapping, widths
from robustshape.generators.stylegan2.layers import Convolution, FullyConnected
from robustshape.generators.stylegan2.resampling import KERNEL, halved

ARCHITECTURES = ("resnet", "skip", "orig")


def with_deviation(x, group_size: int | None):
    """Return maps with one more channel: how much the images of a group of the batch differ, on average.

    A generator that makes the same image again and again betrays itself by it (Karras et al. 2018, arXiv 1710.10196,
    section 3). Image i is in a group with every (n / group size)-th other; without a size all are in one group.

    >>> with_deviation(torch.tensor([0.0, 2.0]).reshape(2, 1, 1, 1), 4)[:, 1].flatten()
    tensor([1., 1.])
    """
    n, _, h, w = x.shape
    size = n if group_size is None else min(group_size, n)
    if n % size:
        raise InputError(
            f"the discriminator compares images in groups of {size}, so a batch holds a multiple of {size}, but held {n}"
        )
    deviation = (x.reshape(size, n // size, -1).var(dim=0, unbiased=False) + 1e-8).sqrt()
    new = deviation.mean(dim=1).reshape(1, -1, 1, 1, 1).expand(size, -1, 1, h, w).reshape(n, 1, h, w)
    return torch.cat([x, new], dim=1)


class Block(nn.Module):
    """One resolution: two convolutions, of which the second halves the maps."""

    def __init__(self, resolution, channels, width, outputs, architecture, first, clamp):
        super().__init__()
        self.architecture = architecture
        self.register_buffer("resample_filter", KERNEL.clone())
        if first or architecture == "skip":
            self.fromrgb = Convolution(channels, width, 1, clamp=clamp)
        self.conv0 = Convolution(width, width, 3, clamp=clamp)
        self.conv1 = Convolution(width, outputs, 3, down=True, clamp=clamp)
        if architecture == "resnet":
            self.skip = Convolution(width, outputs, 1, down=True, bias=False, active=False)

    def forward(self, x, image):
        if hasattr(self, "fromrgb"):
            new = self.fromrgb(image)
            x = new if x is None else x + new
            image = halved(image) if self.architecture == "skip" else None
        if self.architecture != "resnet":
            return self.conv1(self.conv0(x)), image
        gain = math.sqrt(0.5)
        return self.skip(x, gain) + self.conv1(self.conv0(x), gain), image


class Epilogue(nn.Module):
    """The last maps, of 4 x 4, to one number for each image, or to one for each entry of the class's embedding."""

    def __init__(self, width, channels, outputs, architecture, group_size, clamp, first):
        super().__init__()
        self.group_size = group_size
        if architecture == "skip" or first:
            self.fromrgb = Convolution(channels, width, 1)  # not clamped, other than a block's
        self.conv = Convolution(width + 1, width, 3, clamp=clamp)
        self.fc = FullyConnected(width * 16, width, active=True)
        self.out = FullyConnected(width, outputs)

    def forward(self, x, image):
        if hasattr(self, "fromrgb"):
            new = self.fromrgb(image)
            x = new if x is None else x + new
        x = self.conv(with_deviation(x, self.group_size))
        return self.out(self.fc(x.flatten(1)))


class Discriminator(nn.Module):
    """StyleGAN2's discriminator: ``discriminator(images, c)`` gives logits (n, 1), higher the more real.

    Parameters
    ----------
    c_dim : int
        Number of classes; 0: it knows none.
    img_resolution, img_channels, channel_base, channel_max, mapping_layers, conv_clamp
        As of the generator.
    mbstd_group_size : int or None
        How many images of a batch are compared with each other; a batch holds a multiple of it. None: all of them.
    architecture : {"resnet", "skip", "orig"}

    Examples
    --------
    >>> discriminator = Discriminator(10, 16, 1, channel_base=64, channel_max=16, mapping_layers=1)
    >>> discriminator(torch.zeros(4, 1, 16, 16), torch.eye(10)[:4]).shape
    torch.Size([4, 1])
    """

    def __init__(
        self, c_dim: int, img_resolution: int, img_channels: int, *, channel_base: int = 32768, channel_max: int = 512,
        mapping_layers: int = 8, mbstd_group_size: int | None = 4, architecture: str = "resnet",
        conv_clamp: float | None = None,
    ):  # fmt: skip
        super().__init__()
        if architecture not in ARCHITECTURES:
            raise InputError(f"architecture is one of {', '.join(ARCHITECTURES)}, but was {architecture!r}")
        self.settings = {
            "c_dim": c_dim, "img_resolution": img_resolution, "img_channels": img_channels,
            "channel_base": channel_base, "channel_max": channel_max, "mapping_layers": mapping_layers,
            "mbstd_group_size": mbstd_group_size, "architecture": architecture, "conv_clamp": conv_clamp,
        }  # fmt: skip
        self.c_dim, self.shape = c_dim, (img_channels, img_resolution, img_resolution)
        width = widths(img_resolution, channel_base, channel_max)
        sizes = sorted(width, reverse=True)
        self.sizes = sizes[:-1]  # the last, 4 px, is the epilogue's
        for size in self.sizes:
            block = Block(
                size,
                img_channels,
                width[size],
                width[size // 2],
                architecture,
                size == img_resolution,
                conv_clamp,
            )
            setattr(self, f"b{size}", block)
        embedding = width[4] if c_dim else 0
        if c_dim:
            self.mapping = Mapping(0, c_dim, embedding, mapping_layers)
        self.b4 = Epilogue(
            width[4],
            img_channels,
            embedding or 1,
            architecture,
            mbstd_group_size,
            conv_clamp,
            img_resolution == 4,
        )
        self.to(memory_format=torch.channels_last)

    def forward(self, images, c=None):
        if images.shape[1:] != self.shape:
            raise InputError(
                f"this discriminator needs images (n, {', '.join(map(str, self.shape))}), "
                f"but was given {tuple(images.shape)}"
            )
        x, image = None, images.contiguous(memory_format=torch.channels_last)
        for size in self.sizes:
            x, image = getattr(self, f"b{size}")(x, image)
        x = self.b4(x, image)
        if not self.c_dim:
            return x
        embedding = self.mapping.before_broadcast(None, c)
        return (x * embedding).sum(dim=1, keepdim=True) / math.sqrt(embedding.shape[1])
