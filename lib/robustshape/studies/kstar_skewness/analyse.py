"""Statistics of the k* study: the numbers that are compared, their correlations, and who is paired with whom."""

import numpy as np

from robustshape import statistics
from robustshape.analysis.matched import matched
from robustshape.analysis.networks import networks, pairs
from robustshape.analysis.robustness import (
    area_under_attack,
    main_attack,
    mean_corrupted_accuracy,
    robust_accuracy,
    robustness,
    unseen_robustness,
)
from robustshape.models import short_name
from robustshape.values import as_list

PLOTS = ("tsne", "umap")
SHAPES = {
    "approximate_skewness": "Gamma'",
    "true_skewness": "Gamma",
    "log_mean_rank": "log mean normalised k*",
    "neighbourhood_hit": "neighbourhood hit (10 nearest)",
    "silhouette": "silhouette",
    "intrinsic_dimension": "intrinsic dimension (TwoNN)",
    "tsne_hit": "neighbourhood hit in the t-SNE plot",
    "umap_hit": "neighbourhood hit in the UMAP plot",
}
OF_KSTAR = ("approximate_skewness", "true_skewness", "log_mean_rank")  # the other shapes are plainer numbers
TARGETS = {
    "accuracy": "clean accuracy",
    "robustness": "R (corrupted / clean accuracy)",
    "unseen": "R on groups that no recipe trained on",
    "corrupted": "corrupted accuracy",
    "robust": "accuracy under attack",
}


def columns(rows) -> dict[str, np.ndarray]:
    """Return the numbers of each model that are compared: shapes of feature space, and targets."""
    made = [str(m) for m in rows["embedding"].values] if "embedding" in rows.dims else []
    absent = np.full(rows.sizes["model"], np.nan)
    hits = {m: rows["plot_hit"].sel(embedding=m).values.astype(float) if m in made else absent for m in PLOTS}
    plain = (
        "approximate_skewness",
        "true_skewness",
        "neighbourhood_hit",
        "silhouette",
        "intrinsic_dimension",
    )
    return {
        **{name: rows[name].values.astype(float) for name in plain},
        "log_mean_rank": np.log10(rows["mean_normalised_rank"].values.astype(float)),
        **{f"{method}_hit": hit for method, hit in hits.items()},
        "accuracy": rows["accuracy"].values.astype(float),
        "robustness": robustness(rows),
        "unseen": unseen_robustness(rows),
        "corrupted": mean_corrupted_accuracy(rows),
        "robust": robust_accuracy(rows),
    }


def points(rows):
    """Return one line for each network: who it is, how fractured its classes are, and what is to be foretold.

    Returns
    -------
    pandas.DataFrame
        Indexed by network, with ``family``, ``recipe``, ``trained`` (words for it), ``in_band`` (`networks.in_band`),
        ``mean k*`` (normalised), ``log k*`` (to base 10), ``Gamma'``, ``R``, ``under attack`` (see `words_for_attack`) and
        ``clean accuracy``; a column that no network has is left out.
    """
    import pandas as pd

    from robustshape.analysis.style import trained

    values = columns(rows)
    known = networks(rows, {"log k*": values["log_mean_rank"]}).rename(columns={"clean": "clean accuracy"})
    known["trained"], known["mean k*"] = trained(known["recipe"]), 10 ** known["log k*"]
    known["Gamma'"], area = values["approximate_skewness"], area_under_attack(rows)
    known["under attack"] = area if np.isfinite(area).any() else values["robust"]
    known.index = pd.Index([short_name(model) for model in known.index], name="network")
    who = ["family", "recipe", "trained", "in_band", "mean k*", "log k*", "Gamma'"]
    return known[[*who, "R", "under attack", "clean accuracy"]].dropna(axis=1, how="all")


def words_for_attack(rows) -> str:
    """Return what ``under attack`` of `points` is: the share of accuracy kept over all budgets, or accuracy at one."""
    if np.isfinite(area_under_attack(rows)).any():
        return "accuracy kept under PGD, area over log budget"
    return f"accuracy under {main_attack(rows)}" if main_attack(rows) else "not measured"


def _over(x, y, groups) -> dict:
    """Return r(x, y) with its 95 % interval and p-value over groups."""
    found = statistics.correlate_over_families(x, y, groups)
    return {
        "r": found.estimate,
        "low": found.low,
        "high": found.high,
        "spearman": statistics.spearman(x, y),
        "p_value": found.p_value,
        "models": len(x),
        "families": len(set(groups)),
    }


def correlation_table(rows):
    """Return the correlation of every shape with every target, with its interval over families.

    Returns
    -------
    pandas.DataFrame
        Columns shape, target, r, low, high (95 %, over families), spearman, p_value, models, families;
        a line only where at least three models have both numbers.
    """
    import pandas as pd

    values, families = columns(rows), rows["family"].values
    table = []
    for shape, shape_words in SHAPES.items():
        for target, target_words in TARGETS.items():
            there = np.isfinite(values[shape]) & np.isfinite(values[target])
            if there.sum() > 2:
                found = _over(values[shape][there], values[target][there], families[there])
                table.append({"shape": shape_words, "target": target_words, **found})
    return pd.DataFrame(table)


def within_one_architecture(rows):
    """Return the same correlations over the runs of one architecture trained here; recipes are the units.

    Empty where no architecture was trained under at least three recipes, with several seeds.
    """
    import pandas as pd

    ours = matched(rows)
    if ours is None:
        return pd.DataFrame()
    values, recipes, table = columns(ours), ours["recipe"].values, []
    for shape in ("approximate_skewness", "log_mean_rank"):
        for target in ("robust", "robustness", "accuracy"):
            there = np.isfinite(values[shape]) & np.isfinite(values[target])
            if there.sum() > 2:
                found = _over(values[shape][there], values[target][there], recipes[there])
                found["recipes"] = found.pop("families")
                found["runs"] = found.pop("models")
                table.append({"shape": SHAPES[shape], "target": TARGETS[target], **found})
    return pd.DataFrame(table)


def adversarial_pairs(rows):
    """Return log k* of the networks of a family that were trained plainly and adversarially, and the change.

    By one step (`fast`, which the claims ask for) where any network was, else by PGD; the mean over a family's pairs, and
    of a single family each pair of the same seed.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``family``, or by ``pair``: ``plain``, ``adversarial``, ``change``; the recipe is the table's attribute ``recipe``,
        who they are in words is ``whose``.
    """
    known = networks(rows, {"log k*": columns(rows)["log_mean_rank"]})
    own = known[known["architecture"] != ""].assign(
        pair=lambda t: t["architecture"] + "/" + t["seed"].astype(str)
    )
    recipe = "fast" if "fast" in set(own["recipe"]) else "pgd"
    change = pairs(own, recipe, "plain", "log k*", by="pair").rename("change").rename_axis("pair")
    plain = own[own["recipe"] == "plain"].set_index("pair").loc[change.index]
    found = plain[["family"]].assign(plain=plain["log k*"], change=change)
    by = "family" if found["family"].nunique() > 1 else "pair"
    found = (
        found.assign(adversarial=found["plain"] + found["change"])
        .groupby(by, sort=False)
        .mean(numeric_only=True)
    )
    whose = "families, in or out of their band of accuracy" if by == "family" else "pairs of runs"
    found.attrs |= {"recipe": recipe, "whose": whose}
    return found[["plain", "adversarial", "change"]]


def half_sample_interval(rows, statistic: str) -> np.ndarray:
    """Return 95 % intervals over images (2, model) from recomputed half-samples: the value -+ 1.96 sd."""
    value = rows[statistic].values.astype(float)
    half = 1.96 * rows["half_sample_sd"].sel(statistic=statistic).values
    return np.array([value - half, value + half])


def named(rows, names) -> list[str]:
    """Return the models that go by these names, or by these short names; without any, the two that differ most.

    Those are the ones with the lowest and the highest Gamma'. Names of networks that were not measured are left out.
    """
    models = [str(model) for model in rows.model.values]
    known = {short_name(model): model for model in models} | {model: model for model in models}
    names = as_list(names, "networks", empty=True)
    there = [known[name] for name in names if name in known]
    if len(there) < len(names):
        print(f"not measured here: {', '.join(name for name in names if name not in known)}")
    if not there:
        gamma = rows["approximate_skewness"].fillna(0).values
        return [models[i] for i in dict.fromkeys([int(gamma.argmin()), int(gamma.argmax())])]
    return there


def most_accurate(rows) -> list[str]:
    """Return the model with the highest clean accuracy, in a list."""
    return [str(rows.model.values[int(rows["accuracy"].values.argmax())])]
