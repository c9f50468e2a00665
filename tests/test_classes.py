"""Which logits are those of a data set's classes, by hand; what a network cannot take is said before it is tried."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import xarray
from torch import nn

from robustshape import datasets
from robustshape.errors import InputError
from robustshape.measurements.classes import check, class_columns, finite, of_classes
from robustshape.models import load


def asked(n_classes, **attrs):
    return xarray.Dataset(attrs={"dataset": "mine", "n_classes": n_classes} | attrs)


def knows(n_classes):
    return SimpleNamespace(name="python:mine:net", n_classes=n_classes)


def test_all_columns_where_the_network_knows_as_many_classes():
    assert class_columns(knows(10), asked(10)) == slice(None)
    assert class_columns(knows(1000), asked(1000, imagenet_index=list(range(1000)))) == slice(None)


def test_of_imagenets_classes_those_that_there_are():
    found = class_columns(knows(1000), asked(3, imagenet_index=[1, 285, 954]))
    assert isinstance(found, np.ndarray) and found.tolist() == [1, 285, 954]


@pytest.mark.parametrize(("known", "attrs"), [(1000, {}), (100, {"imagenet_index": [1, 2, 3]})])
def test_another_number_of_classes_is_refused(known, attrs):
    next_step = "call the class folders by their WordNet ids" if known == 1000 else "choose a data set with"
    words = f"python:mine:net tells {known} classes apart, but 'mine' has 3; {next_step}"
    with pytest.raises(InputError, match=words):
        class_columns(knows(known), asked(3, **attrs))
    with pytest.raises(InputError, match=r"'mine' has 4 \(a, b, c \.\.\.\); "):
        class_columns(knows(known), asked(4, class_names=list("abcd")))


def test_a_module_of_some_classes_gives_their_logits_with_a_gradient():
    linear = nn.Linear(2, 4)
    assert of_classes(linear, slice(None)) is linear
    x = torch.tensor([[1.0, 2.0]], requires_grad=True)
    some = of_classes(linear, np.array([3, 0]))
    assert torch.equal(some(x), linear(x)[:, [3, 0]]) and not some.training
    some(x)[0, 0].backward()
    assert torch.equal(x.grad[0], linear.weight[3])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_network_that_gives_nan_or_infinity_is_named(value):
    with pytest.raises(
        InputError, match="zoo:mlp gives NaN or infinite logits; train it again, or leave it out"
    ):
        finite(np.array([1.0, value]), "zoo:mlp", "logits")
    right = np.array([1.0, -1e30])
    assert finite(right, "zoo:mlp", "logits") is right


def test_images_that_a_network_cannot_take_are_said_with_their_size(photos):
    digits = datasets.load("digits").isel(sample=slice(0, 2))
    network = nn.Sequential(nn.Flatten(), nn.Linear(7, 10))
    narrow = replace(
        load("python:networks:by_brightness"), name="python:mine:narrow", module=network, head="1"
    )
    words = (
        r"python:mine:narrow cannot take images of 1 x 32 x 32 \(channels, height, width\): mat1 and mat2 .*; "
        r"choose another reading of the data, or give the network a preprocessing with its size"
    )
    with pytest.raises(InputError, match=words):
        check(narrow, digits)
    with pytest.raises(InputError, match="tells 1000 classes apart, but 'digits' has 10"):
        check(load("python:networks:of_imagenet"), digits)
    check(load("python:networks:of_imagenet"), photos("native").load())
