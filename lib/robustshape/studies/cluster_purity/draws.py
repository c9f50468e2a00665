"""What is measured on a draw of classes: both clusterings, also with other numbers of clusters, and accuracy."""

import numpy as np

from robustshape.indicators.multicut import Calibration, fit_calibration, multicut_clusters
from robustshape.indicators.purity import cluster_agreement, kmeans_clusters
from robustshape.measurements.draws import Draw

CLUSTERINGS = ("k-means", "multicut")
AGREEMENT = ("purity", "n_clusters", "ari", "nmi")
RATIOS = (1, 2, 4, 8)  # of k-means clusters per class
SHIFTS = (-2.0, -1.0, 0.0, 1.0, 2.0)  # of the log-odds that a pair is of different classes: above 0 cuts more


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
