"""How severe an image's corruptions look, from 0 to 5: regressions fitted on real images of known severity.

They judge a generator's images, whose severities nobody knows, without asking the classifier that is studied.
"""

import numpy as np

from robustshape.errors import InputError
from robustshape.generators.attributes import FIRST, measured

MILD = 0.5  # an image below it in every corruption counts as mildly corrupted


class Severities:
    """A regression for each corruption, from what the `attributes.FIRST` see; `fit`, then `predict`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> known = rng.integers(0, 6, (300, 1))
    >>> images = 0.5 + 0.05 * known[:, :, None] * rng.standard_normal((300, 12, 12))
    >>> found = Severities(["gaussian_noise"]).fit(images, known).predict(images)
    >>> bool(np.abs(found - known).mean() < 0.3)
    True
    """

    def __init__(self, corruptions):
        self.corruptions = list(corruptions)
        self._regressions = []

    def fit(self, images, severities) -> "Severities":
        """Fit the regressions to grey images (n, h, w) in [0, 1] and their severities (n, corruption)."""
        from sklearn.ensemble import HistGradientBoostingRegressor

        severities = np.asarray(severities)
        if severities.shape != (len(images), len(self.corruptions)):
            raise InputError(
                f"severities are (n, {len(self.corruptions)}) for {', '.join(self.corruptions)}, "
                f"but were {severities.shape} for {len(images)} images"
            )
        seen = _table(images)
        self._regressions = [
            HistGradientBoostingRegressor(max_iter=200, random_state=0).fit(seen, column)
            for column in severities.T
        ]
        return self

    def predict(self, images) -> np.ndarray:
        """Return (n, corruption) float: about 0 to 5."""
        if not self._regressions:
            raise InputError("the severities are not fitted yet; call fit first")
        seen = _table(images)
        return np.stack([regression.predict(seen) for regression in self._regressions], axis=1)

    @staticmethod
    def is_mild(found) -> np.ndarray:
        """Return (n,) bool: whether all severities (n, corruption) of an image are below `MILD`."""
        return (np.asarray(found) < MILD).all(axis=1)


def _table(images):
    return np.stack(list(measured(images, FIRST).values()), axis=1)
