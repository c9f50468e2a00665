"""Classifiers by name: a prefix says where a network comes from, one module here for each.

A new source is one module with ``load(name, **kw)``, ``identity(name, **kw)`` and ``names()``, and one line below;
with ``check(name)`` where a name can be looked up without importing a library of networks or reading weights.
A `robustshape.models.network.Network` is such a name with the data that it is trained on.

>>> names("zoo:lenet*")[:2]
['zoo:lenet', 'zoo:lenet-augmix']
"""

import importlib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePath

from robustshape.errors import InputError
from robustshape.paths import checked_device
from robustshape.registry import unknown_name


@dataclass(frozen=True)
class Source:
    """Where networks come from."""

    module: str  # in this package
    takes: tuple[str, ...] = ()  # what of dataset, epochs and reading its networks depend on
    trained_here: bool = False


SOURCES = {
    "zoo": Source("zoo", ("dataset", "epochs", "reading"), trained_here=True),
    "timm": Source("timm_models"),
    "torchvision": Source("torchvision_models"),
    "openclip": Source("openclip_models", ("dataset",)),  # for its prompts name the classes
    "robustbench": Source("robustbench_models"),
    "file": Source("file_models"),
    "python": Source("python_models"),
    "live": Source("live_models"),  # a module of this process, see `live_models.register`
}


def source_of(name: str) -> Source:
    """Return where the network called `name` comes from; an unknown prefix raises InputError with the closest."""
    prefix, colon, rest = str(name).partition(":")
    if not colon or prefix not in SOURCES:
        module = prefix.removesuffix(".py")
        if module and Path(f"{module.replace('.', '/')}.py").is_file():
            raise InputError(
                f"unknown model {name!r}; a function in {module}.py that returns a network is called "
                f"python:{module}:{rest or 'FUNCTION'}"
            )
        raise unknown_name("model", name, names(), "robustshape list models")
    if not rest:
        raise InputError(
            f"the model name {name!r} ends at its prefix; list them with: robustshape list models '{prefix}:*'"
        )
    return SOURCES[prefix]


def _source(name: str):
    """Return (module of the source, rest of the name)."""
    module = importlib.import_module(f"robustshape.models.{source_of(name).module}")
    return module, name.partition(":")[2]


def _call(function, name: str, rest: str, kw: dict):
    import inspect

    parameters = inspect.signature(function).parameters
    known = [key for key in parameters if key != "name"]
    anything = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for key in kw:
        if key not in known and not anything:
            raise unknown_name(
                f"argument for {name!r}", key, known, f"help({function.__module__}.{function.__name__})"
            )
    return function(rest, **kw)


def load(name: str, **kw):
    """Return the Classifier called `name`.

    Parameters
    ----------
    name : str
        ``zoo:lenet-noise/1``, ``timm:resnet50.a1_in1k``, ``torchvision:resnet50``, ``openclip:ARCH/TAG``,
        ``robustbench:DATASET/THREAT/NAME``, ``file:CARD.json``, ``python:package.module:factory``.
    **kw
        What the source takes; all take ``device``, and ``zoo`` also ``dataset`` and ``reading`` (of the
        training data), ``epochs`` and ``progress``; ``file`` takes ``trust_card``, see `robustshape.models.trust`.

    Raises
    ------
    InputError
        If the name or an argument does not exist, with the closest three.
    MissingFileError
        If weights are neither here nor allowed to be downloaded.
    """
    source, rest = _source(name)
    if "device" in kw:
        checked_device(kw["device"])
    return _call(source.load, name, rest, kw)


def identity(name: str, **kw) -> dict:
    """Return the JSON-able facts that define a network's numbers, without training or loading it.

    Two names with equal identities give equal numbers. `kw` as for `load`; those that do not change the
    numbers (``device``, ``progress``, ``trust_card``) are ignored.
    """
    source, rest = _source(name)
    return _call(source.identity, name, rest, _numbers_only(kw))


def is_ready(name: str, **kw) -> bool:
    """Return whether `load` has nothing to train; `kw` as for `load`."""
    source, rest = _source(name)
    if not hasattr(source, "is_ready"):
        return True
    _call(source.identity, name, rest, _numbers_only(kw))
    return source.is_ready(rest, **_numbers_only(kw))


def untrained(name: str, **kw):
    """Return the Classifier called `name`, of a source that trains, with the weights that its training begins with."""
    source, rest = _source(name)
    return _call(source.untrained, name, rest, kw)


def short_name(name: str) -> str:
    """Return what tables and figures call a network: a card's file name, else the name without its prefix.

    >>> short_name("file:pretrained/cifar10_resnet20_a.json"), short_name("zoo:lenet-noise/1")
    ('cifar10_resnet20_a', 'lenet-noise/1')
    """
    prefix, colon, rest = str(name).partition(":")
    if not colon or prefix not in SOURCES:
        return str(name)
    return PurePath(rest).stem if prefix == "file" else rest


def check(name: str) -> None:
    """Raise InputError if there is plainly no network called `name`; what takes seconds to know is not asked."""
    source, rest = _source(name)
    if hasattr(source, "check"):
        source.check(rest)


def _numbers_only(kw: dict) -> dict:
    return {key: value for key, value in kw.items() if key not in ("device", "progress", "trust_card")}


def names(pattern: str = "zoo:*") -> list[str]:
    """Return the sorted known names that match a shell pattern; sources are asked only if it can match.

    ``*`` alone lists every source, which imports their packages. ``file:`` lists the project's own
    cards; ``python:`` has no list.
    """
    found = []
    for prefix, known in SOURCES.items():
        if fnmatchcase(prefix, pattern.partition(":")[0]):
            source = importlib.import_module(f"robustshape.models.{known.module}")
            found += [name for name in source.names() if fnmatchcase(name, pattern)]
    return sorted(found)
