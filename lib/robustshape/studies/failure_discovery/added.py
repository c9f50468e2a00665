"""Attributes that were added after rows were measured: each joins them with numbers of its own, and voids none.

A row holds the first attributes (`attributes.FIRST`). What a classifier predicts along another one is a part of the row
with a key of its own.
"""

from dataclasses import dataclass

from robustshape.generators.attributes import added, identity
from robustshape.measurements.population import Population
from robustshape.models.network import Network
from robustshape.store.kept import Kept
from robustshape.studies.failure_discovery import directions, movements
from robustshape.studies.failure_discovery.predictions import Subject
from robustshape.studies.failure_discovery.scene import Scene
from robustshape.studies.failure_discovery.walks import walks


@dataclass(frozen=True)
class AddedAttributes:
    """The attributes beyond the first ones, in one scene."""

    scene: Scene

    def kept(self, network: Network) -> dict[str, Kept]:
        """Return the entry of each added attribute by its name; nothing is computed."""
        spec = {
            "kind": "attribute",
            "version": movements.VERSION,
            **self.scene.identity(),
            "model": network.identity,
        }
        return {name: Kept("attributes", spec | {"attribute": identity(name)}) for name in added()}

    def compute(self, network: Network, names: list[str]) -> None:
        """Show a classifier the walk along each attribute; keep its predictions, and what the attribute sees of the sweep."""
        movements.show(self.scene)
        directions.show(self.scene)
        subject = Subject(self.scene, network.load())
        for name in names:
            effects = movements.effect_of(self.scene, name).open()["effect"]
            found = walks(subject, [name]).assign(effect=effects.astype("float32"))
            self.kept(network)[name].save(found.drop_vars(("walk_label", "walk_sample")))


def parts(population: Population, settings) -> AddedAttributes:
    """Return which attributes of a row have keys of their own."""
    return AddedAttributes(settings.scene(population))
