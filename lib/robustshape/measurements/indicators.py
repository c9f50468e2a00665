"""Every registered indicator of a network, each an entry of its own: a new one voids no other.

They are measured on draws of classes, see `robustshape.measurements.draws`: on the features of the same images for
all indicators and all networks.
"""

import time
from dataclasses import dataclass

from robustshape.datasets.selection import Selection
from robustshape.indicators import INDICATORS, value
from robustshape.measurements import features
from robustshape.measurements.draws import class_draws
from robustshape.measurements.layers import layer_features
from robustshape.models.network import Network
from robustshape.store.kept import Kept

VERSION = 1  # raise when a change of the draws changes the numbers of all


@dataclass(frozen=True)
class OnDraws:
    """On which features of which images indicators are measured."""

    selection: Selection
    n_classes: int  # of a draw, see `class_draws`
    per_class: int
    n_draws: int
    layer: str = "penultimate"
    normalise: bool = False
    without: tuple[str, ...] = ()  # indicators that a study measures itself
    calibrated: bool = True  # whether classes outside a draw calibrate the multicut; else it has no number

    def kept(self, network: Network) -> dict[str, Kept]:
        """Return the entry of each indicator by its name; nothing is computed."""
        spec = {
            "kind": "indicator",
            "version": [VERSION, features.VERSION],
            "model": network.identity,
            "images": self.selection.identity(),
            "draws": [self.n_classes, self.per_class, self.n_draws, self.selection.seed],
            "layer": self.layer,
            "normalise": self.normalise,
        }
        return {
            name: Kept(
                "indicators",
                spec | {"indicator": name, "indicator version": INDICATORS.about(name)["version"]},
            )
            for name in INDICATORS.names()
            if name not in self.without
        }

    def compute(self, network: Network, names: list[str]) -> None:
        """Compute and keep the indicators of these names, from finished features.

        Each entry has ``indicator_value (indicator, draw)`` and ``indicator_seconds (indicator)``, the mean of a draw.
        """
        import numpy as np
        import xarray

        store = features.open_features(network, self.selection)
        labels, logits = store["label"].values, store["logits"].values
        shape = layer_features(network, self.selection, self.layer, normalise=self.normalise)
        drawn = class_draws(
            labels, n_classes=self.n_classes, per_class=self.per_class, n_draws=self.n_draws,
            seed=self.selection.seed, calibrated=self.calibrated,
        )  # fmt: skip
        entries = self.kept(network)
        for name in names:
            began, values = time.perf_counter(), []
            for i, draw in enumerate(drawn):
                at, other = draw.scored, draw.calibration
                rng = np.random.default_rng([self.selection.seed, 4, i])
                given = {"features": shape[at], "labels": labels[at], "logits": logits[at], "rng": rng}
                calibration = (shape[other], labels[other]) if len(other) else None
                values.append(value(name, **given, calibration=calibration))
            seconds = (time.perf_counter() - began) / len(drawn)
            found = {
                "indicator_value": (("indicator", "draw"), [values]),
                "indicator_seconds": ("indicator", [seconds]),
            }
            entries[name].save(xarray.Dataset(found, coords={"indicator": [name]}))
