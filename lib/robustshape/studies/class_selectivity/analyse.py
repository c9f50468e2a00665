"""Statistics of the selectivity study: how every number changes with alpha and with selectivity, over training runs.

A run counts once. Runs of the alpha grid are one network trained alike but for alpha and the seed; networks beside it
(trained with AugMix or PGD, or of another architecture) have no alpha, and enter the reverse direction alone.
"""

import re
from fractions import Fraction

import numpy as np

from robustshape import statistics
from robustshape.studies.class_selectivity.inside import early
from robustshape.studies.ratios import mean_corrupted_accuracy, robustness

REVERSE = {"augmix": "AugMix-like", "pgd": "adversarial (PGD)"}
SHIFTS = ("clean", "corrupted", "attacked")


def in_grid(rows) -> np.ndarray:
    """Return which rows are finished runs of the alpha grid: (model,) bool."""
    return np.isfinite(rows["alpha"].values.astype(float)) & ~rows["diverged"].values.astype(bool)


def finished(rows):
    """Return the rows of the alpha grid whose training did not diverge."""
    return rows.isel(model=np.flatnonzero(in_grid(rows)))


def smallest_attack(rows, name: str) -> str:
    """Return the attack `name` at its smallest L-infinity budget, such as "pgd linf 1/510"; "" if there is none."""
    measured = [str(a) for a in rows["attack"].values] if "attack" in rows.dims else []
    by_budget = {Fraction(a.split()[-1]): a for a in measured if a.startswith(f"{name} linf ")}
    return by_budget[min(by_budget)] if by_budget else ""


def _under(rows, name: str) -> np.ndarray:
    attack = smallest_attack(rows, name)
    if not attack:
        return np.full(rows.sizes["model"], np.nan)
    return rows["robust_accuracy"].sel(attack=attack).values.astype(float)


def _layers(rows, name: str):
    return rows[name].transpose("model", "depth").values.astype(float)


def _early(values) -> np.ndarray:
    """Return the mean over the first third of each row's own layers (networks may differ in how many they have)."""
    return np.array(
        [
            row[early(int(np.isfinite(row).sum()))].mean() if np.isfinite(row).any() else np.nan
            for row in values
        ]
    )


def early_dimension(rows, shift: str, measure: str = "components95") -> np.ndarray:
    """Return the dimensionality of the early layers of each run: (model,)."""
    values = rows["dimensionality"].sel(shift=shift, measure=measure)
    return _early(values.transpose("model", "depth").values.astype(float))


def quantities(rows) -> dict[str, np.ndarray]:
    """Return every number of each run that is followed over alpha, by name: (model,) each, NaN where not measured."""
    with np.errstate(divide="ignore", invalid="ignore"):
        known = {
            "selectivity": rows["mean_selectivity"].values,
            "accuracy": rows["accuracy"].values,
            "corrupted accuracy": mean_corrupted_accuracy(rows),
            "R": robustness(rows),
            "under FGSM": _under(rows, "fgsm"),
            "under PGD": _under(rows, "pgd"),
            "under transferred PGD": rows["transfer_accuracy"].values,
            "under APGD": rows["strong_accuracy"].values,
            "early dimension, clean": early_dimension(rows, "clean"),
            "early dimension, corrupted": early_dimension(rows, "corrupted"),
            "early dimension, attacked": early_dimension(rows, "attacked"),
            "gradient CV over samples": np.nanmean(_layers(rows, "gradient_over_samples"), axis=1),
            "gradient CV over units": np.nanmean(_layers(rows, "gradient_over_units"), axis=1),
            "log Jacobian norm": np.log(rows["jacobian_norm"].values.astype(float)),
            "class variance": np.nanmean(_layers(rows, "class_variance"), axis=1),
            "precision": np.nanmean(_layers(rows, "top_precision"), axis=1),
        }
    return {name: np.asarray(values, dtype=float) for name, values in known.items()}


def slope_table(rows):
    """Return the slope of every quantity over alpha, over alpha >= 0 and <= 0, and over selectivity.

    Returns
    -------
    pandas.DataFrame
        Columns quantity, over, slope, low, high, p_value, runs; see `statistics.slope`.
    """
    import pandas as pd

    rows = finished(rows)
    alpha, known = rows["alpha"].values.astype(float), quantities(rows)
    everywhere = np.ones(len(alpha), bool)
    table = []
    for name, values in known.items():
        for over, x, there in (
            ("alpha", alpha, everywhere),
            ("alpha >= 0", alpha, alpha >= 0),
            ("alpha <= 0", alpha, alpha <= 0),
            ("selectivity", known["selectivity"], everywhere),
        ):
            found = statistics.slope(x[there], values[there])
            if name != "selectivity" or over != "selectivity":
                table.append(
                    {
                        "quantity": name, "over": over, "slope": found.estimate, "low": found.low,
                        "high": found.high, "p_value": found.p_value, "runs": found.n,
                    }
                )  # fmt: skip
    return pd.DataFrame(table)


def by_corruption(rows):
    """Return the slopes over alpha of the accuracy under each corruption, raw and over clean accuracy.

    Returns
    -------
    pandas.DataFrame
        Columns corruption, kind ("accuracy" or "R"), slope, low, high.
    """
    import pandas as pd

    rows, table = finished(rows), []
    alpha = rows["alpha"].values.astype(float)
    for corruption in map(str, rows["corruption"].values):
        values = rows["corrupted_accuracy"].sel(corruption=corruption).mean("severity").values.astype(float)
        for kind, y in (("accuracy", values), ("R", values / rows["accuracy"].values.astype(float))):
            found = statistics.slope(alpha, y)
            table.append(
                {
                    "corruption": corruption,
                    "kind": kind,
                    "slope": found.estimate,
                    "low": found.low,
                    "high": found.high,
                }
            )
    return pd.DataFrame(table)


def smallest_step(rows) -> float:
    """Return the smallest rise of mean selectivity between neighbouring alphas; above 0 if it rises everywhere."""
    rows = finished(rows)
    alpha, found = rows["alpha"].values.astype(float), rows["mean_selectivity"].values.astype(float)
    means = [found[alpha == a].mean() for a in np.unique(alpha)]
    return float(np.diff(means).min()) if len(means) > 1 else float("nan")


def pairs(rows, recipe: str):
    """Return the selectivity of networks trained with `recipe` and of their plain twins: two (pair,) arrays, names.

    Twins have the same architecture (the name before the recipe) and seed. Diverged ones are left out.
    """
    known = {str(m): float(v) for m, v in zip(rows.model.values, rows["mean_selectivity"].values)}
    treated, control, names = [], [], []
    for model, value in known.items():
        twin = re.sub(rf"[-+]{recipe}(?=/|$)", "", model)
        if twin == model or not model.startswith("zoo:"):
            continue
        if np.isfinite(value) and np.isfinite(known.get(twin, np.nan)):
            treated.append(value)
            control.append(known[twin])
            names.append(model)
    return np.array(treated), np.array(control), names


def shift_difference(rows) -> statistics.Estimate:
    """Return the early dimension of the change under attack minus that under corruption, over runs of the grid."""
    rows = finished(rows)
    return statistics.paired_difference(early_dimension(rows, "attacked"), early_dimension(rows, "corrupted"))
