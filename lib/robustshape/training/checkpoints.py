"""Checkpoints of a training: written beside and renamed, and refused by a run that is defined otherwise."""

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import torch

from robustshape.errors import DamagedError, InputError, StoreError
from robustshape.store.atomic import discard, write_file
from robustshape.store.failures import reading, unlike


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
    content, file = (
        {"configuration": json.dumps(configuration), "progress": json.dumps(progress)},
        io.BytesIO(),
    )
    torch.save(content | state, file)
    if not path.parent.is_dir():
        raise StoreError(f"the checkpoint {path} cannot be written: there is no folder {path.parent}")
    with write_file(path) as temporary, temporary.open("wb") as beside:
        beside.write(hashlib.sha256(file.getbuffer()).hexdigest().encode() + b"\n")
        beside.write(file.getbuffer())


def read(path: Path, configuration: dict, device) -> tuple[dict, dict]:
    """Return (state, progress) of a checkpoint of the run with this configuration.

    Raises
    ------
    DamagedError
        If the file is not as it was written.
    StoreError
        If it cannot be read.
    InputError
        If it is of another run: it names what differs.
    """
    content = torch.load(io.BytesIO(_content(path)), map_location=device, weights_only=True)
    theirs, progress = json.loads(content.pop("configuration")), json.loads(content.pop("progress"))
    different = _difference(theirs, configuration)
    if different:
        raise InputError(
            f"the checkpoint {path} is of another run ({different}); "
            "delete it to start again, or give another path"
        )
    return content, progress


def _content(path: Path) -> bytes:
    """Return what was written after the checksum, once it is found to be that."""
    with reading(path):
        data = path.read_bytes()
    said, _, content = data.partition(b"\n")
    found = hashlib.sha256(content).hexdigest()
    if found.encode() != said:
        raise DamagedError(
            f"the checkpoint {path} is damaged; delete it to start again: {unlike(found, said.decode(errors='replace')[:64])}"
        )
    return content


def discard_damaged(path: Path) -> None:
    """Name and remove a checkpoint that is damaged: its training begins again."""
    try:
        if path.is_file():
            _content(path)
    except DamagedError as error:
        discard(path, error)


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
