"""One classifier's row of the study: what its gradient picks, what really happens then, and which visible change it is."""

import numpy as np

from robustshape.generators.stylespace import StyleSpace
from robustshape.measurements.population import Population
from robustshape.models.network import Network
from robustshape.studies.failure_discovery import choice, mean_differences, movements, repair, walks
from robustshape.studies.failure_discovery.answers import Subject, falls

VARIABLES: dict[str, tuple[str, str]] = {}


def of_classifier(population: Population, network: Network, settings):
    """Return one classifier's row from its finished features and predictions, and the scene's finished movements.

    Returns
    -------
    xarray.Dataset
        `dimensions`, and what the parts say of themselves: `choice`, `answers.falls`, `walks`, `mean_differences`,
        `repair`.
    """
    import xarray

    scene = settings.scene(population)
    subject = Subject(scene, network.load())
    picked = choice.picked(subject, **settings.choice)
    parts = [
        dimensions(subject),
        picked,
        falls(subject),
        choice.verified(subject, picked),
        choice.coverage(subject, picked),
        walks.strips(subject, picked),
        walks.walks(subject),
        walks.flip_map(subject),
        mean_differences.baseline(subject),
    ]
    if settings.with_repair:
        parts.append(repair.repaired(population, subject))
    made = xarray.merge(parts, combine_attrs="drop", compat="no_conflicts", join="exact")
    return made.assign(
        judge=scene.judge,
        generator=scene.samples()["generator"],
        n_generated=scene.n_samples,
        n_judged=len(subject.begin.labels),
        n_moved=scene.n_moved,
        distance=scene.distance,
        truncation_psi=scene.truncation_psi,
        shift_unit=scene.shift_unit,
        noise=scene.noise,
        map_attributes=" x ".join(scene.map_attributes),
    )


def dimensions(subject: Subject):
    """Return what each dimension is: ``effect (dimension, way, attribute)``, its ``name``, place, ``deviation`` and the
    ``unit`` in which it moves; ``attribute_agreement (known)``, see `movements.agreement_with_severities`."""
    effects, begin = subject.sweep["effect"].load(), subject.begin
    agreement = movements.agreement_with_severities(subject.scene)
    space = StyleSpace.of(begin.generator)
    layers, channels = zip(*map(space.place, range(space.size)))
    return effects.astype(np.float32).to_dataset().assign(
        attribute_agreement=("known", np.array(list(agreement.values()))),
        name=("dimension", movements.names(effects)),
        style_layer=("dimension", np.array(layers)),
        style_channel=("dimension", np.array(channels)),
        deviation=("dimension", begin.deviations.numpy()),
        unit=("dimension", begin.units.numpy()),
    ).assign_coords(known=list(agreement))  # fmt: skip
