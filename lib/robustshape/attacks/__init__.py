"""Attacks on any torch module that maps images in [0, 1] to logits.

Called alike: ``ATTACKS[name](module, x, labels, *, eps, norm="linf", seed=0, ids=None) -> adversarial x``.

module : torch.nn.Module
    In eval mode, such as `robustshape.models.classifier.Classifier.on_pixels` returns.
x : (n, c, h, w) float32 tensor
    In [0, 1].
labels : (n,) int64 tensor
    True classes.
eps : float
    Radius of the ball, in units of the pixel range 1 (8/255 is 0.031); more than 0.
norm : "linf" or "l2"
    Of the ball.
seed, ids : int, (n,) str or int
    An image's random numbers come from the seed and its id alone (ids default to 0..n-1), so what is found for it
    depends neither on the other images nor on their number and order.

Returned are images within the ball and within [0, 1] (`harness`); where nothing was found, any image of the ball.

>>> ATTACKS.names()
['apgd', 'autoattack', 'fgsm', 'pgd']
"""

from robustshape.registry import Registry

NORMS = ("linf", "l2")
ATTACKS = Registry("attack", "robustshape list attacks")


def _register(name: str, about: str):
    """Register `function` so that it gets checked arguments, fixed batches, and its result is held to the ball."""

    def keep(function):
        @ATTACKS.register(name, about=about)
        def attack(module, x, labels, *, eps, norm="linf", seed=0, ids=None):
            from robustshape.attacks.harness import run

            return run(function, module, x, labels, eps=eps, norm=norm, seed=seed, ids=ids)

        return function

    return keep


@_register("fgsm", "one step of length eps along the gradient (Goodfellow et al. 2015)")
def _fgsm(module, x, labels, **settings):
    from robustshape.attacks.gradient import fgsm

    return fgsm(module, x, labels, **settings)


@_register("pgd", "20 steps of 2.5 eps / 20 from one random start (Madry et al. 2018)")
def _pgd(module, x, labels, **settings):
    from robustshape.attacks.gradient import pgd

    return pgd(module, x, labels, **settings)


@_register("apgd", "APGD-CE, then APGD-T against each likely class (Croce, Hein 2020; pyautoattack)")
def _apgd(module, x, labels, **settings):
    from robustshape.attacks.auto import APGD, in_turn

    return in_turn(APGD, module, x, labels, **settings)


@_register("autoattack", "APGD-CE, APGD-T, FAB-T, Square: the standard four (Croce, Hein 2020; pyautoattack)")
def _autoattack(module, x, labels, **settings):
    from robustshape.attacks.auto import STANDARD, in_turn

    return in_turn(STANDARD, module, x, labels, **settings)
