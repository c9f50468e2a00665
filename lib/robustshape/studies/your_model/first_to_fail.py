"""Which images fail first under corruption: those that are read rightly when clean, and under most corruptions are not."""

from typing import NamedTuple

import numpy as np


class Failing(NamedTuple):
    """The images that fail first, in order, and the mildest failure of each."""

    place: np.ndarray  # (k,) among the images
    share: np.ndarray  # (k,) of its corrupted versions that are misread
    corruption: np.ndarray  # (k,) place of the corruption
    severity: np.ndarray  # (k,) place of the severity


def first_to_fail(clean_right, corrupted_right, most: int) -> Failing:
    """Return up to `most` images that are read rightly when clean and of whose corrupted versions most are misread.

    Of equal ones the first come first; an image that no corruption fools is none of them. The mildest failure is that at the
    lowest severity, under the first corruption.

    Parameters
    ----------
    clean_right : (n,) bool
    corrupted_right : (corruption, severity, n) bool

    Examples
    --------
    >>> right = np.ones((1, 2, 3), bool)
    >>> right[0, 1, 0] = right[0, :, 2] = False
    >>> [part.tolist() for part in first_to_fail([True, True, True], right, 5)]
    [[2, 0], [1.0, 0.5], [0, 0], [0, 1]]
    """
    wrong = ~np.asarray(corrupted_right, bool)
    share = np.where(clean_right, wrong.mean(axis=(0, 1)), 0)
    order = np.argsort(-share, kind="stable")[:most]
    order = order[share[order] > 0]
    by_severity = wrong.transpose(2, 1, 0)[order]  # the mildest failure is the first one in this order
    first = by_severity.reshape(len(order), wrong[..., 0].size).argmax(axis=1)
    severity, corruption = np.divmod(first, wrong.shape[0])
    return Failing(order, share[order], corruption, severity)
