"""``robustbench:DATASET/THREAT/NAME``: networks of RobustBench (Croce et al. 2021, arXiv 2010.09670).

The package gives the architectures; weights are files the reader has put in place, for the hub's own download
is not checked. Only its catalogue of architectures is imported: the rest needs packages that no longer exist.
"""

import functools
import importlib.util
import sys
import types

from robustshape.errors import InputError, MissingFileError
from robustshape.hooks import last_linear
from robustshape.models.weights import find_weights, fit_weights, read_weights, sha256
from robustshape.paths import cache_dir
from robustshape.registry import unknown_name

INSTALL = "pip install --no-deps robustbench gdown geotorch torchdiffeq"
SIZES = {"cifar10": 32, "cifar100": 32, "imagenet": 224}


@functools.cache
def _catalogue() -> dict:
    """Return ``name -> (entry of the catalogue)``; a network's name is DATASET/THREAT/NAME."""
    found = importlib.util.find_spec("robustbench") if "robustbench" not in sys.modules else True
    if found is None:
        raise MissingFileError(
            f"robustbench: models need the package robustbench, which is not installed; {INSTALL}"
        )
    if found is not True:  # a package without its __init__, which imports AutoAttack and pkg_resources
        package = types.ModuleType("robustbench")
        package.__path__ = list(found.submodule_search_locations)
        sys.modules["robustbench"] = package
    try:
        from robustbench.model_zoo import model_dicts
    except ImportError as error:
        raise MissingFileError(f"robustbench cannot be imported ({error}); {INSTALL}") from error
    return {
        f"{dataset.value}/{threat.value}/{name}": entry
        for dataset, threats in model_dicts.items()
        for threat, entries in threats.items()
        for name, entry in entries.items()
        if not isinstance(entry.get("gdrive_id"), list)  # ensembles of several files
    }


def names() -> list[str]:
    """Return all single networks of the catalogue, none if the package is not installed."""
    try:
        return [f"robustbench:{name}" for name in _catalogue()]
    except MissingFileError:
        return []


def _weights(name: str):
    """Return the file of weights, or say where to put it."""
    if name not in _catalogue():
        raise unknown_name("model", f"robustbench:{name}", names(), "robustshape list models 'robustbench:*'")
    files = [f"{name}.safetensors", f"{name}.pt", f"robustbench/{name}.pt"]
    path = find_weights(*files)
    if path is None:
        identifier = _catalogue()[name].get("gdrive_id")
        raise MissingFileError(
            f"the weights of robustbench:{name} (size unknown) are not on this machine; download them from "
            f"https://drive.google.com/uc?id={identifier} and put them at {cache_dir('weights') / files[1]} or at "
            f"{files[1]} in a folder of ROBUSTSHAPE_DATA"
        )
    return path


def identity(name: str) -> dict:
    """Return the name and the checksum of its weights."""
    return {"source": "robustbench", "name": name, "weights": sha256(_weights(name))}


def _named_as(own: dict, state: dict) -> dict:
    """Return `state` with the names of `own`: files lack or add a prefix, and omit constants of normalisation."""
    bare = {key.removeprefix("model."): value for key, value in state.items()}
    prefixed = {f"model.{key}": value for key, value in bare.items()}
    best = max((state, bare, prefixed), key=lambda named: len(set(named) & set(own)))
    constants = {key: v for key, v in own.items() if key.rpartition(".")[2] in ("mu", "sigma", "mean", "std")}
    return constants | best


def load(name: str, *, device: str = "cpu"):
    """Return the Classifier; its network normalises by itself."""
    from robustshape.models.classifier import Classifier
    from robustshape.models.preprocessing import Preprocessing

    path, (dataset, threat, short) = _weights(name), name.split("/", 2)
    if dataset not in SIZES:
        raise InputError(f"robustbench data set {dataset!r} is none of {', '.join(SIZES)}")
    module = _catalogue()[name]["model"]()
    fit_weights(module, _named_as(module.state_dict(), read_weights(path)), path)
    size = SIZES[dataset]
    return Classifier(
        name=f"robustbench:{name}",
        module=module,
        preprocess=Preprocessing(channels=3, size=(size, size), resize=256 if size == 224 else None),
        head=last_linear(module),
        n_classes={"cifar10": 10, "cifar100": 100}.get(dataset, 1000),
        identity=identity(name),
        about={
            "family": type(module).__name__,
            "recipe": threat,
            "trains_on": (),
            "licence": "see the model's paper",
            "citation": f"{short}, from RobustBench (Croce et al. 2021, arXiv 2010.09670)",
        },
        device=device,
    )
