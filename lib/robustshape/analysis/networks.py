"""The networks of a population as a table: who each is, what is to be foretold of it, and who is compared with whom."""

import numpy as np

from robustshape.analysis.matched import architecture_of
from robustshape.analysis.robustness import (
    area_under_attack,
    at_chance,
    group_robustness,
    mean_corrupted_accuracy,
    robustness,
)
from robustshape.analysis.style import RECIPES
from robustshape.statistics.correlations import residuals
from robustshape.statistics.effective_robustness import count_logit, effective_robustness

PILOT = ("resnet_basic", "repvgg", "mobilenetv2", "convnext_patch2", "vit_patch4", "mlp_mixer")  # one a clan
BAND = 0.05  # of clean accuracy, around the median of the pilot's networks of the recipe


def networks(rows, indicators):
    """Return one line for each network.

    Parameters
    ----------
    rows : xarray.Dataset
        Of any study.
    indicators : dict of str -> (model,) float
        What may foretell; `purity_and_kstar` says which names it reads.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``model``: ``family``, ``clan``, ``architecture``, ``recipe``, ``seed``; ``clean``, the accuracy on the
        indicators' images, which is the covariate; the indicators; ``R``, ``corrupted`` (accuracy), ``attacked`` (area
        under attack over clean accuracy), R by group of corruptions, ``effective`` (robustness); ``in_band``, which
        none at chance is.
    """
    import pandas as pd

    models = rows.model.values.astype(str)
    table = pd.DataFrame(
        {
            "family": rows["family"].values.astype(str),
            "clan": [clan_of(model) for model in models],
            "architecture": [architecture_of(model) for model in models],
            "recipe": rows["recipe"].values.astype(str),
            "seed": rows["training_seed"].values,
            "clean": rows["indicator_accuracy"].values.astype(float),
            **indicators,
            "R": robustness(rows),
            "corrupted": mean_corrupted_accuracy(rows),
            "attacked": area_under_attack(rows),
            **{f"R, {group}": kept for group, kept in group_robustness(rows).items()},
        },
        index=pd.Index(models, name="model"),
    )
    learned = ~at_chance(rows)
    kept = np.where(learned, effective(rows, table)(np.ones(len(table), bool)), np.nan)
    return table.assign(effective=kept, in_band=in_band(table) & learned)


def clan_of(model: str) -> str:
    """Return the clan of a network of ours, "" of another.

    >>> clan_of("zoo:resnext-fast/1"), clan_of("timm:resnet50.a1_in1k")
    ('conv, residual', '')
    """
    from robustshape.models.families import FAMILIES, family_of

    architecture = architecture_of(model)
    known = architecture in FAMILIES or architecture.rstrip("0123456789") in FAMILIES
    return family_of(architecture).clan if known else ""


def effective(rows, table):
    """Return the function that gives effective robustness by the line of the plainly trained networks that are kept."""
    if "corrupted_accuracy" not in rows:
        return lambda kept: np.full(len(table), np.nan)
    clean, shown = clean_logit(rows, table["clean"].values), corrupted_logit(rows)
    plain = (table["recipe"] == "plain").values & ~at_chance(rows)
    return effective_robustness(clean, shown, plain, table["family"].values)


def clean_logit(rows, clean) -> np.ndarray:
    """Return the logit of clean accuracies (model,), which are those of ``n_samples`` images."""
    n = rows["n_samples"].values.astype(int)
    return count_logit(np.rint(clean * n), n)


def corrupted_logit(rows, corruptions=None) -> np.ndarray:
    """Return the logit of each model's mean accuracy over corruptions, all by default, and severities."""
    names = [name for name in rows["corruption"].values if corruptions is None or name in corruptions]
    n = rows["n_robustness"].values.astype(int) * len(names) * rows.sizes["severity"]
    return count_logit(np.rint(mean_corrupted_accuracy(rows, names) * n), n)


def in_band(table, width: float = BAND) -> np.ndarray:
    """Return which networks have an accuracy within `width` of the pilot's median of their recipe: (n,) bool.

    All of a recipe that lacks one of the pilot's six networks: its band is not fixed, and nothing is judged (`open_band`).
    """
    kept = np.ones(len(table), bool)
    for recipe, own in table.groupby("recipe"):
        pilot = own.loc[own["architecture"].isin(PILOT)]
        if set(pilot["architecture"]) == set(PILOT):
            its = (table["recipe"] == recipe).values
            kept[its] = np.abs(table["clean"].values[its] - pilot["clean"].median()) <= width
    return kept


def open_band(rows) -> str:
    """Return in words which recipe's band is not fixed yet, as its pilot is not whole; "" where all are, and where the population has no pilot."""
    architectures = np.array([architecture_of(str(model)) for model in rows.model.values])
    if not np.isin(architectures, PILOT).any():
        return ""
    recipes = rows["recipe"].values.astype(str)
    for recipe in dict.fromkeys(recipes):
        there = set(architectures[recipes == recipe]) & set(PILOT)
        if len(there) < len(PILOT):
            words = RECIPES.get(recipe, (recipe,))[0]
            return f"of the {len(PILOT)} networks that say which accuracy is comparable, {len(there)} are measured ({words})"
    return ""


def units(table):
    """Return what is replicated and within what numbers are compared, (n,) each: families within recipes.

    Of a single family recipes are replicated, and nothing is taken out for them.

    >>> import pandas as pd
    >>> groups, within = units(pd.DataFrame({"family": ["a", "a"], "recipe": ["plain", "fast"]}))
    >>> groups.tolist(), within.tolist()
    (['plain', 'fast'], [0, 0])
    """
    if table["family"].nunique() > 1:
        return table["family"].values, table["recipe"].values
    return table["recipe"].values, np.zeros(len(table), int)


def beyond(points, number: str, target: str):
    """Return what is left of two numbers within a recipe when a straight line in clean accuracy is taken out.

    Of a single family recipes are what is compared, so it is not within each of them.

    Parameters
    ----------
    points : pandas.DataFrame
        A line for each network: both numbers, ``clean accuracy``, ``family``, ``recipe``, ``trained`` (words for it),
        ``in_band``.
    number, target : str
        Columns.

    Returns
    -------
    pandas.DataFrame
        Both columns, and ``trained``, of the networks within their band that have them. The correlation of both is the
        partial r that claims are about. Empty where no network has the numbers, and where no accuracy differs within a
        recipe: nothing can be taken out.
    """
    numbers = [number, target, "clean accuracy"]
    if not {*numbers} <= {*points.columns}:
        return points.iloc[:0]
    known = points[points["in_band"]].dropna(subset=numbers)
    if known.empty:  # such as of networks at chance, which have no R
        return points.iloc[:0]
    centred = known[numbers] - known.groupby(units(known)[1])[numbers].transform("mean")
    left = centred[numbers[:2]].apply(residuals, given=centred["clean accuracy"])
    return left.assign(trained=known["trained"]).dropna()


def pairs(table, treated: str, control: str, column: str, by: str = "family"):
    """Return the difference of a column between two recipes of one family (or other group), by it; of those with both."""
    wide = table[table["recipe"].isin([treated, control])].pivot_table(
        index=by, columns="recipe", values=column
    )
    if not {treated, control} <= set(wide.columns):
        return wide.iloc[:0].sum(axis=1)
    both = wide.dropna()
    return both[treated] - both[control]
