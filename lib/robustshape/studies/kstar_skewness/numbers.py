"""Every number that the page of the k* study quotes."""

import numpy as np

from robustshape import statistics
from robustshape.analysis.robustness import main_attack
from robustshape.studies.kstar_skewness.analyse import (
    SHAPES,
    TARGETS,
    changes,
    columns,
    within_one_architecture,
)
from robustshape.studies.kstar_skewness.tables import interval_check


def _r(x, y) -> float:
    """Return the correlation over the models that have both numbers; NaN for fewer than three."""
    there = np.isfinite(x) & np.isfinite(y)
    return statistics.pearson(x[there], y[there]) if there.sum() > 2 else float("nan")


def numbers(rows, correlations, verdicts) -> dict:
    """Return every number that the study's page quotes, by name, given its two tables."""
    values = columns(rows)
    within = within_one_architecture(rows)
    found = {}
    names = {words: name for name, words in (SHAPES | TARGETS).items()}
    for line in correlations.to_dict("records"):
        key = f"{names[line['shape']]}_{names[line['target']]}"
        found |= {f"{key}_{part}": line[part] for part in ("r", "low", "high", "spearman")}
    for claim, line in verdicts.iterrows():
        key = claim.replace("-", "_")
        found |= {f"{key}_{part}": line[part] for part in ("verdict", "estimate", "low", "high", "n")}
    for line in within.to_dict("records"):
        key = f"within_{names[line['shape']]}_{names[line['target']]}"
        found |= {f"{key}_{part}": line[part] for part in ("r", "low", "high", "spearman", "runs", "recipes")}
    for line in interval_check(rows).to_dict("records"):
        found[f"half_sample_ratio_{line['statistic']}"] = line["ratio"]
    for line in changes(rows).to_dict("records"):
        key = "change_of_gamma" if line["quantity"] == "Gamma'" else "change_of_mean_rank"
        found |= {
            f"{key}_{part}": line[name]
            for part, name in (("estimate", "change"), ("low", "low"), ("high", "high"), ("n", "pairs"))
        }
    n_plotted = rows.sizes.get("plot_sample", 0)
    found |= {"n_plotted": f"{n_plotted:,}", "n_shifted": f"{rows.sizes.get('shift_sample', 0):,}"}
    gamma = values["approximate_skewness"]
    found |= {
        "n_classes": rows.sizes.get("class", 0),
        "attack": main_attack(rows),
        "accuracy_robust_r": _r(values["accuracy"], values["robust"]),
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
