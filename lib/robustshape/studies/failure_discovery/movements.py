"""The scene's images when dimensions move, made once and shown to every classifier; and what each dimension is called.

Every dimension moves either way: the sweep. How far single ones are followed then is in `directions`.
"""

import functools

import numpy as np

from robustshape.generators.attributes import ATTRIBUTES, measured
from robustshape.generators.naming import effect, spread_of
from robustshape.generators.quality import grey
from robustshape.generators.stylespace import StyleSpace, images_of
from robustshape.generators.sweep import swept
from robustshape.statistics import spearman
from robustshape.store.kept import Kept
from robustshape.studies.failure_discovery.scene import Scene, prepared

VERSION = 2  # raise when a change of the algorithm changes the images or names
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


def compute_block(scene: Scene, start: int) -> None:
    """Move each of a block of dimensions either way, measure what is seen, and keep the images."""
    import xarray

    begin = prepared(scene)
    chosen = begin.of_classes(scene.n_moved)
    styles, labels = begin.styles[chosen], begin.labels[chosen]
    dimensions = np.arange(start, min(start + BLOCK, len(begin.units)))
    amounts = scene.distance * begin.units.numpy()[dimensions, None] * [1, -1]
    images = swept(begin.generator, styles, dimensions, amounts, noise=scene.noise)
    named = np.concatenate([np.flatnonzero(labels == k)[:N_NAMED] for k in np.unique(labels)])
    before = images_of(begin.generator, styles[named], noise=scene.noise)
    found = xarray.Dataset(
        {
            "image": (("dimension", "way", "moved", "y", "x", "channel"), images),
            "effect": (("dimension", "way", "attribute"), _effects(before, images[:, :, named], scene)),
            "judged": (("dimension", "way", "moved"), judged_by(scene, images)),
        },
        coords={"dimension": dimensions, "way": list(WAYS), "attribute": sorted(ATTRIBUTES.names())},
    )
    blocks(scene)[start].save(found.chunk(dimension=8))


def _effects(before, after, scene: Scene) -> np.ndarray:
    """Return what changes between images (n, ...) and moved ones (..., n, ...): standardised effects (..., attribute)."""
    spread, leading = spread_of(real_attributes(scene)[0]), after.shape[:-4]
    first = measured(grey(before))
    seen = measured(grey(after.reshape(-1, *after.shape[-3:])))
    seen = {name: values.reshape(-1, len(before)) for name, values in seen.items()}
    sizes = [
        list(effect(first, {name: values[i] for name, values in seen.items()}, spread).sizes.values())
        for i in range(len(seen["noise"]))
    ]
    return np.array(sizes).reshape(*leading, -1)


def judged_by(scene: Scene, images) -> np.ndarray:
    """Return what the judge reads in images (..., r, r, c)."""
    return scene.judging.load().predict(images.reshape(-1, *images.shape[-3:])).reshape(images.shape[:-3])


@functools.lru_cache(maxsize=2)
def real_attributes(scene: Scene) -> tuple[dict, np.ndarray]:
    """Return what is measured in real test images corrupted at random, by attribute, and their severities (n, corruption)."""
    from robustshape import datasets
    from robustshape.generators.corrupted_images import randomly_corrupted

    data = datasets.load(scene.dataset, split="test", reading=scene.reading)
    data = data.isel(sample=slice(0, N_REAL))
    images, severities = randomly_corrupted(
        datasets.pixels(data), data.sample.values, corruptions=list(KNOWN), probability=0.5, constants="224",
        seed=scene.seed,
    )  # fmt: skip
    return measured(grey(images)), severities


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
        them, ``effect (dimension, way, attribute)`` in spreads of real images.
    """
    import xarray

    found = [entry.open(chunks={"dimension": 8}) for entry in blocks(scene).values()]
    return xarray.concat(found, dim="dimension")


def names(effects) -> np.ndarray:
    """Return what each dimension is called: the attribute that changes most, whichever way; "" if none changes enough."""
    from robustshape.generators.naming import WEAK

    largest = abs(effects).max("way")
    called = largest.attribute.values[largest.argmax("attribute").values]
    return np.where(largest.max("attribute") >= WEAK, called, "")
