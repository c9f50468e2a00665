"""k* of features read in blocks: the ranks of `foreign_ranks`, in the memory of a few blocks, by any number of workers.

A task takes one block of rows and meets it with every later block, so that each pair is multiplied once. The first
sweep keeps every row's nearest foreign entry; the second counts the nearer ones of its class, multiplying rows of a
class alone; rows in which a comparison lies within the rounding are then settled by the float64 sums of squared
differences of the given features. So the ranks are those of a float64 brute force, however many workers there are.
"""

import contextlib
from dataclasses import dataclass, replace

import numpy as np
import torch

from robustshape.indicators.blocks import Blocks, each
from robustshape.indicators.class_rows import CHUNK
from robustshape.indicators.precise_products import CLOSE_CALLS, TooManyCloseCalls, alone_and_precise
from robustshape.indicators.scaled_blocks import Scaled, looked_at


@dataclass(frozen=True, kw_only=True)
class Given(Scaled):
    """What every task knows: where the features are, what was found of all of them, and how they are compared."""

    label: np.ndarray  # (n,)
    device: str = "cpu"
    double: bool = False  # whether products are float64

    def factors(self, rows: np.ndarray) -> torch.Tensor:
        """Return centred rows (x, -|x|^2 / 2, 1) on the device, as `class_rows.Rows.working` has them."""
        if rows.dtype == np.float32 and not (
            self.unit_norm or self.double
        ):  # scaling by a power of two is exact
            x = torch.from_numpy(rows / np.float32(self.scale) - self.mean.astype(np.float32))
        else:
            x = torch.from_numpy(self.exact(rows) - self.mean)
        out = torch.empty((len(x), x.shape[1] + 2), dtype=torch.float64 if self.double else torch.float32)
        out[:, :-2] = x
        length = torch.linalg.vector_norm(out[:, :-2], dim=1, dtype=torch.float64)
        out[:, -2], out[:, -1] = length.square().mul(-0.5), 1
        return out.to(self.device)

    @property
    def rounding(self) -> float:
        """The c by which an entry errs at most c (|x| + |y|)^2, see `class_rows.Rows.working`."""
        m = self.blocks.features.shape[1] + 2
        return (2.0**-53 if self.double else 2.0**-24) * (min(m, 8 * m**0.5) / 2 + 2)


@dataclass(frozen=True)
class Bounds:
    """Of every row: entries above `surely` are nearer than its nearest foreign sample, those below `hardly` are not."""

    surely: np.ndarray
    hardly: np.ndarray
    floor: np.ndarray  # foreign entries below it cannot be the nearest
    where: np.ndarray  # the block of the best foreign entry; -1: others come close to it
    calls: np.ndarray  # how many entries lie between both bounds


def foreign_ranks(features, labels: np.ndarray, *, unit_norm: bool = False, device="cpu") -> np.ndarray:
    """Return k* of every sample of a dask array; arguments and ranks as of `foreign_ranks.foreign_ranks`.

    Raises
    ------
    InputError
        If a feature is NaN or infinite, which shows only now.
    """
    label = np.unique(labels, return_inverse=True)[1]
    given, row = looked_at(Given(Blocks.of(features), unit_norm, label=label, device=str(device)))
    low, high = np.full(len(label), len(label)), np.full(len(label), -1)
    np.minimum.at(low, row, label)
    np.maximum.at(high, row, label)
    touching = (low < high)[row]  # it occurs in another class too: its k* is 1
    for double in (False, True):
        with contextlib.suppress(TooManyCloseCalls):
            return _ranks(replace(given, double=double), touching)
    raise AssertionError("float64 products have no limit")


def _ranks(given: Given, touching: np.ndarray) -> np.ndarray:
    n, order = len(given.label), range(len(given.blocks))  # the longest tasks first
    best, second, where = np.full(n, -np.inf), np.full(n, -np.inf), np.zeros(n, np.int64)
    length = np.empty(n)
    for i, (lengths, own, later) in each(_nearest, order, given):
        span = given.blocks.span(i)
        length[span] = lengths
        for entries, blocks in own:
            _keep(best[span], second[span], where[span], entries, blocks)
        rest = slice(span.stop, n)
        _keep(best[rest], second[rest], where[rest], later, i)
    # the rounding of an entry that can matter: its |x_j| is at most |x_i| + the nearest foreign distance
    reach = np.minimum(length.max(), length + np.sqrt(np.maximum(-2.2 * best, 0)) + 1e-3 * length)
    doubt = 2.2 * given.rounding * (length + reach) ** 2  # of the difference of two such entries
    floor = best - 2 * doubt
    surely, hardly = (np.where(touching, np.inf, bound) for bound in (best + doubt, best - doubt))
    bounds = Bounds(surely, hardly, floor, np.where(second >= floor, -1, where), np.zeros(n, np.int64))
    rank = np.ones(n, np.int64)
    for i, (closer, calls) in each(_count, order, given, bounds):
        rest = slice(given.blocks.span(i).start, n)
        rank[rest] += closer
        bounds.calls[rest] += calls
    unsettled = [i for i in order if bounds.calls[given.blocks.span(i)].any()]
    for _, (places, settled) in each(_settle, unsettled, given, bounds):
        rank[places] = settled
    return rank


def _keep(best, second, where, entries, block) -> None:
    """Keep in place the best entry of each row, the block it is from, and the best of the other blocks."""
    better = entries > best
    second[:] = np.where(better, best, np.maximum(second, entries))
    where[better] = block
    best[better] = entries[better]


def _groups(label: np.ndarray) -> tuple[np.ndarray, dict[int, slice]]:
    """Return the order of a block's rows by class, and where each class then is."""
    order = np.argsort(label, kind="stable")
    classes, start, size = np.unique(label[order], return_index=True, return_counts=True)
    return order, {int(c): slice(s, s + m) for c, s, m in zip(classes, start, size)}


def _ordered(given: Given, i: int):
    """Return a block as (places of its rows in class order, where each class is, rows as given, their factors)."""
    span = given.blocks.span(i)
    order, groups = _groups(given.label[span])
    rows = given.blocks.read(i)[order]
    return span.start + order, groups, rows, given.factors(rows)


def on_the_left(factors: torch.Tensor) -> torch.Tensor:
    """Return rows (x, 1, -h), whose product with (y, -k, 1) is -|x - y|^2 / 2."""
    left = factors.clone()
    left[:, -2], left[:, -1] = factors[:, -1], factors[:, -2]
    return left


def _nearest(i: int, given: Given):
    """Return lengths and best foreign entries of block `i` by block, and its best entry for every later row."""
    with alone_and_precise(torch.device(given.device)):
        span, block = given.blocks.span(i), _ordered(given, i)
        places, groups, _, factors = block
        left, back = on_the_left(factors), np.argsort(places)
        length = (-2 * factors[:, -2].double()).clamp(min=0).sqrt().cpu().numpy()[back]
        own, later = [], np.full(len(given.label) - span.stop, -np.inf)
        for j in range(i, len(given.blocks)):
            there, classes, _, right = block if j == i else _ordered(given, j)
            product = left @ right.T
            for c in groups.keys() & classes.keys():
                product[groups[c], classes[c]] = -np.inf
            own.append((product.amax(dim=1).double().cpu().numpy()[back], j))
            if j > i:
                later[there - span.stop] = product.amax(dim=0).double().cpu().numpy()
        return length, own, later


def _count(i: int, given: Given, bounds: Bounds):
    """Return, for every row from block `i` on, the nearer ones of its class and the close calls that the block makes."""
    with alone_and_precise(torch.device(given.device)):
        start, block = given.blocks.span(i).start, _ordered(given, i)
        places, groups, _, factors = block
        left = on_the_left(factors)
        share = (len(given.label) - start) / len(given.label)
        limit = CLOSE_CALLS * 2 * len(places) * share  # of all blocks together 20 a sample
        closer, calls = (np.zeros(len(given.label) - start, np.int64) for _ in range(2))
        for j in range(i, len(given.blocks)):
            there, classes, _, right = block if j == i else _ordered(given, j)
            for c in groups.keys() & classes.keys():
                entries = left[groups[c]] @ right[classes[c]].T
                sides = [(entries, places[groups[c]])]
                if j == i:
                    entries.fill_diagonal_(-np.inf)  # a sample is not its own neighbour
                else:
                    sides.append((entries.T, there[classes[c]]))
                for values, rows in sides:
                    high, low = (_bound(which[rows], values) for which in (bounds.surely, bounds.hardly))
                    sure = (values > high).sum(dim=1).cpu().numpy()
                    closer[rows - start] += sure
                    calls[rows - start] += (values >= low).sum(dim=1).cpu().numpy() - sure
            if not given.double and calls.sum() > limit:
                raise TooManyCloseCalls
        return closer, calls


def _bound(values: np.ndarray, like: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(values).to(like.device, like.dtype)[:, None]


def _settle(i: int, given: Given, bounds: Bounds):
    """Return the rows of block `i` that have close calls, and their k* with these decided in float64."""
    with alone_and_precise(torch.device(given.device)):
        places, _, rows, factors = _ordered(given, i)
        open_ = np.flatnonzero(bounds.calls[places])  # among the ordered rows
        places, rows, left = (
            places[open_],
            given.exact(rows[open_]),
            on_the_left(factors)[torch.from_numpy(open_)],
        )
        label = given.label[places]
        nearest, rank = np.full(len(open_), np.inf), np.ones(len(open_), np.int64)
        floor = _bound(bounds.floor[places], left)
        for j in (
            np.unique(bounds.where[places]) if (bounds.where[places] >= 0).all() else range(len(given.blocks))
        ):
            there, classes, others, right = _ordered(given, int(j))
            wanted = left @ right.T >= floor
            k, m = (index.cpu().numpy() for index in torch.nonzero(wanted, as_tuple=True))
            foreign = label[k] != given.label[there[m]]
            k, m = k[foreign], m[foreign]
            np.minimum.at(nearest, k, _squared_distances(given, rows, others, k, m))
        high, low = bounds.surely[places], bounds.hardly[places]
        for j in range(len(given.blocks)):
            there, classes, others, right = _ordered(given, j)
            for c in np.intersect1d(label, list(classes)):
                of_class = np.flatnonzero(label == c)
                entries = left[torch.from_numpy(of_class)] @ right[classes[c]].T
                itself = torch.from_numpy(places[of_class][:, None] == there[classes[c]]).to(entries.device)
                entries.masked_fill_(itself, -np.inf)
                sure = entries > _bound(high[of_class], entries)
                rank[of_class] += sure.sum(dim=1).cpu().numpy()
                doubtful = (entries >= _bound(low[of_class], entries)) & ~sure
                k, m = (index.cpu().numpy() for index in torch.nonzero(doubtful, as_tuple=True))
                k, m = of_class[k], m + classes[c].start
                np.add.at(rank, k, _squared_distances(given, rows, others, k, m) < nearest[k])
        return places, rank


def _squared_distances(given: Given, rows: np.ndarray, others: np.ndarray, k, m) -> np.ndarray:
    """Return the float64 squared distances of exact rows `k` and given rows `m`, as the sum of squared differences."""
    out, step = np.empty(len(k)), max(16, CHUNK // rows.shape[1])
    for start in range(0, len(k), step):
        part = slice(start, start + step)
        difference = rows[k[part]] - given.exact(others[m[part]])
        out[part] = np.einsum("ij,ij->i", difference, difference)
    return out
