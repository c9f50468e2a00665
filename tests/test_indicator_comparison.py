"""The comparison of indicators: one table of networks, bands, the screen, and the claims that a population decides."""

import numpy as np
import pytest
import xarray

from robustshape.analysis.claims import load
from robustshape.studies.indicator_comparison import STUDY, analyse, figures, verdicts

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
            "family": ("model", np.repeat(families, 2).astype(object)),
            "recipe": ("model", np.array(list(RECIPES) * n_families, object)),
            "n_samples": ("model", np.full(n, 5000)),
            "n_robustness": ("model", np.full(n, 1000)),
            "n_classes": ("model", np.full(n, 5)),
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
    np.testing.assert_allclose(analyse.area_under_attack(rows), expected)
    assert np.isnan(analyse.area_under_attack(rows.isel(attack=[0]))).all()


def test_the_band_lies_around_the_pilots_median(table):
    changed = table.copy()
    changed.loc["zoo:swin", "clean"] = changed.loc[changed["recipe"] == "plain", "clean"].median() - 0.2
    found = analyse.in_band(changed)
    assert found.sum() == len(table) - 1 and not found[list(table.index).index("zoo:swin")]
    few = table[~table["family"].isin(analyse.PILOT)]
    assert analyse.in_band(few).all()  # no pilot, no band


def test_the_screen_finds_what_was_put_in_and_leaves_out_building_stones(rows, table):
    names = analyse.screened(table)
    assert "p_purity" in names and "silhouette" in names and not set(analyse.BESIDE) & set(names)
    found = analyse.screen_table(rows, table, "R").set_index("indicator")
    assert found.loc["p_purity", "low"] > 0.8 and found.loc["p_purity", "p (Holm)"] < 0.01
    assert found.loc["silhouette", "p (Holm)"] > 0.05 and (found["families"] == 12).all()
    effective = analyse.screen_table(rows, table, "effective").set_index("indicator")
    assert effective.loc["p_purity", "partial r"] > 0.8


def test_pairs_are_of_one_family(table):
    found = analyse.pairs(table, "fast", "plain", "log_mean_rank")
    expected = table.loc["zoo:vgg-fast", "log_mean_rank"] - table.loc["zoo:vgg", "log_mean_rank"]
    assert len(found) == 12 and found["vgg"] == pytest.approx(expected)
    assert len(analyse.pairs(table, "mixup", "plain", "R")) == 0


def test_every_claim_that_the_population_decides_has_an_estimate(rows, table):
    decided = {name for name, claim in load().items() if claim.primary_population == "families_mnist"}
    assert set(verdicts.estimates(rows, table)) == decided
    judged = verdicts.judge(rows, table)
    assert set(judged["claim"]) == decided
    assert judged["verdict"].str.startswith("not judged: 12 of 36").all()  # too few, whatever they show
    assert verdicts.answer(judged, table).startswith("Not told yet: 24 networks of 12 families")


@pytest.mark.parametrize(
    "word, begins",
    [
        ("holds", "Yes: at least one"),
        ("negligible", "Not on these networks"),
        ("cannot be told", "It cannot be told"),
    ],
)
def test_the_answer_follows_the_verdict_of_the_screen(rows, table, word, begins):
    judged = verdicts.judge(rows, table)
    judged.loc[judged["claim"] == "cross-1", "verdict"] = word
    words = verdicts.answer(judged, table)
    assert words.startswith(begins) and len(words.split()) <= 60


def test_one_network_alone_has_a_page_too():
    alone = made_up(n_families=1).isel(model=[0])
    table = analyse.networks(alone)
    screen = analyse.screen_table(alone, table, "R")
    assert np.isnan(screen["low"]).all()
    assert figures.forest(screen, "R").axes and figures.against_accuracy(table).axes
    assert verdicts.answer(verdicts.judge(alone, table), table).startswith("Not told yet: 1 networks")
    assert analyse.numbers(alone, table, screen)["best_indicator"] == "none"


def test_figures_show_the_screen_and_each_recipe(rows, table):
    drawn = figures.forest(analyse.screen_table(rows, table, "R"), "R")
    assert len(drawn.axes[0].get_yticklabels()) == len(analyse.screened(table))
    assert len(figures.against_accuracy(table).axes) == 2
    assert analyse.seconds(rows)["seconds"].eq(0.5).all()
