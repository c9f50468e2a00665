"""The selectivity study: the grid, layers by hand, made-up runs through every statistic, table and figure; end to end."""

import json
import warnings
from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
import xarray
from matplotlib.figure import Figure
from scipy import stats

from robustshape import notebooks
from robustshape.analysis import agreement, claims, page, style
from robustshape.analysis.answers import MOST_WORDS, answer
from robustshape.analysis.robustness import area_under_attack, mean_corrupted_accuracy, robustness
from robustshape.analysis.verdicts import judged as judged_rows
from robustshape.attacks import starts
from robustshape.attacks.stages import ladder
from robustshape.corruptions import corrupt
from robustshape.datasets.selection import Selection
from robustshape.errors import InputError, TrainingError
from robustshape.indicators.dimensionality import intrinsic_dimension
from robustshape.indicators.selectivity import class_selectivity
from robustshape.measurements import attack_steps, attacked, prepare
from robustshape.measurements.attack_steps import Steps
from robustshape.measurements.population import Population
from robustshape.measurements.unit_responses import logit_jacobian_norms, unit_responses
from robustshape.models import identity, zoo
from robustshape.models import network as networks
from robustshape.models.classifier import Classifier
from robustshape.models.network import Network
from robustshape.models.preprocessing import Preprocessing
from robustshape.store import results, sealed
from robustshape.store.keys import key_of
from robustshape.store.provenance import read
from robustshape.store.rows import stack
from robustshape.studies.class_selectivity import (
    STUDY,
    analyse,
    early_layers,
    figures,
    grid,
    inside,
    reported,
    reverse,
    row,
    runs,
    tables,
    verdicts,
)
from robustshape.studies.class_selectivity.answer import QUESTIONS
from robustshape.studies.class_selectivity.measure import SelectivitySettings
from robustshape.studies.plan import diverged_row
from robustshape.values import as_list
from studies import check_described, with_row

GRID = [(alpha, seed) for seed in range(3) for alpha in (-1.0, 0.0, 1.0)]
CORRUPTIONS = ["gaussian_noise", "fog", "contrast"]
ATTACKS = ["fgsm linf 1/255", "fgsm linf 1/510", "pgd linf 2/255", "pgd linf 1/255"]
SCHEDULE = {
    "epochs": 2,
    "n_images": 500,
    "batch_size": 128,
    "optimiser": "adamw",
    "schedule": "steps",
    "learning_rate": 0.1,
}


# --------------------------------------------------------------------------------------------------------- the grid


def test_every_alpha_is_trained_at_every_seed_and_others_stand_beside():
    beside = ["zoo:lenet-pgd", "zoo:lenet/4", "torchvision:resnet18"]
    found = grid.networks("zoo:resnet-sgd", [-0.4, 0, 2], [0, 3], beside)
    assert list(found) == [
        "zoo:resnet-sgd+alpha=-0.4", "zoo:resnet-sgd", "zoo:resnet-sgd+alpha=2",
        "zoo:resnet-sgd+alpha=-0.4/3", "zoo:resnet-sgd/3", "zoo:resnet-sgd+alpha=2/3",
        "zoo:lenet-pgd", "zoo:lenet-pgd/3", "zoo:lenet/4", "torchvision:resnet18",
    ]  # fmt: skip
    assert [seed for _, seed in found.values()] == [0, 0, 0, 3, 3, 3, 0, 3, -1, -1]
    assert [alpha for alpha, _ in found.values()][:6] == [-0.4, 0, 2] * 2
    assert np.isnan([alpha for alpha, _ in found.values()][6:]).all()


def test_lists_may_be_json_and_a_network_of_the_grid_does_not_stand_beside_itself():
    given = grid.networks("zoo:resnet", "[0, -1]", "[1]", '["zoo:resnet"]')
    assert given == {"zoo:resnet/1": (0.0, 1), "zoo:resnet-alpha=-1/1": (-1.0, 1)}
    assert (
        as_list("[]", "alphas", float, empty=True) == [] and str(as_list([-0.0], "alphas", float)) == "[0.0]"
    )


def test_the_transferred_attack_comes_from_a_network_without_regulariser_of_another_seed():
    sources = [grid.source_of("zoo:resnet", seed, [2, 0, 5]) for seed in (2, 0, 5, -1)]
    assert sources == ["zoo:resnet", "zoo:resnet/2", "zoo:resnet/2", "zoo:resnet/2"]
    assert grid.source_of("zoo:resnet", 3, [3]) is None


def test_a_name_holds_all_digits_of_its_alpha():
    names = [grid.with_alpha("zoo:resnet", alpha) for alpha in (0.1234567891, 1e30, -0.4, 100.0)]
    assert names == [f"zoo:resnet-alpha={words}" for words in ("0.1234567891", "1e+30", "-0.4", "100")]


def test_alphas_that_six_digits_cannot_tell_apart_are_other_networks():
    alphas = [0.0, 0.12345674, 0.12345671, 1000000.5, 1000001.0, 1 / 3, -1e-7, -1.0000001e-7]
    found = grid.networks("zoo:resnet", alphas, [0], [])
    assert [alpha for alpha, _ in found.values()] == alphas
    for name, (alpha, _) in found.items():  # each is trained at its own
        assert identity(name, dataset="digits")["recipe"].get("selectivity", 0) == alpha


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"network": "zoo:resnet/1"}, "network is one of the zoo without seed and alpha, .* but was 'zoo:resnet/1'"),
        ({"network": "zoo:resnet-alpha=1"}, "put a finished network into beside"),
        ({"network": "timm:resnet18"}, "is one of the zoo .* but was 'timm:resnet18'"),
        ({"network": "zoo:resnett"}, "unknown model 'zoo:resnett'; closest: zoo:resnet"),
        ({"network": "zoo:resnet-nois"}, "unknown model 'zoo:resnet-nois'; closest: zoo:resnet-noise"),
        ({"network": "zoo:resnet-pgd+nois"}, r"unknown model 'zoo:resnet-pgd\+nois': 'nois' is no recipe"),
        ({"alphas": [-1, 1]}, r"alphas must hold 0, the network without the regulariser, but are \[-1.0, 1.0\]"),
        ({"alphas": [0, float("nan")]}, "alphas holds finite numbers, but was given nan"),
        ({"alphas": [0, "1"]}, "alphas holds finite numbers, but was given '1'"),
        ({"alphas": [0, True]}, "but was given True"),
        ({"alphas": [0, 1, 1.0]}, "alphas names something twice"),
        ({"alphas": []}, "alphas is a list of at least one float"),
        ({"alphas": 0}, "alphas is a list of at least one float, but was given 0"),
        ({"alphas": "0, 1"}, r"alphas is a list such as \[-1, 0.5\], but was given '0, 1'"),
        ({"seeds": [-1, 0]}, "seeds are whole numbers from 0, but -1 was given"),
        ({"seeds": [0.5]}, "seeds holds int values, but was given 0.5"),
        ({"beside": [0]}, "beside holds str values"),
    ],
)  # fmt: skip
def test_a_grid_that_is_none(wrong, words):
    given = {"network": "zoo:resnet", "alphas": [-1, 0], "seeds": [0], "beside": []} | wrong
    with pytest.raises(InputError, match=words):
        grid.networks(**given)


# ----------------------------------------------------------------------------------------------------------- layers


def test_selectivity_of_layers_by_hand():
    # a unit for one class and a dead one; one that is twice as strong for one class as for the other
    layers = [
        np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [3.0, 0.0]]),
        np.array([[1.0], [1.0], [2.0], [2.0]]),
    ]
    found = inside.selectivity(layers, np.array([0, 0, 1, 1]), rng=np.random.default_rng(0))
    assert [units.tolist() for units in found["of_units"]] == [
        pytest.approx([1, 0], abs=1e-6),
        pytest.approx([1 / 3], abs=1e-6),
    ]
    assert found["selectivity"] == pytest.approx([0.5, 1 / 3], abs=1e-6)
    assert found["top_precision"] == pytest.approx([0.5, 1]) and found["dead"].tolist() == [0.5, 0]
    # the first unit: of the squares about 1, 1 + 1 + 0 + 4, between classes 2 (1 + 1)
    assert found["class_variance"] == pytest.approx([(4 / 6) / 2, 1])
    assert found["active"] == pytest.approx([2 / 8, 1])
    assert set(found) == {"of_units", *inside.BY_LAYER} and (found["floor"] >= 0).all()


def test_dimensions_of_layers_by_hand():
    # variances of 3, 4/3 and 1/3 along three of four units, which is 9 + 4 + 1 of 14
    axes = np.pad(np.concatenate([np.diag([3.0, 2, 1]), -np.diag([3.0, 2, 1])]), ((0, 0), (0, 1)))
    found = inside.dimensions([axes, np.zeros((6, 2))])
    assert found.shape == (2, len(inside.DIMENSIONS))
    named = dict(zip(inside.DIMENSIONS, found[0]))
    counts = [named[f"components{share}"] for share in (90, 95, 99)]
    assert named["components95 of live units"] == 1  # three of three
    assert counts == [2 / 4, 3 / 4, 3 / 4]  # two hold 13 of 14, which is .93
    assert named["participation"] == pytest.approx(196 / 98 / 4)
    ranks, heights = np.log([1, 2, 3]), np.log([9, 4, 1])
    assert named["exponent"] == pytest.approx(-np.polyfit(ranks, heights, 1)[0])
    assert named["twonn"] == pytest.approx(intrinsic_dimension(axes) / 4)
    assert found[1, :3].tolist() == [0, 0, 0] and np.isnan(found[1, 3:]).all()


def test_variation_of_gradients_by_hand():
    # over images: 1 and 3 (deviation 1, mean 2), 2 and 2, and a unit without any; over units: means 2, 2, 0
    first, dead = np.array([[1.0, 2.0, 0.0], [3.0, 2.0, 0.0]]), np.zeros((2, 2))
    # where there is any: 1 and 3; the second unit has a single image
    sparse = np.array([[1.0, 0.0], [3.0, 0.0], [0.0, 5.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = inside.variation([first, dead, sparse])
    assert found["over_active"][[0, 2]] == pytest.approx([(1 / 2 + 0) / 2, 1 / 2])
    assert found["silent"] == pytest.approx([2 / 6, 1, 3 / 6]) and np.isnan(found["over_active"][1])
    assert found["over_samples"][0] == pytest.approx((1 / 2 + 0) / 2)
    assert found["over_units"][0] == pytest.approx(np.std([2, 2, 0]) / (4 / 3))
    assert np.isnan(found["over_samples"][1]) and np.isnan(found["over_units"][1])
    scaled = inside.variation([7 * first])
    assert scaled["over_samples"][0] == pytest.approx(found["over_samples"][0])


@pytest.mark.parametrize(
    "n, early", [(1, [0]), (2, [0]), (3, [0]), (6, [0, 1]), (7, [0, 1]), (19, list(range(6)))]
)
def test_the_first_third_is_early(n, early):
    assert list(range(n))[inside.early(n)] == early


# ----------------------------------------------------------------------------------------------------- made-up runs


def made_up(model, alpha, seed, rng, *, way=1, layers=6, attacks=ATTACKS, strong=True, shift=0.0):
    """Return the row of one run, in which all that is claimed is so (`way` 1), or the opposite (-1)."""

    def near(value, *sizes):
        return value + 0.002 * rng.standard_normal(sizes)

    strength = 0.0 if np.isnan(alpha) else alpha
    selectivity = 0.4 + way * (0.2 * strength + shift) + float(near(0))
    more = way * (selectivity - 0.4)
    accuracy = 0.8 - way * 0.1 * max(strength, 0) + float(near(0))
    kept = 0.7 - way * 0.1 * strength
    units = 4 * layers
    early = 0.5 - more + 0.1 * np.arange(layers)
    dimension = np.stack([early, early, early - 0.2, early - 0.2 + 0.1 * way, early - 0.25])
    dimension = dimension[:, :, None] * np.linspace(0.9, 1, len(inside.DIMENSIONS))
    attacked_so = strong and alpha in (-1, 0, 1)
    known = {
        "alpha": alpha, "training_seed": seed, "diverged": False, "mean_selectivity": selectivity,
        "selectivity_floor": 0.1, "n_units": units, "accuracy": accuracy,
        "transfer_accuracy": accuracy - 0.3, "source_accuracy": 0.2,
        "strong_accuracy": float(near(0.3 - way * 0.1 * strength)) if attacked_so else np.nan,
        "own_accuracy": 0.5 if attacked_so else np.nan,
        "jacobian_norm": float(np.exp(1 - way * 0.3 * strength + near(0))),
        "unit_selectivity": ("unit", rng.uniform(size=units)), "unit_layer": ("unit", np.repeat(range(layers), 4)),
        **{name: ("depth", near(selectivity, layers)) for name in inside.BY_LAYER},
        "gradient_over_samples": ("depth", near(1 + more, layers)),
        "gradient_over_units": ("depth", near(0.6, layers)),
        "gradient_over_active": ("depth", near(0.5, layers)), "gradient_silent": ("depth", near(0.1, layers)),
        "dimensionality": (("shift", "depth", "measure"), dimension + near(0, *dimension.shape)),
        "components_under": (("corruption", "depth"), near(0.4, 3, layers)),
        "corrupted_accuracy": (("corruption", "severity"), accuracy * near(kept, 3, 2)),
        "steps_accuracy": ("step", near(0.5, 3)), "n_changed": 40, "n_gradients": 8, "step_budget": "1/255",
        "middle_severity": 3, "strongest": "apgd linf 1/255 on 20" if strong else "", "corrupted": "generated",
        "schedule": json.dumps(SCHEDULE),
    }  # fmt: skip
    if attacks:
        known["robust_accuracy"] = ("attack", near(0.4 + way * 0.1 * strength, len(attacks)))
        known["attacked_clean_accuracy"] = ("attack", np.full(len(attacks), accuracy))
    coords = {
        "depth": np.arange(1, layers + 1), "unit": np.arange(1, units + 1), "shift": list(early_layers.SHIFTS),
        "measure": list(inside.DIMENSIONS), "corruption": CORRUPTIONS, "severity": [1, 5], "step": [1, 5, 20],
    }  # fmt: skip
    coords |= {"attack": list(attacks)} if attacks else {}
    return about(xarray.Dataset(known, coords), model)


def about(dataset, model):
    family, _, recipe = model.partition(":")[2].partition("/")[0].partition("-")
    same = {
        "dataset": "digits",
        "n_samples": 200,
        "n_robustness": 100,
        "seed": 0,
        "provenance": json.dumps({"code": "c", "device": "cpu"}),
    }
    return dataset.assign(
        family=family, recipe=recipe or "plain", trains_on="", origin="measured here", key="k", **same
    )


def diverged(model, alpha, seed):
    """Return the row of a run that diverged, which has no numbers."""
    known = {
        "alpha": alpha,
        "training_seed": seed,
        "diverged": True,
        "n_changed": 40,
        "n_gradients": 8,
        "middle_severity": 3,
    }
    words = {"step_budget": "1/255", "strongest": "", "corrupted": "generated", "schedule": "{}"}
    return about(xarray.Dataset(known | words), model)


def rows(runs=GRID, *, beside=True, lost=(), preset="laptop", way=1, **how):
    """Return made-up rows of a grid of small residual networks; the runs in `lost` diverged."""
    rng, found = np.random.default_rng(0), {}
    for alpha, seed in runs:
        name = grid.with_alpha("zoo:resnet", alpha, seed)
        if (alpha, seed) in lost:
            found[name] = diverged(name, alpha, seed)
        else:
            found[name] = made_up(name, alpha, seed, rng, way=way, **how)
    for seed in range(3) if beside else ():
        for recipe, shift in (("augmix", -0.1), ("pgd", 0.1)):
            name = f"zoo:resnet-{recipe}" + (f"/{seed}" if seed else "")
            found[name] = made_up(name, np.nan, seed, rng, way=way, shift=shift, **how)
    if beside:
        found["zoo:lenet"] = made_up("zoo:lenet", np.nan, 0, rng, **how | {"layers": 2})
    stacked = stack(found)
    stacked.attrs = {"preset": preset, "study": "class_selectivity", "missing": []}
    return stacked


def parts(given):
    """Return slopes, verdicts and tables as the notebook makes them of rows."""
    slopes = analyse.slope_table(given)
    found = {
        "overview": tables.overview(given),
        "slopes": tables.slopes(slopes),
        "halves": tables.slopes(slopes, over=list(analyse.sides(analyse.finished(given)))[1:]),
        "paper": reported.beside_the_paper(given),
        "masking": tables.masking(given),
        "indices": tables.indices(given),
        "dimensions": tables.dimensions(given),
        "changes": early_layers.under_corruptions(analyse.finished(given)),
        "reverse": tables.reverse(given),
    }
    return slopes, judged_rows(STUDY.name, given), found


def all_figures(given):
    return {
        "regulariser": figures.regulariser(runs.points(given)),
        "corruptions": figures.slope_by_corruption(analyse.by_corruption(given)),
        "attacks": figures.attacks(given),
        "layers": figures.selectivity_by_layer(given),
        "dimensions": figures.dimensions(given),
        "gradients": figures.gradients(given),
        "reverse": figures.reverse(given),
    }


# ------------------------------------------------------------------------------------------------------- statistics


def seeds_slopes(x, y, seeds):
    """Return the mean over seeds of each one's slope, with Student's interval and p-value."""
    each = [np.polyfit(x[seeds == s], y[seeds == s], 1)[0] for s in np.unique(seeds) if np.ptp(x[seeds == s])]
    known = stats.ttest_1samp(each, 0)
    return [np.mean(each), *known.confidence_interval(0.95), known.pvalue]


def test_a_seed_counts_where_it_has_every_alpha_of_a_side():
    given = rows([(a, s) for s in range(3) for a in (-1.0, 0.0, 1.0)], beside=False)
    given = given.isel(
        model=given.model.values != "zoo:resnet-alpha=1/2"
    )  # the third seed was not trained at 1
    assert "8 runs of resnet (3 alphas, 2 to 3 seeds)" in runs.whom(given)
    places = {name: int(there.sum()) for name, there in analyse.sides(given).items()}
    assert (
        places["alpha <= 0"] == 6
        and places["alpha >= 0"] == 4
        and places["alpha"] == places["selectivity"] == 6
    )
    slopes = analyse.slope_table(given).set_index(["quantity", "over"])["seeds"]
    assert slopes["accuracy", "alpha <= 0"] == 3 and slopes["accuracy", "alpha >= 0"] == 2
    assert set(analyse.by_corruption(given).query("over == @analyse.SOUND")["seeds"]) == {2}
    diverged = rows([(a, s) for s in range(3) for a in (-1.0, 0.0, 1.0)], beside=False)
    diverged["diverged"] = diverged.model.astype(str) == "zoo:resnet-alpha=1/2"
    assert analyse.sides(diverged)["alpha"].all()  # it was trained, and there is nothing to see of it


def test_slopes_are_those_over_the_finished_runs_of_the_grid():
    given = rows(lost=[(1.0, 2)])
    table = analyse.slope_table(given).set_index(["quantity", "over"])
    runs = given.isel(model=[i for i, (alpha, seed) in enumerate(GRID) if (alpha, seed) != (1.0, 2)])
    alpha, si = runs["alpha"].values, runs["mean_selectivity"].values
    cv = runs["gradient_over_samples"].mean("depth").values
    expected = {
        ("selectivity", "alpha"): (alpha, si),
        ("corrupted accuracy", "alpha"): (alpha, mean_corrupted_accuracy(runs)),
        ("R", "alpha"): (alpha, robustness(runs)),
        ("accuracy", "alpha >= 0"): (alpha[alpha >= 0], runs["accuracy"].values[alpha >= 0]),
        ("accuracy", "alpha <= 0"): (alpha[alpha <= 0], runs["accuracy"].values[alpha <= 0]),
        ("gradient CV over samples", "selectivity"): (si, cv),
        ("log10 Jacobian norm", "alpha"): (alpha, np.log10(runs["jacobian_norm"].values)),
        ("under PGD", "alpha"): (alpha, runs["robust_accuracy"].sel(attack="pgd linf 1/255").values),
        ("under FGSM", "alpha"): (alpha, runs["robust_accuracy"].sel(attack="fgsm linf 1/510").values),
        ("own PGD less strongest", "alpha"): (
            alpha,
            runs["own_accuracy"].values - runs["strong_accuracy"].values,
        ),
        ("early dimension, attacked", "alpha"): (alpha, early_layers.early_dimension(runs, "attacked")),
    }
    for place, (x, y) in expected.items():
        line, seeds = table.loc[place], runs["training_seed"].values
        its = seeds if len(x) == 8 else seeds[alpha >= 0] if place[1] == "alpha >= 0" else seeds[alpha <= 0]
        assert line[["slope", "low", "high", "p_value"]].tolist() == pytest.approx(seeds_slopes(x, y, its))
        assert line["alphas"] == len(set(alpha if len(x) == 8 else x))
    assert ("selectivity", "selectivity") not in table.index
    assert len(table) == len(analyse.sides(runs)) * len(analyse.quantities(runs)) - 1


def test_runs_that_have_lost_their_accuracy_are_left_out_beside_the_others():
    given = rows(beside=False)
    given["accuracy"].values[:9] = [
        0.9,
        1.0,
        0.7,
        0.9,
        0.8,
        0.8,
        0.9,
        0.9,
        0.1,
    ]  # .9 at alpha = 0, so .72 is asked for
    assert analyse.ruined(given).tolist() == [False, False, True, False, False, False, False, False, True]
    table = analyse.slope_table(given).set_index(["quantity", "over"])
    line, kept = table.loc[("R", "alpha, no ruined runs")], [0, 1, 3, 4, 5, 6, 7]
    columns = (v[kept] for v in (given["alpha"].values, robustness(given), given["training_seed"].values))
    found = seeds_slopes(*columns)
    assert (line["slope"], line["high"], line["runs"]) == pytest.approx((found[0], found[2], 7))
    its = analyse.sides(given)[analyse.SOUND]
    assert its.sum() == 4
    fog = given["corrupted_accuracy"].sel(corruption="fog").values.mean(1)[its]
    under = given["robust_accuracy"].sel(attack="pgd linf 2/255").values[its]
    alpha, seeds = given["alpha"].values[its], given["training_seed"].values[its]
    for table, named, y in (
        (analyse.by_corruption(given).query("kind == 'accuracy'").set_index("corruption"), "fog", fog),
        (analyse.by_attack(given).set_index("attack"), "pgd linf 2/255", under),
    ):  # what is ruined counts neither corruption by corruption nor budget by budget
        line = table[table["over"] == analyse.SOUND].loc[named]
        assert line[["slope", "low", "high"]].tolist() == pytest.approx(
            seeds_slopes(alpha, y, seeds)[:3], nan_ok=True
        )  # one seed is left with two alphas, so there is no interval
    assert runs.whom(given) == "9 runs of resnet (3 alphas, 3 seeds), 100 images; 2 ruined"
    pushed = runs.points(given)["pushed"]
    assert pushed.tolist() == ["less selectivity", "alpha = 0", "ruined"] + [*runs.PUSHES][:3] + [
        "less selectivity", "alpha = 0", "ruined",
    ]  # fmt: skip
    lost = rows(beside=False, lost=[(0.0, 0), (0.0, 1), (0.0, 2)])
    assert not analyse.ruined(analyse.finished(lost)).any()  # there is nothing to compare with


def test_slopes_by_corruption_are_raw_and_over_clean_accuracy():
    given = rows(beside=False)
    table = analyse.by_corruption(given).set_index(["corruption", "kind", "over"])
    fog = given["corrupted_accuracy"].sel(corruption="fog").values.mean(1)
    alpha, accuracy = given["alpha"].values, given["accuracy"].values
    for kind, y in (("accuracy", fog), ("R", fog / accuracy)):
        for over, there in zip(analyse.EITHER, (alpha <= 0, alpha >= 0)):
            line, seeds = table.loc[("fog", kind, over)], given["training_seed"].values[there]
            assert line[:4].tolist() == pytest.approx(seeds_slopes(alpha[there], y[there], seeds))
    assert len(table) == 12


def test_dimensions_are_shown_of_every_shift_of_a_row():
    assert list(early_layers.SHIFTS) == ["clean, all", "clean", "corrupted", "attacked", "random"]
    given = rows()
    for shift in early_layers.SHIFTS:
        values = given["dimensionality"].sel(shift=shift, measure="participation").values[0, :2]
        found = early_layers.early_dimension(given, shift, "participation")
        assert found[0] == pytest.approx(values.mean())
    known = analyse.quantities(given)
    for words, shift, measure in (
        ("early dimension, clean", "clean, all", "components95"),
        ("early dimension of live units, clean", "clean, all", "components95 of live units"),
        ("early dimension, random signs", "random", "components95"),
    ):
        np.testing.assert_array_equal(known[words], early_layers.early_dimension(given, shift, measure))


def test_slopes_by_attack_are_on_either_side_and_none_without_attacks():
    given = rows(beside=False)
    table = analyse.by_attack(given).set_index(["attack", "over"])
    alpha, under = given["alpha"].values, given["robust_accuracy"].sel(attack="pgd linf 2/255").values
    for over, there in zip(analyse.EITHER, (alpha <= 0, alpha >= 0)):
        line, seeds = table.loc[("pgd linf 2/255", over)], given["training_seed"].values[there]
        assert line.tolist() == pytest.approx([*seeds_slopes(alpha[there], under[there], seeds), 3])
    assert len(table) == 2 * len(ATTACKS)
    shown = tables.slopes(analyse.by_attack(given), over=("alpha <= 0",))
    assert shown["attack"].tolist() == ATTACKS and shown.columns[3] == "95 % interval"
    none = tables.slopes(analyse.by_attack(rows(attacks=(), beside=False)), over=("alpha <= 0",))
    assert none.empty and page.table(none).html == "<p><em>Nothing to show.</em></p>"


def test_early_layers_are_each_networks_own_first_third():
    given = rows()
    # of six layers the first two, of two the first
    values = given["dimensionality"].sel(shift="corrupted", measure="components95").values
    found = early_layers.early_dimension(given, "corrupted")
    assert found[0] == pytest.approx(values[0, :2].mean()) and given["depth"].size == 6
    assert str(given.model.values[-1]) == "zoo:lenet" and found[-1] == pytest.approx(values[-1, 0])
    turned = early_layers.early_dimension(given.transpose("depth", "measure", "shift", ...), "corrupted")
    np.testing.assert_array_equal(turned, found)
    assert np.isnan(early_layers.early_dimension(rows(lost=[(0.0, 1)]), "clean")[4])
    given["dimensionality"].values[0, :, 0] = np.nan  # a layer that nothing changes leaves the other
    found = early_layers.early_dimension(given, "corrupted")
    assert found[0] == pytest.approx(values[0, 1])


def test_early_dimensions_by_corruption():
    given = analyse.finished(rows(lost=[(1.0, 2)]))
    given["components_under"].loc[{"corruption": "fog"}] = 0.9
    table = early_layers.under_corruptions(given)
    assert table["change under"].tolist()[0] == "fog" and set(table["change under"]) == {
        "gaussian noise",
        "fog",
        "contrast",
    }
    first = given["components_under"].sel(corruption="contrast").values[:, :2].mean()
    line = table[table["change under"] == "contrast"]
    assert line["early dimension"].item() == pytest.approx(first)


def test_twins_have_the_same_architecture_schedule_and_seed():
    names = {
        "zoo:resnet": 0.4, "zoo:resnet-augmix": 0.3, "zoo:resnet/1": 0.5, "zoo:resnet-augmix/1": 0.2,
        "zoo:cnn_a/2": 0.6, "zoo:cnn_a-augmix/2": 0.1, "zoo:cnn_a-augmix/3": 0.9,  # whose twin is not there
        "zoo:cifar_resnet20-steps": 0.7, "zoo:cifar_resnet20-steps+pgd": 0.8, "zoo:cifar_resnet20-pgd+augmix": 0.9,
        "zoo:cifar_resnet20-pgd": 0.1, "zoo:lenet": np.nan, "zoo:lenet-pgd": 0.5, "zoo:resnet-alpha=1": 0.8,
        "zoo:resnet-augmix+alpha=1": 0.7, "timm:resnet-augmix": 0.1, "timm:resnet": 0.2,
        "zoo:resnet-noise": 0.2, "zoo:resnet-noise+augmix": 0.3, "zoo:resnet-augmix+noise": 0.3,
    }  # fmt: skip
    given = xarray.Dataset({"mean_selectivity": ("model", list(names.values()))}, {"model": list(names)})
    treated, control, found = reverse.pairs(given, "augmix")
    assert found == ["zoo:resnet-augmix", "zoo:resnet-augmix/1", "zoo:cnn_a-augmix/2"]
    assert treated.tolist() == [0.3, 0.2, 0.1] and control.tolist() == [0.4, 0.5, 0.6]
    assert reverse.architectures(found) == "resnet, cnn_a"
    treated, control, found = reverse.pairs(given, "pgd")
    assert found == ["zoo:cifar_resnet20-steps+pgd"] and (treated[0], control[0]) == (0.8, 0.7)
    assert reverse.pairs(given, "mixup")[2] == []


def test_the_smallest_budget_of_an_attack():
    given = rows()
    assert analyse.smallest_attack(given, "pgd") == "pgd linf 1/255"
    assert analyse.smallest_attack(given, "fgsm") == "fgsm linf 1/510"
    assert analyse.smallest_attack(given, "apgd") == analyse.smallest_attack(rows(attacks=()), "pgd") == ""


def test_the_change_under_attack_is_compared_with_that_under_corruption_seed_by_seed():
    given = rows(lost=[(-1.0, 0)])
    runs = analyse.finished(given)
    found = early_layers.shift_difference(runs)
    gap = early_layers.early_dimension(runs, "attacked") - early_layers.early_dimension(runs, "corrupted")
    seeds = runs["training_seed"].values
    each = [gap[seeds == s].mean() for s in range(3)]
    assert found.estimate == pytest.approx(np.mean(each)) and found.n == 3 and found.low > 0.05
    beyond = early_layers.shift_difference(runs, "random")
    assert beyond.estimate == pytest.approx(np.mean(each) + 0.05, abs=0.01)


def test_a_grid_that_diverged_as_a_whole_is_said_to():
    given = rows(lost=GRID, attacks=(), strong=False)
    for show in (tables.overview, analyse.slope_table, runs.points, runs.whom, reported.beside_the_paper):
        with pytest.raises(
            InputError, match=r"no run of the grid is finished: all diverged, .* take alphas nearer to 0"
        ):
            show(given)


# ---------------------------------------------------------------------------------------------- verdicts and answers


def test_what_was_put_in_is_told_one_way_and_the_other():
    ours = [name for name, claim in claims.load().items() if claim.study == "class_selectivity"]
    assert set(verdicts.SLOPES) | set(verdicts.REVERSED) | {"selectivity-7"} == set(ours)
    many = [(a, s) for s in range(8) for a in (-1.0, 0.0, 1.0)]
    for way, verdict in ((1, "holds"), (-1, "fails")):
        found = judged_rows(STUDY.name, rows(many, way=way, preset="mnist"))
        assert found.index.tolist() == ours and set(found["verdict"]) == {verdict, "not judged"}
        decided = {
            name for name, claim in claims.load().items() if name in ours and claim.population == "mnist"
        }
        assert set(found.index[found["verdict"] == verdict]) == decided
        assert set(found.loc[list(decided), "n"]) == {8} and set(found["corrected_over"]) == {len(decided)}
        cifar = judged_rows(STUDY.name, rows(many, way=way, preset="cifar10"))
        assert cifar.loc[["selectivity-3a", "selectivity-4a", "selectivity-10a"], "verdict"].eq(verdict).all()
        assert cifar.loc["selectivity-5a", "reason"] == "3 of the 8 training runs needed"


def test_estimates_are_slopes_of_seeds_on_their_side_and_without_ruined_runs():
    given = rows(way=-1)
    given["accuracy"].values[8] = 0.1  # the last seed at alpha = 1 is ruined
    found, runs = verdicts.estimates(given), analyse.finished(given)
    alpha, si, seeds = (runs[n].values for n in ("alpha", "mean_selectivity", "training_seed"))
    area = area_under_attack(runs)
    down, up, whole = alpha <= 0, alpha >= 0, alpha < 9
    sound = up & ~analyse.ruined(runs)
    assert sound.sum() == 5
    for name, x, y, there in (
        ("selectivity-1", alpha, si, whole),
        ("selectivity-2a", alpha, runs["accuracy"].values, up),
        ("selectivity-2b", alpha, runs["accuracy"].values, down),
        ("selectivity-3a", alpha, mean_corrupted_accuracy(runs), down),
        ("selectivity-3b", alpha, mean_corrupted_accuracy(runs), sound),
        ("selectivity-4a", alpha, area, down),
        ("selectivity-4b", alpha, area, sound),
        ("selectivity-6", si, early_layers.early_dimension(runs, "clean, all"), whole),
        ("selectivity-8", si, runs["gradient_over_samples"].mean("depth").values, whole),
        ("selectivity-9", alpha, np.log10(runs["jacobian_norm"].values), whole),
        ("selectivity-10a", alpha, robustness(runs), down),
        ("selectivity-10b", alpha, robustness(runs), sound),
        ("selectivity-11", alpha, runs["own_accuracy"].values - runs["strong_accuracy"].values, whole),
    ):
        expected = seeds_slopes(x[there], y[there], seeds[there])
        line = found[name]
        assert [line.estimate, line.low, line.high, line.p_value] == pytest.approx(expected), name
    treated, control, _ = reverse.pairs(given, "pgd")
    known = stats.ttest_1samp(treated - control, 0).confidence_interval(0.95)
    assert (found["selectivity-5b"].low, found["selectivity-5b"].high) == pytest.approx(tuple(known))


def test_the_area_under_attack_is_relative_and_absolute():
    runs = analyse.finished(rows())
    budgets = [a for a in ATTACKS if a.startswith("pgd linf")]
    shares = dict(zip(ATTACKS, runs["robust_accuracy"].values[0]))
    ordered = sorted(budgets, key=lambda a: Fraction(a.split()[-1]))
    places = np.log([float(Fraction(a.split()[-1])) for a in ordered])
    area = np.trapezoid([shares[a] for a in ordered], places) / (places[-1] - places[0])
    known = analyse.quantities(runs)
    assert known["area under attack"][0] == pytest.approx(area)
    assert known["area under attack / clean"][0] == pytest.approx(
        area / runs["attacked_clean_accuracy"].values[0, 0]
    )


def test_what_was_not_measured_is_not_judged_and_says_why():
    given = rows(beside=False, attacks=(), strong=False, preset="mnist")
    found = judged_rows(STUDY.name, given)
    lacking = ["selectivity-4b", "selectivity-11"]
    assert found[found["verdict"] == "not yet measured"].index.tolist() == lacking
    elsewhere = ["selectivity-4a", "selectivity-5a", "selectivity-5b"]  # CIFAR-10 networks decide these
    assert set(found.loc[elsewhere, "verdict"]) == {"not judged"} and found.loc[elsewhere, "n"].eq(0).all()
    assert found.loc["selectivity-4b", "reason"] == "area under attack / clean was not measured"
    assert found.loc["selectivity-5b", "reason"].startswith(
        "no network was trained with pgd and plainly; another"
    )
    one = judged_rows(STUDY.name, rows([(0.0, 0)], beside=False, preset="mnist"))
    assert (
        one.loc["selectivity-1", "reason"] == "no seed was trained at several alphas with selectivity (alpha)"
    )
    assert one.loc["selectivity-7", "reason"] == "1 of the 8 seeds needed"


def seeds_of(n, **given):
    """Return made-up rows of so many seeds."""
    return rows([(a, s) for s in range(n) for a in (-1.0, 0.0, 1.0)], **given)


def answered(given):
    return answer(QUESTIONS, judged_rows(STUDY.name, given), given)


def test_the_answer_says_what_holds_and_what_fails():
    held, failed = (answered(seeds_of(8, way=way, preset="cifar10")) for way in (1, -1))
    first = "networks trained for less class selectivity are right more often on corrupted images"
    assert held.startswith(f"Yes: {first} (accuracy for each unit of alpha −0.0")
    assert "Yes: under attack less selective networks keep less of their accuracy." in held
    assert failed.startswith(
        f"No, the reverse: {first.replace('more', 'less')} (accuracy for each unit of alpha +0.0"
    )
    assert (
        "No, the reverse: under attack, too, less selective networks keep more of their accuracy." in failed
    )
    assert all(len(words.split()) <= MOST_WORDS for words in (held, failed))


def test_the_answer_of_another_population_begins_with_what_is_decided_there():
    found = answered(seeds_of(8, preset="mnist"))
    assert found.startswith(
        "Yes: training for more selectivity helps under attack (share of accuracy for each unit"
    )
    assert (
        "on corrupted images" in found and "less class selectivity helps" not in found
    )  # cifar10 decides that


def test_the_answer_of_few_seeds_decides_nothing_and_one_run_says_how_robust_it_is():
    words = (
        "These networks do not decide whether training for less class selectivity helps on corrupted images ("
    )
    assert answered(rows(preset="cifar10")).startswith(words)
    one = answered(rows([(0.0, 0)], beside=False, preset="cifar10"))
    assert one.startswith("One network is too few") and "keeps 70% of its clean accuracy of 0.80" in one


def test_the_answer_says_what_cannot_be_told_and_what_hardly_matters():
    given = seeds_of(8, preset="cifar10", beside=False)
    shares, alpha, seed = (given[n].values for n in ("corrupted_accuracy", "alpha", "training_seed"))
    shares[:] = 0.5
    words = (
        "accuracy on corrupted images (accuracy for each unit of alpha +0.00, 95 % interval +0.00 to +0.00)."
    )
    shares[:] += 1e-5 * np.random.default_rng(0).standard_normal(len(alpha))[:, None, None]
    flat = answered(given)
    assert flat.startswith(
        "No: on these networks training for less class selectivity hardly changes accuracy"
    )
    assert words.split(" (")[0] in flat
    shares[:] = (0.5 + 0.1 * alpha * (-1.0) ** seed)[:, None, None]  # every second seed the other way
    assert answered(given).startswith("It cannot be told on these networks whether training for less class")


def test_the_answer_of_what_was_not_measured():
    line = judged_rows(STUDY.name, rows(preset="mnist")).loc["selectivity-3a"]
    lacking = line.to_frame("selectivity-3a").T.assign(verdict="not yet measured")
    found = answer(QUESTIONS[:1], lacking, rows())
    assert found == "Not yet measured: whether training for less class selectivity helps on corrupted images."


def test_every_question_is_a_claim_and_tells_its_verdicts_apart():
    stated = claims.load()
    for question in QUESTIONS:
        assert stated[question.claim].study == "class_selectivity"
        assert len({question.yes, question.opposite, question.nothing}) == 3


def test_points_are_the_finished_runs_of_the_grid_by_name():
    given = rows(lost=[(1.0, 2)])
    found, finished = runs.points(given), analyse.finished(given)
    assert found.index.tolist()[:3] == ["resnet-alpha=-1", "resnet", "resnet-alpha=1"] and len(found) == 8
    assert found.loc["resnet-alpha=-1/2", ["alpha", "seed"]].tolist() == [-1, 2]
    np.testing.assert_array_equal(found["corrupted accuracy"], mean_corrupted_accuracy(finished))
    assert found["floor"].tolist() == [0.1] * 8
    assert found["pushed"].tolist()[:3] == ["less selectivity", "alpha = 0", "more selectivity"]
    turned = runs.points(given.isel(model=slice(None, None, -1)))
    np.testing.assert_array_equal(turned.loc[found.index, "R"], found["R"])
    assert runs.whom(given) == "8 runs of resnet (3 alphas, 3 seeds), 100 images; 1 diverged, left out"
    assert runs.whom(rows([(0.0, 0)])) == "1 run of resnet (1 alpha, 1 seed), 100 images"
    assert runs.training(given).startswith(
        "2 epochs of 500 images, batches of 128, adamw, steps from a rate of"
    )


@pytest.mark.parametrize("text", ["{}", "", "no JSON"])
def test_a_schedule_that_is_not_known_is_left_as_it_is(text):
    assert runs.schedule(text) == (text or "–")


# ------------------------------------------------------------------------------------------------ tables and figures


def test_tables_have_the_lines_that_they_should():
    given = rows(lost=[(1.0, 2)])
    *_, shown = parts(given)
    assert len(shown["overview"]) == 16
    lost = shown["overview"][shown["overview"]["diverged"] == "yes"]
    assert lost["network"].tolist() == ["resnet-alpha=1/2"] and np.isnan(lost["selectivity"]).all()
    assert shown["overview"]["network"].tolist()[-1] == "LeNet, plain"
    runs = analyse.finished(given)
    n = len(analyse.quantities(runs))
    assert shown["slopes"]["over"].unique().tolist() == ["alpha"] and len(shown["slopes"]) == n
    assert len(shown["halves"]) == (len(analyse.sides(runs)) - 1) * n - 1
    masking, up = shown["masking"].set_index("alpha"), runs["alpha"].values == 1
    assert masking["runs"].to_dict() == {"-1": 3, "0": 3, "1": 2}
    for words, values in (
        ("own PGD 1/255, 40 images", runs["steps_accuracy"].values[:, -1]),
        ("transferred PGD 1/255, 40 images", runs["transfer_accuracy"].values),
        ("... for its source", runs["source_accuracy"].values),
        ("own PGD 1/255, first 20 images", runs["own_accuracy"].values),
        ("up to apgd linf 1/255 on 20", runs["strong_accuracy"].values),
    ):
        assert masking.loc["1", words] == pytest.approx(values[up].mean()), words
    mean = runs["selectivity"].values[runs["alpha"].values == -1, :6].mean()
    assert shown["indices"]["selectivity index"].iloc[0] == pytest.approx(mean)
    early = early_layers.early_dimension(runs, "attacked", "participation")[runs["alpha"].values == 0].mean()
    lines = shown["dimensions"].set_index(["measure", "responses"])
    assert lines.loc[("participation", "attacked minus clean"), "alpha 0"] == pytest.approx(early)
    assert len(lines) == len(inside.DIMENSIONS) * len(early_layers.SHIFTS)
    assert shown["reverse"]["training"].tolist() == ["AugMix-like", "adversarial (PGD)"]
    assert shown["reverse"]["of"].tolist() == ["resnet"] * 2 and shown["reverse"]["pairs"].tolist() == [3, 3]
    assert tables.reverse(rows(beside=False)).empty
    table = tables.reverse(given.isel(model=[1, 9])).iloc[0]  # a pair alone has no interval
    assert table["pairs"] == 1 and table["95 % interval"] == "–"
    assert table["difference"] == pytest.approx(table["selectivity"] - table["plain"])


def test_the_papers_numbers_stand_beside_and_never_among_ours():
    given = rows()
    table = reported.beside_the_paper(given).set_index("alpha")
    assert table.loc["1", "selectivity reported"] == 0.776 and table.loc["1", "accuracy reported"] == 0.493
    assert np.isnan(table.loc["2", "selectivity here"])  # reported, but not measured here
    here = given["accuracy"].values[given["alpha"].values == -1].mean()
    assert table.loc["-1", "accuracy here"] == pytest.approx(here)


CASES = {
    "normal": {},
    "one run, no attack": {"runs": [(0.0, 0)], "attacks": (), "strong": False},
    "nothing is left of an alpha": {
        "lost": [(1.0, 0), (1.0, 1), (1.0, 2), (-1.0, 2)], "attacks": ATTACKS[:2], "beside": False,
    },
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_every_figure_is_drawn_and_no_warning_is_shown(case):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        parts(rows(**CASES[case]))
        drawn = all_figures(rows(**CASES[case]))
        for name, panels in drawn.items():
            for panel in panels:
                assert isinstance(panel, Figure) and panel.get_figwidth() == style.PANEL, name
                if case == "normal":  # the slow part, and the same for all
                    panel.canvas.draw()
                plt.close(panel)
    assert (drawn["reverse"] == []) == (CASES[case].get("beside") is False)
    assert [name for name, panels in drawn.items() if not panels] in ([], ["reverse"])


def test_figures_show_what_was_measured():
    given = rows()
    runs = analyse.finished(given)
    drawn = all_figures(given)
    axis = drawn["attacks"][1].axes[0]  # PGD, by budget in grey levels
    line = next(line for line in axis.lines if line.get_label() == "1")
    of_alpha = runs["robust_accuracy"].values[runs["alpha"].values == 1].mean(0)
    clean = runs["attacked_clean_accuracy"].values[runs["alpha"].values == 1, 2].mean()
    seen = dict(zip(line.get_xdata(), line.get_ydata()))
    assert seen == pytest.approx({0: clean, 2: of_alpha[2], 1: of_alpha[3]})
    assert list(line.get_xdata()) == [0, 1, 2]  # ascending, whatever the order of the rows
    axis = drawn["regulariser"][0].axes[0]
    si, alpha = runs["mean_selectivity"].values, runs["alpha"].values
    assert sorted(axis.collections[0].get_offsets()[:, 1]) == pytest.approx(sorted(si))
    assert axis.lines[0].get_ydata() == pytest.approx([si[alpha == a].mean() for a in (-1, 0, 1)])
    labels = [label.get_text() for label in drawn["corruptions"][0].axes[0].get_yticklabels()]
    assert labels == ["gaussian noise", "fog", "contrast"]
    table = analyse.by_corruption(given)
    first = table[(table["kind"] == "R") & (table["over"] == "alpha <= 0")]
    assert drawn["corruptions"][1].axes[0].lines[0].get_xdata() == pytest.approx(first["slope"].tolist())
    units = np.sort(runs["unit_selectivity"].values[:1].ravel())
    axis = figures.selectivity_by_layer(given.isel(model=[0]))[1].axes[0]
    assert axis.lines[0].get_ydata()[[0, 50, 100]] == pytest.approx([units[0], np.median(units), units[-1]])
    assert [len(panel.axes[0].lines) for panel in drawn["reverse"]] == [3, 3]


def test_colours_are_blue_below_and_red_above_and_dark_at_zero():
    found = figures.colours([-2.0, -0.4, 0.0, 1.0, 1.0, 2.0])
    assert set(found) == {-2.0, -0.4, 0.0, 1.0, 2.0} and found[0.0][0] == found[0.0][2] < 0.3
    assert all(found[a][2] > found[a][0] for a in (-2.0, -0.4)) and all(
        found[a][0] > found[a][2] for a in (1.0, 2.0)
    )
    assert sum(found[2.0]) < sum(found[1.0]) and sum(found[-2.0]) < sum(found[-0.4])  # farther is darker


# ------------------------------------------------------------------------------------------------------- end to end


GIVEN = dict(
    network="zoo:lenet-sgd",
    alphas=[1e30, 0.0, 1.0],  # the first diverges
    seeds=[0, 1],
    beside=["zoo:cnn_a/0"],
    dataset="digits",
    reading="",
    n_samples=60,
    n_robustness=40,
    corruptions=["gaussian_noise", "contrast"],
    severities=[3],
    corrupted="generated",
    attacks=["fgsm linf 0.05 on 20"],
    steps=[1, 3],
    step_budget="0.05",
    n_attacked=20,
    n_gradients=4,
    strongest="pgd linf 0.05 on 10",
    strongest_alphas=[0.0],
    epochs=1,
    seed=0,
    preset="test",
    source="measure",
    dask_scheduler="none",
)
LOST, PLAIN, UP, BESIDE = "zoo:lenet-sgd+alpha=1e+30", "zoo:lenet-sgd", "zoo:lenet-sgd+alpha=1", "zoo:cnn_a/0"
NAMES = [LOST, PLAIN, UP, f"{LOST}/1", f"{PLAIN}/1", f"{UP}/1", BESIDE]
THERE = [name for name in NAMES if LOST not in name]


def network(name):
    """Return the network of this name as the study has it."""
    return Network.of(name, dataset="digits", epochs=1)


BRIGHT = "python:networks:by_brightness"


def bright(preprocess):
    """Return a network without a rectified convolution, that is not of the zoo."""
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(10))
    module(torch.zeros(1, 1, 32, 32))
    return Classifier(BRIGHT, module, preprocess, "1", 10, {})


@pytest.fixture(scope="module")
def own_cache(tmp_path_factory):
    """A cache for all tests of the end to end, which share its networks."""
    folder = tmp_path_factory.mktemp("selectivity")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROBUSTSHAPE_CACHE", str(folder))
        networks._kept.cache_clear()
        yield folder
        networks._kept.cache_clear()


@pytest.fixture(scope="module")
def measured(own_cache):
    return STUDY.measure(**GIVEN)


def held():
    """Return the images of the robustness."""
    return Selection.parts("digits", (60, 40), seed=0)[1]


def steps():
    """Return the PGD that goes step by step."""
    return Steps(held(), 20, Fraction("0.05"), (1, 3), 0)


def steps_of(model):
    """Return the kept or repeated attack on a network."""
    return attack_steps.attacked_images(network(model), steps(), keep=False)


def keys(**given):
    """Return the keys of rows by name."""
    return {name: one.row.key for name, one in STUDY.wanted(**given).items()}


def test_the_study_has_the_parameters_of_its_notebook():
    shared = {"robustness_dataset", "robustness_reading", "constants"}  # of every population, with defaults
    assert set(notebooks.parameters_of("class_selectivity")) == set(GIVEN) | shared
    assert list(STUDY.wanted(**GIVEN)) == NAMES


def test_a_row_holds_layers_units_and_accuracies(measured):
    assert measured.model.values.tolist() == NAMES
    sizes = {"depth": 2, "unit": 48, "shift": 5, "measure": 7, "step": 2, "attack": 1, "corruption": 2}
    assert {name: measured.sizes[name] for name in sizes} == sizes
    there = measured.sel(model=THERE)
    assert there["n_units"].values.tolist() == [22] * 4 + [48]
    assert there["unit_selectivity"].notnull().sum("unit").values.tolist() == [22] * 4 + [48]
    for name in (
        "mean_selectivity",
        "selectivity",
        "floor",
        "active",
        "accuracy",
        "corrupted_accuracy",
        "steps_accuracy",
    ):
        assert float(there[name].min()) >= 0 and float(there[name].max()) <= 1
    np.testing.assert_allclose(there["mean_selectivity"], there["selectivity"].mean("depth"))
    assert there["alpha"].values[:4].tolist() == [0, 1, 0, 1] and np.isnan(there["alpha"].values[4])
    assert there["training_seed"].values.tolist() == [0, 0, 1, 1, 0]
    assert (there["jacobian_norm"] > 0).all() and (there["gradient_over_samples"] > 0).all()
    assert {"versions", "code"} < set(read(there.isel(model=0)))
    assert set(read(there.isel(model=0))["seconds"]) == {"features", "corruptions", "attacks", "row"}
    check_described(STUDY, measured)


def test_a_row_says_what_its_parts_say(measured):
    one, data, shown = (
        measured.sel(model=UP),
        Selection.parts("digits", (60,), seed=0)[0].load(),
        held().first(20),
    )
    classifier, images = network(UP).load(), shown.image.values
    responses = unit_responses(classifier, data.image.values)
    of_units = np.concatenate([class_selectivity(layer, data.label.values) for layer in responses])
    np.testing.assert_allclose(one["unit_selectivity"][:22], of_units, rtol=1e-5)
    assert one["unit_layer"].values[:22].tolist() == [1] * 6 + [2] * 16
    before, attack = unit_responses(classifier, images), steps_of(UP)
    pixels = classifier.pixels(images)
    noise = starts.in_ball(shown.sample.values, 0, "random signs", like=pixels, norm="linf").sign()
    for shift, x in (
        ("attacked", torch.from_numpy(attack["x"].values)),
        ("random", (pixels + 0.05 * noise).clamp(0, 1)),
    ):
        change = inside.dimensions([a - b for a, b in zip(unit_responses(classifier, x), before)])
        np.testing.assert_allclose(one["dimensionality"].sel(shift=shift), change)
    for shift, layers in (("clean, all", responses), ("clean", before)):
        np.testing.assert_allclose(one["dimensionality"].sel(shift=shift), inside.dimensions(layers))
    contrast = corrupt(images, "contrast", 3, seed=0, ids=shown.sample.values)
    change = inside.dimensions([a - b for a, b in zip(unit_responses(classifier, contrast), before)])
    np.testing.assert_allclose(one["components_under"].sel(corruption="contrast"), change[:, 1])
    under = one["dimensionality"].sel(shift="corrupted", measure="components95")
    np.testing.assert_allclose(under, one["components_under"].mean("corruption"))
    assert one["steps_accuracy"].values.tolist() == attack["right"].mean("sample").values.tolist()
    norms = logit_jacobian_norms(classifier, pixels[:4])
    assert float(one["jacobian_norm"]) == pytest.approx(norms.mean())


def test_what_was_attacked_for_a_plain_network_is_shown_to_those_of_other_seeds(measured):
    for model, source in (
        (PLAIN, f"{PLAIN}/1"),
        (UP, f"{PLAIN}/1"),
        (f"{UP}/1", PLAIN),
        (BESIDE, PLAIN),
    ):
        one, kept = measured.sel(model=model), steps_of(source)
        right = attack_steps.right_on(network(model), held(), kept["x"].values)
        assert float(one["transfer_accuracy"]) == right.mean()
        assert float(one["source_accuracy"]) == kept["right"].values[-1].mean()
    images = [steps_of(model)["x"].values for model in (PLAIN, f"{PLAIN}/1")]
    assert not np.array_equal(*images)
    kept = [model for model in THERE if not steps().kept(network(model)).missing]
    assert kept == [PLAIN, f"{PLAIN}/1"]  # images that are shown to no other are not


def test_the_strongest_attack_is_made_where_it_is_asked_for(measured):
    asked = measured.sel(model=[PLAIN, f"{PLAIN}/1"])
    others = measured.sel(model=[UP, f"{UP}/1", BESIDE])
    stages = ladder([*GIVEN["attacks"], GIVEN["strongest"]])
    found = attacked.correct(network(PLAIN), held(), stages, 0)["robust"].isel(attack=-1)
    assert float(asked["strong_accuracy"][0]) == float(found.mean())
    assert (
        float(asked["own_accuracy"][0]) == steps_of(PLAIN)["right"].values[-1, :10].mean()
    )  # of the same images
    assert asked["strongest"].values.tolist() == [GIVEN["strongest"]] * 2
    assert np.isnan(others["strong_accuracy"]).all() and np.isnan(others["own_accuracy"]).all()


def test_a_network_that_diverged_has_a_row_without_numbers_and_a_page(measured):
    one = measured.sel(model=f"{LOST}/1")
    assert measured["diverged"].values.tolist() == [name not in THERE for name in NAMES]
    assert float(one["alpha"]) == 1e30 and one["family"] == "lenet" and one["dataset"] == "digits"
    for name in ("mean_selectivity", "accuracy", "jacobian_norm", "n_units"):
        assert np.isnan(one[name])
    _, judged, shown = parts(measured)
    assert runs.whom(measured).startswith("4 runs of lenet (2 alphas, 2 seeds), 40 images; ")
    assert runs.whom(measured).endswith("2 diverged, left out")
    assert judged.loc["selectivity-1", "verdict"] == "not judged"  # measured, but with no preset of the claim
    assert shown["overview"]["diverged"].tolist() == ["yes", "", "", "yes", "", "", ""]
    assert all(isinstance(panel, Figure) for panels in all_figures(measured).values() for panel in panels)


def test_it_goes_on_after_the_last_finished_row_and_computes_nothing_twice(measured, monkeypatch):
    made = []
    with_row(monkeypatch, STUDY, lambda *a: made.append(a[1].name) or STUDY.row(*a))
    assert STUDY.measure(**GIVEN).identical(measured) and made == []
    few = {"n_gradients": 3, "seeds": [0], "strongest": "", "strongest_alphas": []}
    more = STUDY.measure(**GIVEN | few | {"beside": "[]", "alphas": "[0, 1]"})
    assert made == [PLAIN, UP]  # what defines a row has changed
    assert np.isnan(more["transfer_accuracy"]).all()  # there is no other seed
    made.clear()
    again = STUDY.measure(**GIVEN | few | {"beside": [], "alphas": [1, 0]})
    assert made == [] and again.model.values.tolist() == [UP, PLAIN]  # the same rows in another order
    np.testing.assert_array_equal(again["jacobian_norm"], more["jacobian_norm"].values[::-1])
    assert not np.array_equal(more["jacobian_norm"], measured["jacobian_norm"].sel(model=[PLAIN, UP]))


def test_a_network_that_diverged_has_another_chance_once_the_news_of_it_is_deleted(
    own_cache, measured, monkeypatch
):
    name, trained, train = f"{LOST}/1", [], zoo.train
    with_row(monkeypatch, STUDY, None)  # calling it would fail
    monkeypatch.setattr(zoo, "train", lambda spec, *how: trained.append(spec["seed"]) or train(spec, *how))
    (news,) = (own_cache / "models").glob(f"{key_of(network(name).identity)}.diverged.json")
    news.unlink()
    assert STUDY.measure(**GIVEN).identical(measured) and trained == [1] and news.is_file()
    found, wanted = results.latest_run("class_selectivity", "test")
    assert list(found) == THERE and wanted == len(NAMES)  # no row was kept that could be found


def test_the_cost_is_announced_with_the_layers_among_it(own_cache, measured, monkeypatch, capsys):
    asked, cost = [], prepare.cost
    monkeypatch.setattr(prepare, "cost", lambda *given: asked.append(given[1:]) or cost(*given))
    assert "class_selectivity, digits, 40 images" in sealed.read(own_cache / "pace.json")
    STUDY.measure(**GIVEN)
    lost = [name for name in NAMES if LOST in name]
    assert [([one.name for one in some], more) for some, more in asked] == [(lost, {"class_selectivity": 2})]
    said = "2 of 7 rows to measure: 0 networks to train, 160 corrupted images to classify, 2 networks to attack; "
    assert said + "less than a minute" in capsys.readouterr().out


def test_no_network_is_trained_twice_at_a_time(measured, monkeypatch):
    trained, train = [], prepare.train

    def noting(population, networks, *how):
        trained.append([network.name for network in networks])
        return train(population, networks, *how)

    monkeypatch.setattr(prepare, "train", noting)
    with_row(monkeypatch, STUDY, None)
    with pytest.raises(TypeError):  # where rows are made
        STUDY.measure(**GIVEN | {"n_gradients": 5})
    assert sorted(trained[0]) == sorted(NAMES)


def test_only_what_matters_to_a_row_is_in_its_key():
    known = keys(**GIVEN)
    unchanged = GIVEN | {
        "dask_scheduler": "local:2",
        "preset": "other",
        "source": "extend",
        "alphas": [1e30, 0, 1, 2],
    }
    assert keys(**unchanged).items() >= known.items()
    for name, value in (
        ("steps", [1, 4]),
        ("n_attacked", 21),
        ("n_gradients", 5),
        ("seed", 1),
        ("epochs", 2),
    ):
        changed = keys(**GIVEN | {name: value})
        assert not set(changed.values()) & set(known.values()), name
    hard = keys(**GIVEN | {"strongest_alphas": [1.0]})
    kept = {name for name in known if hard[name] == known[name]}
    assert kept == {name for name in NAMES if LOST in name} | {BESIDE}


def test_published_rows_are_read_and_extended(measured, tmp_path, monkeypatch):
    monkeypatch.setattr(results, "published_dir", lambda: tmp_path / "published")
    few = GIVEN | {
        "alphas": [1e30, 0.0]
    }  # those that diverged are not kept, so that they have another chance
    assert STUDY.publish("test", **few) == (3, 5)
    read = STUDY.measure(**GIVEN | {"source": "published"})
    assert read.model.values.tolist() == [PLAIN, f"{PLAIN}/1", BESIDE]
    assert read.attrs["missing"] == [name for name in NAMES if name not in read.model.values]
    assert runs.whom(read).startswith("2 runs")
    with_row(monkeypatch, STUDY, None)  # calling it would fail
    extended = STUDY.measure(**GIVEN | {"source": "extend"})
    published = [name for name, origin in zip(NAMES, extended["origin"].values) if origin == "published"]
    assert published == [PLAIN, f"{PLAIN}/1", BESIDE] and extended.model.values.tolist() == NAMES
    for name in ("mean_selectivity", "unit_selectivity", "dimensionality", "diverged"):
        np.testing.assert_array_equal(extended[name], measured[name])
    table = agreement.agreement(measured, quantities=STUDY.quantities)
    assert (table["agree"] == agreement.WORDS["same"]).all() and len(table) == 3


def test_without_its_source_an_attack_is_not_transferred(measured, monkeypatch):
    load = Network.load

    def failing(network, data=None):
        if network.name == PLAIN:
            raise TrainingError("the loss is nan")
        return load(network, data)

    monkeypatch.setattr(Network, "load", failing)
    given = {"alphas": [0], "n_gradients": 2, "beside": [], "strongest": "", "strongest_alphas": []}
    found = STUDY.measure(**GIVEN | given)
    assert found["diverged"].values.tolist() == [True, False]
    assert (
        np.isnan(found["transfer_accuracy"].values).all() and np.isnan(found["source_accuracy"].values).all()
    )


def of_one(model, **changed):
    """Return the population of a network, as the study makes it."""
    names = ("dataset", "n_samples", "n_robustness", "corruptions", "severities", "epochs", "seed")
    return Population.of(models=[model], **{name: GIVEN[name] for name in names} | changed)


@pytest.mark.parametrize("severities, middle", [([5], 5), ([1, 5], 5), ([5, 1, 3], 3), ([4, 5, 2, 1], 4)])
def test_the_middle_severity_is_that_of_the_sorted_ones(severities, middle):
    assert row.middle_severity(of_one(PLAIN, severities=severities)) == middle


def test_a_row_says_on_which_device_its_training_diverged(measured, monkeypatch):
    assert {read(measured.isel(model=i))["device"] for i in range(len(NAMES))} == {"cpu"}
    monkeypatch.setattr("robustshape.studies.plan.device", lambda: "cuda:1")
    own = SelectivitySettings(**{name: GIVEN[name] for name in SelectivitySettings.__dataclass_fields__})
    assert read(diverged_row(STUDY, of_one(LOST), network(LOST), own))["device"] == "cuda:1"


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"network": "zoo:lennet"}, "unknown model 'zoo:lennet.*'; closest: zoo:lenet"),
        ({"alphas": [1]}, "alphas must hold 0"),
        ({"beside": ["zoo:lenet-sgd/0"]}, "are the same network; name it once"),
        ({"steps": [3, 1]}, r"steps are ascending whole numbers from 1, but were \[3, 1\]"),
        ({"steps": [0, 1]}, r"steps are ascending whole numbers from 1, but were \[0, 1\]"),
        ({"steps": [2, 2]}, "steps names something twice"),
        ({"step_budget": "x"}, "the budget 'x' of 'pgd linf x' is not a fraction"),
        ({"step_budget": "8"}, "perhaps 8/255 is meant"),
        ({"step_budget": "0.05 0.1"}, "step_budget is one radius such as 1/255, but was '0.05 0.1'"),
        ({"step_budget": "0.05 on 9"}, "step_budget is one radius such as 1/255, but was '0.05 on 9'"),
        ({"n_attacked": 41}, "n_attacked is at least 3 and at most n_robustness, 40, but was 41"),
        ({"n_attacked": 2}, "n_attacked is at least 3 and at most n_robustness, 40, but was 2"),
        ({"n_gradients": 1}, "n_gradients is at least 2 and at most n_robustness, 40, but was 1"),
        ({"n_samples": 3}, "n_samples is at least two for each of two classes, but was 3"),
        ({"n_samples": 15}, "n_samples is at least two for each of two classes, but was 15"),
        ({"n_samples": 0}, "n_samples is at least 1, but was 0"),
        ({"seed": -1}, "seed is a whole number from 0 to 4294967295, but was given -1"),
        ({"corruptions": []}, "corruptions names at least one"),
        ({"corruptions": ["fogg"]}, "unknown corruption 'fogg'; closest: fog"),
        ({"strongest": "apgd linf 0.05 on 41"}, "wants 41 images, but only 40 are kept"),
        ({"strongest": "apdg linf 0.05"}, "unknown attack 'apdg'; closest: apgd"),
        ({"strongest": "apgd linf 0.1"}, "has that one L-infinity budget, 0.05, but was 'apgd linf 0.1'"),
        ({"strongest": "apgd l2 0.05"}, "strongest is compared with PGD at step_budget"),
        ({"strongest": "apgd linf 0.01 0.05"}, "strongest is compared with PGD at step_budget"),
        (
            {"strongest": ""},
            r"strongest names an attack .*: give both or neither, but they were '' and \[0.0\]",
        ),
        ({"strongest_alphas": []}, r"give both or neither, but they were 'pgd linf 0.05 on 10' and \[\]"),
        ({"strongest_alphas": [2.0]}, "the networks of strongest_alphas, which are some of alphas"),
        ({"strongest_alphas": ["a"]}, "strongest_alphas holds finite numbers"),
        (
            {"beside": ["zoo:mlp"]},
            "zoo:mlp has no rectified convolution: .* take a network such as zoo:resnet",
        ),
        ({"beside": ["zoo:cnn_a", "zoo:vit/1"]}, "zoo:vit/1 has no rectified convolution"),
        ({"beside": ["zoo:convnext"]}, "zoo:convnext has no rectified convolution"),
        ({"network": "zoo:mlp"}, "zoo:mlp-alpha=1e\\+30 has no rectified convolution"),
        ({"beside": ["python:networks:by_brightness"]}, f"{BRIGHT} has no rectified convolution"),
        ({"source": "publish"}, "unknown source 'publish'; closest: published"),
        ({"dataset": "digit"}, "unknown data set 'digit'; closest: digits"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_computed(cache, monkeypatch, wrong, words):
    networks._kept.cache_clear()
    monkeypatch.setattr("networks.by_brightness", lambda: bright(Preprocessing(channels=1)))
    with pytest.raises(InputError, match=words):
        STUDY.measure(**GIVEN | wrong)
    assert not (cache / "models").exists() and not (cache / "features").exists()


def test_a_network_that_cannot_be_attacked_is_refused_before_any_is_trained(cache, monkeypatch):
    networks._kept.cache_clear()
    monkeypatch.setattr(
        "networks.by_brightness", lambda: bright(lambda images: torch.zeros(len(images), 1, 8, 8))
    )
    words = f"{BRIGHT} cannot be attacked: its preprocessing is one function of its own; make it a"
    with pytest.raises(InputError, match=words):
        STUDY.measure(**GIVEN | {"beside": [BRIGHT]})
    assert not (cache / "models").exists() and not (cache / "features").exists()
