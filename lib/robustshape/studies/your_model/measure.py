"""One network's row of the report: its clean feature space, class by class, and the images and classes that fail first."""

import warnings
from dataclasses import dataclass

import numpy as np

from robustshape import datasets
from robustshape.errors import InputError
from robustshape.measurements import corrupted, features
from robustshape.measurements.draws import class_draws
from robustshape.measurements.indicators import OnDraws
from robustshape.measurements.population import Population
from robustshape.models.network import Network
from robustshape.studies.kstar_skewness.beside import suspects
from robustshape.studies.kstar_skewness.measure import VARIABLES as OF_KSTAR
from robustshape.studies.study import Settings, Study
from robustshape.studies.your_model.by_class import accuracy_by_class, read_as
from robustshape.studies.your_model.first_to_fail import Failing, first_to_fail
from robustshape.studies.your_model.sizes import completed
from robustshape.studies.your_model.thumbnails import side_of, thumbnails

SUSPECT = ("suspect", "suspect_label", "suspect_predicted", "suspect_rank")  # what the k* study says of one


@dataclass(frozen=True)
class ReportSettings(Settings):
    """The study's own parameters, explained in its notebook."""

    n_classes: int
    per_class: int
    n_draws: int
    layer: str
    normalise: bool
    n_shown: int
    predict_only: bool

    def check(self, population: Population) -> "ReportSettings":
        """Return the settings, or raise InputError where nothing can be drawn or shown."""
        if self.n_draws < 1 or self.n_shown < 1:
            raise InputError(
                f"n_draws and n_shown are at least 1, but were {self.n_draws} and {self.n_shown}"
            )
        labels = population.clean.load()["label"].values
        how = {"n_classes": self.n_classes, "per_class": self.per_class, "seed": population.seed}
        class_draws(labels, **how, n_draws=1, calibrated=self.calibrated(population))
        return self

    def calibrated(self, population: Population) -> bool:
        """Return whether there are classes beyond those of a draw, with which a multicut is calibrated."""
        return len(np.unique(population.clean.load()["label"].values)) >= 4

    def key(self, population: Population, network: Network) -> dict:
        """Return what of the settings defines a network's row; the draws are those of its parts."""
        return {"layer": self.layer, "normalise": self.normalise, "n_shown": self.n_shown}


def indicators(population: Population, settings: ReportSettings) -> OnDraws:
    """Return where every registered indicator is measured."""
    how = settings.n_classes, settings.per_class, settings.n_draws, settings.layer, settings.normalise
    return OnDraws(population.clean, *how, calibrated=settings.calibrated(population))


def row(population: Population, network: Network, settings: ReportSettings):
    """Return one network's row from its finished features and predictions; see `VARIABLES`."""
    import xarray

    data = population.clean.load()
    names = [str(name) for name in data.attrs["class_names"]]
    parts = [
        _shape(population, network, settings, len(names)),
        _held_out(population, network, settings, len(names)),
    ]
    made = xarray.merge(parts, combine_attrs="drop", compat="no_conflicts", join="exact")
    return made.assign(
        class_name=("class", np.array(names, object)),
        data_classes=len(names),
        pixels=("side", _pixels(network, data)),
        n_classes=settings.n_classes,
        per_class=settings.per_class,
        compared_layer=settings.layer,
        normalised=settings.normalise,
        network_checksum=str(_checksum(network)),
    ).assign_coords({"class": np.arange(len(names))})


def _pixels(network: Network, data) -> list[int]:
    """Return the height and width of the images as the network sees them; 0, 0 where each has its own."""
    size = getattr(network.load(data).preprocess, "size", None)
    if size is not None:
        return list(size)
    return [data.sizes["y"], data.sizes["x"]] if "image" in data else [0, 0]


def _checksum(network: Network) -> str:
    """Return the checksum of a network's weights where it is of a file, else the hash of all that defines its numbers."""
    from robustshape.store.keys import key_of

    weights = str(network.identity.get("weights", ""))
    return weights if weights.startswith("sha256:") else key_of(network.identity)


def _shape(population: Population, network: Network, settings: ReportSettings, n_classes: int):
    """Return what the images of the indicators show: k* by class, and the samples that lie among another class."""
    import xarray

    from robustshape.indicators.kstar import kstar_distribution
    from robustshape.measurements.layers import layer_features

    store = population.features(network)
    labels, predicted = store["label"].values, store["logits"].values.argmax(1)
    shape = layer_features(network, population.clean, settings.layer, normalise=settings.normalise)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that classes are small is in `class_size`
        found = kstar_distribution(shape, labels)
    by_class = {name: np.full(n_classes, np.nan) for name in ("mean", "skewness")}
    for name, values in by_class.items():
        values[found["class"].values] = found[name].values
    odd = suspects(shape, labels, store.sample.values, predicted, found["rank"].values, "euclidean").isel(
        place=slice(0, settings.n_shown)
    )
    pictures = _pictures(population.clean.load(), odd["suspect"].values)
    return xarray.Dataset(
        {
            "class_size": ("class", np.bincount(labels, minlength=n_classes)),
            "class_mean_rank": ("class", by_class["mean"]),
            "class_skewness": ("class", by_class["skewness"]),
            **odd[list(SUSPECT)],
            "suspect_picture": (("place", "y", "x", "channel"), pictures),
        }
    )


def _held_out(population: Population, network: Network, settings: ReportSettings, n_classes: int):
    """Return what the other images show, clean and corrupted: accuracy by class, and which of them fail first."""
    import xarray

    clean, data = features.open_features(network, population.held_out), population.held_out.load()
    labels, predicted = clean["label"].values, clean["logits"].values.argmax(1)
    right = predicted == labels
    mistaken, how_often = read_as(predicted, labels, n_classes)
    made = xarray.Dataset(
        {
            "class_accuracy": ("class", accuracy_by_class(right, labels, n_classes)),
            "class_tried": ("class", np.bincount(labels, minlength=n_classes)),
            "class_read_as": ("class", mistaken),
            "class_read_as_share": ("class", how_often),
            "right": ("held_out", right.astype(np.int8)),
        },
        coords={"held_out": data.sample.values},
    )
    if not population.corruptions:
        return made
    under = corrupted.correct(network, population.corrupted_images)
    made["class_corrupted_accuracy"] = (
        ("class", "corruption"), accuracy_by_class(under.mean("severity").values, labels, n_classes).T
    )  # fmt: skip
    made["right_corrupted"] = (
        ("held_out", "corruption"),
        under.mean("severity").transpose("sample", ...).values,
    )
    if population.corrupted_images.own:  # of a benchmark's own images none is paired with a clean one
        return made
    failing = first_to_fail(right, under.values, settings.n_shown)
    return made.assign(_failing(population, network, failing, labels, settings.n_shown))


def _failing(population: Population, network: Network, failing: Failing, labels, n: int) -> dict:
    """Return the variables of the images that fail first; where they are fewer than n, the others are empty."""
    images, data = population.corrupted_images, population.held_out.load()
    cells = [
        (population.corruptions[c], population.severities[s])
        for c, s in zip(failing.corruption, failing.severity)
    ]
    there = list(zip(cells, failing.place))
    shown = [np.asarray(images.images(*cell, [place]))[0] for cell, place in there]
    read = [corrupted.kept(network, images, *cell).open()["predicted"].values[place] for cell, place in there]
    ids = data.sample.values[failing.place]
    side = side_of(datasets.pixels(data)[:1])
    columns = {
        "failing": (ids, ""),
        "failing_label": (labels[failing.place], -1),
        "failing_share": (failing.share, np.nan),
        "failing_corruption": ([name for name, _ in cells], ""),
        "failing_severity": ([severity for _, severity in cells], 0),
        "failing_read_as": (read, -1),
    }
    pictures = {
        "failing_picture": _pictures(data, ids, side),
        "failing_corrupted_picture": thumbnails(shown, side),
    }
    lacking = n - len(ids)
    return {
        **{
            name: ("first", np.array([*values, *[nothing] * lacking], object if nothing == "" else None))
            for name, (values, nothing) in columns.items()
        },
        **{
            name: (("first", "fy", "fx", "channel"), np.pad(values, ((0, lacking), (0, 0), (0, 0), (0, 0))))
            for name, values in pictures.items()
        },
    }


def _pictures(data, ids, side: int | None = None) -> np.ndarray:
    """Return thumbnails (n, side, side, 3) of images of a data set by their ids."""
    places = {str(name): i for i, name in enumerate(data.sample.values)}
    images = datasets.pixels(data.isel(sample=[places[str(name)] for name in ids]))
    images = [np.asarray(images[i : i + 1])[0] for i in range(len(ids))]
    return thumbnails(images, side or (side_of(images) if images else 1))


VARIABLES = {
    "indicator_value": ("a registered indicator on a draw", ""),
    "indicator_seconds": ("time that an indicator takes on a draw", "s"),
    "class_name": ("name of the class", ""),
    "class_size": ("images of the class that show the feature space", "images"),
    "class_mean_rank": ("mean normalised k* of the class", "1"),
    "class_skewness": ("skewness of the normalised k* of the class", "1"),
    "class_accuracy": ("clean accuracy on the class's other images", "1"),
    "class_tried": ("images of the class that show how the network fails", "images"),
    "class_corrupted_accuracy": ("accuracy on the class under each corruption, mean over severities", "1"),
    "class_read_as": ("class that the class is most often mistaken for, -1: none", ""),
    "class_read_as_share": ("share of the class's images that are", "1"),
    "right": ("whether an image is classified rightly, clean", ""),
    "right_corrupted": ("share of severities at which it still is, under each corruption", "1"),
    **{name: OF_KSTAR[name] for name in SUSPECT},
    "suspect_picture": ("the image, small", ""),
    "failing": ("images that fail first", ""),
    "failing_label": ("class of the image", ""),
    "failing_share": ("share of its corrupted versions that are misread", "1"),
    "failing_corruption": ("corruption of its mildest failure", ""),
    "failing_severity": ("severity of its mildest failure", ""),
    "failing_read_as": ("class that it is then read as", ""),
    "failing_picture": ("the image, small", ""),
    "failing_corrupted_picture": ("the image under its mildest failure, small", ""),
    "data_classes": ("classes of the data set", "classes"),
    "pixels": ("height and width of the images as the network sees them", "pixels"),
    "n_classes": ("classes of a draw", "classes"),
    "per_class": ("images of each class in a draw", "images"),
    "compared_layer": ("layer whose features indicators are read from", ""),
    "normalised": ("whether features have length 1", ""),
    "network_checksum": ("checksum of the weights, or hash of what defines the network", ""),
}
COORDINATES = {
    "indicator": ("registered indicator", ""),
    "class": ("class", ""),
    "held_out": ("image that shows how the network fails", ""),
}

STUDY = Study(
    name="your_model",
    title="What does my model's clean feature space say about how it will fail? (report)",
    settings=ReportSettings,
    row=row,
    variables=VARIABLES,
    coordinates=COORDINATES,
    quantities=("indicator_value", "accuracy", "corrupted_accuracy", "robust_accuracy"),
    completed=completed,
    parts=indicators,
    along="indicator",
)
