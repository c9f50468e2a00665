"""Estimates for the claims of the study of failures, and nothing else."""

import numpy as np

from robustshape.statistics.jackknife import mean_over_groups
from robustshape.studies.failure_discovery.analyse import chosen_over_random, clean_trained, profile_contrast

NOT_REGRESSED = "directions by regression on the styles were not measured"


def estimates(rows) -> dict:
    """Return the primary quantity of each claim with its interval, or why there is none.

    That of failure-1 is over training runs; of the others over generators, the mean over the classifiers behind one.
    """
    clean = clean_trained(rows)
    profiles = np.array([profile_contrast(clean.isel(model=i)) for i in range(clean.sizes["model"])])
    profile = mean_over_groups(profiles, clean["model"].values.astype(str))
    worse = [chosen_over_random(rows.isel(model=i)) for i in range(rows.sizes["model"])]
    return {
        "failure-1": profile if profile.n else "no classifier of clean digits was shown these corruptions",
        "failure-2": mean_over_groups(worse, rows["generator"].values.astype(str)),
        "failure-3": NOT_REGRESSED,
        "failure-4": NOT_REGRESSED,
    }
