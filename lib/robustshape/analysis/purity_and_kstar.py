"""How networks estimate the claims about cluster purity and k*, whichever study measured them.

Each is the claim's primary quantity with its interval over families, or over the recipes or seeds of one architecture,
on the networks within their band of clean accuracy; or, in words, why these networks have none.
"""

import numpy as np

from robustshape.analysis.matched import matched
from robustshape.analysis.networks import effective, pairs
from robustshape.analysis.robustness import ratio
from robustshape.statistics.centring import correlate_over_families
from robustshape.statistics.exact import share_of_families
from robustshape.statistics.jackknife import mean_over_groups
from robustshape.statistics.out_of_sample import advantage

LACKING = {  # column of the table: what is missing where it has no number
    "p_purity": "features were not clustered", "p_kmeans": "features were not clustered",
    "p_multicut": "features were not clustered", "log_mean_rank": "no k* was measured",
    "log_rank_over_twin": "k* of normal classes without structure was not measured beside",
    "zero_shot": "no zero-shot accuracy over data sets is reported", "tsne_hit": "no t-SNE plot was made",
    "umap_hit": "no UMAP plot was made", "R": "no accuracy under corruption was measured",
    "attacked": "PGD at two budgets or more, or the clean accuracy on its images, was not measured",
    "effective": "fewer than ten plainly trained families were measured under corruption",
}  # fmt: skip


def over_accuracy(kmeans, multicut, accuracy) -> dict[str, np.ndarray]:
    """Return purities over the accuracy on the same images, means over draws: ``p_kmeans``, ``p_multicut``, ``p_purity``.

    NaN of a network that is right on no image of a draw.

    Parameters
    ----------
    kmeans, multicut, accuracy : (model, draw) float
        Purity of both clusterings, and accuracy among the classes of the draw.

    Examples
    --------
    >>> {name: float(value[0]) for name, value in over_accuracy(*(np.array([[x]]) for x in (0.5, 1.0, 0.5))).items()}
    {'p_kmeans': 1.0, 'p_multicut': 2.0, 'p_purity': 2.0}
    """
    p_kmeans, p_multicut = ratio(kmeans, accuracy), ratio(multicut, accuracy)
    return {
        "p_kmeans": p_kmeans.mean(1), "p_multicut": p_multicut.mean(1), "p_purity": (p_kmeans * p_multicut).mean(1),
    }  # fmt: skip


def of_purity(rows, table) -> dict:
    """Return the estimates of the claims purity-1 to purity-5.

    Parameters
    ----------
    rows : xarray.Dataset
        Of any study.
    table : pandas.DataFrame
        `networks.networks` of them, with ``p_purity`` and its factors ``p_kmeans`` and ``p_multicut`` where measured.

    Returns
    -------
    dict of claim id -> OverGroups or ExactShare, or str
        A text says why there is none.
    """
    return {
        "purity-1": partial(rows, table, "p_purity", "R"),
        "purity-2": partial(rows, table, "p_purity", "attacked"),
        "purity-3": partial(rows, table, "p_purity", "effective"),
        "purity-4": better(table, "p_purity", ["p_kmeans", "p_multicut"], "R"),
        "purity-5": within_one_architecture(rows, table, "p_purity", "R"),
    }


def of_kstar(rows, table) -> dict:
    """Return the estimates of the claims kstar-1 to kstar-8; as `of_purity`, of ``log_mean_rank`` and what else is there."""
    known = table[table["in_band"]]
    shares = lacking(known, "log_rank_over_twin") or share_of_families(
        -known["log_rank_over_twin"].values, known["family"].values
    )
    reported = lacking(table, "log_mean_rank", "zero_shot") or correlate_over_families(
        table["log_mean_rank"].values, table["zero_shot"].values, table["family"].values
    )
    ours = _one_architecture(rows, table)
    return {
        "kstar-1": shares,
        "kstar-2": reported,
        "kstar-3": partial(rows, table, "log_mean_rank", "R"),
        "kstar-4": change(known, "log_mean_rank", "family"),
        "kstar-5": better(table, "log_mean_rank", ["tsne_hit", "umap_hit"], "attacked"),
        "kstar-6": partial(rows, table, "log_mean_rank", "attacked"),
        "kstar-7": within_one_architecture(rows, table, "log_mean_rank", "attacked"),
        "kstar-8": ours if isinstance(ours, str) else change(ours, "log_mean_rank", "seed"),
    }


def lacking(table, *columns: str) -> str:
    """Return in words what these networks lack; "" where each column has a number of some network."""
    for column in columns:
        if column not in table or not np.isfinite(table[column].values.astype(float)).any():
            return LACKING.get(column, f"no {column} was measured")
    return ""


def partial(rows, table, indicator: str, target: str):
    """Return the partial r of an indicator with a target given clean accuracy, recipes centred, over families."""
    table = table[table["in_band"]]
    y = table[target].values
    if target == "effective":  # fitted anew without each family
        y = effective(rows.sel(model=table.index.values), table)
    return lacking(table, indicator, target) or correlate_over_families(
        table[indicator].values,
        y,
        table["family"].values,
        given=table["clean"].values,
        recipes=table["recipe"].values,
    )


def better(table, indicator: str, rivals: list[str], target: str):
    """Return by how much more of a target an indicator foretells of families left out than the best of its rivals."""
    table = table[table["in_band"]]
    if why := lacking(table, indicator, *rivals, target):
        return why
    if table["family"].nunique() < 4:
        return "of fewer than four families none can be left out"
    columns = (table[indicator].values, table[rivals].values, table[target].values)
    return advantage(*columns, table["family"].values, table["recipe"].values)


def change(table, column: str, by: str):
    """Return the mean over families or seeds of a column of the networks trained by `fast` less that of the plain ones."""
    if why := lacking(table, column):
        return why
    found = pairs(table, "fast", "plain", column, by)
    if not len(found):
        return "no network was trained both plainly and adversarially by one step"
    return mean_over_groups(found.values, found.index.values)


def within_one_architecture(rows, table, indicator: str, target: str):
    """Return the partial r of an indicator with a target given clean accuracy over the runs of one architecture."""
    ours = _one_architecture(rows, table)
    if isinstance(ours, str):
        return ours
    return lacking(ours, indicator, target) or correlate_over_families(
        ours[indicator].values, ours[target].values, ours["recipe"].values, given=ours["clean"].values
    )


def _one_architecture(rows, table):
    ours = matched(rows)
    if ours is None:
        return "no architecture was trained here under three recipes and with several seeds"
    return table.loc[ours.model.values.astype(str)]
