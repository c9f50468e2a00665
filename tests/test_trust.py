"""Nothing that a card names runs unless the person who uses it says so; to list, know or check a card runs nothing."""

import json

import pytest
import timm
import torch
from torch import nn

import robustshape
from robustshape import models, own_modules
from robustshape.cli import main
from robustshape.errors import InputError
from robustshape.models import python_models
from robustshape.models.card import checked
from robustshape.models.trust import TRUST, trusted, trusting
from robustshape.models.weights import sha256

BUILD = """from pathlib import Path
Path({marker!r}).write_text("ran")
from torch import nn

def build():
    return nn.Sequential(nn.Flatten(), nn.Linear(1024, 10))
"""


@pytest.fixture
def marker(tmp_path):
    """Return the file that the module beside the card writes when it runs."""
    return tmp_path / "ran"


@pytest.fixture
def card(tmp_path, marker, monkeypatch):
    """Return the name of a card whose function lies beside it."""
    monkeypatch.delenv(TRUST, raising=False)
    folder = tmp_path / "downloaded"
    folder.mkdir()
    (folder / "hostile_net.py").write_text(BUILD.format(marker=str(marker)))
    network = nn.Sequential(nn.Flatten(), nn.Linear(1024, 10))
    torch.save(network.state_dict(), folder / "net.pth")
    content = {
        "constructor": "python:hostile_net:build",
        "weights": "net.pth",
        "sha256": sha256(folder / "net.pth"),
        "preprocessing": {"channels": 1, "size": [32, 32]},
        "classes": 10,
    }
    (folder / "card.json").write_text(json.dumps(content))
    return f"file:{folder / 'card.json'}"


def test_nothing_of_a_stranger_s_card_runs(card, marker, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path / "downloaded")
    monkeypatch.setenv("ROBUSTSHAPE_DATA", str(tmp_path / "downloaded"))
    models.identity(card)
    models.is_ready(card)
    assert main(["list", "models", "file:*"]) == 0 and main(["doctor"]) == 0
    for name in (card, "file:card.json"):
        assert main(["run", "kstar_skewness", "--preset", "smoke", "-p", "models", json.dumps([name])]) == 2
        assert main(["report", name, "--dataset", "digits", "-o", str(tmp_path / "out.html")]) == 2
        assert main(["report", "zoo:mlp", "--dataset", "digits", "--compare", name]) == 2
    assert capsys.readouterr().err.count("trust it: --trust-card, in Python trust_card=True, or") == 6
    words = "built by python:hostile_net:build, code from .*hostile_net.py, which could do anything on this machine"
    for use in (models.check, models.load, lambda name: robustshape.evaluate(name, "digits")):
        with pytest.raises(InputError, match=words):
            use(card)
    assert not marker.exists() and not (tmp_path / "out.html").exists()


def test_a_card_that_is_trusted_loads_by_each_way_to_say_so(card, marker, monkeypatch):
    assert models.load(card, trust_card=True).n_classes == 10 and marker.read_text() == "ran"
    assert not trusted()
    with pytest.raises(InputError, match="trust"):
        models.load(card)
    with trusting():
        models.check(card)
        assert models.load(card).n_classes == 10
    monkeypatch.setenv(TRUST, "0")
    with pytest.raises(InputError, match="trust"), trusting(False):
        models.check(card)
    monkeypatch.setenv(TRUST, "1")
    models.check(card)


def test_a_card_of_installed_code_is_no_more_trusted_than_one_of_a_file(card, tmp_path):
    path = tmp_path / "downloaded" / "card.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"constructor": "python:os:getcwd"}))
    with pytest.raises(InputError, match="built by python:os:getcwd, code from a module of this Python"):
        models.load(card)


@pytest.mark.parametrize(
    "constructor", ["python:/tmp/net:build", "python:..net:build", "python:a b:build", "python:net:a.b"]
)
def test_a_function_s_name_is_no_path(card, tmp_path, constructor):
    path = tmp_path / "downloaded" / "card.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"constructor": constructor}))
    for use in (models.check, models.identity):
        with pytest.raises(InputError, match="names no function"):
            use(card)


def test_what_is_read_of_the_text_is_what_an_import_would_find(tmp_path, monkeypatch):
    """The slow twin: the checksums of the modules that are in memory once the module has been imported."""
    monkeypatch.syspath_prepend(tmp_path)
    package = tmp_path / "texts_of_net"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "net.py").write_text(
        "import json\nfrom torch import nn\nfrom . import parts\nfrom texts_of_net.deep.inner import x\n"
        "def build():\n    return nn.Linear(2, 2)\n"
    )
    (package / "parts.py").write_text("import texts_beside\n")
    (package / "deep").mkdir()
    (package / "deep" / "__init__.py").write_text("")
    (package / "deep" / "inner.py").write_text("from .. import parts\nx = 1\n")
    (tmp_path / "texts_beside.py").write_text("y = 2\n")
    read = python_models.text_of("texts_of_net.net:build")
    assert not [name for name in __import__("sys").modules if name.startswith("texts_")]
    assert read == python_models.code_of("texts_of_net.net:build") and len(read["imports"]) == 4
    assert python_models.text_of("json:loads") == python_models.code_of("json:loads")
    assert own_modules.located("texts_of_net.none") is None


@pytest.mark.parametrize(
    "constructor, arguments, words",
    [
        (
            "timm:test_resnet",
            {"checkpoint_path": "evil.pth"},
            "'checkpoint_path' in arguments, by which other files",
        ),
        ("timm:test_resnet", {"pretrained_cfg": {"file": "evil.pth"}}, "'pretrained_cfg' in arguments"),
        ("timm:test_resnet", {"pretrained": True}, "'pretrained' in arguments"),
        ("timm:test_resnet", {"cache_dir": "x"}, "'cache_dir' in arguments"),
        ("torchvision:resnet18", {"weights": "DEFAULT"}, "'weights' in arguments"),
        ("torchvision:resnet18", {"weights_backbone": "DEFAULT"}, "'weights_backbone' in arguments"),
        ("timm:test_resnet", {"act_layer": "hf-hub:a/b"}, "'hf-hub:a/b' in arguments.act_layer"),
        ("timm:test_resnet", {"more": {"deep": ["../x"]}}, "'../x' in arguments.more"),
        (
            "timm:test_resnet",
            {"num_classes": 10**12},
            "1000000000000 in arguments.num_classes, more than 1,000,000",
        ),
        ("zoo:mlp", {"n_classes": 10**400}, "in arguments.n_classes, more than 1,000,000"),
    ],
)
def test_arguments_read_and_fetch_nothing(card, tmp_path, constructor, arguments, words):
    path = tmp_path / "downloaded" / "card.json"
    changed = {"constructor": constructor, "arguments": arguments}
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    for use in (models.check, models.identity, lambda name: models.load(name, trust_card=True)):
        with pytest.raises(InputError, match=words):
            use(card)


@pytest.mark.parametrize(
    "name", ["hf-hub:timm/resnet18.a1_in1k", "local-dir:/tmp/x", "resnet18.hf-hub:a/b", "resnet18./etc"]
)
def test_a_constructor_of_timm_is_one_of_timm_s_own(card, tmp_path, name):
    path = tmp_path / "downloaded" / "card.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"constructor": f"timm:{name}"}))
    with pytest.raises(InputError, match="unknown model 'timm:"):
        models.load(card)


def test_a_card_of_an_allowed_source_needs_no_trust(card, tmp_path):
    folder = tmp_path / "downloaded"
    torch.save(timm.create_model("test_resnet", num_classes=10).state_dict(), folder / "net.pth")
    content = json.loads((folder / "card.json").read_text()) | {
        "constructor": "timm:test_resnet",
        "arguments": {"num_classes": 10},
        "sha256": sha256(folder / "net.pth"),
        "preprocessing": {"channels": 3, "size": [32, 32]},
    }
    (folder / "card.json").write_text(json.dumps(content))
    assert models.load(card).n_classes == 10


def test_a_card_of_the_project_and_a_copy_of_its_file_need_no_trust(monkeypatch):
    monkeypatch.delenv(TRUST, raising=False)
    models.check("file:pretrained/cifar10_marabou_large.json")


def test_a_card_of_half_a_character_or_too_large_is_refused(card, tmp_path, monkeypatch):
    path = tmp_path / "downloaded" / "card.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"family": "\ud800"}))
    with pytest.raises(InputError, match=r"is not JSON: .*surrogates not allowed"):
        checked(path)
    monkeypatch.setattr("robustshape.models.card.LARGEST_CARD", 100)
    with pytest.raises(InputError, match="but a card may have"):
        checked(path)
