"""The study of failures: the scene, names and directions by hand, a toy generator end to end, claims, figures, refusals."""

import dataclasses
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import xarray
from matplotlib.figure import Figure
from matplotlib.text import Text
from scipy import stats

import toy_generator
from robustshape import models
from robustshape.analysis import answers, style
from robustshape.analysis.page import Shown
from robustshape.analysis.verdicts import judged
from robustshape.errors import InputError, MissingFileError
from robustshape.generators import attributes
from robustshape.generators.failures import Predictions
from robustshape.generators.stylegan2 import write_network
from robustshape.generators.stylegan2.files import card_of
from robustshape.generators.stylespace import StyleSpace
from robustshape.statistics import verdict as rule
from robustshape.store import arrays, results
from robustshape.store.rows import stack
from robustshape.studies import class_selectivity
from robustshape.studies.failure_discovery import (
    STUDY,
    added,
    analyse,
    answer,
    choice,
    compared,
    directions,
    figures,
    movements,
    pictures,
    repair,
    scene,
    slider,
    tables,
    verdicts,
    walks,
)
from robustshape.studies.failure_discovery.predictions import Subject, predictions
from robustshape.studies.seeds import at_every_seed
from studies import check_described, with_row

LEARNER, JUDGE = "python:toy_generator:learner", "python:toy_generator:judge"
TOY = dict(
    classifier=LEARNER,
    classifiers=["zoo:mlp"],
    seeds=[0],
    judge=JUDGE,
    dataset="digits",
    reading="",
    n_samples=60,
    n_moved=3,
    n_walked=2,
    distance=3.0,
    shifts=[0, 3, 6],
    shift_unit="std",
    map_attributes=["contrast", "area"],
    truncation_psi=toy_generator.TRUNCATION,
    noise="const",
    score="probability",
    reduction="absolute",
    scaled=True,
    space="all",
    n_dimensions=4,
    with_repair=True,
    corner_set="",
    n_robustness=30,
    corruptions=["gaussian_noise", "impulse_noise", "gaussian_blur", "contrast"],
    severities=[3],
    attacks=["fgsm linf 0.1 on 10"],
    epochs=1,
    seed=0,
    preset="test",
    source="measure",
    dask_scheduler="none",
)


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """Return (parameters, rows) of the study on the toy generator, in a cache of its own."""
    folder = tmp_path_factory.mktemp("toy")
    write_network(folder / "toy.safetensors", toy_generator.generator())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROBUSTSHAPE_CACHE", str(folder / "cache"))
        given = TOY | {
            "generator": str(folder / "toy.safetensors"),
            "corner_set": str(folder / "cases.zarr.zip"),
        }
        rows = STUDY.measure(**given)
        yield given, rows


@pytest.fixture
def own_cache(toy, monkeypatch):
    """Work in the cache in which the toy's rows were made."""

    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(Path(toy[0]["generator"]).parent / "cache"))


def scene_of(given):
    """Return what every classifier of a run is shown."""
    plan = STUDY.plan(**given | {"corner_set": ""})
    population, _ = plan.cases[LEARNER]
    return plan.settings.scene(population)


@pytest.fixture
def subject(toy, own_cache):
    """Return the learner in front of the toy's scene."""
    return Subject(scene_of(toy[0]), models.load(LEARNER))


def test_places_of_a_walk_go_either_way():
    where = SimpleNamespace(shifts=(0.0, 1.0, 2.0))
    assert scene.Scene.places.fget(where).tolist() == [-2, -1, 0, 1, 2]
    assert scene.Scene.map_places.fget(where).tolist() == pytest.approx(np.linspace(-2, 2, 7).tolist())


def test_networks_of_ours_are_taken_at_every_seed():
    assert at_every_seed(["zoo:mlp"], [2, 0]) == {"zoo:mlp/2": 2, "zoo:mlp": 0}
    known = class_selectivity.grid.networks("zoo:resnet", [0], [0, 1], ["zoo:resnet", "zoo:mlp/3"])
    assert list(known) == ["zoo:resnet", "zoo:resnet/1", "zoo:mlp/3"]


def test_a_dimension_is_called_after_what_it_changes_most_whichever_way():
    effects = xarray.DataArray(
        [[[0.1, 2.0], [0.0, -0.5]], [[0.2, 0.1], [-0.9, 0.1]], [[0.1, 0.2], [0.2, 0.1]], [[0.5, 0.1], [-0.1, 0.0]]],
        dims=("dimension", "way", "attribute"),
        coords={"dimension": [10, 11, 12, 13], "way": list(movements.WAYS), "attribute": ["area", "noise"]},
    )  # fmt: skip
    assert movements.names(effects).tolist() == ["noise", "area", "", "area"]


def test_predictions_are_a_softmax_whatever_the_leading_axes():
    logits = np.log(np.arange(1.0, 25.0)).reshape(2, 4, 3).astype(np.float32)
    fake = SimpleNamespace(logits=lambda images: logits.reshape(-1, 3)[images[:, 0, 0, 0]])
    images = np.arange(8, dtype=np.uint8).reshape(2, 4, 1, 1, 1)
    found = predictions(fake, images, np.array([0, 1, 2, 0]))
    probabilities = np.arange(1.0, 25.0).reshape(2, 4, 3)
    probabilities /= probabilities.sum(axis=-1, keepdims=True)
    assert found.predicted.tolist() == [[2] * 4] * 2
    assert np.allclose(found.probability, probabilities[:, np.arange(4), [0, 1, 2, 0]])


def by_hand(start, moved, labels, **more) -> Subject:
    """Return a Subject with given predictions: only what follows from them is computed."""
    made = Subject(None, None)
    made.__dict__.update(labels=np.array(labels), classes=np.unique(labels), start=start, moved=moved, **more)
    return made


def test_decreases_and_coverage_by_hand():
    labels = [0, 0, 1, 1]
    start = Predictions(
        np.array([0.9, 0.8, 0.7, 0.3]), np.array([0, 0, 1, 0])
    )  # the last is wrong from the start
    predicted = np.array([[[0, 1, 1, 1], [0, 0, 1, 0]], [[1, 0, 0, 1], [0, 0, 1, 1]]])
    moved = Predictions(np.full((2, 2, 4), 0.5), predicted)
    made = by_hand(start, moved, labels, sweep={"judged": SimpleNamespace(values=np.full((2, 2, 4), 1))})
    assert made.flips.sum() == 3 and not made.flips[..., 3].any()
    assert np.allclose(made.decrease, [[[0.35, 0.0], [0.35, 0.0]]] * 2)
    from robustshape.studies.failure_discovery.predictions import decreases

    found = decreases(made)
    assert found["start_accuracy"].values.tolist() == [1.0, 0.5]
    assert found["flipped"].sel(way="up").values.tolist() == [[0.5, 0.0], [0.5, 1.0]]
    assert found["flipped_readable"].sel(way="up").values.tolist() == [[0.0, 0.0], [0.0, 1.0]]
    picked = xarray.Dataset(
        {"chosen": (("class", "rank"), [[0, 1], [0, 1]]), "random": ("rank", [1, 0])}, coords={"rank": [1, 2]}
    )
    covered = choice.coverage(made, picked)["covered"]
    assert covered.sel(choice="gradient").values.tolist() == [[0.5, 1.0], [0.0, 1.0]]
    assert covered.sel(choice="random").values.tolist() == [[0.5, 1.0], [1.0, 1.0]]
    assert covered.sel(choice="greedy").values.tolist() == [[0.5, 1.0], [1.0, 1.0]]


def test_a_row_says_what_the_sweep_shows(toy, subject):
    rows = toy[1]
    assert list(rows.model.values) == [LEARNER, "zoo:mlp"] and rows.sizes["dimension"] == 40
    row, begin = rows.sel(model=LEARNER), subject.begin
    # one intervention by plain means: the styles moved, the picture made, the classifier asked
    d, few = 7, subject.few
    styles = begin.styles[few].clone()
    styles[:, d] -= 3 * begin.deviations[d]
    space = StyleSpace.of(begin.generator)
    with torch.no_grad():
        images = begin.generator.synthesise(styles=space.split(styles), noise="const")
        grey = ((images + 1) / 2).clamp(0, 1).mul(255).round().div(255)
        probabilities = subject.classifier.module(grey).softmax(dim=1).numpy()
    decrease = subject.start.probability - probabilities[np.arange(len(few)), subject.labels]
    wanted = [decrease[subject.labels == k].mean() for k in range(10)]
    assert np.allclose(row["fall"].sel(dimension=d, way="down"), wanted, atol=1e-5)
    assert set(row["chosen"].values.ravel()) <= set(range(40)) and len(set(row["random"].values)) == 4
    assert float(row["slope_agreement"]) > 0.95  # gradients are what finite differences say
    assert int(row["n_generated"]) == 60 and int(row["n_judged"]) <= 60
    middle = row["walk_accuracy"].sel(place=0.0)
    assert (middle == middle.isel(attribute=0)).all()  # no attribute has moved there
    assert (row["judge_accuracy"].sel(place=0.0) == 1).all()  # all start from what the judge reads


def test_a_row_says_what_each_variable_is(toy):
    check_described(STUDY, toy[1])


def test_a_row_leaves_nothing_to_be_read_later(toy, own_cache):
    plan = STUDY.plan(**toy[0] | {"corner_set": "", "with_repair": False})
    found = STUDY.row(*plan.cases[LEARNER], plan.settings)
    assert all(variable.chunks is None for variable in found.variables.values())


def test_first_flips_agree_with_the_walk(toy):
    row = toy[1].sel(model=LEARNER)
    right = row["walk_right"].transpose("attribute", "place", "walked").values.astype(bool)
    places = row.place.values.tolist()
    for i in range(row.sizes["attribute"]):
        for n in range(row.sizes["walked"]):
            for way, order in (("up", [0.0, 3.0, 6.0]), ("down", [0.0, -3.0, -6.0])):
                found = row["first_flip"].isel(attribute=i, walked=n).sel(way=way).item()
                states = [right[i, places.index(p), n] for p in order]
                wanted = (
                    np.nan
                    if not states[0]
                    else abs(order[states.index(False)])
                    if False in states
                    else np.inf
                )
                assert found == wanted or (np.isnan(found) and np.isnan(wanted))  # fmt: skip


def test_two_processes_and_a_second_call_give_the_same_rows(toy, cache):
    given = toy[0] | {"dask_scheduler": "local:2", "corner_set": ""}
    again = STUDY.measure(**given)
    for name in ("fall", "walk_answer", "repair", "importance", "effect"):
        here, there = (rows[name].values.astype(float) for rows in (again, toy[1]))
        assert np.array_equal(here, there, equal_nan=True), name


def test_corner_cases_are_failures_that_the_judge_reads(toy, subject):
    cases = arrays.open_zip(toy[0]["corner_set"])
    flips = subject.flips & subject.readable
    assert cases.sizes["case"] == flips.sum() > 0
    images, labels = cases["image"].values, cases["label"].values
    assert (subject.classifier.predict(images) != labels).all()
    assert np.array_equal(subject.classifier.predict(images), cases["predicted"].values)
    assert (models.load(JUDGE).predict(images) == labels).all()
    assert set(np.unique(cases["shift"].values)) <= {-3.0, 3.0} and cases.attrs["model"] == LEARNER
    # and the picture is that of its sample, dimension and shift
    drawn = pictures.of_rows(toy[1], toy[0]["generator"])
    one = cases.isel(case=0)
    change = np.zeros(len(subject.begin.units))
    change[int(one["dimension"])] = float(one["shift"]) * float(subject.begin.units[int(one["dimension"])])
    assert np.array_equal(drawn.moved(int(one["sample"]), [change])[0], one["image"].values)


@pytest.mark.parametrize("name", ["cases.zarr", "cases.zarr.zip"])
def test_corner_cases_open_by_the_call_that_is_told(subject, tmp_path, name):
    call = repair.export(subject, str(tmp_path / name))
    place = tmp_path / name
    assert call == f"xarray.open_zarr('{place if place.is_dir() else f'zip::{place}'}')"
    cases = eval(call)
    assert cases.sizes["case"] == (subject.flips & subject.readable).sum()
    # a classifier that never fails leaves an empty store of the same variables
    never = dataclasses.replace(subject)
    never.__dict__["flips"] = np.zeros_like(subject.flips)
    empty = eval(repair.export(never, str(tmp_path / f"none-{name}")))
    assert empty.sizes["case"] == 0 and set(empty) == set(cases)


def test_an_added_attribute_adds_its_numbers_and_voids_none(toy, own_cache, monkeypatch):
    given, rows = toy
    given = given | {"corner_set": ""}
    before = {name: one.row.key for name, one in STUDY.wanted(**given).items()}
    for name in ("_entries", "_about"):
        monkeypatch.setattr(attributes.ATTRIBUTES, name, dict(getattr(attributes.ATTRIBUTES, name)))

    @attributes.attribute("brightness", quality=True)
    def brightness(seen):
        return 3 * seen.images.mean(axis=(1, 2)) / (1 + seen.images.mean(axis=(1, 2)))

    assert {name: one.row.key for name, one in STUDY.wanted(**given).items()} == before

    def never(*_arguments, **_more):
        raise AssertionError("what is kept would be made again")

    for module, name in ((movements, "compute_block"), (directions, "compute_map")):
        monkeypatch.setattr(module, name, never)
    with_row(monkeypatch, STUDY, never)
    more = STUDY.measure(**given)
    old = [str(a) for a in rows.attribute.values]
    assert more.attribute.values.tolist() == [*old, "brightness"]
    known = ["attribute_key"]  # only what is added has one
    xarray.testing.assert_identical(more.sel(attribute=old).drop_vars(known), rows)
    check_described(STUDY, more)
    # the new one's numbers are those of the sweep and of its own walk
    kept = movements.sweep(scene_of(given))["image"].values
    shift = more["effect"].sel(attribute="brightness", model=LEARNER)
    d, way = np.unravel_index(int(abs(shift).argmax()), shift.shape)
    assert np.sign(shift.values[d, way]) == np.sign(
        brightness(attributes.Grey(kept[d, way, ..., 0] / 255)).mean()
        - brightness(attributes.Grey(kept[d, 1 - way, ..., 0] / 255)).mean()
    )
    assert np.isfinite(more["walk_probability"].sel(attribute="brightness")).all()
    effects = more["effect"].sel(model=LEARNER).transpose("dimension", "way", "attribute")
    assert analyse.names(more.sel(model=LEARNER)).tolist() == movements.names(effects).tolist()
    assert set(analyse.names(more.sel(model="zoo:mlp"))) <= {*attributes.ATTRIBUTES.names(), ""}
    monkeypatch.setattr(added.AddedAttributes, "compute", never)
    xarray.testing.assert_identical(STUDY.measure(**given), more)
    assert len(figures.curves(more)) == 7 and len(tables.directions(more)) == 7


def test_the_unit_of_a_shift_is_a_deviation_a_range_or_one(subject):
    styles = torch.tensor([[0.0, 5.0], [4.0, 5.0], [2.0, 8.0]])
    assert scene.UNITS["range"](styles).tolist() == [4.0, 3.0] and scene.UNITS["raw"](styles).tolist() == [
        1.0,
        1.0,
    ]
    assert torch.equal(subject.begin.units, subject.begin.deviations)
    where = dataclasses.replace(subject.scene, shift_unit="raw")
    assert (scene.prepared(where).units == 1).all() and where.identity() != subject.scene.identity()
    assert torch.equal(scene.prepared(where).deviations, subject.begin.deviations)


def test_attributes_follow_the_severities_that_are_known(toy):
    row = toy[1].sel(model=LEARNER)
    assert float(row["attribute_agreement"].sel(known="gaussian_noise")) > 0.8
    assert float(row["attribute_agreement"].sel(known="gaussian_blur")) > 0.5


def test_first_flips_by_kind_and_way():
    table = tables.first_flips(invented()).set_index(["classifier", "direction"])
    line = table.loc[("mlp", "noise +")]
    # of four digits one is wrong from the start; of the other three one fails at 1, one at 3, one never
    assert line["fail"] == pytest.approx(2 / 3) and line["median shift of those"] == 2.0


def test_training_on_failures_is_tested_on_others(toy):
    row = toy[1].sel(model=LEARNER)
    table = row["repair"]
    assert table.sel(state="before", measure="failures") == 0  # they are failures
    assert table.sel(state="trained on failures", measure="failures") > 0.3
    assert (row["n_failures"] > 0).all()
    assert np.isfinite(table.values.astype(float)).all()


def test_a_classifier_without_failures_has_nothing_to_repair(subject):
    labels = subject.labels
    subject.__dict__["moved"] = Predictions(
        np.ones((40, 2, len(labels))), np.broadcast_to(labels, (40, 2, len(labels)))
    )
    found = repair.repaired(None, subject)
    assert np.isnan(found["repair"]).all() and found["n_failures"].values.tolist() == [0, 0]


ATTRIBUTES = ["area", "blur", "contrast", "noise", "slant", "stroke_width"]


def effects_of(names):
    """Return effects by which dimensions are called like this; "" for none that is large enough."""
    effects = np.full((len(names), 2, len(ATTRIBUTES)), 0.01)
    for d, name in enumerate(names):
        if name:
            effects[d, d % 2, ATTRIBUTES.index(name)] = -2.0
    return ("dimension", "way", "attribute"), effects


def invented(n_seeds: int = 3, seed: int = 0):
    """Return rows as `measure` gives them, with known numbers: mlp and lenet, plain and corrupted."""
    rng, rows = np.random.default_rng(seed), {}
    names = ["noise", "slant", "", "blur", "contrast", "area"]
    for family in ("mlp", "lenet"):
        for recipe in ("plain", "corrupted"):
            for s in range(n_seeds):
                model = f"zoo:{family}" + ("" if recipe == "plain" else "-corrupted") + (f"/{s}" if s else "")
                decrease = np.zeros((6, 2, 10))
                decrease[[0, 3, 4], 0] = 0.3 + 0.01 * s  # quality: all classes
                decrease[[1, 5], 1, 4] = 0.5  # shape: one class
                under = xarray.DataArray(
                    np.array([0.9, 0.85, 0.4, 0.3])[:, None] + 0.005 * s,
                    dims=("corruption", "severity"),
                    coords={"corruption": ["gaussian_noise", "impulse_noise", "gaussian_blur", "contrast"], "severity": [3]},
                )  # fmt: skip
                shape = (6, 10, 5)
                right = np.zeros((6, 5, 20), np.int8)
                right[:, :, : 10 + s + (3 if recipe == "corrupted" else 0)] = 1
                rows[model] = xarray.Dataset(
                    {
                        "corrupted_accuracy": under,
                        "accuracy": 1.0,
                        "fall": (("dimension", "way", "class"), decrease),
                        "flipped": (("dimension", "way", "class"), decrease),
                        "flipped_readable": (("dimension", "way", "class"), decrease / 2),
                        "effect": effects_of(names),
                        "style_layer": ("dimension", np.array(["b4.conv1"] * 6, object)),
                        "style_channel": ("dimension", np.arange(6)),
                        "deviation": ("dimension", np.ones(6)),
                        "unit": ("dimension", np.ones(6)),
                        "attribute_agreement": ("known", [0.8, 0.9]),
                        "first_flip": (("attribute", "way", "walked"), np.tile([1.0, np.inf, np.nan, 3.0], (6, 2, 5))),
                        "chosen": (("class", "rank"), np.tile([0, 1, 3, 4, 5], (10, 1))),
                        "random": ("rank", [2, 2, 2, 2, 0]),
                        "start_accuracy": ("class", np.ones(10)),
                        "rank_agreement": ("class", np.full(10, 0.9)),
                        "sign_agreement": ("class", np.ones(10)),
                        "slope_agreement": 0.99,
                        "covered": (("choice", "class", "rank"), np.ones((3, 10, 5)) * 0.5),
                        "best_fall": ("class", np.full(10, 0.5)),
                        "baseline_fall": ("class", np.full(10, 0.2)),
                        "walk_probability": (("attribute", "class", "place"), np.ones(shape) * 0.5),
                        "walk_accuracy": (("attribute", "class", "place"), np.ones(shape) * 0.5),
                        "judge_accuracy": (("attribute", "class", "place"), np.ones(shape)),
                        "walk_right": (("attribute", "place", "walked"), right),
                        "direction": (("attribute", "dimension"), np.eye(6)),
                        "explained": ("attribute", np.full(6, 0.8)),
                        "walk_effect": (("attribute", "way", "changed"), np.stack([np.eye(6), -np.eye(6)], axis=1)),
                        "map_accuracy": (("class", "first", "second"), rng.random((10, 7, 7))),
                        "only_together": ("class", np.zeros(10)),
                        "corner": (("class", "part"), np.full((10, 4), np.nan)),
                        "repair": (
                            ("state", "measure"),
                            np.array([[0, 0.5, 0.9, 0.6], [0.6, 0.7, 0.89, 0.65], [0.4, 0.7, 0.9, 0.65]])
                            + 0.001 * s,
                        ),
                        "n_failures": ("half", [5, 6]),
                    },
                    coords={
                        "class": np.arange(10), "rank": np.arange(1, 6), "place": [-6.0, -3.0, 0.0, 3.0, 6.0],
                        "attribute": ATTRIBUTES, "changed": ATTRIBUTES,
                        "way": ["up", "down"], "choice": list(choice.CHOICES), "first": np.linspace(-6, 6, 7),
                        "second": np.linspace(-6, 6, 7), "state": list(repair.STATES), "measure": list(repair.MEASURES),
                        "part": list(walks.CORNER), "known": ["gaussian_blur", "gaussian_noise"],
                    },
                ).assign(
                    family=family, recipe=recipe, trains_on="" if recipe == "plain" else "noise", dataset="mnist5k",
                    n_samples=10, n_robustness=20, n_judged=9, n_moved=2, distance=3.0, judge="zoo:lenet/9", seed=0,
                    generator="none", truncation_psi=0.7, noise="const", map_attributes="noise x area",
                    provenance=json.dumps({"code": "", "device": "cpu"}), n_generated=10,
                    origin="measured here", key="k",
                )  # fmt: skip
    made = stack(rows)
    made.attrs = {"study": "failure_discovery", "preset": "laptop", "missing": []}
    return made


def test_the_quantities_of_the_claims_by_hand():
    row = invented().sel(model="zoo:mlp")
    assert analyse.profile_contrast(row) == pytest.approx((0.6 + 0.7) / 2 - 0.15)
    # chosen: three of quality .3 each in all classes, two of shape .5 in class 4; random: one in five
    assert analyse.chosen_over_random(row) == pytest.approx((3 * 0.3 + 2 * 0.05) / 5 - 0.3 / 5)
    assert np.isnan(analyse.profile_contrast(row.drop_sel(corruption="contrast")))


def along_attributes(rows):
    """Return rows whose attributes take something: quality from all classes, shape from one."""
    falls = np.zeros((6, 10, 5))
    falls[[1, 2, 3], :, 3] = 0.3  # blur, contrast, noise: upwards at the scene's distance
    falls[[0, 4, 5], 4, 1] = 0.5  # area, slant, stroke width: downwards
    falls[[0, 4, 5], 4, 3] = 0.4  # the better way
    probability = np.tile(0.9 - falls, (rows.sizes["model"], 1, 1, 1))
    return rows.assign(
        walk_probability=(("model", "attribute", "class", "place"), probability),
    )


def test_claims_on_attributes_by_hand():
    row = along_attributes(invented()).sel(model="zoo:mlp")
    assert analyse.classes_hit(row) == 1.0
    assert analyse.shape_over_quality(row) == pytest.approx(1.0)  # in one class, against evenly
    mild = row["walk_probability"].where(row["class"] != 3, 0.89)
    mild.loc[{"class": 3, "place": 0.0}] = 0.9
    assert analyse.classes_hit(row.assign(walk_probability=mild)) == pytest.approx(0.9)
    assert np.isnan(analyse.shape_over_quality(row.sel(attribute=["noise", "blur"])))
    nowhere = row.assign(explained=row["explained"].where(row.attribute != "noise"))
    assert np.isnan(analyse.classes_hit(nowhere)) and analyse.shape_over_quality(nowhere) == pytest.approx(
        1.0
    )


def test_estimates_are_over_runs_or_generators_of_clean_digits():
    rows = along_attributes(invented())
    names = [f"sha256:{i % 3}" for i in range(rows.sizes["model"])]
    found = verdicts.estimates(rows.assign(generator=("model", names)))
    contrast = [0.65 - 0.15 for _ in range(6)]
    assert found["failure-1"].n == 6 and found["failure-1"].estimate == pytest.approx(
        np.mean(contrast), abs=0.01
    )
    each = [analyse.chosen_over_random(rows.sel(model=f"zoo:mlp{s}")) for s in ("", "/1", "/2")]
    known = stats.ttest_1samp(each, 0).confidence_interval(0.95)  # a generator behind each seed
    assert found["failure-2"].n == 3 and found["failure-2"].estimate == pytest.approx(np.mean(each))
    assert (found["failure-2"].low, found["failure-2"].high) == pytest.approx(tuple(known))
    assert (found["failure-3"].estimate, found["failure-3"].n) == (1.0, 3)
    assert (found["failure-4"].estimate, found["failure-4"].n) == (pytest.approx(1.0), 3)


def test_one_generator_decides_nothing_about_dimensions():
    found = judged("failure_discovery", invented())
    assert found.index.tolist() == [f"failure-{i}" for i in range(1, 5)]
    assert found.loc["failure-3", ["verdict", "estimate", "n"]].tolist() == ["not judged", 0, 1]
    assert found.loc["failure-2", ["verdict", "n"]].tolist() == ["not judged", 1]
    assert found.loc["failure-4", "verdict"] == "not judged"
    assert found.loc["failure-4", "reason"].startswith("no probability decreased along these attributes")
    here = invented()
    here.attrs["preset"] = "mnist"
    line = judged("failure_discovery", here).loc["failure-1"]
    assert (line["verdict"], line["n"], line["threshold"]) == ("holds", 6, 0.2)
    otherwise = here.assign(recipe=("model", ["corrupted"] * here.sizes["model"]))
    assert set(judged("failure_discovery", otherwise)["reason"].str.partition(";")[0]) == {
        "no network was trained here on clean digits"
    }


def test_generators_of_several_presets_are_judged_together(monkeypatch):
    others = {"generator_1": ("b", 0.5), "generator_2": ("c", 1.5)}

    def behind(generator, times):
        rows = along_attributes(invented())
        return rows.assign(fall=times * rows["fall"], generator=("model", [generator] * rows.sizes["model"]))

    published = {preset: behind(*of) for preset, of in others.items()}
    for preset, rows in published.items():
        rows.attrs = {"study": "failure_discovery", "preset": preset}
    here = behind("a", 1.0)
    here.attrs = {"study": "failure_discovery", "preset": "mnist", "missing": []}
    monkeypatch.setattr(results, "read_published", lambda study, preset: published[preset])
    monkeypatch.setattr(results, "published_file", lambda study, preset: Path(__file__))
    found = judged("failure_discovery", here)
    assert found.loc["failure-1", ["preset", "n"]].tolist() == ["mnist", 6]
    assert set(found.loc["failure-2":, "preset"]) == {"generators"} and set(found.loc["failure-2":, "n"]) == {
        3
    }
    assert found.loc["failure-4", ["verdict", "corrected_over"]].tolist() == ["holds", 3]
    alone = [verdicts.estimates(rows)["failure-2"].estimate for rows in (here, *published.values())]
    assert found.loc["failure-2", "estimate"] == pytest.approx(np.mean(alone))
    monkeypatch.setattr(results, "published_file", lambda study, preset: Path("none"))
    line = judged("failure_discovery", here).loc["failure-2"]
    assert (line["verdict"], line["reason"]) == ("not judged", "1 of the 3 generators needed")


def test_rows_that_were_measured_otherwise_are_not_joined_to_the_published(monkeypatch):
    few, many = along_attributes(invented()), along_attributes(invented())
    few.attrs = {"study": "failure_discovery", "preset": "mnist"}
    many = many.pad(rank=(0, 1), mode="edge").assign_attrs(few.attrs | {"preset": "generator_1"})
    monkeypatch.setattr(results, "read_published", lambda study, preset: many)
    monkeypatch.setattr(results, "published_file", lambda study, preset: Path(__file__))
    assert judged("failure_discovery", few).loc["failure-2", "reason"] == "1 of the 3 generators needed"


def judged_as(**found):
    """Return verdicts on the four claims as the rule words them, of three generators unless an estimate is given."""
    lines = {}
    for claim, word in ({f"failure_{i}": rule.UNMEASURED for i in (1, 2, 3, 4)} | found).items():
        lines[claim.replace("_", "-")] = {
            "verdict": word, "estimate": 0.11, "low": 0.05, "high": 0.17, "smallest": 0.05, "threshold": 0.0, "above": True, "reason": "",
        }  # fmt: skip
    import pandas as pd

    return pd.DataFrame.from_dict(lines, orient="index")


@pytest.mark.parametrize(
    ("word", "begins"),
    [
        (rule.HOLDS, "Yes: style dimensions that a classifier's gradient picks make it fail more"),
        (rule.FAILS, "No, the reverse: random style dimensions"),
        (rule.NEGLIGIBLE, "No: on these networks style dimensions that a gradient picks take hardly more"),
        (rule.UNTOLD, "It cannot be told on these networks whether style dimensions"),
        (rule.UNMEASURED, "Not yet measured: whether style dimensions that"),
    ],
)
def test_the_answer_to_every_verdict(word, begins):
    words = answer.answer(answer.QUESTIONS, judged_as(failure_2=word), invented())
    assert words.startswith(begins) and ("difference in probability lost +0.11" in words) == (
        word != rule.UNMEASURED
    )


def test_the_answer_adds_what_else_is_decided():
    words = answer.answer(answer.QUESTIONS, judged_as(failure_2=rule.HOLDS, failure_1=rule.FAILS), invented())
    assert "No, the reverse: unlike on the authors' slides" in words and "shape" not in words
    assert len(words.split()) <= answers.MOST_WORDS
    assert {question.claim for question in answer.QUESTIONS} == {f"failure-{i}" for i in (1, 2, 3, 4)}


def test_the_answer_behind_one_generator_says_what_its_classifiers_show():
    rows, undecided = invented(), judged_as(failure_2=rule.UNJUDGED)
    words = answer.answer(answer.QUESTIONS, undecided, rows)
    assert words == (
        "Behind this one generator, yes: a dimension that the gradient picks takes 0.21 of the probability of the right "
        "class, a random one 0.06 (12 classifiers). One generator does not decide it for others."
    )
    alone = answer.answer(answer.QUESTIONS, undecided, rows.isel(model=[0]))
    assert alone.startswith("Behind this one generator, from one classifier a dimension")
    rows["generator"] = "model", ["a", "b"] * 6
    assert "Behind these 2 generators, yes" in answer.answer(answer.QUESTIONS, undecided, rows)
    same = rows.assign(random=rows["chosen"].isel({"class": 0}, drop=True))  # all classes choose alike
    assert ", hardly: a dimension" in answer.answer(answer.QUESTIONS, undecided, same)


def test_tidy_tables_by_hand():
    rows = invented()
    known = compared.points(rows)
    line = known.loc["mlp"]
    assert line[compared.PICKED] == pytest.approx(0.2) and line[compared.RANDOM] == pytest.approx(0.06)
    assert line["R"] == pytest.approx((0.9 + 0.85 + 0.4 + 0.3) / 4) and line["trained"] == "plain"
    assert line["still readable"] == pytest.approx(0.5)
    assert len(compared.taken(known)) == 4 * 12
    made_up = known.assign(
        **{compared.PICKED: 0.2, compared.RANDOM: 0.1, compared.WORST: 0.4},
        **{"still readable": [0.5, *[0.75] * 11]},
    )
    assert "takes 50% of what the worst dimension takes, a random one 25%" in answer.reach(made_up)
    assert answer.reach(made_up).endswith("the judge still reads 50% to 75%.")
    assert answer.reach(made_up.assign(**{compared.WORST: 0.0})) == ""  # nothing takes anything
    table = compared.coverage(rows)
    assert (
        len(table) == 12 * 3 * 5
        and set(table["choice"]) == set(compared.COLOURS)
        and (table["fail"] == 0.5).all()
    )


def test_an_attribute_spreads_over_classes_as_its_worse_way_does():
    rows = invented(1)
    there = rows["walk_probability"].dims, rows["walk_probability"].values.copy()
    at = list(map(str, rows.attribute.values)).index("slant")
    axis = there[0].index("attribute")
    moved = np.moveaxis(there[1], [axis, there[0].index("class"), there[0].index("place")], [0, 1, 2])
    moved[at, 4, 1] = 0.1  # at -3, class 4 alone loses .4
    rows["walk_probability"] = there
    lines = analyse.spread(rows, ["zoo:mlp"]).set_index("direction")
    assert lines.loc["slant -"].tolist() == pytest.approx([0.04, 0.1, 1.0])
    assert lines.loc["noise +", "classes hit"] == 0 and np.isnan(lines.loc["noise +", "unevenness"])


def test_pairs_differ_by_training_or_by_network():
    rows = invented()
    assert analyse.contrasts(rows) == [
        ("zoo:mlp", "zoo:mlp-corrupted"),
        ("zoo:lenet", "zoo:lenet-corrupted"),
        ("zoo:mlp", "zoo:lenet"),
        ("zoo:mlp-corrupted", "zoo:lenet-corrupted"),
    ]
    table = analyse.compared(rows, "zoo:mlp", "zoo:mlp-corrupted").set_index("attribute")
    assert table["difference"].tolist() == pytest.approx([3 / 20] * 7) and "all" in table.index
    assert table.loc["noise", "runs"] == 3 and table.loc["noise", "samples"] == 20
    assert table.loc["all", "first"] == pytest.approx(11 / 20)


def test_repairs_are_paired():
    rows = invented()
    table = analyse.repairs(rows, [str(m) for m in analyse.clean_trained(rows).model.values])
    table = table.set_index("measure")
    assert table.loc["failures", "gain"] == pytest.approx(0.6) and table.loc["failures", "n"] == 6
    assert table.loc["failures", "over_control"] == pytest.approx(0.2)
    nothing = rows.assign(repair=rows["repair"] * np.nan)
    assert analyse.repairs(nothing, ["zoo:mlp"]).empty


FIGURES = (
    figures.attributes,
    figures.curves,
    lambda rows: figures.curves(rows, "probability"),
    figures.flip_maps,
    figures.repair,
)


def check_panels(panels):
    """Check that these are panels of a page's column, and close them."""
    from matplotlib import pyplot

    for panel in panels:
        assert isinstance(panel, Figure) and panel.get_figwidth() == style.PANEL
        assert all(text.get_fontsize() >= 9 for text in panel.findobj(Text) if text.get_text())
        pyplot.close(panel)


@pytest.mark.parametrize("draw", FIGURES)
def test_every_figure_is_panels_with_and_without_what_it_shows(draw):
    panels = draw(invented())
    assert panels
    check_panels(panels)
    one = invented(1).isel(model=[0])
    check_panels(draw(one.assign(repair=one["repair"] * np.nan)))


def test_what_is_not_there_is_not_drawn():
    rows = invented()
    assert (
        figures.samples(rows) is None and figures.strips(rows, "zoo:mlp") == figures.corner_cases(rows) == []
    )
    assert (
        figures.repair(rows.assign(repair=rows["repair"] * np.nan))
        == figures.repair(rows.drop_vars("repair"))
        == []
    )


def test_pictures_come_from_the_rows_own_generator_only(toy, tmp_path):
    given, rows = toy
    path = given["generator"]
    assert pictures.of_rows(rows, path) is not None
    assert pictures.of_rows(rows.assign(generator=("model", ["sha256:0"] * 2)), path) is None
    assert pictures.of_rows(rows, str(tmp_path / "none.safetensors")) is None
    check_panels([figures.samples(rows, path, n=2)])
    panels = figures.strips(rows, LEARNER, path)
    assert [len(panel.axes) for panel in panels] == [5 * 3, 5 * 3]
    check_panels(panels)
    check_panels(figures.corner_cases(rows, path))


def test_the_slider_holds_all_it_shows(toy):
    given, rows = toy
    shown = slider.slider(rows, given["generator"])
    html = shown.html
    assert (
        isinstance(shown, Shown) and "http" not in html and html.count("<canvas") == 1 and "SHEET" not in html
    )
    data = json.loads(html.split("const data=", 1)[1].split(", sheet=", 1)[0])
    assert data["places"] == [-6.0, -3.0, 0.0, 3.0, 6.0] and data["classes"] == 10
    probabilities = np.array(data["probabilities"])
    assert probabilities.shape == (2, 6, 10, 5, 10) and abs(probabilities.sum(axis=-1) - 100).max() <= 5
    wanted = rows["walk_answer"].sel(model=LEARNER, attribute="noise", place=3.0).values * 100
    assert abs(probabilities[0, 3, :, 3] - wanted).max() <= 0.5 + 1e-4
    assert data["unit"] == " sd" and "shift in standard deviations" in html
    other = slider.slider(
        rows.assign(shift_unit=("model", ["range"] * rows.sizes["model"])), given["generator"]
    )
    assert '"unit":" of the range"' in other.html and "shift in shares of the range" in other.html
    assert "nothing to move" in slider.slider(rows, "elsewhere.safetensors").html
    # sliders of one page tell themselves apart by what they show, every control stands in its label, and nothing has an id
    digests = [re.findall(r'data-slider="(\w+)"', one.html) for one in (shown, other)]
    assert digests[0][0] != digests[1][0] and all(len(set(found)) == 1 for found in digests)
    assert not re.search(r'\sid="', html)
    assert len(re.findall(r"<label[^>]*>[^<]*<(?:select|input)", html)) == 3


def test_tables_have_their_lines(toy):
    for rows in (invented(), toy[1]):
        assert len(tables.overview(compared.points(rows))) == rows.sizes["model"]
        assert len(tables.directions(rows)) == len(analyse.spread(rows, [str(rows.model.values[0])])) == 6
        assert len(tables.chosen(rows, str(rows.model.values[0]), 2)) == 20
    assert tables.measures(invented()) == {
        "Spearman's correlation with the severity of gaussian blur": "0.80",
        "Spearman's correlation with the severity of gaussian noise": "0.90",
        "dimensions": "6",
        "called after image quality": "3",
        "called after shape": "2",
    }
    assert len(tables.comparisons(invented())) == 4 * 7
    assert len(tables.repaired(invented())) == 8
    assert tables.quality({}).empty and tables.made({}) == {}
    card = card_of(scene.generator_path(""))
    assert tables.made(card)["size"].endswith("MiB") and "images seen in training" in tables.made(card)
    scored = tables.quality(card).set_index("what")
    assert len(scored) == 2 + 10 + 12 + 3 and scored["generated images"].loc["read as asked, all"] == 5000
    for name in ("class", "gaussian blur of severity", "gaussian noise of severity"):
        lines = scored[scored.index.str.startswith(f"read as asked, {name}")]
        assert lines["generated images"].sum() == lines["real images"].sum() == 5000


def test_a_generator_without_mildly_corrupted_images_has_its_table():
    card = card_of(scene.generator_path(""))
    none = {
        "mild_accuracy": None,
        "real_mild_accuracy": None,
        "mild_ratio": None,
        "n_mild": 0,
        "real_n_mild": 0,
    }
    table = tables.quality(card | {"scores": card["scores"] | none}).set_index("what")
    assert table.loc["read as asked, mildly corrupted", "generated"] == "–"


def test_a_card_is_that_of_its_file(tmp_path):
    card = {"weights": "mine.safetensors", "scores": None}
    (tmp_path / "mine.json").write_text(json.dumps(card))
    assert card_of(tmp_path / "mine.safetensors") == card
    assert card_of(tmp_path / "other.safetensors") == {}
    (tmp_path / "other.json").write_text(json.dumps(card))
    assert card_of(tmp_path / "other.safetensors") == {}  # a card of another file


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"shifts": [1, 2]}, "shifts are ascending from 0"),
        ({"shifts": [0, 2, 1]}, "shifts are ascending from 0"),
        ({"score": "loss"}, "score is one of probability, logit, log_probability, but was 'loss'"),
        ({"space": "toRGB"}, "space is one of"),
        ({"noise": "random"}, "noise is one of const, none, but was 'random'"),
        ({"shift_unit": "deviations"}, "shift_unit is one of std, range, raw, but was 'deviations'"),
        ({"distance": 0.0}, "distance is above 0"),
        ({"truncation_psi": 1.5}, "at most 1"),
        ({"n_moved": 1}, "n_moved is at least 2"),
        ({"map_attributes": ["noise"]}, "two attributes"),
        ({"map_attributes": ["noise", "colour"]}, "colour"),
        ({"seeds": [-1]}, "seeds are whole numbers from 0"),
        ({"corruptions": []}, "corruptions names at least one"),
        ({"corner_set": "cases.npz"}, r"a .zarr or a .zarr.zip"),
        ({"generator": "nowhere.safetensors"}, "there is no generator nowhere.safetensors"),
        ({"n_dimensions": 41}, "has 40 dimensions in the space 'all', but n_dimensions was 41"),
        ({"n_moved": 40}, r"of each class are to be moved; raise n_samples"),
        ({"classifier": "python:toy_generator:of_three_classes", "classifiers": []}, "tells 3 classes|knows 3"),
        ({"classifier": "python:toy_generator:of_sixteen_pixels"}, "images of 32 px, but .* takes 16 px"),
        ({"judge": "zoo:lenett"}, "lenett"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused(toy, own_cache, wrong, words):
    with pytest.raises((InputError, MissingFileError), match=words):
        STUDY.measure(**toy[0] | {"corner_set": "", "classifiers": ["zoo:mlp"]} | wrong)


def test_a_generator_of_other_classes_or_none_is_refused_with_both_numbers(tmp_path, cache):
    for made, words in (
        (toy_generator.generator(c_dim=0), "the generator knows no classes"),
        (toy_generator.generator(c_dim=7), "makes 7 classes, but zoo:mlp knows 10"),
        (toy_generator.generator(size=16), "images of 16 px, but zoo:mlp takes 32 px"),
    ):
        path = tmp_path / "other.safetensors"
        write_network(path, made)
        with pytest.raises(InputError, match=words):
            STUDY.measure(**TOY | {"generator": str(path), "classifier": ""})
    assert not any(cache.rglob("weights.safetensors"))  # nothing was trained for it
    (tmp_path / "broken.safetensors").write_bytes(b"no network")
    from robustshape.errors import StoreError

    with pytest.raises(StoreError, match=r"broken\.safetensors cannot be read"):
        STUDY.measure(**TOY | {"generator": str(tmp_path / "broken.safetensors"), "classifier": ""})


def test_where_no_generator_ships_one_is_told_how_to_make_one(monkeypatch):
    monkeypatch.setattr(scene, "project_root", lambda: None)
    with pytest.raises(InputError, match="robustshape train-generator"):
        scene.generator_path("")


def test_a_direction_that_changes_another_attribute_more_is_named():
    names = ["blur", "stroke_width"]
    effect = [[[[0.1, -0.3], [0.2, 0.5]]]]  # of blur, then of stroke width, each on both
    rows = xarray.Dataset(
        {"walk_effect": (("model", "way", "attribute", "changed"), effect)},
        {"model": ["a"], "way": ["up"], "attribute": names, "changed": names},
    )
    assert (
        tables.mixed(rows) == "Not every direction is pure: that of blur changes stroke width more than blur."
    )
    assert tables.mixed(rows.isel(attribute=[1])) == ""
