"""The kernel of k*: rank of the nearest foreign neighbour of every sample, without any sort.

k*(x) = 1 + the number of same-class samples strictly closer to x than the nearest foreign one (Kotyan, Chen,
Vargas 2024, arXiv 2408.09065). So two sweeps over blocks of class-ordered rows suffice: the blocks between
classes give the nearest foreign distance, then the blocks within classes are counted. Each block is computed
once and serves its rows and its columns; together that is half of one N x N x d product, and no N x N array.

The products are float32 on centred rows. Every comparison that float32 rounding could turn is decided by the
float64 sum of squared differences of the given features, so the ranks are those of a float64 brute force.
Where too many comparisons are that close, both sweeps are made again in float64.

On a CPU each thread takes blocks of its own and works on them alone: threads that share every block would wait
for each other after every step.
"""

import contextlib
import threading
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from robustshape.indicators.blocks import in_blocks
from robustshape.indicators.class_rows import Rows, free_bytes
from robustshape.indicators.precise_products import CLOSE_CALLS, TooManyCloseCalls, alone_and_precise

BLOCK = {"cpu": 1024, "cuda": 16384}  # most rows of a block, and columns of a product
SHARED = {"cpu": 512, "cuda": 2048}  # small classes share a block of at most so many rows


@dataclass(frozen=True)
class Block:
    """Consecutive class-ordered rows: a piece of one class, or several whole small classes."""

    start: int
    stop: int
    group: int  # blocks of one group hold the same class or classes
    mixed: bool  # whether it holds several classes

    @property
    def span(self) -> slice:
        return slice(self.start, self.stop)


def foreign_ranks(features, labels: np.ndarray, *, unit_norm: bool = False, device="cpu") -> np.ndarray:
    """Return k* of every sample; the arguments are taken to be valid (see `kstar.nearest_foreign_rank`).

    Parameters
    ----------
    features : (n, d) array, array on disk, or tensor on `device`; finite. Of a dask array see `foreign_ranks_blocks`.
    labels : (n,) int array
        At least two classes.
    unit_norm : bool
        Whether rows are divided by their norm first, so that distances rank as cosines do.
    device : "cpu" or "cuda"

    Returns
    -------
    (n,) int64 array
        From 1 to the size of the sample's class.
    """
    if in_blocks(features):
        from robustshape.indicators import foreign_ranks_blocks

        return foreign_ranks_blocks.foreign_ranks(features, labels, unit_norm=unit_norm, device=device)
    device = torch.device(device)
    with alone_and_precise(device) as each:
        rows = Rows(features, labels, unit_norm=unit_norm, device=device, each=each)
        blocks = class_blocks(rows.ordered.cpu().numpy(), block_rows(device), SHARED[device.type])
        for dtype, limit in ((torch.float32, CLOSE_CALLS * rows.n), (torch.float64, np.inf)):
            with contextlib.suppress(TooManyCloseCalls):
                ranks = Sweeps(rows, blocks, dtype, limit).ranks()
                break
    return ranks.cpu().numpy()[rows.member]


def block_rows(device: torch.device) -> int:
    """Return the most rows of a block: products of all threads take a quarter of the free memory at most."""
    size, threads = BLOCK[device.type], torch.get_num_threads() if device.type == "cpu" else 1
    while size > 128 and 16 * size**2 * threads > free_bytes(device) / 4:
        size //= 2
    return size


def class_blocks(ordered: np.ndarray, size: int, shared: int) -> list[Block]:
    """Return blocks of at most `size` rows: large classes are cut evenly, small neighbours share one.

    >>> found = class_blocks(np.repeat([0, 1, 2, 3], [9, 2, 1, 4]), 8, 4)
    >>> [(b.start, b.stop, b.group, b.mixed) for b in found]
    [(0, 4, 0, False), (4, 9, 0, False), (9, 12, 1, True), (12, 16, 2, False)]
    """
    edges = [0, *(np.flatnonzero(ordered[1:] != ordered[:-1]) + 1).tolist(), len(ordered)]
    groups: list[list[int]] = []  # start, stop, number of classes
    for start, stop in pairwise(edges):
        if groups and stop - groups[-1][0] <= shared:
            groups[-1][1:] = [stop, groups[-1][2] + 1]
        else:
            groups.append([start, stop, 1])
    blocks = []
    for group, (start, stop, classes) in enumerate(groups):
        pieces = -(-(stop - start) // size)
        cuts = [start + (stop - start) * k // pieces for k in range(pieces + 1)]
        blocks += [Block(s, e, group, classes > 1) for s, e in pairwise(cuts)]
    return blocks


class Sweeps:
    """Both sweeps over the blocks, with products in one precision."""

    def __init__(self, rows: Rows, blocks: list[Block], dtype: torch.dtype, limit: float):
        self.rows, self.blocks, self.each, self.limit = rows, blocks, rows.each, limit
        self.factors, self.rounding = rows.working(dtype)
        self.weight = rows.weight.to(dtype)  # whole numbers below 2^24: sums of them are exact
        self.widest = max(block.stop - block.start for block in blocks)
        self.scratch = threading.local()
        self.n_calls = 0

    def ranks(self) -> torch.Tensor:
        """Return k* of the class-ordered distinct rows, or raise TooManyCloseCalls."""
        rows, touching = self.rows, self.rows.touching
        best_of_block = self._nearest_foreign()  # (n, block), of -distance^2 / 2
        best = best_of_block.amax(dim=1).double()
        # the rounding of an entry that can matter: its |x_j| is at most |x_i| + the nearest foreign distance
        length = (-2 * self.factors[:, -2].to(rows.device).double()).sqrt()
        reach = torch.minimum(length.max(), length + (-2.2 * best).clamp(min=0).sqrt() + 1e-3 * length)
        doubt = 2.2 * self.rounding * (length + reach) ** 2  # of the difference of two such entries
        surely = best.add(doubt).masked_fill(touching, np.inf)
        hardly = best.sub(doubt).masked_fill(touching, np.inf)
        ranks, calls = self._count_closer(surely, hardly)
        ranks += torch.where(touching, 0, rows.weight - 1)  # a sample's equals are at distance 0
        if len(calls):
            i, j = calls.T
            floor = (best - 2 * doubt).to(best_of_block.dtype)
            nearest = self._exact_nearest(best_of_block, floor, torch.unique(i))
            closer = rows.squared_distances(i, j) < nearest[i]
            ranks.index_add_(0, i[closer], rows.weight[j[closer]])
        return ranks

    def _left(self, places) -> torch.Tensor:
        """Return rows (x, 1, -h) on the device."""
        places = places if isinstance(places, slice) else places.to(self.factors.device)
        left = self.factors[places].to(self.rows.device, copy=True)
        left[:, -2], left[:, -1] = left[:, -1].clone(), left[:, -2].clone()
        return left

    def _product(self, left: torch.Tensor, span: slice, room: torch.Tensor) -> torch.Tensor:
        """Return -distance^2 / 2 of rows on the left and a span of rows, in memory used again and again."""
        right = self.factors[span].to(self.rows.device)
        out = room[: len(left) * len(right)].view(len(left), len(right))
        return torch.mm(left, right.T, out=out)

    def _room(self, which: int = 0) -> torch.Tensor:
        """Return this thread's own memory for a block: fresh memory costs as much as a sum over it."""
        rooms = self.scratch.__dict__
        if which not in rooms:
            rooms[which] = torch.empty(self.widest**2, dtype=self.factors.dtype, device=self.rows.device)
        return rooms[which]

    def _same_class(self, places, span: slice) -> torch.Tensor:
        return self.rows.ordered[places, None] == self.rows.ordered[None, span]

    def _nearest_foreign(self) -> torch.Tensor:
        """Return the largest foreign entry of every row in every block of columns, (n, block)."""
        n, blocks = self.rows.n, self.blocks
        best = torch.full((n, len(blocks)), -np.inf, dtype=self.factors.dtype, device=self.rows.device)

        def meet_later(b: int) -> None:
            block = blocks[b]
            left, room = self._left(block.span), self._room()
            if block.mixed:
                product = self._product(left, block.span, room)
                product.masked_fill_(self._same_class(block.span, block.span), -np.inf)
                best[block.span, b] = product.amax(dim=1)
            for c in range(b + 1, len(blocks)):
                if blocks[c].group != block.group:
                    product = self._product(left, blocks[c].span, room)
                    best[block.span, c] = product.amax(dim=1)
                    best[blocks[c].span, b] = product.amax(dim=0)

        self.each(meet_later, range(len(blocks)))  # the longest first, so that no thread ends late
        return best

    def _count_closer(self, surely: torch.Tensor, hardly: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return 1 + the number of same-class entries above `surely`, and the pairs that lie in doubt.

        An entry above ``surely[i]`` is closer to row i than its nearest foreign sample whatever the rounding,
        one below ``hardly[i]`` is not; those between are returned as (m, 2) pairs of (row, other).
        """
        surely, hardly = surely.to(self.factors.dtype), hardly.to(self.factors.dtype)
        calls = [torch.empty((0, 2), dtype=torch.int64, device=self.rows.device)]

        def meet(pair: tuple[int, int]) -> None:
            block, other = self.blocks[pair[0]], self.blocks[pair[1]]
            product = self._product(self._left(block.span), other.span, self._room())
            mask = self._room(1)[: product.numel()].view(product.shape)
            if block.mixed:
                product.masked_fill_(~self._same_class(block.span, other.span), -np.inf)
            if block is other:
                product.fill_diagonal_(-np.inf)  # a sample is not its own neighbour
            sides = [(product, mask, block, other)]
            if block is not other:
                sides.append((product.T, mask.T, other, block))
            for entries, above, here, there in sides:
                high, low, weight = surely[here.span, None], hardly[here.span, None], self.weight[there.span]
                closer = torch.gt(entries, high, out=above) @ weight
                maybe = torch.ge(entries, low, out=above) @ weight
                counts[here.start].append(closer)
                unsure = torch.nonzero(maybe > closer).ravel()
                if len(unsure):
                    part = entries[unsure]
                    k, j = torch.nonzero((part >= low[unsure]) & (part <= high[unsure])).T
                    calls.append(torch.stack([here.start + unsure[k], there.start + j], dim=1))
                    self._spend(len(j))

        counts: dict[int, list] = {block.start: [] for block in self.blocks}
        places = range(len(self.blocks))
        pairs = [(b, c) for b in places for c in places[b:] if self.blocks[b].group == self.blocks[c].group]
        self.each(meet, pairs)
        ranks = torch.cat([1 + torch.stack(counts[block.start]).long().sum(dim=0) for block in self.blocks])
        return ranks, torch.cat(calls)

    def _spend(self, n: int) -> None:
        self.n_calls += n
        if self.n_calls > self.limit:
            raise TooManyCloseCalls

    def _exact_nearest(self, best_of_block, floor: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
        """Return the exact squared distance of the nearest foreign sample of the rows `index` (inf elsewhere)."""
        found = []

        def look_again(b: int) -> None:
            block = self.blocks[b]
            i = index[best_of_block[index, b] >= floor[index]]
            for part in i.split(self.widest):
                product = self._product(self._left(part), block.span, self._room())
                if block.mixed:
                    product.masked_fill_(self._same_class(part, block.span), -np.inf)
                k, j = torch.nonzero(product >= floor[part, None]).T
                found.append(torch.stack([part[k], block.start + j], dim=1))
                self._spend(len(j))

        self.n_calls = 0
        self.each(look_again, range(len(self.blocks)))
        i, j = torch.cat(found).T
        nearest = torch.full((self.rows.n,), np.inf, dtype=torch.float64, device=self.rows.device)
        return nearest.scatter_reduce_(0, i, self.rows.squared_distances(i, j), "amin")
