"""Tables of the selectivity study."""

import numpy as np

from robustshape import style
from robustshape.studies.class_selectivity.analyse import REVERSE, finished, pairs, quantities
from robustshape.studies.class_selectivity.verdicts import schedule


def overview(rows):
    """Return a line for each network: how it was trained, selectivity with its floor, and accuracies."""
    import pandas as pd

    known = quantities(rows)
    return pd.DataFrame(
        {
            "network": [
                style.words(str(m), str(f), str(r)) if np.isnan(float(a)) else str(m).removeprefix("zoo:")
                for m, f, r, a in zip(
                    rows.model.values, rows["family"].values, rows["recipe"].values, rows["alpha"].values
                )
            ],
            "seed": rows["training_seed"].values,
            "selectivity": known["selectivity"],
            "floor": rows["selectivity_floor"].values.astype(float),
            "accuracy": known["accuracy"],
            "corrupted": known["corrupted accuracy"],
            "R": known["R"],
            "under PGD": known["under PGD"],
            "training": [schedule(str(s)) for s in rows["schedule"].values],
            "diverged": ["yes" if d else "" for d in rows["diverged"].values.astype(bool)],
        }
    )


def slopes(table, over=("alpha",)):
    """Return the lines of `analyse.slope_table` over these, the interval in words."""
    shown = table[table["over"].isin(over)].copy()
    shown["95 % interval"] = [
        f"{low:+.3f} to {high:+.3f}" if np.isfinite(low) else "–"
        for low, high in zip(shown["low"], shown["high"])
    ]
    return shown[["quantity", "over", "slope", "95 % interval", "runs"]]


def masking(rows):
    """Return for each alpha the accuracy under the network's own PGD, under PGD transferred, and under APGD.

    Gradients that only look small hold off a network's own PGD, but neither what was made on another network nor APGD.
    """
    import pandas as pd

    runs = finished(rows)
    alpha = runs["alpha"].values.astype(float)
    own = runs["steps_accuracy"].isel(step=-1).values.astype(float)
    columns = {
        f"own PGD, {int(runs.step.values[-1])} steps": own,
        "PGD transferred from alpha 0": runs["transfer_accuracy"].values.astype(float),
        "ladder up to the strongest": runs["strong_accuracy"].values.astype(float),
    }
    lines = []
    for a in np.unique(alpha):
        line = {"alpha": f"{a:g}", "runs": int((alpha == a).sum())}
        for name, values in columns.items():
            there = values[(alpha == a) & np.isfinite(values)]
            line[name] = float(there.mean()) if len(there) else float("nan")
        lines.append(line)
    return pd.DataFrame(lines)


def indices(rows):
    """Return for each alpha the index beside others that say how units follow the classes, means over runs."""
    import pandas as pd

    runs = finished(rows)
    alpha = runs["alpha"].values.astype(float)
    names = {
        "selectivity": "selectivity index", "floor": "its floor", "top_precision": "precision",
        "class_variance": "class variance", "dead": "dead units",
    }  # fmt: skip
    values = {words: runs[name].mean("depth").values.astype(float) for name, words in names.items()}
    return pd.DataFrame(
        [
            {"alpha": f"{a:g}"} | {words: float(v[alpha == a].mean()) for words, v in values.items()}
            for a in np.unique(alpha)
        ]
    )


def dimensions(rows):
    """Return for each alpha the dimensionality of early layers by every measure, clean, corrupted and attacked."""
    import pandas as pd

    from robustshape.studies.class_selectivity.analyse import SHIFTS, early_dimension

    runs = finished(rows)
    alpha, lines = runs["alpha"].values.astype(float), []
    for measure in map(str, runs["measure"].values):
        for shift in SHIFTS:
            values = early_dimension(runs, shift, measure)
            lines.append(
                {"measure": measure, "responses": shift}
                | {f"alpha {a:g}": float(np.nanmean(values[alpha == a])) for a in np.unique(alpha)}
            )
    return pd.DataFrame(lines)


def reverse(rows):
    """Return for each way of training the selectivity beside that of the plain twins, over pairs."""
    import pandas as pd

    from robustshape import statistics

    lines = []
    for recipe, words in REVERSE.items():
        treated, control, names = pairs(rows, recipe)
        if not names:
            continue
        found = statistics.paired_difference(treated, control)
        lines.append(
            {
                "training": words, "pairs": len(names), "of": names[0].partition("-")[0].removeprefix("zoo:"),
                "selectivity": float(treated.mean()), "plain": float(control.mean()),
                "difference": found.estimate, "95 % interval": f"{found.low:+.3f} to {found.high:+.3f}",
            }
        )  # fmt: skip
    return pd.DataFrame(lines)
