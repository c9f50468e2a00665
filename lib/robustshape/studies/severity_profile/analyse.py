"""Which classifier and reading come nearest to the reported table, and where even they do not fit."""

import numpy as np

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


def numbers(rows) -> dict:
    """Return every number that the page quotes, by name."""
    table, best = fit_table(rows), nearest(rows)
    first = table.iloc[0]
    by_corruption = first.drop(["classifier and reading", "clean accuracy", "all"]).astype(float)
    worst = by_corruption.idxmax()
    gap = gaps(rows).sel(model=best, corruption=worst)
    where = int(np.abs(gap.values).argmax())
    padded = [m for m in table["classifier and reading"] if m.endswith(" pad32")]
    blur = table.set_index("classifier and reading").get("gaussian_blur", {})
    return {
        "best_blur": float(blur.get(best, np.nan)),
        "best_padded_blur": float(blur.get(padded[0], np.nan)) if padded else float("nan"),
        "best": best,
        "n_cells": int(gaps(rows).sel(model=best).size),
        "best_distance": float(first["all"]),
        "best_clean": float(first["clean accuracy"]),
        "reported_clean": reported().attrs["clean"],
        "second": str(table["classifier and reading"].iloc[1]) if len(table) > 1 else "–",
        "second_distance": float(table["all"].iloc[1]) if len(table) > 1 else float("nan"),
        "farthest": str(table["classifier and reading"].iloc[-1]),
        "farthest_distance": float(table["all"].iloc[-1]),
        "worst_corruption": str(worst),
        "worst_distance": float(by_corruption.max()),
        "worst_severity": int(gap.severity.values[where]),
        "worst_gap": float(gap.values[where]),
        "best_padded": padded[0] if padded else "–",
        "best_padded_distance": float(table.set_index("classifier and reading").loc[padded[0], "all"])
        if padded
        else float("nan"),
    }
