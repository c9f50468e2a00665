"""Tables of the k* study; each takes the study's rows and returns a pandas.DataFrame."""

from robustshape.analysis.table import odd
from robustshape.models import short_name
from robustshape.studies.kstar_skewness.analyse import OF_KSTAR, SHAPES, columns


def overview(rows):
    """Return one line for each network: accuracies, R, and the shape of its feature space."""
    import pandas as pd

    values = columns(rows)
    return (
        pd.DataFrame(
            {
                "network": [short_name(str(model)) for model in rows.model.values],
                "clean accuracy": values["accuracy"],
                "corrupted accuracy": values["corrupted"],
                "R": values["robustness"],
                "R, groups not trained on": values["unseen"],
                "accuracy under attack": values["robust"],
                "Gamma'": values["approximate_skewness"],
                "Gamma": values["true_skewness"],
                "mean k*": rows["mean_normalised_rank"].values,
                "classes without gamma": rows["n_undefined"].values.astype(int),
                "odd": odd(rows),
                "origin": rows["origin"].values,
            }
        )
        .sort_values(["accuracy under attack", "R", "clean accuracy"], ascending=False)
        .dropna(axis=1, how="all")
    )


def correlations_of_kstar(correlations, *, others: bool = False):
    """Return the lines of `analyse.correlation_table` about k*, or with `others` those about plainer numbers."""
    if correlations.empty:  # too few networks to correlate anything
        return correlations
    of_kstar = correlations["shape"].isin([SHAPES[name] for name in OF_KSTAR])
    return correlations[of_kstar != others]


def beside(rows):
    """Return what other numbers say of the same features, one line for each network."""
    import pandas as pd

    values = columns(rows)
    table = {"network": [short_name(str(model)) for model in rows.model.values]}
    table |= {words: values[name] for name, words in SHAPES.items() if name != "true_skewness"}
    if "embedding" in rows.dims:
        for method in rows["embedding"].values:
            table[f"trustworthiness of {method}"] = rows["plot_trustworthiness"].sel(embedding=method).values
    return pd.DataFrame(table).sort_values(SHAPES["approximate_skewness"]).dropna(axis=1, how="all")


def attacks(rows):
    """Return the accuracy of each network under each attack, and on how many images."""
    import pandas as pd

    if "attack" not in rows.dims:
        return pd.DataFrame()
    table = {
        "network": [short_name(str(model)) for model in rows.model.values],
        "clean": rows["accuracy"].values,
    }
    for attack in rows["attack"].values:
        n = int(rows["n_attacked"].sel(attack=attack).max())
        table[f"{attack} (n = {n:,})"] = rows["robust_accuracy"].sel(attack=attack).values
    return pd.DataFrame(table).sort_values(list(table)[-1], ascending=False)


def interval_check(rows):
    """Return the standard deviation of each statistic by the bootstrap and by recomputed half-samples.

    Returns
    -------
    pandas.DataFrame
        Medians over networks; the third column says how much too narrow the bootstrap of fixed ranks is.
    """
    import pandas as pd

    halves, bootstrap = rows["half_sample_sd"], rows["bootstrap_sd"]
    ratio = (halves / bootstrap.where(bootstrap > 0)).median("model")
    return pd.DataFrame(
        {
            "statistic": [str(name) for name in rows["statistic"].values],
            "sd, bootstrap of fixed ranks": bootstrap.median("model").values,
            "sd, 20 recomputed half-samples": halves.median("model").values,
            "ratio": ratio.values,
        }
    )


def suspects(rows, model: str):
    """Return the samples of a network with the lowest k*, and their nearest foreign neighbours, by id."""
    import pandas as pd

    row = rows.sel(model=model)
    names = ("suspect", "suspect_label", "suspect_predicted", "suspect_rank", "suspect_nearness")
    names += ("suspect_neighbour", "suspect_neighbour_label")
    return pd.DataFrame({name.removeprefix("suspect_"): row[name].values for name in names})
