"""The selectivity study: one network at every strength of a regulariser, what defines its rows, and what they need."""

from dataclasses import asdict, dataclass, replace
from fractions import Fraction

from robustshape import tasks
from robustshape.attacks.stages import Stage, in_words
from robustshape.errors import InputError
from robustshape.measurements import attack_steps, attacked
from robustshape.measurements.attack_steps import Steps
from robustshape.measurements.population import Population
from robustshape.models.network import Network
from robustshape.store.keys import since
from robustshape.studies.class_selectivity import row
from robustshape.studies.class_selectivity.grid import networks as grid
from robustshape.studies.class_selectivity.grid import source_of
from robustshape.studies.study import Settings, Study
from robustshape.values import as_list


@dataclass(frozen=True)
class SelectivitySettings(Settings):
    """The study's own parameters, explained in its notebook."""

    network: str
    alphas: tuple[float, ...]
    seeds: tuple[int, ...]
    beside: tuple[str, ...]
    steps: tuple[int, ...]
    step_budget: str
    n_attacked: int
    n_gradients: int
    strongest: str
    strongest_alphas: tuple[float, ...]

    decided = ("models",)

    @property
    def known(self) -> dict[str, tuple[float, int]]:
        """The networks by name, with their alpha and seed."""
        return grid(self.network, self.alphas, self.seeds, self.beside)

    @property
    def budget(self) -> Fraction:
        """The radius of the PGD that goes step by step."""
        return Stage.parse(f"pgd linf {self.step_budget}").budgets[0]

    def rows(self, models) -> dict[str, tuple[str, dict]]:
        """Return a row for each network of the grid."""
        return {name: (name, {}) for name in self.known}

    def check(self, population: Population) -> "SelectivitySettings":
        """Return the settings as they are used, or raise InputError."""
        steps = as_list(self.steps, "steps", int)
        if sorted(steps) != steps or steps[0] < 1:
            raise InputError(f"steps are ascending whole numbers from 1, but were {steps}")
        stage = Stage.parse(f"pgd linf {self.step_budget}")  # what is no budget raises
        if len(stage.budgets) > 1 or stage.n is not None:
            raise InputError(f"step_budget is one radius such as 1/255, but was {self.step_budget!r}")
        # three for the two nearest neighbours of an image, two for a deviation
        for name, fewest in (("n_attacked", 3), ("n_gradients", 2)):
            if not fewest <= getattr(self, name) <= population.held_out.n:
                raise InputError(
                    f"{name} is at least {fewest} and at most n_robustness, {population.held_out.n}, but was "
                    f"{getattr(self, name)}"
                )
        if not population.corruptions:
            raise InputError(
                "the average case is accuracy under corruption, so corruptions names at least one"
            )
        if population.corrupted_images.own:
            raise InputError(
                f"dimensions of what corruption changes compare an image with its corrupted version, but the benchmark "
                f"of {population.held_out.dataset} shows other photographs; use corrupted='generated'"
            )
        if _classes(population) < 2 or population.clean.n < 4:
            raise InputError(
                f"selectivity compares classes, so n_samples is at least two for each of two classes, but was "
                f"{population.clean.n}"
            )
        alphas = as_list(self.alphas, "alphas", float)
        hardest = as_list(self.strongest_alphas, "strongest_alphas", float, empty=True)
        if bool(self.strongest) != bool(hardest) or any(alpha not in alphas for alpha in hardest):
            raise InputError(
                f"strongest names an attack for the networks of strongest_alphas, which are some of alphas: give both or "
                f"neither, but they were {self.strongest!r} and {hardest}"
            )
        if self.strongest:
            strong = Stage.parse(self.strongest)
            attacked.tries(
                [*population.attacks, strong], population.held_out
            )  # more images than there are raise
            if len(strong.budgets) > 1 or strong.norm != "linf" or strong.budgets[0] != self.budget:
                raise InputError(
                    f"strongest is compared with PGD at step_budget, so it has that one L-infinity budget, "
                    f"{in_words(self.budget)}, but was {self.strongest!r}"
                )
        return replace(
            self, alphas=tuple(alphas), seeds=tuple(as_list(self.seeds, "seeds", int)), steps=tuple(steps),
            beside=tuple(as_list(self.beside, "beside", empty=True)), strongest_alphas=tuple(hardest),
        )  # fmt: skip

    def pgd(self, population: Population) -> Steps:
        """Return the PGD that goes step by step."""
        return Steps(population.held_out, self.n_attacked, self.budget, self.steps, population.seed)

    def strongest_of(self, network: Network) -> Stage | None:
        """Return the strongest attack, if this network is one of those that it attacks."""
        hard = self.known[network.name][0] in self.strongest_alphas
        return Stage.parse(self.strongest) if hard else None

    def source_of(self, population: Population, network: Network) -> Network | None:
        """Return the network whose attacked images are shown to this one, if there is one."""
        name = source_of(self.network, self.known[network.name][1], self.seeds)
        return population.network(name) if name else None

    def key(self, population: Population, network: Network) -> dict:
        """Return what of the settings defines a network's row."""
        strong, source = self.strongest_of(network), self.source_of(population, network)
        own = asdict(self)
        return {
            **since("steps version", attack_steps.VERSION, 1),
            **(since("strongest version", attacked.VERSION, 1) if strong else {}),
            **{name: own[name] for name in ("steps", "n_attacked", "n_gradients")},
            **population.first_images(self.n_attacked, self.n_gradients),
            "budget": in_words(self.budget),
            "strongest": str(strong) if strong else None,
            "transfer from": source.identity if source else None,
        }


def sources(population: Population, networks: list[Network], settings: SelectivitySettings) -> list[Network]:
    """Return the networks whose attacked images are shown to others: they are trained first."""
    found = [settings.source_of(population, network) for network in networks]
    return list(dict.fromkeys(one for one in found if one is not None))


def attack_sources(population: Population, networks: list[Network], settings, client) -> None:
    """Attack the networks whose images are shown to others, and keep the images."""
    how = settings.pgd(population)
    calls = [(one, how) for one in sources(population, networks, settings) if not one.diverged]
    label = "attacks to be transferred"
    tasks.run(attack_steps.attacked_images, calls, client=client, label=label, left=attack_steps.left)


def check_networks(population: Population, networks: list[Network], settings) -> None:
    """Raise InputError if a network cannot be attacked or has no rectified convolution; none is trained for that."""
    import torch

    from robustshape import datasets
    from robustshape.relu_maps import check_found, pooled_relu_maps

    data = population.held_out.load().isel(sample=slice(0, 1))
    for network in networks:
        classifier = network.untrained() if network.trained_here else network.load(data)
        x = classifier.pixels(datasets.pixels(data))
        with torch.inference_mode(), pooled_relu_maps() as pooled:
            classifier.on_pixels()(x)
        check_found(pooled, network.name)


def _classes(population: Population) -> int:
    """Return how many classes there are, if each has at least two of the clean images; else 0."""
    import numpy as np

    counts = np.unique(population.clean.load()["label"].values, return_counts=True)[1]
    return len(counts) if (counts > 1).all() else 0


STUDY = Study(
    name="class_selectivity",
    title="Do networks fail less when their units are less selective? (class selectivity)",
    settings=SelectivitySettings,
    row=row.of_network,
    variables=row.VARIABLES,
    coordinates=row.COORDINATES,
    quantities=("mean_selectivity", "accuracy", "corrupted_accuracy", "robust_accuracy", "steps_accuracy"),
    check=check_networks,
    needs=sources,
    before=attack_sources,
    diverged=row.of_diverged,
)
