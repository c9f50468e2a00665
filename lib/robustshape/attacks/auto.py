"""AutoAttack and its parts, as pyautoattack does them (Croce, Hein, ICML 2020, arXiv 2003.01690).

`in_turn` is the paper's protocol: each attack tries only the images that no attack before it has fooled.
Where we differ from the standard version:

- Starts of APGD come from each image's id (`starts`). FAB-T (arXiv 1907.02044) draws nothing. Square
  (arXiv 1912.00049) places its windows alike for all images of a batch; here their signs are alike too, so that an
  image's result depends on the seed alone, not on its batch.
- At most as many target classes as there are; with fewer than 4 classes the targeted DLR loss does not exist,
  and APGD-T takes the targeted cross-entropy instead.
- Images must have at least 5 pixels a side for Square in L2, whose first change is a grid of fifths.
"""

import logging

import torch

from robustshape.attacks import starts
from robustshape.errors import InputError

ITERATIONS, TARGETS, QUERIES = 100, 9, 5000  # of the standard version
APGD = ("apgd-ce", "apgd-t")
STANDARD = ("apgd-ce", "apgd-t", "fab-t", "square")

_SILENT = logging.Logger("autoattack", logging.CRITICAL)  # its hints are about networks with broken gradients


def in_turn(names, module, x, labels, *, eps, norm, seed, ids):
    """Return adversarial images; where none of the attacks `names` fools the module, the clean image."""
    if "square" in names and norm == "l2" and min(x.shape[2:]) < 5:
        raise InputError(
            f"autoattack in l2 needs images of at least 5 x 5 pixels, but was given {x.shape[2]} x {x.shape[3]}; "
            "take apgd"
        )
    found = x.clone()
    cuda = [x.device] if x.device.type == "cuda" else []
    for name in names:
        left = _right(module, found, labels)
        if len(left):
            with torch.random.fork_rng(devices=cuda):  # Square seeds torch's own generator
                found[left] = _PARTS[name](
                    module, x[left], labels[left], eps, norm, seed, [ids[i] for i in left.tolist()]
                ).detach()
    return found


def _right(module, x, labels):
    """Return the places of the images that are classified rightly."""
    with torch.no_grad():
        return (module(x).argmax(1) == labels).nonzero().flatten()


def _n_classes(module, x) -> int:
    with torch.no_grad():
        return module(x[:1]).shape[1]


def _library(norm: str, eps: float, x) -> dict:
    return {"norm": "Linf" if norm == "linf" else "L2", "eps": eps, "device": x.device}


def _start(x, eps, norm, seed, ids, *key):
    """Return a random point of the ball's surface, as APGD starts from."""
    drawn = starts.direction(ids, seed, *key, like=x, norm=norm)
    if norm == "linf":
        drawn = drawn / drawn.abs().flatten(1).amax(1)[:, None, None, None]
    return x + eps * drawn


def _apgd_ce(module, x, labels, eps, norm, seed, ids):
    from pyautoattack.autopgd_base import APGDAttack

    attack = APGDAttack(module, n_iter=ITERATIONS, loss="ce", logger=_SILENT, **_library(norm, eps, x))
    attack.init_hyperparam(x)
    return attack.attack_single_run(x, labels, x_init=_start(x, eps, norm, seed, ids, "apgd-ce"))[3]


def _apgd_t(module, x, labels, eps, norm, seed, ids):
    from pyautoattack.autopgd_base import APGDAttack_targeted

    attack = APGDAttack_targeted(module, n_iter=ITERATIONS, logger=_SILENT, **_library(norm, eps, x))
    attack.init_hyperparam(x)
    n_classes = _n_classes(module, x)
    attack.loss = "dlr-targeted" if n_classes >= 4 else "ce-targeted"
    found = x.clone()
    for target in range(2, min(TARGETS, n_classes - 1) + 2):  # the second likeliest class, the third, ...
        left = _right(module, found, labels)
        if not len(left):
            break
        with torch.no_grad():
            attack.y_target = module(x[left]).sort(dim=1)[1][:, -target]
        start = _start(x[left], eps, norm, seed, [ids[i] for i in left.tolist()], "apgd-t", target)
        found[left] = attack.attack_single_run(x[left], labels[left], x_init=start)[3]
    return found


def _fab_t(module, x, labels, eps, norm, seed, ids):
    from pyautoattack.fab_pt import FABAttack_PT

    targets = min(TARGETS, _n_classes(module, x) - 1)
    attack = FABAttack_PT(
        module,
        n_iter=ITERATIONS,
        seed=seed,
        targeted=True,
        n_target_classes=targets,
        **_library(norm, eps, x),
    )
    return attack.perturb(x, labels)


def _square(module, x, labels, eps, norm, seed, ids):
    from pyautoattack.square import SquareAttack

    class OneDraw(SquareAttack):
        """The same with one draw of signs for all images: it then depends on no other image."""

        def random_choice(self, shape):
            one = [1, *shape[1:]] if len(shape) == 4 else shape
            return super().random_choice(one).expand(*shape)

    attack = OneDraw(
        module, n_queries=QUERIES, p_init=0.8, resc_schedule=False, seed=seed, **_library(norm, eps, x)
    )
    return attack.perturb(x, labels)


_PARTS = {"apgd-ce": _apgd_ce, "apgd-t": _apgd_t, "fab-t": _fab_t, "square": _square}
