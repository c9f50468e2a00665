"""FGSM and PGD as networks are tried with them: `robustshape.attacks.pgd` from each image's own start.

FGSM: Goodfellow et al. 2015, arXiv 1412.6572. PGD: Madry et al. 2018, arXiv 1706.06083: `STEPS` steps of length
2.5 eps / STEPS and one random start, uniform in the ball; the last iterate is returned.
"""

from itertools import islice

from robustshape.attacks import starts
from robustshape.attacks.pgd import iterates

STEPS = 20
REACH = 2.5  # all steps together, in radii


def fgsm(module, x, labels, *, eps, norm, seed, ids):
    """Return `x` after one step of length `eps` along the gradient of the loss."""
    return next(iterates(module, x, labels, start=x, eps=eps, step_size=eps, norm=norm))


def pgd(module, x, labels, *, eps, norm, seed, ids):
    """Return `x` after `STEPS` projected steps from a random point of the ball."""
    path = from_own_starts(module, x, labels, eps=eps, norm=norm, seed=seed, ids=ids)
    return next(islice(path, STEPS - 1, None))


def from_own_starts(module, x, labels, *, eps, norm, seed, ids):
    """Yield `x` after 1, 2, ... steps of PGD, without end, from the point of the ball that its id and the seed give."""
    start = (x + eps * starts.in_ball(ids, seed, "pgd", like=x, norm=norm)).clamp(0, 1)
    return iterates(module, x, labels, start=start, eps=eps, step_size=REACH / STEPS * eps, norm=norm)
