"""The features of any layer of a network on a selection: kept ones where there are some, else computed now."""

from robustshape.measurements.classes import finite
from robustshape.measurements.features import open_features

KEPT = {"penultimate": "features", "logits": "logits"}


def layer_features(network, selection, layer: str, *, normalise: bool = False, positions=slice(None)):
    """Return the features (n, d) float32 of a layer of all images, or of those at `positions`.

    Parameters
    ----------
    layer : str
        See `robustshape.models.classifier.Classifier.activations`.
    normalise : bool
        Whether each has length 1.
    """
    import numpy as np

    from robustshape import datasets

    if layer in KEPT:
        values = open_features(network, selection)[KEPT[layer]].values[positions]
    else:
        data = selection.load().isel(sample=positions)
        found = network.load(data).activations(datasets.pixels(data), [layer])[layer]
        values = finite(found, network.name, layer)
    if not normalise:
        return values
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), np.finfo(np.float32).tiny)
