"""Data sets as xarray: images (sample, y, x, channel) uint8, labels, stable ids, and where they come from.

A new data set is one module here: a function that reads a split, one that finds the local copy, and the facts
in ``DATASETS.register``; name it in the import below.
"""

from robustshape.datasets import digits, mnist, mnist5k  # noqa: F401  each registers itself
from robustshape.datasets.samples import DATASETS, check_images, checksum
from robustshape.datasets.subsets import subset

__all__ = ["DATASETS", "check_images", "checksum", "found", "load", "subset", "table"]


def load(name: str, *, split: str = "test", reading: str | None = None):
    """Return a split of a data set.

    Parameters
    ----------
    name : str
        One of ``DATASETS``: ``mnist``, ``mnist5k``, ``digits``.
    split : {"test", "train"}
    reading : str, optional
        How the images become the size a classifier takes: ``pad32`` (a black rim of 2 px around 28 px digits,
        their default), ``repeat32`` (every pixel four times along each side, the default of the 8 px
        ``digits``), ``native``, ``resize32``, ``resize64`` (bilinear).

    Returns
    -------
    xarray.Dataset
        ``image`` (sample, y, x, channel) uint8, ``label`` (sample) int64, coordinate ``sample`` with the ids.
        Attributes: dataset, split, reading, n_classes, class_names, licence, source, citation, checksum (of
        these images and labels), checksum_matches (whether the copy is the one the name stands for).

    Raises
    ------
    InputError
        If a name does not exist.
    StoreError
        If the data are damaged, or missing and cannot be had.

    Examples
    --------
    >>> data = load("digits")
    >>> data.image.shape, str(data.sample.values[0]), int(data.label[0])
    ((500, 32, 32, 1), 'digits/test/00000', 0)
    """
    import warnings

    from robustshape.datasets.readings import READINGS
    from robustshape.datasets.samples import build
    from robustshape.registry import unknown_name

    entry, about = DATASETS[name], DATASETS.about(name)
    if split not in about["checksum"]:
        raise unknown_name("split", split, about["checksum"], "robustshape.datasets.table()")
    reading = about["reading"] if reading is None else reading
    if reading not in READINGS:
        raise unknown_name("reading", reading, READINGS, "robustshape.datasets.readings.READINGS")
    images, labels, ids = entry.read(split)
    matches = checksum(images, labels) == about["checksum"][split]
    if not matches:
        warnings.warn(
            f"{entry.locate()} is not the known copy of {name} ({split}): its checksum differs; "
            "it is used, and results made with it say so",
            stacklevel=2,
        )
    return build(
        READINGS[reading](images),
        labels,
        ids,
        dataset=name,
        split=split,
        reading=reading,
        checksum_matches=matches,
        **{key: about[key] for key in ("n_classes", "class_names", "licence", "source", "citation")},
    )


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
    return {name: {"place": DATASETS[name].locate(), "get": DATASETS.about(name)["get"]} for name in DATASETS}
