"""What k* is where a class has no structure within: normal classes of the same sizes, means and covariances.

Classes that overlap or lie far apart have another k* for that alone, and Gamma' of few samples is high for well separated
normal classes too. So whether a network fractures its classes is asked of k* beside that of its normal twin, which
has as many samples of each class with the very same mean and covariance, and nothing else; `kstar_chance` has the other
end, shuffled labels. Given mean and covariance of a sample, all rotations of its residuals that leave their mean at 0 are
equally likely if the class is normal, so a random one is a fair twin, whatever the numbers of samples and features.
"""

import numpy as np

from robustshape.errors import InputError
from robustshape.indicators.class_geometry import RESOLUTION, about_class_means
from robustshape.indicators.kstar import nearest_foreign_rank
from robustshape.indicators.registered import INDICATORS


def normal_twin(features, labels, *, rng: np.random.Generator) -> np.ndarray:
    """Return features with the same class sizes, means and covariances, as normal classes would have them.

    The residuals of a class, ``U S V^T``, become ``Q S V^T`` with Q random and orthonormal, of mean 0 as U is.

    Parameters
    ----------
    features : (n, d) float
        One row per sample, finite.
    labels : (n,) int
        At least two classes, fewer classes than samples.
    rng : numpy.random.Generator

    Returns
    -------
    (n, d) float64
        About the mean of all features; the class of a row is that of the same row of `labels`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> features, labels = rng.uniform(size=(60, 3)), np.arange(60) % 2
    >>> twin = normal_twin(features, labels, rng=rng)
    >>> bool(np.allclose(np.cov(twin[::2].T), np.cov(features[::2].T))), bool(np.allclose(twin, features - features.mean(0)))
    (True, False)
    """
    classes, means, residuals = about_class_means(features, labels, "a normal twin")
    return _twin(classes, means, _roots(classes, residuals), rng)


def _roots(classes, residuals) -> list[np.ndarray]:
    """Return S V^T of the residuals of each class, (rank, d)."""
    found = []
    for c in range(classes.max() + 1):
        _, singular, axes = np.linalg.svd(residuals[classes == c], full_matrices=False)
        kept = singular > RESOLUTION * singular.max(initial=0)
        found.append(singular[kept, None] * axes[kept])
    return found


def _twin(classes, means, roots, rng: np.random.Generator) -> np.ndarray:
    twin = means[classes]
    for c, root in enumerate(roots):
        rows = np.flatnonzero(classes == c)
        drawn = rng.standard_normal((len(rows), len(root)))
        directions, scale = np.linalg.qr(drawn - drawn.mean(axis=0))
        twin[rows] += directions * np.sign(np.diag(scale)) @ root
    return twin


@INDICATORS.register(
    "log_rank_over_twin",
    symbol="k* over twin",
    about="log10 mean normalised k* less that of normal classes of the same moments",
)
def log_rank_over_twin(features, labels, *, rng: np.random.Generator, draws: int = 5) -> float:
    """Return by how much log10 mean normalised k* exceeds that of normal twins, the mean of so many.

    Parameters
    ----------
    features, labels
        As for `normal_twin`.
    rng : numpy.random.Generator
    draws : int
        Twins, at least one; each takes the time of a k* of all samples.

    Returns
    -------
    float
        About 0 for normal classes; below 0 where samples of other classes lie among those of a class more than its
        spread alone explains: it is fractured. Rotating, shifting or scaling the features changes nothing but the draws.

    Examples
    --------
    Each class is two clumps, and one of the other class lies between them.

    >>> rng = np.random.default_rng(0)
    >>> place = np.array([0.0, 10.0, 20.0, 30.0])[np.arange(400) % 4]
    >>> features = place[:, None] + rng.normal(size=(400, 1))
    >>> log_rank_over_twin(features, np.arange(400) % 2, rng=rng) > 0.5  # they are apart, the twins are not
    True
    """
    if draws < 1:
        raise InputError(f"at least one twin is needed, but draws is {draws}")
    classes, means, residuals = about_class_means(features, labels, "a normal twin")
    roots = _roots(classes, residuals)
    twins = [_log_mean_rank(_twin(classes, means, roots, rng), labels) for _ in range(draws)]
    return _log_mean_rank(features, labels) - float(np.mean(twins))


def _log_mean_rank(features, labels) -> float:
    _, classes, sizes = np.unique(np.asarray(labels), return_inverse=True, return_counts=True)
    return float(np.log10((nearest_foreign_rank(features, labels) / sizes[classes]).mean()))
