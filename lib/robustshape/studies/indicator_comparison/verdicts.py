"""Estimates for the claims that a population of families decides, and nothing else."""

from robustshape.analysis.verdicts import judge_population
from robustshape.statistics.centring import correlate_over_families
from robustshape.statistics.jackknife import mean_over_groups
from robustshape.statistics.out_of_sample import advantage
from robustshape.statistics.screen import judge_screen
from robustshape.studies.indicator_comparison.analyse import effective, pairs, screen, spearman_within_recipes

PARTIAL = {  # claim: indicator and target, given clean accuracy
    "purity-1": ("p_purity", "R"),
    "purity-2": ("p_purity", "attacked"),
    "purity-3": ("p_purity", "effective"),
    "kstar-3": ("log_mean_rank", "R"),
    "kstar-6": ("log_mean_rank", "attacked"),
}


def estimates(rows, table, *, smallest: float = 0.3, fewest: int = 36) -> dict:
    """Return the primary quantity of each claim, with its interval over families, of the networks within their band.

    Parameters
    ----------
    table : pandas.DataFrame
        `analyse.networks` of the rows.
    smallest, fewest
        Of the screen, claim cross-1: the smallest effect that matters and the fewest families.
    """
    table = table[table["in_band"]]
    families, recipes, clean = (table[name].values for name in ("family", "recipe", "clean"))
    found = {}
    for claim, (indicator, target) in PARTIAL.items():
        y = (
            effective(rows.sel(model=table.index.values), table)
            if target == "effective"
            else table[target].values
        )
        found[claim] = correlate_over_families(
            table[indicator].values, y, families, given=clean, recipes=recipes
        )
    change = pairs(table, "fast", "plain", "log_mean_rank")
    if len(change) > 1:
        found["kstar-4"] = mean_over_groups(change.values, change.index.values)
    singles = table[["p_kmeans", "p_multicut"]].values
    if len(set(families)) > 3:
        found["purity-4"] = advantage(table["p_purity"].values, singles, table["R"].values, families, recipes)
    found["cross-1"] = judge_screen(screen(rows, table, "corrupted"), smallest=smallest, fewest=fewest)
    found["cross-2"] = spearman_within_recipes(
        table.assign(product=table["kmeans_purity"] * table["multicut_purity"]),
        "product",
        "mean_normalised_rank",
    )
    return found


def judge(rows, table):
    """Return the verdicts on the claims that the rows' population decides, uncorrected and corrected, as a table."""
    import pandas as pd

    from robustshape.analysis.claims import load

    preset, claims = rows.attrs["preset"], load()
    own = {name for name, claim in claims.items() if claim.primary_population == preset}
    found = {name: value for name, value in estimates(rows, table).items() if name in own}
    lines = []
    for name, (alone, corrected) in judge_population(preset, found).items():
        lines.append(
            {
                "claim": name,
                "statement": claims[name].statement,
                "estimate": alone.estimate,
                "low": alone.low,
                "high": alone.high,
                "smallest effect": claims[name].smallest_effect,
                "verdict": corrected.word,
                "uncorrected": alone.word,
                "families": alone.n,
            }
        )
    return pd.DataFrame(lines)


def answer(judged, table) -> str:
    """Return the answer to the page's question in a sentence or two, from the verdicts on the claims.

    Parameters
    ----------
    judged : pandas.DataFrame
        Of `judge`.
    table : pandas.DataFrame
        `analyse.networks` of the rows.
    """
    measured = f"{len(table)} networks of {table['family'].nunique()} families are measured"
    words = judged["verdict"].astype(str) if len(judged) else judged
    if not len(judged) or words.str.startswith("not").all():
        return f"Not told yet: {measured}, too few for the claims, which are judged once enough families are there."
    screen = words[judged["claim"] == "cross-1"]
    if len(screen) and screen.iloc[0].startswith("holds"):
        told = "Yes: at least one number of clean features tells more about corrupted accuracy than clean accuracy does"
    elif len(screen) and screen.iloc[0] == "negligible":
        told = "Not on these networks: no number of clean features tells what clean accuracy does not"
    else:
        told = "It cannot be told whether any number of clean features tells more than clean accuracy"
    decided = int((~words.str.startswith(("not", "cannot"))).sum())
    return f"{told}; {measured}, and {decided} of {len(judged)} claims are decided."
