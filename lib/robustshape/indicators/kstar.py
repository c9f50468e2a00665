"""k* distribution: how soon, among a sample's neighbours, the first one of another class appears.

Kotyan, Chen, Vargas 2024 (arXiv 2408.09065); Kotyan, Ueda, Vargas 2023 (arXiv 2312.04024). k*(x) is the rank of
the nearest neighbour of another class; divided by the size of the sample's class it forms one distribution per
class, whose skewness gamma says whether the class is fractured (> 0.5), clustered (< -0.5) or overlapped.

The papers' bodies could not be read: the definitions are those of the authors' released computation and of the
papers' abstracts and captions; the formulas of Gamma and Gamma' are ours, after the captions. We differ from
that computation where a class is constant: its skewness is NaN and counted, its pattern follows from the ranks
(the authors give a wholly fractured class the skewness 0 and call it overlapped). ``compat="authors"`` gives
their numbers. Exactly tied neighbours count as foreign first.
"""

import warnings

import numpy as np

from robustshape.errors import InputError
from robustshape.indicators.blocks import in_blocks
from robustshape.indicators.checks import as_array, check_no_mask, check_rows_are_known
from robustshape.indicators.kstar_authors import authors_rank, authors_skewness
from robustshape.indicators.kstar_chance import permutation_floor
from robustshape.indicators.kstar_statistics import (
    SMALL_CLASS,
    bootstrap_intervals,
    class_patterns,
    in_large_classes,
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
CHECKED_ROWS = 1024  # read at once from features that may lie in a file


def nearest_foreign_rank(features, labels, *, metric: str = "euclidean", device=None) -> np.ndarray:
    """Return k* of every sample: the rank of its nearest neighbour of another class.

    Parameters
    ----------
    features : (n, d) float
        One row per sample, finite: an array, a torch tensor, or an array on disk (`numpy.memmap`, zarr), which is
        read in blocks of rows. What does not fit into half of the free memory goes to a temporary file: a float32
        working copy of the features, and a zarr array itself. Of a dask array nothing is kept: a few blocks of 16 MB
        are in memory at a time, read from where they lie by the workers of the Dask client that is open, if one is.
    labels : (n,) int
        Class of each sample; at least two classes, and fewer than samples.
    metric : {"euclidean", "cosine"}
        ``cosine`` divides each row by its norm first (a zero row stays zero).
    device : None, "cpu" or "cuda"
        Where the distances are computed; by default where the features are. The ranks are the same.

    Returns
    -------
    (n,) int64
        ``1 + number of same-class samples strictly closer than the nearest foreign sample``, from 1 to the
        size of the sample's class. Equal to a float64 brute force, in O(block) memory beside the features and
        their working copy.

    Raises
    ------
    InputError
        If the shapes do not fit, labels are not integers, there are fewer than two classes or as many as
        samples, a feature is NaN or infinite, or the device is not there.

    Examples
    --------
    >>> nearest_foreign_rank([[0.0], [1.0], [2.0], [2.5]], [0, 0, 0, 1])
    array([3, 3, 1, 1])
    """
    from robustshape.indicators.foreign_ranks import foreign_ranks

    features, labels, device = _checked(features, labels, metric, device)
    return foreign_ranks(features, labels, unit_norm=metric == "cosine", device=device)


def kstar_distribution(
    features,
    labels,
    *,
    metric: str = "euclidean",
    anchors: bool = False,
    compat: str | None = None,
    exclude_small: bool = False,
    device=None,
):
    """Return the k* distribution of every class, with its skewness and pattern.

    Parameters
    ----------
    features, labels, metric, device
        As for `nearest_foreign_rank`.
    anchors : bool
        Append 0 and 1 to every class before its skewness, as the first paper's printed figures do. Every
        class then has one.
    compat : None or "authors"
        ``authors`` gives the numbers of the authors' released computation, with their treatment of
        constant classes and ties. Holds blocks of full rows and sorts them: slow for many samples.
    exclude_small : bool
        Leave out the samples of classes of fewer than 20 before anything is ranked; they are then nobody's
        neighbours. By default such classes are computed, marked and warned about.

    Returns
    -------
    xarray.Dataset
        ``rank (sample)`` int, ``normalised_rank (sample)`` in (0, 1], ``skewness (class)`` = gamma (biased g1,
        NaN for a constant class), ``pattern (class)`` fractured | clustered | overlapped | undefined,
        ``mean (class)``, ``std (class)`` (ddof 0), ``size (class)``, ``small (class)`` (fewer than 20 samples),
        ``true_skewness`` = Gamma (g1 of all samples pooled, never anchored), ``approximate_skewness`` = Gamma'
        (mean gamma of the classes that have one), ``mean_normalised_rank``, ``n_undefined`` (classes without a
        gamma). Coordinates ``class``, ``sample`` (place among the given samples) and ``label (sample)``.

    Warns
    -----
    UserWarning
        If a class has fewer than 20 samples: ``|gamma|`` cannot exceed (n - 2) / sqrt(n - 1).

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
    features, labels, device = _checked(features, labels, metric, device)
    samples = np.arange(len(labels))
    if exclude_small:
        features, labels, samples = _without_small_classes(features, labels)
    classes, member, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    if compat:
        if in_blocks(features):
            raise InputError("compat='authors' holds all features in memory; give it features.compute()")
        on_host = features.cpu() if hasattr(features, "cpu") else features
        rank = authors_rank(on_host, member, unit_norm=metric == "cosine")
        normalised = (rank / sizes[member]).astype(np.float32)
    else:
        from robustshape.indicators.foreign_ranks import foreign_ranks

        rank = foreign_ranks(features, member, unit_norm=metric == "cosine", device=device)
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
            f"{sizes.min()}); their skewness is computed but bounded by their size: marked in `small`, "
            "and left out with exclude_small=True",
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
        coords={"class": classes, "sample": samples, "label": ("sample", labels)},
        attrs={"metric": metric, "anchors": int(anchors), "compat": compat or ""},
    )


def _checked(features, labels, metric: str, device):
    """Return features, labels and device as the kernel can take them, or say what is wrong with them."""
    if metric not in METRICS:
        raise InputError(f"unknown metric {metric!r}; k* is defined for {' and '.join(METRICS)}")
    check_no_mask(features, "k*")
    features, device = _placed(features, device)
    labels = as_array(labels.cpu() if hasattr(labels, "cpu") else labels, "k*")
    kind = (
        "f" if getattr(features.dtype, "is_floating_point", False) else getattr(features.dtype, "kind", "c")
    )
    if features.ndim != 2 or not features.shape[1] or kind not in "fiub":
        raise InputError(
            f"k* needs real features (n, d), but was given {features.dtype} {tuple(features.shape)}"
        )
    check_rows_are_known(features, "k*")
    if labels.shape != tuple(features.shape[:1]):
        raise InputError(
            f"k* needs one label per sample, but was given features {tuple(features.shape)} and labels {labels.shape}"
        )
    if labels.dtype.kind not in "iu":
        raise InputError(f"labels must be integers, but are {labels.dtype}; number the classes first")
    n_classes = len(np.unique(labels))
    if n_classes < 2:
        raise InputError("k* needs samples of at least two classes; there is no foreign neighbour in one")
    if n_classes == len(labels):
        raise InputError(
            f"each of the {n_classes} samples has a label of its own, so that every k* is 1; "
            "give the class of each sample, not its number"
        )
    bad = _not_finite(features) if kind == "f" and not in_blocks(features) else 0  # seen when blocks are read
    if bad:
        raise InputError(f"{bad} of {len(labels)} samples have NaN or infinite features; leave them out")
    return features, labels.astype(np.int64), device


def _placed(features, device):
    """Return features as an array of this process, or a tensor on CUDA, and the device to compute on."""
    tensor = type(features).__module__.partition(".")[0] == "torch"
    chosen = str(device or (features.device if tensor else "cpu"))
    if chosen.partition(":")[0] not in ("cpu", "cuda"):
        raise InputError(f'k* can be computed on device "cpu" or "cuda", but was asked for {chosen!r}')
    if tensor or chosen != "cpu":
        import torch

        if chosen != "cpu" and not torch.cuda.is_available():
            raise InputError(
                f'no CUDA device is visible here for {chosen!r}; leave device out, or give "cpu"'
            )
    if tensor:
        features = features.detach()
        if chosen == "cpu":
            features = features.cpu()
            known = features.dtype != torch.bfloat16  # to numpy
            features = (features if known else features.float()).numpy()
        else:
            features = features.to(chosen)
    elif not isinstance(features, np.ndarray) and not in_blocks(features):
        if all(hasattr(features, name) for name in ("shape", "dtype", "ndim", "__getitem__")):
            from robustshape.indicators.class_rows import held

            features = held(features)
        else:
            features = as_array(features, "k*")
    return features, chosen


def _not_finite(features) -> int:
    """Return the number of rows with a NaN or infinite value."""
    bad = 0
    for start in range(0, len(features), CHECKED_ROWS):
        part = features[start : start + CHECKED_ROWS]
        finite = np.isfinite(part) if isinstance(part, np.ndarray) else part.isfinite()
        if not finite.all():
            bad += int((~finite.all(1)).sum())
    return bad


def _without_small_classes(features, labels: np.ndarray):
    """Return features, labels and places of the samples of classes that are large enough."""
    samples = np.flatnonzero(in_large_classes(labels))
    if len(np.unique(labels[samples])) < 2:
        raise InputError(
            f"without the classes of fewer than {SMALL_CLASS} samples fewer than two remain "
            f"(of {len(np.unique(labels))}); keep the small ones, or take more samples of each"
        )
    if len(samples) < len(labels):
        if isinstance(features, np.ndarray):
            from robustshape.indicators.class_rows import held

            features = held(features, samples)
        else:
            features = features[samples]
    return features, labels[samples], samples
