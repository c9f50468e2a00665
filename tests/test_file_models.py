"""Cards: the classes they name, the checksum of their weights, and the text of what they name."""

import json
import os

import pytest
import timm
import torch
from torch import nn

from robustshape import models
from robustshape.errors import InputError, StoreError
from robustshape.models.weights import sha256


@pytest.fixture
def card(tmp_path):
    def write(network, constructor, classes=10, side=32, **more):
        torch.save(network.state_dict(), tmp_path / "mine.pth")
        content = {
            "constructor": constructor,
            "weights": "mine.pth",
            "sha256": sha256(tmp_path / "mine.pth"),
            "preprocessing": {"channels": 3, "size": [side, side]},
            "classes": classes,
        }
        (tmp_path / "card.json").write_text(json.dumps(content | more))
        return f"file:{tmp_path / 'card.json'}"

    return write


@pytest.mark.parametrize("n_outputs", [12, 5])
def test_classes_are_compared_with_the_network_s_outputs(card, n_outputs):
    network = timm.create_model("test_resnet", num_classes=n_outputs)
    name = card(network, "timm:test_resnet", arguments={"num_classes": n_outputs})
    words = rf"card.json cannot be used: it returns {n_outputs} numbers for an image, but 10 classes are given; correct"
    with pytest.raises(InputError, match=words):
        models.load(name)


def test_a_network_without_its_classifier_is_refused_with_both_numbers(card):
    network = timm.create_model("test_resnet", num_classes=0)
    arguments = {"num_classes": 0}
    n = network.num_features
    with pytest.raises(InputError, match=f"it returns {n} numbers for an image, but 10 classes are given"):
        models.load(card(network, "timm:test_resnet", arguments=arguments))
    with pytest.raises(InputError, match=r"built without its classifier \(num_classes=0\)"):
        models.load(card(network, "timm:test_resnet", arguments=arguments, classes=n))


def test_the_head_that_a_card_names_is_taken(card):
    network = timm.create_model("test_resnet", num_classes=10)
    name = card(network, "timm:test_resnet", arguments={"num_classes": 10}, head="layer4.0.conv2")
    assert models.load(name).head == "layer4.0.conv2"


def test_a_byte_that_was_flipped_is_noticed_even_if_the_file_s_date_is_the_same(card, tmp_path):
    network = timm.create_model("test_resnet", num_classes=10)
    name = card(network, "timm:test_resnet", arguments={"num_classes": 10})
    models.load(name)
    path, times = tmp_path / "mine.pth", (tmp_path / "mine.pth").stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(
        StoreError, match=r"mine.pth has sha256:\w+, but its card says sha256:\w+; get the file again"
    ):
        models.load(name)


def test_a_card_is_known_also_by_the_text_that_its_function_imports(card, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("ROBUSTSHAPE_TRUST_CARDS", "1")
    (tmp_path / "parts_of_a_card.py").write_text("from torch import nn\nact = nn.ReLU\n")
    (tmp_path / "net_of_a_card.py").write_text(
        "from torch import nn\nimport parts_of_a_card\ndef build():\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(3072, 4), parts_of_a_card.act(), nn.Linear(4, 10))\n"
    )
    network = nn.Sequential(nn.Flatten(), nn.Linear(3072, 4), nn.ReLU(), nn.Linear(4, 10))
    name = card(network, "python:net_of_a_card:build")
    first = models.identity(name)
    assert first["imports"] == [sha256(tmp_path / "parts_of_a_card.py")] and isinstance(
        models.load(name).module[2], nn.ReLU
    )
    (tmp_path / "parts_of_a_card.py").write_text("from torch import nn\nact = nn.Sigmoid\n")
    assert (
        models.identity(name)["imports"] != first["imports"]
        and models.identity(name)["code"] == first["code"]
    )
    assert isinstance(models.load(name).module[2], nn.Sigmoid)
