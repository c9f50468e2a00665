"""What the studies share: the images of the indicator and of the robustness, from one data set or two."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from robustshape.robustness import attacked
from robustshape.studies.population import Population
from torch import nn

from robustshape import corruptions, features, robustness, tasks
from robustshape.datasets.selection import Selection
from robustshape.errors import InputError
from robustshape.studies import preparation
from studies import SHARED


@pytest.fixture(autouse=True)
def fresh(cache):
    """A cache of its own, and no network left from another test in memory."""
    features._kept.cache_clear()
    yield cache
    features._kept.cache_clear()


def population(**changed):
    given = {k: v for k, v in SHARED.items() if k not in ("preset", "source", "dask_scheduler")}
    return Population.of(**given | changed)


def images_of(networks):
    """Return the ids of the images of the indicator, and of those of the robustness."""
    return [set(part.load().sample.values) for part in networks.selections]


def test_what_defines_an_ordinary_population_is_what_it_always_was():
    networks = population(attacks=["fgsm linf 0.1"])
    indicator, held_out = Selection.parts("digits", (60, 40), seed=0)
    expected = {
        "model": networks.identity("zoo:mlp"),
        "indicator images": indicator.identity(),
        "robustness images": held_out.identity(),
        "corruptions": ["gaussian_noise", "contrast"],
        "severities": [1, 5],
        "seed": 0,
        "constants": "auto",
        "version": [features.VERSION, robustness.VERSION, corruptions.VERSION],
    }
    assert population().specification("zoo:mlp") == expected
    attacks = {"attacks": ["fgsm linf 0.1"], "attacks version": attacked.VERSION}
    assert networks.specification("zoo:mlp") == expected | attacks
    assert set(indicator.identity()) == {"dataset", "split", "checksum", "reading", "n", "ids"}
    # empty words, as a notebook gives them, are none
    plain = population(reading="", robustness_dataset="", robustness_reading="")
    assert plain.specification("zoo:mlp") == expected


def test_robustness_may_be_that_on_another_data_set():
    networks = population(models=["zoo:mlp"], robustness_dataset="mnist5k", corruptions=["contrast"])
    shape, held_out = images_of(networks)
    assert len(shape) == 60 and shape == images_of(population())[0]  # the indicator's stay the same
    assert len(held_out) == 40 and all(name.startswith("mnist5k/test/") for name in held_out)
    found, ordinary = (n.specification("zoo:mlp") for n in (networks, population(corruptions=["contrast"])))
    assert {key for key in found if found[key] != ordinary[key]} == {"robustness images"}
    assert found["robustness images"]["dataset"] == "mnist5k"

    preparation.prepare(networks, ["zoo:mlp"])
    row, data = networks.row("zoo:mlp"), networks.held_out.load()
    classifier = features.load_classifier("zoo:mlp", networks.options("zoo:mlp"))
    right = classifier.predict(data.image.values) == data.label.values
    assert float(row["accuracy"]) == right.mean() != float(row["indicator_accuracy"])
    assert networks.correct("zoo:mlp")[0].tolist() == right.tolist()
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
        preparation.prepare(networks, [network])
    assert not (fresh / "features").exists()


def test_a_row_says_on_which_device_its_network_ran(monkeypatch):
    networks, asked = population(models=["zoo:mlp"], corruptions=["contrast"]), []
    preparation.prepare(networks, ["zoo:mlp"])
    load = features.load_classifier
    assert str(networks.row("zoo:mlp")["device"].values) == "cpu"

    def elsewhere(model, *given):
        asked.append(model)
        return replace(load(model, *given), device="cpu:0")

    monkeypatch.setattr(features, "load_classifier", elsewhere)
    assert str(networks.row("zoo:mlp")["device"].values) == "cpu:0" and asked == ["zoo:mlp"]


def test_a_negative_seed_is_refused():
    with pytest.raises(InputError, match="seed is a whole number from 0, but was -1"):
        population(seed=-1)


def test_the_cost_of_a_study_counts_the_stages_that_it_adds(fresh):
    networks = population()
    paces = {preparation.pace(networks, stage): 1.0 for stage in ("networks", "features", "corruptions")}
    for name, seconds in paces.items():
        tasks._remember(name, seconds)
    begin = "2 of 2 rows to measure: 2 networks to train, 320 corrupted images to classify, 0 networks to attack; "
    assert preparation.cost(networks, list(networks.models)) == begin + "less than a minute"
    unknown = "how long that takes is not known before a first run here"
    assert preparation.cost(networks, list(networks.models), {"layers": 2}) == begin + unknown
    assert preparation.pace(networks, "layers") == "layers, digits, 40 images"
    tasks._remember("layers, digits, 40 images", 90.0)
    minutes = "about 3 min at the pace of the last run here"
    assert preparation.cost(networks, list(networks.models), {"layers": 2}) == begin + minutes
