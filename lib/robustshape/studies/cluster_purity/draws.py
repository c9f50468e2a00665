"""Draws of classes: on some images of some classes, every clustering and every rival indicator; another calibrates.

All indicators of a draw see the same features, so that a difference between them is no matter of images. All
networks get the same draws.
"""

from dataclasses import dataclass

import numpy as np

from robustshape.errors import InputError
from robustshape.indicators import INDICATORS
from robustshape.indicators.confidence import mean_margin, mean_max_softmax
from robustshape.indicators.multicut import Calibration, check_number, fit_calibration, multicut_clusters
from robustshape.indicators.purity import cluster_agreement, kmeans_clusters

CLUSTERINGS = ("k-means", "multicut")
AGREEMENT = ("purity", "n_clusters", "ari", "nmi")
OURS = "kmeans_purity"  # of the registry: it is a clustering of this study
OF_LOGITS = {"mean_margin": mean_margin, "mean_max_softmax": lambda logits, labels: mean_max_softmax(logits)}
RATIOS = (1, 2, 4, 8)  # of k-means clusters per class
SHIFTS = (-2.0, -1.0, 0.0, 1.0, 2.0)  # of the log-odds that a pair is of different classes: above 0 cuts more


@dataclass(frozen=True)
class Draw:
    """Positions of the images of some classes that are clustered, and of those of other classes that calibrate."""

    scored: np.ndarray
    calibration: np.ndarray


def class_draws(labels, *, n_classes: int, per_class: int, n_draws: int, seed: int) -> list[Draw]:
    """Return draws of `n_classes` classes with `per_class` images each, and of other classes to calibrate with.

    Parameters
    ----------
    labels : (n,) int
    n_classes : int
        In a draw, at least 2; 0: half of those that there are. As many others calibrate, or all that are left.
    per_class : int
        Images of each class in a draw, and in its calibration, at least 2.
    n_draws : int
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
    if not 2 <= n_classes <= len(classes) - 2:
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
        draws.append(Draw(np.concatenate(chosen[:n_classes]), np.concatenate(chosen[n_classes:])))
    return draws


def of_first(draw: Draw, labels, per_class: int) -> Draw:
    """Return the draw with the first `per_class` images of each of its classes alone."""
    parts = []
    for positions in (draw.scored, draw.calibration):
        kept = [positions[labels[positions] == c][:per_class] for c in dict.fromkeys(labels[positions])]
        parts.append(np.concatenate(kept))
    return Draw(*parts)


def accuracies(logits, labels, right_of_all, positions) -> dict[str, float]:
    """Return the accuracy on these images among all classes that the network knows, and among theirs alone.

    Parameters
    ----------
    logits : (n, c) float
        Of the data set's classes.
    labels : (n,) int
    right_of_all : (n,) bool or None
        Whether the network is right among all the classes it knows; None: `logits` are of all of them.
    positions : (m,) int
    """
    logits, labels = logits[positions], labels[positions]
    of_all = logits.argmax(1) == labels if right_of_all is None else right_of_all[positions]
    classes = np.unique(labels)
    restricted = classes[logits[:, classes].argmax(1)] == labels
    return {"accuracy": float(of_all.mean()), "accuracy_restricted": float(restricted.mean())}


def clusterings(features, labels, draw: Draw, *, rng) -> tuple[dict[str, dict[str, float]], Calibration]:
    """Return `AGREEMENT` of each of `CLUSTERINGS` on a draw, and how the multicut was calibrated.

    Where distances on the calibrating classes do not tell classes apart there is no multicut: its numbers are NaN.
    """
    scored, known = features[draw.scored], labels[draw.scored]
    calibration = fit_calibration(features[draw.calibration], labels[draw.calibration])
    kmeans = kmeans_clusters(scored, len(np.unique(known)), rng=rng)
    multicut = dict.fromkeys(AGREEMENT, np.nan)
    if calibration.separates:
        multicut = cluster_agreement(multicut_clusters(scored, calibration), known)
    return {"k-means": cluster_agreement(kmeans, known), "multicut": multicut}, calibration


def rival_names() -> list[str]:
    """Return the names of the rivals: every registered indicator but k-means purity, and those of the logits."""
    return [name for name in INDICATORS.names() if name != OURS] + list(OF_LOGITS)


def rivals(features, labels, logits, *, rng) -> dict[str, float]:
    """Return every registered indicator but k-means purity, and those of the logits, on the images of a draw."""
    of_features = {
        name: float(INDICATORS[name](features, labels, rng)) for name in INDICATORS.names() if name != OURS
    }
    return of_features | {name: function(logits, labels) for name, function in OF_LOGITS.items()}


def by_number_of_clusters(features, labels, draw: Draw, calibration: Calibration, *, rng) -> dict:
    """Return purity and number of clusters with more clusters: `RATIOS` for k-means, `SHIFTS` for the multicut."""
    from dataclasses import replace

    scored, known = features[draw.scored], labels[draw.scored]
    n_classes = len(np.unique(known))
    found = {"k-means": [], "multicut": []}
    for ratio in RATIOS:
        n_clusters = min(len(known), ratio * n_classes)
        found["k-means"].append(cluster_agreement(kmeans_clusters(scored, n_clusters, rng=rng), known))
    for shift in SHIFTS:
        if not calibration.separates:
            found["multicut"].append(dict.fromkeys(AGREEMENT, np.nan))
            continue
        shifted = replace(calibration, intercept=calibration.intercept + shift)
        found["multicut"].append(cluster_agreement(multicut_clusters(scored, shifted), known))
    return found
