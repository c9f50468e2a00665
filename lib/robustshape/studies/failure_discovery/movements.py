"""The scene's images when dimensions move, made once and shown to every classifier; and what each dimension is called.

Every dimension moves either way: the sweep. How far single ones are followed then is in `directions`. What an attribute
that is not of the first (`attributes.FIRST`) sees in the sweep is kept beside it, under its own name and version.
"""

import functools
from pathlib import Path

import numpy as np

from robustshape import tasks
from robustshape.generators.attributes import FIRST, added, identity, measured
from robustshape.generators.naming import effect, spread_of
from robustshape.generators.quality import grey
from robustshape.generators.stylespace import StyleSpace, images_of
from robustshape.generators.sweep import swept
from robustshape.statistics import spearman
from robustshape.store.kept import Kept, folders_missing
from robustshape.studies.failure_discovery.scene import Scene, prepared

VERSION = 3  # raise when a change of the algorithm changes the images or names
WAYS = ("up", "down")
BLOCK = 64  # dimensions in one file
N_NAMED = 4  # samples of each class on which a dimension is named
N_REAL = 1_000  # images whose attributes give the unit of an effect
KNOWN = {
    "gaussian_blur": "blur",
    "gaussian_noise": "noise",
}  # corruption of known severity: attribute that follows it


def kept(scene: Scene, part: str) -> Kept:
    """Return the entry of a part of a scene's images."""
    return Kept("scenes", {"version": VERSION, **scene.identity(), "part": part})


def blocks(scene: Scene) -> dict[int, Kept]:
    """Return the entry of each block of dimensions by its first one."""
    size = StyleSpace.of(prepared(scene).generator).size
    return {start: kept(scene, f"sweep from {start}") for start in range(0, size, BLOCK)}


def missing_blocks(scene: Scene) -> list[tuple]:
    """Return the arguments of `compute_block` whose block is not in the cache."""
    return [(scene, start) for start, entry in blocks(scene).items() if entry.missing]


def block_left(scene: Scene, start: int) -> list[Path]:
    """Return where the entry lies that `compute_block` still has to make."""
    return folders_missing([blocks(scene)[start]])


def compute_block(scene: Scene, start: int) -> None:
    """Move each of a block of dimensions either way, measure what is seen, and keep the images."""
    import xarray

    begin = prepared(scene)
    chosen = begin.of_classes(scene.n_moved)
    styles = begin.styles[chosen]
    dimensions = np.arange(start, min(start + BLOCK, len(begin.units)))
    amounts = scene.distance * begin.units.numpy()[dimensions, None] * [1, -1]
    images = swept(begin.generator, styles, dimensions, amounts, noise=scene.noise)
    found = xarray.Dataset(
        {
            "image": (("dimension", "way", "moved", "y", "x", "channel"), images),
            "effect": (("dimension", "way", "attribute"), _effects(scene, images, FIRST)),
            "judged": (("dimension", "way", "moved"), judged_by(scene, images)),
        },
        coords={"dimension": dimensions, "way": list(WAYS), "attribute": list(FIRST)},
    )
    blocks(scene)[start].save(found.chunk(dimension=8))


def effect_of(scene: Scene, attribute: str) -> Kept:
    """Return the entry of the effects on an added attribute."""
    return kept(scene, f"effect on {identity(attribute)}")


def missing_effects(scene: Scene) -> list[tuple]:
    """Return the arguments of `compute_effect` whose effects are not in the cache."""
    return [(scene, name) for name in added() if effect_of(scene, name).missing]


def effect_left(scene: Scene, attribute: str) -> list[Path]:
    """Return where the entry lies that `compute_effect` still has to make."""
    return folders_missing([effect_of(scene, attribute)])


def compute_effect(scene: Scene, attribute: str) -> None:
    """Measure an added attribute in the images of the finished sweep."""
    import xarray

    seen = [_effects(scene, block["image"].values, (attribute,)) for block in _finished(scene)]
    found = xarray.Dataset(
        {"effect": (("dimension", "way", "attribute"), np.concatenate(seen))},
        coords={"dimension": np.arange(sum(map(len, seen))), "way": list(WAYS), "attribute": [attribute]},
    )
    effect_of(scene, attribute).save(found)


def _effects(scene: Scene, images, names) -> np.ndarray:
    """Return what changes when the first samples of each class move: standardised effects (dimension, way, attribute)."""
    begin = prepared(scene)
    chosen = begin.of_classes(scene.n_moved)
    labels = begin.labels[chosen]
    named = np.concatenate([np.flatnonzero(labels == k)[:N_NAMED] for k in np.unique(labels)])
    before = images_of(begin.generator, begin.styles[chosen][named], noise=scene.noise)
    return effect_sizes(scene, before, images[:, :, named], names)


def effect_sizes(scene: Scene, before, after, names) -> np.ndarray:
    """Return what changes from images (n, r, r, c) to others (..., n, r, r, c), in spreads of real images (..., attribute)."""
    spread, leading = spread_of(real_attributes(scene, tuple(names))[0]), after.shape[:-4]
    first = measured(grey(before), names)
    seen = measured(grey(after.reshape(-1, *after.shape[-3:])), names)
    seen = {name: values.reshape(-1, len(before)) for name, values in seen.items()}
    sizes = [
        list(effect(first, {name: values[i] for name, values in seen.items()}, spread).sizes.values())
        for i in range(int(np.prod(leading)))
    ]
    return np.array(sizes).reshape(*leading, -1)


def judged_by(scene: Scene, images) -> np.ndarray:
    """Return what the judge reads in images (..., r, r, c)."""
    return scene.judging.load().predict(images.reshape(-1, *images.shape[-3:])).reshape(images.shape[:-3])


def real_attributes(scene: Scene, names: tuple[str, ...] = FIRST) -> tuple[dict, np.ndarray]:
    """Return what is measured in real test images corrupted at random, by attribute, and their severities (n, corruption)."""
    from robustshape import datasets

    return _real_attributes(scene, names, datasets.state(scene.dataset))


@functools.lru_cache(maxsize=16)
def _real_attributes(scene: Scene, names: tuple[str, ...], _state: str) -> tuple[dict, np.ndarray]:
    from robustshape import datasets
    from robustshape.generators.corrupted_images import randomly_corrupted

    data = datasets.load(scene.dataset, split="test", reading=scene.reading)
    data = data.isel(sample=slice(0, N_REAL))
    images, severities = randomly_corrupted(
        datasets.pixels(data), data.sample.values, corruptions=list(KNOWN), probability=0.5, constants="224",
        seed=scene.seed,
    )  # fmt: skip
    return measured(grey(images), names), severities


def agreement_with_severities(scene: Scene) -> dict[str, float]:
    """Return Spearman's correlation of known severities (0: none) and the attribute that should follow them."""
    found, severities = real_attributes(scene)
    return {
        corruption: spearman(found[attribute][seen], known[seen])
        for (corruption, attribute), known in zip(KNOWN.items(), severities.T)
        if (seen := np.isfinite(found[attribute])).any()
    }


def sweep(scene: Scene):
    """Return the finished sweep, lazily.

    Returns
    -------
    xarray.Dataset
        ``image (dimension, way, moved, y, x, channel)`` uint8, ``judged (dimension, way, moved)`` what the judge reads in
        them, ``effect (dimension, way, attribute)`` in spreads of real images, on the first attributes.
    """
    import xarray

    return xarray.concat(_finished(scene), dim="dimension")


def _finished(scene: Scene) -> list:
    return [entry.open(chunks={"dimension": 8}) for entry in blocks(scene).values()]


def show(scene: Scene, client=None) -> None:
    """Make the images of the sweep, and what added attributes see in them, where they are not kept yet."""
    tasks.run(compute_block, missing_blocks(scene), client=client, label="movements", left=block_left)
    tasks.run(compute_effect, missing_effects(scene), client=client, label="effects", left=effect_left)


def names(effects) -> np.ndarray:
    """Return what each dimension is called: the attribute that changes most, whichever way; "" if none changes enough."""
    from robustshape.generators.naming import WEAK

    largest = abs(effects).max("way")
    called = largest.attribute.values[largest.argmax("attribute").values]
    return np.where(largest.max("attribute") >= WEAK, called, "")
