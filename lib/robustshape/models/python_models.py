"""``python:package.module:factory``: whatever a function of yours returns, a torch module or a Classifier.

The function gets the keyword arguments of `load`. A plain module takes images as uint8 / 255, and its
penultimate features are the input of its last linear layer.
"""

import importlib
import importlib.util
import os
import sys
from pathlib import Path

from robustshape.errors import InputError
from robustshape.models.weights import sha256
from robustshape.registry import unknown_name

_IMPORTED: dict[str, str] = {}  # checksum of each module's source when it was imported


def names() -> list[str]:
    """Return nothing: functions have no catalogue."""
    return []


def _factory(name: str):
    """Return the function; the current folder is searched too, as Python itself does."""
    module_name, colon, function = name.partition(":")
    if not colon or not function:
        raise InputError(f"'python:{name}' names no function; write it as python:package.module:factory")
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    try:
        module = importlib.import_module(module_name)
        source = Path(module.__file__ or "")
        if source.is_file() and _IMPORTED.setdefault(module_name, sha256(source)) != sha256(source):
            module = importlib.reload(module)  # edited since, as in a notebook that stays open
            _IMPORTED[module_name] = sha256(source)
    except ModuleNotFoundError as error:
        raise InputError(
            f"'python:{name}' cannot be imported: {error}; run from the folder that holds it, or set PYTHONPATH"
        ) from error
    if not callable(getattr(module, function, None)):
        known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise unknown_name(f"function of {module_name}", function, known, f"dir({module_name})")
    return getattr(module, function)


def identity(name: str, **arguments) -> dict:
    """Return the name, the arguments, and the checksum of the source file that holds the function.

    What else decides the numbers, such as a file of weights, the function says itself: a dictionary in its
    attribute ``identity`` is included.
    """
    factory = _factory(name)
    source = Path(sys.modules[name.partition(":")[0]].__file__ or "")
    return {
        "source": "python",
        "name": name,
        "arguments": arguments,
        "code": sha256(source) if source.is_file() else "none",
        "more": getattr(factory, "identity", {}),
    }


def construct(name: str, **arguments):
    """Return the module that the function returns."""
    return _factory(name)(**arguments)


def load(name: str, *, device: str = "cpu", **arguments):
    """Return the Classifier made by, or of what is made by, the function."""
    from dataclasses import replace

    from torch import nn

    from robustshape.hooks import find_layer, last_linear
    from robustshape.models.classifier import Classifier
    from robustshape.models.preprocessing import Preprocessing

    made, spec = construct(name, **arguments), identity(name, **arguments)
    if isinstance(made, Classifier):
        return replace(made, identity={**spec, "own": made.identity}, device=device)
    if not isinstance(made, nn.Module):
        raise InputError(
            f"'python:{name}' returned a {type(made).__name__}, but must return a torch module or a Classifier"
        )
    head = last_linear(made)
    first = next((layer for layer in made.modules() if isinstance(layer, nn.Conv2d)), None)
    return Classifier(
        name=f"python:{name}",
        module=made,
        preprocess=Preprocessing(channels=first.in_channels if first is not None else None),
        head=head,
        n_classes=find_layer(made, head).weight.shape[0],
        identity=spec,
        about={
            "family": type(made).__name__,
            "recipe": "",
            "trains_on": (),
            "licence": "yours",
            "citation": "yours",
        },
        device=device,
    )
