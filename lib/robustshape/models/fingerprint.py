"""What a network is, as a hash: its structure and its numbers, whatever file or function they came from."""

import hashlib
import re

import torch
from torch import nn


def fingerprint(module: nn.Module) -> str:
    """Return ``sha256:...`` of a network's structure, and of the names, shapes, types and bytes of its numbers.

    Buffers that are not saved count too. Whether it is in training mode or on which device it is does not.

    >>> torch.manual_seed(0) and fingerprint(nn.Linear(2, 2)) == fingerprint(nn.Linear(2, 2))
    False
    """
    digest = hashlib.sha256(re.sub(r" at 0x[0-9a-f]+", "", str(module)).encode())
    numbers = [
        *module.named_parameters(remove_duplicate=False),
        *module.named_buffers(remove_duplicate=False),
    ]
    for name, tensor in sorted(numbers, key=lambda pair: pair[0]):
        digest.update(f"\n{name} {tuple(tensor.shape)} {tensor.dtype} ".encode())
        values = tensor.detach().cpu().contiguous().flatten()
        digest.update(memoryview(values.view(torch.uint8).numpy()) if values.numel() else b"")
    return f"sha256:{digest.hexdigest()}"
