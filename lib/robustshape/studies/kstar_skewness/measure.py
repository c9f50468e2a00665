"""Numbers of the k* study: for each network its k* distribution on clean images, and its robustness."""

import time

from robustshape import tasks
from robustshape.errors import InputError
from robustshape.registry import closest
from robustshape.store import results
from robustshape.studies.population import Population

STUDY = "kstar_skewness"
VERSION = 1  # raise when a change of the algorithm changes the numbers
METRICS = ("euclidean", "cosine")


def _plan(*, metric, n_bootstrap, preset, source, dask_scheduler, **population):
    """Check the parameters; return the population and what defines each row."""
    results.check_source(source)
    if metric not in METRICS:
        raise InputError(
            f"unknown metric {metric!r}; closest: {closest(metric, METRICS, 1)[0]}; it is one of {', '.join(METRICS)}"
        )
    if n_bootstrap < 1:
        raise InputError(f"n_bootstrap is at least 1, but was {n_bootstrap}")
    networks = Population.of(**population)
    rows = {
        model: {
            "study": STUDY,
            "version": VERSION,
            **networks.specification(model),
            "metric": metric,
            "n_bootstrap": n_bootstrap,
        }
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
    metric: str,
    n_bootstrap: int,
    seed: int,
    preset: str,
    source: str,
    dask_scheduler: str,
):
    """Return a row for each model: ranks, skewness by class and over all, accuracies, provenance.

    The arguments are the parameters of ``notebooks/kstar_skewness.ipynb``, where each is explained.

    Returns
    -------
    xarray.Dataset
        Dimensions model, sample, class, corruption, severity, bound (of 95 % intervals: low, high).
    """
    from robustshape.studies import as_list

    if source == "published":
        return results.gather_published(STUDY, as_list(models, "models"), preset=preset)
    given = dict(
        models=models, dataset=dataset, n_samples=n_samples, n_robustness=n_robustness, corruptions=corruptions,
        severities=severities, epochs=epochs, metric=metric, n_bootstrap=n_bootstrap, seed=seed, preset=preset,
        source=source, dask_scheduler=dask_scheduler,
    )  # fmt: skip
    networks, rows = _plan(**given)

    def compute(missing: list[str]):
        print(networks.cost(missing))
        with tasks.workers(dask_scheduler) as client:
            networks.prepare(missing, client)
            arguments = [(networks, model, metric, n_bootstrap) for model in missing]
            for i, row in tasks.as_finished(measure_one, arguments, client=client, label="k* distributions"):
                yield missing[i], row.assign(study=STUDY)

    return results.gather(STUDY, rows, preset=preset, source=source, compute=compute)


def measure_one(networks: Population, model: str, metric: str, n_bootstrap: int):
    """Return one model's row from its finished features and predictions."""
    import numpy as np

    from robustshape.indicators import kstar

    began = time.perf_counter()
    store = networks.features(model)
    labels = store["label"].values
    found = kstar.kstar_distribution(store["features"].values, labels, metric=metric)
    floor = kstar.permutation_floor(found["size"].values)
    intervals = kstar.bootstrap_intervals(
        found["normalised_rank"].values, labels, n_draws=n_bootstrap, rng=np.random.default_rng(networks.seed)
    )
    found = found.reset_coords("label").assign_coords(sample=store.sample.values, bound=["low", "high"])
    row = networks.row(model).merge(found, combine_attrs="drop")
    row["rank"], row["label"] = row["rank"].astype(np.int32), row["label"].astype(np.int16)
    return row.assign(
        **{f"{name}_interval": ("bound", np.asarray(found)) for name, found in intervals.items()},
        permuted_skewness=float(floor["approximate_skewness"]),
        permuted_mean_rank=float(floor["mean_normalised_rank"]),
        metric=metric,
        wall_time_s=time.perf_counter() - began,
    )
