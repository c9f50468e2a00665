"""One classifier's row of the study: what its gradient picks, what really happens then, and which visible change it is."""

import numpy as np

from robustshape.generators.stylespace import StyleSpace
from robustshape.measurements.population import Population
from robustshape.models.network import Network
from robustshape.studies.failure_discovery import choice, mean_differences, movements, repair, walks
from robustshape.studies.failure_discovery.predictions import Subject, decreases

VARIABLES = {
    "effect": ("change of an attribute when a dimension moves, in spreads of real images", "1"),
    "style_layer": ("layer of the generator whose style the dimension belongs to", ""),
    "style_channel": ("channel of that layer", ""),
    "deviation": ("standard deviation of the dimension over samples", ""),
    "unit": ("what a shift of 1 is", ""),
    "attribute_agreement": (
        "Spearman's correlation of known severities and the attribute that follows them",
        "1",
    ),
    "gradient": ("the classifier's gradient by a dimension, for each class", ""),
    "importance": ("score of a dimension by the gradient", ""),
    "chosen": ("dimensions that the gradient chooses, the first first", ""),
    "random": ("dimensions drawn at random beside them", ""),
    "fall": ("decrease of the class's probability when a dimension moves", "1"),
    "flipped": ("share of right samples that go wrong when a dimension moves", "1"),
    "flipped_readable": ("share that goes wrong and is still read rightly by the judge", "1"),
    "start_accuracy": ("accuracy on the samples before they move", "1"),
    "rank_agreement": ("Spearman's correlation of the gradient's scores and true decreases", "1"),
    "sign_agreement": ("share of dimensions whose worse way the gradient knows", "1"),
    "slope_agreement": ("correlation of gradients and finite differences", "1"),
    "covered": ("share of digits that fail along so many chosen dimensions", "1"),
    "strip_probability": ("probability of the class on the way along a chosen dimension", "1"),
    "strip_predicted": ("predicted class on the way", ""),
    "strip_sample": ("sample that is followed", ""),
    "strip_sign": ("way that is worse for the class", ""),
    "walk_probability": ("probability of the class along an attribute's direction", "1"),
    "walk_accuracy": ("accuracy along an attribute's direction", "1"),
    "judge_accuracy": ("the judge's accuracy along it", "1"),
    "walk_right": ("whether a sample is classified rightly along it", ""),
    "walk_label": ("class of the sample", ""),
    "walk_answer": ("probabilities of all classes for the first sample of each class", "1"),
    "walk_sample": ("that sample", ""),
    "first_flip": ("shift at which a sample first fails; NaN: it does not", "units of a shift"),
    "direction": ("change of the styles that moves an attribute up by a shift of 1", ""),
    "explained": (
        "share of an attribute's variance within classes that styles explain, of samples left out",
        "1",
    ),
    "walk_effect": (
        "change of an attribute at the distance along a direction, in spreads of real images",
        "1",
    ),
    "map_accuracy": ("accuracy over two directions at once", "1"),
    "only_together": ("share of failures that neither movement makes alone", "1"),
    "corner": ("least movement of both that makes a failure which the judge still reads", ""),
    "baseline_fall": ("probability lost when real digits move along differences of means", "1"),
    "best_fall": ("probability lost along the worst dimension", "1"),
    "best_distance": ("how far the images move by that", ""),
    "repair": ("accuracy before and after training on failures", "1"),
    "n_failures": ("failures to train on, and held out", "images"),
    "judge": ("network that says which samples show the digit they should", ""),
    "generator": ("checksum of the generator", ""),
    "n_generated": ("samples asked of the generator", "images"),
    "n_judged": ("samples that the judge reads rightly", "images"),
    "n_moved": ("samples of each class that move along every dimension", "images"),
    "distance": ("how far a dimension moves where one number stands for its effect", "units of a shift"),
    "truncation_psi": ("truncation of the generator", "1"),
    "shift_unit": ("what a shift of 1 is: std, range or raw", ""),
    "noise": ("noise of the generator: const or none", ""),
    "map_attributes": ("attributes of the map", ""),
}
COORDINATES = {
    "class": ("class", ""),
    "dimension": ("dimension of StyleSpace", ""),
    "way": ("whether a dimension or attribute moves up or down", ""),
    "attribute": ("visible attribute", ""),
    "changed": ("attribute that changes along a direction", ""),
    "known": ("corruption whose severity is known", ""),
    "rank": ("rank of a chosen dimension, from 1; of the coverage: dimensions tried", ""),
    "choice": ("how dimensions are chosen", ""),
    "strip": ("rank of the chosen dimension that is followed, from 1", ""),
    "shift": ("shift of a followed dimension", "units of a shift"),
    "place": ("shift along an attribute's direction", "units of a shift"),
    "walked": ("sample that moves along attributes", ""),
    "answer": ("predicted class", ""),
    "first": ("shift along the map's first direction", "units of a shift"),
    "second": ("shift along the map's second direction", "units of a shift"),
    "part": ("sample, shifts and prediction of the corner case", ""),
    "state": ("classifier before and after its training on failures", ""),
    "measure": ("images of the accuracy", ""),
    "half": ("failures to train on, and held out", ""),
}


def of_classifier(population: Population, network: Network, settings):
    """Return one classifier's row from its finished features and predictions, and the scene's finished movements.

    Returns
    -------
    xarray.Dataset
        `dimensions`, and what the parts say of themselves: `choice`, `predictions.decreases`, `walks`, `mean_differences`,
        `repair`.
    """
    import xarray

    scene = settings.scene(population)
    subject = Subject(scene, network.load())
    picked = choice.picked(subject, **settings.choice)
    parts = [
        dimensions(subject),
        picked,
        decreases(subject),
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
    """Return what each dimension is: ``effect (dimension, way, attribute)``, its place, ``deviation`` and the
    ``unit`` in which it moves; ``attribute_agreement (known)``, see `movements.agreement_with_severities`."""
    effects, begin = subject.sweep["effect"].load(), subject.begin
    agreement = movements.agreement_with_severities(subject.scene)
    space = StyleSpace.of(begin.generator)
    layers, channels = zip(*map(space.place, range(space.size)))
    return effects.astype(np.float32).to_dataset().assign(
        attribute_agreement=("known", np.array(list(agreement.values()))),
        style_layer=("dimension", np.array(layers)),
        style_channel=("dimension", np.array(channels)),
        deviation=("dimension", begin.deviations.numpy()),
        unit=("dimension", begin.units.numpy()),
    ).assign_coords(known=list(agreement))  # fmt: skip
