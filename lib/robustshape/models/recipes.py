"""The zoo's ways of training, so that a family's networks differ in robustness; no torch needed to list them.

Every recipe but ``plain`` is the plain one with one thing changed; names joined by ``+`` change it in turn, such as
``steps+alpha=-1``. What a recipe does follows the architecture alone, not the data it is trained on. cnn_a,
cifar_resnet and tiny_resnet, made for colour photographs, shift every image by up to 4 pixels and mirror half of
them, digits too. lenet, resnet, convnext and vit shift by up to 2 pixels and mirror nothing, photographs neither,
and their ``pgd`` (the perceptron's too) has the radius 0.15 on any data: zoo:lenet-pgd on CIFAR-10 trains far
beyond the usual 8/255. The multilayer perceptron sees images unshifted, and has the classical Adam at a constant
rate, since it is compared with published numbers.

The small networks of `robustshape.models.families` are trained alike, so that a population of them differs by its
architectures: by the same recipe but for the learning rate of their clan, which follows what they are trained on.
Images of one channel count as digits: one pass over MNIST, shifts of up to 2 pixels. Images of three count as
photographs: 4 passes over CIFAR-10, shifts of up to 4 pixels, mirrored. The radius of ``fast`` follows the channels
for every architecture: 0.1 on digits, 2/255 on photographs; that of these families begins to grow at 30 % of the run.
"""

import math
import re
from dataclasses import replace

from robustshape.errors import InputError
from robustshape.models.families import built_here, family_of
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
# For 90 epochs, which the parameter `epochs` asks for: without it there are fewer, as of every other network.
# The index of a batch depends on its size, so the large ones are part of the method; they need a GPU.
TINY_RESNET = Recipe(
    optimiser="sgd",
    learning_rate=0.1,
    weight_decay=1e-4,
    schedule="steps",
    milestones=(35 / 90, 50 / 90, 65 / 90, 80 / 90),
    epochs=16,
    batch_size=4096,
    augmentation=PHOTOGRAPHS,
    channels_last=True,
    mixed_precision=True,
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
    "tiny_resnet18": TINY_RESNET,
    "tiny_resnet50": replace(TINY_RESNET, batch_size=1400),
}

# Those of `robustshape.models.families`; `epochs` says how many for 5,000 images, which makes 1 for 60,000 digits
# and 4 for 50,000 photographs.
FAMILY_DIGITS = Recipe(batch_size=64, epochs=5, kept_as="float16")
FAMILY_PHOTOGRAPHS = Recipe(batch_size=128, epochs=13, augmentation=PHOTOGRAPHS, kept_as="float16")
CLAN = {  # what a clan changes
    "conv, residual": {"learning_rate": 5e-3},
    "conv, plain": {"learning_rate": 5e-3},
    "mobile": {"learning_rate": 5e-3},
    "modern conv": {"learning_rate": 3e-3},
    "tokens": {"learning_rate": 2e-3},
    "mlp": {"learning_rate": 2e-3},
}

# Transformers of one scale learn slower: in one pass over MNIST the ViT reaches .81 at 2e-3 and .90 at 5e-3.
OF_ONE_SCALE = {name: {"learning_rate": 5e-3} for name in ("vit_patch4", "beit", "eva02", "cait")}

# In one pass a transformer that is attacked from its first step stays at chance: at first they learn clean images.
FAMILY_RAMP = (0.3, 0.8)

# What each recipe changes: fields of Recipe; `augmentation` is added to what there is.
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
    "steps": {"schedule": "steps", "milestones": (0.5, 0.75)},
    "pgd": {"adversary_eps": 0.15, "adversary_steps": 2},
    "corrupted": {"augmentation": ("blur_noise",), "trains_on": ("gaussian_blur", "gaussian_noise")},
    # one step of the gradient's sign from a random start: Wong, Rice, Kolter 2020, arXiv 2001.03994
    "fast": {"adversary_eps": 0.1, "adversary_steps": 1, "adversary_step": 1.25},
}
FAST_RADIUS_OF_PHOTOGRAPHS = 2 / 255

# The same for the architectures made for colour photographs, where it differs: less noise and decay, and the
# field's radius of 8/255.
CHANGES_FOR_PHOTOGRAPHS = CHANGES | {
    "decay": {"weight_decay": 1.0},
    "noise": {"augmentation": ("faint_noise",), "trains_on": ("gaussian_noise",)},
    "pgd": {"adversary_eps": 8 / 255, "adversary_steps": 2},
}

# In SGD the decay is multiplied by the far larger learning rate.
CHANGES_FOR_SGD = CHANGES_FOR_PHOTOGRAPHS | {"decay": {"weight_decay": 5e-3}}

# For them "steps" is the usual long training on all images; the parameter `epochs` asks for its 200 epochs.
CHANGES_FOR_CIFAR_RESNET = CHANGES_FOR_SGD | {
    "steps": {
        "learning_rate": 0.1,
        "weight_decay": 1e-4,
        "batch_size": 256,
        "schedule": "steps",
        "milestones": (0.5, 0.75),
        "n_images": 0,
    }
}

# Besides these names, "alpha=A" adds the class selectivity regulariser at strength A: A < 0 discourages, A > 0
# promotes selectivity (Leavitt, Morcos 2020, arXiv 2003.01262), and alpha=0 changes nothing.
ALPHA = "alpha="


def objection(name: str) -> str:
    """Return what is wrong with the recipe `name`, and what is allowed; empty if it is one.

    >>> objection("pgd"), objection("steps+alpha=-0.4")
    ('', '')
    >>> objection("alpha=much")
    "the strength in 'alpha=much' must be a finite number, such as alpha=-0.4"
    """
    parts = _parts(name)
    for part in parts:
        if part.startswith(ALPHA):
            if _strength(part) is None:
                return f"the strength in {part!r} must be a finite number, such as alpha=-0.4"
        elif part not in CHANGES:
            return f"{part!r} is no recipe; allowed are {', '.join(CHANGES)} and alpha=-0.4 (any number)"
    kinds = [part.partition("=")[0] for part in parts]
    if len(parts) > 1 and "plain" in kinds:
        return "'plain' changes nothing and cannot be joined to another recipe; leave it out"
    twice = next((kind for kind in kinds if kinds.count(kind) > 1), None)
    return f"{twice!r} stands twice in {name!r}; name it once" if twice else ""


def _parts(name: str) -> list[str]:
    """Return the names that are joined; the + of a number such as 1e+30 joins nothing."""
    return re.split(r"\+(?![0-9.])", name)


def _strength(part: str) -> float | None:
    """Return the number A of "alpha=A", None where it is none or not finite."""
    try:
        strength = float(part.removeprefix(ALPHA))
    except ValueError:
        return None
    return strength if math.isfinite(strength) else None


def plain_for(architecture: str, channels: int) -> Recipe:
    """Return the plain recipe of an architecture for images of so many channels.

    >>> plain_for("resnext", 1).augmentation, plain_for("resnext", 3).augmentation
    (('shift',), ('crop', 'flip'))
    """
    if architecture in PLAIN:
        return PLAIN[architecture]
    plain = FAMILY_DIGITS if channels == 1 else FAMILY_PHOTOGRAPHS
    return replace(plain, **CLAN[family_of(architecture).clan] | OF_ONE_SCALE.get(architecture, {}))


def _change(part: str, architecture: str, plain: Recipe, channels: int) -> dict:
    """Return what one part of a recipe's name changes of the architecture's plain recipe."""
    if part.startswith(ALPHA):
        return {"selectivity": _strength(part)}
    changes = CHANGES_FOR_PHOTOGRAPHS if plain.augmentation == PHOTOGRAPHS else CHANGES
    changes = CHANGES_FOR_SGD if plain.optimiser == "sgd" else changes
    changes = CHANGES_FOR_CIFAR_RESNET if plain is CIFAR_RESNET else changes
    change = dict(changes[part])
    if part == "fast" and channels != 1:
        change["adversary_eps"] = FAST_RADIUS_OF_PHOTOGRAPHS
    if "adversary_eps" in change and architecture not in PLAIN:
        change["adversary_ramp"] = FAMILY_RAMP
    return change


def recipe_for(architecture: str, name: str, channels: int = 1) -> Recipe:
    """Return the recipe `name` of an architecture for images of so many channels; joined parts each change the plain one.

    >>> recipe_for("lenet", "noise").augmentation
    ('shift', 'noise')
    >>> joined = recipe_for("resnet", "sgd+alpha=-0.4")
    >>> joined.optimiser, joined.selectivity
    ('sgd', -0.4)
    >>> [round(recipe_for("swin", "fast", channels).adversary_eps, 4) for channels in (1, 3)]
    [0.1, 0.0078]

    Raises
    ------
    InputError
        If a part is no recipe or stands there twice, ``plain`` is joined to another, or two parts want the same
        thing otherwise.
    """
    wrong = objection(name)
    if wrong:
        raise InputError(f"unknown recipe {name!r}: {wrong}")
    recipe = plain = plain_for(architecture, channels)
    changed = {}
    for part in _parts(name):
        change = _change(part, architecture, plain, channels)
        for field, value in change.items():
            if field != "augmentation" and changed.setdefault(field, value) != value:
                raise InputError(
                    f"the parts of {name!r} want another {field}, {changed[field]} and {value}: leave one of them out"
                )
        change["augmentation"] = recipe.augmentation + change.get("augmentation", ())
        recipe = replace(recipe, **change)
    return recipe


def architectures() -> list[str]:
    """Return the names of the architectures that have a recipe."""
    return [*PLAIN, *built_here()]
