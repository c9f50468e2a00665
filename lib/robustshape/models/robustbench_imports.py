"""The package robustbench beside a current timm: only its architectures are imported.

Its ``__init__`` imports evaluation code that asks for packages under other names (autoattack) and for
gdown; it pins timm 1.0.9, but its architectures also build with later ones. So the package is entered without
running its ``__init__``, and left so that a later ``import robustbench`` of yours runs it. `make robustbench`
installs it without its pins.
"""

import contextlib
import functools
import importlib.util
import sys
import types
import warnings

from robustshape.errors import InputError, MissingFileError

INSTALL = "make robustbench (or: pip install --no-deps robustbench==1.1.1 geotorch torchdiffeq)"
CLASSES = {"cifar10": 10, "cifar100": 100, "imagenet": 1000}


def _place():
    """Return the module called robustbench, or where it lies, or None."""
    return sys.modules.get("robustbench") or importlib.util.find_spec("robustbench")


@contextlib.contextmanager
def _entered():
    """Let parts of the package be imported without its ``__init__``, unless that has run already."""
    found = _place()
    if found is None or "robustbench" in sys.modules:
        yield
        return
    package = types.ModuleType("robustbench")
    package.__path__ = list(found.submodule_search_locations)
    sys.modules["robustbench"] = package
    try:
        yield
    finally:
        del sys.modules["robustbench"]


@functools.cache
def architectures() -> dict:
    """Return the package's own entry of each network, by its name DATASET/THREAT/MODEL."""
    if _place() is None:
        raise MissingFileError(
            f"robustbench: models need the package robustbench, which is not installed; {INSTALL}"
        )
    try:
        with _entered(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of timm: it is imported under its former names
            from robustbench.model_zoo import model_dicts
    except ImportError as error:
        raise MissingFileError(f"robustbench cannot be imported ({error}); {INSTALL}") from error
    return {
        f"{dataset.value}/{threat.value}/{model}": entry
        for dataset, threats in model_dicts.items()
        for threat, entries in threats.items()
        for model, entry in entries.items()
    }


def construct(name: str):
    """Return the untrained network, which normalises images in [0, 1] by itself; nothing is downloaded."""
    entry, (dataset, threat, model) = architectures()[name], name.split("/")
    import timm
    import torchvision

    registered = f"{model}_{dataset}_{threat}".lower().replace("-", "_")
    try:
        with _entered():
            if timm.is_model(registered):  # the package registers these with timm, and lists them misspelt
                return timm.create_model(registered, num_classes=CLASSES[dataset], pretrained=False)
            if model == "Standard_R50":  # its entry would download the weights while it builds
                from robustbench.model_zoo import imagenet

                return imagenet.normalize_model(torchvision.models.resnet50(), imagenet.mu, imagenet.sigma)
            return entry["model"]()
    except (ImportError, AttributeError, RuntimeError, TypeError) as error:
        raise InputError(
            f"the architecture of robustbench:{name} cannot be built beside timm {timm.__version__} "
            f"({' '.join(str(error).split())[:300]}); choose another network"
        ) from error
