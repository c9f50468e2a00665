"""Whether a value is what a parameter asks for, by its type alone, and the words if it is not.

A shell hands over text and papermill guesses at it, so text is read as what the type asks for: numbers, ``true``,
``none``, JSON for lists. Nothing else is converted: a number is not cut to a whole one, ``True`` is no number.
"""

import ast
import contextlib
import functools
import json
import types
from typing import Any, Literal, Optional, Union, get_args, get_origin

from robustshape.errors import InputError

PLAIN = {"str": str, "int": int, "float": float, "bool": bool, "list": list, "dict": dict}
ONE = {
    int: "a whole number",
    float: "a finite number",
    bool: "true or false",
    str: "text",
    type(None): "none",
}
MANY = {
    int: "whole numbers such as [1, 3]",
    float: "finite numbers such as [-1, 0.5]",
    str: 'texts such as ["a", "b"]',
}
CONSTANTS = {"true": True, "false": False, "none": None, "null": None}


def type_of(node: ast.expr) -> Any:
    """Return the type that an annotation means; what is not plain Python here is left unchecked.

    >>> type_of(ast.parse("list[int] | None", mode="eval").body)
    typing.Optional[list[int]]
    """
    match node:
        case ast.Name(id=name):
            return PLAIN.get(name, Any)
        case ast.Constant(value=None):
            return None
        case ast.Constant(value=str(text)):
            return type_of(ast.parse(text, mode="eval").body)
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            return Union[type_of(left), type_of(right)]  # noqa: UP007 (built from values, not written)
        case ast.Subscript(value=ast.Name(id="Optional"), slice=inner):
            return Optional[type_of(inner)]  # noqa: UP045
        case ast.Subscript(value=ast.Name(id="Literal"), slice=inner):
            return Literal[ast.literal_eval(inner)]
        case ast.Subscript(value=ast.Name(id="list"), slice=inner):
            return list[type_of(inner)]
        case ast.Subscript(value=ast.Name(id="dict"), slice=ast.Tuple(elts=[key, value])):
            return dict[type_of(key), type_of(value)]
    return Any


def in_words(kind: Any) -> str:
    """Return what a value of a type is called.

    >>> in_words(list[int]), in_words(float | None)
    ('a list of whole numbers such as [1, 3]', 'a finite number or none')
    """
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return " or ".join(in_words(one) for one in inner)
    if origin is Literal:
        return f"one of {', '.join(map(str, inner))}"
    if origin is list:
        return f"a list of {MANY.get(inner[0], in_words(inner[0]))}"
    return ONE.get(kind, getattr(kind, "__name__", str(kind)))


def fit(name: str, kind: Any, value: Any) -> Any:
    """Return a value as its type asks for it; raise InputError with the parameter's `name` if it does not fit.

    >>> fit("seed", int, "3"), fit("rate", float, 1), fit("models", list[str], '["a"]'), fit("step", str, 0.5)
    (3, 1.0, ['a'], '0.5')
    >>> fit("seed", int, None)
    Traceback (most recent call last):
    robustshape.errors.InputError: seed is a whole number, but was given None
    """
    from pydantic import ValidationError

    for reading in _readings(kind, value):
        with contextlib.suppress(ValidationError):
            return _checker(kind).validate_python(reading)
    raise InputError(f"{name} is {in_words(kind)}, but was given {value!r}")


@functools.cache
def _checker(kind: Any):
    from pydantic import ConfigDict, TypeAdapter

    return TypeAdapter(kind, config=ConfigDict(strict=True, allow_inf_nan=False))


def _readings(kind: Any, value: Any) -> list:
    """Return what a value may mean, the likeliest first; only text can mean more than itself, and be meant."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return [value, str(value)]
    if not isinstance(value, str):
        return [value]
    word, read = value.strip(), []
    if word.lower() in CONSTANTS:
        read.append(CONSTANTS[word.lower()])
    else:
        with contextlib.suppress(ValueError, RecursionError):
            read.append(json.loads(word))
    return [value, *read] if kind is str else [*read, value]
