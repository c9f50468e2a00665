"""``live:NAME``: a torch module of this process, which `register` gives a name; another process does not know it.

The name ends with a hash of the network's structure, its numbers, what it does with them, and its preprocessing: trained
further, or with another ``forward``, it gets another one. A copy is measured: the module itself is left in its mode, on its device and with its gradients.
"""

import copy
import hashlib
import json
from typing import NamedTuple

from robustshape.errors import InputError
from robustshape.registry import unknown_name


class Live(NamedTuple):
    """A module that was registered, with what it takes and what defines its numbers."""

    module: object
    preprocess: object
    head: str | None
    identity: dict


_LIVE: dict[str, Live] = {}


def register(module, *, preprocess=None, head: str | None = None) -> str:
    """Return the name under which a module of this process is known from now on.

    Parameters
    ----------
    module : torch.nn.Module or Classifier
        Its answer is read by `robustshape.models.outputs.logits_of`.
    preprocess : Preprocessing or callable, optional
        From uint8 images (n, h, w, c) to what the module takes; by default it takes pixels in [0, 1]. Without a
        `Preprocessing` it cannot be attacked.
    head : str, optional
        Name of its classifying layer, whose input is the features; by default the one that is found.

    Raises
    ------
    InputError
        If it is no module, is TorchScript (whose layers cannot be looked into), or cannot be copied.

    Examples
    --------
    >>> from torch import nn
    >>> name = register(nn.Sequential(nn.Flatten(), nn.Linear(64, 10)))
    >>> name.startswith("live:Sequential-"), name == register(copy.deepcopy(_LIVE[name.removeprefix("live:")].module))
    (True, True)
    """
    import torch

    from robustshape.models.behaviour import behaviour, behaviour_of
    from robustshape.models.classifier import Classifier
    from robustshape.models.fingerprint import fingerprint

    own = isinstance(module, Classifier)
    network = module.module if own else module
    if isinstance(network, torch.jit.ScriptModule):
        raise InputError(
            "a TorchScript network cannot be looked into, so its features cannot be read; give the module that it was "
            "made from"
        )
    if not isinstance(network, torch.nn.Module):
        raise InputError(
            f"a model is a name (robustshape list models) or a torch.nn.Module, but was a {type(module).__name__}"
        )
    if head is not None and not isinstance(head, str):
        raise InputError(f"head is the name of a layer (named_modules), but was given {head!r}")
    if preprocess is not None and not callable(preprocess):
        raise InputError(
            f"preprocess is a Preprocessing or a function of uint8 images (n, h, w, c), but was given {preprocess!r}"
        )
    how = module.preprocess if own else preprocess
    describe = getattr(how, "describe", None)
    told = describe() if describe else behaviour_of(how)
    identity = {
        "source": "live",
        "network": fingerprint(network),
        "behaviour": behaviour(network),
        "preprocessing": told,
        "head": head or (module.head if own else ""),
    }
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True, default=repr).encode()).hexdigest()
    name = f"{type(network).__name__}-{digest[:12]}"
    if name not in _LIVE:
        try:
            _LIVE[name] = Live(copy.deepcopy(module), preprocess, head, identity)
        except Exception as error:
            raise InputError(
                f"this {type(network).__name__} cannot be copied ({type(error).__name__}: {error}); name a function that "
                "makes it: python:my_module:build"
            ) from error
    return f"live:{name}"


def names() -> list[str]:
    """Return the names of the modules that were registered in this process."""
    return [f"live:{name}" for name in _LIVE]


def check(name: str) -> None:
    """Raise InputError if no module of this process has the name."""
    if name not in _LIVE:
        raise unknown_name("live model", name, _LIVE, "robustshape.models.live_models.names()")


def identity(name: str) -> dict:
    """Return what defines the numbers of a registered module."""
    check(name)
    return _LIVE[name].identity


def load(name: str, *, device: str = "cpu"):
    """Return the Classifier of a registered module."""
    from robustshape.models.python_models import classifier_of

    check(name)
    live = _LIVE[name]
    made = copy.deepcopy(live.module)
    return classifier_of(
        made, f"live:{name}", live.identity, preprocess=live.preprocess, head=live.head, device=device
    )
