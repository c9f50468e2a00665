"""Networks of published results come along with them: small enough, trained here, each with a card that loads it."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from robustshape import datasets, models, preset_results
from robustshape.models import ship as module
from robustshape.models import shipped
from robustshape.models.network import Network
from robustshape.models.ship import ship, ship_all, total_size
from robustshape.store.keys import key_of
from studies import KSTAR

QUICK = {"dataset": "digits", "epochs": 1}
MLP, OTHER, LENET = (Network.of(name, **QUICK) for name in ("zoo:mlp", "zoo:mlp/1", "zoo:lenet"))


@pytest.fixture(autouse=True)
def project(cache, tmp_path, monkeypatch):
    """An empty project to ship into, and an empty cache."""
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.setattr(shipped, "project_root", lambda: root)
    monkeypatch.setattr(module, "require_checkout", lambda what: root)
    shipped._cards.cache_clear()
    yield root
    shipped._cards.cache_clear()


def files(project):
    folder = project / "data" / "models"
    return sorted(file.name for file in folder.iterdir()) if folder.exists() else []


def test_a_shipped_network_is_not_trained_again_and_its_card_loads_the_same(project, monkeypatch, tmp_path):
    images = datasets.load("digits").image.values[:20]
    assert ship(MLP) is None  # not trained yet
    trained = MLP.load()
    card = ship(MLP)
    assert card == project / "data" / "models" / "digits_mlp.json"
    assert ship(MLP) is None  # it is there
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path / "empty"))
    monkeypatch.setattr(models.zoo, "train", lambda *a: pytest.fail("it was trained again"))
    assert MLP.is_ready
    again, by_card = models.load("zoo:mlp", **QUICK), models.load(f"file:{card}")
    np.testing.assert_array_equal(again.logits(images), trained.logits(images))
    np.testing.assert_array_equal(by_card.logits(images), trained.logits(images))
    assert by_card.about["family"] == "mlp" and by_card.about["recipe"] == "plain"
    assert not models.is_ready("zoo:mlp", **QUICK | {"epochs": 2})  # another network


def test_another_training_of_the_same_name_has_a_file_of_its_own(project):
    longer = Network.of("zoo:mlp", dataset="digits", epochs=2)
    for network in (MLP, longer):
        network.make_ready()
    first, second = ship(MLP), ship(longer)
    assert second.stem == f"digits_mlp_{key_of(longer.identity)[:8]}" and len(files(project)) == 4
    for path, network in ((first, MLP), (second, longer)):
        card = json.loads(path.read_text())
        assert shipped.shipped(network.identity) == path.with_suffix(".safetensors")
        assert (
            card["weights"] == f"{path.stem}.safetensors"
            and card["training"]["recipe"]["epochs"] == network.epochs
        )


def test_the_size_of_networks_is_that_of_those_trained_that_do_not_ship_yet(cache):
    networks = [MLP, OTHER, LENET]
    assert total_size(networks) == 0  # none is trained
    sizes = {}
    for network in networks[::2]:
        network.make_ready()
        file = cache / "models" / key_of(network.identity) / "weights.safetensors"
        sizes[network] = file.stat().st_size
    assert total_size(networks) == sum(sizes.values()) > 5e5
    assert total_size([Network.of("zoo:mlp", dataset="digits", epochs=2)]) == total_size([]) == 0
    ship(MLP)
    assert total_size(networks) == sizes[LENET]


def test_networks_that_are_too_large_together_do_not_come_along(project, monkeypatch, capsys):
    MLP.make_ready()
    with monkeypatch.context() as patch:
        patch.setattr(module, "total_size", lambda networks: 1500 * 2**20)
        assert ship_all([MLP, OTHER]) == []
    assert capsys.readouterr().out == (
        "the 2 networks do not come along, for they take 1,500 MiB, more than 16; they are in this machine's cache alone\n"
    )
    size = total_size([MLP])
    monkeypatch.setattr(module, "LARGEST", size - 1)
    assert ship_all([MLP, OTHER]) == []
    assert capsys.readouterr().out.startswith("the 2 networks do not come along")
    assert files(project) == []
    monkeypatch.setattr(module, "LARGEST", size)
    assert ship_all([MLP, OTHER]) == [project / "data" / "models" / "digits_mlp.json"]
    assert capsys.readouterr().out == "" and files(project) == ["digits_mlp.json", "digits_mlp.safetensors"]
    monkeypatch.setattr(module, "LARGEST", 0)
    assert ship_all([MLP, OTHER]) == [] and capsys.readouterr().out == ""  # nothing is left to come along


@pytest.fixture
def published(monkeypatch):
    """A study of three networks, of which one is trained and one is not ours, and a function that publishes it."""
    MLP.make_ready()
    elsewhere = Network("timm:other")
    study = SimpleNamespace(
        publish=lambda preset, **given: (2, 3),
        plan=lambda **given: SimpleNamespace(cases={n.name: (None, n) for n in (MLP, OTHER, elsewhere)}),
    )
    monkeypatch.setattr(preset_results, "load", lambda name: study)
    monkeypatch.setattr(preset_results, "parameters", lambda study, preset: {})
    return lambda preset: preset_results.publish("study", preset)


def test_networks_of_a_preset_come_along_with_its_rows(published, project):
    assert published("mnist")[:2] == (2, 3)
    assert files(project) == ["digits_mlp.json", "digits_mlp.safetensors"]


def test_networks_of_the_laptop_never_come_along(published, project, monkeypatch, capsys):
    monkeypatch.setattr(module, "LARGEST", 0)
    assert published("laptop")[:2] == (2, 3) and capsys.readouterr().out == ""
    assert files(project) == []


def test_the_networks_that_come_along_are_those_trained_on_the_reading(monkeypatch):
    asked, given = (
        [],
        KSTAR | {"reading": "resize32", "models": ["zoo:lenet", "python:networks:by_brightness"]},
    )
    monkeypatch.setattr(preset_results, "parameters", lambda study, preset: given)
    monkeypatch.setattr(preset_results.results, "publish", lambda *a, **facts: 1)
    monkeypatch.setattr(preset_results, "ship_all", asked.extend)
    assert preset_results.publish("kstar_skewness", "mnist")[:2] == (1, 2)
    assert asked == [Network("zoo:lenet", dataset="digits", epochs=1, reading="resize32")]
