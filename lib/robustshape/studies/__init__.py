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


def as_list(value, name: str, item: type = str, *, empty: bool = False) -> list:
    """Return a list parameter given as a list or as its JSON text, each item checked; `empty` if it may be.

    >>> as_list('["zoo:lenet"]', "models"), as_list([1, 3], "severities", int)
    (['zoo:lenet'], [1, 3])
    """
    import json

    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise InputError(
                f'{name} is a list such as ["a", "b"], but was given {value!r} ({error})'
            ) from error
    if not isinstance(value, list | tuple) or not (value or empty):
        raise InputError(f"{name} is a list of at least one {item.__name__}, but was given {value!r}")
    for element in value:
        if not isinstance(element, item) or isinstance(element, bool):
            raise InputError(f"{name} holds {item.__name__} values, but was given {element!r}")
    if len(set(value)) != len(value):
        raise InputError(f"{name} names something twice: {value!r}")
    return list(value)
