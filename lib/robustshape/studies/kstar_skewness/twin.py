"""k* over that of normal classes of the same moments (claim kstar-1), on all images: a part of a row with a key of its own."""

import time
from dataclasses import dataclass

import numpy as np

from robustshape.datasets.selection import Selection
from robustshape.indicators import INDICATORS
from robustshape.indicators.kstar_unstructured import log_rank_over_twin
from robustshape.measurements import features
from robustshape.measurements.population import Population
from robustshape.models.network import Network
from robustshape.store.kept import Kept

NAME = "log_rank_over_twin"


@dataclass(frozen=True)
class OverTwin:
    """The images on which k* is compared with that of a twin."""

    selection: Selection

    def kept(self, network: Network) -> dict[str, Kept]:
        """Return the entry of the comparison by its name; nothing is computed."""
        spec = {
            "kind": "k* over twin",
            "version": [INDICATORS.about(NAME)["version"], features.VERSION],
            "model": network.identity,
            "images": self.selection.identity(),
        }
        return {NAME: Kept("indicators", spec)}

    def compute(self, network: Network, names: list[str]) -> None:
        """Compute and keep it, from finished features: ``indicator_value (indicator, draw)``, of the one draw that all images are."""
        import xarray

        store, began = features.open_features(network, self.selection), time.perf_counter()
        rng = np.random.default_rng([self.selection.seed, 5])
        found = log_rank_over_twin(store["features"].values, store["label"].values, rng=rng)
        made = {
            "indicator_value": (("indicator", "draw"), [[found]]),
            "indicator_seconds": ("indicator", [time.perf_counter() - began]),
        }
        self.kept(network)[NAME].save(xarray.Dataset(made, coords={"indicator": [NAME]}))


def parts(population: Population, settings) -> OverTwin:
    """Return which numbers of a row have keys of their own; Euclidean ones, whatever the metric of the row."""
    return OverTwin(population.clean)
