"""k* distribution: how soon, among a sample's neighbours, the first one of another class appears.

Kotyan, Chen, Vargas 2024 (arXiv 2408.09065); Kotyan, Ueda, Vargas 2023 (arXiv 2312.04024). k*(x) is the rank of
the nearest neighbour of another class; divided by the size of the sample's class it forms one distribution per
class, whose skewness gamma says whether the class is fractured (> 0.5), clustered (< -0.5) or overlapped.

The papers' bodies could not be read: the definitions are those of the authors' released computation and of the
papers' abstracts and captions; the formulas of Gamma and Gamma' are ours, after the captions. We differ from
that computation where a class is constant: its skewness is NaN and counted, its pattern follows from the ranks
(the authors call a wholly fractured class overlapped or, by rounding, clustered). ``compat="authors"`` gives
their numbers. Exactly tied neighbours count as foreign first.
"""

import warnings

import numpy as np

from robustshape.errors import InputError
from robustshape.indicators.foreign_ranks import foreign_ranks
from robustshape.indicators.kstar_authors import authors_rank, authors_skewness
from robustshape.indicators.kstar_statistics import (
    SMALL_CLASS,
    bootstrap_intervals,
    class_patterns,
    permutation_floor,
    skewness,
)

__all__ = [
    "bootstrap_intervals",
    "kstar_distribution",
    "nearest_foreign_rank",
    "permutation_floor",
    "skewness",
]

METRICS = ("euclidean", "cosine")


def nearest_foreign_rank(features, labels, *, metric: str = "euclidean") -> np.ndarray:
    """Return k* of every sample: the rank of its nearest neighbour of another class.

    Parameters
    ----------
    features : (n, d) float
        One row per sample, finite.
    labels : (n,) int
        Class of each sample; at least two classes.
    metric : {"euclidean", "cosine"}
        ``cosine`` divides each row by its norm first (a zero row stays zero).

    Returns
    -------
    (n,) int64
        ``1 + number of same-class samples strictly closer than the nearest foreign sample``, from 1 to the
        size of the sample's class. Equal to a float64 brute force, in O(block) memory beside the features.

    Raises
    ------
    InputError
        If the shapes do not fit, labels are not integers, there are fewer than two classes, or a feature is
        NaN or infinite.

    Examples
    --------
    >>> nearest_foreign_rank([[0.0], [1.0], [2.0], [2.5]], [0, 0, 0, 1])
    array([3, 3, 1, 1])
    """
    features, labels = _checked(features, labels, metric)
    return foreign_ranks(features, labels, unit_norm=metric == "cosine")


def kstar_distribution(
    features, labels, *, metric: str = "euclidean", anchors: bool = False, compat: str | None = None
):
    """Return the k* distribution of every class, with its skewness and pattern.

    Parameters
    ----------
    features, labels, metric
        As for `nearest_foreign_rank`.
    anchors : bool
        Append 0 and 1 to every class before its skewness, as the first paper's printed figures do. Every
        class then has one.
    compat : None or "authors"
        ``authors`` gives the numbers of the authors' released computation, with their treatment of
        constant classes and ties. Holds blocks of full rows and sorts them: slow for many samples.

    Returns
    -------
    xarray.Dataset
        ``rank (sample)`` int, ``normalised_rank (sample)`` in (0, 1], ``skewness (class)`` = gamma (biased g1,
        NaN for a constant class), ``pattern (class)`` fractured | clustered | overlapped | undefined,
        ``mean (class)``, ``std (class)`` (ddof 0), ``size (class)``, ``small (class)`` (fewer than 20 samples),
        ``true_skewness`` = Gamma (g1 of all samples pooled, never anchored), ``approximate_skewness`` = Gamma'
        (mean gamma of the classes that have one), ``mean_normalised_rank``, ``n_undefined`` (classes without a
        gamma). Coordinates ``class`` and ``label (sample)``.

    Warns
    -----
    UserWarning
        If a class has fewer than 20 samples: |gamma| cannot exceed (n - 2) / sqrt(n - 1).

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     found = kstar_distribution([[0.0], [1.0], [2.0], [2.5]], [0, 0, 0, 1])
    >>> found["rank"].values, found["pattern"].values.tolist(), int(found["n_undefined"])
    (array([3, 3, 1, 1]), ['clustered', 'undefined'], 1)
    """
    import xarray as xr

    if compat not in (None, "authors"):
        raise InputError(f'compat must be None or "authors", but is {compat!r}')
    features, labels = _checked(features, labels, metric)
    classes, member, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    if compat:
        rank = authors_rank(features, member, unit_norm=metric == "cosine")
        normalised = (rank / sizes[member]).astype(np.float32)
    else:
        rank = foreign_ranks(features, member, unit_norm=metric == "cosine")
        normalised = rank / sizes[member]
    groups = [normalised[member == c] for c in range(len(classes))]
    skewed = [np.append(g, [0.0, 1.0]) for g in groups] if anchors else groups

    if compat:
        gamma, pattern = authors_skewness(skewed)
    else:
        gamma = np.array([skewness(g) for g in skewed])
        pattern = class_patterns(gamma, groups)
    small = sizes < SMALL_CLASS
    if small.any():
        warnings.warn(
            f"{small.sum()} of {len(classes)} classes have fewer than {SMALL_CLASS} samples (the smallest "
            f"{sizes.min()}); their skewness is computed but bounded by their size: marked in `small`",
            stacklevel=2,
        )
    known = gamma[np.isfinite(gamma)]
    return xr.Dataset(
        {
            "rank": ("sample", rank),
            "normalised_rank": ("sample", normalised.astype(np.float64)),
            "skewness": ("class", gamma),
            "pattern": ("class", pattern.astype(object)),
            "mean": ("class", np.array([g.mean(dtype=np.float64) for g in groups])),
            "std": ("class", np.array([g.std(dtype=np.float64) for g in groups])),
            "size": ("class", sizes),
            "small": ("class", small),
            "true_skewness": skewness(normalised),
            "approximate_skewness": float(known.mean()) if len(known) else np.nan,
            "mean_normalised_rank": float(normalised.mean(dtype=np.float64)),
            "n_undefined": int(len(gamma) - len(known)),
        },
        coords={"class": classes, "label": ("sample", labels)},
        attrs={"metric": metric, "anchors": int(anchors), "compat": compat or ""},
    )


def _checked(features, labels, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Return both as arrays that the kernel can take, or say what is wrong with them."""
    features, labels = np.asarray(features), np.asarray(labels)
    if metric not in METRICS:
        raise InputError(f"unknown metric {metric!r}; k* is defined for {' and '.join(METRICS)}")
    if features.ndim != 2 or not features.shape[1] or features.dtype.kind not in "fiub":
        raise InputError(f"k* needs real features (n, d), but was given {features.dtype} {features.shape}")
    if labels.shape != features.shape[:1]:
        raise InputError(
            f"k* needs one label per sample, but was given features {features.shape} and labels {labels.shape}"
        )
    if labels.dtype.kind not in "iu":
        raise InputError(f"labels must be integers, but are {labels.dtype}; number the classes first")
    if len(np.unique(labels)) < 2:
        raise InputError("k* needs samples of at least two classes; there is no foreign neighbour in one")
    if features.dtype.kind == "f" and not np.isfinite(features).all():
        bad = int(np.count_nonzero(~np.isfinite(features).all(axis=1)))
        raise InputError(f"{bad} of {len(features)} samples have NaN or infinite features; leave them out")
    return features, labels.astype(np.int64)
