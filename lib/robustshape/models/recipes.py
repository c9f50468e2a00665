"""The zoo's ways of training, so that a family's networks differ in robustness; no torch needed to list them.

Every recipe but ``plain`` is the plain one with one thing changed. What a recipe does follows the
architecture alone, not the data it is trained on. cnn_a and cifar_resnet, made for colour photographs, shift
every image by up to 4 pixels and mirror half of them, digits too. lenet, resnet, convnext and vit shift by up
to 2 pixels and mirror nothing, photographs neither, and their ``pgd`` (the perceptron's too) has the radius
0.15 on any data: zoo:lenet-pgd on CIFAR-10 trains far beyond the usual 8/255. The multilayer perceptron sees
images unshifted, and has the classical Adam at a constant rate, since it is compared with published numbers.
"""

import math
from dataclasses import replace

from robustshape.registry import unknown_name
from robustshape.training.recipe import Recipe

PHOTOGRAPHS = ("crop", "flip")
CIFAR_RESNET = Recipe(  # SGD as in He et al. 2016, in one short cycle instead of 200 epochs of steps
    optimiser="sgd",
    learning_rate=0.2,
    weight_decay=5e-4,
    epochs=16,
    augmentation=PHOTOGRAPHS,
    channels_last=True,
    n_images=20_000,
    kept_as="float16",
)

# The plain recipe of each family.
PLAIN = {
    "mlp": Recipe(
        optimiser="adam",
        learning_rate=1e-3,
        weight_decay=0.0,
        schedule="constant",
        augmentation=(),
        epochs=28,
    ),
    "lenet": Recipe(learning_rate=3e-3, epochs=12),
    "resnet": Recipe(learning_rate=5e-3, epochs=8),
    "convnext": Recipe(learning_rate=8e-3, epochs=12),
    "vit": Recipe(learning_rate=4e-3, batch_size=64, epochs=14),
    # two made for colour photographs; weights are kept in half precision, for they come with the project
    "cnn_a": Recipe(
        learning_rate=6e-3, epochs=20, augmentation=PHOTOGRAPHS, n_images=20_000, kept_as="float16"
    ),
    **dict.fromkeys(("cifar_resnet20", "cifar_resnet32", "cifar_resnet44", "cifar_resnet56"), CIFAR_RESNET),
}

# What each recipe changes: fields of Recipe; `augmentation` is added to the family's own.
CHANGES = {
    "plain": {},
    "noise": {"augmentation": ("noise",), "trains_on": ("gaussian_noise",)},
    "augmix": {"augmentation": ("augmix",)},
    "mixup": {"mixup": True},
    "smooth": {"label_smoothing": 0.1},
    "decay": {"optimiser": "adamw", "weight_decay": 3.0},
    "sgd": {
        "optimiser": "sgd",
        "learning_rate": 0.1,
        "momentum": 0.0,
        "weight_decay": 0.0,
        "schedule": "constant",
    },
    "pgd": {"adversary_eps": 0.15, "adversary_steps": 2},
}

# The same for the architectures made for colour photographs, where it differs: less noise and decay, and the
# field's radius of 8/255.
CHANGES_FOR_PHOTOGRAPHS = CHANGES | {
    "decay": {"weight_decay": 1.0},
    "noise": {"augmentation": ("faint_noise",), "trains_on": ("gaussian_noise",)},
    "pgd": {"adversary_eps": 8 / 255, "adversary_steps": 2},
}

# In SGD the decay is multiplied by the far larger learning rate.
CHANGES_FOR_SGD = CHANGES_FOR_PHOTOGRAPHS | {"decay": {"weight_decay": 5e-3}}

# Besides these names, "alpha=A" is the plain recipe with the class selectivity regulariser at strength A:
# A < 0 discourages, A > 0 promotes selectivity (Leavitt, Morcos 2020, arXiv 2003.01262), and alpha=0 is plain.
ALPHA = "alpha="


def is_recipe(name: str) -> bool:
    """Return whether `name` is a recipe that `recipe_for` knows.

    >>> is_recipe("pgd"), is_recipe("alpha=-0.4"), is_recipe("alpha=much")
    (True, True, False)
    """
    return name in CHANGES or (name.startswith(ALPHA) and _strength(name) is not None)


def _strength(name: str) -> float | None:
    """Return the number A of "alpha=A", None where it is none or not finite."""
    try:
        strength = float(name.removeprefix(ALPHA))
    except ValueError:
        return None
    return strength if math.isfinite(strength) else None


def recipe_for(architecture: str, name: str) -> Recipe:
    """Return the recipe `name` of the family `architecture`.

    >>> recipe_for("lenet", "noise").augmentation
    ('shift', 'noise')
    >>> recipe_for("resnet", "alpha=-0.4").selectivity
    -0.4
    """
    if not is_recipe(name):
        raise unknown_name("recipe", name, CHANGES, "robustshape list models 'zoo:*'")
    plain = PLAIN[architecture]
    if name.startswith(ALPHA):
        return replace(plain, selectivity=_strength(name))
    changes = CHANGES_FOR_PHOTOGRAPHS if plain.augmentation == PHOTOGRAPHS else CHANGES
    changes = CHANGES_FOR_SGD if plain.optimiser == "sgd" else changes
    change = dict(changes[name])
    change["augmentation"] = plain.augmentation + change.get("augmentation", ())
    return replace(plain, **change)
