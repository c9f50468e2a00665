"""Numbers of the purity study: for each network clusterings of clean features, rival indicators, and its robustness."""

import time

from robustshape import tasks
from robustshape.errors import InputError
from robustshape.store import results
from robustshape.store.keys import since
from robustshape.studies import as_list, preparation
from robustshape.studies.population import Population

STUDY = "cluster_purity"
VERSION = 2  # raise when a change of the algorithm changes the numbers


def _plan(
    *, n_classes, per_class, n_draws, n_closer, layer, layers, normalise, preset, source, dask_scheduler,
    **population,
):  # fmt: skip
    """Check the parameters; return the population, what defines each row, and the settings of `measure_one`."""
    from robustshape.studies.cluster_purity.draws import class_draws, rival_names

    results.check_source(source)
    if n_draws < 1:
        raise InputError(f"n_draws is at least 1, but was {n_draws}")
    if not 0 <= n_closer <= n_draws:
        raise InputError(f"n_closer is 0 to {n_draws}, the number of draws, but was {n_closer}")
    networks = Population.of(**population)
    if not networks.corruptions:
        raise InputError("what is predicted is accuracy under corruption, so corruptions names at least one")
    settings = {
        "n_classes": n_classes,
        "per_class": per_class,
        "n_draws": n_draws,
        "n_closer": n_closer,
        "layer": layer,
        "layers": as_list(layers, "layers", empty=True),
        "normalise": bool(normalise),
        "rivals": rival_names(),  # one that is registered later makes new rows
    }
    labels = networks.selections[0].load()["label"].values
    class_draws(labels, n_classes=n_classes, per_class=per_class, n_draws=1, seed=networks.seed)  # or raises
    rows = {
        model: {
            "study": STUDY,
            **networks.specification(model),
            **since("study version", VERSION, 2),
            **settings,
        }
        for model in networks.models
    }
    return networks, rows, settings


def specifications(**parameters) -> dict[str, dict]:
    """Return what defines each model's row; nothing is computed. Takes what `measure` takes."""
    return _plan(**parameters)[1]


def measure(
    *,
    models: list[str],
    dataset: str,
    reading: str,
    n_samples: int,
    robustness_dataset: str,
    robustness_reading: str,
    n_robustness: int,
    corruptions: list[str],
    severities: list[int],
    corrupted: str,
    attacks: list[str],
    epochs: int,
    n_classes: int,
    per_class: int,
    n_draws: int,
    n_closer: int,
    layer: str,
    layers: list[str],
    normalise: bool,
    seed: int,
    preset: str,
    source: str,
    dask_scheduler: str,
):
    """Return a row for each model: purities and rivals of every draw, accuracies, provenance.

    The arguments are the parameters of ``notebooks/cluster_purity.ipynb``, where each is explained.

    Returns
    -------
    xarray.Dataset
        Dimensions model, draw, clustering, rival, corruption, severity, attack, and of the first few draws
        (closer) ratio, shift and variant: see `measure_one`.
    """
    if source == "published":
        return results.gather_published(STUDY, as_list(models, "models"), preset=preset)
    given = dict(
        models=models, dataset=dataset, reading=reading, n_samples=n_samples,
        robustness_dataset=robustness_dataset, robustness_reading=robustness_reading,
        n_robustness=n_robustness, corruptions=corruptions, severities=severities, corrupted=corrupted,
        attacks=attacks, epochs=epochs, n_classes=n_classes, per_class=per_class, n_draws=n_draws,
        n_closer=n_closer, layer=layer, layers=layers, normalise=normalise, seed=seed, preset=preset,
        source=source, dask_scheduler=dask_scheduler,
    )  # fmt: skip
    networks, rows, settings = _plan(**given)

    def compute(missing: list[str]):
        _check_layers(networks, missing, [settings["layer"], *settings["layers"]])
        print(preparation.cost(networks, missing))
        with tasks.workers(dask_scheduler) as client:
            preparation.prepare(networks, missing, client)
            arguments = [(networks, model, settings) for model in missing]
            for i, row in tasks.as_finished(measure_one, arguments, client=client, label="clusterings"):
                yield missing[i], row.assign(study=STUDY)

    return results.gather(STUDY, rows, preset=preset, source=source, compute=compute)


def _check_layers(networks: Population, models: list[str], layers: list[str]) -> None:
    """Raise InputError if a network lacks one of the layers; no network is trained for that."""
    from robustshape.features import load_classifier
    from robustshape.hooks import find_layer
    from robustshape.models.zoo import construct

    named = [layer for layer in layers if layer not in ("penultimate", "logits")]
    for model in models if named else ():
        if model.startswith("zoo:"):
            about = networks.identity(model)
            shape = {name: about[name] for name in ("channels", "size", "n_classes")}
            module = construct(about["architecture"], **shape)
        else:
            module = load_classifier(model, networks.options(model)).module
        for layer in named:
            find_layer(module, layer)


def measure_one(networks: Population, model: str, settings: dict):
    """Return one model's row from its finished features and predictions.

    Returns
    -------
    xarray.Dataset
        Of every draw ``purity``, ``n_clusters``, ``ari``, ``nmi`` (clustering, draw), ``rival_value (rival, draw)``,
        ``accuracy_of_draw`` among all classes and ``accuracy_restricted`` among those of the draw, and
        ``calibration_auc``. With each draw goes a random half of the robustness images, the same for every model:
        ``accuracy_of_half (draw)``, ``corrupted_of_half (draw, corruption)``. Halves, because the variance over
        halves drawn without replacement is that of the whole sample.
        Of the first draws: purity by number of clusters, and purity in variants (see `_closer`).
    """
    import numpy as np
    import xarray

    from robustshape.studies.cluster_purity import draws as on

    began = time.perf_counter()
    store = networks.features(model)
    labels, logits = store["label"].values, store["logits"].values
    right_of_all = store["right_of_all"].values if "right_of_all" in store else None
    features = _layer(networks, model, store, settings["layer"], settings["normalise"])
    plan = {name: settings[name] for name in ("n_classes", "per_class", "n_draws")}
    drawn = on.class_draws(labels, **plan, seed=networks.seed)
    held_right, corrupted_right = networks.correct(model)

    found, rivals, plain, closer = [], [], [], []
    for i, draw in enumerate(drawn):
        rng = np.random.default_rng([networks.seed, 2, i])
        agreement, calibration = on.clusterings(features, labels, draw, rng=rng)
        found.append([[agreement[c][name] for name in on.AGREEMENT] for c in on.CLUSTERINGS])
        at = draw.scored
        own = [
            np.random.default_rng([networks.seed, kind, i]) for kind in (3, 4)
        ]  # not what others leave of one
        rivals.append(on.rivals(features[at], labels[at], logits[at], rng=own[1]))
        half = np.sort(own[0].permutation(len(held_right))[: len(held_right) // 2])
        plain.append(
            on.accuracies(logits, labels, right_of_all, at)
            | {
                "calibration_auc": calibration.auc,
                "accuracy_of_half": held_right[half].mean(),
                "corrupted_of_half": corrupted_right[..., half].mean((1, 2)),
            }
        )
        if i < settings["n_closer"]:
            closer.append(_closer(networks, model, store, features, draw, calibration, settings, rng=rng))
    found = np.array(found)  # (draw, clustering, number)
    row = xarray.Dataset(
        {name: (("clustering", "draw"), found[:, :, i].T) for i, name in enumerate(on.AGREEMENT)}
        | {
            "rival_value": (
                ("rival", "draw"),
                [[r[name] for r in rivals] for name in rivals[0]],
            ),
            "accuracy_of_draw": ("draw", [p["accuracy"] for p in plain]),
            "corrupted_of_half": (("draw", "corruption"), np.array([p["corrupted_of_half"] for p in plain])),
            **{
                name: ("draw", [float(p[name]) for p in plain])
                for name in ("accuracy_restricted", "calibration_auc", "accuracy_of_half")
            },
        },
        coords={
            "clustering": list(on.CLUSTERINGS),
            "rival": list(rivals[0]),
            "corruption": list(networks.corruptions),
        },
    )
    parts = [networks.row(model), row] + ([xarray.concat(closer, dim="closer")] if closer else [])
    return xarray.merge(parts, combine_attrs="drop", compat="no_conflicts", join="exact").assign(
        corrupted=networks.corrupted,
        robustness_dataset=networks.held_out.dataset,
        robustness_reading=str(networks.held_out.load().attrs["reading"]),
        n_classes=len(np.unique(labels[drawn[0].scored])),
        per_class=settings["per_class"],
        clustered_layer=settings["layer"],
        normalised=settings["normalise"],
        wall_time_s=time.perf_counter() - began,
    )


def _layer(networks: Population, model: str, store, layer: str, normalise: bool, positions=slice(None)):
    """Return the features of a layer (see `Classifier.activations`) of all images, or of those at `positions`."""
    import numpy as np

    from robustshape import datasets
    from robustshape.features import finite, load_classifier

    if layer in ("penultimate", "logits"):
        values = store["features" if layer == "penultimate" else "logits"].values[positions]
    else:
        data = networks.selections[0].load().isel(sample=positions)
        classifier = load_classifier(model, networks.options(model), data)
        values = finite(classifier.activations(datasets.pixels(data), [layer])[layer], model, layer)
    if not normalise:
        return values
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), np.finfo(np.float32).tiny)


def _closer(networks, model, store, features, draw, calibration, settings, *, rng):
    """Return purity by number of clusters, and in variants: fewer images, the other normalisation, other layers.

    Returns
    -------
    xarray.Dataset
        ``kmeans_by_ratio (ratio)``, ``multicut_by_shift`` and ``clusters_by_shift`` (shift);
        ``variant_purity (variant, clustering)`` and ``variant_accuracy (variant)``, restricted to the draw's classes.
    """
    import numpy as np
    import xarray

    from robustshape.studies.cluster_purity import draws as on

    labels, logits = store["label"].values, store["logits"].values
    curves = on.by_number_of_clusters(features, labels, draw, calibration, rng=rng)
    variants = {
        f"{n} images a class": (features, labels, on.of_first(draw, labels, n))
        for n in (settings["per_class"] // 4, settings["per_class"] // 2)
        if n >= 2
    }
    both = np.concatenate([draw.scored, draw.calibration])
    here = on.Draw(np.arange(len(draw.scored)), np.arange(len(draw.scored), len(both)))
    other = not settings["normalise"]
    views = {"L2-normalised" if other else "raw": (settings["layer"], other)}
    views |= {name: (name, settings["normalise"]) for name in settings["layers"]}
    for name, view in views.items():
        variants[name] = (_layer(networks, model, store, *view, positions=both), labels[both], here)
    purity, accuracy = [], []
    for values, known, part in variants.values():
        agreement, _ = on.clusterings(values, known, part, rng=rng)
        purity.append([agreement[c]["purity"] for c in on.CLUSTERINGS])
        own = part.scored if known is labels else both[part.scored]
        accuracy.append(on.accuracies(logits, labels, None, own)["accuracy_restricted"])
    return xarray.Dataset(
        {
            "kmeans_by_ratio": ("ratio", [c["purity"] for c in curves["k-means"]]),
            "multicut_by_shift": ("shift", [c["purity"] for c in curves["multicut"]]),
            "clusters_by_shift": ("shift", [float(c["n_clusters"]) for c in curves["multicut"]]),
            "variant_purity": (("variant", "clustering"), np.array(purity)),
            "variant_accuracy": ("variant", accuracy),
        },
        coords={
            "ratio": list(on.RATIOS),
            "shift": list(on.SHIFTS),
            "variant": list(variants),
            "clustering": list(on.CLUSTERINGS),
        },
    )
