"""What looks odd about a network's answers: by hand, against shuffled labels, and networks given the wrong normalisation."""

import numpy as np
import pytest
import torch
from torch import nn

from robustshape.models.classifier import Classifier
from robustshape.models.oddities import are_probabilities, at_chance, better_normalised, oddities
from robustshape.models.preprocessing import Preprocessing

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 5, 200)
LOGITS = RNG.normal(size=(200, 5)) + 3 * np.eye(5)[LABELS]


def softmax(x):
    return np.exp(x) / np.exp(x).sum(1, keepdims=True)


def test_logits_of_a_network_that_has_learnt_are_not_odd():
    assert (
        oddities(LOGITS, LABELS)
        == oddities(LOGITS - 50, LABELS)
        == oddities(np.log(softmax(LOGITS)), LABELS)
        == []
    )


def test_probabilities_are_named():
    assert are_probabilities(softmax(LOGITS)) and not are_probabilities(LOGITS)
    (one,) = oddities(softmax(LOGITS).astype(np.float32), LABELS)
    (other,) = oddities(1 / (1 + np.exp(-LOGITS)), LABELS)
    assert one.endswith("return what goes into the softmax") and other.endswith(
        "return what goes into the sigmoid"
    )
    assert all(words.startswith("its answers are probabilities, not logits") for words in (one, other))


def test_chance_is_named_whatever_its_cause():
    words = "which is chance: its classes may stand in another order than the data's"
    for wrong in (
        RNG.normal(size=(200, 5)),
        np.roll(LOGITS, 1, axis=1),
        np.tile(LOGITS[:1], (200, 1)) + 1e-3 * LOGITS,
    ):
        (found,) = oddities(wrong, LABELS)
        assert words in found and found.startswith("it is right on ")
    (same,) = oddities(np.tile(LOGITS[:1], (200, 1)), LABELS)
    assert same.startswith("it gives the same answer to every image")


def test_the_larger_class_is_no_skill_and_a_little_skill_is_skill():
    labels = np.repeat([0, 1], [180, 20])
    assert at_chance(np.zeros(200, int), labels)  # right on 90 %
    assert not at_chance(np.repeat([0, 1, 0, 1], [170, 10, 10, 10]), labels)  # right on 90 % as well
    assert not at_chance(np.repeat([1, 7, 3, 0], [2, 1, 1, 396]), np.repeat([1, 7, 3, 5], [2, 1, 1, 396]))
    assert not at_chance([1], [1]) and at_chance([1, 1], [1, 1])


def test_chance_is_five_percent_of_shuffled_labels():
    labels = np.repeat(np.arange(4), [80, 60, 40, 20])
    predictions = np.repeat([0, 1, 2, 3, 0], [70, 50, 40, 20, 20])
    hits = np.array([(RNG.permutation(labels) == predictions).sum() for _ in range(4000)])
    order = RNG.permutation(200)
    chance = [at_chance(predictions, RNG.permutation(labels)) for _ in range(1000)]
    assert 0.93 < np.mean(chance) < 0.97
    assert at_chance(predictions[order], labels[order]) is at_chance(predictions, labels) is False
    assert hits.max() < (labels == predictions).sum()


def learner(mean, std, channels=3):
    """Return a network that tells four brightnesses apart in pixels that were normalised as given, and images of them."""
    rng = np.random.default_rng(1)
    labels = np.arange(240) % 4
    images = (
        (labels * 64 + rng.integers(0, 64, 240))[:, None, None, None]
        .repeat(4, 1)
        .repeat(4, 2)
        .repeat(channels, 3)
    )
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 4))
    levels = ((torch.arange(4) + 0.5) / 4 - mean) / std
    network[2].weight.data = (2 * levels[:, None] / channels).repeat(1, channels)
    network[2].bias.data = -(levels**2)
    return network, images.astype(np.uint8), labels


@pytest.mark.parametrize("channels", [1, 3])
def test_a_normalisation_under_which_the_network_is_right_more_often_is_named(channels):
    network, images, labels = learner(0.5, 0.5, channels)
    given = {"right": {"mean": (0.5,) * channels, "std": (0.5,) * channels}, "wrong": {}}
    found = {
        name: better_normalised(
            Classifier("mine", network, Preprocessing(channels=channels, **how), "2", 4, {}), images, labels
        )
        for name, how in given.items()
    }
    assert found["right"] == ""
    assert (
        "with another normalisation (mean and std 0.5): its mean and std look wrong; give those"
        in found["wrong"]
    )
    assert " of 240 images, but on 100.0%" in found["wrong"]


def test_some_of_the_logits_may_be_the_data_s_classes():
    network, images, labels = learner(0.5, 0.5)
    mine = Classifier("mine", network, Preprocessing(channels=3), "2", 4, {})
    turned = (labels + 1) % 4
    assert "look wrong" in better_normalised(mine, images, turned, columns=np.array([3, 0, 1, 2]))


def test_nothing_is_known_of_a_preprocessing_that_is_a_function():
    network, images, labels = learner(0.5, 0.5)
    plain = lambda given: torch.as_tensor(given).permute(0, 3, 1, 2) / 255  # noqa: E731
    assert better_normalised(Classifier("mine", network, plain, "2", 4, {}), images, labels) == ""
    anything = Classifier("mine", network, Preprocessing(channels=None), "2", 4, {})
    assert better_normalised(anything, images, labels) == ""
