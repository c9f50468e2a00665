"""The logits in what a network returns, and a network that returns them alone."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from robustshape.errors import InputError
from robustshape.models.outputs import Logits, logits_of

Y, F = torch.arange(8.0).view(2, 4), torch.ones(2, 9)


@pytest.mark.parametrize(
    "output",
    [Y, (Y, F), [Y, F], {"features": F, "logits": Y}, SimpleNamespace(logits=Y, hidden=F)],
    ids=["tensor", "tuple", "list", "dict", "object"],
)
def test_logits_where_libraries_put_them(output):
    assert logits_of(output) is Y


@pytest.mark.parametrize(
    "output, words",
    [
        (
            {"out": Y, "aux": F},
            "it returns a dictionary with the keys out, aux, but must return logits of shape",
        ),
        (({"x": Y}, F), "it returns a dict, but must return logits"),
        ((), "it returns a tuple, but must"),
        (None, "it returns a NoneType, but must"),
        (Y[0], r"it returns a tensor of shape \(4,\), but must return logits of shape \(images, classes\)"),
        (Y[:, :1], r"it returns a tensor of shape \(2, 1\)"),
        (Y[None], r"shape \(1, 2, 4\)"),
    ],
)
def test_anything_else_is_named(output, words):
    with pytest.raises(InputError, match=words):
        logits_of(output)


class Both(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale, self.fc = nn.Parameter(torch.ones(1)), nn.Linear(3, 4)
        self.register_buffer("shift", torch.zeros(1), persistent=False)

    def forward(self, x):
        return {"logits": self.fc(x * self.scale + self.shift), "training": self.training}


def test_the_logits_of_a_network_under_its_own_names():
    network = Both()
    logits, x = Logits(network).eval(), torch.ones(2, 3)
    assert torch.equal(logits(x), network(x)["logits"]) and network(x)["training"] is False
    assert [name for name, _ in logits.named_modules()] == ["", "fc"]
    assert logits.state_dict().keys() == network.state_dict().keys() and logits.fc is network.fc
    logits.to(torch.float64)
    assert network.scale.dtype == network.shift.dtype == torch.float64
    assert torch.equal(logits(x.double()), network(x.double())["logits"])
    assert isinstance(network(x.double()), dict)  # the network itself is as it was
