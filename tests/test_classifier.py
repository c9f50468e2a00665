"""A classifier: what it reads of a network's layers, and what it says of a network that does not do what it should."""

import numpy as np
import pytest
import torch
from torch import nn

from robustshape.errors import InputError
from robustshape.models.classifier import Classifier
from robustshape.models.preprocessing import Preprocessing

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 1), dtype=np.uint8)


def classifier(module, head="", n_classes=4, **more):
    return Classifier("mine", module, Preprocessing(channels=1), head, n_classes, {}, **more)


class Maps(nn.Module):
    """A classifier at every place of maps whose channels come last, as in Sequencer, and the mean of its answers."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.head = nn.Conv2d(1, 6, 3), nn.LayerNorm(6), nn.Linear(6, 4)

    def forward(self, x):
        return self.head(self.norm(self.conv(x).permute(0, 2, 3, 1))).mean((1, 2))


def test_maps_whose_channels_come_last_are_averaged_over_their_pixels():
    torch.manual_seed(0)
    found = classifier(Maps()).activations(IMAGES, ["penultimate", "logits", "norm", "head", "conv"])
    assert [values.shape for values in found.values()] == [(3, 6), (3, 4), (3, 6), (3, 4), (3, 6)]
    assert np.array_equal(found["penultimate"], found["norm"])
    assert np.allclose(found["head"], found["logits"], atol=1e-6)


def test_a_head_that_is_not_known_is_found_with_the_first_images():
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 5), nn.ReLU(), nn.Linear(5, 4))
    mine = classifier(network)
    assert mine.logits(IMAGES).shape == (3, 4) and mine.head == ""
    assert mine.activations(IMAGES)["penultimate"].shape == (3, 5) and mine.head == "3"


class Returns(nn.Module):
    def __init__(self, what):
        super().__init__()
        self.fc, self.what = nn.Linear(64, 4), what

    def forward(self, x):
        return self.what(self.fc(x.flatten(1)))


@pytest.mark.parametrize(
    "module, words",
    [
        (
            nn.Linear(7, 4),
            r"^mine cannot take images of 1 x 8 x 8 \(channels, height, width\): mat1 and mat2 shapes",
        ),
        (
            Returns(lambda y: {"out": y}),
            "^mine cannot be used: it returns a dictionary with the keys out, but must return",
        ),
        (
            Returns(lambda y: y[:, :3]),
            "^mine returns 3 numbers for an image, but is said to have 4 classes; correct",
        ),
        (
            Returns(lambda y: y.argmax(1)),
            r"^mine cannot be used: it returns a tensor of shape \(256,\), but must",
        ),
    ],
)
def test_what_a_network_does_wrong_is_said_in_a_sentence(module, words):
    with pytest.raises(InputError, match=words) as error:
        classifier(module).logits(IMAGES)
    assert "\n" not in str(error.value)


def test_logits_in_a_dictionary_are_attacked_and_read_alike():
    plain, wrapped = (classifier(Returns(what), "fc") for what in (lambda y: y, lambda y: {"logits": y}))
    wrapped.module.fc.load_state_dict(plain.module.fc.state_dict())
    x = plain.pixels(IMAGES).requires_grad_()
    assert np.array_equal(plain.logits(IMAGES), wrapped.logits(IMAGES))
    assert torch.equal(wrapped.on_pixels()(x), plain.on_pixels()(x))
