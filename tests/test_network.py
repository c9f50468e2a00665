"""A network by name: what it depends on, its identity, its device, whether it is there, and that it diverged."""

import pickle
import sys

import pytest

from robustshape import models
from robustshape.errors import InputError, TrainingError
from robustshape.measurements import classes
from robustshape.models import network as module
from robustshape.models.network import Network

QUICK = dict(dataset="digits", epochs=1)
OF_IMAGENET = Network("python:networks:of_imagenet")


@pytest.fixture(autouse=True)
def own_cache(cache):
    return cache


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("zoo:mlp", dict(dataset="digits", epochs=3, reading="pad32")),
        ("openclip:ViT-B-32/openai", dict(dataset="digits")),
        ("timm:resnet50.a1_in1k", {}),
        ("file:mine.json", {}),
    ],
)
def test_a_network_depends_on_what_its_source_takes(name, kept):
    given = dict(dataset="digits", epochs=3, reading="pad32")
    assert Network.of(name, **given) == Network(name, **kept)
    assert Network.of(name, **given).trained_here == name.startswith("zoo:")
    assert Network.of(name, **given | {"reading": ""}) == Network(name, **kept | {"reading": None})


def test_an_unknown_source_is_refused():
    with pytest.raises(InputError, match="unknown model 'zo:mlp'; closest: zoo:mlp"):
        Network.of("zo:mlp", dataset="digits")


def test_its_identity_is_that_of_its_name_and_asked_for_once(monkeypatch):
    one = Network.of("zoo:mlp", **QUICK)
    expected = models.identity("zoo:mlp", **QUICK, reading=None)
    assert one.identity == expected and Network.of("zoo:mlp", dataset="digits").identity != expected
    monkeypatch.setattr(models, "identity", lambda *a, **kw: pytest.fail("it was asked for again"))
    assert one.identity == expected
    there = pickle.loads(pickle.dumps(one))  # as on a worker
    assert there == one and hash(there) == hash(one) and there.identity == expected


def test_it_is_loaded_once_onto_the_device_that_is_asked_for(monkeypatch):
    asked = []
    monkeypatch.setattr(models, "load", lambda name, **given: asked.append((name, given)))
    for device in ("cpu", "cuda:1", "cpu", "cuda:1"):
        monkeypatch.setattr(module, "device", lambda device=device: device)
        Network.of("zoo:mlp", **QUICK).load()
    given = dict(dataset="digits", epochs=1, reading=None)
    assert asked == [("zoo:mlp", given | {"device": device}) for device in ("cpu", "cuda:1")]


def test_a_device_that_is_not_there_is_refused_before_a_network_is_loaded(monkeypatch):
    monkeypatch.setenv("ROBUSTSHAPE_DEVICE", "tpu")
    monkeypatch.setattr(models, "load", lambda *a, **kw: pytest.fail("it was loaded"))
    with pytest.raises(InputError, match="ROBUSTSHAPE_DEVICE is 'tpu', but must be cpu, cuda or cuda:N"):
        Network.of("zoo:mlp", **QUICK).load()


def test_another_network_under_the_same_name_is_loaded_anew(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)  # Python's own default
    file, lines = (
        tmp_path / "own_network.py",
        "from torch import nn\ndef build(): return nn.Sequential(nn.Linear(3, {}))\n",
    )
    file.write_text(lines.format(10))
    assert Network("python:own_network:build").load().n_classes == 10
    file.write_text(lines.format(12))  # of the same size, perhaps in the same second
    assert Network("python:own_network:build").load().n_classes == 12
    assert not list(tmp_path.rglob("*.pyc"))


def test_a_compiled_file_that_looks_fresh_is_not_believed(monkeypatch, tmp_path):
    import importlib
    import os
    import py_compile

    monkeypatch.syspath_prepend(tmp_path)
    file, text = (
        tmp_path / "compiled_network.py",
        "from torch import nn\ndef build(): return nn.Linear(3, {})\n",
    )
    for width in (10, 12):
        file.write_text(text.format(width))
        os.utime(file, (1, 1))  # the same second, the same size
        if width == 10:
            py_compile.compile(file)  # by another program
    importlib.invalidate_caches()
    assert Network("python:compiled_network:build").load().n_classes == 12


def test_of_framed_images_it_takes_the_whole_without_being_loaded_again(photos):
    framed, cropped = photos("frame224").load(), photos("crop224").load()
    assert framed.attrs["framed"] and "framed" not in cropped.attrs
    alone, whole = OF_IMAGENET.load(), OF_IMAGENET.load(framed)
    assert whole.module is alone.module
    assert whole.preprocessing() != alone.preprocessing() == OF_IMAGENET.load().preprocessing()
    assert OF_IMAGENET.load(cropped) is alone
    classes.check(whole, framed)


def test_an_untrained_one_has_its_first_weights_and_trains_nothing(own_cache):
    one = Network.of("zoo:mlp", **QUICK)
    first = one.untrained()
    assert not one.is_ready and not list(own_cache.rglob("weights.safetensors"))
    one.make_ready()
    assert one.is_ready and list(own_cache.rglob("weights.safetensors"))
    changed = zip(first.module.parameters(), one.load().module.parameters())
    assert not all(bool((a == b).all()) for a, b in changed)
    assert OF_IMAGENET.is_ready and OF_IMAGENET.untrained() is OF_IMAGENET.load()


def test_that_its_training_diverged_is_said_and_no_error(monkeypatch):
    def diverging(name, **given):
        raise TrainingError(f"the loss of {name} is nan")

    one = Network.of("zoo:mlp", **QUICK)
    with monkeypatch.context() as patch:
        patch.setattr(models, "load", diverging)
        one.make_ready()
        assert one.diverged == "the loss of zoo:mlp is nan"
    assert one.diverged == ""
    monkeypatch.setattr(models, "load", lambda *a, **kw: pytest.fail("it was loaded"))
    assert OF_IMAGENET.diverged == ""  # trained elsewhere: nothing has to be loaded to know
