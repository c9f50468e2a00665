"""Features too large for memory, read a block of rows at a time from where they lie, by this process or by Dask workers.

A dask array says where its rows are (``dask.array.from_zarr(...)``, the ``.data`` of a Dataset opened with chunks) and
each worker reads the rows it needs from there itself: no process holds more than a few blocks, and no block travels
from one process to another. Where a Dask client is open, workers do the blocks; else they are done here in turn.
Blocks are the same either way, and so are the numbers.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

BYTES = 1 << 24  # of a block of float32
LEAST, MOST = 256, 4096  # rows


def in_blocks(features) -> bool:
    """Return whether these are features to be read in blocks: a dask array.

    >>> import dask.array
    >>> in_blocks(dask.array.zeros((4, 2))), in_blocks(np.zeros((4, 2)))
    (True, False)
    """
    return type(features).__module__.partition(".")[0] == "dask"


@dataclass(frozen=True)
class Blocks:
    """Consecutive blocks of rows of an array that is read when it is asked for.

    Attributes
    ----------
    features : (n, d) dask array, or anything else that gives rows by a slice
    rows : int
        Of each block but the last.

    Examples
    --------
    >>> import dask.array
    >>> blocks = Blocks(dask.array.arange(10).reshape(5, 2), rows=2)
    >>> len(blocks), blocks.span(2), blocks.read(1).tolist()
    (3, slice(4, 5, None), [[4, 5], [6, 7]])
    """

    features: Any
    rows: int

    @classmethod
    def of(cls, features) -> "Blocks":
        """Return blocks of about 16 MB in float32, of 256 to 4,096 rows."""
        return cls(features, int(min(MOST, max(LEAST, BYTES // (4 * features.shape[1])))))

    def __len__(self) -> int:
        return -(-self.features.shape[0] // self.rows)

    def span(self, i: int) -> slice:
        """Return the rows of block `i`."""
        return slice(i * self.rows, min((i + 1) * self.rows, self.features.shape[0]))

    def read(self, i: int) -> np.ndarray:
        """Return the rows of block `i` in the type they have, read by this process and thread."""
        part = self.features[self.span(i)]
        # by its own cluster a task would wait for workers that all wait as it does
        return np.asarray(part.compute(scheduler="synchronous") if hasattr(part, "compute") else part)


def open_client():
    """Return the Dask client that is open here, or None; None too within a task of a worker."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None
    try:
        distributed.get_worker()
    except ValueError:
        pass
    else:
        return None
    try:
        return distributed.default_client()
    except ValueError:
        return None


def each(function: Callable, items: Sequence, *shared) -> Iterator[tuple[Any, Any]]:
    """Yield (item, ``function(item, *shared)``) as they are done, by the workers of the open client or here in turn.

    >>> sorted(each(pow, [2, 3], 2))
    [(2, 4), (3, 9)]
    """
    client = open_client()
    if client is None:
        for item in items:
            yield item, function(item, *shared)
        return
    from distributed import as_completed

    there = [client.scatter([one], broadcast=True, hash=False)[0] for one in shared]  # once to each worker
    futures = {client.submit(function, item, *there, pure=False): item for item in items}
    try:
        for future in as_completed(list(futures)):
            yield futures.pop(future), future.result()
    finally:
        client.cancel(list(futures))  # an error or a reader who stops leaves nothing behind


def in_order(function: Callable, items: Sequence, *shared) -> Iterator[tuple[Any, Any]]:
    """Yield what `each` does in the order of the items: a sum of it is then the same, whichever worker is first.

    >>> list(in_order(pow, [2, 3], 2))
    [(2, 4), (3, 9)]
    """
    early, awaited = {}, iter(items)
    item = next(awaited, None)
    for done, found in each(function, items, *shared):
        early[done] = found
        while item in early:
            yield item, early.pop(item)
            item = next(awaited, None)
