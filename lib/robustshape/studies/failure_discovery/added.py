"""Attributes that were added after rows were measured: each joins them with numbers of its own, and voids none.

A row holds the first attributes (`attributes.FIRST`). What a classifier answers along another one is kept beside it under
the row's key and the attribute's name and version.
"""

from robustshape.features import load_classifier
from robustshape.generators.attributes import added, identity
from robustshape.store import arrays, results
from robustshape.store.atomic import usable_folder
from robustshape.store.keys import key_of
from robustshape.studies.failure_discovery import movements
from robustshape.studies.failure_discovery.answers import Subject
from robustshape.studies.failure_discovery.scene import Scene
from robustshape.studies.failure_discovery.walks import walks


def folder(specification: dict, attribute: str):
    """Return where the numbers of a classifier along an attribute are kept; `specification` defines its row."""
    return results.row_folder(
        "failure_discovery", key_of({**specification, "added attribute": identity(attribute)})
    )


def missing(specifications: dict[str, dict]) -> list[tuple[str, str]]:
    """Return the (model, attribute) whose numbers are not in the cache."""
    return [
        (model, name)
        for model, specification in specifications.items()
        for name in added()
        if not usable_folder(folder(specification, name))
    ]


def compute(scene: Scene, model: str, options: tuple, specification: dict, attribute: str) -> None:
    """Show a classifier the walk along an attribute, and keep what it answers and what the attribute sees of the sweep."""
    subject = Subject(scene, load_classifier(model, options))
    effects = movements.effects(scene, attribute).sel(attribute=[attribute])
    found = walks(subject, [attribute]).assign(effect=effects.astype("float32"))
    arrays.save_folder(found.drop_vars(("walk_label", "walk_sample")), folder(specification, attribute))


def joined(rows, specifications: dict[str, dict]):
    """Return rows (model) with every added attribute beside the first ones, and dimensions named anew by all of them."""
    import xarray

    parts = [
        results.stack({m: arrays.open_folder(folder(s, name)) for m, s in specifications.items()})
        for name in added()
    ]
    if not parts:
        return rows
    both = xarray.concat(
        [rows, *parts], dim="attribute", data_vars="minimal", coords="minimal", compat="override", join="exact",
        combine_attrs="override",
    )  # fmt: skip
    effects = both["effect"].transpose("model", "dimension", "way", "attribute")
    return both.assign(name=(("model", "dimension"), movements.names(effects)))
