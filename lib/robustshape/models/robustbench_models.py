"""``robustbench:DATASET/THREAT/MODEL``: networks of RobustBench (Croce et al. 2021, arXiv 2010.09670).

Listing needs nothing but the catalogue; building needs the package (`make robustbench`), and loading a file of
weights: yours, in the cache, or downloaded.
"""

from robustshape.errors import InputError
from robustshape.models import robustbench_catalogue as catalogue
from robustshape.models import robustbench_weights as weights
from robustshape.models.robustbench_imports import CLASSES, construct
from robustshape.models.weights import sha256
from robustshape.registry import unknown_name

PREPROCESSINGS = {  # by RobustBench's names: way, size, resized shorter side, interpolation
    "": ("shorter", 32, None, "bilinear"),
    "Res256Crop224": ("shorter", 224, 256, "bilinear"),
    "BicubicRes256Crop224": ("shorter", 224, 256, "bicubic"),
    "BicubicRes248Crop224": ("shorter", 224, 248, "bicubic"),
    "BicubicRes224Crop224": ("shorter", 224, 224, "bicubic"),
    "Res224Crop224": ("shorter", 224, 224, "bilinear"),
    "Crop288": ("cut", 288, None, "bilinear"),
    "Res224": ("squash", 224, None, "bilinear"),
}


def names() -> list[str]:
    """Return all networks that RobustBench distributes."""
    return [f"robustbench:{name}" for name in catalogue.networks()]


def _row(name: str) -> dict[str, str]:
    """Return the catalogue's line of a network that can be loaded, or say why there is none."""
    if name not in catalogue.networks():
        raise unknown_name("model", f"robustbench:{name}", names(), "robustshape list models 'robustbench:*'")
    row = catalogue.networks()[name]
    if row["unusable"]:
        raise InputError(f"robustbench:{name} cannot be used: {row['unusable']}; choose another network")
    return row


def check(name: str) -> None:
    """Raise InputError if the catalogue has no such network, or none that can be used."""
    _row(name)


def identity(name: str) -> dict:
    """Return the name and the checksum of the weights, which is published nowhere: the file is fetched first."""
    _row(name)
    return {"source": "robustbench", "name": name, "weights": sha256(weights.fetch(name))}


def preprocessing_of(name: str):
    """Return what RobustBench does to an image before the network, which normalises by itself."""
    from robustshape.models.preprocessing import Preprocessing
    from robustshape.models.resizing import Cut, Squash

    way, size, resize, interpolation = PREPROCESSINGS[_row(name)["preprocessing"]]
    kind = {"shorter": Preprocessing, "cut": Cut, "squash": Squash}[way]
    return kind(channels=3, size=(size, size), resize=resize, interpolation=interpolation)


def load(name: str, *, device: str = "cpu"):
    """Return the Classifier.

    Raises
    ------
    InputError
        If the name does not exist, is an ensemble, or its weights do not fit.
    MissingFileError
        If the package is not installed, or weights are neither here nor allowed to be downloaded.
    DownloadError
        If they could not be downloaded.
    """
    from robustshape.models.classifier import Classifier
    from robustshape.models.examining import examined

    row, preprocess = _row(name), preprocessing_of(name)
    module, path = construct(name), weights.fetch(name)
    weights.load_into(module, path)
    module, head, n_classes = examined(
        module, preprocess, name=f"robustbench:{name}", n_classes=CLASSES[row["dataset"]]
    )
    return Classifier(
        name=f"robustbench:{name}",
        module=module,
        preprocess=preprocess,
        head=head,
        n_classes=n_classes,
        identity=identity(name),
        about={
            "family": row["architecture"],
            "recipe": row["threat"],
            "trains_on": (),
            "licence": row["licence"],
            "citation": f"{row['title']} ({row['venue']}), {row['link']}; from RobustBench, Croce et al. 2021",
        },
        device=device,
    )
