"""What became of a training: is the network above chance, and does it withstand more than what it was trained with?

Training against one step may end in catastrophic overfitting: the network withstands that step, and nothing else
(Wong, Rice, Kolter 2020, arXiv 2001.03994, section 5.4). So its accuracy under the attack it was trained with is
compared with that under ten steps of PGD.
"""

import math

import numpy as np
import torch

from robustshape.attacks.pgd import pgd
from robustshape.training.recipe import Recipe

N_IMAGES = 512
STEPS = 10  # of the stronger attack, each of a quarter of the radius


def outcome(module, images, labels, recipe: Recipe, *, generator) -> dict:
    """Return accuracies of a trained network on some of its training images, unaugmented, and what they mean.

    Parameters
    ----------
    module : torch.nn.Module
        In eval mode; maps (n, c, h, w) images in [0, 1] to logits.
    images : (n, h, w, c) uint8
        Of these, at most 512 are taken, the same ones for every network.
    labels : (n,) int
    recipe : Recipe
        Its adversary, if it has one, is what the network was trained with.
    generator : torch.Generator
        On the device of the module; draws the attacks' starts.

    Returns
    -------
    dict
        ``clean_accuracy``; ``at_chance``: it is within two standard errors of the share of the most frequent class,
        or below. With an adversary also ``trained_attack_accuracy``, ``pgd_accuracy`` and
        ``catastrophic_overfitting``: the latter is below half of the former.
    """
    chosen = np.random.default_rng(0).permutation(len(images))[:N_IMAGES]
    device = next(module.parameters()).device
    x = torch.from_numpy(images[chosen]).to(device).permute(0, 3, 1, 2).float() / 255
    y = torch.from_numpy(labels[chosen].astype(np.int64)).to(device)
    clean, chance = _accuracy(module, x, y), float(torch.bincount(y).max()) / len(y)
    found = {
        "clean_accuracy": clean,
        "at_chance": clean <= chance + 2 * math.sqrt(chance * (1 - chance) / len(y)),
    }
    if recipe.adversary_eps:
        eps, steps = recipe.adversary_eps, recipe.adversary_steps
        length = step_length(recipe, eps)
        one, many = (
            _accuracy(module, pgd(module, x, y, eps=eps, steps=n, step_size=size, generator=generator), y)
            for n, size in ((steps, length), (STEPS, eps / 4))
        )
        found |= {"trained_attack_accuracy": one, "pgd_accuracy": many}
        found["catastrophic_overfitting"] = many < one / 2
    return found


def step_length(recipe: Recipe, eps: float) -> float:
    """Return the length of a step of the recipe's adversary at the radius `eps`."""
    return recipe.adversary_step * eps or 2 * eps / recipe.adversary_steps


def _accuracy(module, x, y) -> float:
    with torch.inference_mode():
        return float((module(x).argmax(1) == y).double().mean())
