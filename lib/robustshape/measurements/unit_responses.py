"""What every unit of a network's rectified convolutions answers to images, and how sensitive it is to their pixels.

A unit is one channel after its ReLU, its response the mean of its map (see `relu_maps`). Images go through in
chunks of fixed size, the last one padded, so no number depends on how many are asked for.
"""

import numpy as np
import torch

from robustshape.errors import InputError
from robustshape.models.classifier import chunk_of
from robustshape.relu_maps import check_found, pooled_relu_maps

GRADIENT_CHUNK = 16  # images in every backward pass


def unit_responses(classifier, images) -> list[np.ndarray]:
    """Return the responses of every layer, in the order of execution: a list of (n, units) float32.

    Parameters
    ----------
    classifier : robustshape.models.classifier.Classifier
    images : (n, h, w, c) uint8, or (n, c, h, w) float32 tensor
        A tensor is pixels in [0, 1] as `Classifier.pixels` returns them, such as attacked images.

    Raises
    ------
    InputError
        If there is no image, the network has no rectified convolution, or a response is not finite.
    """
    if not len(images):
        raise InputError("unit responses need at least one image, but were given none")
    network, parts = classifier.on_pixels(), []
    sides = images.shape[2:] if torch.is_tensor(images) else classifier.pixels(images[:1]).shape[2:]
    chunk = chunk_of(*sides)
    with torch.inference_mode():
        for start in range(0, len(images), chunk):
            part = images[start : start + chunk]
            x = part.to(classifier.device) if torch.is_tensor(part) else classifier.pixels(part)
            with pooled_relu_maps() as pooled:
                network(_padded(x, chunk))
            check_found(pooled, classifier.module)
            parts.append([layer[: len(x)].float().cpu().numpy() for layer in pooled])
    found = [np.concatenate(layer) for layer in zip(*parts)]
    if not all(np.isfinite(layer).all() for layer in found):
        raise InputError(f"{classifier.name} gives responses that are not finite: it has diverged")
    return found


def input_gradients(classifier, x) -> list[np.ndarray]:
    """Return the length of the gradient of every unit's response by the pixels: a list of (n, units) float32.

    The L2 norm of d u / d x, x the pixels in [0, 1] before they are normalised (Leavitt, Morcos 2020,
    arXiv 2010.07693). One backward pass per unit serves all images of a chunk, for an image's response depends on
    its own pixels alone.

    Parameters
    ----------
    classifier : robustshape.models.classifier.Classifier
    x : (n, c, h, w) float32 tensor
        Pixels as `Classifier.pixels` returns them.
    """
    return [
        np.concatenate(layer) for layer in zip(*(_unit_gradients(classifier, part) for part in _chunks(x)))
    ]


def logit_jacobian_norms(classifier, x, columns=slice(None)) -> np.ndarray:
    """Return the Frobenius norm of the Jacobian of the logits by the pixels: (n,) float64.

    Parameters
    ----------
    classifier : robustshape.models.classifier.Classifier
    x : (n, c, h, w) float32 tensor
        Pixels as `Classifier.pixels` returns them.
    columns : slice or index array
        Of the logits that count; default: all. There is one backward pass for each.
    """
    network, found = classifier.on_pixels(), []
    for part in _chunks(x):
        pixels = _padded(part, GRADIENT_CHUNK).to(classifier.device).detach().requires_grad_(True)
        logits = network(pixels)[:, columns]
        squares = sum(_lengths(logits[:, k], pixels) ** 2 for k in range(logits.shape[1]))
        found.append(np.sqrt(squares[: len(part)]))
    return np.concatenate(found)


def _unit_gradients(classifier, part):
    pixels = _padded(part, GRADIENT_CHUNK).to(classifier.device).detach().requires_grad_(True)
    with pooled_relu_maps() as pooled:
        classifier.on_pixels()(pixels)
    check_found(pooled, classifier.module)
    return [
        np.stack([_lengths(layer[:, u], pixels) for u in range(layer.shape[1])], axis=1)[: len(part)].astype(
            np.float32
        )
        for layer in pooled
    ]


def _lengths(values, pixels) -> np.ndarray:
    """Return the norm (n,) of each image's gradient of its own entry of `values` (n,)."""
    (gradient,) = torch.autograd.grad(values.sum(), pixels, retain_graph=True)
    return gradient.flatten(1).double().norm(dim=1).cpu().numpy()


def _chunks(x):
    if not torch.is_tensor(x) or x.ndim != 4 or not len(x):
        raise InputError(
            "gradients need pixels (n, c, h, w) as Classifier.pixels returns them, at least one image"
        )
    return x.split(GRADIENT_CHUNK)


def _padded(x, n: int):
    """Return `x` filled up to n images, and laid out alike in memory whether it was full or not: kernels go by that."""
    filled = x if len(x) == n else torch.cat([x, x[:1].expand(n - len(x), *x.shape[1:])])
    return filled.clone(memory_format=torch.contiguous_format)
