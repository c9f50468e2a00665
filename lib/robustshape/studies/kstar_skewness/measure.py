"""One network's row of the k* study: its k* distribution on clean images, and what stands beside it."""

from dataclasses import asdict, dataclass, replace

from robustshape.attacks.stages import Stage
from robustshape.errors import InputError
from robustshape.measurements import attacked
from robustshape.measurements.population import Population
from robustshape.models.network import Network
from robustshape.registry import closest, unknown_name
from robustshape.studies.kstar_skewness import beside, twin
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

    def key(self, population: Population, network: Network) -> dict:
        """Return what of the settings defines a network's row."""
        shown = Stage.parse(self.shift).n if self.shift else None
        return asdict(self) | (population.first_images(shown) if shown else {})


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
    made = made.drop_vars("normalised_rank")  # see `normalised_rank`
    made["rank"], made["label"] = made["rank"].astype(np.int32), made["label"].astype(np.int16)
    return made.assign(
        **{f"{name}_interval": ("bound", np.asarray(ends)) for name, ends in intervals.items()},
        permuted_skewness=float(shuffled["mean"].sel(statistic="approximate_skewness")),
        permuted_skewness_expected=float(np.nanmean(expected)),
        permuted_mean_rank=float(shuffled["mean"].sel(statistic="mean_normalised_rank")),
        metric=metric,
        shift=settings.shift,
    )


def normalised_rank(rows):
    """Return the normalised k* of each sample, half of all that rows would hold: k* over the size of its class."""
    if not {"rank", "label", "size"} <= set(rows):
        return None
    known = rows["label"].notnull() & rows["rank"].notnull()  # rows of other images side by side have gaps
    label = rows["label"].where(known, rows["class"][0]).astype(rows["class"].dtype)
    size = rows["size"].sel({"class": label}).drop_vars("class")
    return (rows["rank"] / size).where(known)


VARIABLES = {
    "rank": ("k*: rank of the nearest sample of another class", "samples"),
    "normalised_rank": ("k* over the size of the sample's class", "1"),
    "label": ("class of the sample", ""),
    "size": ("samples of the class", "samples"),
    "small": ("whether the class is too small for a pattern", ""),
    "mean": ("mean normalised k* of the class", "1"),
    "std": ("standard deviation of the normalised k* of the class", "1"),
    "skewness": ("skewness of the normalised k* of the class", "1"),
    "pattern": ("pattern of the class's distribution: fractured, overlapped or clustered", ""),
    "n_undefined": ("classes without a skewness, for their k* are all alike", "classes"),
    "true_skewness": ("Gamma: skewness of all normalised k*", "1"),
    "true_skewness_interval": ("95 % interval of Gamma over samples", "1"),
    "approximate_skewness": ("Gamma': mean over classes of the skewness of k*", "1"),
    "approximate_skewness_interval": ("95 % interval of Gamma' over samples", "1"),
    "mean_normalised_rank": ("mean normalised k*", "1"),
    "mean_normalised_rank_interval": ("95 % interval of the mean normalised k* over samples", "1"),
    "half_sample_sd": ("standard deviation over recomputed half-samples", "1"),
    "bootstrap_sd": ("standard deviation over bootstrap draws of finished k*", "1"),
    "permuted_skewness": ("Gamma' with shuffled labels", "1"),
    "permuted_skewness_expected": ("Gamma' of shuffled labels by the class sizes alone", "1"),
    "permuted_mean_rank": ("mean normalised k* with shuffled labels", "1"),
    "neighbourhood_hit": ("share of own class among the 10 nearest neighbours", "1"),
    "neighbourhood_hit_by_chance": ("the same, expected of shuffled labels", "1"),
    "silhouette": ("silhouette of the first samples", "1"),
    "intrinsic_dimension": ("TwoNN dimension of the features", "dimensions"),
    "size_skewness": ("Gamma' of the first samples of each class", "1"),
    "size_skewness_floor": ("the same with shuffled labels", "1"),
    "size_mean_rank": ("mean normalised k* of the first samples of each class", "1"),
    "size_mean_rank_floor": ("the same with shuffled labels", "1"),
    "suspect": ("samples with the lowest normalised k*", ""),
    "suspect_label": ("class of the suspect", ""),
    "suspect_predicted": ("class that the network predicts", ""),
    "suspect_rank": ("k* of the suspect", "samples"),
    "suspect_nearness": ("distance of the nearest foreign sample over that of the nearest own one", "1"),
    "suspect_neighbour": ("nearest foreign sample of the suspect", ""),
    "suspect_neighbour_label": ("class of that neighbour", ""),
    "plot": ("place of a sample in a plot in two dimensions", ""),
    "plot_label": ("class of the sample in the plots", ""),
    "plot_trustworthiness": ("trustworthiness of the plot", "1"),
    "plot_hit": ("neighbourhood hit in the plot", "1"),
    "shift_rank": ("k* of the same images clean and attacked, among their own kind", "samples"),
    "shift_label": ("class of the images that are attacked", ""),
    "shift_skewness": ("Gamma' of these images", "1"),
    "shift_mean_rank": ("mean normalised k* of these images", "1"),
    "shift_accuracy": ("accuracy on these images", "1"),
    "indicator_value": (
        "k* over that of normal classes of the same moments, a difference of decimal logarithms",
        "1",
    ),
    "indicator_seconds": ("time that it took", "seconds"),
    "metric": ("distance of the features", ""),
    "shift": ("attack whose images get a k* of their own", ""),
}

COORDINATES = {
    "sample": ("image of the indicator", ""),
    "indicator": ("indicator with a key of its own", ""),
    "class": ("class", ""),
    "class_size": ("first samples of each class", "samples"),
    "statistic": ("statistic of k*", ""),
    "bound": ("end of the interval", ""),
    "condition": ("whether the images are attacked", ""),
    "shift_sample": ("image that is shown clean and attacked", ""),
    "embedding": ("method of the plot", ""),
    "plot_sample": ("image in the plots", ""),
}

STUDY = Study(
    name="kstar_skewness",
    title="Do networks that split classes into fragments fail sooner? (k* distribution)",
    settings=KstarSettings,
    row=row,
    variables=VARIABLES,
    coordinates=COORDINATES,
    quantities=(
        "approximate_skewness", "mean_normalised_rank", "accuracy", "corrupted_accuracy", "robust_accuracy",
    ),
    version=2,
    first_version=2,
    parts=twin.parts,
    along="indicator",
    derived={"normalised_rank": normalised_rank},
)  # fmt: skip
