"""What a network answers before it is used: its sizes, wrappers, answers and classes, and the words of the errors."""

import pytest
import torch
from torch import nn

from robustshape.errors import InputError
from robustshape.models.examining import examined, unwrapped
from robustshape.models.preprocessing import Preprocessing

ANY = Preprocessing(channels=None)


class Fixed(nn.Module):
    """Takes images of one size."""

    def __init__(self, side, channels=1):
        super().__init__()
        self.conv, self.fc, self.side = nn.Conv2d(channels, 2, 1), nn.Linear(2 * side * side, 3), side

    def forward(self, x):
        assert x.shape[2] == self.side, f"Input height ({x.shape[2]}) doesn't match model ({self.side})"
        return self.fc(self.conv(x).flatten(1))


@pytest.mark.parametrize(
    "module, head",
    [
        (nn.Sequential(nn.Flatten(), nn.Linear(49, 3)), "1"),  # 7 x 7 grey
        (nn.Sequential(nn.Flatten(), nn.Linear(3 * 17 * 17, 3)), "1"),
        (Fixed(28), "fc"),
        (Fixed(224, channels=3), "fc"),
        (Fixed(44), "fc"),
    ],
)
def test_a_size_that_it_takes_is_found(module, head):
    assert examined(module, ANY, name="mine")[1:] == (head, 3)


def test_a_network_of_a_rare_size_is_asked_again_when_it_sees_an_image():
    _, head, n_classes = examined(Fixed(45), ANY, name="mine")
    assert (head, n_classes) == ("", 3)
    with pytest.raises(
        InputError, match=r"^mine does not take images of 32 x 32 px: Input height \(32\) doesn't match"
    ):
        examined(Fixed(45), Preprocessing(channels=1, size=(32, 32)), name="mine")


def test_wrappers_are_taken_off():
    module = Fixed(28)
    compiled = nn.Module()
    compiled._orig_mod = nn.DataParallel(module)
    assert unwrapped(compiled) is module is examined(compiled, ANY, name="mine")[0]


def test_an_answer_that_is_no_tensor_is_read_and_the_classes_are_compared():
    class Pair(Fixed):
        def forward(self, x):
            return super().forward(x), x

    module, head, n = examined(Pair(28), ANY, name="mine", n_classes=3)
    assert (head, n) == ("fc", 3) and module(torch.ones(2, 1, 28, 28)).shape == (2, 3)
    words = "^mine cannot be used: it returns 3 numbers for an image, but 1,000 classes are given; correct `classes`, or"
    with pytest.raises(InputError, match=words):
        examined(Pair(28), ANY, name="mine", n_classes=1000)


def test_a_head_that_is_given_is_taken_and_one_that_does_not_exist_refused():
    module = nn.Sequential(nn.Flatten(), nn.Linear(49, 3), nn.Linear(3, 3))
    assert examined(module, ANY, name="mine", head="1")[1] == "1"
    with pytest.raises(InputError, match="mine cannot be used: unknown layer 'fc' of a Sequential; closest"):
        examined(module, ANY, name="mine", head="fc")


def test_other_randomness_and_the_network_are_left_alone():
    module = nn.Sequential(nn.Flatten(), nn.Linear(49, 3), nn.Dropout())
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    examined(module, ANY, name="mine")
    assert torch.equal(torch.rand(1), expected)
    assert not any(layer._forward_hooks for layer in module.modules()) and module[1].weight.grad is None
