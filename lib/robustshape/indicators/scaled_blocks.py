"""Features in blocks about their mean: what one reading of all of them finds, before anything is compared."""

import hashlib
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from robustshape.errors import InputError
from robustshape.indicators.blocks import Blocks, each
from robustshape.indicators.checks import power_of_two


@dataclass(frozen=True)
class Scaled:
    """Where features are, and what was found of all of them; every task knows it.

    Attributes
    ----------
    blocks : Blocks
    unit_norm : bool
        Whether rows are divided by their norm first.
    scale : float
        A power of two that the rows are divided by: nothing then overflows, and no digit is lost.
    mean : (d,) float64
        Of the scaled rows.
    """

    blocks: Blocks
    unit_norm: bool = False
    scale: float = 1.0
    mean: np.ndarray | None = None

    def exact(self, rows: np.ndarray) -> np.ndarray:
        """Return given rows as float64, of unit length if asked, over the scale."""
        rows = rows.astype(np.float64)
        if self.unit_norm:
            norm = np.linalg.norm(rows, axis=1)
            rows /= np.where(norm > 0, norm, 1.0)[:, None]
        rows /= self.scale
        return rows


A_SCALED = TypeVar("A_SCALED", bound=Scaled)


def looked_at(given: A_SCALED) -> tuple[A_SCALED, np.ndarray]:
    """Return `given` with scale and mean, and a number for each row, (n,) int64, that equal rows share.

    Raises
    ------
    InputError
        If a feature is NaN or infinite, which shows only now.

    Examples
    --------
    >>> import dask.array
    >>> found, row = looked_at(Scaled(Blocks(dask.array.from_array([[1.0], [5.0], [1.0], [9.0]]), rows=3)))
    >>> found.scale, found.mean.tolist(), bool(row[0] == row[2] != row[1])
    (16.0, [0.25], True)
    """
    n, d = given.blocks.features.shape
    total, most, bad = np.zeros((len(given.blocks), d)), 0.0, 0
    digest = np.empty(n, [("low", np.uint64), ("high", np.uint64)])
    for i, (n_bad, largest, sums, digests) in each(_look, range(len(given.blocks)), given):
        bad, most, total[i] = bad + n_bad, max(most, largest), sums
        digest[given.blocks.span(i)] = np.frombuffer(digests, digest.dtype)
    if bad:
        raise InputError(f"{bad} of {n} samples have NaN or infinite features; leave them out")
    scale = power_of_two(most)
    row = np.unique(digest, return_inverse=True)[1].ravel()
    return replace(given, scale=scale, mean=total.sum(axis=0) / n / scale), row


def _look(i: int, given: Scaled) -> tuple:
    rows = given.blocks.read(i)
    finite = np.isfinite(rows).all(axis=1) if rows.dtype.kind == "f" else np.ones(len(rows), bool)
    if not finite.all():
        return int((~finite).sum()), 0.0, 0.0, bytes(16 * len(rows))
    rows = given.exact(rows) + 0.0  # -0 equals 0
    digests = b"".join(hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in rows)
    return 0, float(np.abs(rows).max()), rows.sum(axis=0), digests
