"""Statistics of the selectivity study: how every number changes with alpha and with selectivity, over seeds.

Runs of a seed share their start, so a seed's slope counts once. Runs of the alpha grid are one network trained alike
but for alpha and the seed; networks beside it (trained with AugMix or PGD, or of another architecture) have no alpha,
and enter the reverse direction alone.
"""

from fractions import Fraction

import numpy as np

from robustshape import statistics
from robustshape.analysis.robustness import area_under_attack, mean_corrupted_accuracy, robustness
from robustshape.errors import InputError
from robustshape.studies.class_selectivity.early_layers import early_dimension

RUINED = 0.8  # a run with less than this share of the clean accuracy of alpha = 0 has lost what is compared
DOWN, UP, SOUND = "alpha <= 0", "alpha >= 0", "alpha >= 0, no ruined runs"
EITHER = (DOWN, SOUND)  # what promoting selectivity has ruined would decide a slope by itself


def finished(rows):
    """Return the rows of the alpha grid whose training did not diverge; raise InputError if there are none."""
    in_grid = np.isfinite(rows["alpha"].values.astype(float))
    there = np.flatnonzero(in_grid & ~rows["diverged"].values.astype(bool))
    if not len(there):
        raise InputError(
            "no run of the grid is finished: all diverged, so there is nothing to compare; take alphas nearer to 0, or "
            "a network that trains at its learning rate on these images"
        )
    return rows.isel(model=there)


def ruined(rows) -> np.ndarray:
    """Return which finished runs have less than `RUINED` of the clean accuracy of alpha = 0: (model,) bool."""
    accuracy, alpha = rows["accuracy"].values.astype(float), rows["alpha"].values.astype(float)
    if not (alpha == 0).any():
        return np.zeros(len(alpha), bool)
    return accuracy < RUINED * accuracy[alpha == 0].mean()


def sides(rows) -> dict[str, np.ndarray]:
    """Return which of the finished runs each slope is taken over, by what it is called: (finished model,) bool.

    A seed counts where it was trained at every alpha of the side that any seed was: slopes over other alphas are no
    replicates of each other, for what follows alpha is no straight line. A run that diverged was trained, too.
    """
    grid, runs = rows.isel(model=np.isfinite(rows["alpha"].values.astype(float))), finished(rows)
    alpha, seeds, sound = runs["alpha"].values.astype(float), runs["training_seed"].values, ~ruined(runs)
    trained = grid["alpha"].values.astype(float), grid["training_seed"].values

    def side(its):
        """Return the finished runs of a side of alpha, of the seeds that have all of it."""
        there = its(trained[0])
        return its(alpha) & np.isin(seeds, complete(trained[0][there], trained[1][there]))

    whole, down, up = (side(its) for its in (np.isfinite, lambda a: a <= 0, lambda a: a >= 0))
    return {
        "alpha": whole,
        DOWN: down,
        UP: up,
        "alpha, no ruined runs": whole & sound,
        SOUND: up & sound,
        "selectivity": whole,
    }


def complete(alpha, seeds) -> list:
    """Return the seeds that have every alpha there is.

    >>> complete([-1, 0, 0, -1, 0], [0, 0, 1, 2, 2])
    [0, 2]
    """
    alpha, seeds = np.asarray(alpha), np.asarray(seeds)
    return [seed for seed in np.unique(seeds).tolist() if set(alpha[seeds == seed]) == set(alpha)]


def smallest_attack(rows, name: str) -> str:
    """Return the attack `name` at its smallest L-infinity budget, such as "pgd linf 1/510"; "" if there is none."""
    measured = [str(a) for a in rows["attack"].values] if "attack" in rows.dims else []
    by_budget = {Fraction(a.split()[-1]): a for a in measured if a.startswith(f"{name} linf ")}
    return by_budget[min(by_budget)] if by_budget else ""


def _under(rows, name: str, quantity: str = "robust_accuracy") -> np.ndarray:
    attack = smallest_attack(rows, name)
    if not attack:
        return np.full(rows.sizes["model"], np.nan)
    return rows[quantity].sel(attack=attack).values.astype(float)


def _over_layers(rows, name: str) -> np.ndarray:
    """Return the mean over each row's own layers that have a number; NaN where none has (as of a diverged one)."""
    values = rows[name].transpose("model", "depth").values.astype(float)
    there = np.isfinite(values)
    return np.where(there, values, 0).sum(1) / np.where(there.any(1), there.sum(1), np.nan)


def quantities(rows) -> dict[str, np.ndarray]:
    """Return every number of each run that is followed over alpha, by name: (model,) each, NaN where not measured."""
    live = "components95 of live units"
    with np.errstate(divide="ignore", invalid="ignore"):
        selectivity = rows["mean_selectivity"].values.astype(float)
        known = {
            "selectivity": selectivity,
            "selectivity less floor": selectivity - rows["selectivity_floor"].values.astype(float),
            "precision": _over_layers(rows, "top_precision"),
            "class variance": _over_layers(rows, "class_variance"),
            "active share": _over_layers(rows, "active"),
            "accuracy": rows["accuracy"].values,
            "corrupted accuracy": mean_corrupted_accuracy(rows),
            "R": robustness(rows),
            "under FGSM": _under(rows, "fgsm"),
            "under PGD": _under(rows, "pgd"),
            "under PGD / clean": _under(rows, "pgd") / _under(rows, "pgd", "attacked_clean_accuracy"),
            "area under attack": area_under_attack(rows, relative=False),
            "area under attack / clean": area_under_attack(rows),
            "lost by transferred PGD": rows["accuracy"].values - rows["transfer_accuracy"].values,
            "under the strongest": rows["strong_accuracy"].values,
            "own PGD less strongest": rows["own_accuracy"].values - rows["strong_accuracy"].values,
            "early dimension, clean": early_dimension(rows, "clean, all"),
            "early dimension of live units, clean": early_dimension(rows, "clean, all", live),
            "early dimension, corrupted": early_dimension(rows, "corrupted"),
            "early dimension, attacked": early_dimension(rows, "attacked"),
            "early dimension, random signs": early_dimension(rows, "random"),
            "gradient CV over samples": _over_layers(rows, "gradient_over_samples"),
            "gradient CV where not zero": _over_layers(rows, "gradient_over_active"),
            "gradient CV over units": _over_layers(rows, "gradient_over_units"),
            "log10 Jacobian norm": np.log10(rows["jacobian_norm"].values.astype(float)),
        }
    return {name: np.asarray(values, dtype=float) for name, values in known.items()}


def slope_table(rows):
    """Return the slope of every quantity over alpha, or over selectivity: the mean over seeds of each one's own.

    Returns
    -------
    pandas.DataFrame
        Columns quantity, over (of `sides`), slope, low, high, p_value, runs, seeds, alphas; see `slope_over_groups`.
    """
    import pandas as pd

    places, rows = sides(rows), finished(rows)
    alpha, seeds, known = rows["alpha"].values.astype(float), rows["training_seed"].values, quantities(rows)
    table = []
    for name, values in known.items():
        for over, its in places.items():
            if name == over:
                continue
            there = its & np.isfinite(values)
            x = known["selectivity"] if over == "selectivity" else alpha
            line = {"quantity": name, "over": over, **_slope(x[there], values[there], seeds[there])}
            table.append(line | {"runs": int(there.sum()), "alphas": len(set(alpha[there]))})
    return pd.DataFrame(table)


def _slope(x, y, seeds) -> dict:
    found = statistics.slope_over_groups(x, y, seeds)
    interval = {"low": found.low, "high": found.high, "p_value": found.p_value}
    return {"slope": found.estimate, **interval, "seeds": found.n}


def by_corruption(rows):
    """Return the slopes over alpha of the accuracy under each corruption, raw and over clean accuracy, but for runs ruined above 0.

    Returns
    -------
    pandas.DataFrame
        Columns corruption, kind ("accuracy" or "R"), over (of `EITHER`), slope, low, high, p_value, seeds.
    """
    import pandas as pd

    places, rows, table = sides(rows), finished(rows), []
    alpha, clean = rows["alpha"].values.astype(float), rows["accuracy"].values.astype(float)
    seeds = rows["training_seed"].values
    for corruption in map(str, rows["corruption"].values):
        values = rows["corrupted_accuracy"].sel(corruption=corruption).mean("severity").values.astype(float)
        for kind, y in (("accuracy", values), ("R", values / clean)):
            for over in EITHER:
                there = places[over]
                line = _slope(alpha[there], y[there], seeds[there])
                table.append({"corruption": corruption, "kind": kind, "over": over, **line})
    return pd.DataFrame(table)


def by_attack(rows):
    """Return the slopes over alpha of the accuracy under each attack of the ladder on either side of 0, but for runs ruined above it.

    Returns
    -------
    pandas.DataFrame
        Columns attack, over (of `EITHER`), slope, low, high, p_value, seeds; empty where none was made.
    """
    import pandas as pd

    places, rows, table = sides(rows), finished(rows), []
    alpha = rows["alpha"].values.astype(float)
    for attack in map(str, rows["attack"].values if "attack" in rows.dims else ()):
        values = rows["robust_accuracy"].sel(attack=attack).values.astype(float)
        for over in EITHER:
            there = places[over]
            line = _slope(alpha[there], values[there], rows["training_seed"].values[there])
            table.append({"attack": attack, "over": over, **line})
    return pd.DataFrame(table, columns=["attack", "over", "slope", "low", "high", "p_value", "seeds"])
