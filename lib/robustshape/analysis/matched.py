"""The matched population: one architecture under several recipes and seeds, where nothing but the training differs.

A pool of unlike networks mixes accurate fragile ones with inaccurate robust ones, so that any number which follows
accuracy looks like a predictor of robustness there, even with the wrong sign.
"""

import numpy as np

ONE_ARCHITECTURE = "cnn_a"  # the one trained under every recipe with several seeds


def matched(rows):
    """Return the rows of ONE_ARCHITECTURE trained here under at least three recipes, or None."""
    chosen = (rows["family"].values == ONE_ARCHITECTURE) & (rows["training_seed"].values >= 0)
    ours = rows.isel(model=np.flatnonzero(chosen))
    return ours if len(set(ours["recipe"].values)) > 2 else None
