"""Statistics of the purity study: do clusterings of clean features predict R, and better than plainer numbers?

p_purity and R divide by the same accuracy, so every correlation of a ratio stands beside the null that permutes the
purities among the models and leaves the accuracies in place.
"""

import numpy as np

from robustshape import statistics
from robustshape.analysis.robustness import robustness
from robustshape.studies.cluster_purity.compared import (
    ACCURACY,
    BESIDE,
    P_PURITY,
    RATIOS,
    VARIANTS,
    denominator,
    indicators,
    numerator,
    of_draws,
    of_halves,
    rivals,
    targets,
)


def over_draws(rows, name: str, *, draws: int = 1000, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % interval of r(indicator, R) over classes and images.

    The draws of classes are resampled and averaged, and R is that of one of the random halves of its images: halves
    drawn without replacement vary as much as the whole would.
    """
    values, kept = of_draws(rows)[name], of_halves(rows)
    there = (np.isfinite(values) & np.isfinite(kept)).all(1)
    if there.sum() < 3:
        return float("nan"), float("nan")
    values, kept, rng = values[there], kept[there], np.random.default_rng(seed)
    n = values.shape[1]
    chosen, halves = rng.integers(n, size=(draws, n)), rng.integers(n, size=draws)
    return statistics.interval(
        [statistics.pearson(values[:, i].mean(1), kept[:, half]) for i, half in zip(chosen, halves)]
    )


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
    kendall, p_value, few_p (see `statistics.few_clusters_p_value`), models, families.
    """
    there = np.isfinite(x) & np.isfinite(y)
    x, y, groups = x[there], y[there], np.asarray(groups)[there]
    rng = np.random.default_rng(seed)
    resampled = np.full(draws, np.nan)
    if len(x):
        resampled = statistics.correlation_over_families(x, y, groups, rng=rng, draws=draws)
    every = statistics.correlations(x, y)
    (low, high), (square_low, square_high) = (statistics.interval(v) for v in (resampled, resampled**2))
    return {
        "r": every["pearson"], "low": low, "high": high,
        "r_squared": every["pearson"] ** 2, "r_squared_low": square_low, "r_squared_high": square_high,
        "spearman": every["spearman"], "kendall": every["kendall"],
        "p_value": statistics.bootstrap_p_value(resampled),
        "few_p": statistics.few_clusters_p_value(every["pearson"], resampled, len(set(groups))),
        "models": len(x), "families": len(set(groups)),
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


def rival_table(rows, *, draws: int = 10_000, seed: int = 0):
    """Return p_purity, purities, rivals and clean accuracy ranked by R^2 with R, and what each adds to accuracy.

    Returns
    -------
    pandas.DataFrame
        Columns of `correlate` and indicator, holm (few_p of r, corrected over all lines), draw_low, draw_high (r over
        classes and images), partial (r given clean accuracy), partial_low, partial_high, partial_holm. Many draws, so
        that the smallest p-value is small enough to be multiplied by the number of lines.
    """
    import pandas as pd

    known, kept = indicators(rows), robustness(rows)
    families, accuracy = rows["family"].values, indicators(rows)[ACCURACY]
    table = []
    for name in (P_PURITY, "kmeans", "multicut", *BESIDE, *rivals(rows), ACCURACY):
        x = known[name]
        line = {"indicator": name, **correlate(x, kept, families, draws=draws, seed=seed)}
        line |= dict(zip(("draw_low", "draw_high"), over_draws(rows, name, seed=seed)))
        if name != ACCURACY:
            partial, few_p = _given(x, kept, accuracy, families, draws=draws, seed=seed)
            line |= {"partial": partial.estimate, "partial_low": partial.low, "partial_high": partial.high}
            line["partial_p"] = few_p
        table.append(line)
    table = pd.DataFrame(table)
    table["holm"] = statistics.holm(table["few_p"].values)
    rest = table["indicator"] != ACCURACY
    table.loc[rest, "partial_holm"] = statistics.holm(table.loc[rest, "partial_p"].values)
    return table.drop(columns="partial_p").sort_values("r_squared", ascending=False, ignore_index=True)


def given_accuracy(x, y, accuracy, families, *, draws: int = 1000, seed: int = 0) -> statistics.Estimate:
    """Return the partial correlation of x and y given clean accuracy, families resampled."""
    return _given(x, y, accuracy, families, draws=draws, seed=seed)[0]


def _given(x, y, accuracy, families, *, draws: int, seed: int) -> tuple[statistics.Estimate, float]:
    """Return the partial correlation, and its p-value for few families."""
    there = np.isfinite(x) & np.isfinite(y)
    x, y, accuracy, families = x[there], y[there], accuracy[there], np.asarray(families)[there]
    resampled = np.full(draws, np.nan)
    if len(x):
        rng = np.random.default_rng(seed)
        resampled = statistics.correlation_over_families(x, y, families, rng=rng, draws=draws, given=accuracy)
    low, high = statistics.interval(resampled)
    r, n = statistics.partial_correlation(x, y, accuracy), len(set(families))
    found = statistics.Estimate(r, low, high, statistics.bootstrap_p_value(resampled), n)
    return found, statistics.few_clusters_p_value(r, resampled, n)


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


def product_over_single(rows, *, draws: int = 1000, seed: int = 0, squared: bool = False):
    """Return r(p_purity, R) minus the larger r of k-means and multicut alone, families resampled.

    `squared` compares R^2 instead, so that a product which predicts better with the other sign counts as better.
    """
    known, kept, families = indicators(rows), robustness(rows), rows["family"].values
    columns = np.array([known[name] for name in (P_PURITY, "kmeans_ratio", "multicut_ratio")])
    there = np.isfinite(columns).all(0) & np.isfinite(kept)
    columns, kept, families = columns[:, there], kept[there], families[there]

    def advantage(i):
        product, *single = (statistics.pearson(x[i], kept[i]) ** (2 if squared else 1) for x in columns)
        return product - float(np.fmax(*single))  # of one alone where the other is the same for all

    resampled = _resampled(advantage, families, draws=draws, seed=seed)
    low, high = statistics.interval(resampled)
    return statistics.Estimate(
        advantage(np.arange(len(kept))), low, high,
        statistics.bootstrap_p_value(resampled), len(set(families)),
    )  # fmt: skip
