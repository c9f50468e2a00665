"""The numbers of the authors' released k* computation, where they differ from ours.

Inferred from the outputs of that computation (Kotyan, Ueda, Vargas 2023, arXiv 2312.04024), for comparison only:
every row of distances is sorted, the first neighbour is taken to be the sample itself, and the rank is the first
position whose class differs from that neighbour's. So among duplicates the order of an unstable sort decides. It
is torch's, and for exact ties it may differ between processors.
"""

import numpy as np

NEAR_CONSTANT = (
    1e-6  # of the mean: values that deviate by no more have no skewness in scipy (`resolution` of float32)
)


def authors_rank(features: np.ndarray, labels: np.ndarray, *, unit_norm: bool = False) -> np.ndarray:
    """Return the authors' k* of every sample, (n,) int64; equal to ours where no distances tie exactly.

    >>> authors_rank(np.array([[0.0], [1.0], [2.0], [2.5]]), np.array([0, 0, 0, 1]))
    array([3, 3, 1, 1])
    """
    import torch

    points = torch.as_tensor(np.asarray(features, dtype=np.float64))
    points = points - points.mean(dim=0) if not unit_norm else torch.nn.functional.normalize(points)
    classes = torch.as_tensor(labels)
    step = max(1, (1 << 24) // len(points))  # rows of distances, 128 MB at a time
    ranks = []
    for start in range(0, len(points), step):
        distances = torch.cdist(
            points[start : start + step], points, compute_mode="donot_use_mm_for_euclid_dist"
        )
        neighbours = classes[distances.float().argsort(dim=1)]
        ranks.append((neighbours != neighbours[:, :1]).to(torch.uint8).argmax(dim=1))
    return torch.cat(ranks).numpy()


def authors_skewness(groups: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return gamma and pattern of each class as the authors' patch leaves them.

    A class whose skewness is undefined gets the lowest defined one and is called clustered if all its
    normalised ranks are 1, else gets 0 and is called overlapped (even if wholly fractured). In float32 as
    there, where the mean of a constant class is off by rounding: scipy takes the skewness of such a class to be
    undefined, by `NEAR_CONSTANT` until version 1.13. Later versions draw the line at the rounding of one sum, and
    call some wholly fractured classes (of 30 samples, say) clustered, others fractured.

    >>> gamma, pattern = authors_skewness([np.ones(4), np.full(4, 0.25), np.array([0.1, 0.1, 0.1, 0.5])])
    >>> gamma.round(3).tolist(), pattern.tolist()
    ([1.155, 0.0, 1.155], ['clustered', 'overlapped', 'fractured'])
    """
    groups = [np.asarray(g, dtype=np.float32) for g in groups]
    gamma = np.array([_float32_skewness(g) for g in groups])
    pattern = np.where(gamma > 0.5, "fractured", np.where(gamma < -0.5, "clustered", "overlapped"))
    lowest = gamma[np.isfinite(gamma)].min(initial=np.inf)
    for c in np.flatnonzero(~np.isfinite(gamma)):
        clustered = groups[c].mean() == 1
        gamma[c] = lowest if clustered and np.isfinite(lowest) else 0.0
        pattern[c] = "clustered" if clustered else "overlapped"
    return gamma, pattern


def _float32_skewness(values: np.ndarray) -> float:
    centred = values - values.mean()
    m2 = np.mean(centred**2)
    if m2 <= (np.float32(NEAR_CONSTANT) * values.mean()) ** 2:
        return float("nan")
    return float(np.mean(centred**3) / m2**1.5)
