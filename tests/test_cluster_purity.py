"""The purity study: draws of classes, variants by hand, statistics against their definitions, every table and figure."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray
from matplotlib.figure import Figure

from robustshape import statistics
from robustshape.analysis import answers, style
from robustshape.analysis.networks import beyond
from robustshape.analysis.robustness import robustness
from robustshape.analysis.verdicts import judged as judged_rows
from robustshape.indicators import INDICATORS
from robustshape.measurements.draws import class_draws
from robustshape.measurements.population import Population
from robustshape.statistics.jackknife import jackknife
from robustshape.studies.cluster_purity import (
    STUDY,
    analyse,
    compared,
    draws,
    figures,
    populations,
    reported,
    tables,
)
from robustshape.studies.cluster_purity.answer import QUESTIONS
from robustshape.studies.cluster_purity.compared import ACCURACY, P_PURITY, RATIOS, VARIANTS, points
from robustshape.studies.cluster_purity.measure import OURS
from studies import PURITY, check_described, with_row, without_times

POPULATION = {  # 12 networks of 5 families
    "mlp": ("plain", "noise", "pgd"),
    "lenet": ("plain", "noise", "pgd"),
    "resnet": ("plain", "pgd"),
    "convnext": ("plain", "noise"),
    "vit": ("plain", "pgd"),
}
MATCHED = {"cnn_a": ("plain", "noise", "pgd")}
NAMES = ["silhouette", "neural_collapse", "mean_margin"]
CORRUPTIONS = ["gaussian_noise", "fog", "contrast"]
VARIED = ["12 images a class", "25 images a class", "L2-normalised", "logits"]


def rows(population=POPULATION, *, seeds=1, attacks=True, n_closer=2, n_draws=4, preset="laptop"):
    """Return made-up rows as `measure` would return them: purities and R follow one hidden quality of a network."""
    rng = np.random.default_rng(0)
    who = [(f, r, s) for s in range(seeds) for f, recipes in population.items() for r in recipes]
    n = len(who)
    quality, noise = rng.uniform(size=n), rng.uniform(size=n)
    accuracy = 0.6 + 0.3 * (0.5 * quality + 0.5 * noise)

    def around(values, *sizes, by=0.01):
        values = np.asarray(values, float).reshape((n,) + (1,) * len(sizes))
        return np.clip(values + by * rng.normal(size=(n, *sizes)), 0.01, 1)

    def text(value):
        return "model", np.array([value] * n, object)

    kept = accuracy * (0.4 + 0.5 * quality)
    known = {
        "accuracy": ("model", accuracy),
        "indicator_accuracy": ("model", around(accuracy)),
        "accuracy_of_draw": (("model", "draw"), around(accuracy, n_draws)),
        "accuracy_restricted": (("model", "draw"), around(accuracy + 0.05, n_draws)),
        "accuracy_of_half": (("model", "draw"), around(accuracy, n_draws)),
        "corrupted_accuracy": (("model", "corruption", "severity"), around(kept, 3, 2)),
        "corrupted_of_half": (("model", "draw", "corruption"), around(kept, n_draws, 3)),
        "purity": (("model", "clustering", "draw"), around(0.4 + 0.5 * quality, 2, n_draws, by=0.03)),
        "n_clusters": (("model", "clustering", "draw"), np.full((n, 2, n_draws), 7.0)),
        "ari": (("model", "clustering", "draw"), around(quality, 2, n_draws)),
        "nmi": (("model", "clustering", "draw"), around(quality, 2, n_draws)),
        "calibration_auc": (("model", "draw"), around(np.full(n, 0.8), n_draws)),
        "indicator_value": (
            ("model", "indicator", "draw"),
            np.stack([around(quality, n_draws, by=by) for by in (0.05, 0.3, 1)], 1),
        ),
        "family": ("model", np.array([f for f, _, _ in who], object)),
        "recipe": ("model", np.array([r for _, r, _ in who], object)),
        "training_seed": ("model", np.array([s for _, _, s in who])),
        "trains_on": ("model", np.array(["gaussian_noise" * (r == "noise") for _, r, _ in who], object)),
        "n_classes": ("model", np.full(n, 5)),
        "per_class": ("model", np.full(n, 50)),
        "n_samples": ("model", np.full(n, 1000)),
        "n_robustness": ("model", np.full(n, 1500)),
        "normalised": ("model", np.zeros(n, bool)),
        "clustered_layer": text("penultimate"),
        "dataset": text("digits"),
        "robustness_dataset": text("digits"),
        "corrupted": text("generated"),
        "origin": text("measured here"),
    }
    coords = {
        "model": [f"zoo:{f}-{r}/{s}" for f, r, s in who],
        "clustering": ["k-means", "multicut"],
        "indicator": NAMES,
        "corruption": CORRUPTIONS,
        "severity": [1, 5],
    }
    if attacks:
        known["robust_accuracy"] = (("model", "attack"), np.stack([0.9 * kept, 0.5 * kept, 0.3 * kept], 1))
        known["attacked_clean_accuracy"] = (
            ("model", "attack"),
            np.stack([accuracy, 0.9 * accuracy, accuracy], 1),
        )
        known["n_attacked"] = (("model", "attack"), np.tile([900, 30, 30], (n, 1)))
        coords["attack"] = ["fgsm linf 0.1", "pgd linf 0.1", "pgd linf 0.2"]
    if n_closer:
        coords |= {"ratio": [1, 2, 4, 8], "shift": [-2.0, -1.0, 0.0, 1.0, 2.0], "variant": VARIED}
        known |= {
            "kmeans_by_ratio": (("model", "closer", "ratio"), around(quality, n_closer, 4)),
            "multicut_by_shift": (("model", "closer", "shift"), around(quality, n_closer, 5)),
            "clusters_by_shift": (("model", "closer", "shift"), np.full((n, n_closer, 5), 7.0)),
            "variant_purity": (("model", "closer", "variant", "clustering"), around(quality, n_closer, 4, 2)),
            "variant_accuracy": (("model", "closer", "variant"), around(accuracy, n_closer, 4)),
        }
    return xarray.Dataset(known, coords, attrs={"preset": preset, "study": "cluster_purity", "missing": []})


def without_a_multicut(given, model=0, draw=2):
    """Return rows in which the calibration of one draw of one model did not tell classes apart."""
    given = given.copy(deep=True)
    for name in ("purity", "n_clusters", "ari", "nmi"):
        given[name].loc[{"model": given.model[model], "clustering": "multicut"}][draw] = np.nan
    return given


def page(given, resamples=20):
    """Return all the tables of the page, as the notebook makes them, and its answer."""
    predictions = analyse.prediction_table(given, draws=resamples)
    rivals = analyse.rival_table(given)
    within = populations.within_one_architecture(given)
    judged = judged_rows(STUDY.name, given)
    return predictions, rivals, within, judged, answers.answer(QUESTIONS, judged, given)


def all_figures(given, resamples=20):
    predictions, rivals, *_ = page(given, resamples)
    return {
        "null": figures.denominator_null(given, draws=resamples),
        "variants": figures.r_of_variants(predictions),
        "groups": figures.r_by_group(predictions),
        "rivals": figures.rival_ranking(rivals),
        "clusters": figures.purity_by_clusters(given),
        "matched": figures.one_architecture(given),
    }


def says(figure) -> str:
    return " ".join(text.get_text() for axis in figure.axes for text in axis.texts)


# ------------------------------------------------------------------------------------------------------ on a draw


LABELS = np.repeat(np.arange(6), 8)


def test_accuracies_among_all_classes_and_among_those_of_the_draw():
    logits = np.array([[3, 0, 9], [3, 9, 0], [0, 3, 9], [9, 3, 0]], float)
    labels, positions = np.array([0, 1, 1, 1]), np.array([0, 1, 2])
    found = draws.accuracies(logits, labels, None, positions)
    # right: the second; among classes 0 and 1 all three
    assert found == {"accuracy": pytest.approx(1 / 3), "accuracy_restricted": 1}
    of_more = draws.accuracies(logits, labels, np.array([False] * 4), positions)
    assert of_more == {"accuracy": 0, "accuracy_restricted": 1}


def test_clusterings_find_blobs_and_are_nan_where_distances_say_nothing():
    rng = np.random.default_rng(0)
    blobs = rng.normal(size=(48, 4)) + 30 * np.eye(6, 4)[LABELS] + 30 * (LABELS[:, None] == 5)
    [draw] = class_draws(LABELS, n_classes=3, per_class=8, n_draws=1, seed=0)
    found, calibration = draws.clusterings(blobs, LABELS, draw, rng=rng)
    assert calibration.auc > 0.9
    for clustering in draws.CLUSTERINGS:
        assert list(found[clustering]) == list(draws.AGREEMENT)
    assert found["k-means"]["purity"] == 1
    curves = draws.by_number_of_clusters(blobs, LABELS, draw, calibration, rng=rng)
    assert [c["n_clusters"] for c in curves["k-means"]] == [3, 6, 12, 24]
    clusters = [c["n_clusters"] for c in curves["multicut"]]
    assert clusters == sorted(clusters) and len(clusters) == len(draws.SHIFTS)

    twisted = blobs.copy()  # two of a class far apart, unlike ones together
    twisted[draw.calibration] = np.tile([[0.0] * 4, [50.0] * 4], (12, 1)) + rng.normal(size=(24, 4))
    found, calibration = draws.clusterings(twisted, LABELS, draw, rng=rng)
    assert not calibration.separates and np.isnan(list(found["multicut"].values())).all()
    curves = draws.by_number_of_clusters(twisted, LABELS, draw, calibration, rng=rng)
    assert np.isnan([c["purity"] for c in curves["multicut"]]).all()
    assert found["k-means"]["purity"] == curves["k-means"][0]["purity"] == 1


# ------------------------------------------------------------------------------------------------------- indicators


def test_variants_by_hand():
    given = rows()
    given["purity"].values[3, :, 1] = 0.6, 0.5
    given["accuracy_restricted"].values[3, 1], given["accuracy_of_draw"].values[3, 1] = 0.8, 0.4
    found = {name: values[3, 1] for name, values in compared.of_draws(given).items()}
    assert {name: found[name] for name in VARIANTS} == pytest.approx(
        {
            P_PURITY: 0.6 * 0.5 / 0.64,
            "one_accuracy": 0.6 * 0.5 / 0.8,
            "geometric_mean": np.sqrt(0.6 * 0.5) / 0.8,
            "kmeans_ratio": 0.6 / 0.8,
            "multicut_ratio": 0.5 / 0.8,
            "kmeans": 0.6,
            "multicut": 0.5,
            "all_classes": 0.6 * 0.5 / 0.16,
        }
    )
    assert found[ACCURACY] == 0.4 and found["silhouette"] == given["indicator_value"].values[3, 0, 1]
    turned = compared.of_draws(given.transpose("draw", "indicator", "clustering", ...))
    for name, values in compared.of_draws(given).items():
        np.testing.assert_array_equal(turned[name], values)
        np.testing.assert_allclose(compared.indicators(given)[name], values.mean(1))


@pytest.mark.parametrize("name", RATIOS)
def test_a_ratio_is_its_numerator_over_its_denominator_and_its_null_takes_means_of_both(name):
    given = rows()
    top, bottom = compared.numerator(given, name), compared.denominator(given, name)
    np.testing.assert_allclose(compared.of_draws(given)[name], top / bottom)
    assert not (bottom == 1).any()
    target = robustness(given)
    expected = statistics.shared_denominator_null(
        top.mean(1), bottom.mean(1), target, np.random.default_rng(5), 50
    )
    np.testing.assert_allclose(analyse.null_of(given, name, target, draws=50, seed=5), expected)
    # without any permutation: nearly that of the means of ratios, and exactly where draws do not differ
    means = statistics.pearson(top.mean(1) / bottom.mean(1), target)
    assert means == pytest.approx(statistics.pearson(compared.indicators(given)[name], target), abs=0.02)
    same = given.isel(draw=[0, 0, 0])
    ratio = compared.numerator(same, name).mean(1) / compared.denominator(same, name).mean(1)
    np.testing.assert_allclose(ratio, compared.indicators(same)[name])


def test_purities_alone_divide_by_nothing():
    for name in set(VARIANTS) - set(RATIOS):
        assert (compared.denominator(rows(), name) == 1).all()


def test_a_model_without_a_multicut_is_left_out_and_counted():
    given = without_a_multicut(rows())
    predictions, rivals, *_ = page(given)
    models = predictions.groupby("indicator")["models"].first()
    assert models[[P_PURITY, "multicut", "multicut_ratio"]].tolist() == [11] * 3
    assert models[["kmeans", "kmeans_ratio", ACCURACY]].tolist() == [12] * 3
    rest = given.isel(model=slice(1, None))
    expected = statistics.pearson(compared.indicators(rest)[P_PURITY], robustness(rest))
    line = rivals.set_index("indicator").loc[P_PURITY]
    assert (
        line["r"] == pytest.approx(expected) and np.isfinite(line[["draw_low", "draw_high", "partial"]]).all()
    )
    target = robustness(given)
    np.testing.assert_array_equal(
        analyse.null_of(given, P_PURITY, target, draws=9, seed=0),
        analyse.null_of(rest, P_PURITY, target[1:], draws=9, seed=0),
    )
    assert tables.odd_multicuts(given).tolist() == [1] + [0] * 11
    given["n_clusters"].values[2, 1, :2] = 1, 5 * 50  # one for all images, and one for each
    given["n_clusters"].values[2, 0, 2] = 1  # of k-means: not counted
    assert tables.odd_multicuts(given).tolist() == [1, 0, 2] + [0] * 9


def test_a_network_that_is_never_right_is_left_out():
    given = rows()
    given["accuracy_restricted"].values[4, 0] = 0
    with np.errstate(divide="ignore"):
        predictions, *_ = page(given)
        assert len(analyse.null_of(given, P_PURITY, robustness(given), draws=5, seed=0)) == 5
    line = predictions[(predictions["indicator"] == P_PURITY) & (predictions["target"] == "all")].iloc[0]
    assert line["models"] == 11 and np.isfinite(line[["r", "null_mean"]].astype(float)).all()


# ------------------------------------------------------------------------------------------------------- statistics


def test_targets_are_those_that_were_measured():
    given = rows()
    groups = {"noise", "weather", "digital"}
    assert (
        set(compared.targets(given))
        == {"all", "not trained on", "under attack", "corrupted accuracy"} | groups
    )
    under = given["robust_accuracy"].sel(attack="pgd linf 0.2").values / (
        given["attacked_clean_accuracy"].sel(attack="pgd linf 0.2").values
    )
    np.testing.assert_allclose(compared.targets(given)["under attack"], under)
    noise = rows(attacks=False).sel(corruption=["gaussian_noise"])
    assert set(compared.targets(noise)) == {"all", "noise", "corrupted accuracy"}


def test_correlations_have_an_interval_over_families_and_a_null():
    given = rows()
    table = analyse.prediction_table(given, draws=50, seed=1)
    assert len(table) == 9 * 7 and set(table["families"]) == {5}
    line = table.set_index(["indicator", "target"]).loc[(P_PURITY, "all")]
    x, y, families = compared.indicators(given)[P_PURITY], robustness(given), given["family"].values
    assert line["r"] == pytest.approx(statistics.pearson(x, y)) and line["r"] > 0.8
    assert line["spearman"] == pytest.approx(statistics.spearman(x, y))
    again = jackknife(lambda i: statistics.pearson(x[i], y[i]), families, fisher=True)
    assert (line["low"], line["high"], line["p_value"]) == pytest.approx(
        (again.low, again.high, again.p_value)
    )
    null = analyse.null_of(given, P_PURITY, y, draws=50, seed=1)
    assert line["null_mean"] == pytest.approx(null.mean()) and line["null_mean"] < line["r"]
    with_null = table.dropna(subset=["null_mean"])["indicator"]
    assert list(dict.fromkeys(with_null)) == list(RATIOS)
    assert tables.predictions(table)["indicator"][0].startswith("A: (k-means / acc)")


def test_rivals_are_ranked_and_corrected():
    given = rows()
    table = analyse.rival_table(given, seed=2)
    assert set(table["indicator"]) == {P_PURITY, "kmeans", "multicut", *compared.BESIDE, ACCURACY, *NAMES}
    assert table["r_squared"].dropna().is_monotonic_decreasing and "partial_p" not in table
    np.testing.assert_allclose(table["holm"], statistics.holm(table["p_value"]))
    assert table["holm"].min() == pytest.approx(min(1, 10 * table["p_value"].min()))
    known, kept, families = compared.indicators(given), robustness(given), given["family"].values
    recipes, rest = given["recipe"].values.astype(str), table[table["indicator"] != ACCURACY]
    columns = [*(known[name] for name in rest["indicator"]), kept, given["indicator_accuracy"].values]
    centred = [v - np.array([v[recipes == recipe].mean() for recipe in recipes]) for v in columns]
    r = [statistics.partial_correlation(x, *centred[-2:]) for x in centred[:-2]]
    np.testing.assert_allclose(rest["partial"], r)
    how = {"families": families, "given": columns[-1], "recipes": recipes}
    again = [statistics.correlate_over_families(x, kept, **how) for x in columns[:-2]]
    np.testing.assert_allclose(rest["partial_low"], [p.low for p in again])
    np.testing.assert_allclose(rest["partial_holm"], statistics.holm([p.p_value for p in again]))
    claimed = judged_rows(STUDY.name, given).loc["purity-1"]  # the same networks and recipes as the claim
    own = rest.set_index("indicator").loc[P_PURITY]
    assert own[["partial", "partial_low"]].tolist() == claimed[["estimate", "low"]].tolist()
    alone = table[table["indicator"] == ACCURACY].iloc[0]
    assert np.isnan(alone["partial"]) and np.isnan(alone["partial_holm"]) and np.isfinite(alone["holm"])


def test_the_interval_over_draws_holds_the_r_of_their_mean():
    given = rows(n_draws=20)
    for name in (P_PURITY, "kmeans", "silhouette"):
        low, high = analyse.over_draws(given, name)
        kept = compared.of_halves(given)
        shares = given["corrupted_of_half"].values.mean(2) / given["accuracy_of_half"].values
        np.testing.assert_allclose(kept, shares)
        r = statistics.pearson(compared.indicators(given)[name], kept.mean(1))
        assert low < r + 0.02 and r - 0.02 < high and high - low < 0.2
    some = given.isel(model=slice(1, None))
    chance = np.arange(given.sizes["model"]) == 0  # it has no R, though its halves have a ratio
    assert analyse.over_draws(given.assign(at_chance=("model", chance * 1)), P_PURITY) == analyse.over_draws(
        some, P_PURITY
    )
    assert np.isnan(analyse.over_draws(given.isel(model=[0, 1]), P_PURITY)).all()


def test_within_one_architecture_recipes_are_the_units():
    ours = rows(MATCHED, seeds=3)
    table = populations.within_one_architecture(ours)
    assert set(table["runs"]) == {9} and set(table["recipes"]) == {3}
    assert set(table["indicator"]) == {P_PURITY, "kmeans", "multicut", ACCURACY}
    assert np.isfinite(table["r"]).all() and np.isnan(table["low"]).all()  # of three there is no interval

    more = rows({"cnn_a": ("plain", "noise", "pgd", "mixup", "decay")}, seeds=3)
    pool = xarray.concat([rows(), more], "model", data_vars="all", combine_attrs="override")
    pool["training_seed"].values[3] = -1
    line = populations.within_one_architecture(pool).iloc[0]
    x, y = compared.indicators(more)[P_PURITY], robustness(more)
    again = jackknife(lambda i: statistics.pearson(x[i], y[i]), more["recipe"].values, fisher=True)
    assert line["r"] == pytest.approx(statistics.pearson(x, y)) and line["recipes"] == 5
    assert (line["low"], line["high"]) == pytest.approx((again.low, again.high))
    assert populations.within_one_architecture(rows()).empty
    elsewhere = ours.assign(training_seed=("model", np.full(9, -1)))  # pretrained ones are no runs of ours
    assert populations.within_one_architecture(elsewhere).empty
    pool.attrs["preset"] = "recipes_cifar10"
    *_, judged, _ = page(pool)
    partial = statistics.partial_correlation(x, y, more["indicator_accuracy"].values)
    assert judged.loc["purity-5", "estimate"] == pytest.approx(partial)
    assert judged.loc["purity-5", "reason"] == "5 of the 20 recipes needed"
    beside = analyse.rival_table(more).set_index("indicator")  # of one architecture the claim is that one
    assert beside.loc[P_PURITY, "partial"] == pytest.approx(partial)
    assert beside.loc[P_PURITY, "partial_low"] == pytest.approx(judged.loc["purity-5", "low"])


def test_within_families_and_without_each():
    given = without_a_multicut(rows())
    assert populations.within_families(given).empty  # none has four networks
    table = populations.within_families(given, fewest=3)
    assert table["family"].tolist() == ["LeNet"]  # one of the three of mlp has no p_purity
    its = np.flatnonzero(given["family"].values == "lenet")
    known, y = compared.indicators(given), robustness(given)
    assert table["r(p_purity, R)"][0] == pytest.approx(statistics.pearson(known[P_PURITY][its], y[its]))
    assert table["r(clean accuracy, R)"][0] == pytest.approx(statistics.pearson(known[ACCURACY][its], y[its]))


# ------------------------------------------------------------------------------------------------ tables and answers


def test_settings_by_hand():
    given = rows()
    table = tables.settings(given)
    assert table["setting"].tolist() == ["penultimate, raw, 50 images a class (used)", *VARIED]
    used = (given["purity"].values.prod(1) / given["accuracy_restricted"].values ** 2)[:, :2].mean(1)
    logits = given["variant_purity"].values[:, :, 3].prod(2) / given["variant_accuracy"].values[:, :, 3] ** 2
    logits, y = logits.mean(1), robustness(given)
    first, last = table.iloc[0], table.iloc[-1]
    assert first["mean p_purity"] == pytest.approx(used.mean()) and first["agreement"] == pytest.approx(1)
    assert last["mean p_purity"] == pytest.approx(logits.mean()) and last["networks"] == 12
    assert last["agreement"] == pytest.approx(statistics.spearman(logits, used))
    assert last["r with R"] == pytest.approx(statistics.pearson(logits, y))
    lacking = tables.settings(without_a_multicut(given, draw=1))
    assert lacking["networks"].tolist() == [11] * 5  # a mean over fewer draws would be another number
    assert tables.settings(without_a_multicut(given, draw=3))["networks"].tolist() == [12] * 5
    assert tables.settings(rows(n_closer=0)).empty


def test_overview_has_a_line_for_each_network_and_the_numbers_beside_every_purity():
    given = without_a_multicut(rows())
    table = tables.overview(given)
    assert len(table) == 12 and table["R"].is_monotonic_decreasing
    for name in ("p_purity", "corrupted accuracy", "accuracy under pgd linf 0.2", "origin"):
        assert name in table
    draws = compared.of_draws(given)[P_PURITY]
    ends = dict(zip(table["network"], table["95 % of draws"]))
    low, high = np.quantile(draws[given.model.values.tolist().index("zoo:lenet-plain/0")], [0.025, 0.975])
    assert ends["lenet-plain/0"] == f"{low:.2f} to {high:.2f}" and ends["mlp-plain/0"] == "–"
    assert "mCE (AlexNet)" not in table  # needs all fifteen corruptions
    beside = tables.clusterings(given)
    assert {"multicut clusters", "odd multicuts"} < set(beside) and len(beside) == 12
    for clustering in ("k-means", "multicut"):
        for what in ("purity", "ARI", "NMI"):
            assert f"{clustering} {what}" in beside
    line = beside[beside["network"] == "lenet-plain/0"].iloc[0]
    one = given.sel(model="zoo:lenet-plain/0")
    assert line["k-means purity"] == pytest.approx(float(one["purity"][0].mean()))
    assert line["accuracy in a draw"] == pytest.approx(float(one["accuracy_restricted"].mean()))
    assert np.isnan(table[table["network"] == "mlp-plain/0"]["p_purity"].iloc[0])
    assert not any("under" in name for name in tables.overview(rows(attacks=False)))


def test_values_of_the_rivals_go_by_words():
    table = tables.rivals(rows())
    assert list(table) == ["network", "silhouette", "neural collapse NC1", "mean margin", ACCURACY]
    assert len(table) == 12 and compared.words("registered later") == "registered later"


def test_the_population_in_words():
    given = rows()
    assert populations.population(given) == (
        "12 networks of 5 families on digits, 4 draws of 5 x 50 images; R on 1,500 images, corruptions generated here"
    )
    given["robustness_dataset"].values[:] = "nips17"
    assert "R on 1,500 images of nips17, corruptions generated here" in populations.population(given)


def test_estimates_are_those_of_the_pages_own_numbers():
    given = without_a_multicut(rows(attacks=False, preset="mnist"))
    found, known = judged_rows(STUDY.name, given), compared.indicators(given)
    assert found.index.tolist() == [f"purity-{i}" for i in range(1, 6)]
    there = np.isfinite(known[P_PURITY])
    recipes = given["recipe"].values.astype(str)[there]
    columns = (known[P_PURITY], robustness(given), given["indicator_accuracy"].values)
    centred = [v[there] - np.array([v[there][recipes == r].mean() for r in recipes]) for v in columns]
    assert found.loc["purity-1", "estimate"] == pytest.approx(statistics.partial_correlation(*centred))
    assert found.loc["purity-1", ["n", "reason"]].tolist() == [
        5,
        "another population decides: families_mnist",
    ]
    product, kmeans, multicut = (known[n][there] for n in (P_PURITY, "kmeans_ratio", "multicut_ratio"))
    again = statistics.advantage(
        product, np.stack([kmeans, multicut], 1), columns[1][there], given["family"].values[there], recipes
    )
    assert found.loc["purity-4", "estimate"] == pytest.approx(again.estimate)
    assert found.loc["purity-2", "verdict"] == "not judged"
    assert found.loc["purity-2", "reason"].startswith("PGD at two budgets or more, or the clean")
    assert np.isfinite(judged_rows(STUDY.name, rows()).loc["purity-2", "estimate"])


def test_points_are_the_indicators_and_targets_of_each_network():
    given = rows()
    known = compared.points(given)
    assert len(known) == 12 and known.index[0] == "mlp-plain/0" and "R, under attack" in known
    np.testing.assert_allclose(known["R"], robustness(given))
    np.testing.assert_allclose(known[P_PURITY], compared.indicators(given)[P_PURITY])
    assert known["trained"].iloc[0] == "plain"


@pytest.mark.parametrize(
    ("word", "begins"),
    [
        ("holds", "Yes: of two networks of equal accuracy the one with purer clusters is the more robust"),
        ("fails", "No, the reverse: of two networks of equal accuracy"),
        ("negligible", "No: on these networks purity tells little or nothing"),
        ("cannot be told", "It cannot be told on these networks whether purity"),
        ("not judged", "These networks do not decide whether purity"),
        ("not yet measured", "Not yet measured: whether purity"),
    ],
)
def test_the_answer_follows_the_verdict(word, begins):
    given = rows()
    judged = judged_rows(STUDY.name, given)
    judged.loc["purity-1", "verdict"] = word
    words = answers.answer(QUESTIONS, judged, given)
    assert words.startswith(begins) and len(words.split()) <= 60
    alone = answers.answer(QUESTIONS, judged, given.isel(model=[0]))
    assert alone.startswith("One network is too few to compare.")


# ---------------------------------------------------------------------------------------------------------- figures


@pytest.mark.parametrize(
    "given",
    [
        rows(),
        rows(MATCHED, seeds=3),
        rows().isel(model=[0]),
        rows().isel(model=[0, 1]),
        rows(attacks=False),
        rows(n_closer=0),
        without_a_multicut(rows()),
        without_a_multicut(rows(MATCHED, seeds=3)),
        without_a_multicut(rows()).isel(model=[0]),
    ],
    ids=["normal", "matched", "one", "two", "no attack", "no closer look", "NaN", "matched NaN", "one NaN"],
)
def test_every_figure_is_a_panel_as_wide_as_a_column(given):
    drawn = all_figures(given)
    for name, panels in drawn.items():
        for figure in panels if isinstance(panels, list) else [panels] * (panels is not None):
            assert isinstance(figure, Figure) and figure.get_size_inches()[0] == style.PANEL, name
            figure.canvas.draw()
    assert bool(drawn["matched"]) == ("cnn_a" in given["family"].values)
    assert bool(drawn["clusters"]) == ("closer" in given.dims)
    assert (drawn["null"] is None) == (given.sizes["model"] < 3)
    plt.close("all")


def test_networks_at_chance_have_no_robustness_and_still_a_page():
    given = rows().isel(model=[0])
    given["at_chance"] = ("model", [1])
    assert np.isnan(robustness(given)).all()
    drawn = all_figures(given)
    assert drawn["variants"] is None and drawn["null"] is None
    assert beyond(points(given), "p_purity", "R").empty
    assert page(given)[-1] == "One network is too few to compare. No robustness was measured."
    plt.close("all")


def test_one_network_at_chance_takes_nothing_from_the_others():
    given, alone = rows(), rows()
    given["at_chance"] = ("model", np.eye(12)[3].astype(int))
    predictions, *_ = page(given)
    others = page(alone.isel(model=np.delete(np.arange(12), 3)))[0]
    for table, n in ((predictions, 11), (others, 11)):
        line = table[(table["indicator"] == P_PURITY) & (table["target"] == "all")].iloc[0]
        assert line["models"] == n
    key = (predictions["indicator"] == P_PURITY) & (predictions["target"] == "all")
    assert predictions[key]["r"].item() == pytest.approx(others[key]["r"].item())
    assert len(beyond(points(given), "p_purity", "R")) == 11
    assert len(reported.beside_the_paper(given, predictions)) and len(tables.settings(given))
    assert populations.within_families(given, fewest=2)["r(p_purity, R)"].notna().all()
    nobody = given.isel(model=[3])
    assert reported.beside_the_paper(nobody, analyse.prediction_table(nobody, draws=5)).empty


def test_the_ranking_shows_the_largest_partial_correlation_on_top():
    _, rivals, *_ = page(rows())
    figure = figures.rival_ranking(rivals)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    best = rivals.dropna(subset="partial").sort_values("partial", ascending=False)["indicator"].iloc[0]
    assert labels[0] == ("p_purity" if best == P_PURITY else compared.words(best))
    low, high = figure.axes[0].get_ylim()
    assert low > high


# ------------------------------------------------------------------------------------------------------- end to end


@pytest.fixture(scope="module")
def measured():
    return STUDY.measure(**PURITY)


def test_a_row_holds_draws_rivals_accuracies_and_the_closer_look(measured):
    sizes = {"model": 2, "draw": 3, "clustering": 2, "corruption": 2, "severity": 2, "attack": 1, "closer": 1}
    assert {name: measured.sizes[name] for name in sizes} == sizes
    assert set(measured["indicator"].values) == set(INDICATORS.names()) - set(OURS) and set(OURS) < set(
        INDICATORS.names()
    )
    check_described(STUDY, measured)
    assert measured["variant"].values.tolist() == ["2 images a class", "L2-normalised", "logits"]
    shares = ("purity", "accuracy_restricted", "accuracy_of_draw", "accuracy_of_half", "corrupted_of_half")
    for name in shares:
        known = measured[name].values
        assert np.nanmin(known) >= 0 and np.nanmax(known) <= 1
    assert (measured["accuracy_restricted"] >= measured["accuracy_of_draw"]).all()
    assert (measured["n_clusters"].sel(clustering="k-means") == 5).all()
    assert set(measured["n_classes"].values) == {5}
    used = measured["purity"].sel(clustering="k-means").isel(draw=0).values
    again = measured["kmeans_by_ratio"].sel(ratio=1).isel(closer=0).values  # of other starts
    np.testing.assert_allclose(used, again, atol=0.15)
    xarray.testing.assert_identical(measured, STUDY.measure(**PURITY))


def test_a_page_of_two_networks(measured):
    *_, judged, words = page(measured)
    assert set(judged["verdict"]) == {"not judged"} and words.startswith("2 networks are too few")
    all_figures(measured)


def test_one_network_alone_has_a_page(measured):
    given = PURITY | {"models": '["zoo:mlp"]', "layers": '["logits"]', "attacks": '["pgd linf 0.1 on 20"]'}
    alone = STUDY.measure(**given)  # as papermill's -p hands them over
    xarray.testing.assert_identical(
        without_times(alone.drop_vars("key")), without_times(measured.isel(model=[0]).drop_vars("key"))
    )
    assert page(alone)[-1].startswith("One network is too few to compare. mlp keeps")
    all_figures(alone)
    for table in (tables.overview(alone), tables.clusterings(alone), tables.rivals(alone)):
        assert len(table) == 1
    assert len(tables.settings(alone)) == 4 and populations.within_families(alone).empty


def test_other_layers_lengths_and_no_closer_look(measured):
    given = PURITY | {"models": ["zoo:mlp"], "layer": "depth:0.5", "normalise": True, "n_closer": 0}
    other = STUDY.measure(**given)
    assert "variant" not in other.dims and "ratio" not in other.dims
    assert other["clustered_layer"].values[0] == "depth:0.5" and other["normalised"].values[0]
    assert not np.array_equal(other["indicator_value"].values[0], measured["indicator_value"].values[0])
    np.testing.assert_array_equal(other["accuracy_of_half"].values[0], measured["accuracy_of_half"].values[0])
    plain = PURITY | {"models": ["zoo:mlp"], "normalise": True}
    normalised = STUDY.measure(**plain)
    assert normalised["variant"].values.tolist() == ["2 images a class", "raw", "logits"]
    np.testing.assert_allclose(normalised["variant_accuracy"].values, measured["variant_accuracy"].values[:1])


def test_it_goes_on_after_the_last_finished_row(measured, monkeypatch):
    given, done, again = PURITY | {"n_draws": 2, "n_closer": 0}, [], []

    def interrupted(population, network, settings):
        if done:
            raise KeyboardInterrupt
        done.append(network.name)
        return STUDY.row(population, network, settings)

    with_row(monkeypatch, STUDY, interrupted)
    with pytest.raises(KeyboardInterrupt):
        STUDY.measure(**given)
    with_row(monkeypatch, STUDY, lambda *a: again.append(a[1].name) or STUDY.row(*a))
    continued = STUDY.measure(**given)
    assert done == ["zoo:mlp"] and again == ["zoo:mlp-noise"]
    for name in ("purity", "indicator_value", "corrupted_of_half"):
        np.testing.assert_array_equal(continued[name], measured[name].isel(draw=[0, 1]))


def test_an_indicator_that_is_registered_later_is_measured_alone(measured, monkeypatch):
    for name in ("_entries", "_about"):
        monkeypatch.setattr(INDICATORS, name, dict(getattr(INDICATORS, name)))
    asked = []

    @INDICATORS.register("mean_feature", symbol="m", about="mean of all features")
    def mean_feature(features, labels):
        asked.append(len(labels))
        return features.mean()

    with_row(monkeypatch, STUDY, None)  # calling it would fail
    more = STUDY.measure(**PURITY)
    assert asked == [5 * 4] * 6  # two networks of three draws
    names = measured["indicator"].values
    assert more["indicator"].values.tolist() == sorted([*names, "mean_feature"])
    known = more.sel(indicator=names)
    xarray.testing.assert_identical(known, measured)
    features = Population.of(**{n: PURITY[n] for n in Population.names() if n in PURITY})
    store = features.features(features.networks[1])
    [first, *_] = class_draws(store["label"].values, n_classes=0, per_class=4, n_draws=1, seed=0)
    expected = store["features"].values[first.scored].mean()
    assert float(more["indicator_value"].sel(indicator="mean_feature")[1, 0]) == expected
