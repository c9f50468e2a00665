"""A run of a study beside the published one: do they agree, and what does a page say of the run?"""

import numpy as np

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
