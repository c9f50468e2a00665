"""The networks of a study and the images they are measured on.

The images of an indicator and those of the robustness are disjoint parts of a test split, or of two data sets,
so that no chance of one image enters both sides of a correlation.
"""

from dataclasses import dataclass, fields, replace
from functools import cached_property

from robustshape.attacks.stages import Stage, ladder
from robustshape.datasets.selection import FIRST_VERSION, Selection
from robustshape.errors import InputError
from robustshape.measurements import attacked, corrupted, features
from robustshape.measurements.corrupted import GENERATED, CorruptedImages
from robustshape.models.network import Network
from robustshape.store.keys import key_of, since
from robustshape.values import as_list, checked_seed


@dataclass(frozen=True)
class Population:
    """Networks and images; its fields are parameters of every study's notebook. Made by `Population.of`."""

    models: tuple[str, ...]
    dataset: str
    reading: str | None = None  # of the images, see robustshape.datasets.load; None: the data set's own
    n_samples: int = 1000  # for the indicator; 0: it has none of its own, but those of the robustness
    robustness_dataset: str = ""  # of the robustness images, where it is not `dataset`
    robustness_reading: str | None = None  # of the robustness images, where it is not `reading`
    n_robustness: int = 500
    corruptions: tuple[str, ...] = ("standard",)
    severities: tuple[int, ...] = (1, 3, 5)
    corrupted: str = GENERATED  # or stored: see robustshape.measurements.corrupted
    constants: str = "auto"  # of the corruptions, see robustshape.corruptions.corrupt
    attacks: tuple[Stage, ...] = ()  # a ladder, see robustshape.measurements.attacked
    epochs: int = 0  # of training; 0 leaves it to the recipe
    seed: int = 0

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of the parameters that describe a population."""
        return [field.name for field in fields(cls)]

    @classmethod
    def of(cls, **given) -> "Population":
        """Return the Population that a notebook's parameters describe, checked; lists may be JSON text."""
        from robustshape import corruptions as known
        from robustshape.corruptions import CORRUPTIONS
        from robustshape.datasets import DATASETS

        raw = cls(**given)
        for name in filter(None, (raw.dataset, raw.robustness_dataset)):
            DATASETS[name]  # an unknown name raises with the closest three
        names = as_list(raw.corruptions, "corruptions", empty=True)
        names = list(known.STANDARD) if names == ["standard"] else names
        for name in names:
            CORRUPTIONS[name]
        severities = as_list(raw.severities, "severities", int)
        if any(not 1 <= severity <= 5 for severity in severities):
            raise InputError(f"severities run from 1 to 5, but {severities} were given")
        if raw.epochs < 0:
            raise InputError(f"epochs is 0 (the recipe's own) or more, but was {raw.epochs}")
        stages = ladder(as_list(raw.attacks, "attacks", empty=True))
        checked_seed(raw.seed)
        if raw.n_samples < (0 if raw.n_robustness else 1):
            raise InputError(f"n_samples is at least 1, but was {raw.n_samples}")
        if raw.n_robustness < (1 if names or stages else 0):
            raise InputError(
                f"n_robustness is at least 1, but was {raw.n_robustness}; it may be 0 only without corruptions and "
                "attacks"
            )
        population = replace(
            raw,
            models=tuple(as_list(raw.models, "models")),
            reading=raw.reading or None,
            robustness_reading=raw.robustness_reading or None,
            corruptions=tuple(names),
            severities=tuple(severities),
            attacks=stages,
        )
        population.corrupted_images.check()
        if stages:
            attacked.tries(stages, population.held_out)  # more images than there are raise
        known_as = {}
        for network in population.networks:  # an unknown one raises before anything is computed
            key = key_of(network.identity)
            if key in known_as:
                raise InputError(f"{known_as[key]!r} and {network.name!r} are the same network; name it once")
            known_as[key] = network.name
        return population

    @cached_property
    def networks(self) -> list[Network]:
        """The networks, in order."""
        return list(self._by_name.values())

    def network(self, name: str) -> Network:
        """Return the network called `name`, if of ours then trained on the population's data set."""
        return self._by_name.get(name) or self._of(name)

    @cached_property
    def _by_name(self) -> dict[str, Network]:
        return {name: self._of(name) for name in self.models}

    def _of(self, name: str) -> Network:
        return Network.of(name, dataset=self.dataset, epochs=self.epochs, reading=self.reading)

    @cached_property
    def selections(self) -> list[Selection]:
        """The images of the indicator and, if any, those of the robustness: no image in both."""
        if self.robustness_dataset not in ("", self.dataset):
            indicator = self.dataset, self.n_samples, self.reading
            held_out = self.robustness_dataset, self.n_robustness, self.robustness_reading
            both = [(name, n, how) for name, n, how in (indicator, held_out) if n]
            return [Selection(name, (n,), 0, self.seed, reading=how) for name, n, how in both]
        sizes = tuple(n for n in (self.n_samples, self.n_robustness) if n)
        parts = Selection.parts(self.dataset, sizes, seed=self.seed, reading=self.reading)
        if self.robustness_reading and self.n_robustness:
            parts[-1] = replace(parts[-1], reading=self.robustness_reading)
        return parts

    @property
    def clean(self) -> Selection:
        """The images of the indicator."""
        return self.selections[0]

    @property
    def held_out(self) -> Selection:
        """The images of the robustness; where there are none, accuracy is that on the indicator's."""
        return self.selections[-1]

    @cached_property
    def corrupted_images(self) -> CorruptedImages:
        """The images of the robustness under every corruption."""
        return CorruptedImages(
            self.held_out, self.corruptions, self.severities, self.seed, self.constants, self.corrupted
        )

    def specification(self, network: Network) -> dict:
        """Return what defines the common part of a network's row."""
        from robustshape.corruptions import VERSION as CORRUPTIONS_VERSION
        from robustshape.corruptions import stored, versions

        found = {
            "model": network.identity,
            "indicator images": self.clean.identity(),
            "robustness images": self.held_out.identity(),
            "corruptions": list(self.corruptions),
            "severities": list(self.severities),
            "seed": self.seed,
            "constants": self.constants,
            "version": [features.VERSION, corrupted.VERSION, CORRUPTIONS_VERSION],
        }
        changed = versions(self.corruptions) if self.corrupted != corrupted.STORED else {}
        if changed:
            found["corruption versions"] = changed
        if self.attacks:
            found |= {"attacks": [str(stage) for stage in self.attacks], "attacks version": attacked.VERSION}
            found |= self.first_images(*(stage.n for stage in self.attacks if stage.n))
        if self.corrupted != GENERATED:
            found["corrupted"] = [self.corrupted, stored.VERSION]
        if self.corrupted == corrupted.STORED:
            found["corrupted files"] = list(self.corrupted_images.files.values())
        return found

    def first_images(self, *sizes: int) -> dict:
        """Return the version of the choice of the first images of the robustness; empty where all of them are wanted."""
        fewer = min(sizes, default=self.held_out.n) < self.held_out.n
        return since("first images", FIRST_VERSION, 1) if fewer else {}

    def features(self, network: Network):
        """Return the finished features of the indicator's images, in memory."""
        return features.open_features(network, self.clean).load()

    def correct(self, network: Network):
        """Return which robustness images are classified rightly: clean (sample,), corrupted (..., sample)."""
        clean = features.open_features(network, self.held_out)
        found = corrupted.correct(network, self.corrupted_images)
        return (clean["logits"].argmax("class") == clean["label"]).values, found.values

    def attacked_features(self, network: Network, stage: str):
        """Return the features of the same images clean and attacked; `stage` is one attack at one budget."""
        under = attacked.features_under(network, self.held_out, Stage.parse(stage), self.seed)
        clean = features.open_features(network, self.held_out)
        return clean.sel(sample=under.sample.values).load(), under
