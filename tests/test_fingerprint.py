"""What a network is, as a hash: everything that decides its numbers changes it, nothing else does."""

import pytest
import torch
from torch import nn

from robustshape.models.fingerprint import fingerprint


def net(act=nn.ReLU):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), act(), nn.Flatten(), nn.Linear(8, 3))
    network.register_buffer("mean", torch.zeros(2), persistent=False)
    return network


def change(name, value):
    network = net()
    network.get_submodule(name[0]).__getattr__(name[1]).data.view(-1)[0] = value
    return network


def test_the_same_network_has_the_same_hash_whatever_its_mode_and_layout():
    other = net().eval().requires_grad_(False).to(memory_format=torch.channels_last)
    assert fingerprint(net()) == fingerprint(other)


@pytest.mark.parametrize(
    "other",
    [
        net(nn.Tanh),
        net().double(),
        nn.Sequential(net()),
        change(("0", "weight"), 7.0),
        change(("1", "running_mean"), 1e-7),
        change(("1", "num_batches_tracked"), 3),
        change(("", "mean"), 1.0),
    ],
    ids=["layer", "type", "names", "parameter", "buffer", "counter", "unsaved buffer"],
)
def test_whatever_decides_the_numbers_changes_it(other):
    assert fingerprint(other) != fingerprint(net())


def test_addresses_in_memory_do_not_count():
    class Layer(nn.Module):
        def extra_repr(self):
            return f"act=<function f at {hex(id(self))}>"

    assert fingerprint(Layer()) == fingerprint(Layer())


def test_numbers_of_every_type_count():
    for kind in (torch.bfloat16, torch.float16, torch.complex64, torch.int8, torch.bool):
        one, two = nn.Module(), nn.Module()
        one.register_buffer("x", torch.zeros(3).to(kind))
        two.register_buffer("x", torch.tensor([0.0, 0, 1]).to(kind))
        assert fingerprint(one) != fingerprint(two)
