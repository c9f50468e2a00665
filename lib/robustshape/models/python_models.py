"""``python:package.module:factory``: whatever a function of yours returns, a torch module or a Classifier.

The function gets the keyword arguments of `load`. A plain module is fed float32 tensors (n, channels, height, width)
of pixels in [0, 1], of the size that the data have and not normalised: what more it needs it does itself, or the
function returns a Classifier with a Preprocessing. `robustshape.models.outputs.logits_of` reads its answer. A card
(``file:``) may name a function in a file beside it, ``python:file:function``.

The network is known by its structure and its numbers as the function returns them, and by the text of your modules:
weights that were trained further, or an edited module, are another network. A function that draws its weights at
random draws the same ones every time.
"""

import json
import re
import time
from pathlib import Path

from robustshape import own_modules
from robustshape.errors import InputError
from robustshape.models.weights import sha256
from robustshape.registry import unknown_name

# To know a network it has to be built. What was found out holds for ten times as long as that took, and at most 5 s.
PATIENCE, LONGEST = 10, 5.0
_KNOWN: dict[str, tuple[float, dict]] = {}  # (until when, what describes it) of the networks built lately


def names() -> list[str]:
    """Return nothing: functions have no catalogue."""
    return []


def _module(name: str):
    try:
        return own_modules.imported(name)
    except ModuleNotFoundError as error:
        raise InputError(
            f"the module {name!r} cannot be imported: {error}; run from the folder that holds it, "
            "or set PYTHONPATH"
        ) from error


def _module_of_file(path: Path):
    try:
        return own_modules.imported_file(path)
    except Exception as error:
        raise InputError(f"{path} cannot be imported: {type(error).__name__}: {error}") from error


def check(name: str) -> None:
    """Raise InputError if `name` is not of the form ``module:function``; nothing is imported."""
    if not re.fullmatch(r"[\w-]+(\.[\w-]+)*:\w+", name):
        raise InputError(f"'python:{name}' names no function; write it as python:package.module:factory")


def file_beside(name: str, folder: Path | None) -> Path | None:
    """Return the file of `folder` that holds the function, or None; nothing is imported."""
    check(name)
    beside = folder / f"{name.partition(':')[0].replace('.', '/')}.py" if folder else None
    return beside if beside and beside.is_file() else None


def text_of(name: str, folder: Path | None = None) -> dict:
    """Return what `code_of` does from the text of the files alone: nothing is imported, so nothing of it runs.

    Raises
    ------
    InputError
        If there is no such module.
    """
    module, package = name.partition(":")[0], ""
    source = file_beside(name, folder)
    if source is None:
        spec = own_modules.located(module)
        if spec is None:
            raise InputError(
                f"the module {module!r} does not exist; put {module.replace('.', '/')}.py beside the card, run from the "
                "folder that holds it, or set PYTHONPATH"
            )
        source = Path(spec.origin) if spec.has_location else None
        package = module if spec.submodule_search_locations is not None else module.rpartition(".")[0]
    if source is None or not source.is_file():
        return {"code": "none"}
    imports = own_modules.checksums_of_text(source, package) if source.suffix == ".py" else []
    return {"code": sha256(source), **({"imports": imports} if imports else {})}


def _function(name: str, folder: Path | None = None):
    """Return (module, function) of ``module:function``; a file of `folder` comes first."""
    check(name)
    module_name, _, function = name.partition(":")
    beside = file_beside(name, folder)
    module = _module_of_file(beside) if beside else _module(module_name)
    if not callable(getattr(module, function, None)):
        known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise unknown_name(f"function of {module_name}", function, known, f"dir({module_name})")
    return module, getattr(module, function)


def factory(name: str, folder: Path | None = None):
    """Return (function, source file or None) of ``module:function``; a file of `folder` comes first."""
    module, function = _function(name, folder)
    source = Path(getattr(module, "__file__", None) or "")
    return function, source if source.is_file() else None


def code_of(name: str, folder: Path | None = None) -> dict:
    """Return the checksum of the source file that holds the function, and of those of your modules that it imports.

    ``{"code": "sha256:..."}``, ``none`` where there is no such file, and ``imports``, a list, where there are any.
    """
    module, _ = _function(name, folder)
    _, source = factory(name, folder)
    imports = own_modules.checksums(module)
    return {"code": sha256(source) if source else "none", **({"imports": imports} if imports else {})}


def construct(name: str, **arguments):
    """Return what the function returns; random numbers of torch start alike every time."""
    import torch

    function, _ = factory(name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        with own_modules.blamed(f"the function python:{name}"):
            return function(**arguments)


def _described(name: str, made, arguments: dict) -> dict:
    """Return what defines the numbers of the network that the function returned."""
    from torch import nn

    from robustshape.models.classifier import Classifier
    from robustshape.models.fingerprint import fingerprint

    if not isinstance(made, nn.Module | Classifier):
        raise InputError(
            f"'python:{name}' returned a {type(made).__name__}, but must return a torch module or a Classifier"
        )
    own = {}
    if isinstance(made, Classifier):
        describe = getattr(made.preprocess, "describe", None)  # a function is described by its module's text
        how = (
            describe()
            if describe
            else getattr(made.preprocess, "__qualname__", type(made.preprocess).__name__)
        )
        own = {"preprocessing": how, "head": made.head, "n_classes": made.n_classes, "own": made.identity}
    return {
        "source": "python",
        "name": name,
        "arguments": arguments,
        **code_of(name),
        "network": fingerprint(made.module if own else made),
        "more": getattr(factory(name)[0], "identity", {}),
        **own,
    }


def identity(name: str, **arguments) -> dict:
    """Return the name, the arguments, and checksums of the network that the function returns and of its text.

    What else decides the numbers the function says itself: a dictionary in its attribute ``identity`` is included.
    """
    key = json.dumps([name, arguments, code_of(name)], default=repr, sort_keys=True)
    until, known = _KNOWN.get(key, (0.0, {}))
    began = time.monotonic()
    if began < until:
        return known
    found = _described(name, construct(name, **arguments), arguments)
    took = time.monotonic() - began
    _KNOWN[key] = time.monotonic() + min(PATIENCE * took, LONGEST), found
    return found


def load(name: str, *, device: str = "cpu", **arguments):
    """Return the Classifier made by, or of what is made by, the function."""
    made = construct(name, **arguments)
    return classifier_of(made, f"python:{name}", _described(name, made, arguments), device=device)


def classifier_of(
    made, name: str, identity: dict, *, preprocess=None, head: str | None = None, device: str = "cpu"
):
    """Return the Classifier of a torch module of the reader's, or a Classifier of theirs under this name and identity.

    Parameters
    ----------
    made : torch.nn.Module or Classifier
    name : str
        In full.
    identity : dict
        What defines its numbers.
    preprocess : Preprocessing or callable, optional
        From uint8 (n, h, w, c) to what the module takes; by default pixels in [0, 1] of the channels it takes.
    head : str, optional
        Its classifying layer; by default the one that is found.
    """
    from dataclasses import replace

    from torch import nn

    from robustshape.models.classifier import Classifier
    from robustshape.models.examining import examined
    from robustshape.models.preprocessing import Preprocessing

    if isinstance(made, Classifier):
        return replace(made, name=name, identity=identity, device=device)
    if preprocess is None:
        first = next((layer for layer in made.modules() if isinstance(layer, nn.Conv2d)), None)
        preprocess = Preprocessing(channels=first.in_channels if first is not None else None)
    module, head, n_classes = examined(made, preprocess, name=name, head=head)
    about = {
        "family": type(made).__name__,
        "recipe": "",
        "trains_on": (),
        "licence": "yours",
        "citation": "yours",
    }
    return Classifier(name, module, preprocess, head, n_classes, identity, about, device)
