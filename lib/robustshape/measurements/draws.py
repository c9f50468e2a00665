"""Draws of classes: some images of some classes, on which indicators are compared; other classes calibrate.

All indicators of a draw see the same features, so that a difference between them is no matter of images. All
networks get the same draws.
"""

from dataclasses import dataclass

import numpy as np

from robustshape.errors import InputError
from robustshape.indicators.multicut import check_number


@dataclass(frozen=True)
class Draw:
    """Positions of the images of some classes that are clustered, and of those of other classes that calibrate."""

    scored: np.ndarray
    calibration: np.ndarray


def class_draws(
    labels, *, n_classes: int, per_class: int, n_draws: int, seed: int, calibrated: bool = True
) -> list[Draw]:
    """Return draws of `n_classes` classes with `per_class` images each, and of other classes to calibrate with.

    Parameters
    ----------
    labels : (n,) int
    n_classes : int
        In a draw, at least 2; 0: half of those that there are. As many others calibrate, or all that are left.
    per_class : int
        Images of each class in a draw, and in its calibration, at least 2.
    n_draws : int
    calibrated : bool
        Whether two classes at least must be left to calibrate with; without, a draw may have all of them.
    seed : int
        Draws depend on nothing but it and the labels; the first ones are the same however many are asked for.

    Raises
    ------
    InputError
        If a class has fewer images, fewer than two classes are left to calibrate with, or a draw has too many
        images for a multicut.

    Examples
    --------
    >>> [draw] = class_draws([0, 0, 1, 1, 2, 2, 3, 3], n_classes=2, per_class=2, n_draws=1, seed=0)
    >>> sorted([*draw.scored.tolist(), *draw.calibration.tolist()])
    [0, 1, 2, 3, 4, 5, 6, 7]
    """
    labels = np.asarray(labels)
    classes, sizes = np.unique(labels, return_counts=True)
    n_classes = n_classes or len(classes) // 2
    if not 2 <= n_classes <= len(classes) - 2 * calibrated:
        raise InputError(
            f"a draw of {n_classes} classes was asked for, but the images are of {len(classes)}: a draw has at least "
            "2, and 2 others must be left to calibrate the multicut with"
        )
    if not 2 <= per_class <= sizes.min():
        raise InputError(
            f"a draw takes {per_class} images of each class, but class {classes[sizes.argmin()]} has {sizes.min()} "
            "here, and 2 are the fewest; lower per_class or raise n_samples"
        )
    check_number(n_classes * per_class)
    draws = []
    for i in range(n_draws):
        rng = np.random.default_rng([seed, 1, i])
        order = rng.permutation(len(classes))
        chosen = [
            rng.permutation(np.flatnonzero(labels == classes[c]))[:per_class] for c in order[: 2 * n_classes]
        ]
        others = chosen[n_classes:] or [np.array([], int)]
        draws.append(Draw(np.concatenate(chosen[:n_classes]), np.concatenate(others)))
    return draws


def of_first(draw: Draw, labels, per_class: int) -> Draw:
    """Return the draw with the first `per_class` images of each of its classes alone."""
    parts = []
    for positions in (draw.scored, draw.calibration):
        kept = [positions[labels[positions] == c][:per_class] for c in dict.fromkeys(labels[positions])]
        parts.append(np.concatenate(kept))
    return Draw(*parts)
