"""Projected gradient descent: the small change of an image, within a ball, that raises the loss most.

Madry et al. 2018 (arXiv 1706.06083), eq. 2.1 and the L-infinity step of section 2.1; with one step of size
`eps` and no random start it is FGSM (Goodfellow et al. 2015, arXiv 1412.6572). The L2 step is along the
gradient divided by its norm. The loss is the cross-entropy; the last iterate is returned, not the best one. From one
start, every bit is that of foolbox 3.3.4 (Rauber et al. 2020, doi:10.21105/joss.02607).
"""

from itertools import islice

import torch
from torch.nn import functional as F

from robustshape.attacks import NORMS
from robustshape.errors import InputError


def pgd(module, x, labels, *, eps, steps, step_size, norm="linf", generator=None, random_start=True):
    """Return adversarial images within `eps` of `x` and within [0, 1].

    Parameters
    ----------
    module : torch.nn.Module
        Maps images in [0, 1] to logits. Its mode (train or eval) is left as it is; its parameters get no gradient.
    x : (n, c, h, w) float tensor
        Clean images in [0, 1].
    labels : (n,) int tensor
        Their true classes.
    eps : float
        Radius of the ball, in units of the pixel range 1 (8/255 is 0.031).
    steps : int
        Gradient steps; 0 returns the (random) start.
    step_size : float
        Length of each step in the chosen norm.
    norm : "linf" or "l2"
        The norm of the ball and of the step.
    generator : torch.Generator, optional
        On the device of `x`; draws the random start, so it is needed with ``random_start=True``.
    random_start : bool
        Start at a uniform point of the cube (linf), or at a uniform radius in a random direction (l2).

    Returns
    -------
    (n, c, h, w) float tensor
        Detached. ``|result - x| <= eps`` per image, up to rounding.

    Raises
    ------
    InputError
        If the norm is unknown, a number negative, lengths differ, or the random start has no generator.

    Examples
    --------
    >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(2, 2, bias=False))
    >>> _ = network[1].weight.data.copy_(torch.tensor([[1.0, -1.0], [0.0, 0.0]]))
    >>> image = torch.full((1, 1, 1, 2), 0.5)
    >>> pgd(network, image, torch.tensor([0]), eps=0.25, steps=1, step_size=0.25, random_start=False).flatten()
    tensor([0.2500, 0.7500])
    """
    _check(x, labels, eps, steps, step_size, norm, generator, random_start)
    adversarial = x.detach()
    if random_start:
        adversarial = (x + _random_start(x, eps, norm, generator)).clamp(0, 1)
    path = iterates(module, x, labels, start=adversarial, eps=eps, step_size=step_size, norm=norm)
    for latest in islice(path, steps):
        adversarial = latest
    return adversarial.detach()


def iterates(module, x, labels, *, start, eps, step_size, norm="linf"):
    """Yield the images after 1, 2, ... steps from `start`, without end; arguments as for `pgd`."""
    step, project = (_step_linf, _project_linf) if norm == "linf" else (_step_l2, _project_l2)
    adversarial = start
    while True:
        adversarial = adversarial.detach().requires_grad_(True)
        loss = F.cross_entropy(module(adversarial), labels, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, adversarial)
        moved = adversarial.detach() + step_size * step(gradient)
        adversarial = (x + project(moved - x, eps)).clamp(0, 1).detach()
        yield adversarial


def _step_linf(gradient):
    return gradient.sign()


def _project_linf(change, eps):
    return change.clamp(-eps, eps)


def _lengths(change):
    """Return the Euclidean length of each change (n, c, h, w), at least 1e-12, as (n, 1, 1, 1)."""
    return change.flatten(1).square().sum(dim=1).sqrt().clamp_min(1e-12)[:, None, None, None]


def _step_l2(gradient):
    return gradient * (1 / _lengths(gradient))


def _project_l2(change, eps):
    return change * (eps / _lengths(change)).clamp(max=1)


def _random_start(x, eps, norm, generator):
    if norm == "linf":
        return eps * (2 * torch.rand(x.shape, generator=generator, device=x.device) - 1)
    direction = torch.randn(x.shape, generator=generator, device=x.device)
    radius = torch.rand((len(x), 1, 1, 1), generator=generator, device=x.device)
    return eps * radius * direction / _lengths(direction)


def _check(x, labels, eps, steps, step_size, norm, generator, random_start):
    if norm not in NORMS:
        raise InputError(f"norm is {norm!r}, but must be one of {', '.join(NORMS)}")
    if x.ndim != 4 or labels.shape != x.shape[:1]:
        raise InputError(
            f"an attack needs images (n, c, h, w) and one label each, "
            f"but was given images {tuple(x.shape)} and labels {tuple(labels.shape)}"
        )
    if eps < 0 or steps < 0 or step_size < 0:
        raise InputError(f"eps={eps}, steps={steps}, step_size={step_size}: none may be negative")
    if random_start and generator is None:
        raise InputError("a random start needs generator=torch.Generator().manual_seed(...)")
