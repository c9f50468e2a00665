"""Noise: every value of every channel is changed by itself.

Hendrycks and Dietterich (2019), Appendix A. The laws are the original's; the variates are drawn 16 bits at a time
(`randomness`), so an outcome rarer than 1 in 65,536 is not seen.
"""

from functools import lru_cache

import numpy as np

from robustshape.corruptions.catalogue import corruption


@corruption("noise", "adds normal noise")
def gaussian_noise(images, constants, streams):
    """Return ``x + N(0, sd)``."""
    (sd,) = constants
    noise = streams.normal(*images.shape[1:])
    noise *= np.float32(255 * sd)
    noise += images
    return noise


@corruption("noise", "multiplies by 1 plus normal noise: bright parts suffer more")
def speckle_noise(images, constants, streams):
    """Return ``x + x N(0, sd)``."""
    (sd,) = constants
    noise = streams.normal(*images.shape[1:])
    noise *= np.float32(sd)
    noise += 1
    noise *= images
    return noise


@corruption("noise", "sets a share of the values to black or white")
def impulse_noise(images, constants, streams):
    """Return x with a share of its values set to 0 or to 255, half of them each."""
    (share,) = constants
    bits = streams.bits(*images.shape[1:])
    half = round(share / 2 * 65536)
    struck = -(bits < 2 * half).view(np.uint8)  # 255 or 0
    return np.maximum(images, struck) * (bits >= half)


@corruption("noise", "counts photons, as a camera does in the dark")
def shot_noise(images, constants, streams):
    """Return ``Poisson(x c) / c``."""
    (photons,) = constants
    index = images.astype(np.intp)
    index <<= 16
    index |= streams.bits(*images.shape[1:])
    return _poisson_outcomes(photons).take(index, mode="clip")


@lru_cache(maxsize=5)
def _poisson_outcomes(photons: float) -> np.ndarray:
    """Return (256 * 65536,) uint8: for each grey level, 65,536 equally likely outcomes in ascending order."""
    from scipy.special import pdtr

    counts = np.arange(int(photons) + 1)  # more photons than white has are clipped to white
    outcomes = (np.clip(counts / photons, 0, 1) * 255).astype(np.uint8)
    below = pdtr(counts, np.arange(256)[:, None] / 255 * photons)  # P(count <= k), (level, k)
    ends = np.rint(below * 65536).astype(np.int64)
    ends[:, -1] = 65536
    return np.concatenate([np.repeat(outcomes, np.diff(row, prepend=0)) for row in ends])
