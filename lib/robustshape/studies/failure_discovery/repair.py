"""Does training on a classifier's failures repair it? A set of corner cases, and the classifier before and after.

The failures of the sweep that the judge still reads are split by sample: a classifier trained on those of one half is
shown those of the other half. A control is trained on as many moved images, drawn from all of that half.
"""

import copy
from pathlib import Path

import numpy as np

from robustshape.errors import InputError
from robustshape.measurements.population import Population
from robustshape.studies.failure_discovery import movements
from robustshape.studies.failure_discovery.predictions import Subject

N_MOST = 2_000  # failures to train on
N_REAL = 2_000  # real training images beside them, so that the rest is not forgotten
SHOWN = ("gaussian_noise", "impulse_noise", "gaussian_blur", "contrast")  # real corruptions, at severity 3
STATES = ("before", "trained on failures", "trained on moved images")
MEASURES = ("failures", "moved", "clean", "corrupted")


def corner_cases(subject: Subject) -> np.ndarray:
    """Return the places (k, 3), of dimension, way and sample, where the classifier goes wrong and the judge does not."""
    return np.argwhere(subject.flips & subject.readable)


def export(subject: Subject, target: str) -> str:
    """Write the corner cases of a classifier as one xarray store: images, labels, and the shifts that made them.

    Parameters
    ----------
    target : str
        A new folder ending in .zarr, or a file ending in .zarr.zip.

    Returns
    -------
    str
        The call that opens it.
    """
    import xarray

    from robustshape.store import arrays

    path = Path(target).expanduser()
    check_target(target)
    d, way, sample = corner_cases(subject).T
    effects = subject.sweep["effect"].load()
    store = xarray.Dataset(
        {
            "image": (("case", "y", "x", "channel"), subject.sweep["image"].values[d, way, sample]),
            "label": ("case", subject.labels[sample]),
            "predicted": ("case", subject.moved.predicted[d, way, sample]),
            "sample": ("case", subject.begin.index[subject.few[sample]]),
            "dimension": ("case", d),
            "shift": ("case", np.where(way == 0, 1.0, -1.0) * subject.scene.distance),
            "name": ("case", movements.names(effects)[d]),
        },
        attrs={
            "model": subject.classifier.name,
            **{k: str(v) for k, v in subject.scene.samples().items()},
        },
    )
    return arrays.export(store, path)


def check_target(target: str) -> None:
    """Raise InputError unless corner cases can be written there."""
    path = Path(target).expanduser()
    if not path.name.endswith((".zarr", ".zarr.zip")):
        raise InputError(f"corner cases are written to a .zarr or a .zarr.zip, but corner_set was {target!r}")
    if path.suffix == ".zarr" and path.exists():
        raise InputError(
            f"there is already something at {path}; give corner_set another path, or remove it first"
        )


def repaired(population: Population, subject: Subject):
    """Return ``repair (state, measure)``: accuracies before, and after training on failures or on any moved images.

    The measures: held-out failures, all held-out moved images that the judge reads, real clean test images, and real
    ones under `SHOWN`; ``n_failures (half)``. NaN where a half has none.
    """
    import xarray

    labels, scene = subject.labels, subject.scene
    first_half = np.concatenate(
        [np.arange((labels == k).sum()) < (labels == k).sum() / 2 for k in subject.classes]
    )
    cases, readable = corner_cases(subject), np.argwhere(subject.readable)
    rng = np.random.default_rng([scene.seed, 6])
    learned, held_out = cases[first_half[cases[:, 2]]], cases[~first_half[cases[:, 2]]]
    counts = len(learned), len(held_out)
    table = np.full((len(STATES), len(MEASURES)), np.nan)
    if all(counts):
        images = subject.sweep["image"].values

        def those(places):
            return images[tuple(places.T)], labels[places[:, 2]]

        learned, shown = _some(learned, rng), _some(readable[~first_half[readable[:, 2]]], rng)
        control = _some(readable[first_half[readable[:, 2]]], rng, len(learned))
        real = _real(population, N_REAL, rng)
        tests = [those(held_out), those(shown), *_tests(population)]
        before = subject.classifier
        after = [_trained(before, *those(places), real, scene.seed) for places in (learned, control)]
        table[:] = [[(c.predict(x) == y).mean() for x, y in tests] for c in (before, *after)]
    return xarray.Dataset(
        {"repair": (("state", "measure"), table), "n_failures": ("half", np.array(counts))},
        coords={"state": list(STATES), "measure": list(MEASURES), "half": ["learned", "held out"]},
    )


def _some(places, rng, n: int = N_MOST):
    """Return up to `n` of the places, drawn without order."""
    return places[np.sort(rng.permutation(len(places))[:n])]


def _real(population: Population, n: int, rng):
    """Return some real training images and their labels."""
    from robustshape import datasets

    data = datasets.load(population.dataset, split="train", reading=population.reading)
    chosen = np.sort(rng.permutation(data.sizes["sample"])[:n])
    return datasets.pixels(data.isel(sample=chosen)), data.label.values[chosen]


def _tests(population: Population):
    """Return real test images and labels, clean and corrupted."""
    from robustshape import datasets

    data = population.held_out.load()
    corrupted = [population.corrupted_images.images(name, 3) for name in SHOWN]
    labels = data.label.values
    return [(datasets.pixels(data), labels), (np.concatenate(corrupted), np.tile(labels, len(SHOWN)))]


def _trained(classifier, images, labels, real, seed: int):
    """Return a classifier trained further on these images and real ones; the one given stays as it is."""
    from dataclasses import replace

    from robustshape.training.loop import train
    from robustshape.training.recipe import Recipe

    after = replace(classifier, module=copy.deepcopy(classifier.module))
    after.module.requires_grad_(True)
    recipe = Recipe(optimiser="adam", learning_rate=1e-3, weight_decay=0.0, epochs=4, augmentation=())
    x, y = np.concatenate([images, real[0]]), np.concatenate([labels, real[1]])
    pixels = (after.pixels(x) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    train(after.on_pixels(), pixels, y, recipe, seed=seed, device=classifier.device)
    after.module.requires_grad_(False)
    return after
