"""How good a generator is: do its images look like real ones, and does an independent classifier read what was asked?"""

import numpy as np
import torch

from robustshape.errors import InputError
from robustshape.generators.stylegan2.generator import one_hot
from robustshape.generators.stylespace import StyleSpace, images_of


def sampled(
    generator, labels, *, seed: int, truncation_psi: float = 1.0, noise: str = "const", chunk: int = 250
) -> np.ndarray:
    """Return made images of these classes.

    Parameters
    ----------
    generator : Generator
    labels : (n,) int
    seed : int
        Of z: the k-th image depends on the seed, k and its class alone.
    truncation_psi : float
    noise : {"const", "none"}
    chunk : int
        Images at once.

    Returns
    -------
    (n, r, r, c) uint8
    """
    styles = sampled_styles(generator, labels, seed=seed, truncation_psi=truncation_psi)
    return images_of(generator, styles, noise=noise, chunk=chunk)


def sampled_styles(generator, labels, *, seed: int, truncation_psi: float = 1.0):
    """Return the flat styles (n, size) of samples of these classes; see `sampled`."""
    w = style_inputs(generator, labels, seed=seed, truncation_psi=truncation_psi)
    with torch.no_grad():
        return StyleSpace.of(generator).flat(generator.styles(w))


def style_inputs(generator, labels, *, seed: int, truncation_psi: float = 1.0):
    """Return w (n, layers, w_dim) of these classes; see `sampled`."""
    mapping = generator.mapping
    labels = torch.as_tensor(np.asarray(labels), dtype=torch.int64)
    if not mapping.c_dim:
        raise InputError(
            "this generator knows no classes (c_dim 0), but images of given classes were asked for; "
            "give a class-conditional one"
        )
    if labels.ndim != 1 or not len(labels) or labels.min() < 0 or labels.max() >= mapping.c_dim:
        raise InputError(
            f"labels are classes from 0 to {mapping.c_dim - 1}, but were {labels.tolist()[:5]} ..."
        )
    z = torch.randn(len(labels), mapping.z_dim, generator=torch.Generator().manual_seed(seed))
    where = next(generator.parameters()).device
    with torch.no_grad():
        return mapping(z.to(where), one_hot(labels, mapping.c_dim).to(where), truncation_psi)


def sheet(images, columns: int) -> np.ndarray:
    """Return images (n, h, w, c) as one, `columns` of them side by side; places that are left over are black.

    >>> sheet(np.arange(1, 4).reshape(3, 1, 1, 1), 2)[:, :, 0].tolist()
    [[1, 2], [3, 0]]
    """
    n, h, w, c = np.shape(images)
    rows = -(-n // columns)
    made = np.zeros((rows * columns, h, w, c), np.asarray(images).dtype)
    made[:n] = images
    return made.reshape(rows, columns, h, w, c).transpose(0, 2, 1, 3, 4).reshape(rows * h, columns * w, c)


def grey(images) -> np.ndarray:
    """Return (n, r, r, c) uint8 images as (n, r, r) in [0, 1], the mean of their channels.

    >>> grey(np.full((1, 1, 1, 3), 51, np.uint8)).tolist()
    [[[0.2]]]
    """
    return np.asarray(images).mean(axis=3) / 255


def frechet_distance(a, b) -> float:
    """Return the squared Frechet distance of two Gaussians with the means and covariances of two sets of features.

    ``|m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2))`` (Dowson and Landau 1982, doi:10.1016/0047-259X(82)90077-X;
    Heusel et al. 2017, arXiv 1706.08500, for generators). 0 for two equal sets; it depends on what the features are and
    on how many images there are.

    Parameters
    ----------
    a, b : (n, d), (m, d) float

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((500, 3))
    >>> round(frechet_distance(x, x + [1.0, 2.0, 0.0]), 3)
    5.0
    """
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise InputError(f"two sets of features (n, d) are needed, but were given {a.shape} and {b.shape}")
    covariance_a, covariance_b = np.cov(a, rowvar=False).reshape(a.shape[1], -1), np.cov(b, rowvar=False)
    values, vectors = np.linalg.eigh(covariance_a)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    # the eigenvalues of C_a C_b are those of this symmetric product, which has no complex ones by rounding
    product = np.linalg.eigvalsh(root @ covariance_b.reshape(covariance_a.shape) @ root)
    distance = (
        np.square(a.mean(0) - b.mean(0)).sum()
        + np.trace(covariance_a)
        + np.trace(np.atleast_2d(covariance_b))
    )
    return float(max(0.0, distance - 2 * np.sqrt(product.clip(0)).sum()))


def scores(made, asked, real, labels, *, judge, severities) -> dict:
    """Return how well an independent classifier reads made images, beside real ones selected the same way.

    Parameters
    ----------
    made : (n, r, r, c) uint8
        The generator's images.
    asked : (n,) int
        The classes they were asked for.
    real, labels : (m, r, r, c) uint8, (m,) int
        Real images, corrupted as those the generator learned.
    judge : Classifier
        It took no part in the training.
    severities : Severities
        Fitted on other real images.

    Returns
    -------
    dict of str -> float, list or None
        ``accuracy`` and ``real_accuracy`` (all images), ``mild_accuracy`` and ``real_mild_accuracy`` (those that look
        mildly corrupted), ``mild_ratio`` of the two, ``n_mild`` and ``real_n_mild``, ``by_class`` and ``real_by_class``
        (accuracy of each class asked for, with ``n_by_class`` and ``real_n_by_class``), ``by_severity`` (for each corruption `by_severity`), ``mean_severity`` and ``real_mean_severity`` (of each corruption), ``frechet`` (squared distance of the
        judge's features) and ``frechet_floor`` (that of two halves of the real images). None where no image looks mild.
    """
    made, real, asked, labels = (np.asarray(x) for x in (made, real, asked, labels))
    found, truth = judge.predict(made) == asked, judge.predict(real) == labels
    seen, known = (severities.predict(grey(images)) for images in (made, real))
    mild, known_mild = (severities.is_mild(x) for x in (seen, known))
    mild_accuracy, real_mild_accuracy = _share(found[mild]), _share(truth[known_mild])
    ours, theirs = (judge.activations(images)["penultimate"] for images in (made, real))
    order = np.random.default_rng(0).permutation(len(real))
    return {
        "accuracy": float(found.mean()),
        "real_accuracy": float(truth.mean()),
        "mild_accuracy": mild_accuracy,
        "real_mild_accuracy": real_mild_accuracy,
        "mild_ratio": None
        if mild_accuracy is None or not real_mild_accuracy
        else mild_accuracy / real_mild_accuracy,
        "n_mild": int(mild.sum()),
        "real_n_mild": int(known_mild.sum()),
        "by_class": [float(found[asked == k].mean()) for k in np.unique(asked)],
        "n_by_class": [int((asked == k).sum()) for k in np.unique(asked)],
        "real_by_class": [_share(truth[labels == k]) for k in np.unique(asked)],
        "real_n_by_class": [int((labels == k).sum()) for k in np.unique(asked)],
        "by_severity": [by_severity(found, ours, truth, theirs) for ours, theirs in zip(seen.T, known.T)],
        "mean_severity": [float(x) for x in seen.mean(axis=0)],
        "real_mean_severity": [float(x) for x in known.mean(axis=0)],
        "frechet": frechet_distance(ours, theirs),
        "frechet_floor": frechet_distance(theirs[order[::2]], theirs[order[1::2]]),
    }


def by_severity(found, seen, truth, known) -> list[dict]:
    """Return the accuracy at each severity as the regressions see it, made and real images side by side.

    Parameters
    ----------
    found, truth : (n,), (m,) bool
        Whether the made and the real images are read rightly.
    seen, known : (n,), (m,) float
        How severe one corruption looks in them; rounded to 0 to 5.

    Examples
    --------
    >>> by_severity(np.array([True, False]), np.array([0.2, -0.1]), np.array([True]), np.array([5.4]))[::5]
    [{'accuracy': 0.5, 'n': 2, 'real_accuracy': None, 'real_n': 0}, {'accuracy': None, 'n': 0, 'real_accuracy': 1.0, 'real_n': 1}]
    """
    levels, real_levels = (np.clip(np.rint(x), 0, 5) for x in (seen, known))
    return [
        {
            "accuracy": _share(found[levels == k]),
            "n": int((levels == k).sum()),
            "real_accuracy": _share(truth[real_levels == k]),
            "real_n": int((real_levels == k).sum()),
        }
        for k in range(6)
    ]


def _share(hits) -> float | None:
    return float(hits.mean()) if len(hits) else None
