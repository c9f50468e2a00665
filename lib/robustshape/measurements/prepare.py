"""What is computed once for a population, and what it will cost: training, features, corruptions, attacks.

All is kept in the cache, piece by piece, so an interrupted run goes on where it stopped.
"""

from robustshape import tasks
from robustshape.errors import TrainingError
from robustshape.measurements import attacked, classes, corrupted, features
from robustshape.measurements.population import Population
from robustshape.models.network import Network


def prepare(population: Population, networks: list[Network], client=None) -> None:
    """Train what is not trained, and keep all features and predictions; resumes.

    Raises
    ------
    TrainingError
        If the training of one of them diverged.
    """
    population.corrupted_images.check_sizes()  # not after the clean features
    for network in networks:
        if not network.trained_here:  # what does not fit shows before others are trained
            for selection in population.selections:
                classes.check(network.load(selection.load()), selection.load())
            attacked.check(network, population.held_out, population.attacks)
    for why in train(population, networks, client).values():
        raise TrainingError(why)
    calls = [c for s in population.selections for one in networks for c in features.missing(one, s)]
    _run(population, "features", features.compute, calls, client, features.left)
    calls = corrupted.missing(networks, population.corrupted_images)
    _run(population, "corruptions", corrupted.predict, calls, client, corrupted.left)
    calls = attacked.missing(networks, population.held_out, population.attacks, population.seed)
    _run(population, "attacks", attacked.attack, calls, client, attacked.left)


def clean_features(population: Population, networks: list[Network], client=None) -> None:
    """Keep the features of the indicator's images alone, where they are not kept yet."""
    calls = [call for network in networks for call in features.missing(network, population.clean)]
    _run(population, "features", features.compute, calls, client, features.left)


def _run(population: Population, stage: str, function, calls: list[tuple], client, left) -> None:
    tasks.run(function, calls, client=client, label=stage, pace=pace(population, stage), left=left)


def train(population: Population, networks: list[Network], client=None) -> dict[Network, str]:
    """Train or fetch networks that are not kept yet; return those whose training diverged, with the reason."""
    untrained = [network for network in networks if not network.is_ready]
    untrained.sort(key=lambda network: "-pgd" not in network.name)  # the longest begin first
    label = "networks (trained once, then kept)"
    calls = [(network,) for network in untrained]
    tasks.run(
        Network.make_ready, calls, client=client, label=label, pace=pace(population, "networks"), left=Network.left
    )  # fmt: skip
    reasons = {network: network.diverged for network in networks}
    return {network: why for network, why in reasons.items() if why}


def pace(population: Population, stage: str) -> str:
    """Return under which name the pace of a stage is remembered, see `robustshape.tasks.run`."""
    return f"{stage}, {population.dataset}, {population.n_robustness} images"


def cost(population: Population, networks: list[Network], more: dict[str, int] | None = None) -> str:
    """Return a sentence on what is still to be computed, for a reader to see before it starts.

    `more` has the stages that a study adds to `prepare`, and how many tasks each has.
    """
    untrained = sum(not network.is_ready for network in networks)
    pieces = sum(len(features.missing(one, s)) for one in networks for s in population.selections)
    calls = corrupted.missing(networks, population.corrupted_images)
    images = sum(len(call[0]) for call in calls) * population.n_robustness
    ladders = len(attacked.missing(networks, population.held_out, population.attacks, population.seed))
    work = {"networks": untrained, "features": pieces, "corruptions": len(calls), "attacks": ladders}
    return (
        f"{len(networks)} of {len(population.models)} rows to measure: {untrained} networks to train, "
        f"{images:,} corrupted images to classify, {ladders} networks to attack; "
        + tasks.expected({pace(population, stage): n for stage, n in (work | (more or {})).items()})
    )
