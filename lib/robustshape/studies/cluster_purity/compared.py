"""The numbers of each network that the purity study compares: indicators on every draw, and what they are to predict.

p_purity = purity / clean accuracy (Ho, Pfreundt, J. Keuper, M. Keuper 2021, page 1). How two purities and the accuracy
of a draw are put together, that page leaves open: `VARIANTS` has every way. Indicators are averages over draws.
"""

import numpy as np

from robustshape.analysis.networks import networks
from robustshape.analysis.robustness import (
    group_robustness,
    mean_corrupted_accuracy,
    ratio,
    robustness,
    robustness_under_attack,
    unseen_robustness,
)
from robustshape.analysis.words import of

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
BESIDE = ("kmeans_ari", "multicut_ari", "multicut_clusters")
RATIOS = (P_PURITY, "one_accuracy", "geometric_mean", "kmeans_ratio", "multicut_ratio", "all_classes")


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


def rivals(rows) -> list[str]:
    """Return the names of the indicators that stand beside this study's own clusterings."""
    return [str(name) for name in rows["indicator"].values]


def of_draws(rows) -> dict[str, np.ndarray]:
    """Return every indicator of every draw (model, draw), by name: `VARIANTS`, rivals, and clean accuracy."""
    found = {name: ratio(numerator(rows, name), denominator(rows, name)) for name in VARIANTS}
    for name in BESIDE:
        clustering, what = name.replace("kmeans", "k-means").split("_")
        number = rows["n_clusters" if what == "clusters" else what].sel(clustering=clustering)
        found[name] = number.transpose("model", "draw").values.astype(float)
    values = rows["indicator_value"].transpose("indicator", "model", "draw")
    found |= {name: values.sel(indicator=name).values.astype(float) for name in rivals(rows)}
    return found | {ACCURACY: rows["accuracy_of_draw"].transpose("model", "draw").values.astype(float)}


def indicators(rows) -> dict[str, np.ndarray]:
    """Return the mean over draws of every indicator, of each model; NaN where a draw has none."""
    return {name: values.mean(1) for name, values in of_draws(rows).items()}


def points(rows):
    """Return one line for each network: who it is, every indicator, and what is to be predicted.

    Returns
    -------
    pandas.DataFrame
        Indexed by network, with ``family``, ``recipe``, ``trained`` (words for it), ``in_band`` (`networks.in_band`),
        ``clean accuracy`` (on the draws, the indicators' images), every indicator of `indicators` by its name, ``R`` and
        the other `targets` as ``R, noise``.
    """
    import pandas as pd

    from robustshape.analysis.style import trained
    from robustshape.models import short_name

    who = networks(rows, {}).reset_index()[["family", "recipe", "in_band"]]
    found = (
        dict(who) | {"trained": trained(rows["recipe"].values)} | indicators(rows) | {"R": robustness(rows)}
    )
    found |= {f"R, {name}": values for name, values in targets(rows).items() if name != "all"}
    return pd.DataFrame(found).set_index(
        pd.Index(map(short_name, rows.model.values.astype(str)), name="network")
    )


def targets(rows) -> dict[str, np.ndarray]:
    """Return what is to be predicted, of each model (NaN of one at chance), where it was measured of any.

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
    return {name: values for name, values in found.items() if np.isfinite(values).any()}


def words(name: str) -> str:
    """Return what tables and figures call an indicator."""
    return (VARIANTS | {ACCURACY: "clean accuracy (on the draws)"}).get(name) or of(name)


def of_halves(rows) -> np.ndarray:
    """Return R on the random half of the robustness images that goes with each draw: (model, draw)."""
    shares = rows["corrupted_of_half"].mean("corruption").transpose("model", "draw")
    return (shares / rows["accuracy_of_half"].transpose("model", "draw")).values.astype(float)
