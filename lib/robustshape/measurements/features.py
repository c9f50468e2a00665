"""Penultimate features and logits of a network on a selection of images, computed once and kept.

Images go through the network in pieces, each an entry of the cache, so an interrupted run goes on after the last one.
"""

import time
from pathlib import Path

from robustshape import datasets
from robustshape.datasets.selection import Selection
from robustshape.measurements.classes import class_columns, finite
from robustshape.models.network import Network
from robustshape.store.kept import Kept, folders_missing
from robustshape.store.keys import since

VERSION = 1  # raise when a change of the algorithm changes the numbers
PIECE = FIRST_PIECE = (
    2048  # images; a multiple of the classifier's own chunk, so that pieces do not change a number
)


def kept(network: Network, selection: Selection) -> dict[int, Kept]:
    """Return the entry of each piece by its first image; no network is loaded or trained."""
    among = "imagenet_index" in selection.load().attrs  # then an entry has one number more
    spec = {
        "kind": "features",
        "version": VERSION + among,
        "model": network.identity,
        "images": selection.identity(),
        "layer": "penultimate",
    }
    spec |= since("piece", PIECE, FIRST_PIECE)  # a piece says where it begins, not where it ends
    return {start: Kept("features", spec | {"from": start}) for start in range(0, selection.n, PIECE)}


def missing(network: Network, selection: Selection) -> list[tuple[Network, Selection, int]]:
    """Return the arguments of the `compute` calls that are still to be made."""
    return [(network, selection, start) for start, entry in kept(network, selection).items() if entry.missing]


def left(network: Network, selection: Selection, start: int) -> list[Path]:
    """Return where the entry lies that `compute` still has to make."""
    return folders_missing([kept(network, selection)[start]])


def compute(network: Network, selection: Selection, start: int) -> None:
    """Compute and keep the features of the piece of images that begins at `start`."""
    import xarray

    began, part = time.perf_counter(), slice(start, start + PIECE)
    data = selection.load()
    classifier = network.load(data)
    found = classifier.activations(datasets.pixels(data)[part], layers=("penultimate", "logits"))
    for what, values in found.items():
        finite(values, network.name, what)
    columns, labels = class_columns(classifier, data), data["label"].values[part]
    piece = xarray.Dataset(
        {
            "features": (("sample", "feature"), found["penultimate"]),
            "logits": (("sample", "class"), found["logits"][:, columns]),
            "label": ("sample", labels),
        },
        coords={"sample": data.sample.values[part]},
    )
    if not isinstance(columns, slice):
        piece["right_of_all"] = "sample", found["logits"].argmax(1) == columns[labels]
    piece.attrs = {"model": network.name, "seconds": time.perf_counter() - began}
    kept(network, selection)[start].save(piece)


def open_features(network: Network, selection: Selection):
    """Return the finished features: ``features (sample, feature)``, ``logits (sample, class)`` float32.

    Returns
    -------
    xarray.Dataset or None
        With ``label (sample)``, read when used where it is large, and the attribute ``seconds``; None if a piece is
        missing. Where a network of ImageNet's 1,000 classes is asked about some of them, ``right_of_all (sample)``
        bool says whether it would be right with all.
    """
    import xarray

    pieces = [entry.open(chunks={}) for entry in kept(network, selection).values()]
    if any(piece is None for piece in pieces):
        return None
    whole = xarray.concat(pieces, dim="sample", data_vars="all", combine_attrs="drop_conflicts")
    return whole.assign_attrs(seconds=float(sum(piece.attrs["seconds"] for piece in pieces)))


def accuracy(store) -> float:
    """Return the share of images of an open features store that its logits classify rightly."""
    return float((store["logits"].argmax("class") == store["label"]).mean())
