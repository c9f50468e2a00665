"""The layers of StyleGAN2. Stored weights have unit variance; every layer scales them when it runs.

That keeps the learning rate of all layers alike (Karras et al. 2018, arXiv 1710.10196, section 4.1). Buffers named
``resample_filter`` are only there for the names of official networks.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

from robustshape.generators.stylegan2.resampling import KERNEL, blur, halved

ROOT2 = math.sqrt(2)  # times a leaky ReLU of slope 0.2, so that its output varies about as much as its input


def leaky(x, gain: float = 1.0, clamp: float | None = None):
    """Return the leaky ReLU of slope 0.2 of `x`, within the clamp times `gain` if there is one.

    The layers multiply what they are given by the root of 2 and by `gain` before it instead of after it, where it
    would cost a pass over the maps: it is the same, for the function has no scale.

    >>> leaky(torch.tensor([-1.0, 1.0]))
    tensor([-0.2000,  1.0000])
    """
    return _clamped(F.leaky_relu(x, 0.2), clamp, gain)


def second_moment_normalised(x):
    """Return rows divided by the root of their mean square.

    >>> second_moment_normalised(torch.tensor([[3.0, -3.0]]))
    tensor([[ 1., -1.]])
    """
    return x * (x.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()


class FullyConnected(nn.Module):
    """``y = x (weight * rate / sqrt(inputs))^T + bias * rate``, then the leaky ReLU if `active`.

    `rate` multiplies the learning rate: weights are stored divided by it.
    """

    def __init__(self, inputs: int, outputs: int, *, active=False, rate: float = 1.0, bias: float = 0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), float(bias)))
        self.active, self.rate, self.gain = active, rate, rate / math.sqrt(inputs)

    def forward(self, x):
        root = ROOT2 if self.active else 1.0
        x = F.linear(x, self.weight * (self.gain * root), self.bias * (self.rate * root))
        return leaky(x) if self.active else x


class Convolution(nn.Module):
    """A convolution of the discriminator, which halves the maps if `down`: the filter first, then a stride of 2."""

    def __init__(self, inputs, outputs, kernel, *, down=False, bias=True, active=True, clamp=None):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.register_buffer("resample_filter", KERNEL.clone())
        self.gain = 1 / math.sqrt(inputs * kernel**2)
        self.down, self.active, self.clamp = down, active, clamp

    def forward(self, x, gain: float = 1.0):
        kernel = self.weight.shape[-1]
        factor = gain * (ROOT2 if self.active else 1.0)
        weight = self.weight * (self.gain * factor)
        bias = None if self.bias is None else self.bias * factor
        if self.down and kernel == 1:
            x = F.conv2d(halved(x), weight, bias)
        elif self.down:
            x = F.conv2d(blur(x, 2), weight, bias, stride=2)
        else:
            x = F.conv2d(x, weight, bias, padding=kernel // 2)
        return leaky(x, gain, self.clamp) if self.active else _clamped(x, self.clamp, gain)


class StyledConvolution(nn.Module):
    """A convolution whose input channels are multiplied by a style, and its outputs brought back to unit variance."""

    def __init__(self, inputs: int, outputs: int, w_dim: int, resolution: int, *, up=False, clamp=None):
        super().__init__()
        self.affine = FullyConnected(w_dim, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.noise_strength = nn.Parameter(torch.zeros([]))
        self.register_buffer("noise_const", torch.randn(resolution, resolution))
        self.register_buffer("resample_filter", KERNEL.clone())
        self.up, self.clamp = up, clamp

    def forward(self, x, style, noise):
        """Return the new maps; `style` (n, inputs), `noise` (n or 1, 1, r, r) or None."""
        size = (
            style.square() @ self.weight.square().sum(dim=(2, 3)).T + 1e-8
        ).rsqrt() * ROOT2  # (n, outputs)
        x = x * style[:, :, None, None]
        if self.up:
            x = blur(F.conv_transpose2d(x, self.weight.transpose(0, 1), stride=2), 1)
            size = 4 * size
        else:
            x = F.conv2d(x, self.weight, padding=1)
        added = self.bias[:, None, None]
        if noise is not None:
            added = added + noise * self.noise_strength
        return leaky(torch.addcmul(ROOT2 * added, x, size[:, :, None, None]), 1.0, self.clamp)


class ToImage(nn.Module):
    """A 1 x 1 convolution to the image's channels, of maps multiplied by a style over the root of their number."""

    def __init__(self, inputs: int, channels: int, w_dim: int, *, clamp=None):
        super().__init__()
        self.affine = FullyConnected(w_dim, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(channels, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.gain, self.clamp = 1 / math.sqrt(inputs), clamp

    def forward(self, x, style):
        x = x * (style * self.gain)[:, :, None, None]
        return _clamped(F.conv2d(x, self.weight, self.bias), self.clamp, 1.0)


def _clamped(x, clamp, gain):
    return x if clamp is None else x.clamp(-clamp * gain, clamp * gain)
