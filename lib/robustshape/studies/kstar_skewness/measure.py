"""Numbers of the k* study: for each network its k* distribution on clean images, and its robustness."""

import time

from robustshape import tasks
from robustshape.errors import InputError
from robustshape.registry import closest, unknown_name
from robustshape.store import results
from robustshape.store.keys import since
from robustshape.studies import preparation
from robustshape.studies.population import Population

STUDY = "kstar_skewness"
VERSION = 2  # raise when a change of the algorithm changes the numbers
N_SHUFFLES = 20  # of the labels, for what chance alone gives
METRICS = ("euclidean", "cosine")


def _plan(
    *, metric, n_bootstrap, n_halves, plots, n_plotted, shift, preset, source, dask_scheduler, **population
):
    """Check the parameters; return the population, what defines each row, and the settings of `measure_one`."""
    from robustshape.attacks.stages import Stage
    from robustshape.indicators.embeddings import METHODS
    from robustshape.robustness import attacked
    from robustshape.studies import as_list

    results.check_source(source)
    if metric not in METRICS:
        raise InputError(
            f"unknown metric {metric!r}; closest: {closest(metric, METRICS, 1)[0]}; it is one of {', '.join(METRICS)}"
        )
    for name, n, least in (
        ("n_bootstrap", n_bootstrap, 1),
        ("n_halves", n_halves, 2),
        ("n_plotted", n_plotted, 5),
    ):
        if n < least:
            raise InputError(f"{name} is at least {least}, but was {n}")
    networks, methods = Population.of(**population), as_list(plots, "plots", empty=True)
    for method in methods:
        if method not in METHODS:
            raise unknown_name("plot", method, METHODS, "robustshape.indicators.embeddings.METHODS")
    if shift:
        stage = Stage.parse(shift)
        if len(stage.budgets) != 1:
            raise InputError(
                f"shift is one attack at one budget, such as 'pgd linf 8/255', but was {shift!r}"
            )
        attacked.tries([stage], networks.held_out)
    settings = {
        "metric": metric,
        "n_bootstrap": n_bootstrap,
        "n_halves": n_halves,
        "plots": methods,
        "n_plotted": min(n_plotted, networks.n_samples),
        "shift": shift and str(stage),
    }
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
    n_samples: int,
    n_robustness: int,
    corruptions: list[str],
    severities: list[int],
    attacks: list[str],
    shift: str,
    epochs: int,
    metric: str,
    n_bootstrap: int,
    n_halves: int,
    plots: list[str],
    n_plotted: int,
    seed: int,
    preset: str,
    source: str,
    dask_scheduler: str,
):
    """Return a row for each model: ranks, skewness, what stands beside them, accuracies, provenance.

    The arguments are the parameters of ``notebooks/kstar_skewness.ipynb``, where each is explained.

    Returns
    -------
    xarray.Dataset
        Dimensions model, sample, class, corruption, severity, attack, bound (of 95 % intervals: low, high), and
        those of `aspects`.
    """
    from robustshape.studies import as_list

    if source == "published":
        return results.gather_published(STUDY, as_list(models, "models"), preset=preset)
    given = dict(
        models=models, dataset=dataset, n_samples=n_samples, n_robustness=n_robustness, corruptions=corruptions,
        severities=severities, attacks=attacks, shift=shift, epochs=epochs, metric=metric,
        n_bootstrap=n_bootstrap, n_halves=n_halves, plots=plots, n_plotted=n_plotted, seed=seed, preset=preset,
        source=source, dask_scheduler=dask_scheduler,
    )  # fmt: skip
    networks, rows, settings = _plan(**given)

    def compute(missing: list[str]):
        print(preparation.cost(networks, missing))
        with tasks.workers(dask_scheduler) as client:
            preparation.prepare(networks, missing, client)
            arguments = [(networks, model, settings) for model in missing]
            for i, row in tasks.as_finished(measure_one, arguments, client=client, label="k* distributions"):
                yield missing[i], row.assign(study=STUDY)

    return results.gather(STUDY, rows, preset=preset, source=source, compute=compute)


def measure_one(networks: Population, model: str, settings: dict):
    """Return one model's row from its finished features and predictions."""
    import numpy as np
    import xarray

    from robustshape.indicators import kstar, kstar_resampling
    from robustshape.indicators.kstar_chance import expected_skewness
    from robustshape.studies.kstar_skewness import aspects

    began = time.perf_counter()
    metric, seed = settings["metric"], networks.seed
    store = networks.features(model)
    features, labels, ids = store["features"].values, store["label"].values, store.sample.values
    found = kstar.kstar_distribution(features, labels, metric=metric)
    shuffled = kstar_resampling.permutation_baseline(
        features, labels, rng=np.random.default_rng(seed), n_draws=N_SHUFFLES, metric=metric
    )
    expected = expected_skewness(found["size"].values, rng=np.random.default_rng(seed))
    normalised, rank = found["normalised_rank"].values, found["rank"].values
    intervals = kstar.bootstrap_intervals(
        normalised, labels, n_draws=settings["n_bootstrap"], rng=np.random.default_rng(seed)
    )
    halves = kstar_resampling.half_sample_check(
        features,
        labels,
        normalised,
        n_halves=settings["n_halves"],
        rng=np.random.default_rng(seed),
        metric=metric,
    )
    n_plotted = settings["n_plotted"]
    parts = [
        networks.row(model),
        found.reset_coords("label").assign_coords(sample=ids, bound=["low", "high"]),
        halves[["half_sample_sd", "bootstrap_sd"]],
        aspects.neighbours_and_clusters(features, labels, n_plotted),
        aspects.by_class_size(features, labels, metric),
        aspects.suspects(features, labels, ids, store["logits"].values.argmax(1), rank, metric),
    ]
    if settings["plots"]:
        small = features[:n_plotted], labels[:n_plotted], ids[:n_plotted]
        parts.append(aspects.plots(*small, settings["plots"], seed))
    if settings["shift"]:
        parts.append(aspects.under_attack(*networks.shifted(model, settings["shift"]), metric))
    row = xarray.merge(parts, combine_attrs="drop", compat="no_conflicts", join="exact")
    row["rank"], row["label"] = row["rank"].astype(np.int32), row["label"].astype(np.int16)
    return row.assign(
        **{f"{name}_interval": ("bound", np.asarray(found)) for name, found in intervals.items()},
        permuted_skewness=float(shuffled["mean"].sel(statistic="approximate_skewness")),
        permuted_skewness_expected=float(np.nanmean(expected)),
        permuted_mean_rank=float(shuffled["mean"].sel(statistic="mean_normalised_rank")),
        metric=metric,
        shift=settings["shift"],
        wall_time_s=time.perf_counter() - began,
    )
