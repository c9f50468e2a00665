"""Numbers of the purity study: for each network the purity of a clustering of clean features, and its robustness."""

import time

from robustshape import tasks
from robustshape.errors import InputError
from robustshape.store import results
from robustshape.studies import as_list
from robustshape.studies.population import Population

STUDY = "cluster_purity"
VERSION = 1  # raise when a change of the algorithm changes the numbers


def _plan(*, n_draws, preset, source, dask_scheduler, **population):
    """Check the parameters; return the population and what defines each row."""
    results.check_source(source)
    if n_draws < 1:
        raise InputError(f"n_draws is at least 1, but was {n_draws}")
    networks = Population.of(**population)
    rows = {
        model: {"study": STUDY, "version": VERSION, **networks.specification(model), "n_draws": n_draws}
        for model in networks.models
    }
    return networks, rows


def specifications(**parameters) -> dict[str, dict]:
    """Return what defines each model's row; nothing is computed. Takes what `measure` takes."""
    return _plan(**parameters)[1]


def measure(
    *,
    models: list[str],
    dataset: str,
    n_samples: int,
    n_robustness: int,
    corruptions: list[str],
    severities: list[int],
    epochs: int,
    n_draws: int,
    seed: int,
    preset: str,
    source: str,
    dask_scheduler: str,
):
    """Return a row for each model: purity, number of clusters, ARI, NMI, accuracies, provenance.

    The arguments are the parameters of ``notebooks/cluster_purity.ipynb``, where each is explained.

    Returns
    -------
    xarray.Dataset
        Dimensions model, corruption, severity, and draw: the same numbers on random halves of the images.
    """
    if source == "published":
        return results.gather_published(STUDY, as_list(models, "models"), preset=preset)
    given = dict(
        models=models, dataset=dataset, n_samples=n_samples, n_robustness=n_robustness, corruptions=corruptions,
        severities=severities, epochs=epochs, n_draws=n_draws, seed=seed, preset=preset, source=source,
        dask_scheduler=dask_scheduler,
    )  # fmt: skip
    networks, rows = _plan(**given)

    def compute(missing: list[str]):
        print(networks.cost(missing))
        with tasks.workers(dask_scheduler) as client:
            networks.prepare(missing, client)
            arguments = [(networks, model, n_draws) for model in missing]
            for i, row in tasks.as_finished(measure_one, arguments, client=client, label="clusterings"):
                yield missing[i], row.assign(study=STUDY)

    return results.gather(STUDY, rows, preset=preset, source=source, compute=compute)


def measure_one(networks: Population, model: str, n_draws: int):
    """Return one model's row from its finished features and predictions.

    A draw is a random half of the indicator's images and a random half of the robustness images, the same
    halves for every model. Halves, because the variance over halves drawn without replacement is that of
    the whole sample; drawing with replacement would put duplicates at distance zero, which clusterings love.
    """
    import numpy as np

    from robustshape.indicators.purity import cluster_agreement, cluster_purity, kmeans_clusters

    began = time.perf_counter()
    store = networks.features(model)
    points, labels = store["features"].values, store["label"].values
    right = store["logits"].values.argmax(1) == labels
    n_classes = len(np.unique(labels))
    held_right, corrupted_right = networks.correct(model)

    rng = np.random.default_rng([networks.seed, 0])
    whole = cluster_agreement(kmeans_clusters(points, n_classes, rng=rng), labels)
    draws = {
        name: np.empty(n_draws) for name in ("purity", "indicator_accuracy", "accuracy", "corrupted_accuracy")
    }
    for i in range(n_draws):
        rng = np.random.default_rng([networks.seed, 1, i])
        half = np.sort(rng.permutation(len(points))[: len(points) // 2])
        held = np.sort(rng.permutation(len(held_right))[: len(held_right) // 2])
        clusters = kmeans_clusters(points[half], n_classes, rng=rng)
        draws["purity"][i] = cluster_purity(clusters, labels[half])
        draws["indicator_accuracy"][i] = right[half].mean()
        draws["accuracy"][i] = held_right[held].mean()
        draws["corrupted_accuracy"][i] = corrupted_right[..., held].mean()
    return networks.row(model).assign(
        **whole,
        **{f"{name}_of_half": ("draw", values) for name, values in draws.items()},
        clustering="k-means",
        wall_time_s=time.perf_counter() - began,
    )
