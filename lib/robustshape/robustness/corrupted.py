"""What networks predict on corrupted images: every image is corrupted once and shown to all networks.

One store for each network and corruption holds the predicted class of every image at every severity.
"""

import time

from robustshape import datasets
from robustshape.datasets.selection import Selection
from robustshape.features import class_columns, finite, load_classifier
from robustshape.paths import cache_dir
from robustshape.store import arrays
from robustshape.store.atomic import usable_folder
from robustshape.store.keys import key_of

VERSION = 1  # raise when a change of the algorithm changes the numbers
PIECE = 2048  # images in memory at a time


def spec(
    model: str, options: tuple, selection: Selection, corruption: str, severities, seed: int, constants: str
) -> dict:
    """Return what defines the predictions of `model` under one `corruption`."""
    from robustshape import corruptions, models

    return {
        "kind": "corrupted predictions",
        "version": [VERSION, corruptions.VERSION],
        "model": models.identity(model, **dict(options)),
        "images": selection.identity(),
        "corruption": corruption,
        "severities": list(severities),
        "seed": seed,
        "constants": constants,
    }


def _folder(*defines):
    return cache_dir("corrupted") / key_of(spec(*defines))


def missing(models, selection: Selection, corruptions, severities, seed: int, constants: str) -> list[tuple]:
    """Return the arguments of the `predict` calls that are still to be made, one for each corruption.

    `models` are (name, options) pairs; each call gets those that have no finished store.
    """
    calls = []
    for corruption in corruptions:
        lacking = tuple(
            (model, options)
            for model, options in models
            if not usable_folder(_folder(model, options, selection, corruption, severities, seed, constants))
        )
        if lacking:
            calls.append((lacking, selection, corruption, tuple(severities), seed, constants))
    return calls


def predict(models, selection: Selection, corruption: str, severities, seed: int, constants: str) -> float:
    """Predict the corrupted images with every one of `models` and keep it; return the seconds taken."""
    import numpy as np
    import xarray

    from robustshape.corruptions import corrupt

    data = selection.load()
    images, ids = np.asarray(datasets.pixels(data)), data.sample.values
    predicted = {pair: np.empty((len(severities), len(images)), np.int16) for pair in models}
    seconds = dict.fromkeys(models, 0.0)
    began = time.perf_counter()
    for row, severity in enumerate(severities):
        for start in range(0, len(images), PIECE):
            part = slice(start, start + PIECE)
            shown = corrupt(images[part], corruption, severity, seed=seed, ids=ids[part], constants=constants)
            for pair in models:
                started = time.perf_counter()
                classifier = load_classifier(*pair)
                logits = finite(classifier.logits(shown), pair[0], f"logits under {corruption}")
                predicted[pair][row, part] = logits[:, class_columns(classifier, data)].argmax(1)
                seconds[pair] += time.perf_counter() - started
    for pair, classes in predicted.items():
        dataset = xarray.Dataset(
            {"predicted": (("severity", "sample"), classes), "label": ("sample", data["label"].values)},
            coords={"severity": list(severities), "sample": ids},
            attrs={"model": pair[0], "corruption": corruption, "seconds": seconds[pair]},
        )
        arrays.save_folder(dataset, _folder(*pair, selection, corruption, severities, seed, constants))
    return time.perf_counter() - began


def correct(
    model: str, options: tuple, selection: Selection, corruptions, severities, seed: int, constants: str
):
    """Return which images are still classified rightly, from finished stores.

    Returns
    -------
    xarray.DataArray
        bool (corruption, severity, sample); attribute ``seconds`` that the predictions took.
    """
    import xarray

    rights, seconds = [], 0.0
    for corruption in corruptions:
        store = arrays.open_folder(
            _folder(model, options, selection, corruption, severities, seed, constants)
        )
        rights.append(store["predicted"] == store["label"])
        seconds += store.attrs["seconds"]
    found = xarray.concat(rights, dim="corruption").assign_coords(corruption=list(corruptions))
    found.attrs["seconds"] = seconds
    return found.transpose("corruption", "severity", "sample")
