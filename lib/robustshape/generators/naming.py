"""The name of a StyleSpace dimension: the measured attribute that changes most, in its own spread, when it moves."""

from typing import NamedTuple

import numpy as np

from robustshape.errors import InputError

WEAK = 0.3  # of an attribute's spread: a dimension that changes every attribute by less has no name


class Effect(NamedTuple):
    """What moving one dimension does: the attribute's name ("" if none changes enough) and all standardised changes."""

    name: str
    sizes: dict[str, float]


def effect(before: dict, after: dict, spread: dict) -> Effect:
    """Return which attribute changes most, on average over the same samples before and after.

    Parameters
    ----------
    before, after : dict of str -> (n,) float
        Of `attributes.measured`; NaN where an image has nothing to measure.
    spread : dict of str -> float
        Standard deviation of each attribute over real images, corrupted ones among them.

    Examples
    --------
    >>> before = {"noise": np.zeros(3), "slant": np.zeros(3)}
    >>> found = effect(before, {"noise": np.full(3, 0.2), "slant": np.full(3, -0.1)}, {"noise": 0.1, "slant": 0.5})
    >>> found.name, {name: round(size, 2) for name, size in found.sizes.items()}
    ('noise', {'noise': 2.0, 'slant': -0.2})
    """
    if set(before) != set(after) or set(before) - set(spread):
        raise InputError(
            f"the same attributes are needed before, after and in the spread, but they were {sorted(before)}, "
            f"{sorted(after)} and {sorted(spread)}"
        )
    sizes = {}
    for name in before:
        change = np.asarray(after[name]) - np.asarray(before[name])
        known = np.isfinite(change)
        sizes[name] = float(change[known].mean() / spread[name]) if known.any() and spread[name] > 0 else 0.0
    largest = max(sizes, key=lambda name: abs(sizes[name]))
    return Effect(largest if abs(sizes[largest]) >= WEAK else "", sizes)


def spread_of(measured: dict) -> dict[str, float]:
    """Return the standard deviation of each attribute over the images that have it."""
    return {name: float(np.nanstd(values)) for name, values in measured.items()}
