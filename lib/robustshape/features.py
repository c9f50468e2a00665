"""Penultimate features and logits of a network on a selection of images, computed once and kept.

Images go through the network in pieces; a finished piece is a file of its own, so an interrupted run
goes on after the last one. The whole then becomes one chunked zarr store, opened lazily (dask-backed).
"""

import functools
import shutil
import time

from robustshape import datasets
from robustshape.datasets.selection import Selection
from robustshape.errors import InputError, StoreError, TrainingError
from robustshape.paths import cache_dir, device
from robustshape.store import arrays
from robustshape.store.atomic import usable_folder, write_file
from robustshape.store.keys import key_of

VERSION = 1  # raise when a change of the algorithm changes the numbers
IMAGENET = 1000  # its classes
PIECE = 2048  # images; a multiple of the classifier's own chunk, so that pieces do not change a number


def load_classifier(model: str, options: tuple, data=None):
    """Return the Classifier called `model`, kept in this process; `options` are (name, value) pairs.

    Given the data set that it is to see, it takes the whole of images that are ``framed`` (see
    `robustshape.datasets.load`), without its own resizing and crop.
    """
    from robustshape import models

    kept = _kept(model, options, key_of(models.identity(model, **dict(options))), device())
    if data is None or not data.attrs.get("framed"):
        return kept
    from dataclasses import replace

    from robustshape.models.resizing import whole

    return replace(kept, preprocess=whole(kept.preprocess))


@functools.lru_cache(maxsize=32)
def _kept(model: str, options: tuple, key: str, device: str):
    from robustshape import models

    return models.load(model, **dict(options), device=device)


def check(model: str, options: tuple, selection: Selection) -> None:
    """Raise InputError if the network cannot take the images, or knows another number of classes."""
    data = selection.load()
    classifier = load_classifier(model, options, data)
    class_columns(classifier, data)
    try:
        classifier.logits(datasets.pixels(data)[:1])
    except RuntimeError as error:  # of torch: shapes that do not fit
        raise InputError(
            f"{model} cannot take images of {selection.dataset!r} {datasets.pixels(data)[0].shape}: "
            f"{str(error).splitlines()[0]}; give it a preprocessing that fits (file: cards and python: may)"
        ) from error


def class_columns(classifier, data):
    """Return which of the network's logits are those of the data set's classes: all, or an index (class,).

    A network of ImageNet's 1,000 classes may be asked about a data set of some of them, which then has the
    attribute ``imagenet_index``; its answer is the largest among their logits.

    Raises
    ------
    InputError
        If the network knows another number of classes.
    """
    import numpy as np

    known, asked = classifier.n_classes, data.attrs["n_classes"]
    if known == asked:
        return slice(None)
    if known == IMAGENET and "imagenet_index" in data.attrs:
        return np.asarray(data.attrs["imagenet_index"])
    raise InputError(
        f"{classifier.name} tells {known} classes apart, but {data.attrs['dataset']!r} has {asked}; "
        "choose a data set with the network's classes, or another network"
    )


def Columns(network, columns):
    """Return `network` with these of its logits alone, as a torch module."""
    import torch

    class _Columns(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network

        def forward(self, x):
            return self.network(x)[:, columns]

    return _Columns()


def finite(values, model: str, what: str):
    """Return `values`, or raise InputError if the network `model` gave NaN or infinity."""
    import numpy as np

    if not np.isfinite(values).all():
        raise InputError(f"{model} gives NaN or infinite {what}; train it again, or leave it out")
    return values


def ready(model: str, options: tuple) -> float:
    """Train or fetch the network called `model` if it is not kept yet; return the seconds it took."""
    began = time.perf_counter()
    load_classifier(model, options)
    return time.perf_counter() - began


def diverged(model: str, options: tuple) -> str:
    """Return why the training of the network called `model` diverged; empty if it did not."""
    try:
        ready(model, options)
    except TrainingError as error:
        return str(error)
    return ""


def accuracy(store) -> float:
    """Return the share of images of an open features store that its logits classify rightly."""
    return float((store["logits"].argmax("class") == store["label"]).mean())


def spec(model: str, options: tuple, selection: Selection) -> dict:
    """Return what defines the features of `model` on `selection`; no network is loaded or trained."""
    from robustshape import models

    among = "imagenet_index" in selection.load().attrs  # then the store has one number more
    return {
        "kind": "features",
        "version": VERSION + among,
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
    folder = _folder(model, options, selection)
    if usable_folder(folder):
        return []
    starts = range(0, selection.n, PIECE)
    return [(model, options, selection, s) for s in starts if not (_pieces(folder) / f"{s}.npz").exists()]


def compute_piece(model: str, options: tuple, selection: Selection, start: int) -> float:
    """Compute and keep the features of one piece of the images; return the seconds it took."""
    import numpy as np

    began = time.perf_counter()
    data = selection.load()
    classifier = load_classifier(model, options, data)
    part = slice(start, start + PIECE)
    found = classifier.activations(datasets.pixels(data)[part], layers=("penultimate", "logits"))
    for what, values in found.items():
        finite(values, model, what)
    columns = class_columns(classifier, data)
    kept = {"features": found["penultimate"], "logits": found["logits"][:, columns]}
    if not isinstance(columns, slice):
        kept["right_of_all"] = found["logits"].argmax(1) == columns[data["label"].values[part]]
    kept["seconds"] = time.perf_counter() - began
    folder = _folder(model, options, selection)
    try:
        with write_file(_pieces(folder) / f"{start}.npz") as temporary, temporary.open("wb") as file:
            np.savez(file, **kept)
    except StoreError:
        if not usable_folder(folder):  # else another process has just finished the whole
            raise
    return kept["seconds"]


def _read_piece(model: str, options: tuple, selection: Selection, start: int) -> dict:
    """Return the arrays of a finished piece; a damaged one is computed again."""
    import zipfile

    import numpy as np

    path = _pieces(_folder(model, options, selection)) / f"{start}.npz"
    try:
        return dict(np.load(path))
    except (zipfile.BadZipFile, ValueError, EOFError, KeyError):
        print(f"{path} is damaged; it is computed again")
        compute_piece(model, options, selection, start)
        return dict(np.load(path))


def open_features(model: str, options: tuple, selection: Selection):
    """Return the store of finished features: ``features (sample, feature)``, ``logits (sample, class)``.

    Returns
    -------
    xarray.Dataset or None
        float32, dask-backed, with ``label (sample)``; None if a piece is still missing. Where a network of
        ImageNet's 1,000 classes answers with some of them, ``right_of_all (sample)`` bool says whether it would
        be right with all.
    """
    import numpy as np
    import xarray

    folder = _folder(model, options, selection)
    opened = arrays.open_folder(folder, chunks={})
    if opened is not None:
        return opened
    if missing_pieces(model, options, selection):
        return None
    try:
        pieces = [_read_piece(model, options, selection, start) for start in range(0, selection.n, PIECE)]
    except FileNotFoundError:  # another process has just finished the whole and removed the pieces
        return arrays.open_folder(folder, chunks={})
    data = selection.load()
    dims = {"features": ("sample", "feature"), "logits": ("sample", "class"), "right_of_all": ("sample",)}
    dataset = xarray.Dataset(
        {name: (dims[name], np.concatenate([p[name] for p in pieces])) for name in pieces[0] if name in dims}
        | {"label": ("sample", data["label"].values)},
        coords={"sample": data.sample.values},
        attrs={"model": model, "seconds": float(sum(p["seconds"] for p in pieces))},
    ).chunk(sample=PIECE)
    arrays.save_folder(dataset, folder)
    shutil.rmtree(_pieces(folder), ignore_errors=True)
    return arrays.open_folder(folder, chunks={})
