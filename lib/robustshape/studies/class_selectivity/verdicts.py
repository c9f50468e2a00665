"""Verdicts on the claims of the selectivity study, and every number that its page quotes."""

import numpy as np

from robustshape import claims, statistics
from robustshape.studies.class_selectivity.analyse import (
    finished,
    pairs,
    quantities,
    shift_difference,
    smallest_attack,
    smallest_step,
)

JUDGED = {  # claim: quantity, and over what its slope is taken
    "selectivity-1": ("selectivity", "alpha"),
    "selectivity-2a": ("accuracy", "alpha >= 0"),
    "selectivity-2b": ("accuracy", "alpha <= 0"),
    "selectivity-3": ("corrupted accuracy", "alpha"),
    "selectivity-4": ("under PGD", "alpha"),
    "selectivity-6": ("early dimension, clean", "selectivity"),
    "selectivity-8": ("gradient CV over samples", "selectivity"),
    "selectivity-9": ("log Jacobian norm", "alpha"),
    "selectivity-10": ("R", "alpha"),
    "selectivity-11": ("under APGD", "alpha"),
}
REVERSED = {"selectivity-5a": "augmix", "selectivity-5b": "pgd"}


def population(rows) -> str:
    """Return whom the numbers are about, in words."""
    runs = finished(rows)
    alphas, seeds = len(set(runs["alpha"].values)), len(set(runs["training_seed"].values))
    return f"{runs.sizes['model']} runs of one network ({alphas} alphas, {seeds} seeds) on {rows['dataset'].values[0]}"


def judge(rows, slopes):
    """Return the verdict on each of the study's claims, given its `analyse.slope_table`."""
    preset, whom, evidence = rows.attrs["preset"], population(rows), {}

    def add(claim, found, words):
        if np.isfinite(found.estimate):
            interval = (found.estimate, found.low, found.high, found.p_value)
            evidence[claim] = claims.Evidence(*interval, int(found.n), words, preset)

    for claim, (quantity, over) in JUDGED.items():
        line = slopes[(slopes["quantity"] == quantity) & (slopes["over"] == over)].iloc[0]
        add(claim, statistics.Estimate(*line[["slope", "low", "high", "p_value"]], line["runs"]), whom)
    for claim, recipe in REVERSED.items():
        treated, control, names = pairs(rows, recipe)
        if len(names) > 1:
            words = f"{len(names)} pairs of {names[0].partition('-')[0]} on {rows['dataset'].values[0]}"
            add(claim, statistics.paired_difference(treated, control), words)
    if finished(rows).sizes["model"] > 1:
        add("selectivity-7", shift_difference(rows), whom)
    return claims.judge("class_selectivity", evidence)


def _key(words: str) -> str:
    for old, new in ((">= 0", "up"), ("<= 0", "down"), (",", ""), (" ", "_")):
        words = words.replace(old, new)
    return words.lower()


def numbers(rows, slopes, verdicts) -> dict:
    """Return every number that the study's page quotes, by name."""
    runs, found = finished(rows), {}
    alpha, known = runs["alpha"].values.astype(float), quantities(runs)
    for line in slopes.to_dict("records"):
        key = f"{_key(line['quantity'])}_over_{_key(line['over'])}"
        found |= {f"{key}_{part}": float(line[part]) for part in ("slope", "low", "high")}
    for claim, line in verdicts.iterrows():
        key = claim.replace("-", "_")
        found |= {f"{key}_{part}": line[part] for part in ("verdict", "estimate", "low", "high", "n")}
    for name, values in known.items():
        for where, place in (("lowest", alpha.min()), ("zero", 0.0), ("highest", alpha.max())):
            there = values[(alpha == place) & np.isfinite(values)]
            found[f"{_key(name)}_at_{where}"] = float(there.mean()) if len(there) else float("nan")
    for recipe in REVERSED.values():
        treated, control, names = pairs(rows, recipe)
        found[f"{recipe}_selectivity"] = float(treated.mean()) if len(names) else float("nan")
        found[f"{recipe}_plain_selectivity"] = float(control.mean()) if len(names) else float("nan")
    first = runs.isel(model=0)
    return found | {
        "alpha_lowest": float(alpha.min()),
        "alpha_highest": float(alpha.max()),
        "n_alphas": len(set(alpha)),
        "n_seeds": len(set(runs["training_seed"].values.tolist())),
        "n_runs": int(runs.sizes["model"]),
        "n_beside": int(np.isnan(rows["alpha"].values.astype(float)).sum()),
        "n_diverged": int(rows["diverged"].values.astype(bool).sum()),
        "n_layers": int(np.isfinite(runs["selectivity"].isel(model=0).values.astype(float)).sum()),
        "n_units": int(first["n_units"]),
        "floor": float(runs["selectivity_floor"].mean()),
        "smallest_step": smallest_step(rows),
        "fgsm": smallest_attack(rows, "fgsm"),
        "pgd": smallest_attack(rows, "pgd"),
        "step_budget": str(first["step_budget"].values),
        "strongest": next((str(s) for s in runs["strongest"].values if s), "–"),
        "n_strong": int(np.isfinite(runs["strong_accuracy"].values.astype(float)).sum()),
        "n_changed": int(first["n_changed"]),
        "n_gradients": int(first["n_gradients"]),
        "schedule": schedule(str(first["schedule"].values)),
    }


def schedule(recipe: str) -> str:
    """Return how a network was trained, in words, from the recipe in its row.

    >>> schedule('{"optimiser": "sgd", "learning_rate": 0.2, "schedule": "one_cycle", "epochs": 8, "batch_size": 128, '
    ...          '"n_images": 20000}')
    '8 epochs of 20,000 images, batches of 128, sgd, one cycle up to a rate of 0.2'
    """
    import json

    try:
        r = json.loads(recipe)
        images = f" of {r['n_images']:,} images" if r.get("n_images") else ""
        how = {"one_cycle": "one cycle up to", "steps": "steps from"}.get(
            r["schedule"], r["schedule"] + " from"
        )
        return (
            f"{r['epochs']} epochs{images}, batches of {r['batch_size']}, {r['optimiser']}, "
            f"{how} a rate of {r['learning_rate']:g}"
        )
    except (ValueError, KeyError, TypeError):
        return recipe or "–"
