"""What one network looks like inside: selectivity, dimensions and sensitivity of every layer.

Each function takes what `robustshape.unit_responses` returns, a list with one array for each layer, and gives
numbers for each layer. A dimension is a number of directions over the number of the layer's units.
"""

import numpy as np

from robustshape.indicators.class_tuning import class_variance, precision, shuffled_selectivity
from robustshape.indicators.dimensionality import intrinsic_dimension
from robustshape.indicators.principal_components import (
    components_for,
    participation_ratio,
    spectrum_exponent,
    variances,
)
from robustshape.indicators.selectivity import class_selectivity

SHARES = (0.9, 0.95, 0.99)  # of the variance
DIMENSIONS = ("components90", "components95", "components99", "participation", "exponent", "twonn")
BY_LAYER = ("selectivity", "floor", "top_precision", "class_variance", "dead")
MOST_FOR_TWONN = 1000  # images: its nearest neighbours are searched among all


def selectivity(layers, labels, *, rng) -> dict[str, np.ndarray]:
    """Return the selectivity index and what stands beside it: of every unit, and their mean in every layer.

    Returns
    -------
    dict
        ``of_units``: a list of (unit,) arrays; by layer (layer,): ``selectivity``, ``floor`` (labels dealt out at
        random), ``top_precision``, ``class_variance``, ``dead`` (share of units that never respond).
    """
    of_units = [class_selectivity(layer, labels) for layer in layers]
    return {
        "of_units": of_units,
        "selectivity": np.array([units.mean() for units in of_units]),
        "floor": np.array([shuffled_selectivity(layer, labels, rng=rng, times=3).mean() for layer in layers]),
        "top_precision": np.array([precision(layer, labels).mean() for layer in layers]),
        "class_variance": np.array([class_variance(layer, labels).mean() for layer in layers]),
        "dead": np.array([(layer.max(0) <= 0).mean() for layer in layers]),
    }


def dimensions(layers) -> np.ndarray:
    """Return (layer, measure): `DIMENSIONS` of the responses, all but the exponent over the number of units."""
    found = []
    for layer in layers:
        spread, units = variances(layer), layer.shape[1]
        counts = [components_for(spread, share) / units for share in SHARES]
        distinct = layer[:MOST_FOR_TWONN]
        local = intrinsic_dimension(distinct) if spread.any() else float("nan")
        found.append([*counts, participation_ratio(spread) / units, spectrum_exponent(spread), local / units])
    return np.array(found)


def variation(gradients) -> dict[str, np.ndarray]:
    """Return by layer how much the length of the units' input gradients varies: (layer,) each.

    ``over_samples``: standard deviation over the images / mean, of each unit, then the mean over units;
    ``over_units``: standard deviation over units of their means / the mean of these. Units without any gradient have
    no variation over images and are left out there.
    """
    over_samples, over_units = [], []
    for lengths in gradients:
        lengths = np.asarray(lengths, dtype=np.float64)
        mean = lengths.mean(0)
        alive = mean > 0
        over_samples.append((lengths.std(0)[alive] / mean[alive]).mean() if alive.any() else np.nan)
        over_units.append(mean.std() / mean.mean() if alive.any() else np.nan)
    return {"over_samples": np.array(over_samples), "over_units": np.array(over_units)}


def early(n_layers: int) -> slice:
    """Return which layers count as early: the first third.

    >>> early(19), early(2)
    (slice(0, 6, None), slice(0, 1, None))
    """
    return slice(0, max(1, n_layers // 3))
