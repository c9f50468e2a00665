"""Maps after a ReLU: every way to call one, what is left out, their order, gradients, the error's words."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from robustshape.errors import InputError
from robustshape.models import zoo
from robustshape.relu_maps import check_found, pooled_relu_maps


class Calls(nn.Module):
    """A network that rectifies by a function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


WAYS = {
    "nn.ReLU": nn.ReLU(),
    "nn.ReLU in place": nn.ReLU(inplace=True),
    "nn.ReLU6": nn.ReLU6(),
    "nn.ReLU6 in place": nn.ReLU6(inplace=True),
    "F.relu": Calls(F.relu),
    "F.relu in place": Calls(lambda x: F.relu(x, inplace=True)),
    "F.relu6": Calls(F.relu6),
    "torch.relu": Calls(torch.relu),
    "torch.relu_": Calls(torch.relu_),
    "x.relu": Calls(lambda x: x.relu()),
    "x.relu_": Calls(lambda x: x.relu_()),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_call_a_relu_is_seen_once(way):
    x = torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    expected = x.clamp(min=0).mean(dim=(2, 3))
    with pooled_relu_maps() as pooled:
        WAYS[way](x.clone())
    assert len(pooled) == 1 and torch.allclose(pooled[0], expected)


def test_by_hand_and_gradients_flow():
    x = torch.tensor([[[[1.0, -1.0], [3.0, 0.0]], [[-1.0, -2.0], [-3.0, -4.0]]]], requires_grad=True)
    with pooled_relu_maps() as pooled:
        nn.ReLU()(x)
    assert pooled[0].tolist() == [[1, 0]]
    pooled[0].sum().backward()
    assert x.grad.tolist() == [[[[0.25, 0], [0.25, 0]], [[0, 0], [0, 0]]]]


@pytest.mark.parametrize(
    "given, expected",
    [
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_responses_of_large_maps_in_half_precision_do_not_overflow(given, expected):
    with pooled_relu_maps() as pooled:
        nn.ReLU()(torch.full((1, 2, 64, 64), 100, dtype=given))
    assert pooled[0].dtype == expected and pooled[0].tolist() == [[100, 100]]


def test_responses_are_the_mean_bit_for_bit():
    maps = torch.rand(16, 8, 12, 12, requires_grad=True)
    with pooled_relu_maps() as pooled:
        relu = nn.ReLU()(maps.contiguous(memory_format=torch.channels_last))
    weight = torch.rand(16, 8)
    assert torch.equal(pooled[0], relu.mean(dim=(2, 3)))
    gradients = [
        torch.autograd.grad((found * weight).sum(), maps, retain_graph=True)[0]
        for found in (pooled[0], relu.mean(dim=(2, 3)))
    ]
    assert torch.equal(*gradients)


def test_one_module_called_twice_counts_twice_in_the_order_of_execution():
    relu, first, second = nn.ReLU(inplace=True), nn.Conv2d(1, 4, 3), nn.Conv2d(4, 2, 3)
    with pooled_relu_maps() as pooled:
        relu(second(relu(first(torch.rand(3, 1, 8, 8)))))
    assert [tuple(layer.shape) for layer in pooled] == [(3, 4), (3, 2)]


def test_linear_layers_and_other_activations_are_left_out():
    layers = [nn.Conv2d(1, 4, 3), nn.GELU(), nn.LeakyReLU(), nn.Hardtanh(), nn.Sigmoid(), nn.Flatten()]
    with pooled_relu_maps() as pooled:
        nn.Sequential(*layers, nn.Linear(144, 5), nn.ReLU())(torch.rand(2, 1, 8, 8))
    assert pooled == []


def test_nothing_is_seen_outside_the_block_nor_changed_inside():
    network, x = zoo.construct("resnet").eval(), torch.rand(2, 1, 32, 32)
    with pooled_relu_maps() as pooled:
        inside = network(x)
    seen = len(pooled)
    assert torch.equal(network(x), inside) and len(pooled) == seen == 7


@pytest.mark.parametrize(
    "name, channels, widths",
    [
        ("cifar_resnet20", 3, [16] * 7 + [32] * 6 + [64] * 6),
        ("tiny_resnet18", 3, [64] * 5 + [128] * 4 + [256] * 4 + [512] * 4),
        ("lenet", 1, [6, 16]),
        ("cnn_a", 3, [16, 32]),
    ],
)
def test_layers_and_units_of_our_networks(name, channels, widths):
    with pooled_relu_maps() as pooled, torch.no_grad():
        zoo.construct(name, channels=channels)(torch.rand(2, channels, 32, 32))
    assert [layer.shape[1] for layer in pooled] == widths
    known = {"cifar_resnet20": (19, 688), "tiny_resnet18": (17, 3904)}
    assert known.get(name, (2, sum(widths))) == (len(widths), sum(widths))


def test_a_network_without_any_is_refused():
    network = zoo.construct("convnext")
    with pooled_relu_maps() as pooled:
        network(torch.rand(2, 1, 32, 32))
    words = "a Sequential has no rectified convolution: .* such as GELU do not count; take a network such as zoo:resnet"
    with pytest.raises(InputError, match=words):
        check_found(pooled, network)
