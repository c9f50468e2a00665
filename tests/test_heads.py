"""The classifying layer: of networks as people write them, by hand, and as timm itself names it."""

import pytest
import timm
import torch
from torch import nn

from robustshape.errors import InputError
from robustshape.hooks import capture, joined
from robustshape.models.heads import find_head

IMAGE = torch.ones(2, 1, 8, 8)


class Net(nn.Module):
    """A convolution, a mean and a classifier, with room for what people add."""

    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(1, 6, 3), nn.Linear(6, 4)

    def features(self, x):
        return self.conv(x).relu().mean((2, 3))

    def forward(self, x):
        return self.fc(self.features(x))


class HeadFirst(Net):
    def __init__(self):
        nn.Module.__init__(self)
        self.fc, self.conv, self.mix = nn.Linear(6, 4), nn.Conv2d(1, 6, 3), nn.Linear(6, 6)

    def features(self, x):
        return self.mix(super().features(x)).relu()


class Auxiliary(Net):
    """A second head that is called and whose answer is kept, but not returned."""

    def __init__(self, used: bool):
        super().__init__()
        self.aux, self.used = nn.Linear(6, 4), used

    def forward(self, x):
        self.seen = self.aux(self.features(x)) if self.used else None
        return super().forward(x)


class Scaled(Net):
    def forward(self, x):
        return {"logits": (super().forward(x) / 2).log_softmax(1)}


class Cosine(Net):
    """A classifier that is no nn.Linear."""

    class Directions(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.eye(6)[:4])

        def forward(self, x):
            return nn.functional.normalize(x) @ nn.functional.normalize(self.weight).T

    def __init__(self):
        super().__init__()
        self.fc = self.Directions()


class Without(Net):
    """Computed without gradients: what is returned is found by its numbers."""

    def forward(self, x):
        with torch.no_grad():
            return super().forward(x)


class Heads(Net):
    """Two heads of the same features, whose mean is the answer."""

    def __init__(self):
        super().__init__()
        self.other = nn.Linear(6, 4)

    def forward(self, x):
        x = self.features(x)
        return (self.fc(x) + self.other(x)) / 2


@pytest.mark.parametrize(
    "network, head",
    [
        (Net(), "fc"),
        (HeadFirst(), "fc"),
        (Auxiliary(used=False), "fc"),
        (Auxiliary(used=True), "fc"),
        (Scaled(), "fc"),
        (Cosine(), "fc"),
        (Without(), "fc"),
        (Heads(), "fc"),
        (nn.Sequential(Net(), nn.BatchNorm1d(4), nn.Dropout(), nn.Softmax(1)), "0.fc"),
        (
            nn.Sequential(
                nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Conv2d(6, 4, 1), nn.ReLU(), nn.AvgPool2d(6), nn.Flatten()
            ),
            "2",  # as SqueezeNet: a linear layer at every place
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_the_layer_whose_output_is_returned(network, head):
    network = network.eval()
    assert find_head(network, IMAGE) == (head, 4)
    with capture(network, inputs=[head]) as seen:
        network(IMAGE)
    assert seen.inputs[head].shape[1] == 6


def test_a_weight_that_is_computed_from_others():
    network = Net()
    nn.utils.parametrizations.weight_norm(network.fc)
    assert find_head(network.eval(), IMAGE) == ("fc", 4)


class Two(Net):
    """Two heads of different features."""

    def __init__(self):
        super().__init__()
        self.second = nn.Linear(64, 4)

    def forward(self, x):
        return super().forward(x) + self.second(x.flatten(1))


HEADLESS = nn.Sequential(
    nn.Conv2d(1, 6, 1, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
)
CONVOLUTIONS = nn.Sequential(nn.Conv2d(1, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
WORDS = "name the layer whose input is the penultimate features with head=: the entry head of a card"


@pytest.mark.parametrize(
    "network, words",
    [
        (
            HEADLESS,
            r"a Sequential returns \(6 numbers an image\) does not come from a linear layer but from 0, as in a",
        ),
        (
            CONVOLUTIONS,
            r"a Sequential returns \(4 numbers an image\) does not come from a linear layer but from 0",
        ),
        (Two(), r"what a Two returns is made of the outputs of 2 linear layers \((fc, second|second, fc)\)"),
        (nn.Flatten(), "what a Flatten returns cannot be followed back to one of its layers"),
    ],
)
def test_what_cannot_be_told_is_said_with_what_to_set(network, words):
    with pytest.raises(InputError, match=f"{words}.*{WORDS}"):
        find_head(network.eval(), IMAGE)


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "mobilenetv3_small_050"])
def test_a_network_of_timm_without_its_classifier_has_none(name):
    network = timm.create_model(name, num_classes=0).eval()
    words = r"was built without its classifier \(num_classes=0\) and gives features alone; build it with the number of"
    with pytest.raises(InputError, match=words):
        find_head(network, torch.ones(1, *network.pretrained_cfg["input_size"]))


@pytest.mark.parametrize(
    "name, head",
    [
        ("deit_tiny_distilled_patch16_224", "head+head_dist"),
        ("levit_128s", "head+head_dist"),
        ("crossvit_tiny_240", "head.0+head.1"),
        ("test_resnet", "fc"),
        ("test_convnext", "head.fc"),
        ("mobilenetv3_small_050", "classifier"),
    ],
)
def test_the_features_are_those_that_timm_gives_before_the_logits(name, head):
    torch.manual_seed(0)
    network = timm.create_model(name).eval()
    x = torch.randn(2, *network.pretrained_cfg["input_size"])
    assert find_head(network, x)[0] == head
    with torch.inference_mode(), capture(network, inputs=[head]) as seen:
        network(x)
        expected = network.forward_head(network.forward_features(x), pre_logits=True)
    assert torch.allclose(seen.inputs[head], expected, atol=1e-4)


def test_inputs_read_as_one_by_hand_and_anew_in_every_pass():
    a, b = torch.tensor([[1.0, 3.0]]), torch.tensor([[3.0, 5.0]])
    assert joined([a]) is a and joined([a, b]).tolist() == [[2, 4]]
    assert joined([a, b[:, :1]]).tolist() == [[1, 3, 3]]
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    with capture(network, inputs=["0+1"]) as seen:
        for n in (3, 1):
            network(torch.ones(n, 2))
            assert seen.inputs["0+1"].shape == (n, 2)
