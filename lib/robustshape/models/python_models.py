"""``python:package.module:factory``: whatever a function of yours returns, a torch module or a Classifier.

The function gets the keyword arguments of `load`. A plain module takes images as uint8 / 255, and its
penultimate features are the input of its last linear layer. A card (``file:``) may name a function in a file
beside it, ``python:file:function``.
"""

import hashlib
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


def _module(name: str):
    """Return the imported module; the current folder is searched too, as Python itself does."""
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    try:
        module = importlib.import_module(name)
        source = Path(module.__file__ or "")
        if source.is_file() and _IMPORTED.setdefault(name, sha256(source)) != sha256(source):
            module = importlib.reload(module)  # edited since, as in a notebook that stays open
            _IMPORTED[name] = sha256(source)
    except ModuleNotFoundError as error:
        raise InputError(
            f"the module {name!r} cannot be imported: {error}; run from the folder that holds it, "
            "or set PYTHONPATH"
        ) from error
    return module


def _module_of_file(path: Path):
    """Return the module of a file, imported under a name of its own: it hides no package called alike."""
    name = "_".join(("robustshape_file", path.stem, hashlib.sha256(str(path.resolve()).encode()).hexdigest()))
    if name not in sys.modules or _IMPORTED[name] != sha256(path):
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        _IMPORTED[name] = sha256(path)
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            del sys.modules[name]  # half done; the next call starts anew
            raise InputError(f"{path} cannot be imported: {type(error).__name__}: {error}") from error
    return sys.modules[name]


def check(name: str) -> None:
    """Raise InputError if `name` is not of the form ``module:function``; nothing is imported."""
    module, _, function = name.partition(":")
    if not module or not function:
        raise InputError(f"'python:{name}' names no function; write it as python:package.module:factory")


def factory(name: str, folder: Path | None = None):
    """Return (function, source file or None) of ``module:function``; a file of `folder` comes first."""
    check(name)
    module_name, _, function = name.partition(":")
    beside = folder / f"{module_name.replace('.', '/')}.py" if folder else None
    module = _module_of_file(beside) if beside and beside.is_file() else _module(module_name)
    if not callable(getattr(module, function, None)):
        known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise unknown_name(f"function of {module_name}", function, known, f"dir({module_name})")
    source = Path(getattr(module, "__file__", None) or "")
    return getattr(module, function), source if source.is_file() else None


def code_of(name: str, folder: Path | None = None) -> str:
    """Return the checksum of the source file that holds the function, ``none`` where there is no such file."""
    _, source = factory(name, folder)
    return sha256(source) if source else "none"


def identity(name: str, **arguments) -> dict:
    """Return the name, the arguments, and the checksum of the source file that holds the function.

    What else decides the numbers, such as a file of weights, the function says itself: a dictionary in its
    attribute ``identity`` is included.
    """
    return {
        "source": "python",
        "name": name,
        "arguments": arguments,
        "code": code_of(name),
        "more": getattr(factory(name)[0], "identity", {}),
    }


def construct(name: str, **arguments):
    """Return the module that the function returns."""
    return factory(name)[0](**arguments)


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
