"""What the papers and the makers of the networks report; shown beside what is measured here, never as it."""

from robustshape.paths import require_project


def _table(name: str):
    import pandas as pd

    return pd.read_csv(require_project() / "data" / "reported" / name, comment="#")


def first_paper():
    """Return the mean skewness over 16 classes of each network of Kotyan, Ueda, Vargas 2023."""
    table = _table("kstar_skewness.csv")
    bands = ["n_fractured", "n_overlapped", "n_clustered"]
    shown = table[["comparison", "network", "training", "layer", "anchored", "mean", *bands]]
    return shown.rename(columns={"mean": "mean skewness"} | {name: name.removeprefix("n_") for name in bands})


def robustbench():
    """Return, for each leaderboard of RobustBench, how clean and robust accuracy go together over its networks.

    Returns
    -------
    pandas.DataFrame
        Columns data set, threat, networks, clean and robust accuracy from lowest to highest (percent), and their
        correlation r; a line where at least three networks that are robust at all (above 1 %) have both.
    """
    from robustshape.models import robustbench_catalogue
    from robustshape.statistics import pearson

    lines = []
    for (dataset, threat), group in robustbench_catalogue.table().groupby(["dataset", "threat"], sort=False):
        both = group.dropna(subset=["clean_accuracy", "robust_accuracy"])
        both = both[both["robust_accuracy"] > 1]
        if len(both) > 2:
            clean, robust = both["clean_accuracy"], both["robust_accuracy"]
            lines.append(
                {
                    "data set": dataset,
                    "threat": threat,
                    "networks": len(both),
                    "clean accuracy, %": f"{clean.min():.1f} to {clean.max():.1f}",
                    "robust accuracy, %": f"{robust.min():.1f} to {robust.max():.1f}",
                    "r": pearson(clean.values, robust.values),
                }
            )
    import pandas as pd

    return pd.DataFrame(lines)


def threat_models():
    """Return the networks of one paper and architecture that RobustBench has against both L2 and Linf (CIFAR-10)."""
    from robustshape.models import robustbench_catalogue

    table = robustbench_catalogue.table()
    table = table[(table["dataset"] == "cifar10") & table["threat"].isin(["Linf", "L2"])]
    wide = table.pivot(index="model", columns="threat", values=["clean_accuracy", "robust_accuracy"]).dropna()
    wide.columns = [f"{threat}: {what.replace('_accuracy', '')} accuracy, %" for what, threat in wide.columns]
    return wide[sorted(wide.columns, reverse=True)].reset_index().rename(columns={"model": "network"})


def zero_shot_accuracies() -> dict[str, float]:
    """Return the reported mean zero-shot accuracy over data sets of each CLIP-like network, by its name here."""
    table = _table("openclip.csv")
    names = "openclip:" + table["architecture"] + "/" + table["tag"]
    return dict(zip(names, table["mean_accuracy"]))


def openclip(n: int = 12):
    """Return the reported zero-shot accuracies of `n` CLIP-like networks, from the best to the worst."""
    table = _table("openclip.csv").sort_values("mean_accuracy", ascending=False)
    chosen = table.iloc[[round(i * (len(table) - 1) / (n - 1)) for i in range(n)]]
    names = "openclip:" + chosen["architecture"] + "/" + chosen["tag"]
    columns = ["mean_accuracy", "imagenet", "imagenet_v2", "imagenet_sketch", "imagenet_r", "cifar10"]
    shown = chosen[columns].rename(columns={"mean_accuracy": "mean of 35 data sets"})
    shown.insert(0, "network", names)
    return shown
