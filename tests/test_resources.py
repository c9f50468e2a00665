"""What a preset will take: counted by hand, divided by given rates, said in words; networks are built without weights."""

import re
from dataclasses import replace

import pytest
import torch
from torch import nn

from robustshape import notebooks, studies
from robustshape.cli import main
from robustshape.errors import InputError
from robustshape.measurements.prepare import pace
from robustshape.models.outline import Images
from robustshape.resources import of_preset, rates, report, sizes
from robustshape.resources.estimate import Cost, Rate, costs, drivers
from robustshape.resources.sizes import images_of, passes, size_of
from robustshape.resources.workload import NetworkSize, Workload, needs, steps
from robustshape.store import sealed

SMALL = NetworkSize(flops=1e9, parameters=1000, width=100, classes=10, side=32)
TRAINED = replace(SMALL, flops=2e9, parameters=5000, training=300.0)
RATES = {name: Rate(1e9, "FLOP", True, "given") for name in ("network", "products", "products64")} | {
    name: Rate(10.0, "images", True, "given") for name in ("decode", "corrupt")
}


def test_steps_by_hand():
    work = Workload(
        "kstar_skewness", "imagenet", (SMALL, TRAINED), n_samples=3000, n_robustness=1000, cells=6, files=True,
        attacks=(("fgsm", 200), ("pgd", 100)), halves=20,
    )  # fmt: skip
    assert {step.what: (step.amount, step.tasks) for step in steps(work)} == {
        "training": (300 * 2e9, 1),
        "images decoded for features": (2 * 4000, 2 * (2 + 1)),  # pieces of 2,048
        "passes of clean images": (4000 * 3e9, 6),
        "images decoded to corrupt": (6 * 1000, 6),  # once, for all networks
        "images corrupted": (6 * 1000, 6),
        "passes of corrupted images": (6 * 1000 * 3e9, 6),
        "passes of attacks": ((3 * 200 + 60 * 100) * 3e9, 2),
        "k*, whole and halves": ((1 + 20 / 4) * 3000**2 * 200, 2),
        "nearest neighbours": (3 * 2 * 3000**2 * 200, 2),
    }


def test_kmeans_by_hand():
    work = Workload("cluster_purity", "digits", (SMALL,), n_samples=900, draws=4, drawn=500, clusters=10)
    found = {step.what: step.amount for step in steps(work)}
    assert found["k-means"] == 4 * 10 * 30 * 2 * 500 * 10 * 100  # draws, starts, iterations


def test_needs_by_hand():
    work = Workload(
        "kstar_skewness", "x", (SMALL, TRAINED), n_samples=3000, n_robustness=1000, cells=6, halves=2
    )
    found = needs(work)
    assert found.disk == {
        "features and logits": 4 * 4000 * 220, "predictions of corrupted images": 2 * 6 * 1000 * 2, "weights": 24_000,
    }  # fmt: skip
    assert found.memory["weights of the largest network"] == 4 * 4 * 5000
    assert found.memory["features of a network"] == 16 * 3000 * 100
    assert found.memory["images of a task"] == 3 * 2048 * 32 * 32


def test_hours_are_amounts_over_rates_unless_a_pace_is_known():
    work = Workload("class_selectivity", "x", (SMALL,), n_samples=3600, n_robustness=100, cells=2, files=True)
    found = {cost.what: cost.hours for cost in costs(steps(work), RATES)}
    assert found["passes of clean images"] == pytest.approx(3700 / 3600)
    assert found["images decoded for features"] == pytest.approx(370 / 3600)
    known = costs(steps(work), RATES, {"features": 60.0})
    assert known[0].what == "features, all of it"
    assert known[0].hours == pytest.approx(3 * 60 / 3600) and known[0].amount == "3 tasks"  # pieces of 2,048
    assert not any("clean" in cost.what for cost in known)


def test_drivers_of_nothing_are_none():
    assert drivers([]) == [] and drivers([Cost("a", "", 0.0, True, "")]) == []


def test_passes_are_two_operations_for_each_weight_and_place():
    convolution = nn.Conv2d(3, 5, kernel_size=3, padding=1)
    assert passes(convolution, 8, 3) == 2 * (3 * 3 * 3) * 5 * 8 * 8
    with torch.device("meta"):
        assert passes(nn.Sequential(nn.Flatten(), nn.Linear(48, 7)), 4, 3) == 2 * 48 * 7


def test_a_network_is_as_large_as_when_it_is_loaded():
    images = Images(side=32, channels=1, classes=10, n_train=3500)
    from robustshape.models.architectures import construct

    for name in ("mlp", "lenet", "vit"):
        module = construct(name, channels=1, size=32, n_classes=10)
        found = size_of(f"zoo:{name}", images)
        assert found.parameters == sum(one.numel() for one in module.parameters()) and not found.assumed
        counted = passes(module.eval(), 32, 1)
        attention = (
            2 * (2 * 65 * 65 * 64) * 2 if name == "vit" else 0
        )  # which a processor's kernel does not count
        assert counted <= found.flops <= counted + attention, name


def test_trainings_are_epochs_of_images_and_an_adversary_takes_more():
    images = Images(side=32, channels=1, classes=10, n_train=3500)
    assert size_of("zoo:lenet", images).training == 3500 * 12 * 3
    assert size_of("zoo:lenet", images, epochs=2).training == 3500 * 2 * 3
    assert size_of("zoo:lenet-pgd", images).training == 3500 * 12 * 3 * 3  # two steps of the adversary
    assert size_of("file:pretrained/squeezenet1_1_gluon.json", images).training == 0


def test_what_cannot_be_built_is_assumed_and_said():
    images = Images(side=32, channels=1, classes=10, n_train=3500)
    assert size_of("python:nowhere:build", images).assumed
    assert size_of("python:nowhere:build", images).flops == sizes.RESNET50.flops


def test_images_as_they_are_read():
    facts = {"size": "64 x 64, colour", "reading": "native", "n_classes": 200, "n_train": 100_000}
    assert images_of(facts, None) == Images(64, 3, 200, 100_000)
    assert images_of(facts, "crop32").side == 32
    assert images_of({"size": "various, colour", "n_classes": 1000}, None).side == 224


@pytest.fixture
def given_rates(monkeypatch):
    monkeypatch.setattr(rates, "measure", lambda names, images, corruptions, device: dict(RATES))


EVERY = [(study, preset) for preset, known in notebooks.list_presets().items() for study in known
         if study in studies.names()]  # fmt: skip


def test_every_preset_has_a_plan():
    sized = {}  # each architecture once: what is tried here is the reading of parameters
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(of_preset, "size_of", lambda name, *more: sized.setdefault(name, SMALL))
        for study, preset in EVERY:
            work = of_preset.workload(study, of_preset.parameters(study, preset))
            assert steps(work) and needs(work).disk["features and logits"] > 0, (study, preset)
    assert len(sized) > 100


def test_imagenet_with_a_hundred_networks_is_planned_from_options_alone(given_rates, capsys, cache):
    asked = ["--dataset", "imagenet", "--images", "1281167", "--networks", "100", "--study", "kstar_skewness"]
    assert main(["plan", "imagenet", *asked, "--workers", "10"]) == 0
    said = capsys.readouterr().out
    assert "kstar_skewness on imagenet: 100 networks, 1,281,167 + 0 images" in said
    assert re.search(
        r"images decoded for features +128 M images +\d+ days", said
    )  # every network reads them anew
    last = re.search(r"all +([\d.]+) years +([\d,]+|[\d.]+) (days|years) on 10 workers, cpu", said)
    in_years = float(last[2].replace(",", "")) / (365.25 if last[3] == "days" else 1)
    assert float(last[1]) / in_years == pytest.approx(10, rel=0.1)
    assert "what costs most: " in said and said.count("%)") == 3
    assert "GB (libraries 600 MB" in said


def test_a_pace_of_this_preset_is_preferred_until_other_images_are_asked_for(given_rates, cache):
    of_run = pace(Workload("class_selectivity", "mnist5k", (SMALL,), 1, 500), "corruptions")
    cache.mkdir()
    sealed.note(cache / "pace.json", {of_run: 7.0})
    said = report.report("laptop", study="kstar_skewness")
    assert re.search(r"corruptions, all of it +45 tasks +5 min .* pace of the last run here", said)
    assert "pace of the last run" not in report.report("laptop", study="kstar_skewness", images=900)


@pytest.mark.parametrize(
    "given, words",
    [
        (["labtop"], "unknown preset 'labtop'; closest: laptop"),
        (["laptop", "--study", "kstar"], "'kstar' has no preset 'laptop'; the studies that have it: "),
        (["laptop", "--dataset", "imagnet"], "unknown data set 'imagnet'; closest: imagenet"),
        (["laptop", "--workers", "0"], "--workers"),
        (["laptop", "--images", "-1"], "--images"),
    ],
)
def test_a_mistake_is_said_in_words(given, words, capsys, cache, given_rates):
    assert main(["plan", *given]) == 2
    error = " ".join(capsys.readouterr().err.split())
    assert words in error and "Traceback" not in error


def test_rates_are_measured_here_and_a_gpu_that_is_not_here_is_assumed(monkeypatch):
    monkeypatch.setattr(rates, "SECONDS", 0.01)
    for function in (rates.products, rates.decode, rates.corrupt):
        function.cache_clear()
    images = Images(side=32, channels=1, classes=10, n_train=3500)
    here = rates.measure(["zoo:mlp", "python:nowhere:build"], images, ["contrast", "fog"])
    assert all(rate.measured and rate.value > 1 for rate in here.values())
    assert set(here) == {"decode", "corrupt", "products", "products64", "network"}
    assert here["network"].how == "passes here of zoo:mlp"
    assert "2 of 2 corruptions at 32 px" in here["corrupt"].how
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    there = rates.measure(["zoo:mlp"], images, [], device="cuda")
    assert not there["network"].measured and there["decode"].measured and "corrupt" not in there
    said = report.words.table(
        Workload("x", "y", (SMALL,), 100),
        costs(steps(Workload("x", "y", (SMALL,), 100)), there),
        needs(Workload("x", "y", (SMALL,), 100)),
        1,
        "cuda",
    )
    assert "ASSUMED: of one data-centre GPU" in said
    for function in (rates.products, rates.decode, rates.corrupt):
        function.cache_clear()


def test_a_rate_is_calls_over_the_clock():
    ticks = iter([0.0, 0.0, 1.0, 2.0])  # begun, and before each of the calls but the first
    assert rates.per_second(lambda: None, 3.0, seconds=2.0, clock=lambda: next(ticks)) == 3.0


def test_a_study_without_the_preset_is_refused():
    with pytest.raises(InputError, match="unknown preset 'nowhere'"):
        of_preset.studies_of("nowhere")
