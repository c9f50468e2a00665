"""What one network looks like inside: selectivity, dimensions and sensitivity of every layer.

Each function takes what `robustshape.measurements.unit_responses` returns, a list with one array for each layer, and gives
numbers for each layer. A dimension is a number of directions over the number of the layer's units.
"""

import numpy as np

from robustshape.indicators.class_tuning import class_variance, precision, shuffled_selectivity
from robustshape.indicators.dimensionality import intrinsic_dimension
from robustshape.indicators.principal_components import components_for, spectrum_exponent, variances
from robustshape.indicators.selectivity import class_selectivity
from robustshape.indicators.spectrum import participation_ratio

SHARES = (0.9, 0.95, 0.99)  # of the variance
DIMENSIONS = (
    "components90", "components95", "components99", "components95 of live units", "participation", "exponent", "twonn",
)  # fmt: skip
BY_LAYER = ("selectivity", "floor", "top_precision", "class_variance", "active", "dead")
MOST_FOR_TWONN = 1000  # images: its nearest neighbours are searched among all


def selectivity(layers, labels, *, rng) -> dict[str, np.ndarray]:
    """Return the selectivity index and what stands beside it: of every unit, and their mean in every layer.

    Returns
    -------
    dict
        ``of_units``: a list of (unit,) arrays; by layer (layer,): ``selectivity``, ``floor`` (labels dealt out at
        random), ``top_precision``, ``class_variance``, ``active`` (share of responses above 0), ``dead`` (share of units that never respond).
    """
    of_units = [class_selectivity(layer, labels) for layer in layers]
    return {
        "of_units": of_units,
        "selectivity": np.array([units.mean() for units in of_units]),
        "floor": np.array([shuffled_selectivity(layer, labels, rng=rng, times=5).mean() for layer in layers]),
        "top_precision": np.array([precision(layer, labels).mean() for layer in layers]),
        "class_variance": np.array([class_variance(layer, labels).mean() for layer in layers]),
        "active": np.array([(layer > 0).mean() for layer in layers]),
        "dead": np.array([(layer.max(0) <= 0).mean() for layer in layers]),
    }


def dimensions(layers) -> np.ndarray:
    """Return (layer, measure): `DIMENSIONS` of the responses, all but the exponent over the number of units.

    "of live units": over the number of those that vary at all. NaN for a layer none of whose units does.
    """
    found = []
    for layer in layers:
        spread, units = variances(layer), layer.shape[1]
        live = int((np.ptp(layer, axis=0) > 0).sum())
        counts = [components_for(spread, share) / units for share in SHARES]
        counts.append(components_for(spread, 0.95) / live if live else float("nan"))
        distinct = layer[:MOST_FOR_TWONN]
        local = intrinsic_dimension(distinct) if spread.any() else float("nan")
        ratio = participation_ratio(variances=spread)
        found.append([*counts, ratio / units, spectrum_exponent(spread), local / units])
    return np.array(found)


def variation(gradients) -> dict[str, np.ndarray]:
    """Return by layer how much the length of the units' input gradients varies: (layer,) each.

    ``over_samples``: standard deviation over the images / mean, of each unit, then the mean over units;
    ``over_units``: standard deviation over units of their means / the mean of these. ``over_active``: as over samples,
    but of the images to which a unit has a gradient at all; ``silent``: the share of pairs of unit and image without
    one. A unit without any gradient has no variation over images, and one with a single such image none over them.
    """
    over_samples, over_units, over_active, silent = [], [], [], []
    for lengths in gradients:
        lengths = np.asarray(lengths, dtype=np.float64)
        mean = lengths.mean(0)
        alive = mean > 0
        over_samples.append((lengths.std(0)[alive] / mean[alive]).mean() if alive.any() else np.nan)
        over_units.append(mean.std() / mean.mean() if alive.any() else np.nan)
        active = np.where(lengths > 0, lengths, np.nan)[:, (lengths > 0).sum(0) > 1]
        known = np.nanstd(active, axis=0) / np.nanmean(active, axis=0)
        over_active.append(known.mean() if known.size else np.nan)
        silent.append((lengths <= 0).mean())
    found = {
        "over_samples": over_samples,
        "over_units": over_units,
        "over_active": over_active,
        "silent": silent,
    }
    return {name: np.array(values) for name, values in found.items()}


def early(n_layers: int) -> slice:
    """Return which layers count as early: the first third.

    >>> early(19), early(2)
    (slice(0, 6, None), slice(0, 1, None))
    """
    return slice(0, max(1, n_layers // 3))
