"""The matched population: one architecture under several recipes and seeds, where nothing but the training differs.

A pool of unlike networks mixes accurate fragile ones with inaccurate robust ones, so that any number which follows
accuracy looks like a predictor of robustness there, even with the wrong sign.
"""

import numpy as np

from robustshape.models.zoo_names import parts_of


def architecture_of(model: str) -> str:
    """Return the architecture of a network of ours, "" of another.

    >>> architecture_of("zoo:cifar_resnet20-pgd+steps/2"), architecture_of("timm:resnet50.a1_in1k")
    ('cifar_resnet20', '')
    """
    parts = parts_of(model)
    return parts.architecture if parts else ""


def matched(rows):
    """Return the rows of the architecture of ours that was trained under most recipes, or None.

    At least three recipes, and at least one of them with several seeds.
    """
    names = np.array([architecture_of(model) for model in rows.model.values])
    recipes, best = rows["recipe"].values.astype(str), None
    for name in dict.fromkeys(names[(names != "") & (rows["training_seed"].values >= 0)]):
        runs = np.flatnonzero(names == name)
        kinds = len(set(recipes[runs]))
        if 2 < kinds < len(runs) and (best is None or kinds > best[0]):
            best = kinds, runs
    return None if best is None else rows.isel(model=best[1])
