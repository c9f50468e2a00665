"""Networks that come with the project: found by their identity, and loaded by their card."""

import json
from pathlib import Path

import numpy as np
import pytest

from robustshape import datasets, models, paths
from robustshape.models import shipped

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


CARDS = sorted((Path(__file__).parents[1] / "data" / "models").glob("*.json"))


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
