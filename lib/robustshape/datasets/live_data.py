"""live:NAME: images and labels of this process, which `register` gives a name; another process does not know them."""

from robustshape.datasets import given
from robustshape.datasets.samples import DATASETS, Entry, checksum
from robustshape.errors import InputError
from robustshape.registry import unknown_name

_LIVE: dict[str, tuple] = {}  # images, labels, facts
TAKEN = (
    "data are a name (robustshape list datasets), a pair of arrays (images, labels), an xarray.Dataset, a torch Dataset or a "
    "DataLoader"
)


def register(data, class_names=None) -> str:
    """Return the name under which data of this process are known from now on.

    Parameters
    ----------
    data : pair, xarray.Dataset, torch Dataset or DataLoader
        A pair or triple of arrays ``images``, ``labels`` (and class names): images (n, h, w, c) or (n, h, w) uint8. A
        Dataset yields (image, label), a DataLoader batches of them, read in its order: images as pictures of Pillow, uint8
        (h, w, c) arrays, or tensors (c, h, w), uint8 or float in [0, 1], which are taken to the nearest of 256 levels.
    class_names : sequence of str, optional
        By default those of the triple, of ``classes`` of the Dataset, or the numbers.

    Raises
    ------
    InputError
        If it is something else, empty, of images of several sizes, normalised, or labels are no whole numbers from 0.

    Examples
    --------
    >>> import numpy as np
    >>> register((np.zeros((4, 8, 8), "uint8"), [0, 1, 0, 1]))[:5]
    'live:'
    """
    images, labels, names = arrays(data)
    images = given.checked_images(images, "the data")
    labels = given.checked_labels(labels, len(images), "the data")
    facts = given.classes(labels, class_names if class_names is not None else names, "the data")
    name = checksum(images, labels).removeprefix("sha256:")[:12]
    _LIVE[name] = images, labels, facts | {"checksum_matches": True}
    return f"live:{name}"


def arrays(data) -> tuple:
    """Return (images, labels, class names or None) of what was handed over."""
    import xarray as xr

    if isinstance(data, xr.Dataset):
        if lacking := {"image", "label"} - set(data.variables):
            raise InputError(f"the data are an xarray.Dataset without {' and '.join(sorted(lacking))}")
        return data["image"].values, data["label"].values, data.attrs.get("class_names")
    if isinstance(data, tuple | list):
        if len(data) not in (2, 3):
            raise InputError(f"the data are {len(data)} things, but {TAKEN}")
        return (*data, None)[:3]
    if hasattr(data, "dataset") and hasattr(data, "batch_size"):  # a DataLoader
        pairs = (pair for batch in data for pair in zip(*_two(batch)))
        return _listed(pairs, getattr(data.dataset, "classes", None))
    if hasattr(data, "__getitem__") and hasattr(data, "__len__") and not isinstance(data, dict | str | bytes):
        return _listed((_two(data[i]) for i in range(len(data))), getattr(data, "classes", None))
    raise InputError(f"the data are a {type(data).__name__}, but {TAKEN}")


def _two(item) -> tuple:
    if not isinstance(item, tuple | list) or len(item) < 2:
        raise InputError(f"the data give a {type(item).__name__}, but must give (image, label)")
    return item[0], item[1]


def _listed(pairs, names) -> tuple:
    import numpy as np

    images, labels = [], []
    for image, label in pairs:
        images.append(_levels(image))
        labels.append(int(label))
    if not images:
        raise InputError("the data are empty; there must be images of at least two classes")
    if len(sizes := {image.shape for image in images}) > 1:
        shown = ", ".join(" x ".join(map(str, size)) for size in sorted(sizes)[:3])
        raise InputError(
            f"the data have images of several sizes ({shown} ...); resize them to one, or name a folder: imagefolder:PATH"
        )
    return np.stack(images), np.array(labels), names


def _levels(image):
    """Return an image as (h, w, c) uint8."""
    import numpy as np

    if hasattr(image, "convert"):  # a picture of Pillow
        return np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB")).reshape(
            image.height, image.width, -1
        )
    image = np.asarray(image)
    if image.ndim == 2:
        image = image[None] if image.dtype != np.uint8 else image[..., None]
    if image.ndim == 3 and image.shape[0] in (1, 3) and image.shape[-1] not in (1, 3):
        image = image.transpose(1, 2, 0)
    if image.dtype == np.uint8:
        return image
    low, high = float(image.min()), float(image.max())
    if not (np.isfinite([low, high]).all() and low >= 0 and high <= 1):
        raise InputError(
            f"the data give images of {image.dtype} between {low:.3g} and {high:.3g}, but uint8, or floats in [0, 1], before "
            "any normalisation, are needed; what normalises goes into preprocess="
        )
    return np.rint(image * 255).astype(np.uint8)


def own(place: str) -> tuple[Entry, dict]:
    """Return the entry and the facts of the data called `place`."""
    if place not in _LIVE:
        raise unknown_name("live data set", place, _LIVE, "robustshape.datasets.live_data.register")
    images, labels, facts = _LIVE[place]
    ids = [f"live/{i:06d}" for i in range(len(images))]
    return Entry(
        lambda split: (images, labels, ids, facts), lambda: "this process", lambda split: place
    ), ABOUT


ABOUT = given.facts(
    "images and labels of this process", source="arrays, a torch Dataset or a DataLoader", splits=("test",),
    get="hand it over: robustshape.evaluate(model, (images, labels))", checksum="of what was handed over",
)  # fmt: skip
DATASETS.own["live"] = own
