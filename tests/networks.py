"""A network whose answers can be worked out by hand, called ``python:networks:by_brightness``."""

TEN = tuple((k, k / 10) for k in range(10))


def by_brightness(levels=TEN, n_classes=10, side=32, resize=None):
    """Return a network whose answer is the class with the level nearest to the mean of an image's values, 0 to 1.

    `levels` are pairs (class, level); other classes are never the answer. With `resize`, it first resizes the
    shorter side and cuts out the middle of `side` px, as networks of ImageNet do.
    """
    from torch import nn

    from robustshape.models.classifier import Classifier
    from robustshape.models.preprocessing import Preprocessing

    linear = nn.Linear(3 * side * side, n_classes)
    linear.weight.data.zero_()
    linear.bias.data.fill_(-9.0)
    for label, level in levels:  # mean^2 - (mean - level)^2
        linear.weight.data[label] = 2 * level / linear.in_features
        linear.bias.data[label] = -(level**2)
    module = nn.Sequential(nn.Flatten(), linear)
    if resize is None:
        return module
    preprocess = Preprocessing(channels=3, size=(side, side), resize=resize)
    return Classifier("by brightness", module, preprocess, "1", n_classes, {})
