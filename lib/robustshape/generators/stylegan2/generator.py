"""The generator: a mapping network from noise and class to w, and a synthesis network steered by styles of w.

StyleSpace (Wu, Lischinski, Shechtman 2021, arXiv 2011.12799) is the concatenation of all styles: what the affine map of
each layer makes of w, one number for each of its input channels.
"""

import math
from collections import deque
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from robustshape.errors import InputError
from robustshape.generators.stylegan2.layers import (
    FullyConnected,
    StyledConvolution,
    ToImage,
    second_moment_normalised,
)
from robustshape.generators.stylegan2.resampling import KERNEL, doubled

MAPPING_RATE = (
    0.01  # the mapping network learns a hundred times slower (Karras et al. 2019, arXiv 1812.04948)
)


def widths(resolution: int, channel_base: int, channel_max: int) -> dict[int, int]:
    """Return the number of channels at each resolution from 4 px on.

    >>> widths(32, 512, 64)
    {4: 64, 8: 64, 16: 32, 32: 16}
    """
    if resolution < 4 or resolution & (resolution - 1):
        raise InputError(f"img_resolution is a power of two from 4 on, but was {resolution}")
    sizes = [2**k for k in range(2, int(math.log2(resolution)) + 1)]
    return {size: min(channel_base // size, channel_max) for size in sizes}


class Mapping(nn.Module):
    """Noise z, and the class if there are classes, to w: fully connected layers after both are normalised."""

    def __init__(self, z_dim, c_dim, w_dim, n_layers, *, n_w=None):
        super().__init__()
        self.z_dim, self.c_dim, self.n_w = z_dim, c_dim, n_w
        if c_dim:
            self.embed = FullyConnected(c_dim, w_dim)
        sizes = [z_dim + (w_dim if c_dim else 0)] + [w_dim] * n_layers
        self.layers = n_layers
        for i in range(n_layers):
            setattr(self, f"fc{i}", FullyConnected(sizes[i], sizes[i + 1], active=True, rate=MAPPING_RATE))
        if n_w:
            self.register_buffer("w_avg", torch.zeros(w_dim))

    def forward(self, z, c=None, truncation_psi: float = 1.0):
        """Return w (n, n_w, w_dim) float.

        Parameters
        ----------
        z : (n, z_dim) float
            Standard normal.
        c : (n, c_dim) float, optional
            One-hot classes, if the network knows classes.
        truncation_psi : float
            How far w is from the mean w: 1 leaves it, 0 gives the mean.

        Raises
        ------
        InputError
            If the sizes are not those of the network, or classes are missing or too many.
        """
        w = self.before_broadcast(z, c)
        if truncation_psi != 1:
            w = self.w_avg.lerp(w, truncation_psi)
        return w[:, None].expand(-1, self.n_w, -1)

    def before_broadcast(self, z, c=None):
        """Return w (n, w_dim), the same for every layer and not truncated."""
        parts = []
        if self.z_dim:
            _matches("z", z, self.z_dim)
            parts.append(second_moment_normalised(z))
        if self.c_dim:
            _matches("c, the one-hot classes,", c, self.c_dim)
            parts.append(second_moment_normalised(self.embed(c)))
        elif c is not None and c.shape[1]:
            raise InputError(f"this generator knows no classes (c_dim 0), but was given c {tuple(c.shape)}")
        x = torch.cat(parts, dim=1)
        for i in range(self.layers):
            x = getattr(self, f"fc{i}")(x)
        return x


class Block(nn.Module):
    """One resolution: two convolutions, of which the first doubles the maps (at 4 px: one), and the step to the image."""

    def __init__(self, inputs, outputs, w_dim, resolution, channels, clamp):
        super().__init__()
        self.register_buffer("resample_filter", KERNEL.clone())
        if not inputs:
            self.const = nn.Parameter(torch.randn(outputs, resolution, resolution))
        else:
            self.conv0 = StyledConvolution(inputs, outputs, w_dim, resolution, up=True, clamp=clamp)
        self.conv1 = StyledConvolution(outputs, outputs, w_dim, resolution, clamp=clamp)
        self.torgb = ToImage(outputs, channels, w_dim, clamp=clamp)


class State(NamedTuple):
    """How far a synthesis has come: the layers that have run, and what they made."""

    done: int
    maps: torch.Tensor  # (n, channels, r, r), what the next layer takes
    image: torch.Tensor | None  # (n, c, r, r), which the next step to the image doubles


def last_image(states):
    """Return the image of the last of these states; the maps of the earlier ones are not kept."""
    return deque(states, maxlen=1).pop().image


class Synthesis(nn.Module):
    """Styles to images."""

    def __init__(self, w_dim, resolution, channels, channel_base, channel_max, clamp):
        super().__init__()
        self.w_dim, self.resolution, self.channels = w_dim, resolution, channels
        inputs = 0
        self.sizes = widths(resolution, channel_base, channel_max)
        for size, outputs in self.sizes.items():
            setattr(self, f"b{size}", Block(inputs, outputs, w_dim, size, channels, clamp))
            inputs = outputs
        self.n_w = 2 * len(self.sizes)

    def layers(self) -> dict[str, tuple[nn.Module, int]]:
        """Return each styled layer in execution order, with the index of the w that steers it.

        The step to the image shares its w with the first convolution of the next block.
        """
        found, index = {}, 0
        for size in self.sizes:
            block = getattr(self, f"b{size}")
            convolutions = ["conv1"] if size == 4 else ["conv0", "conv1"]
            for k, name in enumerate(convolutions):
                found[f"b{size}.{name}"] = (getattr(block, name), index + k)
            index += len(convolutions)
            found[f"b{size}.torgb"] = (block.torgb, index)
        return found

    def forward(self, styles, noise="const", generator=None):
        """Return images (n, c, r, r); see `Generator.synthesise`."""
        return last_image(self.states(styles, noise, generator))

    def states(self, styles, noise="const", generator=None, after: State | None = None):
        """Yield the `State` after each layer in execution order; `after` one, only of the layers that follow it."""
        n = len(next(iter(styles.values())))
        done, x, image = after or State(0, self._constant(n), None)
        for name, (layer, _) in list(self.layers().items())[done:]:
            if isinstance(layer, ToImage):
                step = layer(x, styles[name])
                image = step if image is None else doubled(image) + step
            else:
                x = layer(x, styles[name], _noise(layer, noise, n, generator))
            done += 1
            yield State(done, x, image)

    def _constant(self, n: int):
        return self.b4.const.expand(n, -1, -1, -1).contiguous(memory_format=torch.channels_last)


class Generator(nn.Module):
    """StyleGAN2's generator: ``generator(z, c)`` gives images (n, img_channels, r, r), black near -1 and white near 1.

    Parameters
    ----------
    z_dim, c_dim, w_dim : int
        Numbers of noise inputs, of classes (0: the generator knows none), and the width of w.
    img_resolution : int
        A power of two from 4 on.
    img_channels : int
        1 for grey, 3 for colour.
    channel_base, channel_max : int
        Maps at resolution r have ``min(channel_base // r, channel_max)`` channels.
    mapping_layers : int
    conv_clamp : float, optional
        Limit of the maps' values; official networks with blocks in half precision have 256.

    Examples
    --------
    >>> generator = Generator(8, 10, 8, 16, 1, channel_base=64, channel_max=16, mapping_layers=2)
    >>> w = generator.mapping(torch.randn(5, 8), torch.eye(10)[:5])
    >>> styles = generator.styles(w)
    >>> list(styles)[:3], generator.synthesise(styles=styles).shape
    (['b4.conv1', 'b4.torgb', 'b8.conv0'], torch.Size([5, 1, 16, 16]))
    """

    def __init__(
        self, z_dim: int, c_dim: int, w_dim: int, img_resolution: int, img_channels: int, *,
        channel_base: int = 32768, channel_max: int = 512, mapping_layers: int = 8, conv_clamp: float | None = None,
    ):  # fmt: skip
        super().__init__()
        self.settings = {
            "z_dim": z_dim, "c_dim": c_dim, "w_dim": w_dim, "img_resolution": img_resolution,
            "img_channels": img_channels, "channel_base": channel_base, "channel_max": channel_max,
            "mapping_layers": mapping_layers, "conv_clamp": conv_clamp,
        }  # fmt: skip
        self.synthesis = Synthesis(w_dim, img_resolution, img_channels, channel_base, channel_max, conv_clamp)
        self.mapping = Mapping(z_dim, c_dim, w_dim, mapping_layers, n_w=self.synthesis.n_w)
        self.to(memory_format=torch.channels_last)

    def forward(self, z, c=None, truncation_psi: float = 1.0, noise: str = "const", generator=None):
        styles = self.styles(self.mapping(z, c, truncation_psi))
        return self.synthesise(styles=styles, noise=noise, generator=generator)

    def styles(self, w) -> dict:
        """Return StyleSpace by layer, in execution order.

        Parameters
        ----------
        w : (n, n_w, w_dim) float
            Of `mapping`; w may differ between the layers.

        Returns
        -------
        dict of str -> (n, channels) float tensor
            ``b4.conv1``, ``b4.torgb``, ``b8.conv0`` ...; of a torgb layer before it is divided by the root of the
            number of channels. The flat index of a dimension counts through the layers in this order.
        """
        if w.ndim != 3 or w.shape[1:] != (self.synthesis.n_w, self.synthesis.w_dim):
            raise InputError(
                f"styles needs w (n, {self.synthesis.n_w}, {self.synthesis.w_dim}) from mapping, "
                f"but was given {tuple(w.shape)}"
            )
        return {name: layer.affine(w[:, k]) for name, (layer, k) in self.synthesis.layers().items()}

    def synthesise(self, *, styles: dict, noise: str = "const", generator=None):
        """Return the images (n, img_channels, r, r) that these styles make.

        Parameters
        ----------
        styles : dict of str -> (n, channels) float tensor
            Of `styles`, moved or not.
        noise : {"const", "none", "random"}
            What is added to the maps: the stored noise of each layer, nothing, or new noise for every image.
        generator : torch.Generator, optional
            Of the random noise.

        Raises
        ------
        InputError
            If a layer is missing, unknown or of another width, or `noise` is none of these.
        """
        if noise not in ("const", "none", "random"):
            raise InputError(f"noise is const, none or random, but was {noise!r}")
        wanted = {name: layer.affine.weight.shape[0] for name, (layer, _) in self.synthesis.layers().items()}
        given = {name: style.shape[-1] for name, style in styles.items()}
        if given != wanted:
            differ = [name for name in {**wanted, **given} if given.get(name) != wanted.get(name)]
            raise InputError(
                f"styles needs these layers with these widths: {wanted}; they differ in {', '.join(differ)}: "
                f"{ {name: given.get(name) for name in differ} }"
            )
        return self.synthesis(styles, noise, generator)


def _noise(layer, kind: str, n: int, generator):
    if kind == "none":
        return None
    if kind == "const":
        return layer.noise_const[None, None]
    size = layer.noise_const.shape
    return torch.randn(n, 1, *size, generator=generator, device=layer.noise_const.device)


def _matches(what: str, x, width: int):
    if x is None or x.ndim != 2 or x.shape[1] != width:
        given = "none" if x is None else tuple(x.shape)
        raise InputError(f"this network needs {what} of shape (n, {width}), but was given {given}")


def one_hot(labels, n_classes: int):
    """Return labels (n,) int as rows (n, n_classes) float of zeros with a single one.

    >>> one_hot(torch.tensor([1]), 3)
    tensor([[0., 1., 0.]])
    """
    return F.one_hot(labels, n_classes).float()
