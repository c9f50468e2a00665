"""Which classifier and reading come nearest to the reported table, and where even they do not fit."""

from robustshape.paths import require_project


def reported():
    """Return the accuracies printed on the slides: (corruption, severity), and the clean one as an attribute."""
    import pandas as pd

    table = pd.read_csv(require_project() / "data" / "reported" / "severity_profile.csv", comment="#")
    clean = float(table.loc[table["severity"] == 0, "accuracy"].iloc[0])
    shares = table[table["severity"] > 0].set_index(["corruption", "severity"])["accuracy"].to_xarray()
    return shares.assign_attrs(clean=clean)


def gaps(rows):
    """Return measured minus reported accuracy: (model, corruption, severity), only where both exist."""
    return rows["corrupted_accuracy"] - reported()


def fit_table(rows):
    """Return how far each row is from the reported table, the nearest first.

    Returns
    -------
    pandas.DataFrame
        Mean absolute difference over all cells, then for each corruption, and the clean accuracy.
    """
    import pandas as pd

    distance = abs(gaps(rows))
    table = pd.DataFrame(
        {
            "classifier and reading": rows.model.values,
            "clean accuracy": rows["accuracy"].values,
            "all": distance.mean(("corruption", "severity")).values,
            **{
                str(c): distance.sel(corruption=c).mean("severity").values for c in distance.corruption.values
            },
        }
    )
    return table.sort_values("all")


def nearest(rows) -> str:
    """Return the row with the smallest mean absolute difference."""
    return str(fit_table(rows)["classifier and reading"].iloc[0])


def side_by_side(rows, model: str | None = None):
    """Return the reported table beside a row's, one line for each corruption, one pair for each severity."""
    import pandas as pd

    row, printed = rows.sel(model=model or nearest(rows)), reported()
    lines = [
        {"corruption": "uncorrupted", "1": f"{float(row['accuracy']):.3f} ({printed.attrs['clean']:.4g})"}
    ]
    for corruption in map(str, row.corruption.values):
        ours, theirs = (
            row["corrupted_accuracy"].sel(corruption=corruption),
            printed.sel(corruption=corruption),
        )
        cells = {
            str(s): f"{float(ours.sel(severity=s)):.3f} ({float(theirs.sel(severity=s)):.4g})"
            for s in row.severity.values
        }
        lines.append({"corruption": corruption} | cells)
    return pd.DataFrame(lines).fillna("")


def points(rows):
    """Return one line for each accuracy that both were measured and is in the reported table.

    Returns
    -------
    pandas.DataFrame
        Columns ``row`` (classifier and reading, as the rows name them), ``classifier`` (in words), ``reading``,
        ``corruption``, ``severity``, ``accuracy``, ``reported``, ``gap`` (accuracy less reported).
    """
    from robustshape.analysis import style

    about = {
        str(name): (style.words(str(name).partition(" ")[0], str(family), str(recipe)), str(reading))
        for name, family, recipe, reading in zip(
            rows.model.values, rows["family"].values, rows["recipe"].values, rows["robustness_reading"].values
        )
    }
    both = rows["corrupted_accuracy"].rename("accuracy").to_dataset().assign(gap=gaps(rows))
    found = both.to_dataframe().dropna().reset_index().rename(columns={"model": "row"})
    found["classifier"], found["reading"] = zip(*(about[name] for name in found["row"]))
    found["corruption"] = found["corruption"].str.replace("_", " ")
    return found.assign(reported=found["accuracy"] - found["gap"])
