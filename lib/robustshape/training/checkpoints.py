"""Checkpoints of a training: written beside and renamed, and refused by a run that is defined otherwise."""

import hashlib
import json
import os
import uuid
from pathlib import Path

import numpy as np
import torch

from robustshape.errors import InputError, StoreError


def write(path: Path, configuration: dict, state: dict, progress: dict) -> None:
    """Write a checkpoint, in one step: a reader finds the old one, or the whole new one.

    Parameters
    ----------
    path : Path
    configuration : dict
        What defines the run, as JSON can hold it.
    state : dict of name -> state_dict
        Of the network and the optimiser.
    progress : dict
        How far the run is, as JSON can hold it.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    content = {"configuration": json.dumps(configuration), "progress": json.dumps(progress), **state}
    beside = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    try:
        torch.save(content, beside)
        os.replace(beside, path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
        beside.unlink(missing_ok=True)
        raise StoreError(f"the checkpoint {path} cannot be written ({error}); free some space") from error


def read(path: Path, configuration: dict, device) -> tuple[dict, dict]:
    """Return (state, progress) of a checkpoint of the run with this configuration.

    Raises
    ------
    StoreError
        If the file is damaged.
    InputError
        If it is of another run: it names what differs.
    """
    try:
        content = torch.load(path, map_location=device, weights_only=True)
        theirs, progress = json.loads(content.pop("configuration")), json.loads(content.pop("progress"))
    except Exception as error:  # torch raises many kinds for a file that is cut short
        raise StoreError(f"the checkpoint {path} is damaged; delete it to start again") from error
    different = _difference(theirs, configuration)
    if different:
        raise InputError(
            f"the checkpoint {path} is of another run ({different}); "
            "delete it to start again, or give another path"
        )
    return content, progress


def digest(arrays) -> str:
    """Return a hash of some numpy arrays: types, shapes and contents."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(f"{array.dtype}{array.shape}".encode())
        found.update(np.ascontiguousarray(array))
    return found.hexdigest()[:16]


def _difference(theirs, ours) -> str:
    """Return the first things in which two configurations differ, as words; empty if in nothing."""
    pairs = [("", theirs, ours)]
    if isinstance(theirs.get("recipe"), dict):
        pairs.append(("recipe.", theirs["recipe"], ours["recipe"]))
    found = [
        f"{prefix}{name} was {a.get(name)!r}, is {b.get(name)!r}"
        for prefix, a, b in pairs
        for name in sorted({*a, *b})
        if a.get(name) != b.get(name) and name != "recipe"
    ]
    return "; ".join(found[:3])
