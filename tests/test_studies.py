"""The studies end to end on small inputs: rows, resuming after a kill, bad parameters, one network alone."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray
from PIL import Image

from benchmarks import write_cifar10, write_cifar10_c
from networks import by_brightness
from robustshape import datasets, preset_results, studies
from robustshape.analysis import robustness as ratios
from robustshape.analysis import style
from robustshape.analysis.answers import answer
from robustshape.analysis.matched import matched
from robustshape.analysis.networks import beyond
from robustshape.analysis.verdicts import judged
from robustshape.corruptions import corrupt
from robustshape.datasets.selection import Selection
from robustshape.errors import InputError
from robustshape.indicators import INDICATORS
from robustshape.indicators.kstar_unstructured import log_rank_over_twin
from robustshape.measurements import features
from robustshape.measurements.indicators import OnDraws
from robustshape.measurements.population import Population
from robustshape.models import network
from robustshape.notebooks import list_presets
from robustshape.statistics import partial_correlation, pearson
from robustshape.statistics.jackknife import jackknife
from robustshape.store import results
from robustshape.store.provenance import read
from robustshape.studies import common
from robustshape.studies.cluster_purity import STUDY as cluster_purity
from robustshape.studies.cluster_purity.measure import OURS
from robustshape.studies.indicator_comparison import STUDY as indicator_comparison
from robustshape.studies.kstar_skewness import STUDY as kstar_skewness
from robustshape.studies.kstar_skewness import analyse as kstar_analysis
from robustshape.studies.kstar_skewness import beside as kstar_beside
from robustshape.studies.kstar_skewness import figures as kstar_figures
from robustshape.studies.kstar_skewness import gallery as kstar_gallery
from robustshape.studies.kstar_skewness import reported as kstar_reported
from robustshape.studies.kstar_skewness import tables as kstar_tables
from robustshape.studies.kstar_skewness.answer import QUESTIONS
from robustshape.studies.severity_profile import STUDY as severity_profile
from robustshape.studies.severity_profile import analyse as profile_analysis
from robustshape.studies.severity_profile import figures as profile_figures
from robustshape.studies.severity_profile.answer import answer as profile_answer
from studies import KSTAR, PROFILE, PURITY, STUDIES, check_described, without_times

MEASURE_ELSEWHERE = """
import json, sys
from robustshape.studies.kstar_skewness import STUDY
STUDY.measure(**json.loads(sys.argv[1]))
"""


@pytest.fixture
def fresh(cache):
    """A cache of its own, and no network left from another test in memory."""
    network._kept.cache_clear()
    yield cache
    network._kept.cache_clear()


def invented_rows():
    """Return rows of ten networks of five families with numbers made up, as `measure` would return them."""
    rng = np.random.default_rng(0)
    n, families, recipes = 10, ["mlp", "lenet", "resnet", "convnext", "vit"], ["plain", "pgd"]
    quality = np.linspace(0, 1, n)
    rows = xarray.Dataset(
        {
            "accuracy": ("model", 0.8 + 0.15 * quality),
            "indicator_accuracy": ("model", 0.8 + 0.15 * quality),
            "corrupted_accuracy": (
                ("model", "corruption", "severity"),
                (0.4 + 0.4 * quality)[:, None, None] * np.array([[[1.0, 0.9], [0.8, 0.7], [0.9, 0.6]]]),
            ),
            "family": ("model", np.repeat(families, 2).astype(object)),
            "recipe": ("model", np.array(recipes * 5, object)),
            "training_seed": ("model", np.zeros(n, int)),
            "trains_on": ("model", np.array(["", "gaussian_noise"] * 5, object)),
            "approximate_skewness": ("model", 2 - 2 * quality + 0.1 * rng.normal(size=n)),
            "true_skewness": ("model", 2.5 - 2 * quality),
            "mean_normalised_rank": ("model", 0.01 + 0.5 * quality),
            "approximate_skewness_interval": (("model", "bound"), np.stack([1.9 - 2 * quality, 2.1 - 2 * quality], 1)),
            "mean_normalised_rank_interval": (("model", "bound"), np.stack([0.01 + 0.4 * quality, 0.02 + 0.6 * quality], 1)),
            "neighbourhood_hit": ("model", 0.3 + 0.5 * quality),
            "silhouette": ("model", 0.1 * quality),
            "intrinsic_dimension": ("model", 9 - quality),
            "robust_accuracy": (("model", "attack"), np.stack([0.5 * quality + 0.2, 0.4 * quality], 1)),
            "n_attacked": (("model", "attack"), np.full((n, 2), 30)),
            "half_sample_sd": (("model", "statistic"), np.full((n, 3), 0.02)),
            "bootstrap_sd": (("model", "statistic"), np.full((n, 3), 0.01)),
            "plot": (("model", "embedding", "plot_sample", "axis"), rng.normal(size=(n, 2, 20, 2))),
            "plot_label": (("model", "plot_sample"), np.tile(np.arange(20) % 10, (n, 1))),
            "plot_hit": (("model", "embedding"), rng.uniform(size=(n, 2))),
            "plot_trustworthiness": (("model", "embedding"), rng.uniform(size=(n, 2))),
            "normalised_rank": (("model", "sample"), rng.uniform(size=(n, 60))),
            "label": (("model", "sample"), np.tile(np.arange(60) % 10, (n, 1))),
            "skewness": (("model", "class"), rng.normal(size=(n, 10))),
            "size_skewness": (("model", "class_size"), rng.uniform(size=(n, 3))),
            "size_skewness_floor": (("model", "class_size"), np.full((n, 3), 3.4)),
            "size_mean_rank": (("model", "class_size"), rng.uniform(size=(n, 3))),
            "size_mean_rank_floor": (("model", "class_size"), np.full((n, 3), 0.01)),
            "shift_skewness": (("model", "condition"), rng.uniform(size=(n, 2))),
            "shift_mean_rank": (("model", "condition"), rng.uniform(0.1, 1, size=(n, 2))),
            "shift": ("model", np.array(["pgd linf 0.1 on 30"] * n, object)),
            "reading": ("model", np.array(["repeat32"] * n, object)),
            **{
                name: (("model", "place"), np.tile(values, (n, 1)))
                for name, values in {
                    "suspect": datasets.load("digits").sample.values[:12],
                    "suspect_neighbour": np.array([f"elsewhere/{i}" for i in range(12)], object),
                    **dict.fromkeys(("suspect_label", "suspect_neighbour_label", "suspect_predicted"), np.arange(12) % 10),
                    "suspect_rank": np.ones(12, int),
                    "suspect_nearness": np.full(12, 0.5),
                }.items()
            },
            "permuted_skewness": ("model", np.full(n, 3.4)),
            "permuted_mean_rank": ("model", np.full(n, 0.01)),
            "n_undefined": ("model", np.zeros(n, int)),
            "n_samples": ("model", np.full(n, 60)),
            "n_robustness": ("model", np.full(n, 40)),
            "dataset": ("model", np.array(["digits"] * n, object)),
            "origin": ("model", np.array(["measured here"] * n, object)),
        },
        coords={
            "model": [f"zoo:{f}-{r}" for f in families for r in recipes],
            "corruption": ["gaussian_noise", "fog", "contrast"],
            "severity": [1, 5],
            "bound": ["low", "high"],
            "attack": ["pgd linf 0.1", "pgd linf 0.2"],
            "statistic": ["true_skewness", "approximate_skewness", "mean_normalised_rank"],
            "embedding": ["tsne", "umap"],
            "class": np.arange(10),
            "class_size": [20, 50, 100],
            "condition": ["clean", "attacked"],
        },
        attrs={"preset": "laptop", "study": "kstar_skewness", "missing": []},
    )  # fmt: skip
    return rows


def one_architecture_rows():
    """Return made-up rows of one architecture under three recipes with two seeds: PGD has the highest Gamma'."""
    rows = invented_rows().isel(model=slice(0, 6))
    recipes, seeds = ["plain", "noise", "pgd"] * 2, np.repeat([0, 1], 3)
    gamma = np.array([0.1, 0.2, 0.9, 0.12, 0.22, 0.93])
    return rows.assign(
        family=("model", np.array(["cnn_a"] * 6, object)),
        recipe=("model", np.array(recipes, object)),
        training_seed=("model", seeds),
        approximate_skewness=("model", gamma),
        robust_accuracy=(("model", "attack"), np.stack([0.2 + gamma / 2] * 2, 1)),
    ).assign_coords(model=[f"zoo:cnn_a-{r}/{s}" for r, s in zip(recipes, seeds)])


def kstar_verdicts(rows):
    return judged("kstar_skewness", rows)


def test_every_folder_of_a_study_has_what_a_study_needs():
    folders = {path.parent.name for path in Path(studies.__file__).parent.glob("*/measure.py")}
    assert list(STUDIES) == sorted(folders) and folders
    for name, study in STUDIES.items():
        assert study.name == name and study.title and study.quantities and callable(study.row)
        known = common.VARIABLES | study.variables
        assert set(study.quantities) <= set(known)
    with pytest.raises(InputError, match="unknown study 'kstar'; closest: kstar_skewness"):
        studies.load("kstar")


def test_published_rows_say_of_everything_in_them_what_it_is():
    there = [(study, preset) for study in STUDIES for preset in results.published_presets(study)]
    assert there
    for study, preset in there:
        rows = STUDIES[study].described(results.read_published(study, preset))
        dumb = [name for name, values in rows.variables.items() if not values.attrs.get("long_name")]
        assert not dumb, f"{study}, {preset}: {dumb}"


@pytest.mark.parametrize("name", list_presets()["smoke"])
def test_a_raised_version_of_a_study_is_another_key(name, fresh):
    study, given = STUDIES[name], preset_results.parameters(name, "smoke")
    before, after = study.wanted(**given), replace(study, version=study.version + 1).wanted(**given)
    assert list(before) == list(after)
    keys = [{one.row.key for one in wanted.values()} for wanted in (before, after)]
    assert not keys[0] & keys[1]


def test_a_row_holds_ranks_skewness_accuracies_and_provenance(fresh):
    rows = kstar_skewness.measure(**KSTAR)
    assert rows.sizes["model"] == 2 and rows.sizes["sample"] == 60 and rows.sizes["class"] == 10
    assert rows["corrupted_accuracy"].dims == ("model", "corruption", "severity")
    for name in ("accuracy", "indicator_accuracy", "corrupted_accuracy", "normalised_rank"):
        assert float(rows[name].min()) >= 0 and float(rows[name].max()) <= 1
    kept = kstar_skewness.wanted(**KSTAR)["zoo:mlp"].row.open()
    assert "rank" in kept and "normalised_rank" not in kept  # it follows from what is kept
    by_hand = rows["rank"].values / np.take_along_axis(
        rows["size"].values, rows["label"].values.astype(int), 1
    )
    assert np.array_equal(rows["normalised_rank"].values, by_hand)
    assert by_hand.mean(1) == pytest.approx(rows["mean_normalised_rank"].values)
    low, high = rows["approximate_skewness_interval"].isel(model=0).values
    assert low < rows["approximate_skewness"].values[0] < high
    for name in ("checksum", "layer", "key", "preset", "seed"):
        assert name in rows
    about = read(rows.isel(model=0))
    assert {"versions", "code", "device", "precision"} < set(about)
    assert set(about["seconds"]) == {"features", "corruptions", "attacks", "row"}
    check_described(kstar_skewness, rows)
    population, network = kstar_skewness.plan(**KSTAR).cases[str(rows.model.values[0])]
    store = population.features(network)
    over = log_rank_over_twin(
        store["features"].values, store["label"].values, rng=np.random.default_rng([KSTAR["seed"], 5])
    )
    assert rows["indicator_value"].sel(indicator="log_rank_over_twin").values[0].tolist() == [over]
    again = kstar_skewness.measure(**KSTAR)
    xarray.testing.assert_identical(rows, again)


def test_whether_classes_are_fractured_is_asked_beside_normal_ones():
    rows = invented_rows()
    assert kstar_verdicts(rows).loc["kstar-1", "reason"].startswith("k* of normal classes")
    over = np.where(rows["family"].values == rows["family"].values[0], 0.2, -0.2)
    rows = rows.assign(indicator_value=(("model", "indicator", "draw"), over[:, None, None])).assign_coords(
        indicator=["log_rank_over_twin"]
    )
    families = len(set(rows["family"].values))
    line = kstar_verdicts(rows).loc["kstar-1"]
    assert line["estimate"] == pytest.approx(1 - 1 / families) and line["n"] == families


def test_studies_share_networks_and_predictions(fresh, monkeypatch):
    kstar_skewness.measure(**KSTAR)
    monkeypatch.setattr(features, "compute", None)  # calling it would fail
    rows = cluster_purity.measure(**PURITY)
    assert rows.sizes["draw"] == 3


def test_the_comparison_takes_what_the_purity_study_measured_on_the_same_draws(fresh, monkeypatch):
    cluster_purity.measure(**PURITY)
    compute, asked = OnDraws.compute, []
    monkeypatch.setattr(
        OnDraws, "compute", lambda self, network, names: asked.append(names) or compute(self, network, names)
    )
    own = ("n_closer", "layers")
    given = {name: value for name, value in PURITY.items() if name not in own}
    rows = indicator_comparison.measure(**given)
    assert asked == [sorted(OURS)] * 2 and set(rows["indicator"].values) == set(INDICATORS.names())
    check_described(indicator_comparison, rows)
    less = indicator_comparison.measure(**given | {"per_class": 3, "models": ["zoo:mlp"]})
    assert less["per_class"].values.tolist() == [3] and less["key"][0] != rows["key"][0]
    assert (less["indicator_value"] != rows["indicator_value"][:1]).any()


def test_the_normalised_rank_of_rows_with_gaps_has_gaps_there():
    nan = np.nan
    gaps = xarray.Dataset(
        {
            "rank": (("model", "sample"), [[1.0, 2, 3, nan], [nan] * 4]),
            "label": (("model", "sample"), [[7.0, 7, 9, nan], [nan] * 4]),
            "size": (("model", "class"), [[2.0, 4], [nan, nan]]),
        },
        {"model": ["a", "b"], "class": [7, 9]},
    )
    found = kstar_skewness.described(gaps)["normalised_rank"].values
    np.testing.assert_array_equal(found, [[0.5, 1.0, 0.75, nan], [nan] * 4])
    assert "normalised_rank" not in kstar_skewness.described(gaps[["size"]])


@pytest.mark.parametrize("study, given", [(kstar_skewness, KSTAR), (cluster_purity, PURITY)])
def test_two_processes_give_the_numbers_of_one(fresh, tmp_path, monkeypatch, study, given):
    alone = study.measure(**given)
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path / "two"))
    both = study.measure(**given | {"dask_scheduler": "local:2"})
    xarray.testing.assert_identical(without_times(alone), without_times(both))


def test_killed_at_any_moment_it_goes_on_and_the_result_is_the_same(fresh, tmp_path, monkeypatch):
    given = json.dumps(KSTAR)

    def start(cache):
        return subprocess.Popen(
            [sys.executable, "-c", MEASURE_ELSEWHERE, given],
            env=os.environ | {"ROBUSTSHAPE_CACHE": str(cache)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    killed, began = tmp_path / "killed", time.monotonic()
    for stage in ("models", "features", "corrupted", "attacked", "results"):
        process = start(killed)
        while process.poll() is None and not any((killed / stage).rglob("*.*")):
            time.sleep(0.01)
            assert time.monotonic() - began < 240, "measuring takes too long"
        if stage == "corrupted":  # this one lives on beside the next, as a kernel that is still ending
            lingering = process
        else:
            process.send_signal(signal.SIGKILL)
            process.wait()
    lingering.wait()
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(killed))
    continued = kstar_skewness.measure(**KSTAR)
    network._kept.cache_clear()
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path / "undisturbed"))
    undisturbed = kstar_skewness.measure(**KSTAR)
    xarray.testing.assert_identical(without_times(continued), without_times(undisturbed))


BRIGHT = KSTAR | dict(models=["python:networks:by_brightness"], plots=[], attacks=[], shift="", epochs=0)


@pytest.mark.filterwarnings("ignore:.*is not the known copy of cifar10", "ignore:.*fewer than 20 samples")
def test_published_corrupted_images_are_shown_where_they_are_asked_for(fresh, tmp_path, monkeypatch):
    monkeypatch.setenv("ROBUSTSHAPE_DATA", str(tmp_path))
    write_cifar10(tmp_path, 60)
    write_cifar10_c(tmp_path / "CIFAR-10-C", ["fog", "snow"], 60)
    given = BRIGHT | dict(dataset="cifar10", n_robustness=20, n_samples=40, corruptions=["fog", "snow"])
    rows = kstar_skewness.measure(**given | {"corrupted": "stored", "severities": [3, 5]})
    assert rows["corrupted_accuracy"].values.tolist() == [[[1, 0], [0, 0]]]  # as bright as another class
    assert rows["corrupted"].values.tolist() == ["stored"]
    made = kstar_skewness.measure(**given | {"severities": [3, 5]})
    assert (made["corrupted_accuracy"] != rows["corrupted_accuracy"]).any()
    xarray.testing.assert_equal(made["rank"], rows["rank"])  # of the same clean images


@pytest.mark.filterwarnings("ignore:.*fewer than 20 samples")
def test_photographs_of_mixed_sizes_are_measured_as_they_are_read(fresh, tmp_path, monkeypatch):
    rng, sizes, levels = np.random.default_rng(0), [(70, 90), (64, 64), (120, 66), (65, 200)], (40, 120, 200)
    for i in range(60):
        folder = tmp_path / "pets" / f"class{i % 3}"
        folder.mkdir(parents=True, exist_ok=True)
        grey = levels[i % 3] + rng.integers(-30, 31, (*sizes[i % 4], 3))
        Image.fromarray(grey.astype(np.uint8)).save(folder / f"{i}.png")
    known = [(k, level / 255) for k, level in enumerate(levels)]
    monkeypatch.setattr(by_brightness, "__defaults__", (known, 3, 64, None))
    given = BRIGHT | dict(dataset=f"imagefolder:{tmp_path / 'pets'}", n_robustness=20, n_samples=40)
    rows = kstar_skewness.measure(**given | {"reading": "crop64", "constants": "224"})
    assert rows["reading"].values.tolist() == rows["robustness_reading"].values.tolist() == ["crop64"]
    assert rows["accuracy"].values.tolist() == rows["indicator_accuracy"].values.tolist() == [1]
    parts = Selection.parts(given["dataset"], (40, 20), seed=0, reading="crop64")
    data = parts[1].load()
    for name in given["corruptions"]:
        shown = corrupt(datasets.pixels(data), name, 5, ids=data.sample.values, constants="224")
        means = shown.reshape(20, -1).mean(1)
        right = abs(means[:, None] - levels).argmin(1) == data.label.values
        assert float(rows["corrupted_accuracy"].sel(corruption=name, severity=5)[0]) == right.mean()
    with pytest.raises(InputError, match=r"various sizes .*choose a reading that gives one"):
        kstar_skewness.measure(**given)


OTHERWISE = {  # a value of each parameter of a population that is not that of a preset
    "models": ["zoo:mlp/7"], "dataset": "mnist5k", "reading": "resize64", "n_samples": 210, "n_robustness": 110,
    "robustness_dataset": "mnist5k", "robustness_reading": "resize64", "corruptions": ["contrast"],
    "severities": [4], "corrupted": "generated jpeg85", "constants": "64", "attacks": ["fgsm linf 0.07 on 9"],
    "epochs": 1, "seed": 7,
}  # fmt: skip


@pytest.mark.parametrize("name", list_presets()["smoke"])
def test_every_study_takes_every_parameter_of_a_population_and_it_counts(name, fresh):
    study, given = STUDIES[name], preset_results.parameters(name, "smoke") | {"dataset": "digits"}
    own = set(study.settings.__dataclass_fields__)
    given |= {"readings": ["resize64"]} if "readings" in own else {}  # as images of any size are read
    assert set(OTHERWISE) == set(Population.names()) <= set(study.parameters) | set(study.settings.decided)
    keys = {one.row.key for one in study.wanted(**given).values()}
    for parameter in set(OTHERWISE) & set(study.parameters) - own:
        other = {"robustness_reading": {"robustness_dataset": "mnist5k"}}.get(parameter, {})
        changed = study.wanted(**given | other | {parameter: OTHERWISE[parameter]})
        assert keys.isdisjoint(one.row.key for one in changed.values()), parameter
        [population, *_] = {
            case[0] for case in study.plan(**given | {parameter: OTHERWISE[parameter]}).cases.values()
        }
        assert np.array_equal(
            np.array(getattr(population, parameter), str), np.array(OTHERWISE[parameter], str)
        )


def test_one_network_alone_has_a_page_too(fresh):
    given = KSTAR | {"models": '["zoo:mlp"]', "severities": "[1, 5]"}  # as papermill's -p hands them over
    rows = kstar_skewness.measure(**given)
    assert kstar_verdicts(rows).loc["kstar-3", "verdict"] == "not judged"
    assert kstar_figures.distributions(rows).axes and kstar_figures.gamma(rows)
    assert kstar_figures.adversarial_pairs(kstar_analysis.adversarial_pairs(rows)) == []
    assert beyond(kstar_analysis.points(rows), "log k*", "R").empty
    words = answer(QUESTIONS, kstar_verdicts(rows), rows)
    assert words.startswith("One network is too few to compare. mlp keeps ")


@pytest.mark.parametrize(
    "study, wrong, words",
    [
        (kstar_skewness, {"models": ["zoo:lenett"]}, "unknown model 'zoo:lenett'; closest: zoo:lenet"),
        (kstar_skewness, {"dataset": "mnist6k"}, "unknown data set 'mnist6k'; closest: mnist5k"),
        (kstar_skewness, {"corruptions": ["fogg"]}, "unknown corruption 'fogg'; closest: fog"),
        (kstar_skewness, {"severities": [0, 1]}, "severities run from 1 to 5"),
        (kstar_skewness, {"severities": ["1"]}, "severities holds int values"),
        (kstar_skewness, {"models": []}, "models is a list of at least one"),
        (kstar_skewness, {"models": "zoo:lenet"}, "models is a list such as"),
        (kstar_skewness, {"models": ["zoo:mlp", "zoo:mlp"]}, "names something twice"),
        (kstar_skewness, {"models": ["zoo:mlp", "zoo:mlp/0"]}, "are the same network"),
        (kstar_skewness, {"metric": "cosin"}, "unknown metric 'cosin'; closest: cosine"),
        (kstar_skewness, {"source": "publish"}, "unknown source 'publish'; closest: published"),
        (kstar_skewness, {"n_samples": 0}, "n_samples is at least 1, but was 0"),
        (kstar_skewness, {"n_samples": 600}, "500"),
        (kstar_skewness, {"n_bootstrap": 0}, "n_bootstrap is at least 1"),
        (cluster_purity, {"n_draws": 0}, "n_draws is at least 1"),
        (cluster_purity, {"epochs": -1}, "epochs is 0"),
        (cluster_purity, {"n_closer": 4}, "n_closer is 0 to 3, the number of draws, but was 4"),
        (cluster_purity, {"n_closer": -1}, "n_closer is 0 to 3"),
        (cluster_purity, {"per_class": 7}, "a draw takes 7 images of each class, but class 0 has 6"),
        (cluster_purity, {"per_class": 1}, "2 are the fewest"),
        (cluster_purity, {"n_classes": 9}, "a draw of 9 classes was asked for, but the images are of 10"),
        (cluster_purity, {"n_classes": 1}, "a draw of 1 classes"),
        (cluster_purity, {"layer": "fcc"}, "unknown layer 'fcc' of a .*; closest: "),
        (cluster_purity, {"layers": ["logits", "depth:2"]}, "depth:2.0 was asked for"),
        (cluster_purity, {"layers": "logits"}, "layers is a list such as"),
        (cluster_purity, {"corrupted": "nonsense"}, "corrupted is one of 'generated', .* but was 'nonsense'"),
        (cluster_purity, {"constants": "23"}, "unknown table of constants '23'; closest: .*32"),
        (cluster_purity, {"corruptions": []}, "corruptions names at least one"),
        (cluster_purity, {"robustness_dataset": "digit"}, "unknown data set 'digit'; closest: digits"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_computed(fresh, study, wrong, words):
    given = (KSTAR if study is kstar_skewness else PURITY) | wrong
    with pytest.raises(InputError, match=words):
        study.measure(**given)
    assert not (fresh / "models").exists() and not (fresh / "features").exists()


def test_a_network_that_does_not_fit_is_refused_before_others_are_trained(fresh, tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(
        "from torch import nn\n"
        "def narrow(): return nn.Sequential(nn.Flatten(), nn.Linear(7, 10))\n"
        "def many(): return nn.Sequential(nn.Flatten(), nn.Linear(1024, 1000))\n"
    )
    monkeypatch.chdir(tmp_path)
    for name, words in (("narrow", r"python:mine:narrow cannot take images of 1 x 32 x 32 \(channels, height, width\): "),
                        ("many", "tells 1000 classes apart, but 'digits' has 10")):  # fmt: skip
        with pytest.raises(InputError, match=words):
            kstar_skewness.measure(**KSTAR | {"models": ["zoo:mlp", f"python:mine:{name}"]})
    assert not any(fresh.rglob("weights.safetensors"))


def test_the_kstar_claims_are_about_log_mean_rank_whatever_gamma_is():
    rows = invented_rows()
    nothing = rows.assign(approximate_skewness=rows["approximate_skewness"] * np.nan)
    found = kstar_verdicts(nothing)
    columns = np.log10(rows["mean_normalised_rank"].values), ratios.robustness(rows), rows["accuracy"].values
    recipes = rows["recipe"].values
    centred = [v - np.array([v[recipes == r].mean() for r in recipes]) for v in columns]
    assert found.loc["kstar-3", "estimate"] == pytest.approx(partial_correlation(*centred))
    assert found.loc["kstar-3", ["verdict", "n"]].tolist() == ["not judged", 5]
    assert found.loc["kstar-6", "reason"].startswith("PGD at two budgets or more, or the clean")
    assert found.loc["kstar-4", "reason"].startswith("no network was trained both plainly and adversarially")
    budgets = rows.assign(attacked_clean_accuracy=rows["robust_accuracy"] * 0 + 0.9)
    assert np.isfinite(kstar_verdicts(budgets).loc["kstar-5", "estimate"])


def test_ratios_by_hand():
    rows = invented_rows()
    # the first: 0.4 * (1, .9, .8, .7, .9, .6) over 0.8
    np.testing.assert_allclose(ratios.robustness(rows)[0], 0.4 * 4.9 / 6 / 0.8)
    np.testing.assert_allclose(ratios.group_robustness(rows)["weather"][0], 0.4 * 0.75 / 0.8)
    assert set(ratios.group_robustness(rows)) == {"noise", "weather", "digital"}
    # some networks saw noise, so that group is left out for all, or they could not be compared
    unseen = rows["corrupted_accuracy"].sel(corruption=["fog", "contrast"]).mean(("corruption", "severity"))
    np.testing.assert_allclose(ratios.unseen_robustness(rows), unseen / rows["accuracy"])
    plain = rows.isel(model=slice(0, None, 2))
    np.testing.assert_allclose(ratios.unseen_robustness(plain), ratios.robustness(plain))
    assert np.isnan(ratios.unseen_robustness(rows.sel(corruption=["gaussian_noise"]))).all()


def test_the_statistics_tell_what_was_put_in():
    rows = invented_rows()
    table = kstar_analysis.correlation_table(rows).set_index(["shape", "target"])
    shape, target = kstar_analysis.SHAPES["approximate_skewness"], kstar_analysis.TARGETS["robustness"]
    assert table.loc[(shape, target), "r"] < -0.9 and table.loc[(shape, target), "families"] == 5
    again = jackknife(
        lambda i: pearson(rows["approximate_skewness"].values[i], ratios.robustness(rows)[i]),
        rows["family"].values,
        fisher=True,
    )
    assert table.loc[(shape, target), ["low", "high"]].tolist() == pytest.approx([again.low, again.high])
    pairs = kstar_analysis.adversarial_pairs(rows)
    assert len(pairs) == 5 and pairs.attrs["recipe"] == "pgd" and pairs.attrs["whose"].startswith("families")
    rank = np.log10(rows["mean_normalised_rank"].values[:2])
    assert pairs.loc["mlp"].tolist() == pytest.approx([rank[0], rank[1], rank[1] - rank[0]])


@pytest.mark.parametrize(
    "draw",
    [
        kstar_figures.gamma,
        lambda rows: kstar_figures.adversarial_pairs(kstar_analysis.adversarial_pairs(rows)),
        kstar_figures.distributions,
        kstar_figures.class_size,
        kstar_figures.clean_against_attacked,
        lambda rows: kstar_figures.plots(rows, ["zoo:mlp-plain", "zoo:vit-pgd"]),
        lambda rows: kstar_figures.one_architecture(one_architecture_rows()),
        lambda rows: kstar_gallery.gallery(rows, "zoo:mlp-plain"),
    ],
)
def test_every_figure_is_made_of_panels_as_wide_as_a_column(draw):
    panels = draw(invented_rows())
    panels = panels if isinstance(panels, list) else [panels]
    assert panels and all(panel.get_figwidth() == style.PANEL for panel in panels)
    for panel in panels:
        panel.canvas.draw()
        for axis in panel.axes:
            assert (
                axis.get_xlabel() or axis.get_ylabel() or axis.lines or axis.collections or axis.get_title()
            )


def test_where_nothing_was_measured_there_is_nothing_to_draw():
    rows = invented_rows()
    assert kstar_figures.plots(rows.drop_dims("embedding"), ["zoo:mlp-plain"]) == []
    assert kstar_figures.clean_against_attacked(rows.drop_dims("condition")) == []
    assert kstar_figures.class_size(rows.isel(class_size=[0])) == []
    bare = kstar_analysis.points(rows.drop_dims(["attack", "corruption"]))
    assert not {"R", "under attack"} & set(bare) and beyond(bare, "log k*", "R").empty
    assert kstar_analysis.words_for_attack(rows.drop_dims("attack")) == "not measured"


def test_the_correlation_of_what_is_left_is_the_one_that_the_claim_is_judged_by():
    rng = np.random.default_rng(1)
    rows = invented_rows()
    noisy = rows.assign(mean_normalised_rank=rows["mean_normalised_rank"] * np.exp(rng.normal(size=10)))
    left = beyond(kstar_analysis.points(noisy), "log k*", "R")
    expected = kstar_verdicts(noisy).loc["kstar-3", "estimate"]
    assert pearson(left["log k*"], left["R"]) == pytest.approx(expected) and abs(expected) < 0.99
    budgets = noisy.assign(
        attacked_clean_accuracy=rows["robust_accuracy"] * 0 + 0.9,
        robust_accuracy=rows["robust_accuracy"] * rng.uniform(0.5, 1, size=(10, 1)),
    )
    left = beyond(kstar_analysis.points(budgets), "log k*", "under attack")
    expected = kstar_verdicts(budgets).loc["kstar-6", "estimate"]
    assert pearson(left["log k*"], left["under attack"]) == pytest.approx(expected)


@pytest.mark.parametrize(
    "verdict, begins",
    [
        (
            "holds",
            "Yes: of two networks of equal accuracy the one with less fractured classes is the more robust",
        ),
        ("holds, small", "A little: of two networks"),
        (
            "fails",
            "No, the reverse: of two networks of equal accuracy the one with less fractured classes is the less",
        ),
        ("fails, small", "No: of two networks"),
        (
            "negligible",
            "No: on these networks fractured classes tell little or nothing about robustness to corruption",
        ),
        (
            "cannot be told",
            "It cannot be told on these networks whether networks whose classes are fractured keep less",
        ),
        ("not judged", "These networks do not decide whether networks whose classes are fractured keep less"),
        ("not yet measured", "Not yet measured: whether networks whose classes are fractured keep less"),
    ],
)
def test_the_answer_about_kstar_follows_its_verdicts(verdict, begins):
    rows = invented_rows()
    judged_here = kstar_verdicts(rows)
    judged_here.loc["kstar-3", ["verdict", "estimate", "low", "high"]] = [verdict, 0.31, 0.17, 0.44]
    words = answer(QUESTIONS, judged_here, rows)
    assert words.startswith(begins) and len(words.split()) <= 60
    assert ("+0.31" in words) == (verdict != "not yet measured") and words.count(": ") <= 2
    judged_here.loc["kstar-4", "verdict"] = "holds"
    assert answer(QUESTIONS, judged_here, rows) == f"{words} Yes: adversarial training fractures classes."


def test_severity_profile_fits_a_row_that_is_the_reported_table(fresh):
    rows = severity_profile.measure(**PROFILE)
    check_described(severity_profile, rows)
    assert list(rows.model.values) == ["zoo:mlp repeat32", "zoo:mlp-noise repeat32"]
    printed = profile_analysis.reported().sel(corruption=rows.corruption, severity=rows.severity)
    shares = rows["corrupted_accuracy"].copy()
    shares.values[1] = printed.transpose("corruption", "severity").values
    rows = rows.assign(corrupted_accuracy=shares)
    assert profile_analysis.nearest(rows) == "zoo:mlp-noise repeat32"
    points = profile_analysis.points(rows)
    exact = points[points["row"] == "zoo:mlp-noise repeat32"]
    assert exact["gap"].abs().max() == pytest.approx(0) and set(exact["classifier"]) == {"MLP, noise"}
    assert points["reported"].to_numpy() == pytest.approx((points["accuracy"] - points["gap"]).to_numpy())
    assert len(points) == rows["corrupted_accuracy"].size and set(points["reading"]) == {"repeat32"}
    assert profile_answer(points).startswith(
        "Of 2 classifiers and readings the nearest (MLP, noise, digits read as repeat32) differs from the reported "
        "accuracies by 0.000 on average"
    )
    assert len(profile_analysis.side_by_side(rows)) == 3
    panels = profile_figures.profiles(rows, points)
    assert len(panels) == rows.corruption.size and len(panels[0].axes[0].lines) == 3


def test_the_answer_of_the_severity_profile_by_hand():
    points = pd.DataFrame(
        {
            "row": ["a", "a", "b", "b"], "classifier": "LeNet, plain", "reading": ["pad32"] * 2 + ["native"] * 2,
            "corruption": ["fog", "glass blur"] * 2, "severity": [1, 5, 1, 5], "gap": [0.1, -0.3, 0.2, 0.4],
        }
    )  # fmt: skip
    assert profile_answer(points) == (
        "Of 2 classifiers and readings the nearest (LeNet, plain, digits read as pad32) differs from the reported "
        "accuracies by 0.200 on average; even it does not fit glass blur at severity 5, where it is 0.30 less accurate "
        "than reported."
    )
    assert profile_answer(points.iloc[:2]).startswith("The only classifier and reading (LeNet, plain, ")
    assert profile_answer(points.iloc[::-1]) == profile_answer(points)


def test_within_one_architecture_only_its_own_runs_count():
    rows = one_architecture_rows()
    table = kstar_analysis.within_one_architecture(rows)
    assert set(table["runs"]) == {6} and set(table["recipes"]) == {3}
    assert table["r"].iloc[0] == pytest.approx(1)  # robust accuracy was made from Gamma'
    pairs = kstar_analysis.adversarial_pairs(rows)  # of one family, so pairs are not averaged
    change = pairs["change"]
    assert pairs.attrs["whose"] == "pairs of runs" and pairs.index.tolist() == ["cnn_a/0", "cnn_a/1"]
    assert np.isnan(table["low"]).all()  # of three recipes there is no interval
    fast = rows.assign(recipe=("model", np.array(["plain", "noise", "fast"] * 2, object)))
    rank, found = np.log10(rows["mean_normalised_rank"].values), kstar_verdicts(fast)
    expected = (rank[2] - rank[0] + rank[5] - rank[3]) / 2
    assert found.loc["kstar-8", "estimate"] == pytest.approx(expected) and found.loc["kstar-8", "n"] == 2
    by_seed = [rank[2] - rank[0], rank[5] - rank[3]]
    assert change.tolist() == pytest.approx(by_seed)  # by PGD as by one step
    elsewhere = rows.assign(training_seed=("model", np.full(6, -1)))  # pretrained ones are no runs of ours
    assert matched(elsewhere) is None
    assert kstar_analysis.within_one_architecture(elsewhere).empty
    assert kstar_figures.one_architecture(elsewhere) == []


def test_the_main_attack_is_pgd_at_the_largest_budget_whatever_the_order():
    rows = invented_rows()
    assert ratios.main_attack(rows) == "pgd linf 0.2"
    assert ratios.main_attack(rows.isel(attack=[1, 0])) == "pgd linf 0.2"
    fractions = rows.assign_coords(attack=["pgd linf 16/255", "pgd linf 8/255"])
    assert ratios.main_attack(fractions) == "pgd linf 16/255"
    assert ratios.main_attack(rows.drop_dims("attack")) == ""


def test_pairs_are_of_one_architecture_not_only_of_one_family():
    rows = invented_rows().isel(model=[0, 1])
    rows = rows.assign_coords(model=["zoo:cifar_resnet56", "zoo:cifar_resnet20-pgd"])
    assert kstar_analysis.adversarial_pairs(rows).empty


def test_reported_zero_shot_accuracies_judge_the_claim_about_generalisation():
    reported = kstar_reported.zero_shot_accuracies()
    names = list(reported)[::12][:10]
    rows = invented_rows().assign_coords(model=names)
    rows = rows.assign(mean_normalised_rank=("model", [10 ** reported[name] for name in names]))
    rows.attrs["preset"] = "openclip"
    line = kstar_verdicts(rows).loc["kstar-2"]
    assert line["estimate"] == pytest.approx(1) and line["reason"] == "5 of the 12 model families needed"


def test_suspects_by_hand():
    # class 0 on the left, class 1 on the right, and one of class 1 among the zeros
    features = np.array([[0.0], [1.0], [2.0], [1.1], [9.0], [10.0], [11.0]])
    labels, ids = np.array([0, 0, 0, 1, 1, 1, 1]), np.array([f"image {i}" for i in range(7)], object)
    from robustshape.indicators.kstar import nearest_foreign_rank

    rank = nearest_foreign_rank(features, labels)
    found = kstar_beside.suspects(features, labels, ids, labels, rank, "euclidean")
    assert found["suspect"].values[0] == "image 3" and found["suspect_neighbour"].values[0] == "image 1"
    assert found["suspect_nearness"].values[0] == pytest.approx(0.1 / 7.9)
    assert found["suspect_rank"].values[0] == 1 and found.sizes["place"] == 7
    shuffled = np.random.default_rng(0).permutation(7)
    again = kstar_beside.suspects(
        features[shuffled], labels[shuffled], ids[shuffled], labels[shuffled], rank[shuffled], "euclidean"
    )
    xarray.testing.assert_allclose(found, again)


def test_class_sizes_end_at_the_smallest_class_and_include_the_whole():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [60, 60, 55])
    features = rng.normal(size=(175, 4)) + 3 * np.eye(4)[labels]
    found = kstar_beside.by_class_size(features, labels, "euclidean")
    assert found["class_size"].values.tolist() == [20, 50, 55]
    chosen = np.concatenate([np.flatnonzero(labels == c)[:20] for c in range(3)])
    from robustshape.indicators.kstar import kstar_distribution

    alone = kstar_distribution(features[chosen], labels[chosen])
    assert found["size_skewness"].values[0] == pytest.approx(float(alone["approximate_skewness"]))


def test_a_gallery_shows_images_where_they_are_and_ids_where_they_are_not():
    panels = kstar_gallery.gallery(invented_rows(), "zoo:mlp-plain", n=6)
    axes = [axis for panel in panels for axis in panel.axes if axis.get_visible()]
    with_images = [axis for axis in axes if axis.images]
    assert len(panels) == 2 and len(axes) == 12 and len(with_images) == 6  # digits of the package
    assert [axis.texts[0].get_text() for axis in axes if not axis.images] == list("012345")
    assert kstar_gallery._short("African grey parrot, Psittacus") == "African gr…"


def test_networks_are_named_by_name_or_short_name(capsys):
    rows = invented_rows()
    assert kstar_analysis.named(rows, ["mlp-plain"]) == ["zoo:mlp-plain"]
    assert len(kstar_analysis.named(rows, [])) == len(kstar_analysis.named(rows, ["vgg"])) == 2
    assert capsys.readouterr().out == "not measured here: vgg\n"
    assert kstar_analysis.named(rows, '["vgg", "zoo:vit-pgd"]') == ["zoo:vit-pgd"]


def test_tables_have_a_line_for_each_network():
    rows = invented_rows()
    for table in (kstar_tables.overview, kstar_tables.beside, kstar_tables.attacks):
        assert len(table(rows)) == 10
    correlations = kstar_analysis.correlation_table(rows)
    parts = [kstar_tables.correlations_of_kstar(correlations, others=others) for others in (False, True)]
    assert [len(part) for part in parts] == [15, 25] and len(correlations) == 40
    alone = kstar_analysis.correlation_table(rows.isel(model=[0]))
    assert kstar_tables.correlations_of_kstar(alone).empty
    assert kstar_tables.interval_check(rows)["ratio"].tolist() == pytest.approx([2.0] * 3)
    assert kstar_tables.attacks(rows.drop_dims("attack")).empty
    assert len(kstar_tables.suspects(rows, "zoo:vit-pgd")) == 12
