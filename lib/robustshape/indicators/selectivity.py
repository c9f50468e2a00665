"""How selectively a unit responds to one class: the index, and its mean as a term of a training loss.

Class selectivity index (Leavitt, Morcos 2020, arXiv 2003.01262, after Morcos et al. 2018, arXiv 1803.06959):
(mu_max - mu_-max) / (mu_max + mu_-max + eps), where mu_max is the largest of a unit's mean responses to a class and
mu_-max the mean of its means over the other classes. 0: the same response to every class; 1: to one class only.
"""

import numpy as np

from robustshape.errors import InputError
from robustshape.indicators.checks import as_array, class_labels, in_memory
from robustshape.indicators.registered import INDICATORS

EPS = 1e-6


def class_means(responses, labels) -> np.ndarray:
    """Return the mean response of every unit to every class that occurs: (class, unit) float64.

    >>> class_means([[1.0, 0.0], [3.0, 0.0], [0.0, 5.0]], [0, 0, 7]).tolist()
    [[2.0, 0.0], [0.0, 5.0]]
    """
    responses = _responses(responses).astype(np.float64)
    labels = class_labels(labels, len(responses), "class selectivity")
    if not np.isfinite(responses).all():
        raise InputError("the responses hold values that are not finite; the network has diverged")
    classes, place = np.unique(labels, return_inverse=True)
    member = (place == np.arange(len(classes))[:, None]).astype(np.float64)  # (class, sample)
    return member @ responses / member.sum(1, keepdims=True)


def _responses(responses) -> np.ndarray:
    """Return real responses (sample, unit) as an array, or say what is wrong with them."""
    responses = as_array(in_memory(responses, "class selectivity"), "class selectivity")
    if responses.ndim != 2 or not responses.size or responses.dtype.kind not in "fiub":
        raise InputError(
            "responses are (sample, unit), of at least one sample and unit, but were given "
            f"{responses.dtype} {responses.shape}"
        )
    return responses


def class_selectivity(responses, labels) -> np.ndarray:
    """Return the class selectivity index of every unit (Leavitt, Morcos 2020, arXiv 2003.01262).

    Parameters
    ----------
    responses : (sample, unit) float
        Rectified responses, at least 0: of a convolution's channel the mean of its map.
    labels : (sample,) int
        At least two classes; classes count alike, however many samples they have.

    Returns
    -------
    (unit,) float64 in [0, 1]
        0 for a unit that never responds.

    Examples
    --------
    A unit for one class, one that is twice as strong for it, one for all, one that is dead.

    >>> responses = [[1.0, 2.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0]]
    >>> class_selectivity(responses, [0, 1, 2]).round(3).tolist()
    [1.0, 0.333, 0.0, 0.0]
    """
    means = class_means(responses, labels)
    if means.min() < 0:
        raise InputError(
            f"the selectivity index is for rectified responses, at least 0, but one is {means.min():.3g}"
        )
    largest = means.max(0)
    others = (means.sum(0) - largest) / (len(means) - 1)
    return (largest - others) / (largest + others + EPS)


@INDICATORS.register(
    "feature_selectivity", symbol="SI", about="mean class selectivity index of the penultimate features"
)
def feature_selectivity(features, labels) -> float:
    """Return the mean class selectivity index over the features that the last layer takes, what is below 0 taken as 0.

    Where a ReLU comes before, as in most convolutional networks, that changes nothing; of features of both signs (after a
    layer norm) it is the selectivity of their positive part.

    Parameters
    ----------
    features : (n, d) float
        One row per sample, finite.
    labels : (n,) int
        At least two classes.

    Returns
    -------
    float
        In [0, 1]; a feature that is never above 0 counts as 0. Scaling all features changes it only through EPS.

    Examples
    --------
    >>> round(feature_selectivity([[1.0, 2.0, -1.0], [0.0, 1.0, -2.0], [0.0, 1.0, -1.0]], [0, 1, 2]), 3)
    0.444
    """
    return float(class_selectivity(np.maximum(_responses(features), 0), labels).mean())


def selectivity_loss(pooled, labels):
    """Return the mean class selectivity of a batch, differentiable: the mu_SI of ``CE - alpha * mu_SI``.

    The regulariser of arXiv 2003.01262: the mean over the units of a layer, then over layers. It is computed in float32
    whatever the responses are, over the classes that the batch holds, for all layers in one product.

    Parameters
    ----------
    pooled : list of (n, units) tensors
        Responses of each layer, as `robustshape.relu_maps.pooled_relu_maps` finds them.
    labels : (n,) int tensor
        Classes from 0; at least two of them.

    Returns
    -------
    scalar float32 tensor in [0, 1]

    Raises
    ------
    InputError
        If there is no layer or only one class, or the labels are not one whole number from 0 for each response.

    Examples
    --------
    >>> import torch
    >>> first, second = torch.tensor([[1.0], [0.0]]), torch.tensor([[2.0, 1.0], [1.0, 1.0]])
    >>> round(float(selectivity_loss([first, second], torch.tensor([0, 1]))), 4)
    0.5833
    """
    import torch

    if not pooled:
        raise InputError("the selectivity loss needs the responses of at least one layer, but was given none")
    whole = labels.ndim == 1 and not (labels.is_floating_point() or labels.is_complex())
    if not whole or any(len(layer) != len(labels) for layer in pooled) or (labels < 0).any():
        raise InputError(
            f"labels are one whole number from 0 for each of {len(pooled[0])} responses, but were given {labels.dtype} "
            f"{tuple(labels.shape)}" + (f" down to {int(labels.min())}" if whole and len(labels) else "")
        )
    with torch.autocast(labels.device.type, enabled=False):
        responses = torch.cat([layer.float() for layer in pooled], dim=1)
        count = torch.bincount(labels)
        present = count > 0
        n_classes = int(present.sum())
        if n_classes < 2:
            raise InputError(
                "class selectivity compares classes, but the batch holds "
                f"{f'class {int(labels[0])} alone' if n_classes else 'no image'}; shuffle, or take a larger batch"
            )
        share = (labels[None] == torch.arange(len(count), device=labels.device)[:, None])[present]
        means = (share / count[present, None]) @ responses  # (class, unit)
        largest = means.amax(0)
        others = (means.sum(0) - largest) / (n_classes - 1)
        index = (largest - others) / (largest + others + EPS)
        widths = [layer.shape[1] for layer in pooled]
        weight = torch.cat([index.new_full((width,), 1 / (len(widths) * width)) for width in widths])
        return index @ weight
