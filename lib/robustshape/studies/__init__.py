"""The studies: a folder each, with ``measure`` (numbers), ``analyse`` (statistics) and ``figures``.

A study's name is the name of its notebook. Its ``measure`` takes the notebook's parameters and nothing
else; ``specifications`` takes the same and says which rows they define, without computing anything.
"""

import importlib
import pkgutil

from robustshape.errors import InputError
from robustshape.registry import unknown_name


def names() -> list[str]:
    """Return the names of the studies, sorted."""
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if m.ispkg)


def load(name: str):
    """Return the study's package; an unknown name raises InputError with the closest."""
    if name not in names():
        raise unknown_name("study", name, names(), "robustshape list studies")
    return importlib.import_module(f"robustshape.studies.{name}")


def at_every_seed(models: list[str], seeds: list[int]) -> dict[str, int]:
    """Return names of models with their seeds: networks of ours at every seed, any other as it is, with seed -1.

    >>> at_every_seed(["zoo:mlp", "zoo:vit/5", "file:mine.json"], [0, 1])
    {'zoo:mlp': 0, 'zoo:mlp/1': 1, 'zoo:vit/5': -1, 'file:mine.json': -1}
    """
    found = {}
    for name in models:
        ours = name.startswith("zoo:") and "/" not in name
        for seed in seeds if ours else (-1,):
            found.setdefault(f"{name}/{seed}" if ours and seed else name, seed)
    return found


def as_list(value, name: str, item: type = str, *, empty: bool = False) -> list:
    """Return a list parameter given as a list or as its JSON text, each item checked; `empty` if it may be.

    For floats whole numbers will do, and what is not finite will not.

    >>> as_list('["zoo:lenet"]', "models"), as_list([1, 3], "severities", int), as_list("[-1, 0.5]", "alphas", float)
    (['zoo:lenet'], [1, 3], [-1.0, 0.5])
    """
    import json
    import math

    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            example = {int: "[1, 3]", float: "[-1, 0.5]"}.get(item, '["a", "b"]')
            raise InputError(
                f"{name} is a list such as {example}, but was given {value!r} ({error})"
            ) from error
    if not isinstance(value, list | tuple) or not (value or empty):
        raise InputError(f"{name} is a list of at least one {item.__name__}, but was given {value!r}")
    for element in value:
        fits = isinstance(element, int | float if item is float else item) and not isinstance(element, bool)
        if not fits or (item is float and not math.isfinite(element)):
            words = "finite numbers" if item is float else f"{item.__name__} values"
            raise InputError(f"{name} holds {words}, but was given {element!r}")
    if len(set(value)) != len(value):
        raise InputError(f"{name} names something twice: {value!r}")
    return [float(x) + 0.0 for x in value] if item is float else list(value)  # -0.0 becomes 0.0
