"""One network's row of the purity study: clusterings of clean features on draws of classes, and its robustness."""

from dataclasses import asdict, dataclass, replace

import numpy as np

from robustshape.errors import InputError
from robustshape.hooks import find_layer
from robustshape.measurements.draws import Draw, class_draws, of_first
from robustshape.measurements.indicators import OnDraws
from robustshape.measurements.layers import KEPT, layer_features
from robustshape.measurements.population import Population
from robustshape.models.network import Network
from robustshape.studies.cluster_purity import draws as on
from robustshape.studies.study import Settings, Study
from robustshape.values import as_list

OURS = (  # registered indicators that the study measures itself, with more beside them
    "accuracy",
    "accuracy_among_classes",
    "kmeans_ari",
    "kmeans_purity",
    "log_rank_over_twin",
    "multicut_ari",
    "multicut_purity",
)


@dataclass(frozen=True)
class PuritySettings(Settings):
    """The study's own parameters, explained in its notebook."""

    n_classes: int
    per_class: int
    n_draws: int
    n_closer: int
    layer: str
    layers: tuple[str, ...]
    normalise: bool

    def check(self, population: Population) -> "PuritySettings":
        """Return the settings as they are used, or raise InputError."""
        if self.n_draws < 1:
            raise InputError(f"n_draws is at least 1, but was {self.n_draws}")
        if not 0 <= self.n_closer <= self.n_draws:
            raise InputError(f"n_closer is 0 to {self.n_draws}, the number of draws, but was {self.n_closer}")
        if not population.corruptions:
            raise InputError(
                "what is predicted is accuracy under corruption, so corruptions names at least one"
            )
        self.drawn(population, n_draws=1)  # what cannot be drawn raises
        layers = tuple(as_list(self.layers, "layers", empty=True))
        return replace(self, layers=layers, normalise=bool(self.normalise))

    def drawn(self, population: Population, *, n_draws: int | None = None) -> list[Draw]:
        """Return the draws, the same for every network."""
        return class_draws(
            population.clean.load()["label"].values, n_classes=self.n_classes, per_class=self.per_class,
            n_draws=n_draws or self.n_draws, seed=population.seed,
        )  # fmt: skip

    def key(self, population: Population, network: Network) -> dict:
        """Return what of the settings defines a network's row."""
        return asdict(self) | {"layers": list(self.layers)}


def check_layers(population: Population, networks: list[Network], settings: PuritySettings) -> None:
    """Raise InputError if a network lacks one of the layers; no network is trained for that."""
    named = [layer for layer in (settings.layer, *settings.layers) if layer not in KEPT]
    for network in networks if named else ():
        module = network.untrained().module
        for layer in named:
            find_layer(module, layer)


def indicators(population: Population, settings: PuritySettings) -> OnDraws:
    """Return where every registered indicator is measured: on the draws of the clusterings."""
    how = settings.n_classes, settings.per_class, settings.n_draws, settings.layer, settings.normalise
    return OnDraws(population.clean, *how, without=OURS)


def row(population: Population, network: Network, settings: PuritySettings):
    """Return one network's row from its finished features and predictions.

    Returns
    -------
    xarray.Dataset
        Of every draw ``purity``, ``n_clusters``, ``ari``, ``nmi`` (clustering, draw),
        ``accuracy_of_draw`` among all classes and ``accuracy_restricted`` among those of the draw, and
        ``calibration_auc``. With each draw goes a random half of the robustness images, the same for every network:
        ``accuracy_of_half (draw)``, ``corrupted_of_half (draw, corruption)``. Halves, because the variance over
        halves drawn without replacement is that of the whole sample.
        Of the first draws: purity by number of clusters, and purity in variants (see `_closer`).
    """
    import xarray

    store = population.features(network)
    labels, logits = store["label"].values, store["logits"].values
    right_of_all = store["right_of_all"].values if "right_of_all" in store else None
    features = layer_features(network, population.clean, settings.layer, normalise=settings.normalise)
    drawn = settings.drawn(population)
    held_right, corrupted_right = population.correct(network)

    found, plain, closer = [], [], []
    for i, draw in enumerate(drawn):
        rng = np.random.default_rng([population.seed, 2, i])
        agreement, calibration = on.clusterings(features, labels, draw, rng=rng)
        found.append([[agreement[c][name] for name in on.AGREEMENT] for c in on.CLUSTERINGS])
        own = np.random.default_rng([population.seed, 3, i])  # not what clusterings leave of one
        half = np.sort(own.permutation(len(held_right))[: len(held_right) // 2])
        plain.append(
            on.accuracies(logits, labels, right_of_all, draw.scored)
            | {
                "calibration_auc": calibration.auc,
                "accuracy_of_half": held_right[half].mean(),
                "corrupted_of_half": corrupted_right[..., half].mean((1, 2)),
            }
        )
        if i < settings.n_closer:
            closer.append(_closer(population, network, store, features, draw, calibration, settings, rng=rng))
    found = np.array(found)  # (draw, clustering, number)
    made = xarray.Dataset(
        {name: (("clustering", "draw"), found[:, :, i].T) for i, name in enumerate(on.AGREEMENT)}
        | {
            "accuracy_of_draw": ("draw", [p["accuracy"] for p in plain]),
            "corrupted_of_half": (("draw", "corruption"), np.array([p["corrupted_of_half"] for p in plain])),
            **{
                name: ("draw", [float(p[name]) for p in plain])
                for name in ("accuracy_restricted", "calibration_auc", "accuracy_of_half")
            },
        },
        coords={"clustering": list(on.CLUSTERINGS), "corruption": list(population.corruptions)},
    )
    parts = [made] + ([xarray.concat(closer, dim="closer")] if closer else [])
    return xarray.merge(parts, combine_attrs="drop", compat="no_conflicts", join="exact").assign(
        n_classes=len(np.unique(labels[drawn[0].scored])),
        per_class=settings.per_class,
        clustered_layer=settings.layer,
        normalised=settings.normalise,
    )


def _closer(population, network, store, features, draw, calibration, settings, *, rng):
    """Return purity by number of clusters, and in variants: fewer images, the other normalisation, other layers.

    Returns
    -------
    xarray.Dataset
        ``kmeans_by_ratio (ratio)``, ``multicut_by_shift`` and ``clusters_by_shift`` (shift);
        ``variant_purity (variant, clustering)`` and ``variant_accuracy (variant)``, restricted to the draw's classes.
    """
    import xarray

    labels, logits = store["label"].values, store["logits"].values
    curves = on.by_number_of_clusters(features, labels, draw, calibration, rng=rng)
    variants = {
        f"{n} images a class": (features, labels, of_first(draw, labels, n))
        for n in (settings.per_class // 4, settings.per_class // 2)
        if n >= 2
    }
    both = np.concatenate([draw.scored, draw.calibration])
    here = Draw(np.arange(len(draw.scored)), np.arange(len(draw.scored), len(both)))
    other = not settings.normalise
    views = {"L2-normalised" if other else "raw": (settings.layer, other)}
    views |= {name: (name, settings.normalise) for name in settings.layers}
    for name, view in views.items():
        layer, normalise = view
        seen = layer_features(network, population.clean, layer, normalise=normalise, positions=both)
        variants[name] = (seen, labels[both], here)
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


VARIABLES = {
    "purity": ("purity of the clusters of a draw", "1"),
    "n_clusters": ("clusters of a draw", "clusters"),
    "ari": ("adjusted Rand index of clusters and classes", "1"),
    "nmi": ("normalised mutual information of clusters and classes", "1"),
    "indicator_value": ("a registered indicator on a draw", ""),
    "indicator_seconds": ("time that an indicator takes on a draw", "s"),
    "accuracy_of_draw": ("accuracy on a draw among all classes that the network knows", "1"),
    "accuracy_restricted": ("accuracy on a draw among its classes alone", "1"),
    "calibration_auc": ("how well distances tell classes apart where the multicut is calibrated (AUC)", "1"),
    "accuracy_of_half": ("clean accuracy on the half of the robustness images that goes with a draw", "1"),
    "corrupted_of_half": ("accuracy under a corruption on that half", "1"),
    "kmeans_by_ratio": ("purity of k-means with more clusters than classes", "1"),
    "multicut_by_shift": ("purity of the multicut when it cuts more or less", "1"),
    "clusters_by_shift": ("clusters of the multicut when it cuts more or less", "clusters"),
    "variant_purity": ("purity in a variant of the clustering", "1"),
    "variant_accuracy": ("accuracy on the variant's images among the classes of the draw", "1"),
    "n_classes": ("classes of a draw", "classes"),
    "per_class": ("images of each class in a draw", "images"),
    "clustered_layer": ("layer whose features are clustered", ""),
    "normalised": ("whether features have length 1", ""),
}

COORDINATES = {
    "indicator": ("registered indicator", ""),
    "clustering": ("method of clustering", ""),
    "ratio": ("clusters of k-means over classes", "1"),
    "shift": (
        "shift of the log-odds that a pair is of different classes: above 0 the multicut cuts more",
        "",
    ),
    "variant": ("what is otherwise in a variant of the clustering", ""),
}

STUDY = Study(
    name="cluster_purity",
    title="Do networks whose clean features cluster by class lose less accuracy? (cluster purity)",
    settings=PuritySettings,
    row=row,
    variables=VARIABLES,
    coordinates=COORDINATES,
    quantities=("purity", "indicator_value", "accuracy", "corrupted_accuracy", "robust_accuracy"),
    version=2,
    first_version=2,
    check=check_layers,
    parts=indicators,
    along="indicator",
)
