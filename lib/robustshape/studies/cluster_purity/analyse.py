"""Statistics of the purity study: do clusterings of clean features predict R, and better than plainer numbers?

p_purity = purity / clean accuracy (Ho, Pfreundt, J. Keuper, M. Keuper 2021, page 1). R has the same kind of
denominator, so every correlation of a ratio stands beside the null that permutes the purities among the models and
leaves the accuracies in place. Indicators are averages over draws of classes (see `draws`).
"""

import numpy as np

from robustshape import statistics
from robustshape.studies.matched import matched
from robustshape.studies.ratios import (
    group_robustness,
    mean_corrupted_accuracy,
    robustness,
    robustness_under_attack,
    unseen_robustness,
)

P_PURITY = "p_purity"  # variant A
ACCURACY = "clean accuracy"
VARIANTS = {  # how a draw's purities and accuracies make an indicator; the paper's words leave it open
    P_PURITY: "A: (k-means / acc) x (multicut / acc)",
    "one_accuracy": "B: k-means x multicut / acc",
    "geometric_mean": "C: square root of A",
    "kmeans_ratio": "D: k-means / acc",
    "multicut_ratio": "D: multicut / acc",
    "kmeans": "E: k-means purity",
    "multicut": "E: multicut purity",
    "all_classes": "A, acc among all classes",
}
RATIOS = (P_PURITY, "one_accuracy", "geometric_mean", "kmeans_ratio", "multicut_ratio", "all_classes")
RIVALS = {  # words for the rivals; one that is registered later goes by its name
    "approximate_skewness": "Gamma' of k*",
    "true_skewness": "Gamma of k*",
    "mean_normalised_rank": "mean normalised k*",
    "neighbourhood_hit": "neighbourhood hit",
    "silhouette": "silhouette",
    "davies_bouldin": "Davies-Bouldin index",
    "within_between_ratio": "within / between distance",
    "neural_collapse": "neural collapse NC1",
    "dispersion_score": "dispersion score",
    "participation_ratio": "participation ratio",
    "effective_rank": "effective rank",
    "intrinsic_dimension": "intrinsic dimension (TwoNN)",
    "mean_margin": "mean margin",
    "mean_max_softmax": "mean max softmax",
}


def numerator(rows, variant: str):
    """Return what a ratio of `RATIOS` divides, of each draw: (model, draw)."""
    kmeans, multicut = (
        rows["purity"].sel(clustering=c).transpose("model", "draw") for c in ("k-means", "multicut")
    )
    both = {"kmeans_ratio": kmeans, "kmeans": kmeans, "multicut_ratio": multicut, "multicut": multicut}
    found = both.get(variant, kmeans * multicut).values.astype(float)
    return np.sqrt(found) if variant == "geometric_mean" else found


def denominator(rows, variant: str):
    """Return what a variant divides by, of each draw: (model, draw); ones where it does not divide."""
    restricted = rows["accuracy_restricted"].transpose("model", "draw").values.astype(float)
    whole = rows["accuracy_of_draw"].transpose("model", "draw").values.astype(float)
    return {
        P_PURITY: restricted**2,
        "all_classes": whole**2,
        "kmeans": np.ones_like(whole),
        "multicut": np.ones_like(whole),
    }.get(variant, restricted)


def of_draws(rows) -> dict[str, np.ndarray]:
    """Return every indicator of every draw (model, draw), by name: `VARIANTS`, rivals, and clean accuracy."""
    found = {name: numerator(rows, name) / denominator(rows, name) for name in VARIANTS}
    rivals = rows["rival_value"].transpose("rival", "model", "draw")
    found |= {str(name): rivals.sel(rival=name).values.astype(float) for name in rivals["rival"].values}
    return found | {ACCURACY: rows["accuracy_of_draw"].transpose("model", "draw").values.astype(float)}


def indicators(rows) -> dict[str, np.ndarray]:
    """Return the mean over draws of every indicator, of each model; NaN where a draw has none."""
    return {name: values.mean(1) for name, values in of_draws(rows).items()}


def targets(rows) -> dict[str, np.ndarray]:
    """Return what is to be predicted, of each model, where it was measured.

    R over all corruptions, over groups that no recipe trained on, and by group; accuracy under attack over clean
    accuracy; and corrupted accuracy without a division.
    """
    found = {
        "all": robustness(rows),
        "not trained on": unseen_robustness(rows),
        **group_robustness(rows),
        "under attack": robustness_under_attack(rows),
        "corrupted accuracy": mean_corrupted_accuracy(rows),
    }
    return {name: values for name, values in found.items() if np.isfinite(values).all()}


def words(name: str) -> str:
    """Return what tables and figures call an indicator."""
    return (VARIANTS | RIVALS).get(name, name)


def of_halves(rows) -> np.ndarray:
    """Return R on the random half of the robustness images that goes with each draw: (model, draw)."""
    shares = rows["corrupted_of_half"].mean("corruption").transpose("model", "draw")
    return (shares / rows["accuracy_of_half"].transpose("model", "draw")).values.astype(float)


def over_draws(rows, name: str) -> tuple[float, float]:
    """Return the 95 % interval of r(indicator, R) over draws of classes and images and halves of the images."""
    values, kept = of_draws(rows)[name], of_halves(rows)
    there = (np.isfinite(values) & np.isfinite(kept)).all(1)
    if there.sum() < 3:
        return float("nan"), float("nan")
    each = [statistics.pearson(values[there, i], kept[there, i]) for i in range(values.shape[1])]
    return statistics.interval(each)


def null_of(rows, variant: str, target, *, draws: int, seed: int) -> np.ndarray:
    """Return r(variant, target) with the purities permuted among the models, the accuracies left in place.

    What is permuted, and what divides it, are averages over draws: a ratio of means, where `indicators` are means of
    ratios. They would be equal if a network had the same accuracy in every draw. Models without the ratio are left out.
    """
    top, bottom = numerator(rows, variant), denominator(rows, variant)
    there = np.isfinite(top / bottom).all(1) & np.isfinite(target)
    top, bottom = top.mean(1), bottom.mean(1)
    return statistics.shared_denominator_null(
        top[there], bottom[there], np.asarray(target)[there], np.random.default_rng(seed), draws
    )


def _resampled(function, groups, *, draws, seed):
    if not len(groups):  # no model has the number
        return np.full(draws, np.nan)
    return statistics.bootstrap_over_families(function, groups, rng=np.random.default_rng(seed), draws=draws)


def correlate(x, y, groups, *, draws: int, seed: int) -> dict:
    """Return r(x, y) with its 95 % interval over groups resampled with all their members, and what goes with it.

    Models without a number are left out. Keys: r, low, high, r_squared, r_squared_low, r_squared_high, spearman,
    kendall, p_value, models, families.
    """
    there = np.isfinite(x) & np.isfinite(y)
    x, y, groups = x[there], y[there], np.asarray(groups)[there]
    resampled = _resampled(lambda i: statistics.pearson(x[i], y[i]), groups, draws=draws, seed=seed)
    every = statistics.correlations(x, y)
    (low, high), (square_low, square_high) = (statistics.interval(v) for v in (resampled, resampled**2))
    return {
        "r": every["pearson"], "low": low, "high": high,
        "r_squared": every["pearson"] ** 2, "r_squared_low": square_low, "r_squared_high": square_high,
        "spearman": every["spearman"], "kendall": every["kendall"],
        "p_value": statistics.bootstrap_p_value(resampled), "models": len(x), "families": len(set(groups)),
    }  # fmt: skip


def prediction_table(rows, *, draws: int = 1000, seed: int = 0):
    """Return how well each variant and clean accuracy predict each target, ratios beside their null.

    Returns
    -------
    pandas.DataFrame
        Columns indicator, target, those of `correlate`, null_mean, null_low, null_high.
    """
    import pandas as pd

    known, table, nothing = indicators(rows), [], (float("nan"),) * 3
    for name in (*VARIANTS, ACCURACY):
        for target, values in targets(rows).items():
            found = correlate(known[name], values, rows["family"].values, draws=draws, seed=seed)
            null = nothing
            if name in RATIOS and found["models"] > 2:
                permuted = null_of(rows, name, values, draws=draws, seed=seed)
                null = (float(permuted.mean()), *statistics.interval(permuted))
            found |= dict(zip(("null_mean", "null_low", "null_high"), null))
            table.append({"indicator": name, "target": target, **found})
    return pd.DataFrame(table)


def rival_table(rows, *, draws: int = 1000, seed: int = 0):
    """Return p_purity, purities, rivals and clean accuracy ranked by R^2 with R, and what each adds to accuracy.

    Returns
    -------
    pandas.DataFrame
        Columns of `correlate` and indicator, holm (p-values of r, corrected over all lines), draw_low, draw_high
        (r over draws), partial (r given clean accuracy), partial_low, partial_high, partial_holm.
    """
    import pandas as pd

    known, kept = indicators(rows), robustness(rows)
    families, accuracy = rows["family"].values, indicators(rows)[ACCURACY]
    rivals = [str(name) for name in rows["rival"].values]
    table = []
    for name in (P_PURITY, "kmeans", "multicut", *rivals, ACCURACY):
        x = known[name]
        line = {"indicator": name, **correlate(x, kept, families, draws=draws, seed=seed)}
        line |= dict(zip(("draw_low", "draw_high"), over_draws(rows, name)))
        if name != ACCURACY:
            partial = given_accuracy(x, kept, accuracy, families, draws=draws, seed=seed)
            line |= {"partial": partial.estimate, "partial_low": partial.low, "partial_high": partial.high}
            line["partial_p"] = partial.p_value
        table.append(line)
    table = pd.DataFrame(table)
    table["holm"] = statistics.holm(table["p_value"].values)
    rest = table["indicator"] != ACCURACY
    table.loc[rest, "partial_holm"] = statistics.holm(table.loc[rest, "partial_p"].values)
    return table.drop(columns="partial_p").sort_values("r_squared", ascending=False, ignore_index=True)


def given_accuracy(x, y, accuracy, families, *, draws: int = 1000, seed: int = 0) -> statistics.Estimate:
    """Return the partial correlation of x and y given clean accuracy, families resampled."""
    there = np.isfinite(x) & np.isfinite(y)
    x, y, accuracy, families = x[there], y[there], accuracy[there], np.asarray(families)[there]
    resampled = _resampled(
        lambda i: statistics.partial_correlation(x[i], y[i], accuracy[i]), families, draws=draws, seed=seed
    )
    low, high = statistics.interval(resampled)
    return statistics.Estimate(
        statistics.partial_correlation(x, y, accuracy), low, high,
        statistics.bootstrap_p_value(resampled), len(set(families)),
    )  # fmt: skip


def beyond_denominator(rows, target, *, draws: int = 1000, seed: int = 0) -> statistics.Estimate:
    """Return r(p_purity, target) minus the larger of 0 and the mean of its null, families resampled.

    The null is taken anew in every resample, so that its own uncertainty is in the interval.
    """
    top, bottom = numerator(rows, P_PURITY), denominator(rows, P_PURITY)
    ratio, families = (top / bottom).mean(1), rows["family"].values
    there = np.isfinite(ratio) & np.isfinite(target)
    top, bottom = top.mean(1)[there], bottom.mean(1)[there]
    ratio, target, families = ratio[there], np.asarray(target)[there], families[there]

    def excess(i, rng, n):
        null = statistics.shared_denominator_null(top[i], bottom[i], target[i], rng, n).mean()
        return statistics.pearson(ratio[i], target[i]) - max(0.0, float(null))

    rng = np.random.default_rng([seed, 1])
    resampled = _resampled(lambda i: excess(i, rng, 100), families, draws=draws, seed=seed)
    low, high = statistics.interval(resampled)
    return statistics.Estimate(
        excess(np.arange(len(ratio)), np.random.default_rng(seed), draws), low, high,
        statistics.bootstrap_p_value(resampled), len(set(families)),
    )  # fmt: skip


def product_over_single(rows, *, draws: int = 1000, seed: int = 0) -> statistics.Estimate:
    """Return r(p_purity, R) minus the larger r of k-means and multicut alone, families resampled."""
    known, kept, families = indicators(rows), robustness(rows), rows["family"].values
    columns = np.array([known[name] for name in (P_PURITY, "kmeans_ratio", "multicut_ratio")])
    there = np.isfinite(columns).all(0) & np.isfinite(kept)
    columns, kept, families = columns[:, there], kept[there], families[there]

    def advantage(i):
        product, *single = (statistics.pearson(x[i], kept[i]) for x in columns)
        return product - float(np.fmax(*single))  # of one alone where the other is the same for all

    resampled = _resampled(advantage, families, draws=draws, seed=seed)
    low, high = statistics.interval(resampled)
    return statistics.Estimate(
        advantage(np.arange(len(kept))), low, high,
        statistics.bootstrap_p_value(resampled), len(set(families)),
    )  # fmt: skip


def within_one_architecture(rows, *, draws: int = 1000, seed: int = 0):
    """Return what p_purity, purities and accuracy say over the runs of one architecture; recipes are resampled.

    Empty where that architecture was not trained under at least three recipes.
    """
    import pandas as pd

    ours = matched(rows)
    if ours is None:
        return pd.DataFrame()
    known, table = indicators(ours), []
    for name in (P_PURITY, "kmeans", "multicut", ACCURACY):
        for target, values in targets(ours).items():
            found = correlate(known[name], values, ours["recipe"].values, draws=draws, seed=seed)
            found = {"runs": found.pop("models"), "recipes": found.pop("families"), **found}
            table.append({"indicator": name, "target": target, **found})
    return pd.DataFrame(table)


def within_families(rows, *, fewest: int = 4):
    """Return r(p_purity, R) and r(clean accuracy, R) inside each family of at least `fewest` networks."""
    import pandas as pd

    known, kept, families = indicators(rows), robustness(rows), rows["family"].values
    table = []
    for family in dict.fromkeys(families):
        its = np.flatnonzero((families == family) & np.isfinite(known[P_PURITY]))
        if len(its) >= fewest:
            r = {words(n): statistics.pearson(known[n][its], kept[its]) for n in (P_PURITY, ACCURACY)}
            table.append({"family": family, "networks": len(its), **r})
    return pd.DataFrame(table)


def without_each_family(rows) -> dict[str, float]:
    """Return r(p_purity, R) with one family left out, for each family."""
    x, y = indicators(rows)[P_PURITY], robustness(rows)
    there = np.isfinite(x)
    return statistics.leave_one_group_out(
        lambda i: statistics.pearson(x[there][i], y[there][i]), rows["family"].values[there]
    )
