"""Numbers of the study of failures: for each classifier what its gradient picks in StyleSpace, and what then happens."""

import math

from robustshape import features, tasks
from robustshape.errors import InputError
from robustshape.generators import stylespace
from robustshape.generators.attributes import ATTRIBUTES
from robustshape.store import results
from robustshape.studies import as_list, at_every_seed, preparation
from robustshape.studies.failure_discovery import added, directions, movements, repair, row
from robustshape.studies.failure_discovery.answers import Subject
from robustshape.studies.failure_discovery.scene import UNITS, Scene, check_fits, fitting, generator_path
from robustshape.studies.population import Population

STUDY = "failure_discovery"
VERSION = 3  # raise when a change of the algorithm changes the numbers
CONSTANTS = "224"  # severities of ImageNet-C, as on the slides
NOISES = ("const", "none")


def _models(classifier: str, classifiers, seeds) -> dict[str, int]:
    """Return the classifiers by name with their seeds, the reader's own first."""
    seeds = as_list(seeds, "seeds", int)
    if min(seeds) < 0:
        raise InputError(f"seeds are whole numbers from 0, but {min(seeds)} was given")
    others = as_list(classifiers, "classifiers", empty=bool(classifier))
    return at_every_seed([*([classifier] if classifier else []), *others], seeds)


def _plan(
    *, classifier, classifiers, seeds, generator, judge, n_samples, n_moved, n_walked, distance, shifts, map_attributes,
    truncation_psi, noise, shift_unit, score, reduction, scaled, space, n_dimensions, with_repair, corner_set, dataset, reading, epochs,
    seed, preset, source, dask_scheduler, **population,
):  # fmt: skip
    """Check the parameters; return the population, the scene, what defines each row, and the settings of a row."""
    results.check_source(source)
    known = _models(classifier, classifiers, seeds)
    networks = Population.of(
        models=list(known), dataset=dataset, reading=reading, epochs=epochs, seed=seed, constants=CONSTANTS,
        n_samples=1,  # no indicator is taken of real images; a population has one at least
        **population,
    )  # fmt: skip
    if not networks.corruptions:
        raise InputError(
            "corruptions names at least one, for failures are compared with those under corruption"
        )
    shifts = as_list(shifts, "shifts", float)
    if shifts[0] != 0 or sorted(shifts) != shifts or len(shifts) < 2:
        raise InputError(f"shifts are ascending from 0, at least two, but were {shifts}")
    for name, value, allowed in (
        ("score", score, stylespace.SCORES),
        ("reduction", reduction, stylespace.REDUCTIONS),
        ("space", space, stylespace.SPACES),
        ("noise", noise, NOISES),
        ("shift_unit", shift_unit, tuple(UNITS)),
    ):
        if value not in allowed:
            raise InputError(f"{name} is one of {', '.join(allowed)}, but was {value!r}")
    for name, value, fewest in (
        ("n_samples", n_samples, 2), ("n_moved", n_moved, 2), ("n_walked", n_walked, 1), ("n_dimensions", n_dimensions, 1),
    ):  # fmt: skip
        if value < fewest:
            raise InputError(f"{name} is at least {fewest}, but was {value}")
    if not math.isfinite(distance) or distance <= 0 or not 0 < truncation_psi <= 1:
        raise InputError(
            f"distance is above 0 and truncation_psi above 0 and at most 1, but they were {distance} and {truncation_psi}"
        )
    pair = as_list(map_attributes, "map_attributes")
    for attribute in pair:
        ATTRIBUTES[attribute]  # an unknown one raises with the closest three
    if len(pair) != 2:
        raise InputError(f"map_attributes are two attributes, but were {pair}")
    scene = Scene(
        generator, dataset, reading or None, judge, epochs, n_samples, n_moved, n_walked, float(distance), tuple(shifts),
        tuple(pair), float(truncation_psi), noise, seed, shift_unit,
    )  # fmt: skip
    if corner_set:
        repair.check_target(corner_set)
    how = {
        "score": score,
        "reduction": reduction,
        "scaled": scaled,
        "space": space,
        "n_dimensions": n_dimensions,
    }
    own = {"choice": how, "repair": with_repair}
    rows = {
        model: {
            "study": STUDY,
            **networks.specification(model),
            "study version": [VERSION, movements.VERSION],
            "scene": scene.identity(),
            **own,
        }
        for model in known
    }
    return networks, scene, rows, own


def specifications(**parameters) -> dict[str, dict]:
    """Return what defines each classifier's row; nothing is computed. Takes what `measure` takes."""
    return _plan(**parameters)[2]


def measure(
    *,
    classifier: str,
    classifiers: list[str],
    seeds: list[int],
    generator: str,
    judge: str,
    dataset: str,
    reading: str,
    n_samples: int,
    n_moved: int,
    n_walked: int,
    distance: float,
    shifts: list[float],
    shift_unit: str,
    map_attributes: list[str],
    truncation_psi: float,
    noise: str,
    score: str,
    reduction: str,
    scaled: bool,
    space: str,
    n_dimensions: int,
    with_repair: bool,
    corner_set: str,
    n_robustness: int,
    corruptions: list[str],
    severities: list[int],
    epochs: int,
    seed: int,
    preset: str,
    source: str,
    dask_scheduler: str,
):
    """Return a row for each classifier: its severity profile, the dimensions its gradient picks, and what they do to it.

    The arguments are the parameters of ``notebooks/failure_discovery.ipynb``, where each is explained.

    Returns
    -------
    xarray.Dataset
        Dimensions model, class, dimension (of StyleSpace), attribute and others: see `row.of_classifier`.
    """
    if source == "published":
        return results.gather_published(STUDY, list(_models(classifier, classifiers, seeds)), preset=preset)
    given = dict(
        classifier=classifier, classifiers=classifiers, seeds=seeds, generator=generator, judge=judge, dataset=dataset,
        reading=reading, n_samples=n_samples, n_moved=n_moved, n_walked=n_walked, distance=distance, shifts=shifts, shift_unit=shift_unit,
        map_attributes=map_attributes, truncation_psi=truncation_psi, noise=noise, score=score, reduction=reduction,
        scaled=scaled, space=space, n_dimensions=n_dimensions, with_repair=with_repair, corner_set=corner_set,
        n_robustness=n_robustness, corruptions=corruptions, severities=severities, epochs=epochs, seed=seed, preset=preset,
        source=source, dask_scheduler=dask_scheduler,
    )  # fmt: skip
    networks, scene, rows, own = _plan(**given)

    def compute(missing: list[str]):
        _check(networks, scene, missing, own)
        print(preparation.cost(networks, missing, {"failures": len(missing)}))
        with tasks.workers(dask_scheduler) as client:
            # the judge, which takes longest, beside the others, and none of them twice
            ready = [(model, networks.options(model)) for model in dict.fromkeys([scene.judge, *missing])]
            tasks.run(features.ready, ready, client=client, label="networks (trained once, then kept)")
            preparation.prepare(networks, missing, client)
            show(scene, client)
            calls = [(networks, scene, model, own) for model in missing]
            pace = preparation.pace(networks, "failures")
            found = tasks.as_finished(row.of_classifier, calls, client=client, label="failures", pace=pace)
            for i, one in found:
                yield missing[i], one

    found = results.gather(STUDY, rows, preset=preset, source=source, compute=compute)
    if further := added.missing(rows):
        with tasks.workers(dask_scheduler) as client:
            show(scene, client)
            calls = [(scene, model, networks.options(model), rows[model], name) for model, name in further]
            tasks.run(added.compute, calls, client=client, label="added attributes")
    found = added.joined(found, rows)
    if corner_set:
        first = next(iter(rows))
        show(scene)
        subject = Subject(scene, features.load_classifier(first, networks.options(first)))
        print(f"corner cases of {first}, opened by {repair.export(subject, corner_set)}")
    return found


def show(scene: Scene, client=None) -> None:
    """Make the images of a scene's movements, where they are not kept yet."""
    tasks.run(movements.compute_block, movements.missing_blocks(scene), client=client, label="movements")
    tasks.run(movements.compute_effect, movements.missing_effects(scene), client=client, label="effects")
    tasks.run(directions.compute_walk, directions.missing_walks(scene), client=client, label="walks")
    tasks.run(directions.compute_map, directions.missing_map(scene), client=client, label="map")


def _check(networks: Population, scene: Scene, models: list[str], own: dict) -> None:
    """Raise InputError if a classifier does not fit the generator, before any is trained."""
    from robustshape.generators.stylegan2 import read_network

    generator = read_network(generator_path(scene.generator))
    inside = stylespace.StyleSpace.of(generator).inside(own["choice"]["space"])
    if own["choice"]["n_dimensions"] > len(inside):
        raise InputError(
            f"this generator has {len(inside)} dimensions in the space {own['choice']['space']!r}, but n_dimensions was "
            f"{own['choice']['n_dimensions']}"
        )
    for model in dict.fromkeys([*models, scene.judge]):
        if model.startswith("zoo:"):
            from robustshape import models as library

            about = library.identity(model, **dict(networks.options(model)))
            check_fits(generator, model, *(about[name] for name in ("n_classes", "size", "channels")))
        else:
            fitting(generator, features.load_classifier(model, networks.options(model)))
