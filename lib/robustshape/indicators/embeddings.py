"""Plots of features in two dimensions, t-SNE and UMAP, and how far they can be trusted.

van der Maaten and Hinton 2008, "Visualizing data using t-SNE", JMLR 9; McInnes, Healy, Melville 2018, "UMAP"
(arXiv 1802.03426); trustworthiness: Venna and Kaski 2001, "Neighborhood preservation in nonlinear projection
methods". Both plots are made on one thread with a given seed, so that they repeat; they are pictures, and every
number read from them is one of the picture: its k-NN purity is `neighbours.neighbourhood_hit` of the plot.
"""

import numpy as np
from threadpoolctl import threadpool_limits

from robustshape.errors import InputError
from robustshape.indicators.checks import centred

PERPLEXITY = 30  # of t-SNE, scikit-learn's default
UMAP_NEIGHBOURS = 15  # umap-learn's default
TRUSTED_NEIGHBOURS = 12


def embed(features, *, method: str = "tsne", seed: int = 0) -> np.ndarray:
    """Return a plot of the features in two dimensions.

    Meant for about 2,000 samples, which take tens of seconds. The first UMAP of a process also compiles.

    Parameters
    ----------
    features : (n, d) float
        One row per sample, finite; at least five.
    method : {"tsne", "umap"}
        t-SNE starts from the principal components, with perplexity 30 or a third of the samples if that is
        less; UMAP takes 15 neighbours, or all of fewer.
    seed : int
        From 0 to 2^32 - 1.

    Returns
    -------
    (n, 2) float32
        Equal for equal input on one machine. Features that do not vary at all lie at one point.

    Raises
    ------
    InputError
        If the method is not one of the two, there are fewer than five samples, or a feature is NaN or infinite.

    Examples
    --------
    >>> blobs = np.random.default_rng(0).normal(size=(30, 4)) + 50 * np.repeat([[0], [1]], 15, axis=0)
    >>> plot = embed(blobs)
    >>> plot.shape, plot.dtype, round(trustworthiness(blobs, plot, n_neighbors=5), 1)
    ((30, 2), dtype('float32'), 1.0)
    """
    if method not in METHODS:
        raise InputError(f"unknown embedding {method!r}; it is one of {', '.join(METHODS)}")
    features = centred(features, "an embedding", fewest=5)
    if not np.ptp(features, axis=0).any():
        return np.zeros((len(features), 2), dtype=np.float32)
    # both work in float32, whose squares overflow at 1e19
    features = (features / np.abs(features).max()).astype(np.float32)
    with threadpool_limits(limits=1):
        return np.asarray(METHODS[method](features, seed), dtype=np.float32)


def _tsne(features: np.ndarray, seed: int) -> np.ndarray:
    """Return t-SNE by Barnes-Hut, started from the principal components (random for a single one)."""
    from sklearn.manifold import TSNE

    return TSNE(
        perplexity=min(PERPLEXITY, (len(features) - 1) / 3),
        init="pca" if features.shape[1] > 1 else "random",
        random_state=seed,
        n_jobs=1,
    ).fit_transform(features)


def _umap(features: np.ndarray, seed: int) -> np.ndarray:
    """Return UMAP with its own defaults; the seed already takes it to one thread."""
    import umap

    return umap.UMAP(
        n_neighbors=min(UMAP_NEIGHBOURS, len(features) - 1), random_state=seed, n_jobs=1
    ).fit_transform(features)


METHODS = {"tsne": _tsne, "umap": _umap}


def trustworthiness(features, embedding, *, n_neighbors: int = TRUSTED_NEIGHBOURS) -> float:
    """Return how far the neighbours in a plot are neighbours in the features too.

    ``1 - 2 / (n k (2n - 3k - 1)) * sum over samples i, over j among the k nearest of i in the plot, of
    max(0, r(i, j) - k)``, r the rank of j among the neighbours of i in the features. Holds n x n arrays: 100 MB for
    2,000 samples.

    Parameters
    ----------
    features : (n, d) float
    embedding : (n, 2) float
        The plot, or any other features of the same samples.
    n_neighbors : int
        k, from 1 to below n / 2.

    Returns
    -------
    float
        In [0, 1]; 1 if no neighbour in the plot is false, about 0.5 for a plot at random.

    Raises
    ------
    InputError
        If the two have different numbers of samples, a value is NaN or infinite, or k is out of range.

    Examples
    --------
    >>> line = np.arange(10.0)[:, None]
    >>> trustworthiness(line, 3 * line, n_neighbors=2)
    1.0
    """
    from sklearn import manifold

    features = centred(features, "the trustworthiness", fewest=3)
    embedding = centred(embedding, "the trustworthiness of a plot", fewest=3)
    if len(features) != len(embedding):
        raise InputError(
            f"{len(features)} samples but {len(embedding)} points of the plot: give the same ones"
        )
    if not 1 <= n_neighbors < len(features) / 2:
        raise InputError(
            f"n_neighbors must be at least 1 and below half the {len(features)} samples, but is {n_neighbors}"
        )
    return float(manifold.trustworthiness(features, embedding, n_neighbors=n_neighbors))
