"""Files of weights: find them, read them without running code, and fit them to a network."""

import functools
import hashlib
import importlib
from collections.abc import Iterable
from pathlib import Path

from robustshape.errors import DownloadError, InputError, MissingFileError, StoreError
from robustshape.paths import cache_dir, find_local, offline


def find_weights(*relative: str) -> Path | None:
    """Return the first of these files under ROBUSTSHAPE_DATA or the cache's ``weights/``, or None."""
    found = find_local(*relative)
    here = [cache_dir("weights") / name for name in relative]
    return found or next((path for path in here if path.is_file()), None)


def sha256(path: Path) -> str:
    """Return ``sha256:`` and the digest of a file; computed once per version of the file."""
    facts = Path(path).stat()
    return _sha256(str(path), facts.st_size, facts.st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _sha256(path: str, _size: int, _changed: int) -> str:
    with open(path, "rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def read_weights(path: Path) -> dict:
    """Return the tensors of a .safetensors or PyTorch file, float32 where they are floats; no code of it runs."""
    import torch
    from safetensors.torch import load_file

    try:
        if Path(path).suffix == ".safetensors":
            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # both libraries raise many kinds for a damaged file
        raise StoreError(f"the weights {path} cannot be read ({error}); get the file again") from error
    while isinstance(state, dict) and isinstance(state.get("state_dict", state.get("model")), dict):
        state = state.get("state_dict", state.get("model"))
    if not isinstance(state, dict) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise StoreError(
            f"the weights {path} are not a plain dictionary of tensors; save module.state_dict()"
        )
    return {
        name.removeprefix("module."): value.float() if value.is_floating_point() else value
        for name, value in state.items()
    }


def fit_weights(module, state: dict, path: Path) -> None:
    """Load `state` into `module`, every tensor of both; otherwise say what does not fit."""
    try:
        module.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise InputError(
            f"the weights {path} do not fit a {type(module).__name__}: " + " ".join(str(error).split())[:400]
        ) from error


def missing(name: str, files: Iterable[str], size: str = "size unknown") -> MissingFileError:
    """Return the error for weights that are not here while downloads are forbidden."""
    return MissingFileError(
        f"the weights of {name} ({size}) are not on this machine and ROBUSTSHAPE_OFFLINE forbids the download; "
        f"unset it, or put {' or '.join(files)} into a folder of ROBUSTSHAPE_DATA or {cache_dir('weights')}"
    )


def download(name: str, files: Iterable[str], call, size: str = "size unknown"):
    """Return ``call()``, a hub's own checked download; offline, or if it fails, say what to put where."""
    if offline():
        raise missing(name, files, size)
    try:
        return call()
    except (OSError, RuntimeError) as error:  # requests, urllib and the hubs derive from these
        raise DownloadError(
            f"the weights of {name} ({size}) could not be downloaded: {' '.join(str(error).split())[:300]}. "
            f"Try again later, or put {' or '.join(files)} into a folder of ROBUSTSHAPE_DATA"
        ) from error


def require(package: str, how: str):
    """Return an imported package, or say how to install it."""
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise MissingFileError(
            f"this model needs the package {package} ({error}); install it with: {how}"
        ) from error
