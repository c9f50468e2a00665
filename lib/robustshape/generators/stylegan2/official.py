"""Official StyleGAN2-ADA networks (.pkl), read without running the source text that such a file carries.

The file is a pickle of a few modules, each with its class's source and its state. The usual loader executes the source;
here only the state is read: parameters, buffers, submodules, and the arguments that the constructor was given.
"""

import io
import math
from pathlib import Path

import torch

from robustshape import pickles
from robustshape.errors import InputError, StoreError
from robustshape.generators.stylegan2.building import built
from robustshape.generators.stylegan2.discriminator import Discriminator
from robustshape.generators.stylegan2.generator import Generator
from robustshape.generators.stylegan2.resampling import KERNEL
from robustshape.models.weights import fit_weights

KIND = "network of StyleGAN2"
# What an official constructor takes beside the sizes, and what it must be for the network to be ours.
WITHOUT_EFFECT = ("num_fp16_res", "fp16_channels_last", "w_avg_beta", "freeze_layers")
DEFAULTS = {
    "embed_features": None, "layer_features": None, "activation": "lrelu", "lr_multiplier": 0.01, "use_noise": True,
    "resample_filter": [1, 3, 3, 1], "mbstd_num_channels": 1, "cmap_dim": None, "kernel_size": 3,
}  # fmt: skip

TENSORFLOW = (
    "holds networks of TensorFlow, from before StyleGAN2-ADA for PyTorch; convert it with the legacy.py of that "
    "repository (NVlabs/stylegan2-ada-pytorch: python legacy.py --source={name} --dest=converted.pkl), then give the "
    "converted.pkl"
)


class _Dict(dict):
    """Stands for the file's own kind of dictionary."""


class _Module:
    """Stands for a module of the file: its class's name and its state."""

    def __init__(self, described):
        self.name, self.state = described["class_name"], described["state"]


class _NumberType:
    """Stands for numpy.dtype: the letters of a number's type."""

    def __init__(self, letters, *_):
        self.letters = letters

    def __setstate__(self, state):
        if state[1] not in "<|=":
            raise ValueError("numbers of another byte order")


def _number(kind, content):
    import numpy as np

    return np.frombuffer(content, dtype="<" + kind.letters)[0].item()


def _storage(content):
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)


def _tensor(storage, offset, size, stride, *_):
    whole = torch.empty(0, dtype=storage.dtype).set_(storage._untyped_storage)
    if math.prod(size) > whole.numel():  # one number, told to stand in many places
        raise ValueError("a tensor of more numbers than are stored")
    return whole.as_strided(size, stride, offset)  # raises if the storage is too small


ALLOWED = {
    ("torch_utils.persistence", "_reconstruct_persistent_obj"): _Module,
    ("dnnlib.util", "EasyDict"): _Dict,
    ("collections", "OrderedDict"): _Dict,
    ("torch._utils", "_rebuild_parameter"): lambda data, *_: data,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch.storage", "_load_from_bytes"): _storage,
    ("numpy.core.multiarray", "scalar"): _number,
    ("numpy._core.multiarray", "scalar"): _number,
    ("numpy", "dtype"): _NumberType,
}


def read(path: Path, network: str):
    """Return a network of an official file, as a `Generator` or a `Discriminator` in float32.

    Raises
    ------
    StoreError
        If the file is damaged, names anything but what such networks need, holds something else, or networks of
        TensorFlow: how they are converted.
    InputError
        If it holds no network of that name, or one that was built otherwise than ours: how.
    """
    tensorflow = dict.fromkeys(("dnnlib.tflib.network", "tfutil"), TENSORFLOW.format(name=path.name))
    content = pickles.read(path.read_bytes(), ALLOWED, path=path, kind=KIND, known=tensorflow)
    modules = (
        {k: v for k, v in content.items() if isinstance(v, _Module)} if isinstance(content, dict) else {}
    )
    if not modules:
        raise StoreError(
            f"{path} is not a {KIND}: it holds no modules; give a .pkl of StyleGAN2-ADA for PyTorch"
        )
    if network not in modules:
        raise InputError(f"{path} holds no network {network!r}, only: {', '.join(sorted(modules))}")
    module = modules[network]
    try:
        state: dict = {}
        _collect(module, "", state)
        found = _built(module, sum(tensor.numel() for tensor in state.values()), path)
    except (KeyError, TypeError, AttributeError) as error:
        raise StoreError(
            f"{path} is not a {KIND}: its module {network!r} lacks {error}; replace it"
        ) from error
    for name, tensor in state.items():
        if name.endswith("resample_filter") and not torch.allclose(tensor.float(), KERNEL):
            raise InputError(
                f"{path} filters with other numbers than [1, 3, 3, 1] ({name}), which is not supported"
            )
    fit_weights(found, state, path)
    return found


def _built(module: _Module, n_numbers: int, path: Path):
    """Return an untrained network with the sizes of an official module."""
    if module.name not in ("Generator", "Discriminator"):
        raise InputError(f"a network is a Generator or a Discriminator, but this one is a {module.name}")
    given = _flat(dict(module.state["_init_kwargs"]))
    architecture = given.pop("architecture", None)
    names = {"num_layers": "mapping_layers"}
    ours = {"z_dim", "c_dim", "w_dim", "img_resolution", "img_channels", "channel_base", "channel_max"}
    ours |= {"mbstd_group_size", "conv_clamp", "mapping_layers"}
    settings = {}
    for name, value in given.items():
        name = names.get(name, name)
        if name in ours:
            settings[name] = value
        elif name not in WITHOUT_EFFECT and (name not in DEFAULTS or value != DEFAULTS[name]):
            raise InputError(f"the network was built with {name}={value!r}, which is not supported here")
    if module.name == "Discriminator":
        return built(Discriminator, settings | {"architecture": architecture or "resnet"}, n_numbers, path)
    if architecture not in (None, "skip"):
        raise InputError(f"the generator's architecture is {architecture!r}, but only 'skip' is supported")
    return built(Generator, settings, n_numbers, path)


def _flat(settings: dict) -> dict:
    """Return the constructor's arguments with those in groups (mapping_kwargs ...) beside the others."""
    found = {}
    for name, value in settings.items():
        if name.endswith("_kwargs"):
            found |= _flat(dict(value))
        else:
            found[name] = value
    return found


def _collect(module: _Module, prefix: str, state: dict) -> None:
    """Add to `state` the parameters and buffers of a module and of those inside it."""
    for group in ("_parameters", "_buffers"):
        for name, tensor in module.state[group].items():
            if tensor is not None:
                state[prefix + name] = tensor
    for name, inner in module.state["_modules"].items():
        _collect(inner, f"{prefix}{name}.", state)
