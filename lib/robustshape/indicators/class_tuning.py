"""Other ways to say how a unit's responses follow the classes, to stand beside the selectivity index.

The index contrasts one class with the mean of the others, and what it misses is disputed: a unit for half of the
classes scores low by it. `class_variance` singles out no class; `precision` looks at the strongest responses alone.
All are numbers from 0 to 1 for each unit, and `shuffled_selectivity` says what chance gives.
"""

import numpy as np

from robustshape.errors import InputError
from robustshape.indicators.checks import in_memory
from robustshape.indicators.selectivity import class_means, class_selectivity


def class_variance(responses, labels) -> np.ndarray:
    """Return the share of each unit's variance that lies between classes (the correlation ratio, eta squared).

    Parameters
    ----------
    responses : (sample, unit) float
    labels : (sample,) int
        At least two classes.

    Returns
    -------
    (unit,) float64 in [0, 1]
        0: every class has the same mean; 1: samples of a class all give the same response. 0 for a constant unit.

    Examples
    --------
    A unit that tells two classes from a third, and one that tells the two apart.

    >>> class_variance([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0], [0.0, 1.0]], [0, 1, 2, 2]).round(3).tolist()
    [1.0, 0.5]
    """
    responses = np.asarray(in_memory(responses, "class tuning"), dtype=np.float64)
    labels = np.asarray(labels)
    means = class_means(responses, labels)
    _, place = np.unique(labels, return_inverse=True)
    total = responses.var(axis=0)
    within = ((responses - means[place]) ** 2).mean(axis=0)
    varies = total > 1e-12 * np.square(responses).mean(axis=0)
    return np.where(varies, np.clip(1 - within / np.where(varies, total, 1), 0, 1), 0.0)


def precision(responses, labels) -> np.ndarray:
    """Return, of the samples that drive a unit most, the share of their commonest class.

    As many samples are looked at as a class has on average (after Zhou, Khosla, Lapedriza, Oliva, Torralba 2015,
    arXiv 1412.6856, who take a fixed number). Where responses tie, each of them counts by its part.

    Returns
    -------
    (unit,) float64
        From 1 / number of classes (for classes of equal size) to 1; 0 for a unit that never responds.

    Examples
    --------
    >>> precision([[5.0, 1.0], [4.0, 2.0], [1.0, 3.0], [0.0, 4.0]], [0, 0, 1, 0]).tolist()
    [1.0, 0.5]
    """
    responses = np.asarray(in_memory(responses, "class tuning"), dtype=np.float64)
    labels = np.asarray(labels)
    n_classes = len(class_means(responses, labels))  # checks both
    classes = np.unique(labels)
    top = max(1, round(len(labels) / n_classes))
    threshold = np.sort(responses, axis=0)[-top]
    above, tied = responses > threshold, responses == threshold
    part = (top - above.sum(0)) / tied.sum(0)
    weight = above + tied * part
    counts = np.stack([weight[labels == c].sum(0) for c in classes])
    return np.where((responses > 0).any(0), counts.max(0) / top, 0.0)


def shuffled_selectivity(responses, labels, *, rng, times: int = 10) -> np.ndarray:
    """Return the selectivity index that labels dealt out at random give each unit, the mean of so many deals.

    It is above 0 for any unit that varies, and the more so the fewer samples a class has and the more seldom the unit
    responds: the index takes the largest of many means. The index less this floor is 0 on average for a unit that heeds
    no class, whatever its responses are.

    >>> responses = np.random.default_rng(0).uniform(size=(200, 1))
    >>> bool(0 < shuffled_selectivity(responses, np.arange(200) % 10, rng=np.random.default_rng(1))[0] < 0.2)
    True
    """
    if times < 1:
        raise InputError(f"labels are dealt out at least once, but times is {times}")
    labels = np.asarray(labels)
    return np.mean([class_selectivity(responses, rng.permutation(labels)) for _ in range(times)], axis=0)
