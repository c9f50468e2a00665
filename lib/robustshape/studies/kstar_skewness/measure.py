"""One network's row of the k* study: its k* distribution on clean images, and what stands beside it."""

from dataclasses import dataclass, replace

from robustshape.attacks.stages import Stage
from robustshape.errors import InputError
from robustshape.measurements import attacked
from robustshape.measurements.population import Population
from robustshape.models.network import Network
from robustshape.registry import closest, unknown_name
from robustshape.studies.kstar_skewness import beside
from robustshape.studies.study import Settings, Study
from robustshape.values import as_list

N_SHUFFLES = 20  # of the labels, for what chance alone gives
METRICS = ("euclidean", "cosine")


@dataclass(frozen=True)
class KstarSettings(Settings):
    """The study's own parameters, explained in its notebook."""

    metric: str
    n_bootstrap: int
    n_halves: int
    plots: tuple[str, ...]
    n_plotted: int
    shift: str

    def check(self, population: Population) -> "KstarSettings":
        """Return the settings as they are used, or raise InputError."""
        from robustshape.indicators.embeddings import METHODS

        if self.metric not in METRICS:
            raise InputError(
                f"unknown metric {self.metric!r}; closest: {closest(self.metric, METRICS, 1)[0]}; "
                f"it is one of {', '.join(METRICS)}"
            )
        for name, least in (("n_bootstrap", 1), ("n_halves", 2), ("n_plotted", 5)):
            if getattr(self, name) < least:
                raise InputError(f"{name} is at least {least}, but was {getattr(self, name)}")
        methods = as_list(self.plots, "plots", empty=True)
        for method in methods:
            if method not in METHODS:
                raise unknown_name("plot", method, METHODS, "robustshape.indicators.embeddings.METHODS")
        stage = self.shift and Stage.parse(self.shift)
        if stage and len(stage.budgets) != 1:
            raise InputError(
                f"shift is one attack at one budget, such as 'pgd linf 8/255', but was {self.shift!r}"
            )
        attacked.tries([stage] if stage else [], population.held_out)  # more images than there are raise
        n_plotted = min(self.n_plotted, population.n_samples)
        return replace(self, plots=tuple(methods), n_plotted=n_plotted, shift=str(stage))


def row(population: Population, network: Network, settings: KstarSettings):
    """Return one network's row from its finished features and predictions."""
    import numpy as np
    import xarray

    from robustshape.indicators import kstar, kstar_resampling
    from robustshape.indicators.kstar_chance import expected_skewness

    metric, seed = settings.metric, population.seed
    store = population.features(network)
    features, labels, ids = store["features"].values, store["label"].values, store.sample.values
    found = kstar.kstar_distribution(features, labels, metric=metric)
    shuffled = kstar_resampling.permutation_baseline(
        features, labels, rng=np.random.default_rng(seed), n_draws=N_SHUFFLES, metric=metric
    )
    expected = expected_skewness(found["size"].values, rng=np.random.default_rng(seed))
    normalised, rank = found["normalised_rank"].values, found["rank"].values
    intervals = kstar.bootstrap_intervals(
        normalised, labels, n_draws=settings.n_bootstrap, rng=np.random.default_rng(seed)
    )
    halves = kstar_resampling.half_sample_check(
        features,
        labels,
        normalised,
        n_halves=settings.n_halves,
        rng=np.random.default_rng(seed),
        metric=metric,
    )
    n_plotted = settings.n_plotted
    parts = [
        found.reset_coords("label").assign_coords(sample=ids, bound=["low", "high"]),
        halves[["half_sample_sd", "bootstrap_sd"]],
        beside.neighbours_and_clusters(features, labels, n_plotted),
        beside.by_class_size(features, labels, metric),
        beside.suspects(features, labels, ids, store["logits"].values.argmax(1), rank, metric),
    ]
    if settings.plots:
        small = features[:n_plotted], labels[:n_plotted], ids[:n_plotted]
        parts.append(beside.plots(*small, settings.plots, seed))
    if settings.shift:
        both = population.attacked_features(network, settings.shift)
        parts.append(beside.under_attack(*both, metric))
    made = xarray.merge(parts, combine_attrs="drop", compat="no_conflicts", join="exact")
    made["rank"], made["label"] = made["rank"].astype(np.int32), made["label"].astype(np.int16)
    return made.assign(
        **{f"{name}_interval": ("bound", np.asarray(ends)) for name, ends in intervals.items()},
        permuted_skewness=float(shuffled["mean"].sel(statistic="approximate_skewness")),
        permuted_skewness_expected=float(np.nanmean(expected)),
        permuted_mean_rank=float(shuffled["mean"].sel(statistic="mean_normalised_rank")),
        metric=metric,
        shift=settings.shift,
    )


VARIABLES: dict[str, tuple[str, str]] = {}

STUDY = Study(
    name="kstar_skewness",
    title="Do networks that split classes into fragments fail sooner? (k* distribution)",
    settings=KstarSettings,
    row=row,
    variables=VARIABLES,
    quantities=(
        "approximate_skewness", "mean_normalised_rank", "accuracy", "corrupted_accuracy", "robust_accuracy",
    ),
    version=2,
    first_version=2,
)  # fmt: skip
