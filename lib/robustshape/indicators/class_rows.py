"""Features as the kernel of k* needs them: distinct rows in the order of classes, exact or ready to multiply.

The features stay where they are (in memory, in a file on disk, on a CUDA device) and are read in blocks of rows. The
exact rows are float64, made on demand; the centred working copy is float32 and lies on the device if it fits into
half of what is free there, else in memory, else in a temporary file that is gone with its last user.
"""

import shutil
import tempfile

import numpy as np
import torch

from robustshape.errors import InputError
from robustshape.indicators.checks import power_of_two

CHUNK = 1 << 15  # float64 values handled at once: 256 KB, within the cache of a core


class Rows:
    """Class-ordered distinct rows of the features, with the samples that each stands for.

    Equal rows of a class (dead units make many) are one row with a weight, so that their ties are decided once.

    Parameters
    ----------
    features : (n, d) array, array on disk (``shape``, ``dtype``, rows by index) or CUDA tensor, finite
    labels : (n,) int array
        At least two classes.
    unit_norm : bool
        Whether rows are divided by their norm first; a zero row has no direction and stays zero.
    device : torch.device
        Where products are made.
    each : callable
        ``each(function, items)`` calls the function for every item, in any order.

    Attributes
    ----------
    ordered, weight : (m,) int64 tensor
        Class of each distinct row, and its number of samples.
    touching : (m,) bool tensor
        Whether the same row occurs in another class: nothing is strictly closer than that, so k* = 1.
    member : (n,) int64 array
        The distinct row of each sample.
    """

    def __init__(self, features, labels: np.ndarray, *, unit_norm: bool, device: torch.device, each):
        self.features, self.device, self.each = features, device, each
        self.d, samples = features.shape[1], len(labels)
        movable = device.type == "cuda" and features.dtype in (np.float16, np.float32, np.float64)
        if movable and features.nbytes <= free_bytes(device) / 4:
            self.features = torch.tensor(features, device=device)
        self.norm = torch.ones(samples, dtype=torch.float64, device=device) if unit_norm else None
        row = self._scan(samples)
        classes, label = np.unique(labels, return_inverse=True)
        _, first, member, weight = np.unique(
            row * len(classes) + label, return_index=True, return_inverse=True, return_counts=True
        )
        by_class = np.argsort(label[first], kind="stable")
        place = np.empty_like(by_class)
        place[by_class] = np.arange(len(by_class))
        self.member, self.n = place[member.ravel()], len(first)
        first = first[by_class]
        touching = np.bincount(row[first])[row[first]] > 1
        self.order = self._tensor(first)
        self.ordered, self.weight = self._tensor(label[first]), self._tensor(weight[by_class])
        self.touching = self._tensor(touching)

    def _tensor(self, values: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(self.device)

    def _chunks(self, n: int) -> list[slice]:
        step = max(16, CHUNK // self.d)
        return [slice(start, min(start + step, n)) for start in range(0, n, step)]

    def _scan(self, samples: int) -> np.ndarray:
        """Find the scale and the mean in one pass; return the first sample that equals each one, roughly.

        A row is the same as another if its hash is and then its values are. Equal rows that a collision keeps
        apart are only decided one by one later.
        """
        generator = torch.Generator().manual_seed(0)
        factors = torch.rand(self.d, generator=generator, dtype=torch.float64).to(self.device) + 0.5
        hashes = torch.empty(samples, dtype=torch.float64, device=self.device)
        largest, means = [], []

        def look(chunk: slice) -> None:
            rows = self._given(chunk)
            if self.norm is not None:  # numpy's sums, so that every device divides by the same
                norm = torch.from_numpy(np.linalg.norm(rows.cpu().numpy(), axis=1)).to(self.device)
                self.norm[chunk] = torch.where(norm > 0, norm, 1.0)
                rows /= self.norm[chunk, None]
            largest.append(torch.stack(torch.aminmax(rows)).abs().max())
            share = torch.full((len(rows),), 1 / samples, dtype=torch.float64, device=self.device)
            means.append(share @ rows)
            hashes[chunk] = rows.mul_(factors).sum(dim=1)

        self.each(look, self._chunks(samples))
        most = float(torch.stack(largest).max())
        # a power of two changes no digit and keeps the squares within the range of float32
        self.scale = power_of_two(most)
        self.mean = torch.stack(means).sum(dim=0) / self.scale

        hashes, order = hashes.sort(stable=True)
        new = torch.ones(samples, dtype=torch.bool, device=self.device)
        alike = 1 + torch.nonzero(hashes[1:] == hashes[:-1]).ravel()

        def compare(chunk: slice) -> None:
            i = alike[chunk]
            new[i] = (self._given(order[i]) != self._given(order[i - 1])).any(dim=1)

        self.each(compare, self._chunks(len(alike)))
        row = torch.empty_like(order)
        row[order] = torch.cumsum(new, 0) - 1
        return row.cpu().numpy()

    def _given(self, samples) -> torch.Tensor:
        """Return a copy of the rows of some samples (a slice or int64 tensor), float64 on the device."""
        if isinstance(self.features, torch.Tensor):
            rows = self.features[samples].to(torch.float64, copy=True)
        else:
            index = samples if isinstance(samples, slice) else samples.cpu().numpy()
            rows = torch.from_numpy(np.asarray(self.features[index]).astype(np.float64)).to(self.device)
        return rows if self.norm is None else rows.div_(self.norm[samples, None])

    def exact(self, places) -> torch.Tensor:
        """Return rows (m, d) float64 by place in class order, divided by the scale."""
        return self._given(self.order[places]).div_(self.scale)

    def squared_distances(self, i: torch.Tensor, j: torch.Tensor) -> torch.Tensor:
        """Return (m,) float64 squared distances of pairs, as the sum of squared differences."""
        out = torch.empty(len(i), dtype=torch.float64, device=self.device)

        def measure(chunk: slice) -> None:
            difference = self.exact(i[chunk]).sub_(self.exact(j[chunk]))
            if difference.is_cuda:
                out[chunk] = difference.square().sum(dim=1)
            else:
                difference = difference.numpy()
                out[chunk] = torch.from_numpy(np.einsum("ij,ij->i", difference, difference))

        self.each(measure, self._chunks(len(i)))
        return out

    def working(self, dtype: torch.dtype) -> tuple[torch.Tensor, float]:
        """Return centred rows (x, -|x|^2 / 2, 1) of shape (n, d + 2), and the rounding of their products.

        The product of (x, -h, 1) and (y, 1, -k) with h = |x|^2 / 2 and k = |y|^2 / 2 is -|x - y|^2 / 2. The
        second value c bounds the error of an entry by c (|x| + |y|)^2: a sum of m products in any order errs by
        at most m u sum |a b|, and (Higham and Mary 2019) in practice by a few sqrt(m) u; 8 sqrt(m) is far more
        than was ever seen.
        """
        m, need = self.d + 2, self.n * (self.d + 2) * dtype.itemsize
        if self.device.type == "cuda" and need <= free_bytes(self.device) / 2:
            out = torch.empty((self.n, m), dtype=dtype, device=self.device)
        else:
            out = torch.from_numpy(empty_rows(self.n, m, {4: np.float32, 8: np.float64}[dtype.itemsize]))

        def fill(chunk: slice) -> None:
            x = self.exact(chunk).sub_(self.mean).to(dtype)
            out[chunk, : self.d] = x
            out[chunk, self.d] = torch.linalg.vector_norm(x, dim=1, dtype=torch.float64).square().mul(-0.5)
            out[chunk, self.d + 1] = 1

        self.each(fill, self._chunks(self.n))
        return out, torch.finfo(dtype).eps / 2 * (min(m, 8 * m**0.5) / 2 + 2)


def free_bytes(device: torch.device) -> int:
    """Return how much memory is free on the device."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    import psutil

    return psutil.virtual_memory().available


def empty_rows(n: int, width: int, dtype) -> np.ndarray:
    """Return room for (n, width) values in memory or, if they would take over half of it, in a temporary file.

    Raises
    ------
    InputError
        If neither has room.
    """
    need = n * width * np.dtype(dtype).itemsize
    if need <= free_bytes(torch.device("cpu")) / 2:
        return np.empty((n, width), dtype)
    folder = tempfile.gettempdir()
    if need > 0.9 * shutil.disk_usage(folder).free:
        raise InputError(
            f"a copy of {n:,} rows of {width:,} features needs {need / 1e9:.1f} GB: more than half of the free memory, "
            f"and more than {folder} has room for; set TMPDIR to a folder with room, or take fewer samples"
        )
    with tempfile.TemporaryFile(dir=folder) as file:  # the mapping outlives the name
        return np.memmap(file, dtype=dtype, mode="w+", shape=(n, width))


def held(features, samples: np.ndarray | None = None) -> np.ndarray:
    """Return the rows of an array on disk, or some of them, where they can be read in any order.

    They are copied in blocks, to memory or a temporary file, in the type they have.
    """
    if features.ndim != 2:
        return np.asarray(features[:])
    n = features.shape[0] if samples is None else len(samples)
    out = empty_rows(n, features.shape[1], features.dtype)
    step = max(16, 8 * CHUNK // max(1, features.shape[1]))
    for start in range(0, n, step):
        chunk = slice(start, min(start + step, n))
        out[chunk] = features[chunk if samples is None else samples[chunk]]
    return out
