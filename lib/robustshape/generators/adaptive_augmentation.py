"""Augmentation that grows as the discriminator learns its images by heart (Karras et al. 2020, arXiv 2006.06676).

Every transformation is applied to an image with probability p, to real and made images alike, so the generator does not
learn it as long as p is well below 1. Of the paper's, those that leave a digit that digit and its noise that noise:
whole-pixel shifts, brightness and contrast; no mirroring, no turning by right angles, no interpolation.
"""

import torch

TARGET = 0.6  # of the mean sign of the logits of real images; above, p grows
IMAGES = 500_000  # in which p would grow from 0 to 1
SHIFT, BRIGHTNESS, CONTRAST = (
    0.125,
    0.2,
    0.5,
)  # share of the side; standard deviations (contrast: of its log2)


def augmented(x, p: float, generator=None, fill: float = -1.0):
    """Return images, each shifted, brightened and given another contrast, each of the three with probability `p`.

    One coin decides on a shift along both axes, as in StyleGAN2-ADA.

    Parameters
    ----------
    x : (n, c, h, w) tensor
        About [-1, 1].
    p : float
        In [0, 1].
    generator : torch.Generator, optional
    fill : float
        What is beyond the border: black.

    Examples
    --------
    >>> x = torch.rand(2, 1, 8, 8)
    >>> bool((augmented(x, 0.0) == x).all()), augmented(x, 1.0).shape
    (True, torch.Size([2, 1, 8, 8]))
    """
    if not p:
        return x
    n, _, h, w = x.shape

    def chosen(values):
        coin = torch.rand(n, generator=generator, device=x.device) < p
        return torch.where(coin.reshape(n, *[1] * (values.ndim - 1)), values, torch.zeros_like(values))

    def normal(deviation):
        return deviation * torch.randn(n, generator=generator, device=x.device)

    share = 2 * torch.rand((n, 2), generator=generator, device=x.device) - 1
    down, right = chosen((share * SHIFT * share.new_tensor([h, w])).round()).long().T
    x = _shifted(x, down, right, fill)
    x = x + chosen(normal(BRIGHTNESS))[:, None, None, None]
    return x * torch.exp2(chosen(normal(CONTRAST)))[:, None, None, None]


def _shifted(x, down, right, fill):
    """Return maps moved by whole pixels, `fill` coming in."""
    n, _, h, w = x.shape
    rows = torch.arange(h, device=x.device) - down[:, None]  # (n, h): where each row comes from
    columns = torch.arange(w, device=x.device) - right[:, None]
    inside = ((rows >= 0) & (rows < h))[:, None, :, None] & ((columns >= 0) & (columns < w))[:, None, None, :]
    image = torch.arange(n, device=x.device)[:, None, None]
    moved = x.permute(0, 2, 3, 1)[
        image, rows.clamp(0, h - 1)[:, :, None], columns.clamp(0, w - 1)[:, None, :]
    ]
    return torch.where(inside, moved.permute(0, 3, 1, 2), fill)


def next_probability(p: float, mean_sign: float, n_images: int) -> float:
    """Return p after `n_images` more, whose real ones had logits of this mean sign (-1 to 1).

    >>> next_probability(0.0, 0.9, 5_000), next_probability(0.0, 0.1, 5_000)
    (0.01, 0.0)
    """
    step = n_images / IMAGES
    return min(1.0, max(0.0, p + (step if mean_sign > TARGET else -step)))
