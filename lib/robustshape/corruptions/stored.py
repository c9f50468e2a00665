"""The published corrupted benchmarks, read from the reader's own files: see `benchmarks`.

Most are `paired`: each image is the corrupted version of one of the clean data set (`stored_images`). Another shows
photographs of its own, the same in every cell, with labels of its own (`stored_set`): its accuracy over the clean one
is a robustness too, but nothing can be said image by image. Nothing is downloaded or unpacked.

Beware: `corrupt` draws other random numbers, and does not save as JPEG (`jpeg.saved_as_jpeg` does), so its images are
alike and not the same. ImageNet-C was cut from the shorter side at 256 px, as the reading ``frame224`` cuts and no
other does; a network takes the whole of such an image.
"""

from numbers import Integral

import numpy as np

from robustshape.corruptions.benchmarks import BENCHMARKS, SEVERITIES, Benchmark
from robustshape.corruptions.catalogue import CORRUPTIONS
from robustshape.errors import InputError, MissingFileError, StoreError
from robustshape.paths import data_dirs

VERSION = 1  # raise when a change of the reading changes the images
NAMED = 5  # cells that a message names


def paired(data) -> bool:
    """Return whether the benchmark of `data` holds the corrupted versions of its very images.

    Raises
    ------
    InputError
        See `stored_images`.

    Examples
    --------
    >>> import xarray
    >>> [paired(xarray.Dataset(attrs={"dataset": name})) for name in ("cifar10", "tiny_imagenet")]
    [True, False]
    """
    return benchmark_of(data).paired


def stored_images(data, corruption: str, severity: int):
    """Return the published corrupted version of the images of `data`, in their order.

    Parameters
    ----------
    data : xarray.Dataset
        As returned by `robustshape.datasets.load` or `subset`, of the split ``test`` of one of `BENCHMARKS`. 50,000
        images of 224 px take 7.5 GB: hand over a part at a time, ``data.isel(sample=slice(0, 2048))``.
    corruption : str
        One of `robustshape.corruptions.CORRUPTIONS`.
    severity : int
        1 (mild) to 5 (severe).

    Returns
    -------
    (n, h, w, 3) uint8
        h = w = 224 (imagenet) or 32 (cifar10, cifar100).

    Raises
    ------
    InputError
        If the data set has no published benchmark or one that is not paired, or the images are not those it was made
        from or not as it shows them (another reading).
    MissingFileError
        If an image is not there.
    StoreError
        If a file is damaged, of another size, or belongs to other labels.
    """
    benchmark = _pairing(data)
    _checked([corruption], [severity])
    return _read(benchmark, data["sample"].values, data["label"].values, corruption, int(severity))


def stored_ids(data, corruption: str, severity: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels (n,) int64 and ids (n,) str of what `stored_set` has; no image is opened.

    An id is that of the photograph, the same in every cell.

    Raises
    ------
    InputError, MissingFileError, StoreError
        See `stored_set`.
    """
    benchmark = benchmark_of(data)
    _checked([corruption], [severity])
    if benchmark.paired:
        return data["label"].values, data["sample"].values
    members = _members(benchmark, corruption, int(severity))
    if not members:
        raise _incomplete(benchmark, "its images", [(corruption, severity)], [corruption], [severity])
    if len(members) != data.attrs["n_classes"]:  # what the place of a class folder means cannot be told
        raise StoreError(
            f"{benchmark.title} has {len(members)} class folders under {corruption}/{severity}, but "
            f"{data.attrs['dataset']} has {data.attrs['n_classes']} classes here; complete the one that is not"
        )
    found = [(label, name) for label, names in enumerate(members) for name in names]
    labels, ids = zip(*found)
    return np.array(labels, dtype=np.int64), np.array(ids, dtype=object)


def stored_set(data, corruption: str, severity: int, ids=None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a cell of a benchmark as a data set of its own: images, labels and ids.

    Parameters
    ----------
    data : xarray.Dataset
        The clean images, see `stored_images`. Where the benchmark is not `paired` they only say which it is, and how
        many classes: labels then number its class folders sorted by WordNet id, as those of `data` do.
    corruption, severity
        See `stored_images`.
    ids : sequence of str, optional
        Which images, in this order, of those that `stored_ids` names; all if not given.

    Returns
    -------
    images : (n, h, w, 3) uint8
    labels : (n,) int64
    ids : (n,) str

    Raises
    ------
    InputError
        See `stored_images`; also for an id that the cell has not.
    MissingFileError, StoreError
        See `stored_images`; also where the benchmark has another number of classes than `data`.
    """
    labels, known = stored_ids(data, corruption, severity)
    if ids is not None:
        place = {name: i for i, name in enumerate(known)}
        if strange := [name for name in ids if name not in place]:
            raise InputError(
                f"{corruption} {severity} has no image {strange[0]!r}; ask for ids that stored_ids returns for each cell"
            )
        chosen = [place[name] for name in ids]
        labels, known = labels[chosen], known[chosen]
    return _read(benchmark_of(data), known, labels, corruption, int(severity)), labels, known


def missing_cells(data, corruptions, severities, *, own: bool = False) -> list[tuple[str, int]]:
    """Return which (corruption, severity) are not there for all images, in the order asked for.

    Cheap: of the arrays only headers and labels are read, of the folders only listings. Files that are there and
    damaged are not missing; `stored_images` names them, and arrays of a wrong shape raise here.

    Parameters
    ----------
    data : xarray.Dataset
        See `stored_images`.
    corruptions : sequence of str
    severities : sequence of int
    own : bool
        Whether a benchmark that is not `paired` may be meant, as a set of its own: then a cell is missing unless it has
        every image that any of these cells has.

    Returns
    -------
    list of (str, int)
        Empty if everything is there.

    Raises
    ------
    InputError, StoreError
        See `stored_images`.
    """
    benchmark = benchmark_of(data) if own else _pairing(data)
    _checked(corruptions, severities)
    cells = [(corruption, int(severity)) for corruption in corruptions for severity in severities]
    if not benchmark.paired:
        there = {cell: {name for names in _members(benchmark, *cell) for name in names} for cell in cells}
        every = set().union(*there.values())
        return [cell for cell in cells if not there[cell] or there[cell] != every]
    wanted = benchmark.wanted(data["sample"].values, data["label"].values)
    return [cell for cell in cells if not benchmark.holds(wanted, *cell)]


def check(data, corruptions, severities, *, own: bool = False) -> None:
    """Raise MissingFileError, with what to do about it, if `missing_cells` finds any.

    Raises
    ------
    MissingFileError, InputError, StoreError
        See `stored_images`.
    """
    missing = missing_cells(data, corruptions, severities, own=own)
    if missing:
        benchmark = benchmark_of(data)
        images = f"these {data.sizes['sample']} images" if benchmark.paired else "its images"
        raise _incomplete(benchmark, images, missing, corruptions, severities)


def provenance(data) -> str:
    """Return the name of the benchmark of `data` and where it is read from, without a path of this machine.

    Raises
    ------
    InputError
        See `stored_images`.

    Examples
    --------
    >>> import xarray
    >>> provenance(xarray.Dataset(attrs={"dataset": "tiny_imagenet", "split": "test"}))
    'Tiny-ImageNet-C (https://zenodo.org/records/2536630), its own photographs, read from a folder of ROBUSTSHAPE_DATA'
    """
    benchmark = benchmark_of(data)
    whose = "" if benchmark.paired else ", its own photographs"
    return f"{benchmark.title} ({benchmark.url}){whose}, read from a folder of ROBUSTSHAPE_DATA"


def _pairing(data) -> Benchmark:
    """Return the benchmark of the data set; refuse one that shows other photographs."""
    benchmark = benchmark_of(data)
    if not benchmark.paired:
        raise InputError(
            f"{benchmark.title} shows other photographs than {data.attrs['dataset']} (split test), so it cannot be paired "
            "with them image by image, whatever its files are called; measure it as a set of its own "
            "(robustshape.corruptions.stored.stored_set), or use corrupted='generated'"
        )
    return benchmark


def _members(benchmark: Benchmark, corruption: str, severity: int) -> list[list[str]]:
    """Return the ids of each class of a cell, none if it is not there."""
    try:
        return benchmark.members(corruption, severity)
    except FileNotFoundError:
        return []


def _read(benchmark: Benchmark, ids, labels, corruption: str, severity: int):
    try:
        return benchmark.read(benchmark.wanted(ids, labels), corruption, severity)
    except FileNotFoundError:
        images = f"these {len(ids)} images"
        raise _incomplete(benchmark, images, [(corruption, severity)], [corruption], [severity]) from None


def benchmark_of(data) -> Benchmark:
    """Return the benchmark made from the data set; refuse images it was not made from or does not show so."""
    name, split = data.attrs.get("dataset"), data.attrs.get("split", "test")
    if name not in BENCHMARKS:
        raise InputError(
            f"of {name} no corrupted benchmark is published that is read here (only of {', '.join(BENCHMARKS)}); "
            "use corrupted='generated'"
        )
    benchmark, reading = BENCHMARKS[name], data.attrs.get("reading", "native")
    if split != "test":
        raise InputError(
            f"{benchmark.title} was made from the split test of {name}, but was asked for {split}; "
            "use that split, or corrupted='generated'"
        )
    if reading != benchmark.reading:
        raise InputError(
            f"{benchmark.title} shows what the reading {benchmark.reading} shows of {name}, but the clean images were "
            f"read as {reading}; use that reading, or corrupted='generated'"
        )
    return benchmark


def _checked(corruptions, severities) -> None:
    for corruption in corruptions:
        CORRUPTIONS[corruption]  # an unknown name raises with the closest three
    for severity in severities:
        if isinstance(severity, bool) or not isinstance(severity, Integral) or severity not in SEVERITIES:
            raise InputError(
                f"severity {severity!r} cannot be used: it is a whole number from 1 (mild) to 5 (severe)"
            )


def _incomplete(benchmark: Benchmark, images: str, missing, corruptions, severities) -> MissingFileError:
    """Return the error that says which cells are missing, where was looked, and what to do."""
    roots = ", ".join(map(str, benchmark.roots()))
    if roots:
        state = f"{benchmark.title} in {roots} is not complete"
    else:
        searched = ", ".join(map(str, data_dirs())) or "it names none that is there"
        state = (
            f"{benchmark.title} is not on this machine: no {' or '.join(benchmark.folders)} in the folders of "
            f"ROBUSTSHAPE_DATA ({searched})"
        )
    named = ", ".join(f"{corruption} {severity}" for corruption, severity in missing[:NAMED])
    more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
    whole = [name for name in corruptions if name not in {corruption for corruption, _ in missing}]
    levels = [int(level) for level in severities if level not in {severity for _, severity in missing}]
    rest = [f"{key}={kept}" for key, kept in (("corruptions", whole), ("severities", levels)) if kept]
    less = f"run the rest with {' or '.join(rest)}, or " if rest else ""
    return MissingFileError(
        f"{state}; of {len(corruptions) * len(severities)} (corruption, severity), {len(missing)} lack some or all "
        f"of {images}: {named}{more}; get it from {benchmark.url} and unpack it as "
        f"{benchmark.layout} in a folder of ROBUSTSHAPE_DATA, or {less}use corrupted='generated'"
    )
