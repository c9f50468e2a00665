"""Statistics of the purity study: do clusterings of clean features predict R, and better than plainer numbers?

p_purity and R divide by the same accuracy, so every correlation of a ratio stands beside the null that permutes the
purities among the models and leaves the accuracies in place.
"""

import numpy as np

from robustshape import statistics
from robustshape.analysis.networks import networks
from robustshape.analysis.purity_and_kstar import partial, within_one_architecture
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
    drawn without replacement vary as much as the whole would. Of the networks that have an R.
    """
    values, kept = of_draws(rows)[name], of_halves(rows)
    there = (np.isfinite(values) & np.isfinite(kept)).all(1) & np.isfinite(robustness(rows))
    if there.sum() < 3:
        return float("nan"), float("nan")
    values, kept, rng = values[there], kept[there], np.random.default_rng(seed)
    n = values.shape[1]
    chosen, halves = rng.integers(n, size=(draws, n)), rng.integers(n, size=draws)
    found = [statistics.pearson(values[:, i].mean(1), kept[:, half]) for i, half in zip(chosen, halves)]
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


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


def correlate(x, y, groups) -> dict:
    """Return r(x, y) with its 95 % interval over groups (`centring.correlate_over_families`), and what goes with it.

    Models without a number are left out. Keys: r, low, high, r_squared, spearman, kendall, p_value, models, families.
    """
    there = np.isfinite(x) & np.isfinite(y)
    x, y, groups = x[there], y[there], np.asarray(groups)[there]
    every = statistics.correlations(x, y)
    ends = dict.fromkeys(("low", "high", "p_value"), float("nan"))
    if len(x):
        found = statistics.correlate_over_families(x, y, groups)
        ends = {name: getattr(found, name) for name in ends}
    return {
        "r": every["pearson"], "low": ends["low"], "high": ends["high"], "r_squared": every["pearson"] ** 2,
        "spearman": every["spearman"], "kendall": every["kendall"], "p_value": ends["p_value"],
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
            found = correlate(known[name], values, rows["family"].values)
            null = nothing
            if name in RATIOS and found["models"] > 2:
                permuted = null_of(rows, name, values, draws=draws, seed=seed)
                null = (float(permuted.mean()), *map(float, np.quantile(permuted, [0.025, 0.975])))
            found |= dict(zip(("null_mean", "null_low", "null_high"), null))
            table.append({"indicator": name, "target": target, **found})
    return pd.DataFrame(table)


def rival_table(rows, *, seed: int = 0):
    """Return p_purity, purities, rivals and clean accuracy ranked by R^2 with R, and what each adds to accuracy.

    Returns
    -------
    pandas.DataFrame
        Columns of `correlate` and indicator, holm (p of r, corrected over all lines), draw_low, draw_high (r over
        classes and images), partial (r given clean accuracy as claims take it, of the networks in their band with
        recipes taken out, or of one architecture over its recipes: `purity_and_kstar`), partial_low, partial_high,
        partial_holm.
    """
    import pandas as pd

    known, kept, table = indicators(rows), robustness(rows), []
    families, whole = rows["family"].values, networks(rows, known)
    as_claimed = partial if len(set(families)) > 1 else within_one_architecture
    for name in (P_PURITY, "kmeans", "multicut", *BESIDE, *rivals(rows), ACCURACY):
        line = {"indicator": name, **correlate(known[name], kept, families)}
        line |= dict(zip(("draw_low", "draw_high"), over_draws(rows, name, seed=seed)))
        if name != ACCURACY:
            found = as_claimed(rows, whole, name, "R")
            columns = {
                "partial": "estimate",
                "partial_low": "low",
                "partial_high": "high",
                "partial_p": "p_value",
            }
            line |= {column: getattr(found, end, float("nan")) for column, end in columns.items()}
        table.append(line)
    table = pd.DataFrame(table)
    table["holm"] = statistics.holm(table["p_value"].values)
    rest = table["indicator"] != ACCURACY
    table.loc[rest, "partial_holm"] = statistics.holm(table.loc[rest, "partial_p"].values)
    return table.drop(columns="partial_p").sort_values("r_squared", ascending=False, ignore_index=True)
