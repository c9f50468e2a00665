"""Estimates for the claims of the k* study, and nothing else."""

import numpy as np

from robustshape.analysis.networks import networks
from robustshape.analysis.purity_and_kstar import of_kstar
from robustshape.studies.kstar_skewness.analyse import PLOTS, columns
from robustshape.studies.kstar_skewness.reported import zero_shot_accuracies
from robustshape.studies.kstar_skewness.twin import NAME


def estimates(rows) -> dict:
    """Return the primary quantity of each claim with its interval over families, or why there is none."""
    known, reported = columns(rows), zero_shot_accuracies()
    shapes = {name: known[name] for name in ("log_mean_rank", *(f"{method}_hit" for method in PLOTS))}
    if "indicator_value" in rows:
        shapes[NAME] = rows["indicator_value"].sel(indicator=NAME).mean("draw").values.astype(float)
    zero_shot = np.array([reported.get(str(model), np.nan) for model in rows.model.values])
    return of_kstar(rows, networks(rows, {**shapes, "zero_shot": zero_shot}))
