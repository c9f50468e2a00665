"""Images corrupted at random with known severities: what the generator learns, and the ground truth of its dimensions."""

import numpy as np

from robustshape.corruptions import corrupt
from robustshape.corruptions.randomness import Streams
from robustshape.errors import InputError

CORRUPTIONS = (
    "gaussian_blur",
    "gaussian_noise",
)  # in this order: a lens before a sensor; noise is not blurred


def randomly_corrupted(
    images, ids, *, corruptions=CORRUPTIONS, probability: float = 0.5, seed: int = 0, constants: str = "224"
):
    """Return the images with each corruption applied to each with `probability`, at a severity drawn from 1 to 5.

    Parameters
    ----------
    images : (n, h, w, c) uint8
    ids : (n,) str or int
        What an image's random numbers come from, together with the seed.
    corruptions : sequence of str
        Applied in this order.
    probability : float
        In [0, 1], of each corruption.
    seed : int
    constants : str
        How strong a severity is, see `robustshape.corruptions.corrupt`. "224", those of ImageNet-C, as the slides have.

    Returns
    -------
    images : (n, h, w, c) uint8
    severities : (n, corruption) int
        0 where an image was left alone.

    Examples
    --------
    >>> grey = np.full((4, 8, 8, 1), 128, np.uint8)
    >>> changed, severities = randomly_corrupted(grey, range(4), corruptions=["gaussian_noise"], seed=1)
    >>> bool(((changed == grey).all(axis=(1, 2, 3)) == (severities[:, 0] == 0)).all())
    True
    """
    if not 0 <= probability <= 1:
        raise InputError(f"a probability is from 0 to 1, but was {probability}")
    images, ids = np.array(images), np.asarray(ids)
    severities = np.zeros((len(images), len(corruptions)), int)
    for k, name in enumerate(corruptions):
        streams = Streams(ids, seed, name, "severity")
        chosen = streams.uniform(0, 1, 1)[:, 0] < probability
        severities[:, k] = np.where(chosen, streams.integers(1, 6, 1)[:, 0], 0)
        for severity in range(1, 6):
            chosen = np.flatnonzero(severities[:, k] == severity)
            if len(chosen):
                images[chosen] = corrupt(
                    images[chosen], name, severity, seed=seed, ids=ids[chosen], constants=constants
                )
    return images, severities
