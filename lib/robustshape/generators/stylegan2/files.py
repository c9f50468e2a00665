"""Files of networks: our own (.safetensors, which also says how the network is built), and official ones (.pkl)."""

import json
import os
from pathlib import Path

import torch

from robustshape.errors import DamagedError, InputError, MissingFileError, StoreError
from robustshape.generators.stylegan2 import official
from robustshape.generators.stylegan2.building import built
from robustshape.generators.stylegan2.discriminator import Discriminator
from robustshape.generators.stylegan2.generator import Generator
from robustshape.models.weights import check_sha256, fit_weights, read_weights, write_weights
from robustshape.store.atomic import write_file
from robustshape.store.failures import ABSENT, reading

KINDS = {"Generator": Generator, "Discriminator": Discriminator}


def read_network(path: str | os.PathLike, network: str = "G_ema"):
    """Return the network in a file, in eval mode and float32, without running anything the file says.

    Parameters
    ----------
    path : path
        A .safetensors of `write_network`, or an official .pkl of StyleGAN2-ADA for PyTorch.
    network : {"G_ema", "G", "D"}
        Which one; a .safetensors holds one.

    Returns
    -------
    Generator or Discriminator

    Raises
    ------
    MissingFileError
        If there is no such file.
    StoreError
        If it is damaged or not such a file; a pickle that names anything but what networks need is refused.
    InputError
        If it holds no network of that name, or the ending is another one.
    """
    path = Path(path)
    if path.suffix not in (".pkl", ".safetensors"):
        raise InputError(f"a network is a .safetensors or an official .pkl, but the file is {path.name!r}")
    if not path.is_file():
        raise MissingFileError(
            f"there is no file {path}; give the path of a .safetensors or an official .pkl"
        )
    read = official.read if path.suffix == ".pkl" else _read_safetensors
    return read(path, network).eval().requires_grad_(False)


def write_network(path: str | os.PathLike, module, *, network: str = "G_ema", dtype=torch.float32) -> None:
    """Write a network to a .safetensors, in one step: its tensors under the official names, and how it is built.

    Parameters
    ----------
    path : path
    module : Generator or Discriminator
    network : str
        What `read_network` will know it as.
    dtype : torch.dtype
        Of the stored numbers; float16 halves the file, and moves the images a little.

    Examples
    --------
    >>> import tempfile
    >>> small = Generator(4, 0, 4, 8, 1, channel_base=32, channel_max=4, mapping_layers=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_network(f"{folder}/small.safetensors", small)
    ...     again = read_network(f"{folder}/small.safetensors")
    >>> bool((again(torch.ones(1, 4)) == small(torch.ones(1, 4))).all())
    True
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise InputError(f"a network is written to a .safetensors, but the path is {str(path)!r}")
    state = {
        name: tensor.detach().cpu().to(dtype).contiguous() for name, tensor in module.state_dict().items()
    }
    about = {"network": network, "kind": type(module).__name__, "settings": json.dumps(module.settings)}
    with write_file(path) as temporary:
        write_weights(temporary, state, about)


def card_of(path: Path) -> dict:
    """Return the card beside a generator's file; empty where there is none, or that of something else."""
    beside = Path(path).with_suffix(".json")
    with reading(beside):
        try:
            card = json.loads(beside.read_text(encoding="utf-8"))
        except ABSENT:
            return {}
        except (ValueError, RecursionError) as error:
            raise DamagedError(
                f"the card {beside} is damaged: it is no JSON ({error}); replace it"
            ) from error
    return card if isinstance(card, dict) and card.get("weights") == Path(path).name else {}


def _read_safetensors(path: Path, network: str):
    from safetensors import SafetensorError, safe_open

    if "sha256" in (card := card_of(path)):
        check_sha256(path, f"sha256:{card['sha256']}", "its card")
    try:
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
        settings = json.loads(about.get("settings", "null"))
    except (SafetensorError, json.JSONDecodeError) as error:
        raise StoreError(f"the network {path} cannot be read ({error}); replace it") from error
    if about.get("kind") not in KINDS or not isinstance(settings, dict):
        raise StoreError(f"{path} does not say how its network is built; write it with write_network")
    if about["network"] != network:
        raise InputError(f"{path} holds the network {about['network']!r}, but {network!r} was asked for")
    state = read_weights(path)
    try:
        module = built(KINDS[about["kind"]], settings, sum(tensor.numel() for tensor in state.values()), path)
    except TypeError as error:
        raise StoreError(
            f"{path} says that its network is built with other arguments than ours ({error})"
        ) from error
    fit_weights(module, state, path)
    return module
