"""Which images a measurement uses: a disjoint, class-balanced part of a data set's split.

A Selection is a few words, so a task can carry it to another process and load the images there.
"""

import functools
from dataclasses import dataclass

from robustshape.store.keys import ids_hash

FIRST_VERSION = 2  # raise when the first images of a selection are others
CUT_VERSION = 2  # raise when networks cut out another middle of images that are not square


@dataclass(frozen=True)
class Selection:
    """The `part`-th of the disjoint parts, `sizes` images each, of a data set's `split`.

    Examples
    --------
    >>> indicator, robustness = Selection.parts("digits", (60, 40), seed=0)
    >>> indicator.n, robustness.n
    (60, 40)
    >>> set(indicator.load().sample.values) & set(robustness.load().sample.values)
    set()
    """

    dataset: str
    sizes: tuple[int, ...]
    part: int
    seed: int
    split: str = "test"
    reading: str | None = None

    @classmethod
    def parts(cls, dataset: str, sizes, *, seed: int, split="test", reading=None) -> "list[Selection]":
        """Return one Selection for each of the `sizes`; no two share an image."""
        sizes = tuple(int(n) for n in sizes)
        return [cls(dataset, sizes, i, seed, split, reading) for i in range(len(sizes))]

    @property
    def n(self) -> int:
        """Number of images."""
        return self.sizes[self.part]

    def load(self):
        """Return the images as an xarray.Dataset (see `robustshape.datasets.load`)."""
        return self._read[0]

    def identity(self) -> dict:
        """Return what defines the images: data set, checksum, reading, and the ids in their order."""
        return dict(self._read[1])

    def places(self, n: int):
        """Return the positions (n,) of the first `n` images: the classes take turns, so they are as equal as can be."""
        return self._read[2][:n]

    def first(self, n: int):
        """Return the first `n` images, see `places`."""
        return self.load().isel(sample=self.places(n))

    def identity_of_first(self, n: int) -> dict:
        """Return what defines the first `n` images, which is `identity` where they are all."""
        ids = {} if n >= self.n else {"ids": ids_hash(self.load().sample.values[self.places(n)])}
        return self.identity() | {"n": n} | ids

    @property
    def _read(self):
        from robustshape import datasets

        return _load(self, datasets.state(self.dataset, split=self.split))


def _square(data) -> bool:
    """Return whether all images are as high as wide, so that where a network cuts out the middle is beyond doubt."""
    if "image" in data:
        return data.sizes["y"] == data.sizes["x"]
    return bool((data["height"] == data["width"]).all())


@functools.lru_cache(maxsize=8)
def _load(selection: Selection, _state: str):
    import numpy as np

    from robustshape import datasets
    from robustshape.datasets.subsets import in_turns

    whole = datasets.load(selection.dataset, split=selection.split, reading="native")
    part = datasets.subset(whole, *selection.sizes, seed=selection.seed)[selection.part]
    data = datasets.read_as(part, selection.reading)
    identity = {
        "dataset": selection.dataset.partition(":")[0],  # a folder is known by its checksum, not by its place
        "split": selection.split,
        "checksum": data.attrs["checksum"],
        "reading": data.attrs.get("reading"),
        "n": selection.n,
        "ids": ids_hash(data.sample.values),
        **({"cut": CUT_VERSION} if CUT_VERSION > 1 and not _square(data) else {}),
    }
    order = np.array(in_turns(data.label.values, data.sample.values, selection.seed), dtype=int)
    return data, identity, order
