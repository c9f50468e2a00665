"""What networks predict on corrupted images: every image is corrupted once and shown to all networks.

One folder for each network and corruption holds a file for each severity: the predicted class of every image.
Corrupted images are made here (`GENERATED`), the same but saved as JPEG of quality 85 as those of ImageNet-C
were (`JPEG`), or read from the published benchmark in the reader's own files (`STORED`).
"""

import time

from robustshape import datasets
from robustshape.datasets.selection import Selection
from robustshape.errors import InputError
from robustshape.features import class_columns, finite, load_classifier
from robustshape.paths import cache_dir
from robustshape.store.atomic import write_file
from robustshape.store.keys import key_of

VERSION = 1  # raise when a change of the algorithm changes the numbers
PIECE = 2048  # images in memory at a time
GENERATED, JPEG, STORED = "generated", "generated jpeg85", "stored"
MADE = (GENERATED, JPEG, STORED)


def check(selection: Selection, corruptions, severities, made: str) -> None:
    """Raise InputError if `made` is none of `MADE`, MissingFileError if stored images are asked for that are not there."""
    if made not in MADE:
        raise InputError(f"corrupted is one of {', '.join(map(repr, MADE))}, but was {made!r}")
    if made == STORED:
        from robustshape.corruptions import stored

        stored.check(selection.load(), corruptions, severities)


def spec(
    model: str, options: tuple, selection: Selection, corruption: str, seed: int, constants: str, made: str
) -> dict:
    """Return what defines the predictions of `model` under one `corruption`, whatever the severity."""
    from robustshape import corruptions, models
    from robustshape.corruptions import stored

    if made == STORED:
        images = {"from": stored.provenance(selection.load()), "version": stored.VERSION}
    else:
        images = {"version": corruptions.VERSION, "seed": seed, "constants": constants}
    return {
        "kind": "corrupted predictions",
        "version": VERSION,
        "model": models.identity(model, **dict(options)),
        "images": selection.identity(),
        "corruption": corruption,
        "made": {"as": made} | images,
    }


def _file(model, options, selection, corruption, severity, *how):
    return (
        cache_dir("corrupted") / key_of(spec(model, options, selection, corruption, *how)) / f"{severity}.npz"
    )


def missing(models, selection: Selection, corruptions, severities, seed: int, constants: str, made: str):
    """Return the arguments of the `predict` calls that are still to be made, one for each image to be seen.

    `models` are (name, options) pairs; each call gets those that have no finished file.
    """
    calls, how = [], (seed, constants, made)
    for corruption in corruptions:
        folders = {pair: _file(*pair, selection, corruption, 0, *how).parent for pair in models}
        for severity in severities:
            lacking = tuple(pair for pair in models if not (folders[pair] / f"{severity}.npz").exists())
            if lacking:
                calls.append((lacking, selection, corruption, severity, *how))
    return calls


def corrupted_images(data, corruption: str, severity: int, seed: int, constants: str, made: str):
    """Return the corrupted images (n, h, w, c) uint8 of `data`."""
    import numpy as np

    if made == STORED:
        from robustshape.corruptions.stored import stored_images

        return stored_images(data, corruption, severity)
    from robustshape.corruptions import corrupt

    images = np.asarray(datasets.pixels(data))
    shown = corrupt(images, corruption, severity, seed=seed, ids=data.sample.values, constants=constants)
    if made == JPEG:
        from robustshape.corruptions.jpeg import saved_as_jpeg

        return saved_as_jpeg(shown)
    return shown


def predict(models, selection: Selection, corruption: str, severity: int, *how) -> float:
    """Predict the corrupted images with every one of `models` and keep it; return the seconds taken.

    `how` is (seed, constants, made) as in `missing`.
    """
    import numpy as np

    began, data = time.perf_counter(), selection.load()
    predicted = {pair: np.empty(selection.n, np.int16) for pair in models}
    seconds = dict.fromkeys(models, 0.0)
    for start in range(0, selection.n, PIECE):
        part = slice(start, start + PIECE)
        shown = corrupted_images(data.isel(sample=part), corruption, severity, *how)
        for pair in models:
            started = time.perf_counter()
            classifier = load_classifier(*pair, data)
            logits = finite(classifier.logits(shown), pair[0], f"logits under {corruption}")
            predicted[pair][part] = logits[:, class_columns(classifier, data)].argmax(1)
            seconds[pair] += time.perf_counter() - started
    for pair, classes in predicted.items():
        path = _file(*pair, selection, corruption, severity, *how)
        with write_file(path) as temporary, temporary.open("wb") as file:
            np.savez(file, predicted=classes, seconds=seconds[pair])
    return time.perf_counter() - began


def _read(model, options, selection, corruption, severity, *how):
    """Return the predicted classes (n,) of a finished file and the seconds it took; a damaged one is made again."""
    import zipfile

    import numpy as np

    path = _file(model, options, selection, corruption, severity, *how)
    try:
        kept = np.load(path)
        return kept["predicted"], float(kept["seconds"])
    except (zipfile.BadZipFile, ValueError, EOFError, KeyError):
        print(f"{path} is damaged; it is computed again")
        predict(((model, options),), selection, corruption, severity, *how)
        kept = np.load(path)
        return kept["predicted"], float(kept["seconds"])


def correct(model: str, options: tuple, selection: Selection, corruptions, severities, *how):
    """Return which images are still classified rightly, from finished files.

    Returns
    -------
    xarray.DataArray
        bool (corruption, severity, sample); attribute ``seconds`` that the predictions took.
    """
    import numpy as np
    import xarray

    data, seconds = selection.load(), 0.0
    right = np.empty((len(corruptions), len(severities), selection.n), bool)
    for i, corruption in enumerate(corruptions):
        for j, severity in enumerate(severities):
            predicted, took = _read(model, options, selection, corruption, severity, *how)
            right[i, j] = predicted == data["label"].values
            seconds += took
    return xarray.DataArray(
        right,
        dims=("corruption", "severity", "sample"),
        coords={"corruption": list(corruptions), "severity": list(severities), "sample": data.sample.values},
        attrs={"seconds": seconds},
    )
