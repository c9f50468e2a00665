"""What is said of single classes: how often they are read rightly, as what else, and how fractured they are. Pure functions."""

import numpy as np


def accuracy_by_class(right, labels, n_classes: int) -> np.ndarray:
    """Return the mean of `right` (..., n) over the images of each class (..., class); NaN for a class without images.

    >>> accuracy_by_class(np.array([1, 0, 1]), np.array([0, 0, 2]), 3)
    array([0.5, nan, 1. ])
    """
    right, labels = np.asarray(right, float), np.asarray(labels)
    found = np.full((*right.shape[:-1], n_classes), np.nan)
    for k in np.unique(labels):
        found[..., k] = right[..., labels == k].mean(axis=-1)
    return found


def read_as(predicted, labels, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the class that the images of each class are most often mistaken for (class,), -1 for none, and how often.

    >>> read_as(np.array([0, 1, 1, 1]), np.array([0, 0, 1, 1]), 2)
    (array([ 1, -1]), array([0.5, 0. ]))
    """
    found, share = np.full(n_classes, -1), np.zeros(n_classes)
    for k in np.unique(labels):
        counts = np.bincount(predicted[labels == k], minlength=n_classes)
        total = counts.sum()
        counts[k] = 0
        if counts.any():
            found[k], share[k] = counts.argmax(), counts.max() / total
    return found, share
