"""Find the maps after the ReLU of every convolution of any torch network, while it runs.

Rectifications are seen where they are called, as a module (nn.ReLU), a function (F.relu) or a method (x.relu_()),
so the network needs neither names nor hooks of its own, and one ReLU module called twice counts twice.

>>> import torch
>>> from torch import nn
>>> network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(36, 5), nn.ReLU())
>>> with pooled_relu_maps() as pooled:
...     _ = network(torch.ones(2, 1, 5, 5))
>>> [tuple(one.shape) for one in pooled]
[(2, 4)]
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from robustshape.errors import InputError

RELUS = frozenset({F.relu, F.relu_, F.relu6, torch.relu, torch.relu_, torch.Tensor.relu, torch.Tensor.relu_})


class _Watch(TorchFunctionMode):
    """Hands over what every ReLU returns, in the order of execution."""

    def __init__(self, keep):
        super().__init__()
        self.keep = keep

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        found = function(*args, **kwargs)
        clipped = function is F.hardtanh and 0 in (kwargs.get("min_val"), *args[1:2])  # what nn.ReLU6 calls
        if (clipped or function in RELUS) and found.ndim == 4:
            self.keep(found)
        return found


def _pooled(maps):
    """Return the means of maps over all places.

    A sum, then a division of few numbers: the gradient of `mean` would write an array as large as the maps. On a
    CPU the two are equal bit for bit in float32.
    """
    wide = torch.promote_types(maps.dtype, torch.float32)  # a sum of many has no place in float16
    return maps.sum(dim=(2, 3), dtype=wide) / (maps.shape[2] * maps.shape[3])


@contextmanager
def pooled_relu_maps() -> Iterator[list[torch.Tensor]]:
    """Yield a list that a forward pass inside the block fills with one (n, channels) tensor for each layer.

    A unit is one channel of a rectified convolution, and its response the mean of its map over all places
    (Leavitt, Morcos 2020, arXiv 2003.01262). Maps are those a ReLU or ReLU6 returns with four
    dimensions; linear layers are left out. Responses are float32 also of maps in half precision. Nothing is
    detached: gradients flow through the responses. The list grows with every pass: open a block for each.
    """
    pooled: list[torch.Tensor] = []
    with _Watch(lambda maps: pooled.append(_pooled(maps))):
        yield pooled


def check_found(pooled: list, network) -> None:
    """Raise InputError if no layer was found, with what was looked for; `network` is a module or its name."""
    if not pooled:
        name = network if isinstance(network, str) else f"a {type(network).__name__}"
        raise InputError(
            f"{name} has no rectified convolution: maps (n, channels, height, width) that come out "
            "of ReLU or ReLU6 were looked for (nn.ReLU, F.relu, torch.relu), other activations such as GELU do not "
            "count; take a network such as zoo:resnet or zoo:cifar_resnet20"
        )
