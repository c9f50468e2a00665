"""Nearest neighbours, and distances to classes, of features read in blocks: float64 products of two blocks at a time.

A task meets one block of rows with every block in turn, by the factors that k* multiplies (`foreign_ranks_blocks`), and
keeps of each product only what is asked for. So every pair is multiplied twice, nothing of size N x N exists, and the
most in one process is two blocks in float64 and their product. Neighbours that are as far as float64 products can tell
come in no particular order, as in memory.
"""

from dataclasses import replace

import numpy as np
import torch

from robustshape.indicators.blocks import Blocks, each
from robustshape.indicators.foreign_ranks_blocks import Given, on_the_left
from robustshape.indicators.precise_products import alone_and_precise
from robustshape.indicators.scaled_blocks import looked_at


def read(features, labels: np.ndarray | None = None) -> tuple[Given, np.ndarray]:
    """Return what tasks need to know of a dask array, and a number for each row that equal rows share.

    Raises
    ------
    InputError
        If a feature is NaN or infinite, which shows only now.
    """
    labels = (
        np.zeros(len(features), np.int64) if labels is None else np.unique(labels, return_inverse=True)[1]
    )
    given, row = looked_at(Given(Blocks.of(features), label=labels))
    return replace(given, double=True), row


def nearest(given: Given, k: int, among: np.ndarray | None = None) -> np.ndarray:
    """Return the k nearest others of every row, (n, k) int64, the nearest first.

    Parameters
    ----------
    given : Given
        Of `read`.
    k : int
        At most as many as others there are.
    among : (n,) bool, optional
        Only rows that are True are neighbours; what is returned for the others means nothing.

    Examples
    --------
    >>> import dask.array
    >>> given, _ = read(dask.array.from_array([[0.0], [1.0], [5.0], [5.5]]))
    >>> nearest(given, 2).tolist()
    [[1, 2], [0, 2], [3, 1], [2, 1]]
    """
    found = np.empty((len(given.label), k), np.int64)
    for i, neighbours in each(_nearest, range(len(given.blocks)), given, k, among):
        found[given.blocks.span(i)] = neighbours
    return found


def _nearest(i: int, given: Given, k: int, among: np.ndarray | None) -> np.ndarray:
    with alone_and_precise(torch.device("cpu")):
        best, where = None, None
        for j, product in _products(i, given):
            span = given.blocks.span(j)
            if among is not None:
                product[:, torch.from_numpy(~among[span])] = -torch.inf
            values, places = product.topk(min(k, product.shape[1]), dim=1)
            places += span.start
            if best is not None:
                values, places = torch.cat([best, values], dim=1), torch.cat([where, places], dim=1)
            best, kept = values.topk(min(k, values.shape[1]), dim=1)
            where = places.gather(1, kept)
        return where.numpy()


def squared_distances(given: Given, neighbours: np.ndarray) -> np.ndarray:
    """Return the squared distances of the scaled rows to these others, (n, k), as sums of squared differences."""
    found = np.empty(neighbours.shape)
    for i, of_block in each(_squared_distances, range(len(given.blocks)), given, neighbours):
        found[given.blocks.span(i)] = of_block
    return found


def _squared_distances(i: int, given: Given, neighbours: np.ndarray) -> np.ndarray:
    rows, of_rows = given.exact(given.blocks.read(i)), neighbours[given.blocks.span(i)]
    found = np.empty(of_rows.shape)
    for j in np.unique(of_rows // given.blocks.rows):
        others = rows if j == i else given.exact(given.blocks.read(int(j)))
        start = given.blocks.span(int(j)).start
        for place in range(of_rows.shape[1]):
            there = np.flatnonzero(of_rows[:, place] // given.blocks.rows == j)
            for part in np.array_split(there, len(there) // 256 + 1):
                difference = rows[part] - others[of_rows[part, place] - start]
                found[part, place] = np.einsum("ij,ij->i", difference, difference)
    return found


def class_distances(given: Given) -> np.ndarray:
    """Return the sum of the distances of every scaled row to the rows of each class, (n, class) float64.

    >>> import dask.array
    >>> given, _ = read(dask.array.from_array([[0.0], [1.0], [3.0], [4.0]]), np.array([7, 7, 9, 9]))
    >>> (class_distances(given) * given.scale).tolist()
    [[1.0, 7.0], [1.0, 5.0], [5.0, 1.0], [7.0, 1.0]]
    """
    found = np.empty((len(given.label), given.label.max() + 1))
    for i, sums in each(_class_distances, range(len(given.blocks)), given):
        found[given.blocks.span(i)] = sums
    return found


def _class_distances(i: int, given: Given) -> np.ndarray:
    with alone_and_precise(torch.device("cpu")):
        n_classes, sums = given.label.max() + 1, 0
        for j, product in _products(i, given):
            member = torch.from_numpy(given.label[given.blocks.span(j)])
            distance = product.mul_(-2).clamp_(min=0).sqrt_()
            distance[torch.isinf(distance)] = 0  # of a row to itself
            sums = sums + distance @ torch.nn.functional.one_hot(member, n_classes).double()
        return sums.numpy()


def _products(i: int, given: Given):
    """Yield each block j and -distance^2 / 2 of the rows of block `i` to its rows, -inf of a row to itself."""
    factors = given.factors(given.blocks.read(i))
    left = on_the_left(factors)
    for j in range(len(given.blocks)):
        right = factors if j == i else given.factors(given.blocks.read(j))
        product = left @ right.T
        if j == i:
            product.fill_diagonal_(-torch.inf)
        yield j, product
