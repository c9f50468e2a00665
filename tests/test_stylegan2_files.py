"""Files of networks: official pickles are read without running them, our own come back equal, the rest is refused."""

import io
import json
import os
import pickle
import sys
import types
from collections import OrderedDict

import numpy as np
import pytest
import torch

from robustshape.errors import DamagedError, InputError, MissingFileError, StoreError
from robustshape.generators.stylegan2 import Discriminator, Generator, read_network, write_network
from robustshape.models.weights import sha256

SIZES = {"channel_base": 32, "channel_max": 8}


@pytest.fixture
def official(monkeypatch):
    """Return a function that writes a network as the official training does: modules by state, under its names."""
    persistence, util = types.ModuleType("torch_utils.persistence"), types.ModuleType("dnnlib.util")

    class EasyDict(dict):
        pass

    def _reconstruct_persistent_obj(meta):
        raise AssertionError("the file's own code would run here")

    _reconstruct_persistent_obj.__module__ = "torch_utils.persistence"
    _reconstruct_persistent_obj.__qualname__ = "_reconstruct_persistent_obj"
    EasyDict.__module__, EasyDict.__qualname__ = "dnnlib.util", "EasyDict"
    persistence._reconstruct_persistent_obj, util.EasyDict = _reconstruct_persistent_obj, EasyDict
    for name, module in (("torch_utils.persistence", persistence), ("dnnlib.util", util)):
        monkeypatch.setitem(sys.modules, name.split(".")[0], types.ModuleType(name.split(".")[0]))
        monkeypatch.setitem(sys.modules, name, module)

    class Persistent:
        def __init__(self, module, name, kwargs):
            self.module, self.name, self.kwargs = module, name, kwargs

        def __reduce__(self):
            state = {
                "_init_args": (),
                "_init_kwargs": self.kwargs,
                "_parameters": OrderedDict(self.module._parameters),
                "_buffers": OrderedDict(self.module._buffers),
                "_modules": OrderedDict(
                    (name, Persistent(inner, type(inner).__name__, {}))
                    for name, inner in self.module._modules.items()
                ),
                "training": False,
                "seen": np.float64(3.5),
            }
            source = "import os\nos.system('touch ran')\n"
            meta = EasyDict(type="class", version=6, module_src=source, class_name=self.name, state=state)
            return _reconstruct_persistent_obj, (meta,)

    def write(path, modules, protocol=4):
        persistent = {key: Persistent(*parts) for key, parts in modules.items()}
        path.write_bytes(pickle.dumps({**persistent, "training_set_kwargs": EasyDict(path="x")}, protocol))
        return path

    return write


def generator(**changes):
    torch.manual_seed(0)
    return Generator(
        **{"z_dim": 4, "c_dim": 2, "w_dim": 4, "img_resolution": 8, "img_channels": 1} | changes, **SIZES
    )


GENERATOR = {
    "z_dim": 4, "c_dim": 2, "w_dim": 4, "img_resolution": 8, "img_channels": 1,
    "mapping_kwargs": {"num_layers": 8}, "synthesis_kwargs": {**SIZES, "num_fp16_res": 4, "conv_clamp": 256},
}  # fmt: skip


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_an_official_generator_is_read_and_its_source_does_not_run(tmp_path, monkeypatch, official, protocol):
    monkeypatch.chdir(tmp_path)
    ours = generator(conv_clamp=256)
    path = official(tmp_path / "network.pkl", {"G_ema": (ours, "Generator", GENERATOR)}, protocol)
    found = read_network(path)
    z, c = torch.randn(3, 4), torch.eye(2)[[0, 1, 0]]
    assert torch.equal(found(z, c), ours(z, c)) and found.settings == ours.settings
    assert not found.training and not any(p.requires_grad for p in found.parameters())
    assert not (tmp_path / "ran").exists()


def test_an_official_discriminator_is_read(tmp_path, official):
    torch.manual_seed(0)
    ours = Discriminator(2, 8, 1, **SIZES, architecture="skip", mbstd_group_size=2)
    given = {
        "c_dim": 2, "img_resolution": 8, "img_channels": 1, "architecture": "skip", **SIZES, "block_kwargs": {},
        "mapping_kwargs": {}, "epilogue_kwargs": {"mbstd_group_size": 2},
    }  # fmt: skip
    found = read_network(official(tmp_path / "n.pkl", {"D": (ours, "Discriminator", given)}), "D")
    images, c = torch.randn(4, 1, 8, 8), torch.eye(2)[[0, 1, 0, 1]]
    assert torch.equal(found(images, c), ours(images, c))


def test_an_official_discriminator_that_compares_whole_batches_is_read_and_runs(tmp_path, official):
    ours = Discriminator(0, 8, 1, **SIZES, mbstd_group_size=None)
    given = {
        "c_dim": 0, "img_resolution": 8, "img_channels": 1, **SIZES, "epilogue_kwargs": {"mbstd_group_size": None},
    }  # fmt: skip
    found = read_network(official(tmp_path / "n.pkl", {"D": (ours, "Discriminator", given)}), "D")
    images = torch.randn(5, 1, 8, 8)  # a batch that no group but its own size divides
    assert torch.equal(found(images), ours(images))
    write_network(tmp_path / "ours.safetensors", found, network="D")
    assert torch.equal(read_network(tmp_path / "ours.safetensors", "D")(images), ours(images))


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("module", ["dnnlib.tflib.network", "tfutil"])
def test_networks_of_tensorflow_are_to_be_converted(tmp_path, monkeypatch, module, protocol):
    theirs = types.ModuleType(module)
    theirs.Network = type("Network", (), {"__module__": module})
    for name in ("dnnlib", "dnnlib.tflib", module):
        monkeypatch.setitem(sys.modules, name, theirs if name == module else types.ModuleType(name))
    networks = tuple(theirs.Network() for _ in range(3))
    for network in networks:
        network.__dict__.update(version=4, variables=[("w", np.zeros(3))])
    path = tmp_path / "stylegan2-ffhq.pkl"
    path.write_bytes(pickle.dumps(networks, protocol))
    with pytest.raises(
        StoreError, match=r"stylegan2-ffhq.pkl holds networks of TensorFlow.*legacy\.py --source=.*pkl"
    ):
        read_network(path)


class Runs:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize(
    ("function", "named"), [(os.system, "system"), (eval, "eval"), (torch.load, "torch")]
)
def test_a_pickle_that_would_run_something_is_refused_and_nothing_runs(tmp_path, protocol, function, named):
    mark = tmp_path / "mark"
    path = tmp_path / "network.pkl"
    path.write_bytes(pickle.dumps({"G_ema": Runs(function, f"touch {mark}")}, protocol))
    with pytest.raises(StoreError, match=rf"asks for .*{named}.*, which no network of StyleGAN2 needs"):
        read_network(path)
    assert not mark.exists()


def test_a_pickle_inside_the_pickle_is_refused_too(tmp_path):
    mark, path = tmp_path / "mark", tmp_path / "network.pkl"
    inner = io.BytesIO()
    torch.save(Runs(os.system, f"touch {mark}"), inner)
    path.write_bytes(pickle.dumps({"G_ema": Runs(torch.storage._load_from_bytes, inner.getvalue())}))
    with pytest.raises(StoreError, match="is damaged"):
        read_network(path)
    assert not mark.exists()


def test_a_tensor_beyond_its_storage_is_refused(tmp_path):
    class Beyond:
        def __reduce__(self):
            storage = torch.zeros(4).untyped_storage()
            typed = torch.storage.TypedStorage(wrap_storage=storage, dtype=torch.float32, _internal=True)
            return torch._utils._rebuild_tensor_v2, (typed, 2, (4,), (1,), False, OrderedDict())

    path = tmp_path / "network.pkl"
    path.write_bytes(pickle.dumps({"G_ema": Beyond()}))
    with pytest.raises(StoreError, match="out of bounds"):
        read_network(path)


def test_damaged_and_other_files_are_named(tmp_path, official):
    whole = official(tmp_path / "network.pkl", {"G_ema": (generator(conv_clamp=256), "Generator", GENERATOR)})
    (tmp_path / "short.pkl").write_bytes(whole.read_bytes()[:-200])
    (tmp_path / "list.pkl").write_bytes(pickle.dumps([1]))
    write_network(tmp_path / "ours.safetensors", generator())
    (tmp_path / "short.safetensors").write_bytes((tmp_path / "ours.safetensors").read_bytes()[:-9])
    for name, said in {
        "short.pkl": "short.pkl is not a network of StyleGAN2 or is damaged",
        "list.pkl": "holds no modules",
        "short.safetensors": "short.safetensors cannot be read",
    }.items():
        with pytest.raises(StoreError, match=said):
            read_network(tmp_path / name)
    with pytest.raises(InputError, match="no network 'D', only: G_ema"):
        read_network(whole, "D")
    with pytest.raises(InputError, match="holds the network 'G_ema', but 'D' was asked for"):
        read_network(tmp_path / "ours.safetensors", "D")
    with pytest.raises(InputError, match=r"\.safetensors or an official \.pkl, but the file is 'network.pt'"):
        read_network("network.pt")
    with pytest.raises(MissingFileError, match="there is no file"):
        read_network(tmp_path / "none.pkl")


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (
            {"synthesis_kwargs": {**SIZES, "activation": "relu"}},
            InputError,
            "activation='relu', which is not supported",
        ),
        ({"synthesis_kwargs": {**SIZES, "architecture": "orig"}}, InputError, "only 'skip' is supported"),
        ({"img_resolution": 16}, InputError, r"do not fit a Generator: .*Missing key.*synthesis\.b16"),
    ],
)
def test_a_network_built_otherwise_is_refused(tmp_path, official, change, error, said):
    path = official(tmp_path / "n.pkl", {"G_ema": (generator(), "Generator", GENERATOR | change)})
    with pytest.raises(error, match=said):
        read_network(path)


def test_a_network_that_is_not_its_card_s_is_refused(tmp_path):
    path = tmp_path / "ours.safetensors"
    write_network(path, generator())
    card = {"weights": path.name, "sha256": sha256(path).removeprefix("sha256:")}
    path.with_suffix(".json").write_text(json.dumps(card))
    assert read_network(path).settings == generator().settings
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(
        DamagedError, match=rf"ours.safetensors has sha256:.*, but its card says sha256:{card['sha256']}"
    ):
        read_network(path)
    path.with_suffix(".json").write_text('{"weights')
    with pytest.raises(DamagedError, match=r"the card .*ours\.json is damaged: it is no JSON"):
        read_network(path)
    path.with_suffix(".json").write_text('{"weights": "of others"}')
    assert read_network(path)


def test_another_filter_and_another_class_are_refused(tmp_path, official):
    other = generator()
    other.synthesis.b8.resample_filter.mul_(2)
    with pytest.raises(
        InputError, match=r"other numbers than \[1, 3, 3, 1\] \(synthesis.b8.resample_filter\)"
    ):
        read_network(official(tmp_path / "n.pkl", {"G_ema": (other, "Generator", GENERATOR)}))
    with pytest.raises(InputError, match="this one is a Mapper"):
        read_network(official(tmp_path / "n.pkl", {"G_ema": (other, "Mapper", GENERATOR)}))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_our_own_file_comes_back_equal_to_its_precision(tmp_path, dtype):
    ours, path = generator(), tmp_path / "network.safetensors"
    write_network(path, ours, dtype=dtype)
    found = read_network(path)
    assert found.settings == ours.settings
    for name, tensor in found.state_dict().items():
        assert tensor.dtype == torch.float32 and torch.equal(
            tensor, ours.state_dict()[name].to(dtype).float()
        )
    assert [p.name for p in tmp_path.iterdir()] == ["network.safetensors"]


@pytest.mark.parametrize(
    "change, words",
    [
        ({"z_dim": 10**12}, "says that z_dim is 1000000000000, but it is at most 65,536"),
        ({"w_dim": 60_000}, "says that its network has a tensor of 240,000 numbers, but it holds"),
        ({"mapping_layers": 5000}, "says that its network has 5000 mapping_layers"),
        (
            {"img_resolution": 1 << 16, "channel_base": 1 << 16, "channel_max": 1 << 16},
            "numbers, but it holds",
        ),
    ],
)
def test_a_file_that_says_more_than_it_holds_makes_no_room(tmp_path, change, words):
    import json

    from safetensors.torch import save_file

    small = Generator(4, 0, 4, 8, 1, **SIZES, mapping_layers=1)
    about = {"network": "G_ema", "kind": "Generator", "settings": json.dumps(small.settings | change)}
    state = {name: tensor.contiguous() for name, tensor in small.state_dict().items()}
    save_file(state, tmp_path / "large.safetensors", metadata=about)
    with pytest.raises(StoreError, match=f"large.safetensors {words}|{words}"):
        read_network(tmp_path / "large.safetensors")


def test_one_number_is_no_large_tensor():
    from robustshape.generators.stylegan2.official import _tensor

    inside = torch.zeros(1).untyped_storage()
    storage = torch.storage.TypedStorage(wrap_storage=inside, dtype=torch.float32, _internal=True)
    assert _tensor(storage, 0, (1,), (1,)).shape == (1,)
    with pytest.raises(ValueError, match="more numbers than are stored"):
        _tensor(storage, 0, (10**12,), (0,))
