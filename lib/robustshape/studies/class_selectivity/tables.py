"""Tables of the selectivity study."""

import numpy as np

from robustshape.analysis import style
from robustshape.models import short_name
from robustshape.studies.class_selectivity.analyse import finished, quantities
from robustshape.studies.class_selectivity.early_layers import SHIFTS, early_dimension
from robustshape.studies.class_selectivity.reverse import REVERSE, architectures, pairs
from robustshape.studies.class_selectivity.runs import schedule


def overview(rows):
    """Return a line for each network: how it was trained, selectivity with its floor, and accuracies."""
    import pandas as pd

    finished(rows)  # where all diverged, that is all there is to say
    known = quantities(rows)
    return pd.DataFrame(
        {
            "network": [
                style.words(str(m), str(f), str(r)) if np.isnan(float(a)) else short_name(m)
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
    """Return the lines of `analyse.slope_table` or `by_attack` over these, the interval in words."""
    shown = table[table["over"].isin(over)].copy()
    shown["95 % interval"] = [
        f"{low:+.3f} to {high:+.3f}" if np.isfinite(low) else "–"
        for low, high in zip(shown["low"], shown["high"])
    ]
    first = "attack" if "attack" in shown else "quantity"
    return shown[[first, "over", "slope", "95 % interval", "seeds"]]


def masking(rows):
    """Return for each alpha what attacks leave: the network's own PGD, one transferred, and the strongest one.

    Own PGD and the strongest attack are of the same images and budget, so that what lies between them is what the own
    attack missed. What is transferred was made on the network without regulariser of another seed; how much of its
    own images that source gets right stands beside it.
    """
    import pandas as pd

    runs = finished(rows)
    alpha, first = runs["alpha"].values.astype(float), runs.isel(model=0)
    budget, n = str(first["step_budget"].values), int(first["n_changed"])
    strongest = next((str(s) for s in runs["strongest"].values if s), "")
    few = strongest.partition(" on ")[2] or n
    columns = {
        f"own PGD {budget}, {n} images": runs["steps_accuracy"].isel(step=-1),
        f"transferred PGD {budget}, {n} images": runs["transfer_accuracy"],
        "... for its source": runs["source_accuracy"],
        f"own PGD {budget}, first {few} images": runs["own_accuracy"],
        f"up to {strongest or 'the strongest'}": runs["strong_accuracy"],
    }
    lines = []
    for a in np.unique(alpha):
        line = {"alpha": f"{a:g}", "runs": int((alpha == a).sum())}
        for name, values in columns.items():
            there = values.values.astype(float)[alpha == a]
            line[name] = float(np.nanmean(there)) if np.isfinite(there).any() else float("nan")
        lines.append(line)
    return pd.DataFrame(lines)


def indices(rows):
    """Return for each alpha the index beside others that say how units follow the classes, means over layers and runs."""
    import pandas as pd

    runs = finished(rows)
    alpha = runs["alpha"].values.astype(float)
    names = {
        "selectivity": "selectivity index", "floor": "with shuffled labels", "top_precision": "precision", "class_variance": "class variance", "active": "responses above 0",
        "dead": "dead units",
    }  # fmt: skip
    values = {words: runs[name].mean("depth").values.astype(float) for name, words in names.items()}
    return pd.DataFrame(
        [
            {"alpha": f"{a:g}"} | {words: float(v[alpha == a].mean()) for words, v in values.items()}
            for a in np.unique(alpha)
        ]
    )


def dimensions(rows):
    """Return for each alpha the dimensionality of early layers by every measure, of clean responses and every change."""
    import pandas as pd

    runs = finished(rows)
    alpha, lines = runs["alpha"].values.astype(float), []
    for measure in map(str, runs["measure"].values):
        for shift, words in SHIFTS.items():
            values = early_dimension(runs, shift, measure)
            of_alpha = {a: values[(alpha == a) & np.isfinite(values)] for a in np.unique(alpha)}
            means = {f"alpha {a:g}": float(v.mean()) if len(v) else float("nan") for a, v in of_alpha.items()}
            lines.append({"measure": measure, "responses": words} | means)
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
                "training": words, "pairs": len(names), "of": architectures(names),
                "selectivity": float(treated.mean()), "plain": float(control.mean()),
                "difference": found.estimate, "95 % interval": f"{found.low:+.3f} to {found.high:+.3f}" if len(names) > 1 else "–",
            }
        )  # fmt: skip
    return pd.DataFrame(lines)
