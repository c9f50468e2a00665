"""The columns of the explorer page: every indicator and every robustness of a study's networks, with words for each.

A column is (name, label, what it is, values (model,)); NaN stands where a network has none.
"""

import numpy as np

from robustshape.analysis import networks
from robustshape.analysis.purity_and_kstar import over_accuracy
from robustshape.analysis.robustness import (
    area_under_attack,
    group_robustness,
    main_attack,
    mean_corrupted_accuracy,
    robustness,
    robustness_under_attack,
    unseen_robustness,
)
from robustshape.analysis.words import of, of_attack
from robustshape.statistics.effective_robustness import FEWEST_FAMILIES

PURITIES = {  # of both clusterings of a draw: its name and what it is
    "p_purity": ("k-means x multicut purity, over accuracy", "both purities over accuracy, multiplied (p_purity)"),
    "product": ("k-means x multicut purity", "product of both purities"),
    "kmeans": ("k-means purity", "share of samples whose class is the most frequent one of their cluster"),
    "multicut": ("multicut purity", "the same of a clustering that finds the number of clusters by itself"),
    "p_kmeans": ("k-means purity over accuracy", "accuracy among the classes of the draw"),
    "p_multicut": ("multicut purity over accuracy", "accuracy among the classes of the draw"),
}  # fmt: skip
DRAWN = ("kmeans_purity", "multicut_purity", "accuracy_among_classes")  # registered ones that make the same
FIRST_INDICATORS = (
    "p_purity",
    "approximate_skewness",
    "mean_selectivity",
)  # shown when a population is chosen
SELECTIVITY = ("mean_selectivity", "jacobian_norm")  # numbers of a row that are indicators and not registered


def indicators(rows) -> list[tuple]:
    """Return (name, label, what it is, values (model,)) of each indicator, means over draws, in the order of the page."""
    from robustshape.indicators import INDICATORS

    found = {name: (*PURITIES[name], values) for name, values in purities(rows).items()}
    measured = {}
    if "indicator_value" in rows:
        values = rows["indicator_value"].mean("draw")
        measured = {str(name): values.sel(indicator=name).values for name in rows["indicator"].values}
    registered = list(INDICATORS)
    measured |= {
        name: rows[name].values for name in registered if name in rows and rows[name].dims == ("model",)
    }
    beside = {"accuracy"} | ({"kmeans_purity", "multicut_purity"} if found else set())
    for name in sorted(measured.keys() - beside):
        about = INDICATORS.about(name)["about"] if name in registered else ""
        found[name] = (of(name), about, measured[name].astype(float))
    if "mean_normalised_rank" in measured:
        with np.errstate(divide="ignore"):
            values = np.log10(measured["mean_normalised_rank"].astype(float))
        found["log_mean_rank"] = (
            of("log_mean_rank"),
            "decimal logarithm of the mean normalised k*",
            values,
        )
    for name in SELECTIVITY:
        if name in rows:
            about = rows[name].attrs.get("long_name", "")
            found[name] = (of(name), about, rows[name].values.astype(float))
    first = [name for name in FIRST_INDICATORS if name in found]
    return [(name, *found[name]) for name in dict.fromkeys([*first, *found])]


def purities(rows) -> dict[str, np.ndarray]:
    """Return every way to put the purities of both clusterings and the accuracy of a draw together: means over draws.

    Returns
    -------
    dict of str -> (model,) float
        By the names of `PURITIES`; empty where both clusterings were not made.
    """
    if "purity" in rows:
        parts = [rows["purity"].sel(clustering=c) for c in ("k-means", "multicut")]
        parts += [rows["accuracy_restricted"]]
    elif "indicator_value" in rows and set(DRAWN) <= set(rows["indicator"].values.astype(str)):
        parts = [rows["indicator_value"].sel(indicator=name) for name in DRAWN]
    else:
        return {}
    kmeans, multicut, accuracy = (part.transpose("model", "draw").values.astype(float) for part in parts)
    plain = {"product": kmeans * multicut, "kmeans": kmeans, "multicut": multicut}
    return over_accuracy(kmeans, multicut, accuracy) | {
        name: values.mean(1) for name, values in plain.items()
    }


def targets(rows, clean) -> list[tuple]:
    """Return (name, label, what it is, values (model,)) of each robustness; `clean` (model,) is the clean accuracy."""
    found = []
    if "corrupted_accuracy" in rows and "accuracy" in rows:
        ratio = "accuracy under corruption over clean accuracy on the same images"
        found.append(("R", "R", f"{ratio}, all corruptions", robustness(rows)))
        found.append(("effective", "effective robustness", "accuracy under corruption less what clean accuracy lets expect, "
                      "as logits", effective(rows, clean)))  # fmt: skip
        for group, values in group_robustness(rows).items():
            found.append((f"R, {group}", f"R under {group}", f"{ratio}, {group} alone", values))
        unseen = "groups of corruptions that no network of the population was trained on"
        found.append(("unseen", "R under corruptions not trained on", unseen, unseen_robustness(rows)))
        found.append(("corrupted", "accuracy under corruption", "mean over corruptions and severities",
                      mean_corrupted_accuracy(rows)))  # fmt: skip
    if "attack" not in rows.dims:
        return found
    name = main_attack(rows)
    if name and "attacked_clean_accuracy" in rows:
        about = f"accuracy under {of_attack(name)} over clean accuracy on the same images"
        found.append(("attacked", "robustness under attack", about, robustness_under_attack(rows)))
        about = "area under accuracy against the logarithm of PGD's budget, over clean accuracy"
        found.append(("area", "area under attack", about, area_under_attack(rows)))
    for name in map(str, rows["attack"].values):
        about = "accuracy under this attack and those before it on the ladder"
        values = rows["robust_accuracy"].sel(attack=name).values
        found.append((name, f"accuracy under {of_attack(name)}", about, values))
    return found


def effective(rows, clean) -> np.ndarray:
    """Return effective robustness (model,), by the line of all plainly trained networks; NaN for too few families."""
    import pandas as pd

    table = pd.DataFrame({"clean": clean, "corrupted": mean_corrupted_accuracy(rows)})
    table["family"], table["recipe"] = rows["family"].values.astype(str), rows["recipe"].values.astype(str)
    there = np.isfinite(table[["clean", "corrupted"]]).all(axis=1).values
    found = np.full(len(table), np.nan)
    if table[there & (table["recipe"] == "plain").values]["family"].nunique() >= FEWEST_FAMILIES:
        kept = networks.effective(rows.isel(model=np.flatnonzero(there)), table[there])
        found[there] = kept(np.ones(there.sum(), bool))
    return found
