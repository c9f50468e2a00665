"""The comparison as one table, a line for each network: what may foretell, what is foretold, and who the network is."""

import numpy as np

from robustshape import statistics
from robustshape.analysis.robustness import group_robustness, mean_corrupted_accuracy, robustness
from robustshape.statistics.centring import correlate_over_families
from robustshape.statistics.effective_robustness import count_logit, effective_robustness
from robustshape.statistics.screen import correct

PILOT = (
    "resnet_basic",
    "repvgg",
    "mobilenetv2",
    "convnext_patch2",
    "vit_patch4",
    "mlp_mixer",
)  # a family of each clan
BAND = 0.05  # of clean accuracy, around the median of the pilot's networks of the recipe
BESIDE = (
    "accuracy",
    "accuracy_among_classes",
    "log_rank_over_twin",
    "mean_normalised_rank",
    "true_skewness",
)  # not screened
TARGETS = {
    "R": "R = corrupted / clean accuracy",
    "effective": "effective robustness to corruption",
    "corrupted": "corrupted accuracy",
    "attacked": "area under attack / clean accuracy",
}


def networks(rows):
    """Return one line for each network.

    Parameters
    ----------
    rows : xarray.Dataset
        Of the study.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``model``: ``family``, ``clan``, ``recipe``; ``clean``, the accuracy on the indicators' images, which is
        the covariate; every indicator, the mean over its draws, with ``p_purity`` and its factors; the `TARGETS`, and R by
        group of corruptions; ``in_band``, see `BAND`.
    """
    import pandas as pd

    values = rows["indicator_value"].mean("draw")
    table = pd.DataFrame(
        {
            "family": rows["family"].values.astype(str),
            "clan": [clan_of(str(model)) for model in rows.model.values],
            "recipe": rows["recipe"].values.astype(str),
            "clean": rows["indicator_accuracy"].values.astype(float),
            **{str(name): values.sel(indicator=name).values for name in rows["indicator"].values},
        },
        index=pd.Index(rows.model.values.astype(str), name="model"),
    )
    among = rows["indicator_value"].sel(indicator="accuracy_among_classes")
    for name, purity in (("p_kmeans", "kmeans_purity"), ("p_multicut", "multicut_purity")):
        table[name] = (rows["indicator_value"].sel(indicator=purity) / among).mean("draw").values
    product = (
        rows["indicator_value"]
        .sel(indicator=["kmeans_purity", "multicut_purity"])
        .prod("indicator", skipna=False)
    )
    table["p_purity"] = (product / among**2).mean("draw").values
    table["log_mean_rank"] = np.log10(table["mean_normalised_rank"])
    table["R"], table["corrupted"] = robustness(rows), mean_corrupted_accuracy(rows)
    table["attacked"] = area_under_attack(rows)
    for group, kept in group_robustness(rows).items():
        table[f"R, {group}"] = kept
    return table.assign(effective=effective(rows, table)(np.ones(len(table), bool)), in_band=in_band(table))


def clan_of(model: str) -> str:
    """Return the clan of a network of ours, "" of another.

    >>> clan_of("zoo:resnext-fast/1"), clan_of("timm:resnet50.a1_in1k")
    ('conv, residual', '')
    """
    from robustshape.models.families import family_of
    from robustshape.models.zoo_names import parts_of

    parts = parts_of(model)
    return family_of(parts.architecture).clan if parts else ""


def area_under_attack(rows) -> np.ndarray:
    """Return the area under accuracy against log budget of PGD in L-infinity, over clean accuracy; NaN without two budgets."""
    from fractions import Fraction

    attacks = [str(name) for name in rows["attack"].values] if "attack" in rows.dims else []
    budgets = {float(Fraction(name.split()[-1])): name for name in attacks if name.startswith("pgd linf ")}
    if len(budgets) < 2:
        return np.full(rows.sizes["model"], np.nan)
    place, under = np.log(sorted(budgets)), [budgets[b] for b in sorted(budgets)]
    shares = rows["robust_accuracy"].sel(attack=under).transpose("model", "attack").values
    clean = rows["attacked_clean_accuracy"].sel(attack=under[-1]).values
    return np.trapezoid(shares, place, axis=1) / (place[-1] - place[0]) / clean


def effective(rows, table):
    """Return the function that gives effective robustness by the line of the plainly trained networks that are kept."""
    n_clean = rows["n_samples"].values.astype(int)
    cells = rows.sizes["corruption"] * rows.sizes["severity"]
    n_shown = rows["n_robustness"].values.astype(int) * cells
    clean = count_logit(np.rint(table["clean"] * n_clean), n_clean)
    shown = count_logit(np.rint(table["corrupted"] * n_shown), n_shown)
    return effective_robustness(clean, shown, (table["recipe"] == "plain").values, table["family"].values)


def in_band(table, width: float = BAND) -> np.ndarray:
    """Return which networks have an accuracy within `width` of the pilot's median of their recipe: (n,) bool.

    All, where a recipe has fewer than three of the pilot's networks: then there is no band yet.
    """
    kept = np.ones(len(table), bool)
    for recipe, own in table.groupby("recipe"):
        pilot = own.loc[own["family"].isin(PILOT), "clean"]
        if len(pilot) > 2:
            its = (table["recipe"] == recipe).values
            kept[its] = np.abs(table["clean"].values[its] - pilot.median()) <= width
    return kept


def screened(table) -> list[str]:
    """Return the indicators of the screen: all but those that are another's building stone."""
    known = set(statistics_columns(table))
    return sorted(known - set(BESIDE))


def statistics_columns(table) -> list[str]:
    """Return the columns of `networks` that are indicators."""
    first = list(table.columns).index("clean") + 1
    last = list(table.columns).index("R")
    return list(table.columns[first:last])


def screen(rows, table, target: str, *, given: tuple[str, ...] = ("clean",), units: str = "family"):
    """Return the recipe-centred partial r of every screened indicator with a target given clean accuracy.

    Parameters
    ----------
    table : pandas.DataFrame
        `networks` of the rows, or some of its lines.
    target : str
        Of `TARGETS`, or a column. Effective robustness is fitted anew without each family.
    given : tuple of str
        Columns held fixed; empty for plain correlations.
    units : str
        ``family`` or ``clan``: what is left out in turn.

    Returns
    -------
    statistics.jackknife.OverGroups
        Arrays, one number for each of `screened`.
    """
    y = table[target].values
    if target == "effective":
        y = effective(rows.sel(model=table.index.values), table)
    covariates = table[list(given)].values if given else None
    x = table[screened(table)].values
    return correlate_over_families(
        x, y, table[units].values, given=covariates, recipes=table["recipe"].values
    )


def screen_table(rows, table, target: str):
    """Return `screen` as a table, the largest partial r first: r, partial r, interval, Holm's p over the screen."""
    import pandas as pd

    alone, partial = (screen(rows, table, target, given=g) for g in ((), ("clean",)))
    corrected = correct(partial)
    found = pd.DataFrame(
        {
            "indicator": screened(table),
            "r": alone.estimate,
            "partial r": partial.estimate,
            "low": partial.low,
            "high": partial.high,
            "p (Holm)": corrected.p_value,
            "families": partial.n,
        }
    )
    return found.sort_values("partial r", key=abs, ascending=False, ignore_index=True)


def seconds(rows):
    """Return how long each indicator takes on a draw of a network: its median over networks, the quickest first."""
    import pandas as pd

    found = rows["indicator_seconds"].median("model")
    return pd.DataFrame({"indicator": found["indicator"].values, "seconds": found.values}).sort_values(
        "seconds", ignore_index=True
    )


def pairs(table, treated: str, control: str, column: str):
    """Return the difference of a column between two recipes of one family, by family; families that have both."""
    wide = table[table["recipe"].isin([treated, control])].pivot_table(
        index="family", columns="recipe", values=column
    )
    if not {treated, control} <= set(wide.columns):
        return wide.iloc[:0].sum(axis=1)
    both = wide.dropna()
    return both[treated] - both[control]


def spearman_within_recipes(table, a: str, b: str):
    """Return the rank correlation of two columns, ranks within each recipe, with its interval over families."""
    ranks = table.groupby("recipe")[[a, b]].rank()
    return correlate_over_families(
        ranks[a].values, ranks[b].values, table["family"].values, recipes=table["recipe"].values
    )


def correlation_of_accuracy(table, target: str) -> float:
    """Return r of clean accuracy with a target, recipe-centred: the plain bar that an indicator has to pass."""
    both = table[["clean", target]] - table.groupby("recipe")[["clean", target]].transform("mean")
    return statistics.pearson(both["clean"].values, both[target].values)


def numbers(rows, table, screen) -> dict:
    """Return the numbers that the study's page quotes, given `networks` and the `screen_table` of R."""
    kept = table[table["in_band"]]
    best = screen.iloc[0]
    known = bool(np.isfinite(best["low"]))
    return {
        "n_draws": rows.sizes["draw"],
        "n_classes": int(rows["n_classes"].values[0]),
        "per_class": int(rows["per_class"].values[0]),
        "n_in_band": len(kept),
        "n_families_in_band": kept["family"].nunique(),
        "n_clans": table["clan"].nunique(),
        "n_screened": len(screen),
        "accuracy_r": float(correlation_of_accuracy(kept, "R")),
        "best_indicator": str(best["indicator"]).replace("_", " ") if known else "none",
        "best_partial": float(best["partial r"]),
        "best_low": float(best["low"]),
        "best_high": float(best["high"]),
        "n_after_holm": int((screen["p (Holm)"] < 0.05).sum()),
    }
