"""The comparison as one table, a line for each network: what may foretell, what is foretold, and who the network is."""

import numpy as np

from robustshape import statistics
from robustshape.analysis.networks import effective
from robustshape.analysis.networks import networks as of_rows
from robustshape.statistics.centring import correlate_over_families
from robustshape.statistics.screen import correct

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
    """Return one line for each network, see `analysis.networks`: every indicator is the mean over its draws.

    Beside the registered ones ``p_purity`` with its factors ``p_kmeans`` and ``p_multicut``, and ``log_mean_rank``.
    """
    draws = rows["indicator_value"].transpose("indicator", "model", "draw")
    found = {str(name): draws.sel(indicator=name).values.mean(1) for name in rows["indicator"].values}
    kmeans, multicut, among = (
        draws.sel(indicator=name).values
        for name in ("kmeans_purity", "multicut_purity", "accuracy_among_classes")
    )
    found["p_kmeans"], found["p_multicut"] = (kmeans / among).mean(1), (multicut / among).mean(1)
    found["p_purity"] = (kmeans * multicut / among**2).mean(1)
    found["log_mean_rank"] = np.log10(found["mean_normalised_rank"])
    return of_rows(rows, found)


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
