"""Confidence: how sure a classifier is of its answers on clean data, read from its logits.

These see the last layer as well as the features before it. Neither is calibrated: multiplying all logits by a
factor changes both and no answer.
"""

import numpy as np

from robustshape.errors import InputError
from robustshape.indicators.registered import INDICATORS


@INDICATORS.register(
    "mean_margin", symbol="margin", about="mean of the true class's logit less the largest other"
)
def mean_margin(logits, labels) -> float:
    """Return the mean margin: the logit of the true class less the largest of the others.

    Signed, so a sample that is classified wrongly counts as negative: the margin operator
    ``M(z, y) = z_y - max over j other than y of z_j`` of Bartlett, Foster, Telgarsky 2017,
    "Spectrally-normalized margin bounds for neural networks", NeurIPS, here averaged and not normalised.

    Parameters
    ----------
    logits : (n, c) float
        One row per sample and one column per class, finite; at least two classes. Computed in float64.
    labels : (n,) int
        True class of each sample, the number of its column.

    Returns
    -------
    float
        Any real number, and higher is better separated. Adding a constant to all logits of a sample does not
        change it; scaling all logits scales it. Shuffled labels of classes of a size give less than 0 (about
        0 if there are two), and equal logits 0.

    Raises
    ------
    InputError
        If the shapes do not fit, labels are not integers or out of range, or a logit is NaN or infinite.

    Examples
    --------
    The first is right by 2, the second wrong by 1.

    >>> mean_margin([[3.0, 1.0, 0.0], [2.0, 0.0, 1.0]], [0, 2])
    0.5
    """
    logits = _checked_logits(logits, "the mean margin")
    labels = np.asarray(labels)
    n, c = logits.shape
    if labels.shape != (n,):
        raise InputError(
            f"the mean margin needs one label per sample, "
            f"but was given logits {n, c} and labels {labels.shape}"
        )
    if labels.dtype.kind not in "iu":
        raise InputError(f"labels must be integers, but are {labels.dtype}; number the classes first")
    if labels.min() < 0 or labels.max() >= c:
        raise InputError(
            f"labels must be 0 to {c - 1}, a column of the logits, "
            f"but reach from {labels.min()} to {labels.max()}; number the classes as the network does"
        )
    true = logits[np.arange(n), labels]
    logits[np.arange(n), labels] = -np.inf
    return float((true - logits.max(axis=1)).mean())


@INDICATORS.register(
    "mean_max_softmax", symbol="max softmax", about="mean probability of the predicted class; heeds no label"
)
def mean_max_softmax(logits) -> float:
    """Return the mean over samples of the largest softmax probability, right or wrong; no label is needed.

    Hendrycks & Gimpel 2017, "A baseline for detecting misclassified and out-of-distribution examples in
    neural networks", ICLR.

    Parameters
    ----------
    logits : (n, c) float
        As for `mean_margin`.

    Returns
    -------
    float
        In [1/c, 1], and higher is more confident; equal logits give 1/c. Adding a constant to all logits of a
        sample does not change it.

    Examples
    --------
    Odds of 3 to 1, and even ones.

    >>> round(mean_max_softmax([[np.log(3), 0.0], [1000.0, 1000.0]]), 4)  # 0.75 and 0.5
    0.625
    """
    logits = _checked_logits(logits, "the mean maximal softmax")
    logits -= logits.max(axis=1, keepdims=True)  # the largest is then exp(0) over the sum, and none overflows
    return float((1 / np.exp(logits).sum(axis=1)).mean())


def _checked_logits(logits, purpose: str) -> np.ndarray:
    """Return a float64 copy of the logits (n, c), or say why they cannot be used."""
    logits = np.asarray(logits)
    if logits.ndim != 2 or not len(logits) or logits.shape[1] < 2 or logits.dtype.kind not in "fiu":
        raise InputError(
            f"{purpose} needs real logits (n, c) of at least one sample and two classes, "
            f"but was given {logits.dtype} {logits.shape}"
        )
    if not np.isfinite(logits).all():
        bad = int(np.count_nonzero(~np.isfinite(logits).all(axis=1)))
        raise InputError(f"{bad} of {len(logits)} samples have NaN or infinite logits; leave them out")
    return logits.astype(np.float64)


@INDICATORS.register("accuracy", symbol="accuracy", about="share of right predictions among all classes")
def accuracy(logits, labels) -> float:
    """Return the share of samples whose largest logit is that of their class."""
    logits = _checked_logits(logits, "an accuracy")
    return float((logits.argmax(1) == np.asarray(labels)).mean())


@INDICATORS.register(
    "accuracy_among_classes",
    symbol="accuracy among",
    about="share of right predictions among the classes that occur",
)
def accuracy_among_classes(logits, labels) -> float:
    """Return the share of samples whose largest logit among those of the classes in `labels` is that of their class."""
    logits, classes = _checked_logits(logits, "an accuracy"), np.unique(labels)
    return float((classes[logits[:, classes].argmax(1)] == np.asarray(labels)).mean())
