"""xarray Datasets as zarr, in a checked folder (your cache) or in one zip file (published results)."""

import tempfile
import zipfile
from pathlib import Path

from robustshape.errors import StoreError
from robustshape.store.atomic import usable_folder, write_file, write_folder

DATA = "data.zarr"
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # a fixed date in the archive: equal numbers give equal bytes


def _text_as_objects(dataset):
    """Return `dataset` with text as plain Python strings, whatever the store made of it."""
    text = {n: v.astype(object) for n, v in dataset.variables.items() if v.dtype.kind in "UT"}
    return dataset.assign({n: v for n, v in text.items() if n not in dataset.coords}).assign_coords(
        {n: v for n, v in text.items() if n in dataset.coords}
    )


def _write(dataset, target) -> None:
    plain = _text_as_objects(dataset.drop_encoding())
    plain.to_zarr(target, mode="w", consolidated=False, zarr_format=3)


def save_folder(dataset, path: Path) -> None:
    """Write `dataset` to the folder `path` with a manifest; an entry already finished stays."""
    with write_folder(path) as folder:
        _write(dataset, folder / DATA)


def open_folder(path: Path, *, chunks=None):
    """Return the Dataset at `path`, or None if there is no whole one.

    Parameters
    ----------
    path : Path
        Where `save_folder` wrote it.
    chunks : dict, optional
        As in xarray: given, the arrays are dask-backed and read when used; else all is in memory.
    """
    import xarray

    if not usable_folder(path):
        return None
    opened = xarray.open_zarr(Path(path) / DATA, consolidated=False, chunks=chunks)
    return _text_as_objects(opened if chunks is not None else opened.load())


def save_zip(dataset, path: Path) -> None:
    """Write `dataset` to one ``.zarr.zip`` file, replacing an earlier one in a single step."""
    with tempfile.TemporaryDirectory() as folder, write_file(path) as temporary:
        _write(dataset, Path(folder) / DATA)
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
            for file in sorted((Path(folder) / DATA).rglob("*")):
                if file.is_file():
                    name = file.relative_to(Path(folder) / DATA).as_posix()
                    archive.writestr(zipfile.ZipInfo(name, LONG_AGO), file.read_bytes())


def open_zip(path: Path):
    """Return the Dataset of a ``.zarr.zip`` file, in memory; raise StoreError if it is damaged."""
    import xarray
    import zarr

    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            if broken := archive.testzip():
                raise zipfile.BadZipFile(f"bad checksum of {broken}")
        store = zarr.storage.ZipStore(path, mode="r")
        dataset = _text_as_objects(xarray.open_zarr(store, consolidated=False, chunks=None).load())
        store.close()
    except (zipfile.BadZipFile, OSError, ValueError, KeyError) as error:
        raise StoreError(
            f"{path} is damaged or missing ({error}); restore it with: git checkout -- {path}"
        ) from error
    return dataset
