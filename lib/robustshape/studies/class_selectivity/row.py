"""One network's row of the selectivity study, from its finished features, predictions and attacked images."""

import functools
import time

from robustshape import features
from robustshape.attacks.stages import in_words
from robustshape.robustness import attacked, pgd_steps
from robustshape.studies.population import Population


def pgd(networks: Population, model: str, own: dict) -> tuple:
    """Return the arguments of `pgd_steps.attacked_images` for this network."""
    options, images = networks.options(model), networks.held_out
    return model, options, images, own["n_attacked"], own["budget"], tuple(own["steps"]), networks.seed


def attack(*arguments) -> None:
    """Attack a network as `pgd` says, and keep the images to show them to others."""
    pgd_steps.attacked_images(*arguments)


def of_network(networks: Population, model: str, own: dict):
    """Return one network's row from its finished features and predictions.

    Returns
    -------
    xarray.Dataset
        The population's row (accuracies, provenance), and: ``mean_selectivity``, ``selectivity_floor``; by depth
        those of `inside.selectivity` and `inside.variation`; ``unit_selectivity (unit)`` with its ``unit_layer``;
        ``dimensionality (shift, depth, measure)``, see `_dimensions`; ``components_under (corruption, depth)``;
        ``steps_accuracy (step)``, ``jacobian_norm``, and those of `_worst_case`.
    """
    import xarray

    from robustshape import datasets

    began = time.perf_counter()
    clean = networks.selections[0].load()
    responses = _responses(networks, model, datasets.pixels(clean))
    attacked_store = pgd_steps.attack(*pgd(networks, model, own))
    parts = [
        networks.row(model),
        _about(networks, model, own),
        _selectivity(responses, clean["label"].values, networks.seed),
        _dimensions(networks, model, own, responses, attacked_store["x"].values),
        _sensitivity(networks, model, own),
        _worst_case(networks, model, own, attacked_store["right"].isel(step=-1).values),
        xarray.Dataset({"steps_accuracy": attacked_store["right"].mean("sample")}),
    ]
    return xarray.merge(parts, combine_attrs="drop", compat="no_conflicts", join="exact").assign(
        diverged=False,
        steps_time_s=float(attacked_store.attrs["seconds"]),
        wall_time_s=time.perf_counter() - began,
    )


def _responses(networks: Population, model: str, images) -> list:
    from robustshape.features import load_classifier
    from robustshape.unit_responses import unit_responses

    classifier = load_classifier(model, networks.options(model), networks.selections[0].load())
    return unit_responses(classifier, images)


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


def _dimensions(networks: Population, model: str, own: dict, responses: list, attacked_pixels):
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

    shown = networks.held_out.load().isel(sample=slice(0, own["n_attacked"]))
    before = _responses(networks, model, datasets.pixels(shown))

    def of_change(images):
        return inside.dimensions([a - b for a, b in zip(_responses(networks, model, images), before)])

    under = np.array(
        [of_change(_corrupted(networks, name, own["n_attacked"])) for name in networks.corruptions]
    )
    shifts = {
        "clean, all": inside.dimensions(responses),
        "clean": inside.dimensions(before),
        "corrupted": np.nanmean(under, axis=0),
        "attacked": of_change(torch.from_numpy(attacked_pixels)),
        "random": of_change(_random_signs(networks, model, own)),
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
            "corruption": list(networks.corruptions),
        },
    )


def _sensitivity(networks: Population, model: str, own: dict):
    """Return how the units' input gradients vary, by depth, and the mean norm of the Jacobian of the logits."""
    import xarray

    from robustshape import datasets
    from robustshape.features import class_columns, load_classifier
    from robustshape.studies.class_selectivity import inside
    from robustshape.unit_responses import input_gradients, logit_jacobian_norms

    data = networks.held_out.load().isel(sample=slice(0, own["n_gradients"]))
    classifier = load_classifier(model, networks.options(model), data)
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


def of_diverged(networks: Population, model: str, own: dict):
    """Return the row of a network whose training diverged: what it is, and no number."""
    from robustshape.models.zoo import parse
    from robustshape.paths import device
    from robustshape.store.provenance import provenance

    clean, (architecture, _, _) = networks.selections[0].load(), parse(model.removeprefix("zoo:"))
    return _about(networks, model, own).assign(
        diverged=True, family=architecture.rstrip("0123456789"), recipe="diverged",
        trains_on="", training_seed=own["training seed"], layer="", preprocessing="",
        reading=str(clean.attrs["reading"]), dataset=networks.dataset, checksum=clean.attrs["checksum"],
        n_samples=networks.n_samples, n_robustness=networks.n_robustness, seed=networks.seed, **provenance(device()),
    )  # fmt: skip


def _about(networks: Population, model: str, own: dict):
    """Return how the network was trained, and on how much it was measured."""
    import json

    import xarray

    recipe = networks.identity(model).get("recipe", {})
    return xarray.Dataset(
        {
            "alpha": own["alpha"],
            "schedule": json.dumps(recipe) if isinstance(recipe, dict) else str(recipe),
            "n_changed": own["n_attacked"],
            "middle_severity": middle_severity(networks),
            "n_gradients": own["n_gradients"],
            "step_budget": in_words(own["budget"]),
            "strongest": str(own["strongest"] or ""),
            "corrupted": networks.corrupted,
        }
    )


def middle_severity(networks: Population) -> int:
    """Return the severity at which dimensions under corruption are measured: the middle one of those measured."""
    return sorted(networks.severities)[len(networks.severities) // 2]


def _random_signs(networks: Population, model: str, own: dict):
    """Return the first images with every pixel moved by the attack's radius, up or down by the image's id and the seed."""
    from robustshape import datasets
    from robustshape.attacks import starts
    from robustshape.features import load_classifier

    data = networks.held_out.load().isel(sample=slice(0, own["n_attacked"]))
    classifier = load_classifier(model, networks.options(model), data)
    pixels = classifier.pixels(datasets.pixels(data))
    drawn = starts.in_ball(data.sample.values, networks.seed, "random signs", like=pixels, norm="linf")
    return (pixels + float(own["budget"]) * drawn.sign()).clamp(0, 1)


@functools.lru_cache(maxsize=64)
def _corrupted(networks: Population, corruption: str, n: int):
    """Return the first images under a corruption at the middle severity, kept for the next network."""
    from robustshape.robustness.corrupted import corrupted_images

    severity = middle_severity(networks)
    data = networks.held_out.load().isel(sample=slice(0, n))
    return corrupted_images(data, corruption, severity, networks.seed, networks.constants, networks.corrupted)


def _worst_case(networks: Population, model: str, own: dict, right_under_pgd):
    """Return how the network does on images attacked for another one, and under the strongest attack.

    ``transfer_accuracy`` with that source's own ``source_accuracy`` on them; ``strong_accuracy``, and what the
    network's own PGD leaves of the same images, ``own_accuracy``. NaN where there is no source, or it is not asked for.
    """
    import xarray

    transferred = source = strong = alone = float("nan")
    if own["transfer from"] is not None and not features.diverged(
        own["transfer from"], networks.options(own["transfer from"])
    ):
        shown = pgd_steps.attacked_images(*pgd(networks, own["transfer from"], own))
        right = pgd_steps.right_on(model, networks.options(model), networks.held_out, shown["x"].values)
        transferred, source = float(right.mean()), float(shown["right"].isel(step=-1).mean())
    if own["strongest"] is not None:
        arguments = model, networks.options(model), networks.held_out
        arguments += (*networks.attacks, own["strongest"]), networks.seed
        attacked.attack(*arguments)
        left = attacked.correct(*arguments)["robust"].isel(attack=-1).values
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
