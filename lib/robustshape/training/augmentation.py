"""Random changes of a batch of training images, each a function (images in [0, 1], generator) -> images.

All are vectorised over the batch, and draw every random number from the generator they are given.
"""

import math

import torch
from torch.nn import functional as F

from robustshape.corruptions.blur import gaussian_matrix
from robustshape.corruptions.constants import CONSTANTS
from robustshape.registry import Registry

AUGMENTATIONS = Registry("augmentation", "robustshape.training.augmentation.AUGMENTATIONS.names()")


def _uniform(shape, low, high, x, generator):
    return low + (high - low) * torch.rand(shape, generator=generator, device=x.device)


def _cropped(x, padding, generator):
    """Pad each image with zeros, and cut it out again at a random place."""
    n, _, height, width = x.shape
    windows = F.pad(x, [padding] * 4).unfold(2, height, 1).unfold(3, width, 1)  # (n, c, place, place, h, w)
    places = torch.randint(0, 2 * padding + 1, (2, n), generator=generator, device=x.device)
    return windows[torch.arange(n, device=x.device), :, places[0], places[1]]


@AUGMENTATIONS.register("shift")
def shift(x, generator):
    """Shift each image by up to 2 pixels a side; zeros come in."""
    return _cropped(x, 2, generator)


@AUGMENTATIONS.register("crop")
def crop(x, generator):
    """Shift each image by up to 4 pixels a side, as is usual for CIFAR-10; zeros come in."""
    return _cropped(x, 4, generator)


@AUGMENTATIONS.register("flip")
def flip(x, generator):
    """Mirror each image left to right with probability 1/2."""
    mirrored = torch.rand((len(x), 1, 1, 1), generator=generator, device=x.device) < 0.5
    return torch.where(mirrored, x.flip(3), x)


@AUGMENTATIONS.register("noise")
def noise(x, generator):
    """Add Gaussian noise whose standard deviation is uniform in [0, 0.3] for each image; clip."""
    return _noisy(x, 0.3, generator)


@AUGMENTATIONS.register("faint_noise")
def faint_noise(x, generator):
    """Add Gaussian noise whose standard deviation is uniform in [0, 0.1], the range of CIFAR-10-C; clip."""
    return _noisy(x, 0.1, generator)


def _noisy(x, highest, generator):
    sd = _uniform((len(x), 1, 1, 1), 0.0, highest, x, generator)
    return (x + sd * torch.randn(x.shape, generator=generator, device=x.device)).clamp(0, 1)


@AUGMENTATIONS.register("blur_noise")
def blur_noise(x, generator):
    """Blur half of the images, then add noise to half of them and clip, at severities drawn from 1 to 5.

    The severities of ImageNet-C (the table "224"): blurs of up to 6 pixels, noises of up to 0.38.
    """
    for name in ("gaussian_blur", "gaussian_noise"):
        steps = [0.0, *(row[0] for row in CONSTANTS["224"][name])]
        severity = torch.randint(1, 6, (len(x),), generator=generator, device=x.device)
        severity *= torch.rand(len(x), generator=generator, device=x.device) < 0.5
        if name == "gaussian_blur":
            down, across = (_blurs(side, steps, x)[severity][:, None] for side in x.shape[2:])
            x = down @ x @ across.mT
        else:
            sd = torch.tensor(steps, device=x.device)[severity][:, None, None, None]
            x = (x + sd * torch.randn(x.shape, generator=generator, device=x.device)).clamp(0, 1)
    return x


def _blurs(side, sigmas, x):
    """Return the (sigma, side, side) matrices that blur a row of pixels."""
    matrices = [torch.from_numpy(gaussian_matrix(side, sigma)) for sigma in sigmas]
    return torch.stack(matrices).to(x.dtype).to(x.device)


@AUGMENTATIONS.register("augmix")
def augmix(x, generator, *, width=3, depth=3):
    """Mix each image with `width` chains of up to `depth` simple operations (Hendrycks et al. 2020).

    arXiv 1912.02781, algorithm 1: Dirichlet(1, 1, 1) weights over the chains, a Beta(1, 1) share of the
    result. Operations: rotate, shear and translate along x and y, posterise, solarise; none of them is one
    of the corruptions. Ours differs: no Jensen-Shannon loss, and the geometric operations of a chain are
    composed into one resampling, before its tonal ones.
    """
    n = len(x)
    weights = -torch.log(
        torch.rand((width, n, 1, 1, 1), generator=generator, device=x.device).clamp_min(1e-12)
    )
    weights = weights / weights.sum(0)
    mixed = sum(weight * _chain(x, depth, generator) for weight in weights)
    share = torch.rand((n, 1, 1, 1), generator=generator, device=x.device)
    return share * x + (1 - share) * mixed


def _chain(x, depth, generator):
    n = len(x)
    length = torch.randint(1, depth + 1, (n,), generator=generator, device=x.device)
    matrix = torch.eye(3, device=x.device).expand(n, 3, 3)
    levels = torch.ones((n, 1, 1, 1), device=x.device) * 256
    threshold = torch.full((n, 1, 1, 1), math.inf, device=x.device)
    for place in range(depth):
        operation = torch.randint(0, 7, (n,), generator=generator, device=x.device)
        strength = _uniform((n,), -1.0, 1.0, x, generator)
        operation = torch.where(place < length, operation, -1)
        matrix = matrix @ _affine(operation, strength)
        size = strength.abs()[:, None, None, None]
        posterised, solarised = (operation == 5)[:, None, None, None], (operation == 6)[:, None, None, None]
        levels = torch.where(posterised, torch.exp2((4 - 3 * size).round()), levels)  # 4 to 1 bits
        threshold = torch.where(solarised, 1 - 0.5 * size, threshold)
    grid = F.affine_grid(matrix[:, :2], list(x.shape), align_corners=False)
    y = F.grid_sample(x, grid, align_corners=False)
    y = torch.where(levels < 256, (y * (levels - 1)).round() / (levels - 1), y)
    return torch.where(y >= threshold, 1 - y, y)


def _affine(operation, strength):
    """Return one 3 x 3 matrix per image: 0 rotate by 20 degrees, 1 and 2 shear by .3, 3 and 4 move by 1/6."""
    angle = torch.where(operation == 0, strength * math.pi / 9, 0.0)
    zero, one = torch.zeros_like(strength), torch.ones_like(strength)
    shear_x, shear_y = (torch.where(operation == k, 0.3 * strength, zero) for k in (1, 2))
    move_x, move_y = (torch.where(operation == k, strength / 3, zero) for k in (3, 4))  # the width is 2
    rows = [
        [angle.cos(), -angle.sin() + shear_x, move_x],
        [angle.sin() + shear_y, angle.cos(), move_y],
        [zero, zero, one],
    ]
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def mix(x, generator):
    """Mixup (Zhang et al. 2018, arXiv 1710.09412) with alpha = 1: (images, partner of each, share of itself)."""
    partner = torch.randperm(len(x), generator=generator, device=x.device)
    share = torch.rand((), generator=generator, device=x.device)
    return share * x + (1 - share) * x[partner], partner, share
