"""The comparison as one table, a line for each network: what may foretell, what is foretold, and who the network is."""

import numpy as np

from robustshape import statistics
from robustshape.analysis.networks import BAND, effective, in_band
from robustshape.analysis.networks import networks as of_rows
from robustshape.analysis.networks import units as replicated
from robustshape.analysis.purity_and_kstar import over_accuracy
from robustshape.analysis.words import of
from robustshape.statistics.centring import correlate_over_families
from robustshape.statistics.out_of_sample import added
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
    found |= over_accuracy(kmeans, multicut, among)
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
        ``family`` or ``clan``: what is left out in turn; of a single family it is the recipe (`networks.units`).

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
    groups, within = replicated(table)
    groups = groups if units == "family" else table[units].values
    return correlate_over_families(x, y, groups, given=covariates, recipes=within)


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
    names = [of(str(name)) for name in found["indicator"].values]
    return pd.DataFrame({"indicator": names, "seconds": found.values}).sort_values(
        "seconds", ignore_index=True
    )


def definitions(rows):
    """Return what each indicator of the rows is, in a line, with its symbol."""
    import pandas as pd

    from robustshape.indicators import INDICATORS

    known = set(INDICATORS.names())
    lines = {
        of(name): (INDICATORS.about(name)["symbol"], INDICATORS.about(name)["about"])
        for name in map(str, rows["indicator"].values)
        if name in known
    }
    lines |= {
        of("p_kmeans"): ("p", "k-means purity over the accuracy among a draw's classes"),
        of("p_multicut"): ("p", "multicut purity over the accuracy among a draw's classes"),
        of("p_purity"): ("p_purity", "product of the two, the mean over draws"),
        of("log_mean_rank"): ("log k*/n", "log10 of mean normalised k*"),
    }
    table = pd.DataFrame.from_dict(lines, orient="index", columns=["symbol", "what it is"])
    return table.sort_index(key=lambda names: names.str.lower()).rename_axis("number").reset_index()


def spearman_within_recipes(table, a: str, b: str):
    """Return the rank correlation of two columns, ranks within each recipe, with its interval over families.

    Of a single family over its recipes, see `networks.units`.
    """
    groups, within = replicated(table)
    ranks = table.groupby(within)[[a, b]].rank()
    return correlate_over_families(ranks[a].values, ranks[b].values, groups, recipes=within)


def grid(rows, table, targets=tuple(TARGETS)):
    """Return the partial r of every screened indicator with every target, as one tidy table.

    Returns
    -------
    pandas.DataFrame
        ``indicator`` and ``target`` in words, ``partial r``, ``low``, ``high``, and ``sure``: whether Holm's rule over the
        indicators of a target leaves it.
    """
    import pandas as pd

    found = [screen_table(rows, table, target).assign(target=of(target)) for target in targets]
    lines = pd.concat(found, ignore_index=True)
    return lines.assign(indicator=lines["indicator"].map(of), sure=lines["p (Holm)"] < 0.05)


def stars_in_words(lines) -> str:
    """Return how many cells of `grid` have a star, as a sentence."""
    sure = int(lines["sure"].sum())
    if not sure:
        return "No cell is left after the correction over all indicators of its column."
    are = "cells are" if sure > 1 else "cell is"
    return f"{sure} {are} left after the correction over all indicators of a column: the stars."


def gains_in_words(lines) -> str:
    """Return how many indicators of `gains` surely save some of the error, as a sentence."""
    better = int((lines["low"] > 0).sum())
    if not better:
        return "No bar lies wholly above zero."
    return f"{better} bar{'s lie' if better > 1 else ' lies'} wholly above zero."


def gains(table, target: str = "R"):
    """Return by how much less R of a family left out is mispredicted when an indicator stands beside clean accuracy.

    Columns ``indicator`` (words), ``gain``, ``low``, ``high``: a share of the squared error of accuracy alone.
    """
    import pandas as pd

    lines = []
    for name in screened(table):
        columns = table[name].values, table["clean"].values, table[target].values
        found = added(*columns, *replicated(table))
        lines.append({"indicator": of(name), "gain": found.estimate, "low": found.low, "high": found.high})
    return pd.DataFrame(lines).sort_values("gain", ascending=False, ignore_index=True)


def stability(rows):
    """Return how alike an indicator orders the networks on two halves of the draws: Spearman's rho, the surest first."""
    import pandas as pd

    draws = rows["indicator_value"].transpose("indicator", "model", "draw")
    halves = draws[:, :, ::2].mean("draw").values, draws[:, :, 1::2].mean("draw").values
    names = [of(str(name)) for name in rows["indicator"].values]
    rho = []
    for a, b in zip(*halves):
        there = np.isfinite(a) & np.isfinite(b)  # a network at chance may have none
        rho.append(statistics.spearman(a[there], b[there]) if there.sum() > 2 else np.nan)
    return pd.DataFrame({"indicator": names, "rho": rho}).sort_values(
        "rho", ascending=False, ignore_index=True
    )


def in_other_ways(rows, table, target: str = "R"):
    """Return the partial r of every indicator with other bands of accuracy and in each recipe; its interval with clans as units.

    The unit changes the interval alone, which is why that of families stands beside that of clans.
    """
    import pandas as pd

    kept = table[table["in_band"]]
    ways = {f"within {width:.0%}": table[in_band(table, width)] for width in (0.03, BAND, 0.1)}
    ways |= {"all networks": table}
    ways |= {recipe: own for recipe, own in kept.groupby("recipe") if own["family"].nunique() > 3}
    found = {"indicator": [of(name) for name in screened(table)]}
    found |= {way: screen(rows, own, target).estimate for way, own in ways.items()}
    for units, words in (("family", "families"), ("clan", "clans")):
        over = screen(rows, kept, target, units=units)
        found |= {f"low ({words})": over.low, f"high ({words})": over.high}
    return pd.DataFrame(found)
