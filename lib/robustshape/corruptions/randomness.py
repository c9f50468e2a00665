"""Each image's own random numbers, the same whatever batch it stands in.

BLAKE2b of (seed, corruption, severity, id) is the state of one PCG64-DXSM generator per image and draw. The
numbers are taken 16 bits at a time, so that a noise costs one look-up per pixel: a normal variate is one of the
65,536 mid-quantiles of the normal law, which reaches +-4.3 standard deviations.
"""

from functools import lru_cache
from hashlib import blake2b
from math import prod
from numbers import Integral

import numpy as np

from robustshape.errors import InputError

_LEVELS = 1 << 16


class Streams:
    """The random numbers of some images under one corruption: every draw gives an array with a row per image.

    Parameters
    ----------
    ids : sequence of str or int
        One per image. The number 7 and the text "7" are two ids.
    *key : str or int
        What else defines the numbers: the seed, the corruption's name, the severity.

    Examples
    --------
    >>> many, one = Streams(["a", "b"], 0, "fog", 1), Streams(["b"], 0, "fog", 1)
    >>> bool((many.bits(3, 3)[1] == one.bits(3, 3)[0]).all())
    True
    """

    def __init__(self, ids, *key):
        base = blake2b(repr(key).encode(), digest_size=32)
        self._digests = [_with(base, _encoded(name)) for name in ids]
        self._draws = 0
        self._generator = np.random.PCG64DXSM(0)

    def __len__(self) -> int:
        return len(self._digests)

    def _raw(self, count: int) -> np.ndarray:
        """Return (n, count) uint64; each call gives new numbers."""
        self._draws += 1
        state = self._generator.state
        rows = np.empty((len(self), count), np.uint64)
        for row, digest in zip(rows, self._digests):
            words = blake2b(digest, digest_size=32, salt=self._draws.to_bytes(2, "little")).digest()
            state["state"]["state"] = int.from_bytes(words[:16], "little")
            state["state"]["inc"] = int.from_bytes(words[16:], "little") | 1  # an increment is odd
            self._generator.state = state
            row[:] = self._generator.random_raw(count)
        return rows

    def bits(self, *shape: int) -> np.ndarray:
        """Return (n, *shape) uint16, all values equally likely."""
        count = prod(shape)
        return self._raw(-(-count // 4)).view(np.uint16)[:, :count].reshape(-1, *shape)

    def normal(self, *shape: int) -> np.ndarray:
        """Return (n, *shape) float32, standard normal."""
        # no index is outside; clip reads fastest
        return _normal_quantiles().take(self.bits(*shape), mode="clip")

    def uniform(self, low: float, high: float, *shape: int) -> np.ndarray:
        """Return (n, *shape) float32, uniform in (low, high)."""
        scale = np.float32((high - low) / _LEVELS)
        return self.bits(*shape) * scale + (np.float32(low) + scale / 2)

    def integers(self, low: int, high: int, *shape: int) -> np.ndarray:
        """Return (n, *shape) int32, uniform in low..high-1."""
        return (self.bits(*shape) * np.int32(high - low) >> 16) + np.int32(low)


@lru_cache(maxsize=1)
def _normal_quantiles() -> np.ndarray:
    from scipy.special import ndtri

    return ndtri((np.arange(_LEVELS) + 0.5) / _LEVELS).astype(np.float32)


def _with(base, data: bytes) -> bytes:
    one = base.copy()
    one.update(data)
    return one.digest()


def _encoded(name) -> bytes:
    if isinstance(name, str):
        return b"s" + name.encode()
    if isinstance(name, Integral):
        return b"i%d" % int(name)
    raise InputError(f"an image's id is a text or a whole number, but one was given as {name!r}")
