"""Networks that come with the project: found by their identity, and loaded by their card."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from robustshape import datasets, models, paths, rows
from robustshape.models import shipped
from robustshape.store.keys import key_of

OPTIONS = {"dataset": "digits", "epochs": 1}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty project to ship into."""
    root = tmp_path / "project"
    (root / "notebooks").mkdir(parents=True)
    monkeypatch.setattr(shipped, "project_root", lambda: root)
    monkeypatch.setattr(paths, "require_project", lambda: root)
    shipped._cards.cache_clear()
    yield root
    shipped._cards.cache_clear()


def test_a_shipped_network_is_not_trained_again_and_its_card_loads_the_same(
    cache, project, monkeypatch, tmp_path
):
    images = datasets.load("digits").image.values[:20]
    assert shipped.ship("zoo:mlp", OPTIONS) is None  # not trained yet
    trained = models.load("zoo:mlp", **OPTIONS)
    card = shipped.ship("zoo:mlp", OPTIONS)
    assert card == project / "data" / "models" / "digits_mlp.json"
    assert shipped.ship("zoo:mlp", OPTIONS) is None  # it is there
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path / "empty"))
    monkeypatch.setattr(models.zoo, "_train", lambda *a: pytest.fail("it was trained again"))
    assert models.is_ready("zoo:mlp", **OPTIONS)
    again, by_card = models.load("zoo:mlp", **OPTIONS), models.load(f"file:{card}")
    np.testing.assert_array_equal(again.logits(images), trained.logits(images))
    np.testing.assert_array_equal(by_card.logits(images), trained.logits(images))
    assert by_card.about["family"] == "mlp" and by_card.about["recipe"] == "plain"
    assert not models.is_ready("zoo:mlp", **OPTIONS | {"epochs": 2})  # another network


def test_the_size_of_networks_is_that_of_those_trained_that_do_not_ship_yet(cache, project):
    names = ["zoo:mlp", "zoo:mlp/1", "zoo:lenet"]
    assert shipped.total_size(names, OPTIONS) == 0  # none is trained
    sizes = {}
    for name in names[::2]:
        models.load(name, **OPTIONS)
        key = key_of(models.identity(name, **OPTIONS))
        sizes[name] = (cache / "models" / key / "weights.safetensors").stat().st_size
    assert shipped.total_size(names, OPTIONS) == sum(sizes.values()) > 5e5
    assert shipped.total_size(names, OPTIONS | {"epochs": 2}) == shipped.total_size([], OPTIONS) == 0
    shipped.ship("zoo:mlp", OPTIONS)
    assert shipped.total_size(names, OPTIONS) == sizes["zoo:lenet"]


@pytest.fixture
def published(cache, project, monkeypatch):
    """A study of two networks, of which one is trained, and a function that publishes it."""
    models.load("zoo:mlp", **OPTIONS)
    study = SimpleNamespace(
        specifications=lambda **given: dict.fromkeys(("zoo:mlp", "zoo:mlp/1", "timm:other"))
    )
    given = {"dataset": "digits", "epochs": 1, "reading": ""}
    monkeypatch.setattr(rows, "load", lambda name: study)
    monkeypatch.setattr(rows, "parameters", lambda study, preset: given)
    monkeypatch.setattr(rows.results, "publish", lambda *a: (2, 3))
    return lambda preset: rows.publish("study", preset)


def test_networks_that_are_too_large_together_do_not_come_along(published, project, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        patch.setattr(shipped, "total_size", lambda *a: 1500 * 2**20)
        assert published("mnist")[:2] == (2, 3)
    assert capsys.readouterr().out == (
        "the 2 networks do not come along, for they take 1,500 MiB, more than 16; they are in this machine's cache alone\n"
    )
    size = shipped.total_size(["zoo:mlp"], OPTIONS)
    monkeypatch.setattr(shipped, "LARGEST", size - 1)
    assert published("mnist")[:2] == (2, 3)
    assert capsys.readouterr().out.startswith("the 2 networks do not come along")
    assert not (project / "data" / "models").exists()
    monkeypatch.setattr(shipped, "LARGEST", size)
    assert published("mnist")[:2] == (2, 3) and capsys.readouterr().out == ""
    assert sorted(file.name for file in (project / "data" / "models").iterdir()) == [
        "digits_mlp.json",
        "digits_mlp.safetensors",
    ]
    monkeypatch.setattr(shipped, "LARGEST", 0)
    published("mnist")
    assert capsys.readouterr().out == ""  # nothing is left to come along


def test_networks_of_the_laptop_never_come_along(published, project, monkeypatch, capsys):
    monkeypatch.setattr(shipped, "LARGEST", 0)
    assert published("laptop")[:2] == (2, 3) and capsys.readouterr().out == ""
    assert not (project / "data" / "models").exists()


def test_the_networks_that_come_along_are_those_trained_on_the_reading(published, monkeypatch):
    asked, given = [], {"dataset": "digits", "epochs": 0, "reading": "resize32", "models": ["zoo:lenet"]}
    monkeypatch.setattr(rows, "parameters", lambda study, preset: given)
    monkeypatch.setattr(shipped, "ship", lambda *a: asked.append(a))
    published("mnist")
    assert asked == [("zoo:lenet", {"dataset": "digits", "epochs": None, "reading": "resize32"})]


def test_networks_for_photographs_are_kept_in_half_precision(cache, tmp_path, monkeypatch):
    from safetensors.torch import load_file

    data = tmp_path / "data"
    data.mkdir()
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        np.savez(
            data / f"cifar10_{split}.npz",
            images=rng.integers(0, 256, (40, 32, 32, 3), dtype=np.uint8),
            labels=np.arange(40) % 10,
        )
    monkeypatch.setenv("ROBUSTSHAPE_DATA", str(data))
    with pytest.warns(UserWarning, match="not the known copy"):
        classifier = models.load("zoo:cnn_a", dataset="cifar10", epochs=1)
    weights = load_file(next((cache / "models").glob("*/weights.safetensors")))
    assert {name: str(w.dtype) for name, w in weights.items() if name.startswith("0.")} == {
        "0.weight": "torch.float16",
        "0.bias": "torch.float32",
    }
    assert str(classifier.module[0].weight.dtype) == "torch.float32"
    assert classifier.about["family"] == "cnn_a" and classifier.head == "7"
    spec = classifier.identity["recipe"]
    assert spec["n_images"] == 20_000 and spec["kept_as"] == "float16"
    earlier = json.loads(json.dumps(models.identity("zoo:mlp", dataset="digits")["recipe"]))
    assert "n_images" not in earlier and "kept_as" not in earlier  # keys made before these fields stay


FOLDER = Path(__file__).parents[1] / "data" / "models"
GENERATORS = [FOLDER / "corrupted_mnist.json"]  # its own test is in test_trained_generator.py
CARDS = [path for path in sorted(FOLDER.glob("*.json")) if path not in GENERATORS]


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_every_network_that_ships_is_its_card_s_and_found_by_its_identity(path):
    classifier, card = models.load(f"file:{path}"), json.loads(path.read_text())
    side, channels = card["arguments"]["size"], card["arguments"]["channels"]
    images = np.random.default_rng(0).integers(0, 256, (3, side, side, channels), dtype=np.uint8)
    assert np.isfinite(classifier.logits(images)).all() and classifier.n_classes == 10
    shipped._cards.cache_clear()
    assert shipped.shipped(card["training"]) == path.with_suffix(".safetensors")


def test_all_that_ships_is_small():
    data = Path(__file__).parents[1] / "data"
    shipped_files = [f for folder in ("models", "results", "reported") for f in (data / folder).rglob("*")]
    assert CARDS and sum(f.stat().st_size for f in shipped_files if f.is_file()) < 40e6
