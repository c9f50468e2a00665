"""Statistics of the k* study: does fracturing go with robustness, and does adversarial training fracture?"""

import numpy as np

from robustshape import claims, statistics
from robustshape.studies.ratios import mean_corrupted_accuracy, robustness, unseen_robustness

SHAPES = {
    "approximate_skewness": "Gamma' (mean skewness of classes)",
    "true_skewness": "Gamma (skewness of all)",
    "log_mean_rank": "log mean normalised k*",
}
TARGETS = {
    "accuracy": "clean accuracy",
    "robustness": "R (corrupted / clean accuracy)",
    "unseen": "R on groups that no recipe trained on",
    "corrupted": "corrupted accuracy",
}


def columns(rows) -> dict[str, np.ndarray]:
    """Return the numbers of each model that are compared: shapes of feature space, and targets."""
    return {
        "approximate_skewness": rows["approximate_skewness"].values.astype(float),
        "true_skewness": rows["true_skewness"].values.astype(float),
        "log_mean_rank": np.log10(rows["mean_normalised_rank"].values.astype(float)),
        "accuracy": rows["accuracy"].values.astype(float),
        "robustness": robustness(rows),
        "unseen": unseen_robustness(rows),
        "corrupted": mean_corrupted_accuracy(rows),
    }


def correlation_table(rows, *, draws: int = 1000, seed: int = 0):
    """Return the correlation of every shape with every target, with its interval over families.

    Returns
    -------
    pandas.DataFrame
        Columns shape, target, r, low, high (95 %, families resampled), spearman, p_value, models, families.
    """
    import pandas as pd

    values, families = columns(rows), rows["family"].values
    table = []
    for shape, shape_words in SHAPES.items():
        for target, target_words in TARGETS.items():
            there = np.isfinite(values[shape]) & np.isfinite(values[target])
            x, y = values[shape][there], values[target][there]
            if not len(x):
                continue
            resampled = statistics.bootstrap_over_families(
                lambda i, x=x, y=y: statistics.pearson(x[i], y[i]),
                families[there],
                rng=np.random.default_rng(seed),
                draws=draws,
            )
            low, high = statistics.interval(resampled)
            table.append(
                {
                    "shape": shape_words,
                    "target": target_words,
                    "r": statistics.pearson(x, y),
                    "low": low,
                    "high": high,
                    "spearman": statistics.spearman(x, y),
                    "p_value": statistics.bootstrap_p_value(resampled),
                    "models": int(there.sum()),
                    "families": len(set(families[there])),
                }
            )
    return pd.DataFrame(table)


def pairs(rows, treated: str = "pgd", control: str = "plain"):
    """Return the shapes of networks of one architecture and seed trained in two ways, side by side.

    Returns
    -------
    pandas.DataFrame
        One line for each family that has both, with Gamma' and mean normalised k* of each.
    """
    import pandas as pd

    found = {
        (family, int(seed), recipe): i
        for i, (family, seed, recipe) in enumerate(
            zip(rows["family"].values, rows["training_seed"].values, rows["recipe"].values)
        )
    }
    gamma, mean = rows["approximate_skewness"].values, rows["mean_normalised_rank"].values
    table = [
        {
            "family": family,
            f"Gamma' {control}": gamma[found[family, seed, control]],
            f"Gamma' {treated}": gamma[i],
            f"mean k* {control}": mean[found[family, seed, control]],
            f"mean k* {treated}": mean[i],
        }
        for (family, seed, recipe), i in found.items()
        if recipe == treated and (family, seed, control) in found
    ]
    return pd.DataFrame(table)


def population(rows) -> str:
    """Return whom the numbers are about, in words."""
    families = len(set(rows["family"].values))
    images = int(rows["n_samples"].values[0])
    return f"{rows.sizes['model']} networks of {families} families on {rows['dataset'].values[0]}, {images:,} images"


def judge(rows, correlations):
    """Return the verdict on each of the study's claims, given its `correlation_table`."""
    preset, whom = rows.attrs["preset"], population(rows)
    table = correlations.set_index(["shape", "target"])
    line = dict(table.T).get((SHAPES["approximate_skewness"], TARGETS["robustness"]), {"families": 0})
    evidence = {}
    if line["families"] >= statistics.FEWEST_FAMILIES:
        evidence["kstar-3"] = claims.Evidence(
            line["r"], line["low"], line["high"], line["p_value"], int(line["families"]), whom, preset
        )
    both = pairs(rows).dropna()
    if len(both) > 1:
        change = statistics.paired_difference(both["Gamma' pgd"], both["Gamma' plain"])
        evidence["kstar-4"] = claims.Evidence(
            change.estimate, change.low, change.high, change.p_value, change.n,
            f"{change.n} pairs of networks on {rows['dataset'].values[0]}", preset,
        )  # fmt: skip
    return claims.judge("kstar_skewness", evidence)


def overview(rows):
    """Return one line for each network: accuracies, R, and the shape of its feature space."""
    import pandas as pd

    values = columns(rows)
    return pd.DataFrame(
        {
            "network": rows.model.values,
            "clean accuracy": values["accuracy"],
            "corrupted accuracy": values["corrupted"],
            "R": values["robustness"],
            "R, groups not trained on": values["unseen"],
            "Gamma'": values["approximate_skewness"],
            "Gamma": values["true_skewness"],
            "mean k*": rows["mean_normalised_rank"].values,
            "classes without gamma": rows["n_undefined"].values.astype(int),
            "origin": rows["origin"].values,
        }
    ).sort_values("R", ascending=False)


def numbers(rows, correlations, verdicts) -> dict:
    """Return every number that the study's page quotes, by name, given its two tables."""
    values = columns(rows)
    found = {}
    names = {words: name for name, words in (SHAPES | TARGETS).items()}
    for line in correlations.to_dict("records"):
        key = f"{names[line['shape']]}_{names[line['target']]}"
        found |= {f"{key}_{part}": line[part] for part in ("r", "low", "high", "spearman")}
    for claim, line in verdicts.iterrows():
        key = claim.replace("-", "_")
        found |= {f"{key}_{part}": line[part] for part in ("verdict", "estimate", "low", "high", "n")}
    gamma = values["approximate_skewness"]
    found |= {
        "n_classes": rows.sizes.get("class", 0),
        "n_fractured": int((gamma > 0.5).sum()),
        "gamma_lowest": float(np.nanmin(gamma)),
        "gamma_highest": float(np.nanmax(gamma)),
        "floor_skewness": float(rows["permuted_skewness"].values[0]),
        "floor_mean_rank": float(rows["permuted_mean_rank"].values[0]),
        "mean_rank_lowest": float(rows["mean_normalised_rank"].min()),
        "mean_rank_highest": float(rows["mean_normalised_rank"].max()),
        "accuracy_lowest": float(values["accuracy"].min()),
        "accuracy_highest": float(values["accuracy"].max()),
        "R_lowest": float(values["robustness"].min()),
        "R_highest": float(values["robustness"].max()),
    }
    return found
