"""Values as parameters give them: lists that a notebook or a command line hands over, checked item by item."""

import json
import math
from numbers import Integral

from robustshape.errors import InputError

LARGEST_SEED = 2**32 - 1  # numpy's and torch's generators take more, scikit-learn's do not


def checked_seed(seed, name: str = "seed") -> int:
    """Return a seed, or say that it is none.

    >>> checked_seed(2**32)
    Traceback (most recent call last):
    robustshape.errors.InputError: seed is a whole number from 0 to 4294967295, but was given 4294967296
    """
    if isinstance(seed, bool) or not isinstance(seed, Integral) or not 0 <= seed <= LARGEST_SEED:
        raise InputError(f"{name} is a whole number from 0 to {LARGEST_SEED}, but was given {seed!r}")
    return int(seed)


def as_list(value, name: str, item: type = str, *, empty: bool = False) -> list:
    """Return a list parameter given as a list or as its JSON text, each item checked; `empty` if it may be.

    For floats whole numbers will do, and what is not finite will not.

    >>> as_list('["zoo:lenet"]', "models"), as_list([1, 3], "severities", int), as_list("[-1, 0.5]", "alphas", float)
    (['zoo:lenet'], [1, 3], [-1.0, 0.5])
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
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
