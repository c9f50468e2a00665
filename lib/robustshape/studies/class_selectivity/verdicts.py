"""Verdicts on the claims of the selectivity study, and every number that its page quotes."""

import numpy as np

from robustshape import statistics
from robustshape.analysis import claims
from robustshape.studies.class_selectivity.analyse import (
    finished,
    quantities,
    ruined,
    smallest_attack,
    smallest_step,
)
from robustshape.studies.class_selectivity.early_layers import shift_difference
from robustshape.studies.class_selectivity.reverse import REVERSE, architectures, pairs

DOWN, UP = "alpha <= 0", "alpha >= 0"
JUDGED = {  # claim: quantity, and over what its slope is taken
    "selectivity-1": ("selectivity", "alpha"),
    "selectivity-2a": ("accuracy", UP),
    "selectivity-2b": ("accuracy", DOWN),
    "selectivity-3a": ("corrupted accuracy", DOWN),
    "selectivity-3b": ("corrupted accuracy", UP),
    "selectivity-4a": ("under PGD", DOWN),
    "selectivity-4b": ("under PGD", UP),
    "selectivity-6": ("early dimension, clean", "selectivity"),
    "selectivity-8": ("gradient CV over samples", "selectivity"),
    "selectivity-9": ("log Jacobian norm", "alpha"),
    "selectivity-10a": ("R", DOWN),
    "selectivity-10b": ("R", UP),
    "selectivity-11": ("own PGD less strongest", "alpha"),
}
REVERSED = {"selectivity-5a": "augmix", "selectivity-5b": "pgd"}


def judge(rows, slopes):
    """Return the verdict on each of the study's claims, given its `analyse.slope_table`."""
    preset, runs, evidence = rows.attrs["preset"], finished(rows), {}
    network = architectures([str(runs.model.values[0])])
    where = f"of {network} on {runs['dataset'].values[0]}"

    def add(claim, found, words):
        if np.isfinite(found.estimate):
            interval = (found.estimate, found.low, found.high, found.p_value)
            evidence[claim] = claims.Evidence(*interval, int(found.n), words, preset)

    for claim, (quantity, over) in JUDGED.items():
        line = slopes[(slopes["quantity"] == quantity) & (slopes["over"] == over)].iloc[0]
        words = f"{line['runs']} runs {where} ({line['alphas']} alphas)"
        add(claim, statistics.Estimate(*line[["slope", "low", "high", "p_value"]], line["runs"]), words)
    for claim, recipe in REVERSED.items():
        treated, control, names = pairs(rows, recipe)
        if len(names) > 1:
            words = f"{len(names)} pairs of {architectures(names)} on {rows['dataset'].values[0]}"
            add(claim, statistics.paired_difference(treated, control), words)
    if runs.sizes["model"] > 1:
        add("selectivity-7", shift_difference(runs), f"{runs.sizes['model']} runs {where}")
    return claims.judge("class_selectivity", evidence)


def _key(words: str) -> str:
    for old, new in ((">= 0", "up"), ("<= 0", "down"), (",", ""), (" / ", "_of_"), ("-", "_"), (" ", "_")):
        words = words.replace(old, new)
    return words.lower()


def numbers(rows, slopes, verdicts) -> dict:
    """Return every number that the study's page quotes, by name."""
    runs, found = finished(rows), {}
    alpha, known = runs["alpha"].values.astype(float), quantities(runs)
    known["floor"] = runs["selectivity_floor"].values.astype(float)
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
    for recipe in REVERSE:
        treated, control, names = pairs(rows, recipe)
        found[f"{recipe}_selectivity"] = float(treated.mean()) if len(names) else float("nan")
        found[f"{recipe}_plain_selectivity"] = float(control.mean()) if len(names) else float("nan")
        found[f"{recipe}_pairs"] = len(names)
    beyond = shift_difference(runs, "random")
    found |= {f"beyond_random_{part}": float(getattr(beyond, part)) for part in ("estimate", "low", "high")}
    first = runs.isel(model=0)
    recipe = str(first["schedule"].values)
    return found | {
        "alpha_lowest": float(alpha.min()),
        "alpha_highest": float(alpha.max()),
        "n_alphas": len(set(alpha)),
        "n_seeds": len(set(runs["training_seed"].values.tolist())),
        "n_runs": int(runs.sizes["model"]),
        "n_beside": int(np.isnan(rows["alpha"].values.astype(float)).sum()),
        "n_diverged": int(rows["diverged"].values.astype(bool).sum()),
        "n_ruined": int(ruined(runs).sum()),
        "ruined_alphas": ", ".join(f"{a:g}" for a in np.unique(alpha[ruined(runs)])) or "none",
        "n_layers": int(np.isfinite(first["selectivity"].values.astype(float)).sum()),
        "n_units": int(first["n_units"]),
        "smallest_step": smallest_step(rows),
        "fgsm": smallest_attack(rows, "fgsm"),
        "pgd": smallest_attack(rows, "pgd"),
        "step_budget": str(first["step_budget"].values),
        "steps": int(rows["step"].values[-1]),
        "middle_severity": int(first["middle_severity"]),
        "strongest": next((str(s) for s in runs["strongest"].values if s), "–"),
        "n_strong": int(np.isfinite(runs["strong_accuracy"].values.astype(float)).sum()),
        "n_changed": int(first["n_changed"]),
        "n_gradients": int(first["n_gradients"]),
        "schedule": schedule(recipe),
        "images_seen": images_seen(recipe),
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
        passes = f"{r['epochs']} epoch" + ("s" if r["epochs"] != 1 else "")
        return (
            f"{passes}{images}, batches of {r['batch_size']}, {r['optimiser']}, "
            f"{how} a rate of {r['learning_rate']:g}"
        )
    except (ValueError, KeyError, TypeError):
        return recipe or "–"


def images_seen(recipe: str) -> str:
    """Return how many images a network saw while it was trained, from the recipe in its row; "–" if it is not said.

    >>> images_seen('{"epochs": 8, "n_images": 20000}')
    '160,000'
    """
    import json

    try:
        r = json.loads(recipe)
        return f"{r['epochs'] * r['n_images']:,}"
    except (ValueError, KeyError, TypeError):
        return "–"
