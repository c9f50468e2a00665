"""Spectrum: over how many directions is the variance of the features spread?

The first two numbers count the principal directions, each by how much it matters, and the third says how fast they
fall off; none heeds a label. They see the
cloud of all features as a whole, where `dimensionality` looks at a sample's nearest neighbours: a curled-up
line has one dimension there and several here. They differ in the weights: the participation ratio of
variances hardly heeds the many weak directions, the effective rank of standard deviations does.
"""

import numpy as np

from robustshape.indicators import principal_components
from robustshape.indicators.principal_components import smaller_gram
from robustshape.indicators.registered import INDICATORS


@INDICATORS.register(
    "participation_ratio", symbol="PR", about="number of directions with much of the variance; heeds no label"
)
def participation_ratio(features=None, *, variances=None) -> float:
    """Return the participation ratio of the features: ``(sum of l)^2 / sum of l^2``, l the variances.

    l are the eigenvalues of the covariance: Gao, Trautmann, Yu, Santhanam, Ryu, Shenoy, Ganguli 2017, "A
    theory of multineuronal dimensionality, dynamics and measurement", bioRxiv 214262; Litwin-Kumar, Harris,
    Axel, Sompolinsky, Abbott 2017, "Optimal degrees of synaptic connectivity", Neuron 93(5).

    Parameters
    ----------
    features : (n, d) float
        One row per sample, finite; at least two. Computed in float64; no label is needed.
    variances : (k,) float, optional
        Along the principal directions, in place of the features where they are known: see
        `principal_components.variances`.

    Returns
    -------
    float
        In [1, min(n - 1, d)]: m where m directions have all the variance, in equal parts; NaN if all samples
        are equal. Rotating, shifting or scaling the features does not change it. There is no level of chance,
        nor a better direction; few samples give too few (noise of equal variance about ``n d / (n + d)``).

    Raises
    ------
    InputError
        If there are fewer than two samples, or a feature is NaN or infinite.

    Examples
    --------
    Variances of 4 and 1: 25 / 17.

    >>> round(participation_ratio([[2, 0], [-2, 0], [0, 1], [0, -1]]), 4)
    1.4706
    >>> round(participation_ratio(variances=[4.0, 1.0]), 4)
    1.4706
    """
    if variances is None:
        gram = _relative_gram(features, "the participation ratio")
        # its trace is the sum of the eigenvalues, here 1, and its squared norm that of their squares
        total, squares = 1.0, np.vdot(gram, gram)
    else:
        variances = np.asarray(variances, dtype=np.float64)
        total, squares = variances.sum(), (variances**2).sum()
    return float(total**2 / squares) if squares else float("nan")


@INDICATORS.register(
    "effective_rank",
    symbol="erank",
    about="number of directions, by entropy of singular values; heeds no label",
)
def effective_rank(features) -> float:
    """Return the effective rank of the centred features: exp of the entropy of their singular values.

    Roy & Vetterli 2007, "The effective rank: a measure of effective dimensionality", EUSIPCO:
    ``exp(-sum of p log p)``, p the singular values over their sum. The matrix is (n, d), the features less
    their mean, so these are standard deviations along the principal directions and not variances.

    Takes and refuses what `participation_ratio` does, and is never below it. In [1, min(n - 1, d)]: m where m
    directions have all the variance, in equal parts; NaN if all samples are equal. Rotating, shifting or
    scaling the features does not change it. Few samples give too few. Singular values below
    ``1.5e-8 sqrt(min(n, d))`` of the largest count as 0: float64 cannot tell.

    Singular values of 2 to 1, so shares of 2/3 and 1/3.

    >>> round(effective_rank([[2, 0], [-2, 0], [0, 1], [0, -1]]), 4)
    1.8899
    """
    gram = _relative_gram(features, "the effective rank")
    if not gram.any():
        return float("nan")
    variances = np.linalg.eigvalsh(gram)
    # rounding leaves about eps where 0 belongs, whose root, 1e-8, would count if there are hundreds of them
    variances = variances[variances > len(gram) * np.finfo(float).eps * variances[-1]]
    shares = np.sqrt(variances) / np.sqrt(variances).sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


@INDICATORS.register(
    "spectrum_exponent",
    symbol="alpha",
    about="exponent of the power law of the features' variances; heeds no label",
)
def spectrum_exponent(features) -> float:
    """Return how fast the variances of the features fall off: a of the power law ``l_k ~ k^-a`` that fits them best.

    `principal_components.spectrum_exponent` of the features' variances along their principal directions.

    Takes and refuses what `participation_ratio` does. 0 for a flat spectrum, large where few directions have all the
    variance; NaN for fewer than three directions. Rotating, shifting or scaling the features does not change it. Few
    samples make it too large: compare like with like.

    Three directions with variances of 1, 1/2 and 1/3.

    >>> features = np.vstack([np.eye(3), -np.eye(3)]) * np.sqrt([3, 3 / 2, 1])
    >>> round(spectrum_exponent(features), 6)
    1.0
    """
    return principal_components.spectrum_exponent(principal_components.variances(features))


def _relative_gram(features, purpose: str) -> np.ndarray:
    """Return `smaller_gram` over its trace; 0 if all samples are equal."""
    gram = smaller_gram(features, purpose)
    total = np.trace(gram)
    return gram / total if total else gram
