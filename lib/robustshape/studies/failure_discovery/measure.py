"""The study of failures: its settings, and the images of a generator that all its classifiers are shown."""

import math
from dataclasses import dataclass, replace

from robustshape.errors import InputError
from robustshape.generators import stylespace
from robustshape.generators.attributes import ATTRIBUTES
from robustshape.measurements.population import Population
from robustshape.models.network import Network
from robustshape.studies.failure_discovery import added, directions, movements, repair, row
from robustshape.studies.failure_discovery.predictions import Subject
from robustshape.studies.failure_discovery.scene import UNITS, Scene, check_fits, fitting, generator_path
from robustshape.studies.seeds import at_every_seed
from robustshape.studies.study import Settings, Study
from robustshape.values import as_list

NOISES = ("const", "none")


@dataclass(frozen=True)
class FailureSettings(Settings):
    """The study's own parameters, explained in its notebook."""

    classifiers: tuple[str, ...]
    seeds: tuple[int, ...]
    classifier: str
    generator: str
    judge: str
    n_samples: int
    n_moved: int
    n_walked: int
    distance: float
    shifts: tuple[float, ...]
    shift_unit: str
    map_attributes: tuple[str, str]
    truncation_psi: float
    noise: str
    score: str
    reduction: str
    scaled: bool
    space: str
    n_dimensions: int
    with_repair: bool
    corner_set: str

    decided = ("models",)

    def rows(self, models) -> dict[str, tuple[str, dict]]:
        """Return a row for each classifier, the reader's own first; no indicator is taken of real images."""
        seeds = as_list(self.seeds, "seeds", int)
        if min(seeds) < 0:
            raise InputError(f"seeds are whole numbers from 0, but {min(seeds)} was given")
        others = as_list(self.classifiers, "classifiers", empty=bool(self.classifier))
        known = at_every_seed([*([self.classifier] if self.classifier else []), *others], seeds)
        return {name: (name, {"n_samples": 1}) for name in known}  # a population has one at least

    def check(self, population: Population) -> "FailureSettings":
        """Return the settings as they are used, or raise InputError."""
        if not population.corruptions:
            raise InputError(
                "corruptions names at least one, for failures are compared with those under corruption"
            )
        shifts = as_list(self.shifts, "shifts", float)
        if shifts[0] != 0 or sorted(shifts) != shifts or len(shifts) < 2:
            raise InputError(f"shifts are ascending from 0, at least two, but were {shifts}")
        for name, allowed in (
            ("score", stylespace.SCORES),
            ("reduction", stylespace.REDUCTIONS),
            ("space", stylespace.SPACES),
            ("noise", NOISES),
            ("shift_unit", tuple(UNITS)),
        ):
            if getattr(self, name) not in allowed:
                raise InputError(f"{name} is one of {', '.join(allowed)}, but was {getattr(self, name)!r}")
        for name, fewest in (("n_samples", 2), ("n_moved", 2), ("n_walked", 1), ("n_dimensions", 1)):
            if getattr(self, name) < fewest:
                raise InputError(f"{name} is at least {fewest}, but was {getattr(self, name)}")
        if not math.isfinite(self.distance) or self.distance <= 0 or not 0 < self.truncation_psi <= 1:
            raise InputError(
                f"distance is above 0 and truncation_psi above 0 and at most 1, but they were {self.distance} and "
                f"{self.truncation_psi}"
            )
        pair = as_list(self.map_attributes, "map_attributes")
        for attribute in pair:
            ATTRIBUTES[attribute]  # an unknown one raises with the closest three
        if len(pair) != 2:
            raise InputError(f"map_attributes are two attributes, but were {pair}")
        if self.corner_set:
            repair.check_target(self.corner_set)
        return replace(self, shifts=tuple(shifts), map_attributes=tuple(pair))

    @property
    def choice(self) -> dict:
        """How the gradient chooses dimensions, see `choice.picked`."""
        names = ("score", "reduction", "scaled", "space", "n_dimensions")
        return {name: getattr(self, name) for name in names}

    def scene(self, population: Population) -> Scene:
        """Return what every classifier is shown."""
        return Scene(
            self.generator, population.dataset, population.reading, self.judge, population.epochs, self.n_samples,
            self.n_moved, self.n_walked, float(self.distance), self.shifts, self.map_attributes,
            float(self.truncation_psi), self.noise, population.seed, self.shift_unit,
        )  # fmt: skip

    def key(self, population: Population, network: Network) -> dict:
        """Return what of the settings defines a classifier's row."""
        return {
            "movements version": movements.VERSION,
            "scene": self.scene(population).identity(),
            "choice": self.choice,
            "repair": self.with_repair,
        }


def check(population: Population, networks: list[Network], settings: FailureSettings) -> None:
    """Raise InputError if a classifier does not fit the generator, before any is trained."""
    from robustshape.generators.stylegan2 import read_network

    scene = settings.scene(population)
    generator = read_network(generator_path(scene.generator))
    inside = stylespace.StyleSpace.of(generator).inside(settings.space)
    if settings.n_dimensions > len(inside):
        raise InputError(
            f"this generator has {len(inside)} dimensions in the space {settings.space!r}, but n_dimensions was "
            f"{settings.n_dimensions}"
        )
    for network in dict.fromkeys([*networks, scene.judging]):
        if network.trained_here:
            known = (network.identity[name] for name in ("n_classes", "size", "channels"))
            check_fits(generator, network.name, *known)
        else:
            fitting(generator, network.load())


def judge_of(population: Population, networks: list[Network], settings: FailureSettings) -> list[Network]:
    """Return the judge, which is trained beside the classifiers."""
    return [settings.scene(population).judging]


def show(population: Population, networks: list[Network], settings: FailureSettings, client=None) -> None:
    """Make the images of a scene's movements, where they are not kept yet."""
    movements.show(settings.scene(population), client)
    directions.show(settings.scene(population), client)


def export_corner_cases(plan) -> None:
    """Write the corner cases of the first classifier, where a file for them is named."""
    if plan.settings.corner_set:
        population, network = next(iter(plan.cases.values()))
        show(population, [network], plan.settings)
        subject = Subject(plan.settings.scene(population), network.load())
        call = repair.export(subject, plan.settings.corner_set)
        print(f"corner cases of {network.name}, opened by {call}")


STUDY = Study(
    name="failure_discovery",
    title="Which visible changes make a classifier fail? (failure discovery in StyleSpace)",
    settings=FailureSettings,
    row=row.of_classifier,
    variables=row.VARIABLES,
    coordinates=row.COORDINATES,
    quantities=("accuracy", "corrupted_accuracy", "start_accuracy", "fall", "walk_accuracy", "repair"),
    version=4,
    first_version=4,
    check=check,
    needs=judge_of,
    before=show,
    after=export_corner_cases,
    parts=added.parts,
    along="attribute",
)
