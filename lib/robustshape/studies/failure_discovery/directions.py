"""The direction of each attribute in StyleSpace, and the scene's images along it: the walks, and two of them together, the map.

Made once and shown to every classifier, as the sweep is; see `movements`.
"""

import functools
from pathlib import Path

import numpy as np
import torch

from robustshape import tasks
from robustshape.generators.attribute_directions import attribute_direction
from robustshape.generators.attributes import ATTRIBUTES, FIRST, identity, measured
from robustshape.generators.quality import grey
from robustshape.generators.stylespace import images_of
from robustshape.store.kept import Kept, folders_missing
from robustshape.studies.failure_discovery.movements import WAYS, effect_sizes, judged_by, kept
from robustshape.studies.failure_discovery.scene import UNITS, Scene, checksum, generator_path, prepared

N_MAPPED = 5  # samples of each class in a map


def step_of(scene: Scene, attribute: str) -> tuple[np.ndarray, float]:
    """Return the change of the styles (size,) that moves an attribute up by a shift of 1, and how well styles explain it.

    The unit of a shift is that of a dimension, taken of the styles' places along the direction.
    """
    begin = prepared(scene)
    deviations, many = begin.deviations.numpy(), begin.many.cpu().numpy()
    values = measured(_many_grey(scene, checksum(generator_path(scene.generator))), (attribute,))[attribute]
    found = attribute_direction(many, values, begin.many_labels, deviations)
    moved = found.weights * deviations
    if not moved.any():
        return moved, found.explained
    if scene.shift_unit == "raw":
        return moved / np.linalg.norm(moved), found.explained
    scaled = np.divide(many, deviations, out=np.zeros_like(many), where=deviations > 0)
    places = torch.from_numpy(scaled @ found.weights)[:, None]
    return moved * float(UNITS[scene.shift_unit](places)), found.explained


@functools.lru_cache(maxsize=1)
def _many_grey(scene: Scene, _checksum: str) -> np.ndarray:
    begin = prepared(scene)
    return grey(images_of(begin.generator, begin.many, noise=scene.noise))


def missing_walks(scene: Scene) -> list[tuple]:
    """Return the arguments of `compute_walk` whose walk is not in the cache."""
    return [(scene, name) for name in ATTRIBUTES.names() if walk_of(scene, name).missing]


def walk_of(scene: Scene, attribute: str) -> Kept:
    """Return the entry of the walk along the direction of an attribute."""
    return kept(scene, f"walk along {identity(attribute)}")


def walk_left(scene: Scene, attribute: str) -> list[Path]:
    """Return where the entry lies that `compute_walk` still has to make."""
    return folders_missing([walk_of(scene, attribute)])


def compute_walk(scene: Scene, attribute: str) -> None:
    """Follow the direction of an attribute in steps; keep the images, and what changes in them at the scene's distance."""
    import xarray

    begin, (step, explained) = prepared(scene), step_of(scene, attribute)
    styles, places = begin.styles[begin.of_classes(scene.n_walked)], scene.places
    images = np.stack([_moved(begin, styles, place * step, scene.noise) for place in places])
    there = [abs(places - way * scene.distance).argmin() for way in (1, -1)]
    changed = effect_sizes(scene, images[len(places) // 2], images[there], FIRST)
    made = xarray.Dataset(
        {
            "walk": (("attribute", "place", "walked", "y", "x", "channel"), images[None]),
            "walk_judged": (("attribute", "place", "walked"), judged_by(scene, images)[None]),
            "walk_effect": (("attribute", "way", "changed"), changed[None].astype(np.float32)),
            "direction": (("attribute", "dimension"), step[None].astype(np.float32)),
            "explained": ("attribute", [explained]),
        },
        coords={
            "attribute": [attribute],
            "place": places,
            "dimension": np.arange(len(step)),
            "way": list(WAYS),
            "changed": list(FIRST),
        },
    )
    walk_of(scene, attribute).save(made)


def missing_map(scene: Scene) -> list[tuple]:
    """Return the arguments of `compute_map` if the map is not in the cache."""
    return [(scene,)] if kept(scene, "map").missing else []


def map_left(scene: Scene) -> list[Path]:
    """Return where the entry lies that `compute_map` still has to make."""
    return folders_missing([kept(scene, "map")])


def compute_map(scene: Scene) -> None:
    """Follow two directions together, whose walks are finished, and keep the images."""
    import xarray

    begin, places = prepared(scene), scene.map_places
    first, second = (walk_of(scene, name).open()["direction"].values[0] for name in scene.map_attributes)
    styles = begin.styles[begin.of_classes(min(N_MAPPED, scene.n_walked))]
    images = [[_moved(begin, styles, a * first + b * second, scene.noise) for b in places] for a in places]
    made = xarray.Dataset(
        {
            "map": (("first", "second", "mapped", "y", "x", "channel"), np.array(images)),
            "map_judged": (("first", "second", "mapped"), judged_by(scene, np.array(images))),
        },
        coords={"first": places, "second": places},
    )
    kept(scene, "map").save(made)


def _moved(begin, styles, change, noise: str) -> np.ndarray:
    return images_of(
        begin.generator,
        styles + torch.as_tensor(change, dtype=styles.dtype, device=styles.device),
        noise=noise,
    )


def show(scene: Scene, client=None) -> None:
    """Make the images of the walks and of the map, where they are not kept yet."""
    tasks.run(compute_walk, missing_walks(scene), client=client, label="walks", left=walk_left)
    tasks.run(compute_map, missing_map(scene), client=client, label="map", left=map_left)


def walks(scene: Scene, attributes=FIRST):
    """Return the finished walks along these attributes, and the map; see `compute_walk` and `compute_map`."""
    import xarray

    parts = [walk_of(scene, name).open(chunks={}) for name in attributes]
    return xarray.concat(parts, dim="attribute").merge(kept(scene, "map").open(chunks={}))
