"""A network whose answers can be worked out by hand, called ``python:networks:by_brightness``."""

TEN = tuple((k, k / 10) for k in range(10))
WNIDS = ("n01443537", "n02124075", "n07753592")  # 1, 285 and 954 of ImageNet: goldfish, cat, banana
THREE = ((1, 0.0), (285, 0.4), (954, 1.0), (7, 0.3))  # the brightness of each, and of another


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


def of_imagenet(levels=THREE):
    """Return a network of ImageNet's 1,000 classes, which crops images; 7, none of the three, is its answer to 0.3."""
    return by_brightness(levels=levels, n_classes=1000, side=8, resize=16)


def wrong_of_all_right_of_three():
    """Return another, which takes 0.31 for class 7, and among the three for a goldfish."""
    return of_imagenet(((1, 0.5), (285, 0.0), (954, 1.0), (7, 0.3)))
