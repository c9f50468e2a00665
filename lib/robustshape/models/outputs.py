"""The logits in whatever a network returns: a tensor, or something that holds one where the field's libraries put it."""

from collections.abc import Mapping

import torch
from torch import nn

from robustshape.errors import InputError

LOGITS = "logits"


def logits_of(output) -> torch.Tensor:
    """Return the logits (n, class) in what a network returns.

    Parameters
    ----------
    output : Tensor, mapping with ``logits``, object with ``.logits``, tuple or list
        Of a tuple or list, the first element, as in ``(logits, features)``.

    Raises
    ------
    InputError
        If there are none, or they are not one row of at least two numbers for each image.

    Examples
    --------
    >>> logits_of({"logits": torch.ones(4, 10), "features": torch.ones(4, 64)}).shape
    torch.Size([4, 10])
    """
    found = output
    if isinstance(found, Mapping):
        if LOGITS not in found:
            keys = ", ".join(map(str, found)) or "none"
            raise InputError(f"it returns a dictionary with the keys {keys}, but {_ALLOWED}")
        found = found[LOGITS]
    elif isinstance(getattr(found, LOGITS, None), torch.Tensor):
        found = found.logits
    elif isinstance(found, tuple | list) and found:
        found = found[0]
    if not isinstance(found, torch.Tensor):
        raise InputError(f"it returns a {type(found).__name__}, but {_ALLOWED}")
    if found.ndim != 2 or found.shape[1] < 2:
        raise InputError(f"it returns a tensor of shape {tuple(found.shape)}, but {_ALLOWED}")
    return found


_ALLOWED = "must return logits of shape (images, classes), of two classes at least: a tensor, a tuple that begins with it, or it under the name logits"


class Logits(nn.Module):
    """A network that returns something else than a tensor, returning its logits alone.

    It shares the layers, parameters and buffers of `network` under their names, so that ``named_modules`` and
    the state dict are the network's own; the network itself is not changed.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.__dict__["network"] = network  # not as a layer: that would change every layer's name
        for shared in ("_modules", "_parameters", "_buffers", "_non_persistent_buffers_set"):
            self.__dict__[shared] = network.__dict__[shared]
        self.training = network.training

    def forward(self, x):
        """Return the logits (n, class)."""
        return logits_of(self.network(x))

    def train(self, mode: bool = True):
        """Set the mode of the network as well."""
        self.network.train(mode)
        self.training = mode
        return self
