"""Data sets as xarray: images (sample, y, x, channel) uint8, labels, stable ids, and where they come from.

Images of various sizes stand in a data set by their paths; `pixels` reads them when they are looked at.

A new data set is one module here, which is found by itself: a function that reads a split, one that finds the local
copy, and the facts in ``DATASETS.register``.
"""

import importlib
import pkgutil

from robustshape.datasets.pictures import pixels
from robustshape.datasets.samples import DATASETS, check_images, checksum
from robustshape.datasets.subsets import subset

__all__ = [
    "DATASETS",
    "check_images",
    "checksum",
    "found",
    "load",
    "pictures_of",
    "pixels",
    "read_as",
    "state",
    "subset",
    "table",
]

for _module in pkgutil.iter_modules(__path__):  # each data set registers itself
    importlib.import_module(f"{__name__}.{_module.name}")


def load(name: str, *, split: str = "test", reading: str | None = None):
    """Return a split of a data set.

    Parameters
    ----------
    name : str
        One of ``DATASETS``: ``cifar10``, ``cifar100``, ``digits``, ``imagenet``, ``imagenette``, ``mnist``,
        ``mnist5k``, ``nips17``, ``tiny_imagenet``; or ``imagefolder:PATH``, any folder with one folder of
        images per class, ``npz:PATH``, arrays in a file, or ``python:MODULE:FUNCTION``, arrays from a function.
    split : {"test", "train"}
    reading : str, optional
        How the images become the size a classifier takes: ``native`` (as they are; the default of all but the
        digits), ``pad32`` (a black rim of 2 px around 28 px digits, their default), ``repeat32`` (every pixel
        four times along each side, the default of the 8 px ``digits``), ``resize32``, ``resize64``,
        ``resize224`` (to a square, bilinear), ``crop32``, ``crop64``, ``crop224`` (the shorter side resized,
        then the middle square), ``frame224`` (the shorter side resized to 256, then the middle 224: how the images
        of ImageNet-C were made; a network takes the whole of such an image, without a crop of its own).

    Returns
    -------
    xarray.Dataset
        ``image`` (sample, y, x, channel) uint8, ``label`` (sample) int64, coordinate ``sample`` with the ids.
        Attributes: dataset, split, reading, n_classes, class_names, licence, source, citation, checksum (of
        these images and labels), checksum_matches (whether the copy is the one the name stands for), and
        imagenet_index (the classes' indices among ImageNet's 1,000) where the classes are ImageNet's. A folder
        has class_order, skipped and remarks too: see `imagefolder.read_folder`.
        Images of various sizes read as ``native`` have ``path``, ``digest``, ``height`` and ``width`` (sample)
        in place of ``image``: see `pixels`.

    Raises
    ------
    InputError
        If a name does not exist, or a folder does not hold one folder of images per class.
    StoreError
        If the data are damaged, or missing and cannot be had.

    Examples
    --------
    >>> data = load("digits")
    >>> data.image.shape, str(data.sample.values[0]), int(data.label[0])
    ((500, 32, 32, 1), 'digits/test/00000', 0)
    """
    import warnings

    from robustshape.datasets.samples import build
    from robustshape.registry import unknown_name

    entry, about = DATASETS[name], DATASETS.about(name)
    if not isinstance(split, str) or split not in about["checksum"]:
        raise unknown_name("split", split, about["checksum"], "robustshape.datasets.table()")
    reading = _known_reading(reading, about)
    images, labels, ids, *more = entry.read(split)
    facts = {key: about[key] for key in ("n_classes", "class_names", "licence", "source", "citation")}
    facts = dict(dataset=name, split=split, reading="native") | facts | (more[0] if more else {})
    native = build(images, labels, ids, **facts)
    matches = native.attrs.setdefault(
        "checksum_matches", native.attrs["checksum"] == about["checksum"][split]
    )
    if not matches:
        warnings.warn(
            f"{entry.locate()} is not the known copy of {name} ({split}): its checksum differs or cannot be "
            "checked; it is used, and results made with it say so",
            stacklevel=2,
        )
    return read_as(native, reading)


def read_as(data, reading: str | None = None):
    """Return the samples of a data set, loaded as ``native``, in another reading.

    Parameters
    ----------
    data : xarray.Dataset
        As returned by ``load(name, reading="native")``, or a part of it.
    reading : str, optional
        See `load`; None: the data set's own.

    Returns
    -------
    xarray.Dataset
        Labels, ids and attributes are kept; the checksum is that of the new images.

    Raises
    ------
    InputError
        If the reading does not exist or does not fit the images.
    """
    from robustshape.datasets.readings import FRAMED, READINGS
    from robustshape.datasets.samples import build

    reading = _known_reading(reading, DATASETS.about(data.attrs["dataset"]))
    if reading == "native":
        return data
    images = READINGS[reading](pixels(data))
    facts = data.attrs | {"reading": reading}
    if reading in FRAMED:
        facts["framed"] = True
    return build(images, data.label.values, data.sample.values, **facts)


def state(name: str, *, split: str = "test") -> str:
    """Return a text that changes when the files behind a split do: what is kept of it is as good as this is the same.

    Names, sizes and times of the files are looked at, nothing is opened; of a folder of thousands of files only now
    and then (`file_state.of_folder`). It holds on this machine alone, and enters no key: that is the checksum.

    >>> state("digits") == state("digits")
    True
    """
    return DATASETS[name].state(split)


def pictures_of(name: str, ids, *, split: str = "test", reading: str | None = None) -> dict:
    """Return single images of a data set by their ids; no others are decoded where images are files.

    Parameters
    ----------
    name, split, reading
        As of `load`.
    ids : sequence of str
        Sample ids, as `load` gives them.

    Returns
    -------
    dict of str to (h, w, c) uint8
        Of the ids that the data set has, in the order given.

    Raises
    ------
    MissingFileError
        If the data set is not on this machine: nothing is downloaded.
    InputError, StoreError
        See `load`.

    Examples
    --------
    >>> {name: image.shape for name, image in pictures_of("digits", ["digits/test/00000", "none"]).items()}
    {'digits/test/00000': (32, 32, 1)}
    """
    import warnings

    from robustshape.errors import MissingFileError

    if DATASETS[name].locate() is None:
        raise MissingFileError(f"{name} is not on this machine; {DATASETS.about(name)['get']}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a copy that is another is told where it is measured
        whole = load(name, split=split, reading="native")
    place = {str(sample): i for i, sample in enumerate(whole.sample.values)}
    wanted = [str(each) for each in ids if str(each) in place]
    if not wanted:
        return {}
    return dict(zip(wanted, pixels(read_as(whole.isel(sample=[place[each] for each in wanted]), reading))))


def _known_reading(reading: str | None, about: dict) -> str:
    from robustshape.datasets.readings import READINGS
    from robustshape.registry import unknown_name

    reading = about["reading"] if reading is None else reading
    if not isinstance(reading, str) or reading not in READINGS:
        raise unknown_name("reading", reading, READINGS, "robustshape.datasets.readings.READINGS")
    return reading


def table():
    """Return the facts of every data set as a ``pandas.DataFrame``, one row each."""
    import pandas as pd

    rows = []
    for name in DATASETS:
        about = DATASETS.about(name)
        rows.append(
            {
                "name": name,
                "title": about["title"],
                "train": about["n_train"],
                "test": about["n_test"],
                **{key: about[key] for key in ("size", "licence", "source", "citation")},
                "checksum": "; ".join(f"{split} {value}" for split, value in about["checksum"].items()),
            }
        )
    return pd.DataFrame(rows)


def found() -> dict[str, dict]:
    """Return of every data set where it lies here (``place``, None if it does not) and how to ``get`` it.

    >>> sorted(found()["digits"])
    ['get', 'place']
    """
    names = [name for name in DATASETS if ":" not in name]  # a folder of one's own is not searched for
    return {name: {"place": DATASETS[name].locate(), "get": DATASETS.about(name)["get"]} for name in names}
