"""Penultimate features and logits of a network on a selection of images, computed once and kept.

Images go through the network in pieces; a finished piece is a file of its own, so an interrupted run
goes on after the last one. The whole then becomes one chunked zarr store, opened lazily (dask-backed).
"""

import functools
import shutil
import time

from robustshape.datasets.selection import Selection
from robustshape.paths import cache_dir
from robustshape.store import arrays
from robustshape.store.atomic import write_file
from robustshape.store.keys import key_of

VERSION = 1  # raise when a change of the algorithm changes the numbers
PIECE = 2048  # images; a multiple of the classifier's own chunk, so that pieces do not change a number


@functools.lru_cache(maxsize=32)
def load_classifier(model: str, options: tuple):
    """Return the Classifier called `model`, kept in this process; `options` are (name, value) pairs."""
    from robustshape import models

    return models.load(model, **dict(options))


def ready(model: str, options: tuple) -> float:
    """Train or fetch the network called `model` if it is not kept yet; return the seconds it took."""
    began = time.perf_counter()
    load_classifier(model, options)
    return time.perf_counter() - began


def accuracy(store) -> float:
    """Return the share of images of an open features store that its logits classify rightly."""
    return float((store["logits"].argmax("class") == store["label"]).mean())


def spec(model: str, options: tuple, selection: Selection) -> dict:
    """Return what defines the features of `model` on `selection`; no network is loaded or trained."""
    from robustshape import models

    return {
        "kind": "features",
        "version": VERSION,
        "model": models.identity(model, **dict(options)),
        "images": selection.identity(),
        "layer": "penultimate",
    }


def _folder(model, options, selection):
    return cache_dir("features") / key_of(spec(model, options, selection))


def _pieces(folder):
    return folder.parent / f"{folder.name}.pieces"


def missing_pieces(model: str, options: tuple, selection: Selection) -> list[tuple]:
    """Return the arguments of the `compute_piece` calls that are still to be made."""
    from robustshape.store.atomic import usable_folder

    folder = _folder(model, options, selection)
    if usable_folder(folder):
        return []
    starts = range(0, selection.n, PIECE)
    return [(model, options, selection, s) for s in starts if not (_pieces(folder) / f"{s}.npz").exists()]


def compute_piece(model: str, options: tuple, selection: Selection, start: int) -> float:
    """Compute and keep the features of one piece of the images; return the seconds it took."""
    import numpy as np

    began = time.perf_counter()
    images = selection.load()["image"].values[start : start + PIECE]
    classifier = load_classifier(model, options)
    found = classifier.activations(images, layers=("penultimate", "logits"))
    seconds = time.perf_counter() - began
    piece = _pieces(_folder(model, options, selection)) / f"{start}.npz"
    with write_file(piece) as temporary, temporary.open("wb") as file:
        np.savez(file, features=found["penultimate"], logits=found["logits"], seconds=seconds)
    return seconds


def open_features(model: str, options: tuple, selection: Selection):
    """Return the store of finished features: ``features (sample, feature)``, ``logits (sample, class)``.

    Returns
    -------
    xarray.Dataset or None
        float32, dask-backed, with ``label (sample)``; None if a piece is still missing.
    """
    import numpy as np
    import xarray

    folder = _folder(model, options, selection)
    opened = arrays.open_folder(folder, chunks={})
    if opened is not None:
        return opened
    if missing_pieces(model, options, selection):
        return None
    pieces = [np.load(_pieces(folder) / f"{start}.npz") for start in range(0, selection.n, PIECE)]
    data = selection.load()
    dataset = xarray.Dataset(
        {
            "features": (("sample", "feature"), np.concatenate([p["features"] for p in pieces])),
            "logits": (("sample", "class"), np.concatenate([p["logits"] for p in pieces])),
            "label": ("sample", data["label"].values),
        },
        coords={"sample": data.sample.values},
        attrs={"model": model, "seconds": float(sum(p["seconds"] for p in pieces))},
    ).chunk(sample=PIECE)
    arrays.save_folder(dataset, folder)
    shutil.rmtree(_pieces(folder), ignore_errors=True)
    return arrays.open_folder(folder, chunks={})
