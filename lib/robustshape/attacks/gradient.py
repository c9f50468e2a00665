"""FGSM and PGD as foolbox does them (Rauber et al. 2020, doi:10.21105/joss.02607).

FGSM: Goodfellow et al. 2015, arXiv 1412.6572. PGD: Madry et al. 2018, arXiv 1706.06083: `STEPS` steps of length
2.5 eps / STEPS and one random start, uniform in the ball; the last iterate is returned. Where we differ: the
start comes from each image's id (`starts`). For training, where a step is taken in every batch, see `pgd`.
"""

from robustshape.attacks import starts

STEPS = 20
REACH = 2.5  # all steps together, in radii


def fgsm(module, x, labels, *, eps, norm, seed, ids):
    """Return `x` after one step of length `eps` along the gradient of the loss."""
    from foolbox.attacks import L2FastGradientAttack, LinfFastGradientAttack

    method = LinfFastGradientAttack if norm == "linf" else L2FastGradientAttack
    return _run(method(random_start=False), module, x, labels, eps)


def pgd(module, x, labels, *, eps, norm, seed, ids):
    """Return `x` after `STEPS` projected steps from a random point of the ball."""
    from foolbox.attacks import L2ProjectedGradientDescentAttack, LinfProjectedGradientDescentAttack

    method = LinfProjectedGradientDescentAttack if norm == "linf" else L2ProjectedGradientDescentAttack

    class OwnStart(method):
        """The same with each image's own start."""

        def get_random_start(self, x0, epsilon):
            start = starts.in_ball(ids, seed, "pgd", like=x0.raw, norm=norm)
            return x0 + epsilon * type(x0)(start)

    steps = OwnStart(rel_stepsize=REACH / STEPS, steps=STEPS, random_start=True)
    return _run(steps, module, x, labels, eps)


def _run(method, module, x, labels, eps):
    from foolbox import PyTorchModel
    from foolbox.criteria import Misclassification

    model = PyTorchModel(module, bounds=(0, 1), device=x.device)
    return method.run(model, x, Misclassification(labels), epsilon=eps)
