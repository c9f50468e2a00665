"""What an indicator may be given: finite real features (n, d), and one integer label per sample."""

import numpy as np

from robustshape.errors import InputError
from robustshape.indicators.blocks import in_blocks

LARGEST = 1e100  # of a feature: the squares of larger ones overflow


def power_of_two(most: float) -> float:
    """Return the power of two, at least `most`, by which features may be divided: no square overflows, no digit is lost.

    >>> power_of_two(9.0), power_of_two(0.0)
    (16.0, 1.0)
    """
    return float(2.0 ** np.ceil(np.log2(most))) if most > 0 else 1.0


def check_no_mask(values, purpose: str) -> None:
    """Raise InputError for arrays of numpy or dask with a mask, which would be passed over, unseen.

    >>> check_no_mask(np.ma.masked_less([1.0, -1.0], 0), "an example")
    Traceback (most recent call last):
    robustshape.errors.InputError: an example takes no masked array; leave out the samples that are masked, or give their values: values.filled(...)
    """
    if isinstance(getattr(values, "_meta", values), np.ma.MaskedArray):
        raise InputError(
            f"{purpose} takes no masked array; leave out the samples that are masked, or give their values: "
            "values.filled(...)"
        )


def as_array(values, purpose: str) -> np.ndarray:
    """Return values as an array, or say that they are none: rows of several lengths, or a masked array.

    >>> as_array([[1, 2], [3]], "an example")
    Traceback (most recent call last):
    robustshape.errors.InputError: an example needs an array, but was given rows of several lengths; make them equal
    """
    check_no_mask(values, purpose)
    try:
        return np.asarray(values)
    except ValueError as error:
        raise InputError(
            f"{purpose} needs an array, but was given rows of several lengths; make them equal"
        ) from error


def generator(rng, purpose: str) -> np.random.Generator:
    """Return a random generator, or say that it is none: a seed alone would start every call alike, unseen.

    >>> generator(3, "an example")
    Traceback (most recent call last):
    robustshape.errors.InputError: an example draws from a numpy.random.Generator, but rng is 3; give numpy.random.default_rng(seed)
    """
    if not isinstance(rng, np.random.Generator):
        raise InputError(
            f"{purpose} draws from a numpy.random.Generator, but rng is {rng!r}; give numpy.random.default_rng(seed)"
        )
    return rng


def real_features(features, purpose: str, *, fewest: int = 2):
    """Return features as an array (n, d) of real numbers, a dask array as it is, or say why they are none.

    >>> real_features([[1, 2]], "an example")
    Traceback (most recent call last):
    robustshape.errors.InputError: an example needs at least 2 samples, but was given 1
    """
    lazy = in_blocks(features)
    check_no_mask(features, purpose)
    features = features if lazy else as_array(features, purpose)
    if features.ndim != 2 or not features.shape[1] or features.dtype.kind not in "fiub":
        raise InputError(
            f"{purpose} needs real features (n, d), but was given {features.dtype} {features.shape}"
        )
    if lazy:
        check_rows_are_known(features, purpose)
    if len(features) < fewest:
        raise InputError(f"{purpose} needs at least {fewest} samples, but was given {len(features)}")
    return features


def check_rows_are_known(features, purpose: str) -> None:
    """Raise InputError for a dask array that was filtered, say, and does not know its own length."""
    if np.isnan(features.shape).any():
        raise InputError(
            f"{purpose} reads rows by their number, but this dask array does not know how many it has; "
            "call its compute_chunk_sizes() first"
        )


def in_memory(features, purpose: str):
    """Return features unless they are a dask array, which all of a purpose that is not done in blocks would load unseen.

    >>> import dask.array
    >>> in_memory(dask.array.zeros((4, 2)), "an example")
    Traceback (most recent call last):
    robustshape.errors.InputError: an example holds all features in memory and takes no dask array; give it features.compute() if they fit, or a sample of the rows (in blocks are read: k*, k-means, neighbourhood hit, TwoNN dimension, silhouette)
    """
    if in_blocks(features):
        raise InputError(
            f"{purpose} holds all features in memory and takes no dask array; give it features.compute() if they fit, or a "
            "sample of the rows (in blocks are read: k*, k-means, neighbourhood hit, TwoNN dimension, silhouette)"
        )
    return features


def centred(features, purpose: str, *, fewest: int = 2) -> np.ndarray:
    """Return the features as float64 about their mean, or say why they cannot be used.

    A common offset would cost the distances their digits (|x|^2 - 2 x y + |y|^2 cancels), so it is taken off.

    Parameters
    ----------
    features : (n, d) float
        Finite; at least `fewest` samples.
    purpose : str
        What needs them, the first words of an error.
    fewest : int

    Returns
    -------
    (n, d) float64

    Raises
    ------
    InputError
        If they are a dask array, not real, not (n, d), fewer than `fewest`, hold NaN or infinity, or are beyond `LARGEST`.

    Examples
    --------
    >>> centred([[1, 7], [3, 7]], "an example").tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    features = real_features(in_memory(features, purpose), purpose, fewest=fewest)
    if not np.isfinite(features).all():
        bad = int(np.count_nonzero(~np.isfinite(features).all(axis=1)))
        raise InputError(f"{bad} of {len(features)} samples have NaN or infinite features; leave them out")
    largest = float(np.abs(features).max(initial=0))
    if largest > LARGEST:
        raise InputError(f"features reach {largest:.0e}, whose squares overflow; divide them by a constant")
    return features - features.mean(axis=0, dtype=np.float64)


def class_labels(labels, n: int, purpose: str) -> np.ndarray:
    """Return the labels as int64 (n,), of at least two classes, or say why they cannot be used.

    >>> class_labels([4, 2, 2], 3, "an example")
    array([4, 2, 2])
    >>> class_labels([4, 4], 2, "an example")
    Traceback (most recent call last):
    robustshape.errors.InputError: an example needs samples of at least two classes, but all labels are 4
    """
    labels = as_array(labels, purpose)
    if labels.shape != (n,):
        raise InputError(
            f"{purpose} needs one label per sample, but was given {n} samples and labels {labels.shape}"
        )
    if labels.dtype.kind not in "iu":
        raise InputError(f"labels must be integers, but are {labels.dtype}; number the classes first")
    if (labels == labels[:1]).all():
        raise InputError(
            f"{purpose} needs samples of at least two classes, but "
            + (f"all labels are {int(labels[0])}" if n else "there is no sample")
        )
    return labels.astype(np.int64)
