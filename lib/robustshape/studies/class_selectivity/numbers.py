"""Every number that the page of the selectivity study quotes."""

import numpy as np

from robustshape.studies.class_selectivity.analyse import (
    finished,
    quantities,
    ruined,
    smallest_attack,
    smallest_step,
)
from robustshape.studies.class_selectivity.early_layers import shift_difference
from robustshape.studies.class_selectivity.reverse import REVERSE, pairs
from robustshape.studies.class_selectivity.tables import images_seen, schedule


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
