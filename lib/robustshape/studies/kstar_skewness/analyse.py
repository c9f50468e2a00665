"""Statistics of the k* study: the numbers that are compared, their correlations, and who is paired with whom."""

import numpy as np

from robustshape import statistics
from robustshape.analysis.matched import matched
from robustshape.analysis.robustness import (
    mean_corrupted_accuracy,
    robust_accuracy,
    robustness,
    unseen_robustness,
)
from robustshape.models import short_name
from robustshape.values import as_list

PLOTS = ("tsne", "umap")
SHAPES = {
    "approximate_skewness": "Gamma' (mean skewness of classes)",
    "true_skewness": "Gamma (skewness of all)",
    "log_mean_rank": "log mean normalised k*",
    "neighbourhood_hit": "neighbourhood hit (10 nearest)",
    "silhouette": "silhouette",
    "intrinsic_dimension": "intrinsic dimension (TwoNN)",
    "tsne_hit": "neighbourhood hit in the t-SNE plot",
    "umap_hit": "neighbourhood hit in the UMAP plot",
}
OF_KSTAR = ("approximate_skewness", "true_skewness", "log_mean_rank")  # the other shapes are plainer numbers
TARGETS = {
    "accuracy": "clean accuracy",
    "robustness": "R (corrupted / clean accuracy)",
    "unseen": "R on groups that no recipe trained on",
    "corrupted": "corrupted accuracy",
    "robust": "accuracy under attack",
}


def columns(rows) -> dict[str, np.ndarray]:
    """Return the numbers of each model that are compared: shapes of feature space, and targets."""
    made = [str(m) for m in rows["embedding"].values] if "embedding" in rows.dims else []
    absent = np.full(rows.sizes["model"], np.nan)
    hits = {m: rows["plot_hit"].sel(embedding=m).values.astype(float) if m in made else absent for m in PLOTS}
    plain = (
        "approximate_skewness",
        "true_skewness",
        "neighbourhood_hit",
        "silhouette",
        "intrinsic_dimension",
    )
    return {
        **{name: rows[name].values.astype(float) for name in plain},
        "log_mean_rank": np.log10(rows["mean_normalised_rank"].values.astype(float)),
        **{f"{method}_hit": hit for method, hit in hits.items()},
        "accuracy": rows["accuracy"].values.astype(float),
        "robustness": robustness(rows),
        "unseen": unseen_robustness(rows),
        "corrupted": mean_corrupted_accuracy(rows),
        "robust": robust_accuracy(rows),
    }


def _over(x, y, groups) -> dict:
    """Return r(x, y) with its 95 % interval and p-value over groups."""
    found = statistics.correlate_over_families(x, y, groups)
    return {
        "r": found.estimate,
        "low": found.low,
        "high": found.high,
        "spearman": statistics.spearman(x, y),
        "p_value": found.p_value,
        "models": len(x),
        "families": len(set(groups)),
    }


def correlation_table(rows):
    """Return the correlation of every shape with every target, with its interval over families.

    Returns
    -------
    pandas.DataFrame
        Columns shape, target, r, low, high (95 %, over families), spearman, p_value, models, families;
        a line only where at least three models have both numbers.
    """
    import pandas as pd

    values, families = columns(rows), rows["family"].values
    table = []
    for shape, shape_words in SHAPES.items():
        for target, target_words in TARGETS.items():
            there = np.isfinite(values[shape]) & np.isfinite(values[target])
            if there.sum() > 2:
                found = _over(values[shape][there], values[target][there], families[there])
                table.append({"shape": shape_words, "target": target_words, **found})
    return pd.DataFrame(table)


def within_one_architecture(rows):
    """Return the same correlations over the runs of one architecture trained here; recipes are the units.

    Empty where no architecture was trained under at least three recipes, with several seeds.
    """
    import pandas as pd

    ours = matched(rows)
    if ours is None:
        return pd.DataFrame()
    values, recipes, table = columns(ours), ours["recipe"].values, []
    for shape in ("approximate_skewness", "log_mean_rank"):
        for target in ("robust", "robustness", "accuracy"):
            if np.isfinite(values[target]).all():
                found = _over(values[shape], values[target], recipes)
                found["recipes"] = found.pop("families")
                found["runs"] = found.pop("models")
                table.append({"shape": SHAPES[shape], "target": TARGETS[target], **found})
    return pd.DataFrame(table)


def pairs(rows, treated: str = "pgd", control: str = "plain"):
    """Return the shapes of networks of one architecture and seed trained here in two ways, side by side.

    Returns
    -------
    pandas.DataFrame
        One line for each family and seed that has both, with Gamma' and mean normalised k* of each.
    """
    import pandas as pd

    from robustshape.models.zoo_names import parts_of

    kinds = zip(map(str, rows.model.values), rows["training_seed"].values, rows["recipe"].values)
    found = {
        (parts_of(name).architecture, int(seed), recipe): i
        for i, (name, seed, recipe) in enumerate(kinds)
        if parts_of(name)  # one of ours; a family may hold several architectures
    }
    families, gamma = rows["family"].values, rows["approximate_skewness"].values
    mean = rows["mean_normalised_rank"].values
    table = [
        {
            "family": families[i],
            "seed": seed,
            f"Gamma' {control}": gamma[found[architecture, seed, control]],
            f"Gamma' {treated}": gamma[i],
            f"mean k* {control}": mean[found[architecture, seed, control]],
            f"mean k* {treated}": mean[i],
        }
        for (architecture, seed, recipe), i in found.items()
        if recipe == treated and (architecture, seed, control) in found
    ]
    return pd.DataFrame(table)


def changes(rows, treated: str = "pgd", control: str = "plain"):
    """Return by how much Gamma' and mean k* change from `control` to `treated` over `pairs`.

    Returns
    -------
    pandas.DataFrame
        Columns quantity, change, low, high (95 %, Student's t over pairs), p_value, pairs; empty without a pair.
    """
    import pandas as pd

    both, table = pairs(rows, treated, control).dropna(), []
    for quantity in ("Gamma'", "mean k*") if len(both) else ():
        found = statistics.paired_difference(both[f"{quantity} {treated}"], both[f"{quantity} {control}"])
        interval = {"low": found.low, "high": found.high, "p_value": found.p_value}
        table.append({"quantity": quantity, "change": found.estimate, **interval, "pairs": found.n})
    return pd.DataFrame(table)


def half_sample_interval(rows, statistic: str) -> np.ndarray:
    """Return 95 % intervals over images (2, model) from recomputed half-samples: the value -+ 1.96 sd."""
    value = rows[statistic].values.astype(float)
    half = 1.96 * rows["half_sample_sd"].sel(statistic=statistic).values
    return np.array([value - half, value + half])


def named(rows, names) -> list[str]:
    """Return the models that go by these names, or by these short names; without any, the two that differ most.

    Those are the ones with the lowest and the highest Gamma'. Names of networks that were not measured are left out.
    """
    models = [str(model) for model in rows.model.values]
    known = {short_name(model): model for model in models} | {model: model for model in models}
    names = as_list(names, "networks", empty=True)
    there = [known[name] for name in names if name in known]
    if len(there) < len(names):
        print(f"not measured here: {', '.join(name for name in names if name not in known)}")
    if not there:
        gamma = rows["approximate_skewness"].fillna(0).values
        return [models[i] for i in dict.fromkeys([int(gamma.argmin()), int(gamma.argmax())])]
    return there


def most_accurate(rows) -> list[str]:
    """Return the model with the highest clean accuracy, in a list."""
    return [str(rows.model.values[int(rows["accuracy"].values.argmax())])]
