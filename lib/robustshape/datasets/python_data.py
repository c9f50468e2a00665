"""python:MODULE:FUNCTION: whatever images and labels a function of yours returns.

It returns (images, labels) or (images, labels, class_names), as `npz` takes them, or an xarray.Dataset with ``image``
(sample, y, x, channel), ``label`` (sample), ids in the coordinate ``sample`` and perhaps the attribute ``class_names``.
It is called without arguments for the split ``test``; one that takes ``split`` is called with "train" or "test".
It must return the same images every time; it is called again when its file, or a module of yours that it imports, has
changed.
"""

import functools
import importlib.util
import inspect
import sys

from robustshape import own_modules
from robustshape.datasets import file_state, given
from robustshape.datasets.samples import DATASETS, Entry
from robustshape.errors import InputError, MissingFileError
from robustshape.registry import unknown_name


def find(place: str):
    """Return the function ``module:function``; an edited module is imported anew.

    Raises
    ------
    InputError
        If `place` names no function, or the module has none of that name.
    MissingFileError
        If there is no such module here or on the path.
    """
    name, colon, wanted = place.partition(":")
    if not colon or not name or not wanted:
        raise InputError(f"'python:{place}' names no function; write it as python:package.module:function")
    try:
        module = own_modules.imported(name)
    except ModuleNotFoundError as error:
        raise MissingFileError(
            f"the module {name!r} cannot be imported: {error}; run from the folder that holds it (no folder of "
            "ROBUSTSHAPE_DATA is searched), or set PYTHONPATH"
        ) from error
    if not callable(getattr(module, wanted, None)):
        known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise unknown_name(f"function of {name}", wanted, known, f"dir({name})")
    return getattr(module, wanted)


def splits(function) -> tuple[str, ...]:
    """Return the splits that a function can give."""
    return ("train", "test") if "split" in inspect.signature(function).parameters else ("test",)


def read(place: str, split: str):
    """Return images (n, h, w, c) uint8, labels, ids and facts of what the function called `place` returns."""
    import numpy as np
    import xarray as xr

    function, what = find(place), f"python:{place}"
    with own_modules.blamed(f"the function {what}"):
        made = function(split=split) if len(splits(function)) > 1 else function()
    ids, names = None, None
    if isinstance(made, xr.Dataset):
        if lacking := {"image", "label"} - set(made.variables):
            raise InputError(f"{what} returned an xarray.Dataset without {' and '.join(sorted(lacking))}")
        images, labels, names = made["image"].values, made["label"].values, made.attrs.get("class_names")
        ids = [str(each) for each in made["sample"].values] if "sample" in made.coords else None
    elif isinstance(made, tuple | list) and len(made) in (2, 3):
        images, labels, names = (*made, None)[:3]
    else:
        raise InputError(
            f"{what} returned {type(made).__name__}, but it returns (images, labels), (images, labels, class_names) or "
            "an xarray.Dataset"
        )
    images = given.checked_images(images, what)
    labels = given.checked_labels(labels, len(images), what)
    facts = given.classes(np.asarray(labels), names, what)
    ids = ids or [f"python/{split}/{i:06d}" for i in range(len(images))]
    return images, labels, ids, facts | {"checksum_matches": True}  # the name stands for whatever is returned


def locate(place: str) -> str | None:
    """Return the file that holds the function, or its module's name, or None; it is not called."""
    name = place.partition(":")[0]
    own_modules.search_here()
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    return spec and (spec.origin or name)


def _entry(place: str) -> Entry:
    return Entry(
        functools.partial(read, place),
        functools.partial(locate, place),
        lambda split: _state(place),
    )


def _state(place: str) -> str:
    module = sys.modules.get(place.partition(":")[0])
    needed = own_modules.needed(module) if module else []
    return file_state.of_files(locate(place), *map(own_modules.source_of, needed))


def own(place: str) -> tuple[Entry, dict]:
    """Return the entry and the facts of the function called `place`."""
    return _entry(place), ABOUT | {"checksum": dict.fromkeys(splits(find(place)), ABOUT["checksum"]["test"])}


ABOUT = given.facts(
    "images and labels that a function of yours returns", checksum="of what it returns",
    source="a function that returns (images, labels) or an xarray.Dataset",
    get="name a function: python:my_module:my_images",
)  # fmt: skip
DATASETS.own["python"] = own
DATASETS.register("python:MODULE:FUNCTION", **ABOUT)(_entry("MODULE:FUNCTION"))
