"""Which of a network's logits are those of a data set's classes, and whether they can be used at all."""

from robustshape.errors import InputError

IMAGENET = 1000  # its classes


def class_columns(classifier, data):
    """Return which of the network's logits are those of the data set's classes: all, or an index (class,).

    A network of ImageNet's 1,000 classes may be asked about a data set of some of them, which then has the
    attribute ``imagenet_index``; its prediction is the largest among their logits.

    Raises
    ------
    InputError
        If the network knows another number of classes.
    """
    import numpy as np

    known, asked = classifier.n_classes, data.attrs["n_classes"]
    if known == asked:
        return slice(None)
    if known == IMAGENET and "imagenet_index" in data.attrs:
        return np.asarray(data.attrs["imagenet_index"])
    hint = (
        "call the class folders by their WordNet ids (n01443537 ...), so that they are found among ImageNet's, "
        "or choose another network"
        if known == IMAGENET
        else "choose a data set with the network's classes, or another network"
    )
    names = list(data.attrs.get("class_names") or ())
    shown = f" ({', '.join(map(str, names[:3]))}{' ...' if names[3:] else ''})" if names else ""
    raise InputError(
        f"{classifier.name} tells {known} classes apart, but {data.attrs['dataset']!r} has {asked}{shown}; {hint}"
    )


def of_classes(network, columns):
    """Return the torch module `network` with the `columns` of its logits alone."""
    import torch

    class OfClasses(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network

        def forward(self, x):
            return self.network(x)[:, columns]

    return network if isinstance(columns, slice) else OfClasses().eval()


def finite(values, name: str, what: str):
    """Return `values`, or raise InputError if the network called `name` gave NaN or infinity."""
    import numpy as np

    if not np.isfinite(values).all():
        raise InputError(f"{name} gives NaN or infinite {what}; train it again, or leave it out")
    return values


def check(classifier, data) -> None:
    """Raise InputError if the network cannot take the images, or knows another number of classes."""
    from robustshape import datasets

    class_columns(classifier, data)
    classifier.logits(datasets.pixels(data)[:1])
