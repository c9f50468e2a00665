"""Intrinsic dimension by two nearest neighbours (TwoNN): in how many directions do the features vary locally?

Facco, d'Errico, Rodriguez, Laio 2017, "Estimating the intrinsic dimension of datasets by a minimal neighborhood
information", Scientific Reports 7:12140. Where the density is about constant within a sample's second neighbour,
the ratio mu = r2 / r1 of its two nearest distances follows ``F(mu) = 1 - mu^-d``, so ``-log(1 - F)`` against
``log mu`` is a line through the origin of slope d. As in the paper the line is fitted by least squares to the
empirical F, without the tenth of the samples with the largest mu.
We differ where samples coincide: equal rows count as one, since their ratio has no value.
"""

import numpy as np

from robustshape.errors import InputError
from robustshape.indicators.blocks import in_blocks
from robustshape.indicators.checks import centred, real_features
from robustshape.indicators.registered import INDICATORS

DISCARDED = 0.1  # share of the samples with the largest ratios left out of the fit, the paper's
CANDIDATES = 3  # neighbours, one more than needed: the search rounds, so its order can be off by one


@INDICATORS.register(
    "intrinsic_dimension", symbol="ID", about="TwoNN dimension of all features; heeds no label"
)
def intrinsic_dimension(features, *, discarded: float = DISCARDED) -> float:
    """Return the TwoNN estimate of the intrinsic dimension of the features.

    Parameters
    ----------
    features : (n, d) float
        One row per sample, finite; at least three. A dask array is read in blocks, see `neighbour_blocks`.
    discarded : float
        In [0, 1): share of the samples with the largest ratios that is left out of the fit.

    Returns
    -------
    float
        Above 0; NaN if fewer than three rows differ, or if all kept ratios are 1 (as on a lattice). A finite
        sample of a space of many dimensions (above about 20) gives too few; there is no level of chance.

    Raises
    ------
    InputError
        If there are fewer than three samples, a feature is NaN or infinite, or `discarded` is out of range.

    Examples
    --------
    A sheet in five dimensions has two.

    >>> sheet = np.random.default_rng(0).uniform(size=(2000, 2)) @ np.random.default_rng(1).normal(size=(2, 5))
    >>> round(intrinsic_dimension(sheet), 1)
    2.0
    """
    purpose = "the intrinsic dimension"
    lazy = in_blocks(features)
    features = (real_features if lazy else centred)(features, purpose, fewest=3)
    if not 0 <= discarded < 1:
        raise InputError(f"discarded must be a share in [0, 1), such as 0.1, but is {discarded}")
    ratios = _ratios_in_blocks(features) if lazy else _distance_ratios(np.unique(features, axis=0))
    if not len(ratios):
        return float("nan")
    log_ratio = np.sort(np.log(ratios))
    n = len(log_ratio)
    # the last of all has F = 1, and -log(1 - F) no value
    kept = max(1, min(n - 1, int(np.floor((1 - discarded) * n))))
    x = log_ratio[:kept]
    y = -np.log1p(-np.arange(1, kept + 1) / n)
    return float(x @ y / (x @ x)) if x[-1] > 0 else float("nan")


def _distance_ratios(distinct: np.ndarray) -> np.ndarray:
    """Return r2 / r1 of every row (n, d), all different; none of fewer than three."""
    from sklearn.neighbors import NearestNeighbors

    if len(distinct) < 3:
        return np.empty(0)
    k = min(CANDIDATES, len(distinct) - 1)
    neighbours = NearestNeighbors(n_neighbors=k).fit(distinct).kneighbors(return_distance=False)
    squares = np.empty(neighbours.shape)
    for j in range(k):
        difference = distinct - distinct[neighbours[:, j]]
        squares[:, j] = np.einsum("ij,ij->i", difference, difference)
    return _ratio(squares)


def _ratios_in_blocks(features) -> np.ndarray:
    """Return r2 / r1 of every row of a dask array that equals no earlier one; none of fewer than three."""
    from robustshape.indicators import neighbour_blocks

    given, row = neighbour_blocks.read(features)
    first = np.zeros(len(row), bool)
    first[np.unique(row, return_index=True)[1]] = True
    if first.sum() < 3:
        return np.empty(0)
    neighbours = neighbour_blocks.nearest(given, min(CANDIDATES, int(first.sum()) - 1), among=first)
    return _ratio(neighbour_blocks.squared_distances(given, neighbours)[first])


def _ratio(squares: np.ndarray) -> np.ndarray:
    squares.sort(axis=1)
    return np.sqrt(squares[:, 1] / squares[:, 0])
