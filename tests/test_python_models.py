"""Networks that a function of the reader's returns: known by what they are, and built anew where that changed."""

import os
import sys
import time

import numpy as np
import pytest
import torch

from robustshape import models
from robustshape.errors import InputError
from robustshape.models import python_models
from robustshape.models.classifier import Classifier

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 1), dtype=np.uint8)
SAVED = """
import torch
from torch import nn
def build():
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    network.load_state_dict(torch.load("weights.pt"))
    return network
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    monkeypatch.setattr(python_models, "PATIENCE", 0)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)  # Python's own default
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def write(path, text):
    path.write_text(text)
    os.utime(path, ns=(1, time.monotonic_ns()))  # another time, however fast this machine writes


def save(seed):
    torch.manual_seed(seed)
    state = {"1.weight": torch.randn(3, 64), "1.bias": torch.zeros(3)}
    torch.save(state, "weights.pt")
    return state


def test_weights_that_were_trained_further_are_another_network_in_the_same_session(folder):
    write(folder / "saved_net.py", SAVED)
    name, found = "python:saved_net:build", []
    for seed in (0, 1, 0):
        state = save(seed)
        classifier = models.load(name)
        expected = torch.from_numpy(IMAGES).float().flatten(1) / 255 @ state["1.weight"].T
        assert np.allclose(classifier.logits(IMAGES), expected, atol=1e-4)
        assert models.identity(name) == classifier.identity
        found.append(classifier.identity)
    assert found[0] == found[2] != found[1]


def test_what_was_found_out_holds_for_a_multiple_of_the_time_it_took(folder, monkeypatch):
    write(folder / "counted_net.py", "from torch import nn\ndef build():\n    built.append(1)\n"
          "    return nn.Sequential(nn.Flatten(), nn.Linear(64, 3))\nbuilt = []\n")  # fmt: skip
    now = [100.0]
    monkeypatch.setattr(python_models.time, "monotonic", lambda: now.__setitem__(0, now[0] + 0.1) or now[0])
    monkeypatch.setattr(python_models, "PATIENCE", 10)
    name = "python:counted_net:build"
    first, module = models.identity(name), sys.modules["counted_net"]
    assert models.identity(name) == first and module.built == [1]
    now[0] += 2
    assert models.identity(name) == first and module.built == [1, 1]


def test_a_module_that_the_function_s_module_imports_may_be_edited(folder):
    write(folder / "my_parts.py", "WIDTH = 5\n")
    write(
        folder / "parted_net.py",
        "from torch import nn\nfrom my_parts import WIDTH\ndef build():\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(64, WIDTH), nn.Linear(WIDTH, 3))\n",
    )
    name = "python:parted_net:build"
    first = models.identity(name)
    assert models.load(name).activations(IMAGES)["penultimate"].shape == (4, 5)
    write(folder / "my_parts.py", "WIDTH = 6\n")
    assert models.load(name).activations(IMAGES)["penultimate"].shape == (4, 6)
    second = models.identity(name)
    assert first["network"] != second["network"] and first["imports"] != second["imports"]
    assert first["code"] == second["code"] and len(second["imports"]) == 1


def test_an_edited_forward_of_an_imported_class_is_another_network(folder):
    layer = "from torch import nn\nclass Act(nn.Module):\n    def forward(self, x):\n        return x.{}()\n"
    write(folder / "my_layers.py", layer.format("relu"))
    write(
        folder / "layered_net.py",
        "from torch import nn\nimport my_layers\ndef build():\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(64, 4), my_layers.Act(), nn.Linear(4, 3))\n",
    )
    name = "python:layered_net:build"
    first, logits = models.identity(name), models.load(name).logits(IMAGES)
    write(folder / "my_layers.py", layer.format("tanh"))
    assert models.identity(name) != first and models.identity(name)["network"] == first["network"]
    assert not np.allclose(models.load(name).logits(IMAGES), logits)


def test_random_weights_are_the_same_every_time_and_leave_other_randomness_alone(folder):
    write(
        folder / "random_net.py",
        "from torch import nn\ndef build(width=3):\n    return nn.Sequential(nn.Flatten(), nn.Linear(64, width))\n",
    )
    name = "python:random_net:build"
    torch.manual_seed(5)
    first = models.load(name)
    drawn = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(1))
    assert np.array_equal(models.load(name).logits(IMAGES), first.logits(IMAGES))
    assert models.identity(name) == first.identity != models.identity(name, width=4)


def test_a_classifier_of_yours_is_known_by_its_network_and_its_preprocessing(folder):
    text = (
        "from torch import nn\nfrom robustshape.models.classifier import Classifier\n"
        "from robustshape.models.preprocessing import Preprocessing\ndef build(mean=0.5):\n"
        "    how = Preprocessing(channels=1, mean=(mean,), std=(1.0,))\n"
        "    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 4), nn.Linear(4, 3))\n"
        "    return Classifier('mine', network, how, '1', 3, {'by': 'hand'})\n"
    )
    write(folder / "own_net.py", text)
    classifier = models.load("python:own_net:build")
    assert (
        isinstance(classifier, Classifier)
        and classifier.head == "1"
        and classifier.identity["own"] == {"by": "hand"}
    )
    assert models.identity("python:own_net:build") == classifier.identity
    assert classifier.identity["preprocessing"]["mean"] == [0.5] and classifier.identity["n_classes"] == 3
    write(folder / "own_net.py", text.replace("mean=0.5", "mean=0.4"))
    assert models.identity("python:own_net:build")["network"] == classifier.identity["network"]
    assert models.identity("python:own_net:build")["preprocessing"]["mean"] == [0.4]


def test_nothing_is_executed_to_list(folder):
    write(folder / "loud_net.py", "raise RuntimeError('executed')\n")
    assert models.names("python:*") == [] and "loud_net" not in sys.modules


@pytest.mark.parametrize(
    "body, words",
    [
        (
            "nn.Sequential(nn.Conv2d(1, 3, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())",
            "python:x:build cannot be used: what a",
        ),
        (
            "nn.Bilinear(2, 2, 3)",
            r"^python:x:build does not take images of 32 x 32 px nor of \d+ other sizes: .*'input2'; say what it takes",
        ),
        ("nn.Identity()", r"cannot be used: it returns a tensor of shape \(1, 3, 32, 32\)"),
        ("3", "'python:x:build' returned a int, but must return a torch module or a Classifier"),
    ],
)
def test_what_is_no_classifier_is_refused_in_a_sentence(folder, body, words):
    write(folder / "x.py", f"from torch import nn\ndef build():\n    return {body}\n")
    with pytest.raises(InputError, match=words):
        models.load("python:x:build")
