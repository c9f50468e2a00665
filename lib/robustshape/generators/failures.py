"""What really happens when a StyleSpace dimension moves: interventions, where a gradient only points.

Curves of the probability of the right class and of accuracy along a dimension, the shift at which each sample first goes
wrong, maps over two dimensions, and the greedy choice of dimensions that makes most samples fail.
"""

from typing import NamedTuple

import numpy as np
import torch

from robustshape.errors import InputError
from robustshape.generators.stylespace import StyleSpace, moved, pixels


class Predictions(NamedTuple):
    """A classifier's predictions on moved samples; the leading axes are those of the shifts.

    ``probability (..., n)`` float of the sample's class; ``predicted (..., n)`` int.
    """

    probability: np.ndarray
    predicted: np.ndarray


def predictions(
    generator, classify, styles, labels, *, noise: str = "const", chunk: int = 250
) -> Predictions:
    """Return what a classifier predicts for the images of flat styles (n, size); `classify` as for `score_gradients`."""
    space, probability, predicted = StyleSpace.of(generator), [], []
    with torch.no_grad():
        for part, own in zip(styles.split(chunk), labels.split(chunk)):
            logits = classify(pixels(generator.synthesise(styles=space.split(part), noise=noise)))
            probability.append(logits.softmax(dim=1).gather(1, own[:, None])[:, 0])
            predicted.append(logits.argmax(dim=1))
    return Predictions(torch.cat(probability).cpu().numpy(), torch.cat(predicted).cpu().numpy())


def along(generator, classify, styles, labels, dimension: int, amounts, **options) -> Predictions:
    """Return the predictions with one dimension moved by each of `amounts`: arrays (amount, n)."""
    found = [
        predictions(generator, classify, moved(styles, dimension, float(a)), labels, **options)
        for a in amounts
    ]
    return Predictions(*(np.stack(parts) for parts in zip(*found)))


def over(generator, classify, styles, labels, dimensions, amounts, **options) -> Predictions:
    """Return the predictions with two dimensions moved: arrays (first's amount, second's amount, n)."""
    (first, second), (these, those) = dimensions, amounts
    if first == second:
        raise InputError(f"a map is over two dimensions, but dimension {first} was given twice")
    found = [
        along(generator, classify, moved(styles, first, float(a)), labels, second, those, **options)
        for a in these
    ]
    return Predictions(*(np.stack(parts) for parts in zip(*found)))


def first_flips(right, amounts) -> np.ndarray:
    """Return the shift at which each sample is wrong for the first time.

    Parameters
    ----------
    right : (amount, n) bool
        Whether a sample is classified rightly at each shift; the first shift is none.
    amounts : (amount,) float
        From none outwards.

    Returns
    -------
    (n,) float
        NaN where a sample is wrong without a shift, infinity where it never goes wrong.

    Examples
    --------
    >>> first_flips([[True, True, False], [True, False, True], [True, True, True]], [0, 1, 2]).tolist()
    [inf, 1.0, nan]
    """
    right, amounts = np.asarray(right, dtype=bool), np.asarray(amounts, dtype=float)
    if right.ndim != 2 or len(right) != len(amounts):
        raise InputError(f"right is (amount, n) for {len(amounts)} amounts, but was {right.shape}")
    wrong = ~right
    found = np.where(wrong.any(axis=0), amounts[wrong.argmax(axis=0)], np.inf)
    return np.where(right[0], found, np.nan)


def greedy_choice(flipped, n: int) -> list[tuple[int, int]]:
    """Return up to `n` columns, each the one that flips most of the samples that no earlier one flips.

    The search of StylEx (Lang et al. 2021, arXiv 2104.13369, AttFind), on flips that are known.

    Parameters
    ----------
    flipped : (n, column) bool
        Whether a sample goes wrong under each intervention.

    Returns
    -------
    list of (column, number newly flipped)
        It ends where no column flips a new sample.

    Examples
    --------
    >>> greedy_choice([[1, 1, 0], [1, 0, 0], [0, 1, 1], [0, 0, 1]], 3)
    [(0, 2), (2, 2)]
    """
    left, chosen = np.asarray(flipped, dtype=bool).copy(), []
    while len(chosen) < n:
        counts = left.sum(axis=0)
        column = int(counts.argmax())
        if not counts[column]:
            break
        chosen.append((column, int(counts[column])))
        left[left[:, column]] = False
    return chosen
