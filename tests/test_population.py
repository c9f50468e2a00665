"""The networks and the images of a study: those of the indicator and of the robustness, from one data set or two."""

import numpy as np
import pytest
from PIL import Image
from torch import nn

from robustshape import corruptions
from robustshape.datasets.selection import Selection
from robustshape.errors import InputError
from robustshape.measurements import attacked, corrupted, features, prepare
from robustshape.measurements.population import Population
from robustshape.models.network import Network
from robustshape.studies import common
from studies import SHARED


@pytest.fixture(autouse=True)
def fresh(cache):
    """A cache of its own."""
    return cache


def population(**changed):
    given = {k: v for k, v in SHARED.items() if k not in ("preset", "source", "dask_scheduler")}
    return Population.of(**given | changed)


def images_of(population):
    """Return the ids of the images of the indicator, and of those of the robustness."""
    return [set(part.load().sample.values) for part in population.selections]


def specification(population, name="zoo:mlp"):
    return population.specification(population.network(name))


def test_what_defines_an_ordinary_population_is_what_it_always_was():
    networks = population(attacks=["fgsm linf 0.1"])
    indicator, held_out = Selection.parts("digits", (60, 40), seed=0)
    expected = {
        "model": networks.network("zoo:mlp").identity,
        "indicator images": indicator.identity(),
        "robustness images": held_out.identity(),
        "corruptions": ["gaussian_noise", "contrast"],
        "severities": [1, 5],
        "seed": 0,
        "constants": "auto",
        "version": [features.VERSION, corrupted.VERSION, corruptions.VERSION],
    }
    assert specification(population()) == expected
    attacks = {"attacks": ["fgsm linf 0.1"], "attacks version": attacked.VERSION}
    assert specification(networks) == expected | attacks
    assert set(indicator.identity()) == {"dataset", "split", "checksum", "reading", "n", "ids"}
    # empty words, as a notebook gives them, are none
    plain = population(reading="", robustness_dataset="", robustness_reading="")
    assert specification(plain) == expected


def test_robustness_may_be_that_on_another_data_set():
    networks = population(models=["zoo:mlp"], robustness_dataset="mnist5k", corruptions=["contrast"])
    shape, held_out = images_of(networks)
    assert len(shape) == 60 and shape == images_of(population())[0]  # the indicator's stay the same
    assert len(held_out) == 40 and all(name.startswith("mnist5k/test/") for name in held_out)
    found, ordinary = (specification(n) for n in (networks, population(corruptions=["contrast"])))
    assert {key for key in found if found[key] != ordinary[key]} == {"robustness images"}
    assert found["robustness images"]["dataset"] == "mnist5k"

    [mlp] = networks.networks
    prepare.prepare(networks, [mlp])
    [row, _], data = common.of_network(networks, mlp), networks.held_out.load()
    classifier = mlp.load()
    right = classifier.predict(data.image.values) == data.label.values
    assert float(row["accuracy"]) == right.mean() != float(row["indicator_accuracy"])
    assert networks.correct(mlp)[0].tolist() == right.tolist()
    shown = corruptions.corrupt(data.image.values, "contrast", 5, seed=0, ids=data.sample.values)
    right = classifier.predict(shown) == data.label.values
    assert float(row["corrupted_accuracy"].sel(corruption="contrast", severity=5)) == right.mean()


@pytest.mark.parametrize("reading", [None, "resize32"])
@pytest.mark.parametrize("dataset", ["", "digits"])
def test_no_image_is_in_both_though_a_data_set_is_named_twice_or_read_twice(dataset, reading):
    networks = population(robustness_dataset=dataset, robustness_reading=reading)
    shape, held_out = images_of(networks)
    assert [shape, held_out] == images_of(population()) and not shape & held_out
    readings = [part.load().attrs["reading"] for part in networks.selections]
    assert readings == ["repeat32", reading or "repeat32"]


def test_each_data_set_has_its_reading():
    same = population(reading="resize64", robustness_dataset="digits")
    assert [part.reading for part in same.selections] == ["resize64"] * 2
    other = population(reading="resize64", robustness_dataset="mnist5k")
    assert [part.reading for part in other.selections] == ["resize64", None]
    other = population(reading="resize64", robustness_dataset="mnist5k", robustness_reading="resize32")
    assert [part.reading for part in other.selections] == ["resize64", "resize32"]


@pytest.mark.parametrize("other", [{}, dict(robustness_dataset="mnist5k", robustness_reading="resize32")])
def test_without_images_of_robustness_no_other_data_set_is_looked_at(other):
    networks = population(n_robustness=0, corruptions=[], **other)
    assert networks.selections == Selection.parts("digits", (60,), seed=0)


def test_a_data_set_of_the_robustness_that_does_not_fit_is_refused_before_anything_is_computed(
    fresh, tmp_path, monkeypatch
):
    with pytest.raises(InputError, match="unknown data set 'mnist6k'; closest: mnist5k"):
        population(robustness_dataset="mnist6k")
    for i in range(8):
        folder = tmp_path / "animals" / ("ant", "bee")[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((32, 32, 3), 9 * i, np.uint8)).save(folder / f"{i}.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("networks.by_brightness", lambda: nn.Sequential(nn.Flatten(), nn.Linear(1024, 10)))
    network = "python:networks:by_brightness"  # takes digits, and knows ten classes
    networks = population(models=[network], robustness_dataset="imagefolder:animals", n_robustness=4)
    with pytest.raises(InputError, match="tells 10 classes apart, but 'imagefolder:animals' has 2"):
        prepare.prepare(networks, networks.networks)
    assert not (fresh / "features").exists()


def test_networks_are_those_of_their_names_and_know_their_identity_once(monkeypatch):
    from robustshape import models

    networks = population(epochs=2, reading="resize64")
    assert [one.name for one in networks.networks] == ["zoo:mlp", "zoo:mlp-noise"]
    expected = Network("zoo:mlp", dataset="digits", epochs=2, reading="resize64")
    assert networks.network("zoo:mlp") == networks.networks[0] == expected
    other = networks.network("zoo:lenet")  # such as another that a study needs
    assert other == Network("zoo:lenet", dataset="digits", epochs=2, reading="resize64")
    monkeypatch.setattr(models, "identity", lambda *a, **kw: pytest.fail("it was asked for again"))
    assert networks.network("zoo:mlp").identity["architecture"] == "mlp"


def test_two_names_of_one_network_are_refused():
    with pytest.raises(InputError, match="'zoo:mlp' and 'zoo:mlp/0' are the same network; name it once"):
        population(models=["zoo:mlp", "zoo:mlp/0"])


def test_without_images_of_its_own_the_indicator_has_those_of_the_robustness():
    networks = population(n_samples=0)
    assert networks.clean == networks.held_out == Selection.parts("digits", (40,), seed=0)[0]
    other = population(n_samples=0, robustness_dataset="mnist5k", robustness_reading="resize32")
    assert other.clean == other.held_out == Selection.parts("mnist5k", (40,), seed=0, reading="resize32")[0]
    same = population(n_samples=0, robustness_reading="resize32")
    assert same.selections == Selection.parts("digits", (40,), seed=0, reading="resize32")


def test_images_corrupted_are_those_of_the_robustness_and_its_seed_is_theirs():
    networks = population(seed=3, constants="224", corrupted="generated jpeg85")
    expected = corrupted.CorruptedImages(
        networks.held_out, ("gaussian_noise", "contrast"), (1, 5), 3, "224", "generated jpeg85"
    )
    assert networks.corrupted_images == expected
    assert specification(networks)["corrupted"] == ["generated jpeg85", 1]


def test_a_negative_seed_is_refused():
    with pytest.raises(InputError, match="seed is a whole number from 0 to 4294967295, but was given -1"):
        population(seed=-1)
