"""Estimates for the claims across studies."""

import numpy as np

from robustshape.analysis.purity_and_kstar import lacking
from robustshape.statistics.jackknife import slope_over_groups
from robustshape.studies.indicator_comparison.analyse import networks, screen, spearman_within_recipes
from robustshape.studies.indicator_comparison.transfer import from_digits


def estimates(rows) -> dict:
    """Return the primary quantity of each claim with its interval, or why there is none; of a screen arrays."""
    table = networks(rows)
    kept = table[table["in_band"]]
    product = kept.assign(product=kept["kmeans_purity"] * kept["multicut_purity"])
    return {
        "cross-1": lacking(kept, "R") or screen(rows, kept, "corrupted"),
        "cross-2": spearman_within_recipes(product, "product", "mean_normalised_rank"),
        "cross-3": less_selective(table),
        "cross-4": from_digits(rows),
    }


def less_selective(table):
    """Return the slope over alpha <= 0 of log10 mean k* or of log10 p_purity, whichever is less surely below 0.

    Over the seeds of networks that are alike but for alpha, the strength of the regulariser in the recipe's name.
    """
    alpha = table["recipe"].str.extract(r"alpha=([^+]+)")[0].astype(float)
    schedule = table["recipe"].str.replace(r"\+?alpha=[^+]+", "", regex=True).replace("", "plain")
    grid = table["architecture"] + "-" + schedule
    there = grid.isin(grid[alpha.notna()]) & ~(alpha > 0)
    if not (alpha[there] < 0).any():
        return "no network was regularised to lower class selectivity"
    alpha, own = alpha.fillna(0)[there].values, table[there]
    seeds = (grid[there] + "/" + own["seed"].astype(str)).values
    columns = own["log_mean_rank"].values, np.log10(own["p_purity"].values)
    return max((slope_over_groups(alpha, y, seeds) for y in columns), key=lambda found: found.p_below(0))
