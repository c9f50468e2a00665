"""xarray Datasets in a checked folder (your cache), or as zarr in one zip file (published results) or for others to open.

A folder holds zarr, or one ``.npz`` where the whole is small: of a kilobyte zarr would take ten times as long.
"""

import io
import json
import tempfile
import warnings
import zipfile
from pathlib import Path

from robustshape.errors import DamagedError, StoreError
from robustshape.store.atomic import write_file
from robustshape.store.entries import usable_folder, write_folder
from robustshape.store.failures import ABSENT, reading

DATA, SMALL = "data.zarr", "data.npz"
SMALL_BYTES = 2**20  # in memory; what is larger or read lazily becomes zarr
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # a fixed date in the archive: equal numbers give equal bytes


def _text_as_objects(dataset):
    """Return `dataset` with text as plain Python strings, whatever the store made of it."""
    text = {n: v.astype(object) for n, v in dataset.variables.items() if v.dtype.kind in "UT"}
    return dataset.assign({n: v for n, v in text.items() if n not in dataset.coords}).assign_coords(
        {n: v for n, v in text.items() if n in dataset.coords}
    )


def _write(dataset, target, *, consolidated: bool = False, closely: bool = False) -> None:
    """Write zarr; `closely` takes ten times as long to compress, for what is written once and kept in the repository."""
    from zarr.codecs import ZstdCodec

    plain = _text_as_objects(dataset.drop_encoding())
    numbers = [name for name, v in plain.variables.items() if v.dtype.kind in "biuf"] if closely else []
    with warnings.catch_warnings():  # xarray reads consolidated metadata, others need not
        warnings.filterwarnings("ignore", "Consolidated metadata is currently not part")
        plain.to_zarr(
            target,
            mode="w",
            consolidated=consolidated,
            zarr_format=3,
            encoding={name: {"compressors": [ZstdCodec(level=19)]} for name in numbers},
        )


def save_folder(dataset, path: Path) -> None:
    """Write `dataset` to the folder `path` with a manifest; an entry already finished stays."""
    small = not dataset.chunks and dataset.nbytes <= SMALL_BYTES
    with write_folder(path) as folder:
        (_write_small if small else _write)(dataset, folder / (SMALL if small else DATA))


def _write_small(dataset, target: Path) -> None:
    import numpy as np

    plain = {name: v.values for name, v in dataset.variables.items()}
    plain = {name: v.astype("U") if v.dtype.kind in "OT" else v for name, v in plain.items()}
    about = {
        "variables": {name: [list(v.dims), v.attrs] for name, v in dataset.variables.items()},
        "coords": list(dataset.coords),
        "attrs": dataset.attrs,
    }
    np.savez(
        target,
        **{f"v{i}": v for i, v in enumerate(plain.values())},
        about=json.dumps(about, default=lambda number: number.tolist()),
    )


def _read_small(source: Path):
    import numpy as np
    import xarray

    with np.load(source, allow_pickle=False) as kept:
        about = json.loads(str(kept["about"]))
        variables = {
            name: (dims, kept[f"v{i}"], attrs)
            for i, (name, (dims, attrs)) in enumerate(about["variables"].items())
        }
    coords = {name: variables.pop(name) for name in about["coords"]}
    return xarray.Dataset(variables, coords=coords, attrs=about["attrs"])


def open_folder(path: Path, *, chunks=None):
    """Return the Dataset at `path`, or None if there is no whole one.

    Parameters
    ----------
    path : Path
        Where `save_folder` wrote it.
    chunks : dict, optional
        As in xarray: given, large arrays are dask-backed and read when used; else all is in memory.
    """
    import xarray

    if not usable_folder(path):
        return None
    with reading(path):
        if (Path(path) / SMALL).is_file():
            return _text_as_objects(_read_small(Path(path) / SMALL))
        opened = xarray.open_zarr(Path(path) / DATA, consolidated=False, chunks=chunks)
        return _text_as_objects(opened if chunks is not None else opened.load())


def save_zip(dataset, path: Path, *, consolidated: bool = False) -> None:
    """Write `dataset` to one ``.zarr.zip`` file, replacing an earlier one in a single step."""
    with tempfile.TemporaryDirectory() as folder, write_file(path) as temporary:
        _write(dataset, Path(folder) / DATA, consolidated=consolidated, closely=True)
        with zipfile.ZipFile(temporary, "w") as archive:
            for file in sorted((Path(folder) / DATA).rglob("*")):
                if file.is_file():
                    name = file.relative_to(Path(folder) / DATA).as_posix()
                    info = zipfile.ZipInfo(
                        name, LONG_AGO
                    )  # numbers are compressed; what is said of them is not yet
                    packed = zipfile.ZIP_DEFLATED if file.suffix == ".json" else zipfile.ZIP_STORED
                    archive.writestr(info, file.read_bytes(), packed, 9)


def open_zip(path: Path):
    """Return the Dataset of a ``.zarr.zip`` file, in memory.

    Raises
    ------
    DamagedError
        If it is not as it was written; how to restore it.
    StoreError
        If it is missing or cannot be read.
    """
    import xarray
    import zarr
    from zarr.buffer.cpu import Buffer

    path, restore = Path(path), f"restore it with: git checkout -- {path}"
    with reading(path):
        try:
            content = path.read_bytes()
        except ABSENT as error:
            raise StoreError(f"{path} is missing; {restore}") from error
    try:
        members = {name: Buffer.from_bytes(found) for name, found in _members(content).items()}
        store = zarr.storage.MemoryStore(members, read_only=True)
        return _text_as_objects(xarray.open_zarr(store, consolidated=False, chunks=None).load())
    except Exception as error:  # zipfile, zlib and zarr raise many kinds
        raise DamagedError(f"{path} is damaged ({error or type(error).__name__}); {restore}") from error


def _members(content: bytes) -> dict[str, bytes]:
    """Return the members of a zip file as `save_zip` wrote it, each of its checksum, and none left out.

    One that the list at the end of the file passes over would be read as numbers that are missing; so they have to follow
    each other without a gap.
    """
    at = 0
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        found = {info.filename: archive.read(info) for info in archive.infolist()}
        for info in sorted(archive.infolist(), key=lambda info: info.header_offset):
            if info.header_offset != at:
                raise zipfile.BadZipFile(f"what lies before {info.filename} is in no list")
            at += zipfile.sizeFileHeader + len(info.filename.encode()) + info.compress_size
        if at != archive.start_dir:
            raise zipfile.BadZipFile("its last members are in no list")
    return found


def export(dataset, path: Path) -> str:
    """Write `dataset` in one step for others to open: a new folder that is the zarr store itself, or a ``.zarr.zip`` file.

    Returns
    -------
    str
        The call that opens it; a zip file has no other (zarr-python's issue 2831).

    Examples
    --------
    >>> import xarray
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     call = export(xarray.Dataset({"a": ("x", [1, 2])}), Path(folder) / "a.zarr")
    ...     eval(call)["a"].values.tolist(), call.replace(folder, "")
    ([1, 2], "xarray.open_zarr('/a.zarr')")
    """
    path = Path(path)
    if path.suffix == ".zip":
        save_zip(dataset, path, consolidated=True)
        return f"xarray.open_zarr('zip::{path}')"
    with write_file(path) as temporary:  # no manifest: it is no part of a zarr store
        _write(dataset, temporary, consolidated=True)
    return f"xarray.open_zarr('{path}')"
