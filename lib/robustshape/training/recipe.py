"""A recipe: everything but the network and the data that decides how a network is trained.

Plain numbers and names, without torch, so that recipes can be listed and hashed at once.
"""

import math
from dataclasses import asdict, dataclass

from robustshape.errors import InputError

OPTIMISERS = ("adam", "adamw", "sgd")
PRECISIONS = ("float32", "float16")
SELECTIVITY_VERSION = 1  # raised when the regulariser changes its numbers; other networks keep their keys
SCHEDULES = ("constant", "one_cycle", "cosine", "steps")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to train; the defaults are a short AdamW run with a one-cycle learning rate.

    `epochs` are meant for small data, of up to 5,000 images; `epochs_for` scales them to larger ones.
    """

    optimiser: str = "adamw"  # adam | adamw | sgd
    learning_rate: float = 3e-3  # the highest one of the schedule
    weight_decay: float = 0.01  # of weights with two dimensions or more
    momentum: float = 0.9  # of sgd
    schedule: str = "one_cycle"  # constant | one_cycle | cosine | steps
    milestones: tuple[float, ...] = ()  # of steps: shares of the run after which the rate falls ...
    decay_factor: float = 0.1  # ... by this factor
    epochs: int = 12
    batch_size: int = 128
    augmentation: tuple[str, ...] = ("shift",)  # names of training.augmentation, applied in this order
    label_smoothing: float = 0.0
    mixup: bool = False  # Zhang et al. 2018 with alpha = 1: one uniform share a batch
    adversary_eps: float = 0.0  # L-infinity radius of adversarial training; 0 = none
    adversary_steps: int = 2
    adversary_step: float = 0.0  # length of a step in radii; 0 = 2 / adversary_steps
    adversary_ramp: tuple[float, float] = (
        0.0,
        0.3,
    )  # shares of the run between which the radius grows from 0
    trains_on: tuple[str, ...] = ()  # corruptions (by name) that the network sees while it is trained
    channels_last: bool = False
    mixed_precision: bool = False  # bfloat16 on CUDA; ignored elsewhere, where it is slower
    n_images: int = 0  # a class-balanced part of the training images, so many; 0 = all
    selectivity: float = 0.0  # alpha of the class selectivity regulariser: < 0 discourages, > 0 promotes
    kept_as: str = "float32"  # of the weights: float16 halves the file, and the rounded ones are what is used

    def __post_init__(self):
        for field, allowed in (("optimiser", OPTIMISERS), ("schedule", SCHEDULES)):
            if getattr(self, field) not in allowed:
                raise InputError(
                    f"{field} is {getattr(self, field)!r}, but must be one of {', '.join(allowed)}"
                )
        if self.selectivity and self.mixup:
            raise InputError(
                "class selectivity has no meaning for images mixed of two classes: leave out mixup or alpha"
            )
        if self.kept_as not in PRECISIONS or self.n_images < 0:
            raise InputError(
                f"kept_as={self.kept_as!r}, n_images={self.n_images}: the first must be one of "
                f"{', '.join(PRECISIONS)}, the second 0 (all) or more"
            )
        if self.epochs < 1 or self.batch_size < 1:
            raise InputError(f"epochs={self.epochs}, batch_size={self.batch_size}: both must be at least 1")
        begin, end = self.adversary_ramp
        if not 0 <= begin < end <= 1:
            raise InputError(
                f"adversary_ramp is {self.adversary_ramp}, but must be two rising shares of the run, such as (0.0, 0.3)"
            )
        if not math.isfinite(self.selectivity):
            raise InputError(f"selectivity is {self.selectivity}, but must be a finite number, such as -0.4")

    def describe(self) -> dict:
        """Return the fields as a plain dictionary; those that came last only where they change something.

        >>> "n_images" in Recipe().describe(), Recipe(n_images=500).describe()["n_images"]
        (False, 500)
        """
        # keys made before them stay valid
        late = {
            "n_images": 0,
            "kept_as": "float32",
            "selectivity": 0.0,
            "adversary_step": 0.0,
            "adversary_ramp": (0.0, 0.3),
        }
        found = {name: value for name, value in asdict(self).items() if late.get(name, ...) != value}
        if self.selectivity and SELECTIVITY_VERSION > 1:
            found["selectivity version"] = SELECTIVITY_VERSION
        return found


def epochs_for(recipe: Recipe, n_images: int) -> int:
    """Return the recipe's epochs for small data, fewer for larger: as one over the root of the size.

    >>> epochs_for(Recipe(epochs=28), 3500), epochs_for(Recipe(epochs=28), 60_000)
    (28, 8)
    """
    if n_images <= 5000:
        return recipe.epochs
    return max(1, round(recipe.epochs * math.sqrt(5000 / n_images)))


def learning_rate(recipe: Recipe, step: int, n_steps: int) -> float:
    """Return the learning rate of step 0 <= `step` < `n_steps`.

    one_cycle: linear from 1/25 of the highest rate over the first 30 % (Smith & Topin 2018,
    arXiv 1708.07120), then a cosine to 0; cosine: the cosine alone; steps: times `decay_factor` at
    each of the `milestones`.

    >>> [round(learning_rate(Recipe(learning_rate=1.0), step, 100), 2) for step in (0, 30, 65, 99)]
    [0.04, 1.0, 0.5, 0.0]
    """
    done = step / n_steps
    if recipe.schedule == "constant":
        share = 1.0
    elif recipe.schedule == "steps":
        share = recipe.decay_factor ** sum(done >= milestone for milestone in recipe.milestones)
    else:
        warm = 0.3 if recipe.schedule == "one_cycle" else 0.0
        if done < warm:
            share = 0.04 + 0.96 * done / warm
        else:
            share = 0.5 * (1 + math.cos(math.pi * (done - warm) / (1 - warm)))
    return recipe.learning_rate * share
