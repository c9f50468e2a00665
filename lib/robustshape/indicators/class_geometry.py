"""Class geometry: how tight the classes lie about their means, and how far the means lie apart.

With mu_c the mean of class c, of n_c samples, and mu that of all n, the scatter within the classes is
``S_W = 1/n * sum over samples x of (x - mu_c)(x - mu_c)^T`` and the one between them
``S_B = sum over c of n_c/n * (mu_c - mu)(mu_c - mu)^T``; the covariance of all features is their sum.

Class means closer together than a millionth of the features' spread count as one, for float32 features say no
more. Where a number would divide by such a distance, or take its logarithm, it is NaN.
"""

import numpy as np

from robustshape.errors import InputError
from robustshape.indicators.checks import centred, class_labels
from robustshape.indicators.registered import INDICATORS

RESOLUTION = 1e-6  # of a spread: what is smaller is rounding of float32 features


@INDICATORS.register(
    "davies_bouldin",
    symbol="DB",
    about="width of each class beside its distance to the worst other; low is good",
)
def davies_bouldin(features, labels) -> float:
    """Return the Davies-Bouldin index: how wide each class is beside its distance to the worst other one.

    Davies & Bouldin 1979, "A cluster separation measure", IEEE TPAMI 1(2), with the classes as clusters and
    p = 2, q = 1: ``mean over classes i of max over j of (s_i + s_j) / |mu_i - mu_j|``, s the mean distance of
    the samples of a class to its mean.

    Parameters
    ----------
    features : (n, d) float
        One row per sample, finite; computed in float64.
    labels : (n,) int
        Class of each sample; at least two classes, fewer classes than samples.

    Returns
    -------
    float
        At least 0, and lower is better separated; NaN if two class means coincide. Rotating, shifting or
        scaling the features does not change it. Shuffled labels give ``sqrt(2 n / C)`` or somewhat more,
        for C classes of a size.

    Raises
    ------
    InputError
        If the shapes do not fit, labels are not integers or of one class, all samples are of different
        classes, or a feature is NaN or infinite.

    Examples
    --------
    Each sample is 0.5 from its class mean, and the means are 9 apart.

    >>> round(davies_bouldin([[0.0], [1.0], [9.0], [10.0]], [0, 0, 1, 1]), 4)
    0.1111
    """
    from scipy.spatial.distance import cdist

    classes, means, residuals = about_class_means(features, labels, "the Davies-Bouldin index")
    sizes = np.bincount(classes)
    widths = np.bincount(classes, np.sqrt(np.einsum("ij,ij->i", residuals, residuals))) / sizes
    distances = cdist(means, means)
    np.fill_diagonal(distances, np.inf)  # no class is compared with itself
    if (distances <= RESOLUTION * np.sqrt(sum(_traces(sizes, means, residuals)))).any():
        return float("nan")
    return float(((widths[:, None] + widths) / distances).max(axis=1).mean())


@INDICATORS.register(
    "within_between_ratio", symbol="tr S_W / tr S_B", about="variance within classes over that of their means"
)
def within_between_ratio(features, labels) -> float:
    """Return the variance within the classes over that of their means: ``trace(S_W) / trace(S_B)``.

    One of the class separability criteria of Fukunaga, "Introduction to Statistical Pattern Recognition"
    (1990), chapter 10, and the inverse of the index of Calinski & Harabasz 1974 but for its factor
    ``(n - C) / (C - 1)``.

    Takes and refuses what `davies_bouldin` does. At least 0, and lower is better separated; NaN if all class
    means coincide. Rotating, shifting or scaling the features does not change it. Shuffled labels give about
    ``(n - C) / (C - 1)`` for C classes, whatever the features.

    The samples are 0.5 from their class means, which are 4.5 from the mean of all: 0.25 / 20.25.

    >>> round(within_between_ratio([[0.0], [1.0], [9.0], [10.0]], [0, 0, 1, 1]), 4)
    0.0123
    """
    classes, means, residuals = about_class_means(features, labels, "the ratio within to between")
    within, between = _traces(np.bincount(classes), means, residuals)
    return float(within / between) if between > RESOLUTION**2 * (within + between) else float("nan")


@INDICATORS.register(
    "neural_collapse", symbol="NC1", about="variance within classes where their means differ; 0 is collapsed"
)
def neural_collapse_nc1(features, labels) -> float:
    """Return NC1, how far the classes are from having collapsed to their means: ``trace(S_W S_B^+) / C``.

    Papyan, Han, Donoho 2020, "Prevalence of neural collapse during the terminal phase of deep learning
    training", PNAS 117(40). ^+ is the pseudo-inverse and C the number of classes present. The paper has
    classes of a size; of others we weigh the class means by size.

    Unlike `within_between_ratio` it heeds only directions in which the class means differ, and each alike,
    however little they differ in it. Those are at most C - 1, found from the means alone: no matrix (d, d) is
    ever formed. Directions in which the means differ by less than a millionth of the largest are left out.

    Takes and refuses what `davies_bouldin` does. At least 0, and lower is better separated; NaN if all class
    means coincide. Rotating, shifting or scaling the features does not change it. Shuffled labels give
    roughly ``n (C - 1) / (C D)`` with D the participation ratio of the features, if that is far above C.

    >>> round(neural_collapse_nc1([[0.0], [1.0], [9.0], [10.0]], [0, 0, 1, 1]), 5)  # 0.25 / 20.25 / 2
    0.00617
    """
    classes, means, residuals = about_class_means(features, labels, "NC1")
    sizes = np.bincount(classes)
    # S_B is the square of this (C, d) matrix: its right singular vectors and squared singular values
    roots = np.sqrt(sizes / len(classes))[:, None] * means
    _, singular, directions = np.linalg.svd(roots, full_matrices=False)
    if not singular[0] > RESOLUTION * np.sqrt(sum(_traces(sizes, means, residuals))):
        return float("nan")
    kept = singular > RESOLUTION * singular[0]
    within = np.square(residuals @ directions[kept].T).mean(axis=0)  # variance within, by direction
    return float((within / singular[kept] ** 2).sum() / len(sizes))


@INDICATORS.register(
    "dispersion_score",
    symbol="log tr S_B",
    about="log scatter of the class means; grows with scale and samples",
)
def dispersion_score(features, labels) -> float:
    """Return the dispersion score, the logarithm of the scatter of the class means.

    ``log(sum over classes of n_c |mu_c - mu|^2 / (C - 1))``: Xie, Wei, Feng, Cao, An 2023, "On the importance
    of feature separability in predicting out-of-distribution error", NeurIPS. They take the classes that a
    network predicts for unlabelled shifted data; here they are the true ones, and the data may be clean.

    Takes and refuses what `davies_bouldin` does. Any real number, and higher is better separated; NaN if all
    class means coincide. Rotating or shifting the features does not change it, but scaling them by s adds
    ``2 log s``, and more samples of the same add the log of their factor: compare like with like. Shuffled
    labels give about the log of the summed variance of the features.

    >>> round(dispersion_score([[0.0], [1.0], [9.0], [10.0]], [0, 0, 1, 1]), 4)  # log(2 * 20.25 + 2 * 20.25)
    4.3944
    """
    classes, means, residuals = about_class_means(features, labels, "the dispersion score")
    sizes = np.bincount(classes)
    within, between = _traces(sizes, means, residuals)
    if not between > RESOLUTION**2 * (within + between):
        return float("nan")
    return float(np.log(len(classes) * between / (len(sizes) - 1)))


def about_class_means(features, labels, purpose: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what all of the above start from, or say why the features and labels cannot be used.

    These are the class of each sample as 0 to C - 1 (n,), the class means less the mean of all (C, d), and
    the features less their class means (n, d).
    """
    residuals = centred(features, purpose)  # for now about the mean of all
    labels = class_labels(labels, len(residuals), purpose)
    names, classes = np.unique(labels, return_inverse=True)
    if len(names) == len(labels):
        raise InputError(
            f"{purpose} needs a class of two samples, but each of {len(labels)} is its own; give more samples"
        )
    if (residuals == residuals[0]).all():
        residuals[:] = 0  # less their mean, equal samples may differ from 0 by rounding
    means = np.empty((len(names), residuals.shape[1]))
    for c in range(len(names)):
        rows = np.flatnonzero(classes == c)
        means[c] = residuals[rows].mean(axis=0)
        residuals[rows] -= means[c]
    return classes, means, residuals


def _traces(sizes, means, residuals) -> tuple[float, float]:
    """Return the traces of S_W and S_B; the former not as a difference, which would cancel near collapse."""
    within = np.vdot(residuals, residuals) / len(residuals)
    return within, sizes @ np.einsum("ij,ij->i", means, means) / len(residuals)
