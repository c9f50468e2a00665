"""The published corrupted versions of images, read from the reader's own files: see `benchmarks`.

Nothing is downloaded or unpacked.

Beware: `corrupt` draws other random numbers, and does not save as JPEG (`jpeg.saved_as_jpeg` does), so its images are
alike and not the same. ImageNet-C was cut from the shorter side at 256 px, as the reading ``frame224`` cuts and no
other does; a network takes the whole of such an image.
"""

from numbers import Integral

from robustshape.corruptions.benchmarks import BENCHMARKS, SEVERITIES, Benchmark
from robustshape.corruptions.catalogue import CORRUPTIONS
from robustshape.errors import InputError, MissingFileError
from robustshape.paths import data_dirs

VERSION = 1  # raise when a change of the reading changes the images
NAMED = 5  # cells that a message names


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
        h = w = 224 (imagenet), 64 (tiny_imagenet) or 32 (cifar10, cifar100).

    Raises
    ------
    InputError
        If the data set has no published benchmark, or the images are not those it was made from or not as it
        shows them (another reading).
    MissingFileError
        If an image is not there.
    StoreError
        If a file is damaged, of another size, or belongs to other labels.
    """
    benchmark = _benchmark(data)
    _checked([corruption], [severity])
    try:
        return benchmark.read(benchmark.wanted(data), corruption, int(severity))
    except FileNotFoundError:
        cell = (corruption, int(severity))
        raise _incomplete(benchmark, data, [cell], [corruption], [int(severity)]) from None


def missing_cells(data, corruptions, severities) -> list[tuple[str, int]]:
    """Return which (corruption, severity) are not there for all images of `data`, in the order asked for.

    Cheap: of the arrays only headers and labels are read, of the folders only listings. Files that are there and
    damaged are not missing; `stored_images` names them, and arrays of a wrong shape raise here.

    Parameters
    ----------
    data : xarray.Dataset
        See `stored_images`.
    corruptions : sequence of str
    severities : sequence of int

    Returns
    -------
    list of (str, int)
        Empty if everything is there.

    Raises
    ------
    InputError, StoreError
        See `stored_images`.
    """
    benchmark = _benchmark(data)
    _checked(corruptions, severities)
    wanted = benchmark.wanted(data)
    cells = [(corruption, int(severity)) for corruption in corruptions for severity in severities]
    return [cell for cell in cells if not benchmark.holds(wanted, *cell)]


def check(data, corruptions, severities) -> None:
    """Raise MissingFileError, with what to do about it, if `missing_cells` finds any.

    Raises
    ------
    MissingFileError, InputError, StoreError
        See `stored_images`.
    """
    missing = missing_cells(data, corruptions, severities)
    if missing:
        raise _incomplete(_benchmark(data), data, missing, corruptions, severities)


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
    'Tiny-ImageNet-C (https://zenodo.org/records/2536630), read from a folder of ROBUSTSHAPE_DATA'
    """
    benchmark = _benchmark(data)
    return f"{benchmark.title} ({benchmark.url}), read from a folder of ROBUSTSHAPE_DATA"


def _benchmark(data) -> Benchmark:
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


def _incomplete(benchmark: Benchmark, data, missing, corruptions, severities) -> MissingFileError:
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
        f"of these {data.sizes['sample']} images: {named}{more}; get it from {benchmark.url} and unpack it as "
        f"{benchmark.layout} in a folder of ROBUSTSHAPE_DATA, or {less}use corrupted='generated'"
    )
