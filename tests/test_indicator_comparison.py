"""The comparison of indicators: one table of networks, bands, the screen, and the claims that a population decides."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray

from robustshape.analysis.answers import answer
from robustshape.analysis.claims import load
from robustshape.analysis.networks import PILOT, in_band, open_band, pairs
from robustshape.analysis.robustness import area_under_attack
from robustshape.analysis.verdicts import judged as judged_rows
from robustshape.analysis.verdicts import stated_beside
from robustshape.analysis.words import of
from robustshape.models.families import family_of
from robustshape.notebooks import read_parameters
from robustshape.statistics import partial_correlation
from robustshape.studies.indicator_comparison import STUDY, analyse, figures, verdicts
from robustshape.studies.indicator_comparison.answer import QUESTIONS

CLANS = {"resnet_basic": "conv, residual", "repvgg": "conv, plain", "mobilenetv2": "mobile", "convnext_patch2": "modern conv",
         "vit_patch4": "tokens", "mlp_mixer": "mlp", "resnext": "conv, residual", "swin": "tokens", "lcnet": "mobile",
         "levit": "tokens", "vgg": "conv, plain", "densenet": "conv, residual"}  # fmt: skip
RECIPES = ("plain", "fast")
ATTACKS = ["pgd linf 0.02", "pgd linf 0.05", "pgd linf 0.1", "pgd linf 0.2"]


def made_up(n_families=12, seed=0):
    """Return rows of so many families under two recipes; p_purity follows R, the silhouette is noise."""
    rng, families = np.random.default_rng(seed), list(CLANS)[:n_families]
    models = [f"zoo:{f}" + ("" if r == "plain" else f"-{r}") for f in families for r in RECIPES]
    n = len(models)
    clean, own = 0.95 + 0.02 * rng.uniform(size=n), rng.normal(size=n)
    kept = 0.7 + 0.05 * own
    names = sorted(["accuracy", "accuracy_among_classes", "kmeans_purity", "multicut_purity", "mean_normalised_rank",
                    "silhouette", "log_rank_over_twin", "true_skewness"])  # fmt: skip
    values = {
        "accuracy": clean,
        "accuracy_among_classes": clean,
        "kmeans_purity": clean * (0.8 + 0.05 * own + 0.01 * rng.normal(size=n)),
        "multicut_purity": clean * (0.9 + 0.01 * rng.normal(size=n)),
        "mean_normalised_rank": 10 ** (-1 + 0.1 * own),
        "silhouette": rng.normal(size=n),
        "log_rank_over_twin": rng.normal(size=n),
        "true_skewness": rng.normal(size=n),
    }
    draws = np.stack([np.stack([values[name]] * 3, 1) for name in names], 1)  # (model, indicator, draw)
    under = np.linspace(0.9, 0.3, 4)[None] * np.ones((n, 1))
    return xarray.Dataset(
        {
            "indicator_value": (("model", "indicator", "draw"), draws),
            "indicator_seconds": (("model", "indicator"), np.full((n, len(names)), 0.5)),
            "indicator_accuracy": ("model", clean),
            "accuracy": ("model", np.ones(n)),
            "corrupted_accuracy": (("model", "corruption", "severity"), kept[:, None, None] * np.ones((1, 2, 1))),
            "robust_accuracy": (("model", "attack"), under),
            "attacked_clean_accuracy": (("model", "attack"), np.full((n, 4), 0.5)),
            "family": ("model", np.repeat([family_of(f).family for f in families], 2).astype(object)),
            "recipe": ("model", np.array(list(RECIPES) * n_families, object)),
            "training_seed": ("model", np.zeros(n, int)),
            "n_samples": ("model", np.full(n, 5000)),
            "n_robustness": ("model", np.full(n, 1000)),
            "n_classes": ("model", np.full(n, 5)),
            "dataset": ("model", np.array(["mnist"] * n, object)),
            "per_class": ("model", np.full(n, 100)),
        },
        coords={"model": models, "indicator": names, "corruption": ["gaussian_noise", "fog"], "severity": [3], "attack": ATTACKS},
        attrs={"study": STUDY.name, "preset": "families_mnist", "missing": []},
    )  # fmt: skip


@pytest.fixture(scope="module")
def rows():
    return made_up()


@pytest.fixture(scope="module")
def table(rows):
    return analyse.networks(rows)


def test_a_line_of_a_network_by_hand(rows, table):
    line, row = table.loc["zoo:repvgg-fast"], rows.sel(model="zoo:repvgg-fast")
    assert (line["family"], line["clan"], line["recipe"]) == ("repvgg", "conv, plain", "fast")
    value = {
        str(name): float(row["indicator_value"].sel(indicator=name)[0]) for name in rows.indicator.values
    }
    clean = value["accuracy_among_classes"]
    assert line["p_kmeans"] == pytest.approx(value["kmeans_purity"] / clean)
    assert line["p_purity"] == pytest.approx(value["kmeans_purity"] * value["multicut_purity"] / clean**2)
    assert line["log_mean_rank"] == pytest.approx(np.log10(value["mean_normalised_rank"]))
    assert line["R"] == pytest.approx(float(row["corrupted_accuracy"].mean())) == line["R, noise"]
    assert set(analyse.TARGETS) <= set(table.columns)


def test_the_area_under_attack_by_hand(rows):
    places, shares = np.log([0.02, 0.05, 0.1, 0.2]), [0.9, 0.7, 0.5, 0.3]
    area = sum((b - a) * (s + t) / 2 for a, b, s, t in zip(places, places[1:], shares, shares[1:]))
    expected = area / (places[-1] - places[0]) / 0.5
    np.testing.assert_allclose(area_under_attack(rows), expected)
    assert np.isnan(area_under_attack(rows.isel(attack=[0]))).all()


def test_the_band_lies_around_the_pilots_median(table):
    changed = table.copy()
    changed.loc["zoo:swin", "clean"] = changed.loc[changed["recipe"] == "plain", "clean"].median() - 0.2
    found = in_band(changed)
    assert found.sum() == len(table) - 1 and not found[list(table.index).index("zoo:swin")]
    assert (
        table.loc["zoo:resnet_basic", "family"] != "resnet_basic"
    )  # the pilot is of networks, not of families
    assert in_band(changed[changed.index != "zoo:resnet_basic"]).all()  # of five networks no band is made


def test_nothing_is_judged_before_the_band_of_every_recipe_is_fixed(rows):
    claims = {name: replace(claim, fewest_units=4) for name, claim in load().items()}
    assert open_band(rows) == ""
    assert judged_rows(STUDY.name, rows, claims=claims).loc["cross-2", "verdict"] == "holds"
    early = rows.sel(model=rows.model.values != "zoo:vit_patch4-fast")
    line = judged_rows(STUDY.name, early, claims=claims).loc["cross-2"]
    assert line["verdict"] == "not judged" and line["n"] == 12
    assert line["reason"] == (
        "of the 6 networks that say which accuracy is comparable, 5 are measured (adversarial (fast))"
    )
    elsewhere = rows.assign_coords(model=[f"timm:{i}" for i in range(rows.sizes["model"])])
    assert open_band(elsewhere) == ""  # a population without a pilot has no band


def test_two_studies_of_the_same_networks_correct_over_the_same_claims(rows):
    stated = stated_beside("cluster_purity", "families_mnist", load())
    assert stated == stated_beside(STUDY.name, "families_mnist", load())
    assert {"purity-1", "kstar-6", "cross-2"} <= set(stated) and "cross-1" not in stated  # a screen
    assert stated_beside("failure_discovery", "mnist", load()) == ["failure-1"]
    claims = {name: replace(claim, fewest_units=4) for name, claim in load().items()}
    judged = judged_rows(STUDY.name, rows, claims=claims)
    assert set(judged["corrected_over"]) == {len(stated)}


def test_the_screen_finds_what_was_put_in_and_leaves_out_building_stones(rows, table):
    names = analyse.screened(table)
    assert "p_purity" in names and "silhouette" in names and not set(analyse.BESIDE) & set(names)
    found = analyse.screen_table(rows, table, "R").set_index("indicator")
    assert found.loc["p_purity", "low"] > 0.8 and found.loc["p_purity", "p (Holm)"] < 0.01
    assert found.loc["silhouette", "p (Holm)"] > 0.05 and (found["families"] == 12).all()
    effective = analyse.screen_table(rows, table, "effective").set_index("indicator")
    assert effective.loc["p_purity", "partial r"] > 0.8


def test_pairs_are_of_one_family(table):
    found = pairs(table, "fast", "plain", "log_mean_rank")
    expected = table.loc["zoo:vgg-fast", "log_mean_rank"] - table.loc["zoo:vgg", "log_mean_rank"]
    assert len(found) == 12 and found["vgg"] == pytest.approx(expected)
    assert len(pairs(table, "mixup", "plain", "R")) == 0


def test_the_claims_across_studies_are_judged(rows):
    judged = judged_rows(STUDY.name, rows)
    assert list(judged.index) == [f"cross-{i}" for i in range(1, 5)]
    assert judged.loc["cross-2", "verdict"] == "not judged"  # too few, whatever they show
    assert judged.loc["cross-2", "reason"] == "12 of the 36 model families needed"
    assert judged.loc["cross-2", "population"] == (
        "over 12 model families; measured: 24 networks of 12 families on mnist, 5,000 images clean and 1,000 corrupted"
    )
    assert judged.loc["cross-3", "verdict"] == judged.loc["cross-4", "verdict"] == "not judged"
    assert judged.loc["cross-3", "reason"].endswith("; another population decides: cifar10")
    assert answer(QUESTIONS, judged, rows).startswith("These networks do not decide whether any number")


def test_slopes_over_alpha_are_of_networks_that_are_alike_otherwise():
    rng, places = np.random.default_rng(0), [(a, s) for s in range(3) for a in (-1, -0.4, 0, 1)]
    table = pd.DataFrame(
        {
            "architecture": "resnet",
            "recipe": ["sgd" if a == 0 else f"sgd+alpha={a:g}" for a, _ in places],
            "seed": [s for _, s in places],
            "log_mean_rank": [-0.5 * a - (a > 0) + s + 0.01 * rng.normal() for a, s in places],
            "p_purity": [10 ** (-0.1 * a + 0.05 * s * a) for a, s in places],
        }
    )
    beside = pd.DataFrame({"architecture": ["resnet", "lenet"], "recipe": ["plain", "sgd"], "seed": 0})
    found = verdicts.less_selective(pd.concat([table, beside.assign(log_mean_rank=9.0, p_purity=9.0)]))
    # of log10 p_purity: seeds fall by .1, .05 and 0; of k* all by half, which is the surer
    assert found.estimate == pytest.approx(-0.05) and found.n == 3 and found.high > 0
    rising = table.assign(p_purity=10 ** (table["log_mean_rank"] * -1))
    assert verdicts.less_selective(rising).estimate > 0.4  # surely above 0 is the least surely below it
    assert verdicts.less_selective(table[table["recipe"] == "sgd"]).startswith("no network was regularised")


@pytest.mark.parametrize(
    "word, begins",
    [
        ("holds", "Yes: at least one"),
        ("negligible", "No: on these networks"),
        ("cannot be told", "It cannot be told"),
    ],
)
def test_the_answer_follows_the_verdict_of_the_screen(rows, word, begins):
    judged = judged_rows(STUDY.name, rows)
    judged.loc["cross-1", "verdict"] = word
    words = answer(QUESTIONS, judged, rows)
    assert words.startswith(begins) and len(words.split()) <= 60


def test_one_network_alone_has_a_page_too():
    alone = made_up(n_families=1).isel(model=[0])
    table = analyse.networks(alone)
    grid = analyse.grid(alone, table)
    assert np.isnan(grid["low"]).all() and not grid["sure"].any()
    assert figures.forest(grid, "R") is None and figures.of_gains(analyse.gains(table)) is None
    words = answer(QUESTIONS, judged_rows(STUDY.name, alone), alone)
    assert words.startswith("One network is too few to compare.")
    assert len(analyse.in_other_ways(alone, table)) == len(analyse.screened(table))


def test_a_network_at_chance_alone_has_a_page_too():
    alone = made_up(n_families=1).isel(model=[0]).assign(at_chance=("model", [1]))
    table = analyse.networks(alone)
    kept = table[table["in_band"]]
    assert kept.empty and np.isnan(analyse.grid(alone, kept)["partial r"]).all()
    assert figures.of_gains(analyse.gains(kept)) is None
    judged_rows(STUDY.name, alone)


def test_an_indicator_that_tells_saves_squared_error_and_noise_costs_some(rows, table):
    gains = analyse.gains(table).set_index("indicator")
    assert gains.loc["p_purity (their product)", "low"] > 0.5
    assert gains.loc["silhouette", "gain"] < 0.2
    drawn = figures.of_gains(analyse.gains(table))
    assert len(drawn.axes[0].get_yticklabels()) == len(gains.dropna())


def test_the_grid_has_every_indicator_for_every_target_in_words(rows, table):
    grid = analyse.grid(rows, table)
    assert len(grid) == len(analyse.screened(table)) * len(analyse.TARGETS)
    line = grid[(grid["target"] == "R") & (grid["indicator"] == "p_purity (their product)")].iloc[0]
    assert line["sure"] and line["partial r"] > 0.8
    assert len(figures.forest(grid, "R").axes[0].get_yticklabels()) == len(analyse.screened(table))


def test_the_same_in_other_ways_and_how_steady(rows, table):
    ways = analyse.in_other_ways(rows, table).set_index("indicator")
    bands, ends = {"within 3%", "within 5%", "within 10%", "all networks"}, {"low", "high"}
    over = {f"{end} ({units})" for end in ends for units in ("families", "clans")}
    assert bands | over | {"plain", "fast"} == set(ways)
    line = ways.loc["p_purity (their product)"]
    assert line["all networks"] > 0.8 and line["low (families)"] < line["within 5%"] < line["high (families)"]
    assert line["low (clans)"] != line["low (families)"]  # the unit changes the interval, not the estimate
    assert analyse.stability(rows)["rho"].dropna().between(-1, 1).all()
    lacking = rows.copy(deep=True)
    lacking["indicator_value"][0] = np.nan  # a network at chance
    assert analyse.stability(lacking)["rho"].notna().sum() == analyse.stability(rows)["rho"].notna().sum()
    assert analyse.seconds(rows)["seconds"].eq(0.5).all()


def test_every_number_that_is_compared_is_explained(rows, table):
    known = set(analyse.definitions(rows)["number"])
    assert {of(name) for name in analyse.screened(table)} <= known


def test_what_is_left_and_what_is_saved_is_counted():
    lines = pd.DataFrame({"sure": [True, False, True], "low": [0.1, -0.1, -0.2]})
    assert analyse.stars_in_words(lines).startswith("2 cells are left") and analyse.gains_in_words(
        lines
    ).startswith("1 bar lies")
    assert analyse.stars_in_words(lines[1:2]).startswith("No cell is left")
    assert analyse.gains_in_words(lines[1:]) == "No bar lies wholly above zero."


@pytest.mark.parametrize("preset", ["families_mnist", "families_cifar10"])
def test_a_population_of_families_has_its_whole_pilot_in_every_recipe(preset):
    models = read_parameters("indicator_comparison", preset, None)["models"]
    recipes = {name.partition("-")[2] for name in models}
    assert {f"zoo:{family}" + f"-{recipe}" * bool(recipe) for family in PILOT for recipe in recipes} <= set(
        models
    )


def test_of_one_family_the_recipes_are_the_units(rows):
    recipes = np.repeat([f"recipe {i}" for i in range(8)], 3)  # three runs of each
    alone = rows.assign(
        family=("model", np.full(24, "vgg", object)), recipe=("model", recipes.astype(object))
    )
    alone.attrs["preset"] = "recipes_cifar10"
    table = analyse.networks(alone)
    found = judged_rows(STUDY.name, alone)
    product = table["kmeans_purity"] * table["multicut_purity"]
    assert found.loc["cross-2", "estimate"] == pytest.approx(
        product.corr(table["mean_normalised_rank"], method="spearman")
    )  # over all runs: within a recipe only seeds differ
    assert found.loc["cross-2", "n"] == 8 and found.loc["cross-2", "population"].startswith("over 8 recipes;")
    purity = list(analyse.screened(table)).index("p_purity")
    columns = (table[name].values for name in ("p_purity", "corrupted", "clean"))
    assert analyse.screen(alone, table, "corrupted").estimate[purity] == pytest.approx(
        partial_correlation(*columns)
    )
    gains = analyse.gains(table).set_index("indicator")
    assert np.isfinite(gains.loc[of("p_purity")]).all()
