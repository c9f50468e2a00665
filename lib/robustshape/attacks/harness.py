"""What all attacks share: checked arguments, batches of fixed size, results that lie where they should."""

import torch
from torch import nn

from robustshape.attacks import NORMS
from robustshape.errors import InputError
from robustshape.registry import closest

CHUNK = 32  # images in every forward and backward pass, always; the last one is padded with its first image
TOLERANCE = 1e-6  # of the distance, for rounding
_VALUES = 1 << 22  # pixel values attacked at once: an attack holds about ten copies of them


class FixedBatches(nn.Module):
    """Shows `module` always `CHUNK` images at once: their numbers then do not depend on how many are asked for.

    Examples
    --------
    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    >>> FixedBatches(network)(torch.rand(5, 1, 2, 2)).shape
    torch.Size([5, 3])
    """

    def __init__(self, module):
        super().__init__()
        self.module = module
        self.training = module.training  # the network's mode is left as it is

    def forward(self, x):
        """Return the logits (n, classes) of images (n, c, h, w)."""
        n = len(x)
        if n % CHUNK:
            x = torch.cat([x, x[:1].detach().expand(-n % CHUNK, *x.shape[1:])])
        return torch.cat([self.module(part) for part in x.split(CHUNK)])[:n]


def run(attack, module, x, labels, *, eps, norm, seed, ids):
    """Return what `attack` finds, piece by piece; see `robustshape.attacks` for the arguments.

    An image that lies outside the ball or is not finite is replaced by the clean one: it counts as not found.

    Raises
    ------
    InputError
        If an argument is not as `robustshape.attacks` says.
    """
    ids = list(range(len(x))) if ids is None else list(ids)
    _check(module, x, labels, eps, norm, ids)
    network, found = FixedBatches(module), []
    piece = max(CHUNK, _VALUES // max(1, x[:1].numel()) // CHUNK * CHUNK)
    for start in range(0, len(x), piece):
        part = slice(start, start + piece)
        clean = x[part].detach()
        changed = attack(
            network, clean, labels[part], eps=float(eps), norm=norm, seed=int(seed), ids=ids[part]
        )
        found.append(_held(changed.detach(), clean, float(eps), norm))
    return torch.cat(found)


def distances(adversarial, x, norm: str):
    """Return (n,) float64: the distance of each image from its clean one.

    >>> distances(torch.full((1, 1, 1, 2), 0.5), torch.full((1, 1, 1, 2), 0.25), "linf").item()
    0.25
    """
    change = (adversarial.double() - x.double()).flatten(1)
    return change.abs().amax(1) if norm == "linf" else change.norm(dim=1)


def _held(adversarial, x, eps, norm):
    held = adversarial.clamp(0, 1)
    inside = distances(held, x, norm) <= eps + TOLERANCE  # False where it is NaN
    return torch.where(inside[:, None, None, None], held, x)


def _check(module, x, labels, eps, norm, ids) -> None:
    if norm not in NORMS:
        raise InputError(
            f"unknown norm {norm!r}; closest: {closest(norm, NORMS, 1)[0]}; it is one of {', '.join(NORMS)}"
        )
    if not 0 < float(eps) < float("inf"):
        raise InputError(f"eps is a number above 0 in units of the pixel range 1, such as 8/255, not {eps!r}")
    if x.ndim != 4 or not len(x) or not x.is_floating_point() or labels.shape != x.shape[:1]:
        raise InputError(
            f"an attack needs float images (n, c, h, w) and one label each, but was given images "
            f"{tuple(x.shape)} {x.dtype} and labels {tuple(labels.shape)}"
        )
    if not (x.min() >= 0 and x.max() <= 1):
        raise InputError(
            f"an attack needs images in [0, 1], but these run from {x.min():.3g} to {x.max():.3g}; "
            "give the pixels before they are normalised"
        )
    if len(ids) != len(x):
        raise InputError(f"there must be one id per image, but {len(x)} images and {len(ids)} ids were given")
    if module.training:
        raise InputError("the network is in training mode; call its eval() first")
