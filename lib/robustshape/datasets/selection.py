"""Which images a measurement uses: a disjoint, class-balanced part of a data set's split.

A Selection is a few words, so a task can carry it to another process and load the images there.
"""

import functools
from dataclasses import dataclass

from robustshape.store.keys import ids_hash

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
    from robustshape import datasets

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
    return data, identity
