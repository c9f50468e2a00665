"""A run of a study beside the published one: do they agree, and what does a page say of the run?"""

import numpy as np

from robustshape.errors import StoreError
from robustshape.store.provenance import read
from robustshape.store.results import PUBLISHED, published_file, read_published


def agreement(result, *, quantities: tuple[str, ...], tolerance: float = 1e-6):
    """Compare the rows measured here with the published ones of the same preset.

    Parameters
    ----------
    result : xarray.Dataset
        What `gather` returned.
    quantities : tuple of str
        Names of numbers, or arrays of numbers, of each model; of an array the table shows the mean.
    tolerance : float
        Largest difference of any number that still counts as agreement.

    Returns
    -------
    pandas.DataFrame
        For each model in both: each quantity here and as published, whether the two are defined alike
        (equal keys), the largest difference, and whether they agree. Empty if there is nothing to compare.
    """
    import pandas

    study, preset = result.attrs["study"], result.attrs["preset"]
    if not published_file(study, preset).is_file():
        return pandas.DataFrame()
    stored = read_published(study, preset)
    rows = []
    for model in map(str, result.model.values):
        here = result.sel(model=model)
        if model not in set(map(str, stored.model.values)) or str(here["origin"].item()) == PUBLISHED:
            continue
        there = stored.sel(model=model)
        row = {"model": model, "defined alike": str(here["key"].item()) == str(there["key"].item())}
        gap = 0.0
        for quantity in quantities:
            if quantity not in here and quantity not in there:
                continue
            if quantity not in here or quantity not in there:
                gap = np.inf
                continue
            ours, theirs = here[quantity].values, there[quantity].values
            row[f"{quantity} here"], row[f"{quantity} published"] = float(ours.mean()), float(theirs.mean())
            if ours.shape != theirs.shape or (np.isnan(ours) != np.isnan(theirs)).any():
                gap = np.inf
            else:
                gap = max(gap, float(np.nan_to_num(abs(ours - theirs)).max()))
        rows.append(row | {"largest difference": gap, "agree": gap <= tolerance})
    return pandas.DataFrame(rows)


def about(result, *, quantities: tuple[str, ...]) -> dict:
    """Return what a page says of a run in words and numbers: its size, origin, and agreement.

    Returns
    -------
    dict
        ``n_models``, ``n_families``, ``dataset``, ``n_samples``, ``n_robustness``, ``seed``, ``preset``,
        ``origin`` (how many rows were measured here and how many are published), ``commit``, ``device``,
        ``missing`` and ``agreement`` with the published run of the same preset, in a sentence.
    """
    first, code = result.isel(model=0), read(result.isel(model=0))
    origins = [str(origin) for origin in result["origin"].values]
    counts = {origin: origins.count(origin) for origin in dict.fromkeys(origins)}
    try:
        words = _in_words(agreement(result, quantities=quantities), set(origins), result.attrs["preset"])
    except StoreError as error:
        words = f"the published file cannot be read, so nothing is compared: {error}"
    return {
        "n_models": result.sizes["model"],
        "n_families": len(set(result["family"].values)),
        "dataset": str(first["dataset"].values),
        "n_samples": f"{int(first['n_samples']):,}",
        "n_robustness": f"{int(first['n_robustness']):,}",
        "n_corruptions": result.sizes.get("corruption", 0),
        "severities": ", ".join(str(s) for s in result["severity"].values) if "severity" in result else "",
        "seed": int(first["seed"]),
        "preset": result.attrs["preset"],
        "origin": ", ".join(f"{n} {origin}" for origin, n in counts.items()),
        "commit": code["code"],
        "device": code["device"],
        "missing": ", ".join(result.attrs["missing"]) or "none",
        "agreement": words,
    }


def _in_words(table, origins: set[str], preset: str) -> str:
    if origins == {PUBLISHED}:
        return "these are the published numbers"
    if table.empty:
        return f"nothing is published for the preset {preset!r} to compare with"
    words = (
        f"this run agrees with the published one in {int(table['agree'].sum())} of {len(table)} rows "
        f"(largest difference {table['largest difference'].max():.2g})"
    )
    changed = int((~table["defined alike"]).sum())
    return words + (f"; {changed} are defined otherwise than the published ones" if changed else "")
