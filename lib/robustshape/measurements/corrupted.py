"""What networks predict on corrupted images: every image is corrupted once and shown to all networks.

Corrupted images are made here (`GENERATED`), the same but saved as JPEG of quality 85 as those of ImageNet-C
were (`JPEG`), or read from the published benchmark in the reader's own files (`STORED`). Each network, corruption
and severity is an entry of the cache.
"""

import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from robustshape import datasets
from robustshape.datasets.pictures import Pictures
from robustshape.datasets.selection import Selection
from robustshape.errors import InputError
from robustshape.measurements.classes import class_columns, finite
from robustshape.models.network import Network
from robustshape.store.kept import Kept, folders_missing
from robustshape.store.keys import ids_hash

VERSION = 1  # raise when a change of the algorithm changes the numbers
PIECE = 2048  # images in memory at a time
GENERATED, JPEG, STORED = "generated", "generated jpeg85", "stored"
MADE = (GENERATED, JPEG, STORED)


@dataclass(frozen=True)
class CorruptedImages:
    """A selection of images under some corruptions, at any severity."""

    selection: Selection
    corruptions: tuple[str, ...]
    severities: tuple[int, ...]
    seed: int
    constants: str = "auto"  # see robustshape.corruptions.corrupt
    made: str = GENERATED

    def check(self) -> None:
        """Raise InputError if the images cannot be made as asked, MissingFileError if stored ones are not there."""
        from robustshape.corruptions import check_constants

        check_constants(self.constants)
        if self.made not in MADE:
            raise InputError(f"corrupted is one of {', '.join(map(repr, MADE))}, but was {self.made!r}")
        if self.made == STORED:
            from robustshape.corruptions import stored

            stored.check(self.selection.load(), self.corruptions, self.severities, own=True)
            if self.own and len(self._labels_and_ids[1]) < self.selection.n:
                raise InputError(
                    f"the benchmark of {self.selection.dataset} has {len(self._labels_and_ids[1]):,} images of its own, "
                    f"but n_robustness is {self.selection.n:,}; ask for fewer"
                )

    def check_sizes(self) -> None:
        """Raise InputError if images are to be corrupted here that are not of one size; the images are looked at."""
        if self.made != STORED and self.corruptions:
            images = datasets.pixels(self.selection.load())
            if isinstance(images, Pictures):
                images.check_one_size()

    @cached_property
    def own(self) -> bool:
        """Whether these are images of a benchmark that shows others than the clean ones: none is paired with a clean one."""
        from robustshape.corruptions import stored

        return self.made == STORED and not stored.paired(self.selection.load())

    @cached_property
    def _labels_and_ids(self):
        """The labels and ids (n,) of a benchmark's own images: as many as are selected, classes as equal as they allow."""
        from robustshape.corruptions import stored
        from robustshape.datasets.subsets import balanced

        data = self.selection.load()
        labels, ids = stored.stored_ids(data, self.corruptions[0], self.severities[0])
        [chosen] = balanced(labels, ids, min(self.selection.n, len(ids)), seed=self.selection.seed)
        return labels[chosen], ids[chosen]

    @property
    def labels(self):
        """The classes (n,) of the images."""
        return self._labels_and_ids[0] if self.own else self.selection.load()["label"].values

    @property
    def ids(self):
        """The ids (n,) of the images."""
        return self._labels_and_ids[1] if self.own else self.selection.load().sample.values

    @cached_property
    def files(self) -> dict[tuple[str, int], str]:
        """What changes with the files of each corruption and severity, of stored images; looked at once a run."""
        from robustshape.corruptions import stored

        if self.made != STORED or not self.corruptions:
            return {}
        benchmark = stored.benchmark_of(self.selection.load())
        wanted = benchmark.wanted(self.ids, self.labels)
        cells = [(corruption, severity) for corruption in self.corruptions for severity in self.severities]
        return {cell: benchmark.state(wanted, *cell) for cell in cells}

    def identity(self, corruption: str, severity: int) -> dict:
        """Return what defines the images under a corruption at a severity, beside the selection."""
        from robustshape import corruptions
        from robustshape.corruptions import stored

        if self.made == STORED:
            source = {"from": stored.provenance(self.selection.load()), "version": stored.VERSION}
            source["files"] = self.files[corruption, severity]
            if self.own:
                source["ids"] = ids_hash(self.ids)
        else:
            source = {"version": corruptions.VERSION, "seed": self.seed, "constants": self.constants}
            source |= {f"version of {name}": v for name, v in corruptions.versions([corruption]).items()}
        return {"as": self.made} | source

    def images(self, corruption: str, severity: int, part=slice(None)):
        """Return the images of a `part` of the selection under a corruption: (n, h, w, c) uint8."""
        import numpy as np

        data = self.selection.load().isel(sample=part)
        if self.own:
            from robustshape.corruptions.stored import stored_set

            return stored_set(data, corruption, severity, ids=self.ids[part])[0]
        if self.made == STORED:
            from robustshape.corruptions.stored import stored_images

            return stored_images(data, corruption, severity)
        from robustshape.corruptions import corrupt

        images, ids = np.asarray(datasets.pixels(data)), data.sample.values
        shown = corrupt(images, corruption, severity, seed=self.seed, ids=ids, constants=self.constants)
        if self.made == JPEG:
            from robustshape.corruptions.jpeg import saved_as_jpeg

            return saved_as_jpeg(shown)
        return shown


def kept(network: Network, images: CorruptedImages, corruption: str, severity: int) -> Kept:
    """Return the entry of what a network predicts under one corruption at one severity."""
    spec = {
        "kind": "corrupted predictions",
        "version": VERSION,
        "model": network.identity,
        "images": images.selection.identity(),
        "corruption": corruption,
        "severity": severity,
        "made": images.identity(corruption, severity),
    }
    return Kept("corrupted", spec)


def missing(networks: list[Network], images: CorruptedImages) -> list[tuple]:
    """Return the arguments of the `predict` calls that are still to be made, one for each image to be seen.

    Each call gets those of the networks that have no entry yet.
    """
    calls = []
    for corruption in images.corruptions:
        for severity in images.severities:
            lacking = [one for one in networks if kept(one, images, corruption, severity).missing]
            if lacking:
                calls.append((tuple(lacking), images, corruption, severity))
    return calls


def left(
    networks: tuple[Network, ...], images: CorruptedImages, corruption: str, severity: int
) -> list[Path]:
    """Return where the entries lie that `predict` still has to make."""
    return folders_missing(kept(one, images, corruption, severity) for one in networks)


def predict(networks: tuple[Network, ...], images: CorruptedImages, corruption: str, severity: int) -> None:
    """Keep what every one of the networks, of which there is no entry, predicts under one corruption at one severity."""
    import numpy as np
    import xarray

    networks = [one for one in networks if kept(one, images, corruption, severity).missing]
    data, n = images.selection.load(), images.selection.n
    predicted = {network: np.empty(n, np.int16) for network in networks}
    seconds = dict.fromkeys(networks, 0.0)
    for start in range(0, n, PIECE):
        part = slice(start, start + PIECE)
        shown = images.images(corruption, severity, part)
        for network in networks:
            began = time.perf_counter()
            classifier = network.load(data)
            logits = finite(classifier.logits(shown), network.name, f"logits under {corruption}")
            predicted[network][part] = logits[:, class_columns(classifier, data)].argmax(1)
            seconds[network] += time.perf_counter() - began
    for network, classes in predicted.items():
        found = xarray.Dataset({"predicted": ("sample", classes)}, attrs={"seconds": seconds[network]})
        kept(network, images, corruption, severity).save(found)


def correct(network: Network, images: CorruptedImages):
    """Return which images are still classified rightly, from finished entries; a damaged one is made again.

    Returns
    -------
    xarray.DataArray
        bool (corruption, severity, sample); attribute ``seconds`` that the predictions took.
    """
    import numpy as np
    import xarray

    seconds = 0.0
    right = np.empty((len(images.corruptions), len(images.severities), images.selection.n), bool)
    for i, corruption in enumerate(images.corruptions):
        for j, severity in enumerate(images.severities):
            entry = kept(network, images, corruption, severity)
            found = entry.open()
            if found is None:
                with entry.alone():
                    predict((network,), images, corruption, severity)
                found = entry.open()
            right[i, j] = found["predicted"].values == images.labels
            seconds += found.attrs["seconds"]
    return xarray.DataArray(
        right,
        dims=("corruption", "severity", "sample"),
        coords={
            "corruption": list(images.corruptions),
            "severity": list(images.severities),
            "sample": images.ids,
        },
        attrs={"seconds": seconds},
    )
