"""One network's row of the selectivity study, from its finished features, predictions and attacked images."""

import functools

from robustshape.attacks.stages import in_words
from robustshape.measurements import attack_steps, attacked
from robustshape.measurements.population import Population
from robustshape.models.network import Network

VARIABLES = {
    "alpha": ("strength of the regulariser; NaN of networks trained otherwise", "1"),
    "schedule": ("recipe of the training, as JSON", ""),
    "mean_selectivity": ("class selectivity index: mean over units of a layer, then over layers", "1"),
    "selectivity_floor": ("the same with shuffled labels", "1"),
    "n_units": ("units of all rectified convolutions", "units"),
    "unit_selectivity": ("class selectivity index of a unit", "1"),
    "unit_layer": ("layer of the unit", ""),
    "selectivity": ("class selectivity index, mean over the units of a layer", "1"),
    "floor": ("the same with shuffled labels", "1"),
    "top_precision": ("share of one class among the images to which a unit responds most", "1"),
    "class_variance": ("share of a unit's variance that is between classes", "1"),
    "active": ("share of responses above 0", "1"),
    "dead": ("share of units that never respond", "1"),
    "dimensionality": ("dimensionality of a layer's responses, or of what changes in them", "1"),
    "components_under": ("dimensions with 95 % of the variance of what a corruption changes", "1"),
    "gradient_over_samples": ("variation of the length of a unit's input gradient over images", "1"),
    "gradient_over_units": ("variation of its mean over units", "1"),
    "gradient_over_active": ("variation over images to which a unit has a gradient", "1"),
    "gradient_silent": ("share of pairs of unit and image without a gradient", "1"),
    "jacobian_norm": ("mean Frobenius norm of the Jacobian of the logits by the pixels", "1"),
    "steps_accuracy": ("accuracy after so many steps of PGD", "1"),
    "transfer_accuracy": ("accuracy on images attacked for another network", "1"),
    "source_accuracy": ("that other network's accuracy on them", "1"),
    "strong_accuracy": ("accuracy under the strongest attack", "1"),
    "own_accuracy": ("accuracy under the network's own PGD on the same images", "1"),
    "n_changed": ("images for the dimensions of what changes", "images"),
    "n_gradients": ("images for input gradients", "images"),
    "middle_severity": ("severity of the dimensions under corruption", ""),
    "step_budget": ("L-infinity radius of the PGD that goes step by step", ""),
    "strongest": ("strongest attack that was made", ""),
}
COORDINATES = {
    "depth": ("place of a layer among the rectified convolutions, from 1", ""),
    "unit": ("place of a unit among those of all layers, from 1", ""),
    "shift": ("images, or what changes in the responses to them", ""),
    "measure": ("measure of dimensionality", ""),
    "step": ("steps of PGD", "steps"),
}


def of_network(population: Population, network: Network, settings):
    """Return one network's row from its finished features and predictions.

    Returns
    -------
    xarray.Dataset
        ``mean_selectivity``, ``selectivity_floor``; by depth
        those of `inside.selectivity` and `inside.variation`; ``unit_selectivity (unit)`` with its ``unit_layer``;
        ``dimensionality (shift, depth, measure)``, see `_dimensions`; ``components_under (corruption, depth)``;
        ``steps_accuracy (step)``, ``jacobian_norm``, and those of `_worst_case`.
    """
    import xarray

    from robustshape import datasets

    clean = population.clean.load()
    responses = _responses(population, network, datasets.pixels(clean))
    under = attack_steps.attacked_images(network, settings.pgd(population), keep=False)
    parts = [
        _about(population, network, settings),
        _selectivity(responses, clean["label"].values, population.seed),
        _dimensions(population, network, settings, responses, under["x"].values),
        _sensitivity(population, network, settings),
        _worst_case(population, network, settings, under["right"].isel(step=-1).values),
        xarray.Dataset({"steps_accuracy": under["right"].mean("sample")}),
    ]
    return xarray.merge(parts, combine_attrs="drop", compat="no_conflicts", join="exact")


def _responses(population: Population, network: Network, images) -> list:
    from robustshape.measurements.unit_responses import unit_responses

    return unit_responses(network.load(population.clean.load()), images)


def _selectivity(responses: list, labels, seed: int):
    """Return the selectivity of units and layers."""
    import numpy as np
    import xarray

    from robustshape.studies.class_selectivity import inside

    found = inside.selectivity(responses, labels, rng=np.random.default_rng([seed, 5]))
    of_units, depth = found["of_units"], np.arange(1, len(responses) + 1)
    return xarray.Dataset(
        {
            "mean_selectivity": found["selectivity"].mean(),
            "selectivity_floor": found["floor"].mean(),
            "n_units": sum(len(units) for units in of_units),
            "unit_selectivity": ("unit", np.concatenate(of_units).astype(np.float32)),
            "unit_layer": ("unit", np.repeat(depth, [len(units) for units in of_units])),
            **{name: ("depth", found[name]) for name in inside.BY_LAYER},
        },
        coords={"depth": depth, "unit": np.arange(1, sum(map(len, of_units)) + 1)},  # networks differ in both
    )


def _dimensions(population: Population, network: Network, settings, responses: list, attacked_pixels):
    """Return the dimensionality of the clean `responses`, and of what corruptions and the attack change.

    The shifts: "clean, all" images of the indicator, and on the same `n_attacked` images "clean" responses,
    "corrupted" minus clean (the mean over corruptions), "attacked" minus clean, and "random" minus clean. The last is
    a control of the attack: every pixel moved by its radius, up or down at random.
    """
    import numpy as np
    import torch
    import xarray

    from robustshape import datasets
    from robustshape.studies.class_selectivity import inside

    shown = population.held_out.first(settings.n_attacked)
    before = _responses(population, network, datasets.pixels(shown))

    state = datasets.state(population.held_out.dataset)

    def of_change(images):
        return inside.dimensions([a - b for a, b in zip(_responses(population, network, images), before)])

    under = np.array(
        [
            of_change(_corrupted(population, name, settings.n_attacked, state))
            for name in population.corruptions
        ]
    )
    shifts = {
        "clean, all": inside.dimensions(responses),
        "clean": inside.dimensions(before),
        "corrupted": np.nanmean(under, axis=0),
        "attacked": of_change(torch.from_numpy(attacked_pixels)),
        "random": of_change(_random_signs(population, network, settings)),
    }
    return xarray.Dataset(
        {
            "dimensionality": (("shift", "depth", "measure"), np.array(list(shifts.values()))),
            "components_under": (
                ("corruption", "depth"),
                under[:, :, inside.DIMENSIONS.index("components95")],
            ),
        },
        coords={
            "depth": np.arange(1, len(before) + 1),
            "shift": list(shifts),
            "measure": list(inside.DIMENSIONS),
            "corruption": list(population.corruptions),
        },
    )


def _sensitivity(population: Population, network: Network, settings):
    """Return how the units' input gradients vary, by depth, and the mean norm of the Jacobian of the logits."""
    import xarray

    from robustshape import datasets
    from robustshape.measurements.classes import class_columns
    from robustshape.measurements.unit_responses import input_gradients, logit_jacobian_norms
    from robustshape.studies.class_selectivity import inside

    data = population.held_out.first(settings.n_gradients)
    classifier = network.load(data)
    pixels = classifier.pixels(datasets.pixels(data))
    varied = inside.variation(input_gradients(classifier, pixels))
    norms = logit_jacobian_norms(classifier, pixels, class_columns(classifier, data))
    return xarray.Dataset(
        {
            "gradient_over_samples": ("depth", varied["over_samples"]),
            "gradient_over_units": ("depth", varied["over_units"]),
            "gradient_over_active": ("depth", varied["over_active"]),
            "gradient_silent": ("depth", varied["silent"]),
            "jacobian_norm": norms.mean(),
        }
    )


def of_diverged(population: Population, network: Network, settings):
    """Return the row of a network whose training diverged: what it is, and no number."""
    architecture = network.identity["architecture"]
    return _about(population, network, settings).assign(
        family=architecture.rstrip("0123456789"), recipe="diverged", trains_on="", layer="", preprocessing="",
        training_seed=settings.known[network.name][1],
    )  # fmt: skip


def _about(population: Population, network: Network, settings):
    """Return how the network was trained, and on how much it was measured."""
    import json

    import xarray

    recipe = network.identity.get("recipe", {})
    return xarray.Dataset(
        {
            "alpha": settings.known[network.name][0],
            "schedule": json.dumps(recipe) if isinstance(recipe, dict) else str(recipe),
            "n_changed": settings.n_attacked,
            "middle_severity": middle_severity(population),
            "n_gradients": settings.n_gradients,
            "step_budget": in_words(settings.budget),
            "strongest": str(settings.strongest_of(network) or ""),
        }
    )


def middle_severity(population: Population) -> int:
    """Return the severity at which dimensions under corruption are measured: the middle one of those measured."""
    return sorted(population.severities)[len(population.severities) // 2]


def _random_signs(population: Population, network: Network, settings):
    """Return the first images with every pixel moved by the attack's radius, up or down by the image's id and the seed."""
    from robustshape import datasets
    from robustshape.attacks import starts

    data = population.held_out.first(settings.n_attacked)
    pixels = network.load(data).pixels(datasets.pixels(data))
    drawn = starts.in_ball(data.sample.values, population.seed, "random signs", like=pixels, norm="linf")
    return (pixels + float(settings.budget) * drawn.sign()).clamp(0, 1)


@functools.lru_cache(maxsize=64)
def _corrupted(population: Population, corruption: str, n: int, _state: str):
    """Return the first images under a corruption at the middle severity, kept for the next network."""
    return population.corrupted_images.images(
        corruption, middle_severity(population), population.held_out.places(n)
    )


def _worst_case(population: Population, network: Network, settings, right_under_pgd):
    """Return how the network does on images attacked for another one, and under the strongest attack.

    ``transfer_accuracy`` with that source's own ``source_accuracy`` on them; ``strong_accuracy``, and what the
    network's own PGD leaves of the same images, ``own_accuracy``. NaN where there is no source, or it is not asked for.
    """
    import xarray

    transferred = source = strong = alone = float("nan")
    other, hardest = settings.source_of(population, network), settings.strongest_of(network)
    if other is not None and not other.diverged:
        shown = attack_steps.attacked_images(other, settings.pgd(population))
        right = attack_steps.right_on(network, population.held_out, shown["x"].values)
        transferred, source = float(right.mean()), float(shown["right"].isel(step=-1).mean())
    if hardest is not None:
        arguments = network, population.held_out, (*population.attacks, hardest), population.seed
        attacked.attack(*arguments)
        left = attacked.correct(*arguments)["robust"].isel(attack=-1).values
        left = left[population.held_out.places(len(left))]
        there = min(len(right_under_pgd), int((left == left).sum()))
        strong, alone = float(left[:there].mean()), float(right_under_pgd[:there].mean())
    return xarray.Dataset(
        {
            "transfer_accuracy": transferred,
            "source_accuracy": source,
            "strong_accuracy": strong,
            "own_accuracy": alone,
        }
    )
