"""Files of weights: what programs write around a network's tensors, what is refused, and the words of the errors."""

import argparse
import hashlib
import os

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from robustshape.errors import InputError, StoreError
from robustshape.generators.stylegan2 import Generator, write_network
from robustshape.models.weights import check_sha256, fit_weights, read_weights, renamed, sha256, write_weights


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3))


STATE = net().state_dict()
OTHER = {name: value + 1 for name, value in STATE.items()}


def before(prefix, state=STATE):
    return {prefix + name: value for name, value in state.items()}


@pytest.mark.parametrize(
    "saved",
    [
        STATE,
        before("module."),
        before("_orig_mod."),
        before("_orig_mod.module."),
        before("module._orig_mod."),
        before("net.inner.model."),
        {name.replace("0.", "0._orig_mod."): value for name, value in STATE.items()},  # one layer compiled
        {"state_dict": STATE, "epoch": 3, "decay": torch.ones(1)},
        {"model": {"state_dict": before("module.")}, "optimizer": {}},
        {"model_state_dict": STATE, "loss": 0.1},
        {"net": STATE, "acc": 91.2},
        {"state_dict": before("model."), "pytorch-lightning_version": "2.4.0"},
        {"state_dict_ema": STATE},
        {"state_dict_ema": OTHER, "state_dict": STATE},
        {**STATE, "epoch": 3},
    ],
    ids=lambda saved: "/".join(list(saved)[:2]),
)
def test_what_programs_write_loads(saved, tmp_path):
    torch.save(saved, tmp_path / "w.pth")
    network = net()
    network[3].weight.data.zero_()
    fit_weights(network, read_weights(tmp_path / "w.pth"), tmp_path / "w.pth")
    assert all(torch.equal(value, STATE[name]) for name, value in network.state_dict().items())


def test_half_precision_becomes_single_and_integers_stay(tmp_path):
    save_file({"a": torch.ones(2, dtype=torch.float16), "n": torch.tensor(3)}, tmp_path / "w.safetensors")
    found = read_weights(tmp_path / "w.safetensors")
    assert found["a"].dtype == torch.float32 and found["n"].dtype == torch.int64


def test_a_network_whose_names_begin_like_a_wrapper_s_loads(tmp_path):
    network = nn.Module()
    network.module = net()
    torch.save(network.state_dict(), tmp_path / "w.pth")
    fit_weights(network, read_weights(tmp_path / "w.pth"), tmp_path / "w.pth")


def test_names_are_changed_only_where_they_then_are_the_network_s():
    assert renamed({"module.a": 1, "b": 2}, {"a", "b"}) == {"module.a": 1, "b": 2}
    assert renamed({"m.a": 1, "m.c": 2}, {"a", "b"}) == {"m.a": 1, "m.c": 2}
    assert renamed({"a": 1}, {"a"}) == {"a": 1} and renamed({}, {"a"}) == {}


SAVE = r"where the network was trained, save its tensors alone: torch.save\(network.state_dict\(\), 'weights.pth'\)"


@pytest.mark.parametrize(
    "saved, words",
    [
        (
            {"state_dict": STATE, "args": argparse.Namespace(lr=0.1)},
            r"holds more than tensors \(argparse.Namespace\)",
        ),
        (
            {"state_dict": STATE, "best": np.float64(9)},
            r"holds more than tensors \(.*numpy._core.multiarray.scalar",
        ),
        (net(), r"holds more than tensors \(a whole network, .*Conv2d.* more\)"),
        (
            {"epoch": 3, "lr": 0.1},
            "w.pth holds a dictionary with epoch, lr, where a dictionary of tensors is needed",
        ),
        ([1, 2], "w.pth holds list, where a dictionary of tensors is needed"),
    ],
    ids=["namespace", "numpy", "module", "no tensors", "list"],
)
def test_what_is_no_state_dict_is_named_with_what_to_save(saved, words, tmp_path):
    for new in (True, False):  # and as PyTorch wrote files before 1.6
        torch.save(saved, tmp_path / "w.pth", _use_new_zipfile_serialization=new)
        with pytest.raises(StoreError) as error:
            read_weights(tmp_path / "w.pth")
        assert (
            error.match(SAVE)
            and "weights_only" not in str(error.value)
            and "get the file" not in str(error.value)
        )
        assert error.match(words if new else "w.pth holds ")


def test_a_damaged_file_is_named(tmp_path):
    torch.save(STATE, tmp_path / "w.pth")
    (tmp_path / "cut.pth").write_bytes((tmp_path / "w.pth").read_bytes()[:-200])
    (tmp_path / "junk.pth").write_bytes(b"junk" * 99)
    for name in ("cut", "junk"):
        with pytest.raises(
            StoreError, match=rf"the weights .*{name}.pth cannot be read .*; get the file again"
        ):
            read_weights(tmp_path / f"{name}.pth")


def test_other_shapes_are_named(tmp_path):
    state = STATE | {"3.weight": torch.zeros(9, 8)}
    with pytest.raises(InputError, match=r"w.pth do not fit a Sequential: .*3.weight.*9, 8"):
        fit_weights(net(), state, tmp_path / "w.pth")


def test_a_digest_is_checked_by_reading_the_file_anew(tmp_path):
    path = tmp_path / "w.bin"
    path.write_bytes(b"one")
    expected = "sha256:" + hashlib.sha256(b"one").hexdigest()
    assert sha256(path) == expected and check_sha256(path, expected, "its card") is None
    times = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # as copying programs set it
    with pytest.raises(
        StoreError, match=r"w.bin has sha256:3fc4.*, but its card says sha256:7692.*; get the file again"
    ):
        check_sha256(path, expected, "its card")


def test_equal_tensors_give_equal_bytes_in_any_order_and_layout(tmp_path):
    torch.manual_seed(0)
    state = {name: torch.randn(2, 3, 4, 4) for name in "abcdefgh"}
    state |= {"i": torch.arange(3), "j": torch.ones(2).half()}
    about = {name: name for name in "zyxwv"}
    made, last = (
        Generator(4, 0, 4, 8, 1, channel_base=32, channel_max=4, mapping_layers=1),
        torch.channels_last,
    )
    written = []
    for turn in range(6):
        names = sorted(state, key=lambda name: (ord(name) * 7919 * (turn + 1)) % 101)
        given = {
            name: state[name].to(memory_format=last) if name in "ace"[:turn] else state[name]
            for name in names
        }
        texts = dict(sorted(about.items(), reverse=turn % 2 == 0))
        write_weights(tmp_path / "plain.safetensors", given)
        write_weights(tmp_path / "about.safetensors", given, texts)
        write_network(tmp_path / "network.safetensors", made.to(memory_format=last) if turn % 2 else made)
        written.append({path.name: path.read_bytes() for path in tmp_path.iterdir()})
    assert len(written[0]) == 3 and all(each == written[0] for each in written)
    with safe_open(tmp_path / "about.safetensors", "pt") as file:
        assert file.metadata() == about
    for name in ("plain", "about"):
        found = load_file(tmp_path / f"{name}.safetensors")
        assert found.keys() == state.keys() and all(torch.equal(found[one], state[one]) for one in state)
        assert {one: value.dtype for one, value in found.items()} == {
            one: v.dtype for one, v in state.items()
        }
