"""Effective robustness: how much more accurate a network is under a shift than its clean accuracy lets expect.

Taori, Dave, Shankar, Carlini, Recht, Schmidt 2020, "Measuring robustness to natural distribution shifts in image
classification", NeurIPS: accuracy under the shift less what a line predicts from clean accuracy, fitted on networks
trained in the plain way. They fit logits of accuracies; ours are logits of (k + 1/2) / (n + 1), finite for none and all.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from robustshape.errors import InputError
from robustshape.statistics.correlations import fit_line, paired

FEWEST_FAMILIES = 10  # plainly trained, for a line


def count_logit(correct, n):
    """Return the logit of ``(correct + 1/2) / (n + 1)``; numbers or arrays.

    >>> float(count_logit(5, 10)), round(float(count_logit(10, 10)), 3)
    (0.0, 3.045)
    """
    correct, n = np.asarray(correct, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if np.any(n <= 0) or np.any((correct < 0) | (correct > n)):
        raise InputError(f"a logit needs 0 <= correct <= n and n > 0, but was given {correct} of {n}")
    return np.log((correct + 0.5) / (n - correct + 0.5))


@dataclass(frozen=True)
class Baseline:
    """The line that predicts the logit of accuracy under a shift from that of clean accuracy; NaN where undefined."""

    slope: float
    intercept: float

    def predict(self, clean):
        """Return the expected logit under the shift at clean logits (n,)."""
        return self.intercept + self.slope * np.asarray(clean, dtype=np.float64)


def fit(clean, shifted, families, *, fewest: int = FEWEST_FAMILIES) -> Baseline:
    """Fit the line on plainly trained networks.

    Parameters
    ----------
    clean, shifted : (n,) float
        Logits (`count_logit`) of the plainly trained networks, clean and under the shift; finite.
    families : (n,) of str or int
    fewest : int
        With fewer families there is no line, and everything predicted from it is NaN.

    Examples
    --------
    >>> fit([0.0, 1.0, 2.0], [-1.0, -0.5, 0.0], ["a", "b", "c"], fewest=3).predict(4.0)
    np.float64(1.0)
    >>> fit([0.0, 1.0], [-1.0, -0.5], ["a", "b"])
    Baseline(slope=nan, intercept=nan)
    """
    clean, shifted = paired(clean, shifted)
    families = np.asarray(families)
    if families.shape != clean.shape:
        raise InputError(
            f"one family per network is needed, but there are {len(clean)} and families {families.shape}"
        )
    if len(np.unique(families)) < fewest:
        return Baseline(float("nan"), float("nan"))
    line = fit_line(clean, shifted)
    return Baseline(line.slope, line.intercept)


def effective_robustness(clean, shifted, plain, families) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that gives every network's effective robustness by the line of the networks that are kept.

    It is what `centring.correlate_over_families` takes as a target: the line is fitted anew without each family.

    Parameters
    ----------
    clean, shifted : (n,) float
        Logits of every network of the population.
    plain : (n,) bool
        Which were trained in the plain way.
    families : (n,) of str or int

    Returns
    -------
    function of kept (n,) bool -> (n,) float
        Logits; 0 as expected, above 0 more robust than that. NaN for fewer than ten plainly trained families in all;
        a fold may have one less.

    Examples
    --------
    >>> clean = np.arange(12.0)
    >>> target = effective_robustness(clean, clean / 2 + (clean == 3), np.arange(12) != 3, np.arange(12))
    >>> (target(np.ones(12, bool)).round(6) + 0).tolist()  # + 0: no -0.0
    [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    clean, shifted = paired(clean, shifted)
    plain, families = np.asarray(plain), np.asarray(families)
    if plain.dtype != bool or not plain.shape == families.shape == clean.shape:
        raise InputError(
            f"plain must say true or false, and families name one, of each of {clean.shape} networks, "
            f"but they are {plain.dtype} {plain.shape} and {families.shape}"
        )
    enough = len(np.unique(families[plain])) >= FEWEST_FAMILIES

    def target(kept):
        own = plain & np.asarray(kept, dtype=bool)
        fewest = FEWEST_FAMILIES - 1 if enough else FEWEST_FAMILIES
        return shifted - fit(clean[own], shifted[own], families[own], fewest=fewest).predict(clean)

    return target
