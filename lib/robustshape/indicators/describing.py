"""`describe`: every indicator of features that someone has as arrays, and nothing else."""

import inspect

import numpy as np

from robustshape.errors import InputError
from robustshape.indicators.checks import as_array, centred, class_labels, generator
from robustshape.indicators.registered import INDICATORS, value

MOST_CLUSTERED = 500  # samples that a multicut clusters: its time grows with their cube


def describe(features, labels, *, logits=None, rng=None):
    """Return every registered indicator of features and labels as a pandas.Series.

    Parameters
    ----------
    features : (n, d) float
        Of clean images, one row each, finite; in memory, for many indicators need all of them at once.
    labels : (n,) int
        Their classes, at least two.
    logits : (n, c) float, optional
        For margins, confidence and accuracy; without, they are NaN.
    rng : numpy.random.Generator, optional
        For indicators that draw; a seed is taken of it, by default 0, and each begins with it, so that none depends on others.

    Returns
    -------
    pandas.Series of float
        Indexed by the name of the indicator, see ``robustshape list indicators``. The multicut is calibrated on half of the
        classes and clusters the first 500 samples of the others, so with fewer than four classes it is NaN; all other
        indicators are of all samples.

    Raises
    ------
    InputError
        If the arrays do not fit together.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> labels = np.arange(200) % 4
    >>> found = describe(rng.normal(size=(200, 8)) + 3 * np.eye(4, 8)[labels], labels)
    >>> found[["kmeans_purity", "mean_normalised_rank", "silhouette"]].round(2).to_dict()
    {'kmeans_purity': 0.96, 'mean_normalised_rank': 0.27, 'silhouette': 0.25}
    """
    import pandas as pd

    centred(features, "a description")
    features = np.asarray(features)
    labels = class_labels(labels, len(features), "a description")
    logits = None if logits is None else _logits(logits, labels)
    few, others = _halves(labels)
    seed = 0 if rng is None else int(generator(rng, "a description").integers(2**32))
    found = {}
    for name in INDICATORS.names():
        calibrated = "calibration" in inspect.signature(INDICATORS[name]).parameters and len(others)
        at = few if calibrated else slice(None)
        found[name] = value(
            name, features=features[at], labels=labels[at], logits=None if logits is None else logits[at],
            rng=np.random.default_rng(seed),
            calibration=(features[others], labels[others]) if calibrated else None,
        )  # fmt: skip
    return pd.Series(found, name="indicator")


def _logits(logits, labels) -> np.ndarray:
    """Return logits (n, c) as an array, or say that they are not those of the samples and their classes."""
    logits = as_array(logits, "a description")
    if logits.ndim != 2 or len(logits) != len(labels):
        raise InputError(f"logits are (n, c), of the {len(labels)} samples, but were given {logits.shape}")
    if labels.min() < 0 or labels.max() >= logits.shape[1]:
        raise InputError(
            f"labels run from {labels.min()} to {labels.max()}, but with logits of {logits.shape[1]} classes they are places "
            f"in them, from 0 to {logits.shape[1] - 1}"
        )
    return logits


def _halves(labels) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the first samples of half of the classes, and of the others: at most `MOST_CLUSTERED` each."""
    classes = np.unique(labels)
    halves = classes[: len(classes) // 2], classes[len(classes) // 2 :]
    if len(classes) < 4:
        return np.arange(len(labels)), np.array([], int)
    each = [max(2, MOST_CLUSTERED // len(half)) for half in halves]
    return tuple(
        np.concatenate([np.flatnonzero(labels == k)[:n] for k in half]) for half, n in zip(halves, each)
    )
