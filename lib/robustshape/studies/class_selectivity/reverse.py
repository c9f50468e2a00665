"""The reverse direction: are networks that were trained to be robust less or more selective than their plain twins?"""

import re

import numpy as np

REVERSE = {"augmix": "AugMix-like", "pgd": "adversarial (PGD)"}


def pairs(rows, recipe: str):
    """Return the selectivity of networks trained with `recipe` and of their plain twins: two (pair,) arrays, names.

    Twins have the same architecture, schedule and seed; no other treatment against corruption or attack, nor an alpha.
    Diverged ones are left out.
    """
    known = {str(m): float(v) for m, v in zip(rows.model.values, rows["mean_selectivity"].values)}
    treated, control, names = [], [], []
    for model, value in known.items():
        twin = _without(model, recipe)
        otherwise = re.search(rf"[-+]({'|'.join(REVERSE)}|noise|alpha=)", twin)
        if twin == model or otherwise or not model.startswith("zoo:"):
            continue
        if np.isfinite(value) and np.isfinite(known.get(twin, np.nan)):
            treated.append(value)
            control.append(known[twin])
            names.append(model)
    return np.array(treated), np.array(control), names


def _without(model: str, recipe: str) -> str:
    """Return the name of a network without one of its joined recipes.

    >>> _without("zoo:cnn_a-augmix/1", "augmix"), _without("zoo:cifar_resnet20-pgd+steps/2", "pgd")
    ('zoo:cnn_a/1', 'zoo:cifar_resnet20-steps/2')
    """
    name = re.sub(rf"([-+]){recipe}(?:\+|(?=/|$))", r"\1", model)
    return re.sub(r"[-+](?=/|$)", "", name)


def architectures(names) -> str:
    """Return the architectures of some networks of the zoo, in words.

    >>> architectures(["zoo:cnn_a-pgd", "zoo:cnn_a-pgd/1", "zoo:resnet"])
    'cnn_a, resnet'
    """
    return ", ".join(dict.fromkeys(re.split("[-/]", name.removeprefix("zoo:"))[0] for name in names))
