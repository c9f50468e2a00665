"""The reverse direction: are networks that were trained to be robust less or more selective than their plain twins?"""

import numpy as np

from robustshape.models.zoo_names import name_of, parts_of

REVERSE = {"augmix": "AugMix-like", "pgd": "adversarial (PGD)"}
TREATMENTS = (*REVERSE, "noise", "alpha=")  # with which a part of a recipe begins that no twin may have


def pairs(rows, recipe: str):
    """Return the selectivity of networks trained with `recipe` and of their plain twins: two (pair,) arrays, names.

    Twins have the same architecture, schedule and seed; no other treatment against corruption or attack, nor an alpha.
    Diverged ones are left out.
    """
    known = {str(m): float(v) for m, v in zip(rows.model.values, rows["mean_selectivity"].values)}
    treated, control, names = [], [], []
    for model, value in known.items():
        twin = _twin(model, recipe)
        if twin and np.isfinite(value) and np.isfinite(known.get(twin, np.nan)):
            treated.append(value)
            control.append(known[twin])
            names.append(model)
    return np.array(treated), np.array(control), names


def _twin(model: str, recipe: str) -> str:
    """Return the name of a network of ours without one of its joined recipes; "" where that leaves no plain twin.

    >>> _twin("zoo:cnn_a-augmix/1", "augmix"), _twin("zoo:cifar_resnet20-pgd+steps/2", "pgd")
    ('zoo:cnn_a/1', 'zoo:cifar_resnet20-steps/2')
    >>> _twin("zoo:cnn_a/1", "pgd"), _twin("zoo:cnn_a-pgd+noise", "pgd"), _twin("file:a-pgd", "pgd")
    ('', '', '')
    """
    parts = parts_of(model)
    joined = parts.recipe.split("+") if parts else []
    left = [part for part in joined if part != recipe]
    if len(left) == len(joined) or any(part.startswith(TREATMENTS) for part in left):
        return ""
    return name_of(parts.architecture, "+".join(left), parts.seed)


def architectures(names) -> str:
    """Return the architectures of some networks of the zoo, in words.

    >>> architectures(["zoo:cnn_a-pgd", "zoo:cnn_a-pgd/1", "zoo:resnet"])
    'cnn_a, resnet'
    """
    return ", ".join(dict.fromkeys(parts_of(name).architecture for name in names))
