"""What is computed once for a study's networks, and what it will cost: training, features, corruptions, attacks.

All is kept in the cache, piece by piece, so an interrupted run goes on where it stopped.
"""

import contextlib

from robustshape import features, robustness, tasks
from robustshape.errors import TrainingError
from robustshape.robustness import attacked
from robustshape.studies.population import Population


def prepare(networks: Population, models: list[str], client=None) -> None:
    """Train what is not trained, and keep all features and corrupted predictions; resumes.

    Raises
    ------
    TrainingError
        If the training of one of them diverged.
    """
    pairs = [(model, networks.options(model)) for model in models]
    for pair in pairs:
        if not pair[0].startswith("zoo:"):  # what does not fit shows before others are trained
            for selection in networks.selections:
                features.check(*pair, selection)
            attacked.check(*pair, networks.held_out, networks.attacks)
    for why in train(networks, models, client).values():
        raise TrainingError(why)
    pieces = [
        call
        for selection in networks.selections
        for pair in pairs
        for call in features.missing_pieces(*pair, selection)
    ]
    tasks.run(
        features.compute_piece, pieces, client=client, label="clean features", pace=pace(networks, "features")
    )
    calls = robustness.missing(pairs, *networks.corrupted_how())
    tasks.run(
        robustness.predict, calls, client=client, label="corruptions", pace=pace(networks, "corruptions")
    )
    calls = attacked.missing(pairs, networks.held_out, networks.attacks, networks.seed)
    tasks.run(attacked.attack, calls, client=client, label="attacks", pace=pace(networks, "attacks"))


def train(networks: Population, models: list[str], client=None) -> dict[str, str]:
    """Train or fetch networks that are not kept yet; return those whose training diverged, with the reason."""
    pairs = [(model, networks.options(model)) for model in _untrained(networks, models)]
    pairs.sort(key=lambda pair: "-pgd" not in pair[0])  # the longest begin first
    label = "networks (trained once, then kept)"
    tasks.run(_train, pairs, client=client, label=label, pace=pace(networks, "networks"))
    reasons = {model: features.diverged(model, networks.options(model)) for model in models}
    return {model: why for model, why in reasons.items() if why}


def pace(networks: Population, stage: str) -> str:
    """Return under which name the pace of a stage is remembered, see `tasks.run`."""
    return f"{stage}, {networks.dataset}, {networks.n_robustness} images"


def _untrained(networks: Population, names: list[str]) -> list[str]:
    from robustshape import models

    return [name for name in names if not models.is_ready(name, **dict(networks.options(name)))]


def cost(networks: Population, missing: list[str], more: dict[str, int] | None = None) -> str:
    """Return a sentence on what is still to be computed, for a reader to see before it starts.

    `more` has the stages that a study adds to `prepare`, and how many tasks each has.
    """
    pairs = [(model, networks.options(model)) for model in missing]
    untrained = len(_untrained(networks, missing))
    pieces = sum(len(features.missing_pieces(*pair, s)) for pair in pairs for s in networks.selections)
    calls = robustness.missing(pairs, *networks.corrupted_how())
    images = sum(len(call[0]) for call in calls) * networks.n_robustness
    ladders = len(attacked.missing(pairs, networks.held_out, networks.attacks, networks.seed))
    work = {"networks": untrained, "features": pieces, "corruptions": len(calls), "attacks": ladders}
    return (
        f"{len(missing)} of {len(networks.models)} rows to measure: {untrained} networks to train, "
        f"{images:,} corrupted images to classify, {ladders} networks to attack; "
        + tasks.expected({pace(networks, stage): n for stage, n in (work | (more or {})).items()})
    )


def _train(model: str, options: tuple) -> None:
    """Train or fetch a network; that its training diverged is kept by its source, see `features.diverged`."""
    with contextlib.suppress(TrainingError):
        features.ready(model, options)
