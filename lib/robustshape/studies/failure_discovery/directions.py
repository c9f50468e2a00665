"""The direction of each attribute in StyleSpace, and the scene's images along it: the walks, and two of them together, the map.

Made once and shown to every classifier, as the sweep is; see `movements`.
"""

import numpy as np

from robustshape import tasks
from robustshape.generators.attributes import ATTRIBUTES, FIRST, identity
from robustshape.generators.stylespace import moved
from robustshape.generators.sweep import swept
from robustshape.store.kept import Kept
from robustshape.studies.failure_discovery.movements import effects, judged_by, kept, names
from robustshape.studies.failure_discovery.scene import Scene, prepared

N_MAPPED = 5  # samples of each class in a map


def of_attributes(effects) -> dict[str, tuple[int, int]]:
    """Return for each attribute the dimension that raises it most, and the sign of the movement that does.

    Those called after the attribute come first; where there is none, the one with the largest effect stands in.
    """
    called, found = names(effects), {}
    for attribute in map(str, effects.attribute.values):
        sizes = effects.sel(attribute=attribute).transpose("dimension", "way").values
        own = called == attribute
        rises = np.where(own[:, None], sizes, -np.inf) if own.any() else sizes
        d, way = np.unravel_index(int(np.argmax(rises)), rises.shape)
        if rises[d, way] <= 0:  # it can only be lowered: then away from there is upwards
            d, way = np.unravel_index(int(np.argmin(np.where(np.isfinite(rises), sizes, 0))), sizes.shape)
            way = 1 - way
        found[attribute] = int(effects.dimension.values[d]), (1, -1)[way]
    return found


def missing_walks(scene: Scene) -> list[tuple]:
    """Return the arguments of `compute_walk` whose walk is not in the cache."""
    return [(scene, name) for name in ATTRIBUTES.names() if walk_of(scene, name).missing]


def walk_of(scene: Scene, attribute: str) -> Kept:
    """Return the entry of the walk along the direction of an attribute."""
    return kept(scene, f"walk along {identity(attribute)}")


def compute_walk(scene: Scene, attribute: str) -> None:
    """Follow the direction of an attribute in steps, and keep the images."""
    import xarray

    begin, (dimension, sign) = prepared(scene), _of(scene, attribute)
    amounts = sign * scene.places * float(begin.units[dimension])
    styles = begin.styles[begin.of_classes(scene.n_walked)]
    images = swept(begin.generator, styles, [dimension], amounts[None], noise=scene.noise)
    made = xarray.Dataset(
        {
            "walk": (("attribute", "place", "walked", "y", "x", "channel"), images),
            "walk_judged": (("attribute", "place", "walked"), judged_by(scene, images)),
            "direction": ("attribute", [dimension]),
            "sign": ("attribute", [sign]),
        },
        coords={"attribute": [attribute], "place": scene.places},
    )
    walk_of(scene, attribute).save(made)


def missing_map(scene: Scene) -> list[tuple]:
    """Return the arguments of `compute_map` if the map is not in the cache."""
    return [(scene,)] if kept(scene, "map").missing else []


def compute_map(scene: Scene) -> None:
    """Follow two directions together, and keep the images."""
    import xarray

    begin = prepared(scene)
    (first, one), (second, other) = (_of(scene, name) for name in scene.map_attributes)
    styles = begin.styles[begin.of_classes(min(N_MAPPED, scene.n_walked))]
    images = np.concatenate(
        [
            swept(
                begin.generator, moved(styles, first, one * float(a) * float(begin.units[first])), [second],
                other * scene.map_places[None] * float(begin.units[second]), noise=scene.noise,
            )
            for a in scene.map_places
        ]
    )  # fmt: skip
    made = xarray.Dataset(
        {
            "map": (("first", "second", "mapped", "y", "x", "channel"), images),
            "map_judged": (("first", "second", "mapped"), judged_by(scene, images)),
        },
        coords={"first": scene.map_places, "second": scene.map_places},
    )
    kept(scene, "map").save(made)


def show(scene: Scene, client=None) -> None:
    """Make the images of the walks and of the map, where they are not kept yet; the sweep is finished."""
    tasks.run(compute_walk, missing_walks(scene), client=client, label="walks")
    tasks.run(compute_map, missing_map(scene), client=client, label="map")


def _of(scene: Scene, attribute: str) -> tuple[int, int]:
    return of_attributes(effects(scene, attribute))[attribute]


def walks(scene: Scene, attributes=FIRST):
    """Return the finished walks along these attributes, and the map; see `compute_walk` and `compute_map`."""
    import xarray

    parts = [walk_of(scene, name).open(chunks={}) for name in attributes]
    return xarray.concat(parts, dim="attribute").merge(kept(scene, "map").open(chunks={}))
