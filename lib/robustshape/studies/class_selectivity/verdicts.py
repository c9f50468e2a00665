"""Estimates for the claims of the selectivity study, and nothing else."""

import numpy as np

from robustshape.statistics.jackknife import mean_over_groups, slope_over_groups
from robustshape.studies.class_selectivity.analyse import DOWN, SOUND, UP, finished, quantities, sides
from robustshape.studies.class_selectivity.early_layers import shift_difference
from robustshape.studies.class_selectivity.reverse import pairs

SLOPES = {  # claim: quantity, and over what its slope is taken
    "selectivity-1": ("selectivity", "alpha"),
    "selectivity-2a": ("accuracy", UP),
    "selectivity-2b": ("accuracy", DOWN),
    "selectivity-3a": ("corrupted accuracy", DOWN),
    "selectivity-3b": ("corrupted accuracy", SOUND),
    "selectivity-4a": ("area under attack / clean", DOWN),
    "selectivity-4b": ("area under attack / clean", SOUND),
    "selectivity-6": ("early dimension, clean", "selectivity"),
    "selectivity-8": ("gradient CV over samples", "selectivity"),
    "selectivity-9": ("log10 Jacobian norm", "alpha"),
    "selectivity-10a": ("R", DOWN),
    "selectivity-10b": ("R", SOUND),
    "selectivity-11": ("own PGD less strongest", "alpha"),
}
REVERSED = {"selectivity-5a": "augmix", "selectivity-5b": "pgd"}


def estimates(rows) -> dict:
    """Return the primary quantity of each claim with its interval over seeds or pairs, or why there is none."""
    runs, found = finished(rows), {}
    known, places = quantities(runs), sides(rows)
    for claim, (quantity, over) in SLOPES.items():
        x = known["selectivity"] if over == "selectivity" else runs["alpha"].values.astype(float)
        there = places[over]
        slope = slope_over_groups(x[there], known[quantity][there], runs["training_seed"].values[there])
        if not np.isfinite(known[quantity]).any():
            found[claim] = f"{quantity} was not measured"
        else:
            found[claim] = (
                slope if slope.n else f"no seed was trained at several alphas with {quantity} ({over})"
            )
    for claim, recipe in REVERSED.items():
        treated, control, names = pairs(rows, recipe)
        found[claim] = (
            mean_over_groups(treated - control, names)
            if names
            else f"no network was trained with {recipe} and plainly"
        )
    beyond = shift_difference(runs.isel(model=places["alpha"]))
    found["selectivity-7"] = beyond if beyond.n else "what an attack and a corruption change was not measured"
    return found
