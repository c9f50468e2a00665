"""Estimates for the claims of the study of failures, and nothing else."""

import numpy as np

from robustshape.statistics.jackknife import mean_over_groups
from robustshape.studies.failure_discovery import analyse


def estimates(rows) -> dict:
    """Return the primary quantity of each claim with its interval over runs or generators, or why there is none.

    Over the classifiers trained here on clean digits; those behind one generator are one generator.
    """
    runs = analyse.clean_trained(rows)
    if not runs.sizes["model"]:
        return dict.fromkeys(
            (f"failure-{i}" for i in range(1, 5)), "no network was trained here on clean digits"
        )
    generators = runs["generator"].values.astype(str)

    def mean(quantity, groups, why):
        values = np.array([quantity(runs.isel(model=i)) for i in range(runs.sizes["model"])])
        return mean_over_groups(values, groups) if np.isfinite(values).any() else why

    nothing = "no probability decreased along these attributes"
    return {
        "failure-1": mean(
            analyse.profile_contrast,
            runs.model.values,
            "noise, blur and contrast were not measured at severity 3",
        ),
        "failure-2": mean(analyse.chosen_over_random, generators, "no dimension was moved"),
        "failure-3": mean(analyse.classes_hit, generators, nothing),
        "failure-4": mean(analyse.shape_over_quality, generators, nothing),
    }
