"""The classifying layer of a network: the one whose output the network returns, found by running it once.

From what the network returns, its computation is followed back to the first layers with weights. Where they stand in
the module, in which order they were registered and whether others are called beside them does not matter.

>>> network = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
>>> find_head(network, torch.ones(1, 4))
('2', 2)
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from robustshape.errors import InputError
from robustshape.hooks import AND
from robustshape.models.outputs import logits_of

NORMS = ("BatchNorm", "LayerNorm", "GroupNorm", "InstanceNorm")  # in the names of torch's backward functions
NOT_A_HEAD = (nn.Embedding, nn.LayerNorm, nn.GroupNorm, nn.modules.batchnorm._NormBase)
NAME_IT = (
    "name the layer whose input is the penultimate features with head=: the entry head of a card, or the argument "
    "head of a robustshape.models.classifier.Classifier that your function returns"
)


def find_head(module: nn.Module, x: torch.Tensor) -> tuple[str, int]:
    """Return (name of the classifying layer, number of classes) of a network.

    Parameters
    ----------
    module : torch.nn.Module
        In eval mode; what it returns is read by `robustshape.models.outputs.logits_of`.
    x : (n, ...) float
        Any input that it takes; the values do not matter.

    Returns
    -------
    (str, int)
        Where the answer is the sum or mean of several classifying layers, as in a distilled transformer, their
        names joined by ``+``.

    Raises
    ------
    InputError
        If no linear layer stands there, such as in a network without its classifier, or several do that nothing
        tells to belong together.
    """
    layers = {name: layer for name, layer in module.named_modules() if name and _weighs(layer)}
    quiet = torch.random.fork_rng(
        devices=[]
    )  # a network that draws random numbers does not shift those of others
    with quiet, torch.enable_grad(), _watched(layers) as (nodes, inputs, outputs):
        answer = logits_of(module(x.detach().clone().requires_grad_()))
    n_classes = answer.shape[1]
    if answer.grad_fn is None:  # computed without gradients: the layer that returned these very numbers
        found = [
            (name, False) for name, y in outputs.items() if y.shape == answer.shape and torch.equal(y, answer)
        ]
    else:
        found = _behind(answer.grad_fn, nodes)
    normed = dict(found)
    good = [
        name
        for name in layers
        if name in normed and _classifies(layers[name], outputs[name], n_classes, normed[name])
    ]
    named = _named_by_timm(module, good)
    if named:
        return named, n_classes
    if len(good) == len(found) and len({id(inputs[name]) for name in good}) == 1:
        return good[0], n_classes  # of several layers that see the same features, any one
    raise InputError(_why_not(module, found, good, n_classes))


def _weighs(layer) -> bool:
    """Return whether a layer has a matrix of weights of its own."""
    if isinstance(layer, nn.Linear | nn.modules.conv._ConvNd):
        return True
    weight = layer._parameters.get("weight")
    return weight is not None and weight.ndim == 2 and not isinstance(layer, NOT_A_HEAD)


@contextmanager
def _watched(layers: dict) -> Iterator[tuple[dict, dict, dict]]:
    """Record, during forward passes, the backward function, the input and the output of each layer."""
    nodes, inputs, outputs, handles = {}, {}, {}, []

    def watch(name):
        def keep(_layer, given, output):
            if isinstance(output, torch.Tensor) and given:
                nodes[output.grad_fn], inputs[name], outputs[name] = name, given[0], output

        return keep

    try:
        for name, layer in layers.items():
            handles.append(layer.register_forward_hook(watch(name)))
        yield nodes, inputs, outputs
    finally:
        for handle in handles:
            handle.remove()


def _behind(node, nodes: dict) -> list[tuple[str, bool]]:
    """Return the layers whose output an answer is made of, and whether it was normalised on the way."""
    found, seen, waiting = {}, set(), [(node, False)]
    while waiting:
        node, normed = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if node in nodes:
            found[nodes[node]] = normed
            continue
        normed = normed or any(norm in node.name() for norm in NORMS)
        waiting += [(before, normed) for before, _ in node.next_functions]
    return list(found.items())


def _classifies(layer, output, n_classes: int, normed: bool) -> bool:
    """Return whether a layer can be a classifier: one matrix for every image, or for each of its places."""
    if isinstance(
        layer, nn.modules.conv._ConvNd
    ):  # features of a network without its classifier are normalised
        return set(layer.kernel_size) == {1} and output.shape[1] == n_classes and not normed
    return output.ndim == 2 or output.shape[-1] == n_classes


def _classifiers_of_timm(module) -> list[tuple[str, nn.Module]]:
    """Return the (name, layer) of the classifiers that a network of timm names itself; none of another network."""
    if not (hasattr(module, "get_classifier") and hasattr(module, "forward_head")):
        return []
    given = module.get_classifier()
    given = list(given) if isinstance(given, tuple | list | nn.ModuleList) else [given]
    if all(layer is None or isinstance(layer, nn.Identity) for layer in given):
        raise InputError(
            f"this {type(module).__name__} was built without its classifier (num_classes=0) and gives features alone; "
            "build it with the number of its classes"
        )
    return [
        (name, layer)
        for name, layer in module.named_modules()
        if name and any(layer is each for each in given)
    ]


def _named_by_timm(module, good: list[str]) -> str:
    """Return the names of those classifiers, joined, if the answer does come from each of them."""
    names = [name for name, _ in _classifiers_of_timm(module)]
    used = [name for name in names if any(f"{found}.".startswith(f"{name}.") for found in good)]
    return AND.join(used) if used == names else ""


def _why_not(module, found, good: list[str], n_classes: int) -> str:
    kind = type(module).__name__
    if len(good) > 1:
        return f"what a {kind} returns is made of the outputs of {len(good)} linear layers ({_few(good)}); {NAME_IT}"
    if found:
        return (
            f"what a {kind} returns ({n_classes} numbers an image) does not come from a linear layer but from "
            f"{_few([name for name, _ in found])}, as in a network without its classifier; {NAME_IT}"
        )
    return f"what a {kind} returns cannot be followed back to one of its layers; {NAME_IT}"


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
