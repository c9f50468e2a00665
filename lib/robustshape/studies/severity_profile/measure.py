"""Accuracy under seven corruptions at five severities, for classifiers and ways of reading the digits.

The slides of Le Coz, Herbin, Adjed (2022, arXiv 2410.12814) print such a table for one classifier trained on
clean MNIST, without saying which classifier or how the 28-pixel digits were read. So several of both are
measured, to see which fits. A row is one classifier with one reading, called ``zoo:mlp pad32``.
"""

import time

from robustshape import features, robustness, tasks
from robustshape.corruptions import VERSION as CORRUPTIONS_VERSION
from robustshape.datasets.selection import Selection
from robustshape.errors import InputError
from robustshape.store import results
from robustshape.studies import as_list

STUDY = "severity_profile"
VERSION = 1  # raise when a change of the algorithm changes the numbers
CONSTANTS = "224"  # those of ImageNet-C, as on the slides, applied to the digits as they are
MADE = (CONSTANTS, robustness.GENERATED)


def _plan(
    *, models, readings, dataset, n_samples, corruptions, severities, epochs, seed, preset, source,
    dask_scheduler,
):  # fmt: skip
    """Check the parameters; return each row's (model, options), images and definition."""
    from robustshape import models as library
    from robustshape.corruptions import CORRUPTIONS
    from robustshape.registry import unknown_name
    from robustshape.studies.severity_profile.analyse import reported

    results.check_source(source)
    corruptions, severities = as_list(corruptions, "corruptions"), as_list(severities, "severities", int)
    printed = [str(name) for name in reported().corruption.values]
    for corruption in corruptions:
        if CORRUPTIONS[corruption] and corruption not in printed:
            raise InputError(
                f"the reported table has no {corruption!r}; it has {', '.join(printed)}: leave it out of corruptions"
            )
    for model in as_list(models, "models"):
        if not model.startswith("zoo:"):
            raise unknown_name(
                "model of this study", model, library.names("zoo:*"), "robustshape list models"
            )
    if any(not 1 <= severity <= 5 for severity in severities):
        raise InputError(f"severities run from 1 to 5, but {severities} were given")
    calls, rows = {}, {}
    for reading in as_list(readings, "readings"):
        images = Selection.parts(dataset, (n_samples,), seed=seed, reading=reading)[0]
        for model in as_list(models, "models"):
            options = (("dataset", dataset), ("epochs", epochs or None), ("reading", reading))
            name = f"{model} {reading}"
            calls[name] = ((model, options), images, tuple(corruptions), tuple(severities), seed, *MADE)
            rows[name] = {
                "study": STUDY,
                "version": [VERSION, features.VERSION, robustness.VERSION, CORRUPTIONS_VERSION],
                "model": library.identity(model, **dict(options)),
                "images": images.identity(),
                "corruptions": corruptions,
                "severities": severities,
                "seed": seed,
                "constants": CONSTANTS,
            }
    return calls, rows


def specifications(**parameters) -> dict[str, dict]:
    """Return what defines each row; nothing is computed. Takes what `measure` takes."""
    return _plan(**parameters)[1]


def measure(
    *,
    models: list[str],
    readings: list[str],
    dataset: str,
    n_samples: int,
    corruptions: list[str],
    severities: list[int],
    epochs: int,
    seed: int,
    preset: str,
    source: str,
    dask_scheduler: str,
):
    """Return a row for each classifier and reading: clean accuracy, and under each corruption and severity.

    The arguments are the parameters of ``notebooks/severity_profile.ipynb``, where each is explained.

    Returns
    -------
    xarray.Dataset
        Dimensions model (such as ``zoo:mlp pad32``), corruption, severity.
    """
    given = dict(
        models=models, readings=readings, dataset=dataset, n_samples=n_samples, corruptions=corruptions,
        severities=severities, epochs=epochs, seed=seed, preset=preset, source=source,
        dask_scheduler=dask_scheduler,
    )  # fmt: skip
    if source == "published":
        names = [f"{m} {r}" for r in as_list(readings, "readings") for m in as_list(models, "models")]
        return results.gather_published(STUDY, names, preset=preset)
    calls, rows = _plan(**given)

    def compute(missing: list[str]):
        print(f"{len(missing)} of {len(rows)} rows to measure: a network each, trained if it is not kept")
        wanted = [calls[name] for name in missing]
        with tasks.workers(dask_scheduler) as client:
            tasks.run(features.ready, [pair for pair, *_ in wanted], client=client, label="networks")
            pieces = [
                piece for pair, images, *_ in wanted for piece in features.missing_pieces(*pair, images)
            ]
            tasks.run(features.compute_piece, pieces, client=client, label="clean images")
            shown = dict.fromkeys(tuple(images) for _, *images in wanted)  # each corrupted once, for all
            corrupted = [
                call
                for images in shown
                for call in robustness.missing([w[0] for w in wanted if tuple(w[1:]) == images], *images)
            ]
            tasks.run(robustness.predict, corrupted, client=client, label="corruptions")
            for i, row in tasks.as_finished(measure_one, wanted, client=client, label="rows"):
                yield missing[i], row

    return results.gather(STUDY, rows, preset=preset, source=source, compute=compute)


def measure_one(pair, images: Selection, corruptions, severities, seed: int, *made):
    """Return one row from finished predictions."""
    import xarray

    from robustshape.store.provenance import provenance

    began = time.perf_counter()
    model, options = pair
    clean = features.open_features(model, options, images)
    right = robustness.correct(model, options, images, corruptions, severities, seed, *made)
    classifier = features.load_classifier(model, options, images.load())
    about = classifier.about
    return xarray.Dataset({"corrupted_accuracy": right.mean("sample", keep_attrs=False)}).assign(
        accuracy=features.accuracy(clean),
        family=about["family"],
        recipe=about["recipe"],
        reading=images.reading,
        study=STUDY,
        layer=classifier.head,
        preprocessing=classifier.preprocessing(),
        dataset=images.dataset,
        checksum=images.load().attrs["checksum"],
        n_samples=images.n,
        n_robustness=images.n,
        seed=seed,
        corruption_time_s=right.attrs["seconds"],
        wall_time_s=time.perf_counter() - began,
        **provenance(classifier.device),
    )
