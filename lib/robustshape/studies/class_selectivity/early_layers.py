"""The dimensionality of a network's early layers: of clean responses, and of what corruption and attack change."""

import numpy as np

from robustshape import statistics
from robustshape.studies.class_selectivity.inside import early

SHIFTS = {  # as they are called in figures
    "clean, all": "clean, all images",
    "clean": "clean",
    "corrupted": "corrupted minus clean",
    "attacked": "attacked minus clean",
    "random": "random signs minus clean",
}


def _of_early(values, rows) -> np.ndarray:
    """Return the mean over the first third of each row's own layers: (model,); networks may differ in their number."""
    depths = np.isfinite(rows["selectivity"].transpose("model", "depth").values.astype(float)).sum(1)
    means = np.full(len(depths), np.nan)
    for i, n_layers in enumerate(depths):
        own = values[i, early(int(n_layers))] if n_layers else values[i, :0]
        if np.isfinite(own).any():
            means[i] = own[np.isfinite(own)].mean()
    return means


def early_dimension(rows, shift: str, measure: str = "components95") -> np.ndarray:
    """Return the dimensionality of the early layers of each run: (model,), NaN of one that diverged.

    Parameters
    ----------
    rows : xarray.Dataset
        Of the study.
    shift : str
        Of `SHIFTS`.
    measure : str
        Of `inside.DIMENSIONS`.
    """
    values = rows["dimensionality"].sel(shift=shift, measure=measure).transpose("model", "depth")
    return _of_early(values.values.astype(float), rows)


def shift_difference(rows, other: str = "corrupted") -> statistics.OverGroups:
    """Return the early dimension of the change under attack minus that under another shift, over the seeds of these runs."""
    difference = early_dimension(rows, "attacked") - early_dimension(rows, other)
    return statistics.mean_over_groups(difference, rows["training_seed"].values)


def under_corruptions(rows):
    """Return the early dimension of the change under each corruption, the mean over these runs, the largest first."""
    import pandas as pd

    lines = []
    for name in map(str, rows["corruption"].values):
        values = rows["components_under"].sel(corruption=name).transpose("model", "depth")
        found = _of_early(values.values.astype(float), rows)
        lines.append({"change under": name.replace("_", " "), "early dimension": float(np.nanmean(found))})
    return pd.DataFrame(lines).sort_values("early dimension", ascending=False, ignore_index=True)
