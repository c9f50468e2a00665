"""What a module of this process does with its numbers, as a hash: the code of its classes, and what else they hold.

Two networks of the same layers and weights differ if their ``forward`` does. Of libraries the layers' own words (their
``repr``) say enough; of classes that someone wrote, in a notebook say, the compiled code is looked at, with the functions and
plain values that it names.
"""

import hashlib
import types

LIBRARIES = ("torch", "torchvision", "timm", "open_clip", "transformers", "numpy", "builtins")
PLAIN = (int, float, complex, str, bytes, bool, type(None))


def behaviour(module) -> str:
    """Return ``sha256:...`` of what the classes of a module and of its parts do, and of the plain values that they hold.

    Examples
    --------
    >>> from torch import nn
    >>> class Scaled(nn.Identity):
    ...     def __init__(self, times):
    ...         super().__init__()
    ...         self.times = times
    ...     def forward(self, x):
    ...         return self.times * x
    >>> behaviour(Scaled(2)) == behaviour(Scaled(2)), behaviour(Scaled(2)) == behaviour(Scaled(3))
    (True, False)
    """
    found: list = []
    seen: set[int] = set()
    for name, part in module.named_modules():
        if _of_library(type(part)):
            continue
        found.append(
            (name, type(part).__qualname__, [_held(value, seen) for _, value in sorted(_own(part).items())])
        )
        for owner in type(part).__mro__:
            if not _of_library(owner):
                found += [_held(value, seen) for _, value in sorted(vars(owner).items())]
    return f"sha256:{hashlib.sha256(repr(found).encode()).hexdigest()}"


def behaviour_of(function) -> str:
    """Return ``sha256:...`` of what a function, or an object that is called like one, does; "" for None.

    >>> behaviour_of(lambda x: x + 1) == behaviour_of(lambda x: x + 1), behaviour_of(lambda x: x + 1) == behaviour_of(lambda x: x)
    (True, False)
    """
    if function is None:
        return ""
    held = _held(function, set())
    if not isinstance(function, types.FunctionType):  # an object with a call
        owners = [vars(owner) for owner in type(function).__mro__ if not _of_library(owner)]
        held = [
            held,
            _held(vars(function) if hasattr(function, "__dict__") else {}, set()),
            _held(owners, set()),
        ]
    return f"sha256:{hashlib.sha256(repr(held).encode()).hexdigest()}"


def _own(part) -> dict:
    """Return what a module holds beside its layers, parameters and buffers."""
    return {
        name: value for name, value in vars(part).items() if not name.startswith("_") and name != "training"
    }


def _of_library(what) -> bool:
    return (getattr(what, "__module__", None) or "").partition(".")[0] in LIBRARIES


def _held(value, seen: set[int]):
    """Return what stands for a value: itself if it is plain, its code if it is a function, else the name of its kind."""
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, tuple | list):
        return [_held(one, seen) for one in value]
    if isinstance(value, dict):
        return [(str(key), _held(one, seen)) for key, one in value.items()]
    if isinstance(value, staticmethod | classmethod | types.MethodType):
        return _held(value.__func__, seen)
    if isinstance(value, property):
        return [_held(one, seen) for one in (value.fget, value.fset)]
    if isinstance(value, types.FunctionType) and not _of_library(value):
        return _function(value, seen)
    return type(value).__qualname__


def _function(function, seen: set[int]):
    if id(function) in seen:
        return function.__qualname__
    seen.add(id(function))
    cells = [cell.cell_contents for cell in function.__closure__ or () if _filled(cell)]
    return (
        _code(function.__code__),
        [_held(value, seen) for value in (function.__defaults__ or (), function.__kwdefaults__ or {}, cells)],
        [(name, _held(value, seen)) for name, value in _named(function.__code__, function.__globals__)],
    )


def _filled(cell) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:  # of a name that is not bound yet
        return False


def _code(code) -> tuple:
    """Return what a code object does, without where it stands."""
    constants = [_code(one) if isinstance(one, types.CodeType) else repr(one) for one in code.co_consts]
    return code.co_code, constants, code.co_names, code.co_varnames


def _named(code, names: dict):
    """Yield the functions and plain values outside of a function that it, or a function inside it, names."""
    for name in code.co_names:
        if name in names and isinstance(names[name], (*PLAIN, tuple, list, types.FunctionType)):
            yield name, names[name]
    for one in code.co_consts:
        if isinstance(one, types.CodeType):
            yield from _named(one, names)
