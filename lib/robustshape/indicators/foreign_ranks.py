"""The kernel of k*: rank of the nearest foreign neighbour of every sample, without any sort.

k*(x) = 1 + the number of same-class samples strictly closer to x than the nearest foreign one (Kotyan, Chen,
Vargas 2024, arXiv 2408.09065). So two sweeps over blocks of class-ordered rows suffice: the blocks between
classes give the nearest foreign distance, then the blocks within classes are counted. Each block is computed
once and serves its rows and its columns; together that is half of one N x N x d product, and no N x N array.

The products are float32 on centred rows. Every comparison that float32 rounding could turn is decided by the
float64 sum of squared differences of the given features, so the ranks are those of a float64 brute force.
Where too many comparisons are that close, both sweeps are made again in float64. Equal rows of a class (dead
units make many) are one row with a weight, so that their ties are decided once.
"""

from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise

import numpy as np

BLOCK = 1024  # rows of a block; a product of BLOCK x WIDTH float32 (8 MB) stays in the cache
WIDTH = 2048
CLOSE_CALLS = 20  # per sample, float64 products cost less than to decide more of them one by one


class TooManyCloseCalls(Exception):
    """So many comparisons lie within the rounding of this precision that a finer one is cheaper."""


@dataclass(frozen=True)
class Block:
    """Consecutive class-ordered rows: a piece of one class, or several whole small classes."""

    start: int
    stop: int
    group: int  # blocks of one group hold the same class or classes
    mixed: bool  # whether it holds several classes


class Rows:
    """Class-ordered features: exact rows in float64 on demand, working rows in one precision."""

    def __init__(self, features: np.ndarray, order: np.ndarray):
        self.features, self.order, self.n = features, order, len(order)
        largest = max(abs(float(features.max())), abs(float(features.min())))
        # a power of two changes no digit and keeps the squares within the range of float32
        self.scale = 2.0 ** np.ceil(np.log2(largest)) if largest > 0 else 1.0
        self.mean = sum(self.exact(chunk).sum(axis=0) for chunk in self._chunks()) / self.n

    def _chunks(self) -> list[slice]:
        return [slice(start, min(start + BLOCK, self.n)) for start in range(0, self.n, BLOCK)]

    def exact(self, index) -> np.ndarray:
        """Return rows (m, d) float64, by position in class order."""
        return self.features[self.order[index]].astype(np.float64) / self.scale

    def squared_distances(self, i: np.ndarray, j: np.ndarray) -> np.ndarray:
        """Return (m,) float64 squared distances of pairs, as the sum of squared differences."""
        out = np.empty(len(i))
        step = max(1, (1 << 21) // self.features.shape[1])  # 16 MB
        for s in range(0, len(i), step):
            difference = self.exact(i[s : s + step]) - self.exact(j[s : s + step])
            out[s : s + step] = np.einsum("ij,ij->i", difference, difference)
        return out

    def working(self, dtype) -> tuple[np.ndarray, np.ndarray, float]:
        """Return left and right factors (n, d + 2) whose product is -distance^2 / 2, and their rounding.

        With h = |x|^2 / 2 the rows are (x, -h, 1) and (x, 1, -h). The third value c bounds the error of an
        entry by c (|x_i| + |x_j|)^2: a sum of m products in any order errs by at most m u sum |a b|, and
        (Higham and Mary 2019) in practice by a few sqrt(m) u; 8 sqrt(m) is far more than was ever seen.
        """
        d = self.features.shape[1]
        left = np.empty((self.n, d + 2), dtype)
        for chunk in self._chunks():
            x = (self.exact(chunk) - self.mean).astype(dtype)
            left[chunk, :d] = x
            left[chunk, d] = -0.5 * np.einsum("ij,ij->i", x, x, dtype=np.float64)
        left[:, d + 1] = 1
        right = left.copy()
        right[:, d], right[:, d + 1] = left[:, d + 1], left[:, d]
        unit = np.finfo(dtype).eps / 2
        return left, right, unit * (min(d + 2, 8 * np.sqrt(d + 2)) / 2 + 2)


def foreign_ranks(features: np.ndarray, labels: np.ndarray, *, unit_norm: bool = False) -> np.ndarray:
    """Return k* of every sample; the arguments are taken to be valid (see `kstar.nearest_foreign_rank`).

    Parameters
    ----------
    features : (n, d) float, finite
    labels : (n,) int
        At least two classes.
    unit_norm : bool
        Whether rows are divided by their norm first, so that distances rank as cosines do.

    Returns
    -------
    (n,) int64
        From 1 to the size of the sample's class.
    """
    if unit_norm:
        norm = np.linalg.norm(features.astype(np.float64), axis=1, keepdims=True)
        features = features / np.where(norm > 0, norm, 1)  # a zero row has no direction and stays zero
    first, member, weight, touching = _distinct(features, labels)
    by_class = np.argsort(labels[first], kind="stable")
    rows = Rows(features, first[by_class])
    ordered, weight, touching = labels[rows.order], weight[by_class], touching[by_class]
    blocks = class_blocks(ordered)
    try:
        found = _ranks(rows, ordered, weight, touching, blocks, np.float32, CLOSE_CALLS * rows.n)
    except TooManyCloseCalls:
        found = _ranks(rows, ordered, weight, touching, blocks, np.float64, np.inf)
    ranks = np.empty(rows.n, dtype=np.int64)
    ranks[by_class] = found
    return ranks[member]


def _distinct(features, labels):
    """Return the distinct rows of each class, whose sample is which, their number, and which coincide.

    Returns
    -------
    first : (m,) int
        A sample of each distinct pair of row and class.
    member : (n,) int
        The distinct pair that a sample is.
    weight : (m,) int
        Samples of each pair.
    touching : (m,) bool
        Whether the same row occurs in another class: nothing is strictly closer than that, so k* = 1.
    """
    seen: dict[bytes, int] = {}
    row = np.empty(len(features), dtype=np.int64)
    for i, values in enumerate(features):
        # adding 0 makes -0.0 the 0.0 that it equals
        row[i] = seen.setdefault(
            blake2b((values + values.dtype.type(0)).tobytes(), digest_size=16).digest(), i
        )
    pair, first, member, weight = np.unique(
        np.column_stack([row, labels]), axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    _, same, classes = np.unique(pair[:, 0], return_inverse=True, return_counts=True)
    return first, member.ravel(), weight, classes[same] > 1


def class_blocks(ordered: np.ndarray, size: int = BLOCK) -> list[Block]:
    """Return blocks of at most `size` rows: large classes are cut, small neighbours share one.

    >>> [(b.start, b.stop, b.group, b.mixed) for b in class_blocks(np.repeat([0, 1, 2, 3], [9, 2, 1, 4]), 8)]
    [(0, 8, 0, False), (8, 9, 0, False), (9, 12, 1, True), (12, 16, 2, False)]
    """
    edges = [0, *(np.flatnonzero(ordered[1:] != ordered[:-1]) + 1).tolist(), len(ordered)]
    groups: list[list[int]] = []  # start, stop, number of classes
    for start, stop in pairwise(edges):
        if groups and stop - groups[-1][0] <= size // 2:
            groups[-1][1:] = [stop, groups[-1][2] + 1]
        else:
            groups.append([start, stop, 1])
    return [
        Block(s, min(s + size, stop), group, classes > 1)
        for group, (start, stop, classes) in enumerate(groups)
        for s in range(start, stop, size)
    ]


def _ranks(rows: Rows, ordered, weight, touching, blocks: list[Block], dtype, limit: float) -> np.ndarray:
    """Return k* of class-ordered distinct rows from products in `dtype`, or raise TooManyCloseCalls."""
    left, right, rounding = rows.working(dtype)
    best_of_block = _nearest_foreign(left, right, ordered, blocks)  # (n, block), of -distance^2 / 2
    best = best_of_block.max(axis=1)
    # the rounding of an entry that can matter: its |x_j| is at most |x_i| + the nearest foreign distance
    length = np.sqrt(-2 * left[:, -2].astype(np.float64))
    reach = np.minimum(length.max(), length + np.sqrt(np.maximum(0, -2.2 * best)) + 1e-3 * length)
    doubt = 2.2 * rounding * (length + reach) ** 2  # of the difference of two such entries
    surely, hardly = np.where(touching, np.inf, [best + doubt, best - doubt])
    ranks, calls = _count_closer(left, right, ordered, weight, blocks, surely, hardly, limit)
    ranks += np.where(touching, 0, weight - 1)  # a sample's equals are at distance 0
    if len(calls):
        index, floor = np.unique(calls[:, 0]), best - 2 * doubt
        nearest = _exact_nearest(rows, left, right, ordered, blocks, best_of_block, floor, index, limit)
        i, j = calls.T
        closer = rows.squared_distances(i, j) < nearest[i]
        np.add.at(ranks, i[closer], weight[j[closer]])
    return ranks


def _nearest_foreign(left, right, ordered, blocks) -> np.ndarray:
    """Return the largest foreign entry of every row in every block of columns, (n, block)."""
    best = np.full((len(left), len(blocks)), -np.inf, dtype=left.dtype)
    for b, block in enumerate(blocks):
        span = slice(block.start, block.stop)
        if block.mixed:
            product = left[span] @ right[span].T
            product[ordered[span, None] == ordered[None, span]] = -np.inf
            best[span, b] = product.max(axis=1)
        later = [c for c in range(b + 1, len(blocks)) if blocks[c].group != block.group]
        for piece in _pieces(blocks, later):
            start = blocks[piece[0]].start
            product = left[span] @ right[start : blocks[piece[-1]].stop].T
            for c in piece:
                columns = product[:, blocks[c].start - start : blocks[c].stop - start]
                best[span, c] = columns.max(axis=1)
            best[start : start + product.shape[1], b] = product.max(axis=0)
    return best


def _pieces(blocks, later: list[int]) -> list[list[int]]:
    """Return consecutive blocks in runs of at most WIDTH columns, so that a product fits the cache."""
    runs: list[list[int]] = []
    for c in later:
        if runs and blocks[c].stop - blocks[runs[-1][0]].start <= WIDTH:
            runs[-1].append(c)
        else:
            runs.append([c])
    return runs


def _count_closer(
    left, right, ordered, weight, blocks, surely, hardly, limit
) -> tuple[np.ndarray, np.ndarray]:
    """Return 1 + the number of same-class entries above `surely`, and the pairs that lie in doubt.

    An entry above ``surely[i]`` is closer to row i than its nearest foreign sample whatever the rounding,
    one below ``hardly[i]`` is not; those between are returned as (m, 2) pairs of (row, other).
    """
    surely, hardly = surely.astype(left.dtype), hardly.astype(left.dtype)
    weight = None if weight.max() == 1 else weight
    ranks, calls, n_calls = np.ones(len(left), dtype=np.int64), [], 0
    for b, block in enumerate(blocks):
        for c in range(b, len(blocks)):
            other = blocks[c]
            if other.group != block.group:
                break
            rows, columns = slice(block.start, block.stop), slice(other.start, other.stop)
            product = left[rows] @ right[columns].T
            if block.mixed:
                product[ordered[rows, None] != ordered[None, columns]] = -np.inf
            if b == c:
                np.fill_diagonal(product, -np.inf)  # a sample is not its own neighbour
            sides = [(product, block.start, other.start)]
            if b != c:
                sides.append((product.T, other.start, block.start))
            for entries, first, first_other in sides:
                span = slice(first, first + len(entries))
                of_others = None if weight is None else weight[first_other : first_other + entries.shape[1]]
                closer = _count(entries > surely[span, None], of_others)
                unsure = np.flatnonzero(_count(entries >= hardly[span, None], of_others) > closer)
                ranks[span] += closer
                if len(unsure):
                    part, i = entries[unsure], first + unsure
                    k, j = np.nonzero((part >= hardly[i, None]) & (part <= surely[i, None]))
                    calls.append(np.column_stack([i[k], first_other + j]))
                    n_calls += len(j)
                    if n_calls > limit:
                        raise TooManyCloseCalls
    return ranks, np.concatenate(calls) if calls else np.empty((0, 2), dtype=np.int64)


def _count(mask: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """Return the weight of the True entries of each row (a block has fewer than 65,536 columns)."""
    if weight is None:
        return mask.view(np.uint8).sum(axis=1, dtype=np.uint16)
    return (mask.astype(np.float64) @ weight.astype(np.float64)).astype(np.int64)


def _exact_nearest(rows, left, right, ordered, blocks, best_of_block, floor, index, limit) -> np.ndarray:
    """Return the exact squared distance of the nearest foreign sample of the rows `index` (inf elsewhere)."""
    nearest = np.full(rows.n, np.inf)
    n_calls = 0
    for b, block in enumerate(blocks):
        i = index[best_of_block[index, b] >= floor[index]]
        for start in range(0, len(i), BLOCK):
            part = i[start : start + BLOCK]
            product = left[part] @ right[block.start : block.stop].T
            if block.mixed:
                product[ordered[part, None] == ordered[None, block.start : block.stop]] = -np.inf
            k, j = np.nonzero(product >= floor[part, None])
            n_calls += len(j)
            if n_calls > limit:
                raise TooManyCloseCalls
            np.minimum.at(nearest, part[k], rows.squared_distances(part[k], block.start + j))
    return nearest
