"""Tables of the purity study; each takes the study's rows and returns a pandas.DataFrame."""

import numpy as np

from robustshape import statistics
from robustshape.analysis.mce import mean_corruption_error
from robustshape.analysis.robustness import (
    main_attack,
    mean_corrupted_accuracy,
    robust_accuracy,
    robustness,
    unseen_robustness,
)
from robustshape.analysis.table import odd
from robustshape.models import short_name
from robustshape.studies.cluster_purity import compared
from robustshape.studies.cluster_purity.compared import ACCURACY, P_PURITY, indicators, of_draws, words


def overview(rows):
    """Return one line for each network: accuracies, p_purity and R, and its mCE by the named baseline."""
    import pandas as pd

    table = {"network": [short_name(str(model)) for model in rows.model.values]}
    table |= {"clean accuracy": rows["accuracy"].values, "p_purity": indicators(rows)[P_PURITY]}
    ends = [
        np.nanquantile(values, [0.025, 0.975]) if np.isfinite(values).any() else (np.nan, np.nan)
        for values in of_draws(rows)[P_PURITY]
    ]
    whole = np.isfinite(table["p_purity"])  # no mean, no interval
    table["95 % of draws"] = [f"{low:.2f} to {high:.2f}" if w else "–" for (low, high), w in zip(ends, whole)]
    table |= {"R": robustness(rows), "R, groups not trained on": unseen_robustness(rows)}
    table["corrupted accuracy"] = mean_corrupted_accuracy(rows)
    baseline, of_whom = mce_baseline(rows)
    table[f"mCE (1 = {of_whom})"] = mean_corruption_error(rows, baseline)
    if attack := main_attack(rows):
        table[f"accuracy under {attack}"] = robust_accuracy(rows)
    table |= {"odd": odd(rows), "origin": rows["origin"].values}
    return pd.DataFrame(table).sort_values("R", ascending=False).dropna(axis=1, how="all")


def clusterings(rows):
    """Return how the clusterings of each network agree with its classes, means over draws."""
    import pandas as pd

    mean = rows[["purity", "n_clusters", "ari", "nmi", "accuracy_restricted", "calibration_auc"]].mean("draw")
    table = {"network": [short_name(str(model)) for model in rows.model.values]}
    for clustering in rows["clustering"].values:
        its = mean.sel(clustering=clustering)
        table |= {f"{clustering} purity": its["purity"].values}
        if clustering == "multicut":  # k-means is given the number of classes
            table["multicut clusters"] = its["n_clusters"].values
        table |= {f"{clustering} {n.upper()}": its[n].values for n in ("ari", "nmi")}
    table["accuracy in a draw"] = mean["accuracy_restricted"].values
    table["calibration AUC"] = mean["calibration_auc"].values
    table["odd multicuts"] = odd_multicuts(rows)
    return pd.DataFrame(table).sort_values("k-means purity", ascending=False)


def mce_baseline(rows) -> tuple:
    """Return the baseline of the mCE and its name: AlexNet on the published ImageNet-C, else the first network."""
    first = rows.isel(model=0)
    if str(first["robustness_dataset"].values) == "imagenet" and str(first["corrupted"].values) == "stored":
        return "alexnet", "AlexNet"
    return first, short_name(str(first["model"].values))


def odd_multicuts(rows) -> np.ndarray:
    """Return in how many draws the multicut failed, found fewer clusters than classes, or left every image alone."""
    clusters = rows["n_clusters"].sel(clustering="multicut").transpose("model", "draw").values
    images = (rows["n_classes"] * rows["per_class"]).values[:, None]
    return (
        ~np.isfinite(clusters) | (clusters < rows["n_classes"].values[:, None]) | (clusters == images)
    ).sum(1)


def predictions(table):
    """Return a table of `analyse.prediction_table` or `rival_table` with words for its indicators."""
    if not len(table):
        return table
    shown = table.assign(indicator=[words(name) for name in table["indicator"]])
    return shown.drop(columns="p_value")


def settings(rows):
    """Return what the choice of draw size, normalisation and layer does to p_purity, on the first few draws.

    Returns
    -------
    pandas.DataFrame
        Columns setting, mean p_purity, agreement (Spearman's rho over networks with the setting that is used), r
        with R; the first line is the setting that is used.
    """
    import pandas as pd

    if "variant" not in rows.dims:
        return pd.DataFrame()
    first = slice(0, rows.sizes["closer"])
    purity = rows["purity"].isel(draw=first).rename(draw="closer").prod("clustering", skipna=False)
    used = purity / rows["accuracy_restricted"].isel(draw=first).rename(draw="closer") ** 2
    used = used.mean("closer", skipna=False)
    ratio = rows["variant_purity"].prod("clustering", skipna=False) / rows["variant_accuracy"] ** 2
    ratio = ratio.mean("closer", skipna=False)
    layer = str(rows["clustered_layer"].values[0])
    view = "L2-normalised" if rows["normalised"].values[0] else "raw"
    name = f"{layer}, {view}, {int(rows['per_class'].values[0])} images a class (used)"
    columns = {name: used.values} | {
        str(v): ratio.sel(variant=v).transpose("model").values for v in rows["variant"].values
    }
    kept, table = robustness(rows), []
    for setting, values in columns.items():
        there = np.isfinite(values) & np.isfinite(used.values) & np.isfinite(kept)
        enough = there.sum() > 2
        agreement = statistics.spearman(values[there], used.values[there]) if enough else float("nan")
        r = statistics.pearson(values[there], kept[there]) if enough else float("nan")
        table.append(
            {
                "setting": setting,
                "networks": int(there.sum()),
                "mean p_purity": float(values[there].mean()) if there.any() else float("nan"),
                "agreement": agreement,
                "r with R": r,
            }
        )
    return pd.DataFrame(table)


def rivals(rows):
    """Return the rivals' values, one line for each network."""
    import pandas as pd

    known = indicators(rows)
    table = {"network": [short_name(str(model)) for model in rows.model.values]}
    table |= {words(name): known[name] for name in compared.rivals(rows)}
    return pd.DataFrame(table | {ACCURACY: known[ACCURACY]}).sort_values(ACCURACY, ascending=False)
