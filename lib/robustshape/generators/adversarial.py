"""The losses of StyleGAN2: who is real, and two penalties that keep the game stable.

Goodfellow et al. 2014 (arXiv 1406.2661, the non-saturating loss), Mescheder et al. 2018 (arXiv 1801.04406, R1), Karras et
al. 2020 (arXiv 1912.04958, the penalty on path lengths).
"""

import math

import torch
from torch.nn import functional as F


def discriminator_loss(real, fake):
    """Return the mean of ``softplus(-real) + softplus(fake)`` over logits (n, 1): low if real ones are high.

    >>> round(float(discriminator_loss(torch.zeros(2, 1), torch.zeros(2, 1))), 4) == round(2 * math.log(2), 4)
    True
    """
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def generator_loss(fake):
    """Return the mean of ``softplus(-fake)`` over the logits (n, 1) of made images: low if they pass for real."""
    return F.softplus(-fake).mean()


def gradient_penalty(discriminator, images, c=None):
    """Return the mean over images of the squared length of the logit's gradient (R1, without its factor of gamma / 2).

    >>> gradient_penalty(lambda x, c: x.square().flatten(1).sum(1, keepdim=True), torch.ones(2, 1, 2, 2)).item()
    16.0
    """
    images = images.detach().requires_grad_(True)
    [gradient] = torch.autograd.grad(discriminator(images, c).sum(), images, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)).mean()


def path_lengths(images, w, generator=None):
    """Return (n,): how far an image moves when its w moves a little, in a random direction of the image.

    Parameters
    ----------
    images : (n, c, h, w) tensor
        Made from `w`.
    w : (n, layers, w_dim) tensor
    generator : torch.Generator, optional
        Of the random direction.
    """
    noise = torch.randn(images.shape, generator=generator, device=images.device)
    noise = noise / math.sqrt(images.shape[2] * images.shape[3])
    [gradient] = torch.autograd.grad((images * noise).sum(), w, create_graph=True)
    return gradient.square().sum(dim=2).mean(dim=1).sqrt()
