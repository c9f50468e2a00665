"""Estimates for the claims of purity and k*: plain twins on small made rows, who is compared, and what is lacking."""

import numpy as np
import pandas as pd
import pytest
import xarray

from robustshape import statistics
from robustshape.analysis.matched import architecture_of, matched
from robustshape.analysis.networks import beyond, networks
from robustshape.analysis.purity_and_kstar import LACKING, of_kstar, of_purity
from robustshape.statistics.out_of_sample import advantage

ATTACKS = ["pgd linf 1/255", "pgd linf 4/255"]


def rows(models, seed=0):
    """Return made-up rows of networks (architecture, recipe, seed); families are architectures."""
    rng, n = np.random.default_rng(seed), len(models)
    names = [f"zoo:{a}" + ("" if r == "plain" else f"-{r}") + (f"/{s}" if s else "") for a, r, s in models]
    architecture, recipe, seeds = zip(*models)
    clean = rng.uniform(0.7, 0.9, n)
    known = {
        "accuracy": ("model", clean),
        "indicator_accuracy": ("model", clean + rng.uniform(0, 0.05, n)),
        "corrupted_accuracy": (("model", "corruption", "severity"), rng.uniform(0.2, 0.6, (n, 2, 1))),
        "robust_accuracy": (("model", "attack"), rng.uniform(0.1, 0.5, (n, 2))),
        "attacked_clean_accuracy": (("model", "attack"), np.tile(clean[:, None], (1, 2))),
        "family": ("model", np.array(architecture, object)),
        "recipe": ("model", np.array(recipe, object)),
        "training_seed": ("model", np.array(seeds)),
        "n_samples": ("model", np.full(n, 1000)),
        "n_robustness": ("model", np.full(n, 500)),
    }
    coords = {"model": names, "corruption": ["fog", "contrast"], "severity": [3], "attack": ATTACKS}
    return xarray.Dataset(known, coords)


FAMILIES = ("lenet", "vgg", "densenet", "swin", "levit", "resnext", "dla", "twins", "xcit", "cait", "starnet")
POOL = [(f, r, 0) for f in FAMILIES for r in ("plain", "fast")]
RUNS = [("cifar_resnet20", r, s) for r in ("plain", "fast", "mixup", "noise", "decay") for s in (0, 1)]
INDICATORS = (
    "p_purity",
    "p_kmeans",
    "p_multicut",
    "log_mean_rank",
    "log_rank_over_twin",
    "tsne_hit",
    "umap_hit",
)


def table_of(given, seed=1, **other):
    rng = np.random.default_rng(seed)
    found = {name: rng.normal(size=given.sizes["model"]) for name in INDICATORS}
    return networks(given, found | other)


def by_hand(x, y, z, recipes):
    """Return the partial r of recipe-centred columns given z."""
    columns = [v - np.array([v[recipes == r].mean() for r in recipes]) for v in (x, y, z)]
    return statistics.partial_correlation(*columns)


def test_partial_correlations_are_of_columns_centred_within_recipes():
    given = rows(POOL)
    table = table_of(given)
    purity, kstar = of_purity(given, table), of_kstar(given, table)
    recipes, clean = table["recipe"].values, table["clean"].values
    for found, indicator, target in (
        (purity["purity-1"], "p_purity", "R"),
        (purity["purity-2"], "p_purity", "attacked"),
        (purity["purity-3"], "p_purity", "effective"),
        (kstar["kstar-3"], "log_mean_rank", "R"),
        (kstar["kstar-6"], "log_mean_rank", "attacked"),
    ):
        r = by_hand(table[indicator].values, table[target].values, clean, recipes)
        assert found.estimate == pytest.approx(r) and found.n == 11 and found.low < r < found.high
        if target != "effective":  # of which the line is fitted anew
            kept = table["family"].values != "swin"
            left = by_hand(*(table[c].values[kept] for c in (indicator, target, "clean")), recipes[kept])
            assert abs(left - r) <= found.error * np.sqrt(11 / 10)


def test_networks_out_of_their_band_are_left_out():
    pilot = ("resnet_basic", "repvgg", "mobilenetv2", "convnext_patch2", "vit_patch4", "mlp_mixer")
    given = rows([(f, "plain", 0) for f in (*pilot, *FAMILIES)])
    given["indicator_accuracy"].values[:] = 0.9
    given["indicator_accuracy"].values[-1] = 0.8
    table = table_of(given)
    assert of_purity(given, table)["purity-1"].n == 16
    assert of_kstar(given, table)["kstar-1"].n == 16


def test_comparisons_of_predictors_are_of_families_left_out():
    given = rows(POOL)
    table = table_of(given)
    families, recipes = table["family"].values, table["recipe"].values
    for found, x, rivals, target in (
        (of_purity(given, table)["purity-4"], "p_purity", ["p_kmeans", "p_multicut"], "R"),
        (of_kstar(given, table)["kstar-5"], "log_mean_rank", ["tsne_hit", "umap_hit"], "attacked"),
    ):
        assert found == advantage(
            table[x].values, table[rivals].values, table[target].values, families, recipes
        )
    few = given.isel(model=slice(0, 6))
    assert of_purity(few, table_of(few))["purity-4"] == "of fewer than four families none can be left out"


def test_fracturing_is_a_share_of_families_below_their_normal_twins():
    given = rows(POOL)
    over = np.repeat([-0.1, -0.2, -0.3, -0.1, -0.1, -0.1, 0.1, 0.2, -0.1, -0.1, -0.1], 2)
    found = of_kstar(given, table_of(given, log_rank_over_twin=over))["kstar-1"]
    assert (found.count, found.n) == (9, 11) and found.low == pytest.approx(statistics.exact_share(9, 11).low)


def test_zero_shot_accuracy_is_correlated_over_families():
    given = rows(POOL)
    reported = np.where(np.arange(22) < 2, np.nan, np.arange(22.0))
    table = table_of(given, zero_shot=reported)
    found = of_kstar(given, table)["kstar-2"]
    r = statistics.pearson(table["log_mean_rank"].values[2:], reported[2:])
    assert found.estimate == pytest.approx(r) and found.n == 10


def test_adversarial_training_is_compared_within_a_family_and_within_an_architecture():
    given = rows([*POOL, *RUNS])
    table = table_of(given)
    found = of_kstar(given, table)
    rank = table["log_mean_rank"]
    of_families = [rank[f"zoo:{f}-fast"] - rank[f"zoo:{f}"] for f in FAMILIES]
    runs = table[table["family"] == "cifar_resnet20"].groupby("recipe")["log_mean_rank"].mean()
    assert found["kstar-4"].n == 12
    assert found["kstar-4"].estimate == pytest.approx(np.mean([*of_families, runs["fast"] - runs["plain"]]))
    of_seeds = [rank[f"zoo:cifar_resnet20-fast{s}"] - rank[f"zoo:cifar_resnet20{s}"] for s in ("", "/1")]
    assert found["kstar-8"].n == 2 and found["kstar-8"].estimate == pytest.approx(np.mean(of_seeds))


def test_within_one_architecture_recipes_are_the_units():
    given = rows([*POOL, *RUNS])
    table = table_of(given)
    ours = table[table["family"] == "cifar_resnet20"]
    assert list(matched(given).model.values) == list(ours.index)
    for found, x, y in (
        (of_purity(given, table)["purity-5"], "p_purity", "R"),
        (of_kstar(given, table)["kstar-7"], "log_mean_rank", "attacked"),
    ):
        r = statistics.partial_correlation(ours[x].values, ours[y].values, ours["clean"].values)
        assert found.estimate == pytest.approx(r) and found.n == 5
    assert matched(rows(POOL)) is None and matched(rows(RUNS[::2])) is None  # one seed alone
    assert architecture_of("file:cards/mine.json") == ""


def test_what_is_lacking_is_said_in_words():
    given = rows(POOL).drop_vars(["corrupted_accuracy", "attacked_clean_accuracy"])
    found = of_purity(given, table_of(given)) | of_kstar(given, networks(given, {}))
    why = {name: value for name, value in found.items() if isinstance(value, str)}
    assert set(why) == set(found)
    assert why["purity-1"] == LACKING["R"] and why["purity-2"] == LACKING["attacked"]
    assert why["purity-3"] == LACKING["effective"] and why["purity-4"] == LACKING["R"]
    assert why["kstar-3"] == why["kstar-4"] == LACKING["log_mean_rank"]
    assert why["kstar-1"].startswith("k* of normal classes") and why["kstar-2"] == LACKING["log_mean_rank"]
    assert why["purity-5"].startswith("no architecture was trained here under three recipes")
    plain = rows([(f, "plain", 0) for f in FAMILIES])
    assert of_kstar(plain, table_of(plain))["kstar-4"].startswith("no network was trained both plainly and")
    none = plain.isel(model=slice(0, 0))
    assert of_purity(none, table_of(none))["purity-1"] == LACKING["p_purity"]


def test_nothing_is_left_beyond_accuracy_of_networks_that_have_none_of_the_numbers():
    at_chance = pd.DataFrame(
        {"p_purity": [0.5, 0.6], "R": [np.nan] * 2, "clean accuracy": [0.1, 0.1], "recipe": "plain", "trained": "plain",
         "in_band": [False, True]}
    )  # fmt: skip
    assert beyond(at_chance, "p_purity", "R").empty
    assert beyond(at_chance[:0], "p_purity", "R").empty
