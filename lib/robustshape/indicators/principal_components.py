"""Principal components: in how many directions do the responses of a layer vary, and how fast do they fall off?

Every number here is read from the variances along the principal directions, so they are computed once; from them too is
`spectrum.participation_ratio`.
"""

import numpy as np

from robustshape.errors import InputError
from robustshape.indicators.checks import centred


def variances(features) -> np.ndarray:
    """Return the variances along the principal directions, the largest first.

    Parameters
    ----------
    features : (n, d) float
        One row per sample, finite; at least two.

    Returns
    -------
    (min(n, d),) float64
        The eigenvalues of the covariance (divided by n), at least 0; those that rounding cannot tell from 0 are 0.

    Examples
    --------
    >>> variances([[2, 0], [-2, 0], [0, 1], [0, -1]]).tolist()
    [2.0, 0.5]
    """
    gram = smaller_gram(features, "a principal component analysis")
    found = np.linalg.eigvalsh(gram)[::-1] / len(features)
    return np.where(found > len(gram) * np.finfo(float).eps * max(found[0], 0), found, 0.0)


def components_for(variances, share: float) -> int:
    """Return how many principal components hold at least `share` of the variance; 0 if there is none.

    >>> components_for([6.0, 3.0, 1.0], 0.9), components_for([6.0, 3.0, 1.0], 0.95), components_for([0.0], 0.9)
    (2, 3, 0)
    """
    variances = np.asarray(variances, dtype=np.float64)
    if not 0 < share <= 1:
        raise InputError(f"a share of the variance is above 0 and at most 1, such as 0.95, but was {share}")
    if not variances.sum() > 0:
        return 0
    held = np.cumsum(variances) / variances.sum()
    return int(np.searchsorted(held, share - 1e-12) + 1)  # rounding must not ask for one more


def spectrum_exponent(variances) -> float:
    """Return the exponent a of the power law ``l_k ~ k^-a`` that fits the variances best.

    Stringer, Pachitariu, Steinmetz, Carandini, Harris 2019, "High-dimensional geometry of population responses in
    visual cortex", Nature 571. Least squares of log variance on log rank over all directions with any variance.

    Returns
    -------
    float
        Above 0 for a falling spectrum, 0 for a flat one; large: few directions have it all. NaN for fewer than three
        directions.

    Examples
    --------
    >>> round(spectrum_exponent(1 / np.arange(1, 20) ** 1.5), 6)
    1.5
    """
    known = np.asarray(variances, dtype=np.float64)
    known = known[known > 0]
    if len(known) < 3:
        return float("nan")
    rank, height = np.log(np.arange(1, len(known) + 1)), np.log(known)
    rank = rank - rank.mean()
    return float(-(rank @ height) / (rank @ rank))


def smaller_gram(features, purpose: str) -> np.ndarray:
    """Return the smaller of X^T X and X X^T, X the centred features: (min(n, d), min(n, d)); 0 if all samples are equal.

    Both have the eigenvalues of the covariance times n, but for zeros. `purpose` begins the words of an error.
    """
    features = centred(features, purpose)
    n, d = features.shape
    if (features == features[0]).all():  # less their mean, equal samples may differ from 0 by rounding
        return np.zeros((min(n, d), min(n, d)))
    return features.T @ features if d <= n else features @ features.T
