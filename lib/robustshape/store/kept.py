"""What is computed once and kept: a Dataset in the cache, under the key of what defines it.

The one cache of features, predictions, attacks, movements and rows. An entry is whole or it is not there: a
writer that is killed leaves nothing that passes for finished, and a damaged entry is named and made again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from robustshape.paths import cache_dir
from robustshape.store import arrays, leases
from robustshape.store.entries import usable_folder
from robustshape.store.keys import key_of


@dataclass(frozen=True)
class Kept:
    """An entry of the cache.

    Attributes
    ----------
    kind : str
        The folder of the cache that it lies in, such as ``features``.
    spec : dict
        What defines its numbers, JSON-able; see `robustshape.store.keys.key_of`.
    """

    kind: str
    spec: dict

    @cached_property
    def key(self) -> str:
        """The hash of what defines the entry."""
        return key_of(self.spec)

    @property
    def folder(self) -> Path:
        """Where the entry lies, whether it is there or not."""
        return cache_dir(*self.kind.split("/")) / self.key

    @property
    def missing(self) -> bool:
        """Whether there is no whole entry yet; a damaged one is named and removed."""
        return not usable_folder(self.folder)

    def open(self, *, chunks: dict | None = None):
        """Return the Dataset, or None where there is none; with `chunks` large arrays are read when they are used."""
        return arrays.open_folder(self.folder, chunks=chunks)

    def alone(self):
        """Return a block in which no other run makes the entry; one that does is waited for, so look then whether it is there."""
        return leases.alone(self.folder)

    def save(self, dataset) -> None:
        """Keep the Dataset; one that another process has just finished under the same key stays."""
        arrays.save_folder(dataset, self.folder)


def folders_missing(entries: Iterable[Kept]) -> list[Path]:
    """Return where those of some entries lie that are still to be made, see `robustshape.tasks.as_finished`."""
    return [entry.folder for entry in entries if entry.missing]
