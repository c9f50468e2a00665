"""Read what goes into and comes out of named modules of any torch network, while it runs.

>>> from torch import nn, ones
>>> network = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
>>> last_linear(network)
'2'
>>> with capture(network, inputs=["2"], outputs=["0"]) as seen:
...     _ = network(ones(5, 4))
>>> tuple(seen.inputs["2"].shape), tuple(seen.outputs["0"].shape)
((5, 3), (5, 3))
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from robustshape.errors import InputError
from robustshape.registry import closest

AND = "+"  # between the names of several layers that are read as one


@dataclass
class Captured:
    """The tensors seen in the latest forward pass, by module name; gradients flow through them."""

    inputs: dict = field(default_factory=dict)
    outputs: dict = field(default_factory=dict)


def layer_names(module) -> list[str]:
    """Return the names of all modules inside `module`, in order of registration."""
    return [name for name, _ in module.named_modules() if name]


def at_depth(module, share: float) -> str:
    """Return the name of the convolution or linear layer that stands at this share of a network's layers.

    The same words for any network, where names differ: 1 is the last layer, 0.5 the one in the middle.

    >>> from torch import nn
    >>> at_depth(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Conv2d(2, 2, 3), nn.Flatten(), nn.Linear(8, 2)), 0.5)
    '2'
    """
    from torch import nn

    names = [name for name, layer in module.named_modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    if not 0 < share <= 1 or not names:
        raise InputError(
            f"depth:{share} was asked for of a {type(module).__name__} with {len(names)} convolutions and linear "
            "layers; a depth is above 0 and at most 1, such as depth:0.5"
        )
    return names[max(0, int(share * len(names) + 0.5) - 1)]


def find_layer(module, name: str):
    """Return the module called `name` inside `module`; an unknown name raises with the closest three.

    ``depth:0.5`` stands for the layer `at_depth` 0.5.
    """
    if name.startswith("depth:"):
        try:
            share = float(name.removeprefix("depth:"))
        except ValueError:
            share = 0.0
        name = at_depth(module, share)
    layers = dict(module.named_modules())
    if name not in layers or not name:
        raise InputError(
            f"unknown layer {name!r} of a {type(module).__name__}; closest: "
            f"{', '.join(closest(name, layer_names(module))) or 'none'}; "
            "list them all with robustshape.hooks.layer_names(classifier.module)"
        )
    return layers[name]


def last_linear(module) -> str:
    """Return the name of the linear layer that was registered last: of networks that end in it, such as the zoo's.

    Of any network, `robustshape.models.heads.find_head` finds the one whose output the network returns.
    """
    from torch import nn

    names = [name for name, layer in module.named_modules() if name and isinstance(layer, nn.Linear)]
    if not names:
        raise InputError(
            f"a {type(module).__name__} has no linear layer to take the penultimate features from; "
            "name the last layer with head="
        )
    return names[-1]


def parts_of(name: str) -> list[str]:
    """Return the layers that a name stands for: several, joined by ``+``, where a network has several classifiers.

    >>> parts_of("head+head_dist"), parts_of("fc")
    (['head', 'head_dist'], ['fc'])
    """
    return name.split(AND)


def joined(inputs: list):
    """Return the tensors (n, ...) that go into several layers as one: their mean, or (n, d) side by side where they differ.

    So do timm's ``forward_head(pre_logits=True)`` of distilled transformers and of CrossViT.

    >>> from torch import tensor
    >>> joined([tensor([[1.0, 3.0]]), tensor([[3.0, 5.0]])])
    tensor([[2., 4.]])
    """
    import torch

    if len({values.shape for values in inputs}) == 1:
        return sum(inputs) / len(inputs) if len(inputs) > 1 else inputs[0]
    return torch.cat(inputs, dim=1)


@contextmanager
def capture(module, *, inputs: Iterable[str] = (), outputs: Iterable[str] = ()) -> Iterator[Captured]:
    """Record inputs and outputs of named modules during forward passes inside the ``with`` block.

    Parameters
    ----------
    module : torch.nn.Module
        Any network.
    inputs, outputs : iterable of str
        Names as in ``module.named_modules()``. A module that is called twice in one pass keeps its last. Those of
        several inputs joined by ``+`` give what `joined` makes of them.

    Yields
    ------
    Captured
        Its two dictionaries are filled anew by every forward pass. Nothing is detached.

    Raises
    ------
    InputError
        If a name does not exist, with the closest three.
    """
    seen, handles = Captured(), []

    def keep_input(name, part, parts, given):
        def keep(_module, arguments):
            given[part] = arguments[0]
            if len(given) == len(parts):
                seen.inputs[name] = joined([given[each] for each in parts])
                given.clear()  # of the next pass they are all new

        return keep

    def keep_output(name):
        return lambda _module, _arguments, output: seen.outputs.__setitem__(name, output)

    before = [(name, part) for name in inputs for part in parts_of(name)]
    layers = {name: find_layer(module, name) for name in [*(part for _, part in before), *outputs]}
    given = {name: {} for name, _ in before}
    try:
        for name, part in before:
            hook = keep_input(name, part, parts_of(name), given[name])
            handles.append(layers[part].register_forward_pre_hook(hook))
        for name in outputs:
            handles.append(layers[name].register_forward_hook(keep_output(name)))
        yield seen
    finally:
        for handle in handles:
            handle.remove()
