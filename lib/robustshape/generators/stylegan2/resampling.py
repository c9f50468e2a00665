"""Maps blurred, doubled and halved with the binomial filter [1, 3, 3, 1], the low-pass filter of StyleGAN2.

Two properties make it cheap. It is symmetric, so the gradient of a blur is a blur, with the padding that gives the
first size back; and so is the gradient of the gradient, which two of the losses need. And every channel is filtered by
itself, which takes little time on maps whose channels lie side by side (``torch.channels_last``).
"""

import torch
from torch.nn import functional as F

FILTER = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
KERNEL = FILTER[:, None] * FILTER  # (4, 4), of sum 1: what a network's resample_filter holds


class _Blur(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, padding):
        ctx.padding = padding
        channels = x.shape[1]
        kernel = KERNEL.to(x).expand(channels, 1, 4, 4)
        return F.conv2d(x, kernel, padding=padding, groups=channels)

    @staticmethod
    def backward(ctx, gradient):
        return _Blur.apply(gradient, 3 - ctx.padding), None


def blur(x, padding: int):
    """Return maps filtered by the 4 x 4 kernel, whose sum is 1.

    Parameters
    ----------
    x : (n, c, h, w) tensor
    padding : int
        Zeros on each side, 0 to 3; the result is (n, c, h + 2 padding - 3, w + 2 padding - 3).

    Examples
    --------
    >>> blur(torch.ones(1, 1, 4, 4), 0)
    tensor([[[[1.]]]])
    """
    return _Blur.apply(x, padding)


def doubled(x):
    """Return (n, c, 2h, 2w) maps: zeros between the values, then the filter, so that the mean stays.

    >>> doubled(torch.ones(1, 1, 3, 3))[0, 0, 2]
    tensor([0.7500, 1.0000, 1.0000, 1.0000, 1.0000, 0.7500])
    """
    n, c, h, w = x.shape
    spread = x.new_zeros(n, c, 2 * h - 1, 2 * w - 1)
    spread[:, :, ::2, ::2] = x
    return 4 * blur(spread, 2)


def halved(x):
    """Return (n, c, h/2, w/2) maps: the filter, then every second value.

    >>> halved(torch.ones(1, 1, 4, 4))[0, 0]
    tensor([[0.7656, 0.7656],
            [0.7656, 0.7656]])
    """
    return blur(x, 1)[:, :, ::2, ::2]
