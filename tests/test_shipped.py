"""Networks that come with the project: found by their identity, loaded by their card, and small."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from robustshape import models
from robustshape.errors import DamagedError
from robustshape.models import shipped


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project with the cards and weights that a test writes."""
    monkeypatch.setattr(shipped, "project_root", lambda: tmp_path)
    shipped._cards.cache_clear()
    made = tmp_path.joinpath(*shipped.FOLDER)
    made.mkdir(parents=True)
    yield made
    shipped._cards.cache_clear()


def write(folder, name, content, **card):
    (folder / f"{name}.safetensors").write_bytes(content)
    (folder / f"{name}.json").write_text(json.dumps({"weights": f"{name}.safetensors"} | card))


def test_weights_are_found_by_the_identity_if_they_are_those_of_the_card(folder, monkeypatch):
    right, other = (hashlib.sha256(content).hexdigest() for content in (b"right", b"other"))
    write(folder, "a", b"right", training={"seed": 0, "sizes": [1, 2]}, sha256=right)
    write(folder, "b", b"right", training={"seed": 1}, sha256=other)
    write(folder, "c", b"other", sha256=other)  # of a network that was trained elsewhere
    assert shipped.shipped({"sizes": (1, 2), "seed": 0}) == folder / "a.safetensors"
    assert shipped.shipped({"seed": 0}) is shipped.shipped({}) is None
    with pytest.raises(
        DamagedError, match=rf"b\.safetensors is damaged \(it has sha256:{right}, .* says sha256:{other}\)"
    ):
        shipped.shipped({"seed": 1})
    (folder / "a.safetensors").unlink()
    assert shipped.shipped({"sizes": [1, 2], "seed": 0}) is None
    monkeypatch.setattr(shipped, "project_root", lambda: None)  # installed without the project
    assert shipped.shipped({"seed": 0}) is None


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
# a card with a kind is a generator's, whose test is in test_trained_generator.py
CARDS = [path for path in sorted(FOLDER.glob("*.json")) if "kind" not in json.loads(path.read_text())]


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
