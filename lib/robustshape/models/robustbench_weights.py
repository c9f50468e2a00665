"""Files of RobustBench's networks: found, downloaded, read without running code, and fitted.

RobustBench publishes neither their sizes nor their checksums. So a download is checked by what it is for: it
must be a readable dictionary of tensors that fits the network. It is resumed where it was cut.
"""

import os
from pathlib import Path

from robustshape import download
from robustshape.errors import DownloadError, InputError, MissingFileError, StoreError
from robustshape.models import robustbench_catalogue as catalogue
from robustshape.models.robustbench_imports import construct
from robustshape.models.weights import find_weights, fit_weights, read_weights
from robustshape.paths import cache_dir, offline

DIRECT = "https://drive.usercontent.google.com/download?export=download&confirm=t&id={}"  # no page in between
NORMALISATION = ("mu", "sigma", "mean", "std", "normalize.mean", "normalize.std")  # often not saved
UNUSED = (".scores", "model_preact_hl1.1.weight")  # saved by some authors, of no use after training
WRAPPERS = ("last", "state_dict", "model")  # what authors put the tensors into, the outermost first


def find(name: str) -> Path | None:
    """Return the file of weights on this machine, in RobustBench's own layout or directly, or None."""
    folders = ("", "models/", "robustbench/")
    return find_weights(*(f"{folder}{name}{end}" for folder in folders for end in (".safetensors", ".pt")))


def fetch(name: str) -> Path:
    """Return the file of weights, downloaded if it is not here; raise what says how to get it by hand."""
    path = find(name)
    if path is not None:
        return path
    path = cache_dir("weights").joinpath(f"{name}.pt")
    million = catalogue.networks()[name]["parameters_million"]
    size = "size not published" + (f", about {4 * float(million):,.0f} MB" if million else "")
    by_hand = (
        f"put the file ({size}) from {' and '.join(catalogue.pages(name))} at {path}, or at {name}.pt in a "
        "folder of ROBUSTSHAPE_DATA"
    )
    if offline():
        raise MissingFileError(
            f"the weights of robustbench:{name} are not on this machine and ROBUSTSHAPE_OFFLINE forbids the "
            f"download; unset it, or {by_hand}"
        )
    construct(name)  # without the package nothing could be checked
    return _download(name, path, by_hand)


def _addresses(name: str) -> list[str]:
    places = catalogue.networks()[name]["weights"].split()
    return [
        DIRECT.format(place.removeprefix(catalogue.DRIVE)) if place.startswith(catalogue.DRIVE) else place
        for place in places
    ]


def _download(name: str, path: Path, by_hand: str) -> Path:
    part, why = path.with_name(path.name + ".part"), ""
    (address,) = _addresses(name)
    with download._writing(path), download._alone(path):
        for _ in range(download.TRIES):
            if path.is_file():  # another process fetched it while this one waited
                return path
            had = part.stat().st_size if part.exists() else 0
            try:
                download._receive(address, part, None, timeout=30)
            except download._Refused as refusal:
                why = str(refusal)
                if refusal.resumable and part.stat().st_size > had:
                    continue
                break
            why = _unfit(name, part)
            if not why:
                os.replace(part, path)
                return path
            part.unlink()
            if not had:  # a whole wrong file; otherwise the kept beginning may have been the fault
                break
    raise DownloadError(
        f"could not download the weights of robustbench:{name}: {address}: {why}. Try again later (it "
        f"continues), or {by_hand}"
    )


def _unfit(name: str, path: Path) -> str:
    """Return why a file is not the weights of the network, or nothing."""
    with path.open("rb") as file:
        if file.read(64).lstrip().startswith(b"<"):
            return "the answer is a page, not the file; the source allows a number of downloads a day"
    try:
        load_into(construct(name), path)
    except (StoreError, InputError) as error:
        return str(error)
    return ""


def load_into(module, path: Path) -> None:
    """Put the weights of a file into `module`; raise StoreError or InputError if they cannot be or do not fit."""
    fit_weights(module, fitted(module, read(path)), path)


def read(path: Path) -> dict:
    """Return the tensors of a file by name, float32 where they are floats.

    Authors save their settings (argparse.Namespace) and accuracies (numpy scalars) beside the tensors; these
    two kinds are let through, no other object is made, and no code of the file runs.
    """
    import argparse
    import pickle

    import numpy as np
    import torch
    from numpy._core.multiarray import scalar

    if path.suffix == ".safetensors":
        return {key.removeprefix("module."): value for key, value in read_weights(path).items()}
    kinds = [type(np.dtype(kind)) for kind in ("f4", "f8", "i4", "i8")]
    harmless = [argparse.Namespace, scalar, (scalar, "numpy.core.multiarray.scalar"), np.dtype, *kinds]
    try:
        with torch.serialization.safe_globals(harmless):
            state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, OSError, EOFError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise StoreError(f"the weights {path} cannot be read ({reason}); get the file again") from error
    for key in WRAPPERS:
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise StoreError(
            f"the weights {path} are not a dictionary of tensors; save module.state_dict() of the network"
        )
    return {
        key.removeprefix("module."): value.float() if value.is_floating_point() else value
        for key, value in state.items()
    }


def fitted(module, state: dict) -> dict:
    """Return `state` under the names of `module`.

    Files lack or add a prefix, omit constants of normalisation, keep what only training needed, and, of
    timm's architectures, use the names of former versions, which timm itself translates.
    """
    import sys

    own = module.state_dict()
    bare = {key.removeprefix("model."): value for key, value in state.items()}
    inner = module.model if hasattr(module, "normalize") and hasattr(module, "model") else module
    source = sys.modules[type(inner).__module__]
    if source.__name__.startswith("timm.models.") and hasattr(source, "checkpoint_filter_fn"):
        bare = source.checkpoint_filter_fn(bare, inner)
    prefixed = {f"model.{key}": value for key, value in bare.items()}
    best = max((state, bare, prefixed), key=lambda named: len(set(named) & set(own)))
    constants = {key: own[key] for key in NORMALISATION if key in own}
    return constants | {key: value for key, value in best.items() if key in own or not key.endswith(UNUSED)}
