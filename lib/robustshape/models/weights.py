"""Files of weights: find them, read them without running code, and fit them to a network."""

import functools
import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

from robustshape.download import check_answers, hugging_face
from robustshape.errors import DamagedError, DownloadError, InputError, MissingFileError, StoreError
from robustshape.paths import cache_dir, find_local, offline
from robustshape.store.failures import reading


def find_weights(*relative: str) -> Path | None:
    """Return the first of these files under ROBUSTSHAPE_DATA or the cache's ``weights/``, or None."""
    found = find_local(*relative)
    here = [cache_dir("weights") / name for name in relative]
    return found or next((path for path in here if path.is_file()), None)


def sha256(path: Path) -> str:
    """Return ``sha256:`` and the digest of a file; computed once per version of the file."""
    with reading(path):
        facts = Path(path).stat()
        return _sha256(str(path), facts.st_size, facts.st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _sha256(path: str, _size: int, _changed: int) -> str:
    with open(path, "rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def check_sha256(path: Path, expected: str, whence: str) -> None:
    """Read a file anew and raise DamagedError if its digest is not the `expected` ``sha256:...`` that `whence` says."""
    with reading(path), open(path, "rb") as file:
        found = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise DamagedError(f"{path} has {found}, but {whence} says {expected}; get the file again")


def write_weights(path: Path, state: dict, about: dict[str, str] | None = None) -> None:
    """Write tensors to a .safetensors: the same bytes for the same tensors and texts, in whatever order they come.

    The library itself writes the texts `about` a file in a random order.
    """
    from safetensors.torch import save

    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    data = save(plain)
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    if about:
        header = {"__metadata__": dict(sorted(about.items()))} | header
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the tensors are aligned
    Path(path).write_bytes(len(text).to_bytes(8, "little") + text + data[8 + size :])


# Where programs put a network's tensors in what they save beside them, in the order in which they are looked for.
PLACES = ("state_dict", "model_state_dict", "model", "net", "network", "model_ema", "state_dict_ema", "ema")


def read_weights(path: Path) -> dict:
    """Return the tensors of a .safetensors or PyTorch file, float32 where they are floats; no code of it runs.

    Of what training programs save, the network's tensors are taken: those under ``state_dict``, ``model`` and the
    like (see `PLACES`: averaged ones only where there are no others). Names are as in the file; `fit_weights` takes
    off what wrappers put before them.

    Raises
    ------
    StoreError
        If the file is damaged, or holds objects whose making would run code: which, and what to save instead.
    """
    import torch

    state, inner = None, opened(Path(path))
    while inner is not None:
        state = inner
        found = (
            [state[place] for place in PLACES if isinstance(state.get(place), dict)]
            if isinstance(state, dict)
            else []
        )
        inner = next(iter(found), None)
    if not isinstance(state, dict) or not any(isinstance(value, torch.Tensor) for value in state.values()):
        held = (
            f"a dictionary with {', '.join(map(str, state))}"
            if isinstance(state, dict)
            else type(state).__name__
        )
        raise StoreError(f"{path} holds {held[:200]}, where a dictionary of tensors is needed; {SAVE_STATE}")
    tensors = {name: value for name, value in state.items() if isinstance(value, torch.Tensor)}
    single = {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}
    return with_versions(single, state)


def with_versions(state: dict, like) -> dict:
    """Return a copy of `state` with the versions of its layers that torch keeps beside the tensors of `like`, if any.

    By them a layer knows tensors that an earlier version of it wrote; torchvision's MNASNet refuses any without.
    """
    copied = OrderedDict(state)
    versions = getattr(like, "_metadata", None)
    if versions is not None:
        copied._metadata = versions
    return copied


SAVE_STATE = (
    "where the network was trained, save its tensors alone: torch.save(network.state_dict(), 'weights.pth')"
)


def opened(path: Path):
    """Return what is in the file, by the readers of safetensors and PyTorch that run none of its code."""
    import torch
    from safetensors.torch import load_file

    with reading(path), open(path, "rb") as file:
        file.read(1)
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # both libraries raise many kinds for a damaged file
        made = _objects_in(path, error)
        if made:
            raise StoreError(
                f"{path} holds more than tensors ({made}), and to open that would run code of the file; {SAVE_STATE}"
            ) from error
        reason = " ".join(str(error).split())[:200]
        raise StoreError(f"the weights {path} cannot be read ({reason}); get the file again") from error


def _objects_in(path: Path, error: Exception) -> str:
    """Return the kinds of object that made PyTorch refuse a file that is whole; empty for a damaged one."""
    import pickle
    import re

    import torch

    if not isinstance(error, pickle.UnpicklingError):
        return ""
    try:
        kinds = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except Exception:  # a file of PyTorch before 1.6, or a damaged one
        kinds = re.findall(r"(?:GLOBAL|global:?) ([\w.]+\.\w+)", str(error))
    if any(kind.startswith("torch.nn.") for kind in kinds):
        return "a whole network, " + type_names(kinds)
    return type_names(kinds)


def type_names(kinds) -> str:
    """Return the first three of some names, and how many more there are.

    >>> type_names(["a", "b", "c", "d"]), type_names(["b", "a", "a"])
    ('a, b, c and 1 more', 'a, b')
    """
    kinds = sorted(set(kinds))
    return ", ".join(kinds[:3]) + (f" and {len(kinds) - 3} more" if kinds[3:] else "")


def fit_weights(module, state: dict, path: Path) -> None:
    """Load `state` into `module`, every tensor of both; otherwise say what does not fit.

    What wrappers put before the names is taken off where the names then are the module's: ``module.`` (parallel
    training), ``_orig_mod.`` (torch.compile), ``model.`` or any other attribute of a LightningModule.
    """
    own = module.state_dict()
    fitting = renamed(state, set(own))
    if set(fitting) == set(own) and not (fitting is state and hasattr(state, "_metadata")):
        fitting = with_versions(fitting, own)
    try:
        module.load_state_dict(fitting, strict=True)
    except (RuntimeError, ValueError) as error:
        raise InputError(
            f"the weights {path} do not fit a {type(module).__name__}: " + " ".join(str(error).split())[:400]
        ) from error


def renamed(state: dict, wanted: set[str]) -> dict:
    """Return `state` under the `wanted` names if it has them but for what wrappers put before them, else as it is.

    >>> renamed({"model._orig_mod.fc.weight": 1, "model._orig_mod.fc.bias": 2}, {"fc.weight", "fc.bias"})
    {'fc.weight': 1, 'fc.bias': 2}
    """
    if set(state) == wanted:
        return state
    plain = {name.replace("_orig_mod.", ""): value for name, value in state.items()}
    while plain:
        if set(plain) == wanted:
            return plain
        first = next(iter(plain)).partition(".")[0] + "."
        if not all(name.startswith(first) and name != first for name in plain):
            break
        plain = {name.removeprefix(first): value for name, value in plain.items()}
    return state


def missing(name: str, files: Iterable[str], size: str = "size unknown") -> MissingFileError:
    """Return the error for weights that are not here while downloads are forbidden."""
    return MissingFileError(
        f"the weights of {name} ({size}) are not on this machine and ROBUSTSHAPE_OFFLINE forbids the download; "
        f"unset it, or put {' or '.join(files)} into a folder of ROBUSTSHAPE_DATA or {cache_dir('weights')}"
    )


def download(name: str, files: Iterable[str], call, size: str = "size unknown", *, hub: str | None = None):
    """Return ``call()``, a hub's own checked download; offline, or if it fails, say what to put where.

    A `hub` that does not answer at all, by default Hugging Face, is told of within seconds.
    """
    if offline():
        raise missing(name, files, size)
    check_answers(
        hub or hugging_face(),
        f"put the weights of {name} ({size}), {' or '.join(files)}, into a folder of ROBUSTSHAPE_DATA",
    )
    try:
        return call()
    except (OSError, RuntimeError) as error:  # requests, urllib and the hubs derive from these
        raise DownloadError(
            f"the weights of {name} ({size}) could not be downloaded: {' '.join(str(error).split())[:300]}. "
            f"Try again later, or put {' or '.join(files)} into a folder of ROBUSTSHAPE_DATA"
        ) from error
