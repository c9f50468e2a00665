"""The zoo's ways of training, so that a family's networks differ in robustness; no torch needed to list them.

Every recipe but ``plain`` is the plain one with one thing changed. What a recipe does follows the
architecture alone, not the data it is trained on. cnn_a and cifar_resnet, made for colour photographs, shift
every image by up to 4 pixels and mirror half of them, digits too. lenet, resnet, convnext and vit shift by up
to 2 pixels and mirror nothing, photographs neither, and their ``pgd`` (the perceptron's too) has the radius
0.15 on any data: zoo:lenet-pgd on CIFAR-10 trains far beyond the usual 8/255. The multilayer perceptron sees
images unshifted, and has the classical Adam at a constant rate, since it is compared with published numbers.
"""

from dataclasses import replace

from robustshape.registry import unknown_name
from robustshape.training.recipe import Recipe

PHOTOGRAPHS = ("crop", "flip")
CIFAR_RESNET = Recipe(
    learning_rate=8e-3,
    epochs=20,
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


def recipe_for(architecture: str, name: str) -> Recipe:
    """Return the recipe `name` of the family `architecture`.

    >>> recipe_for("lenet", "noise").augmentation
    ('shift', 'noise')
    """
    if name not in CHANGES:
        raise unknown_name("recipe", name, CHANGES, "robustshape list models 'zoo:*'")
    plain = PLAIN[architecture]
    changes = CHANGES_FOR_PHOTOGRAPHS if plain.augmentation == PHOTOGRAPHS else CHANGES
    change = dict(changes[name])
    change["augmentation"] = plain.augmentation + change.get("augmentation", ())
    return replace(plain, **change)
