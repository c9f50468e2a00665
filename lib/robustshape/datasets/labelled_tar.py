"""Images of ImageNet's classes in one tar, with a table (CSV) of file, imagenet1k_index, wnid and source."""

import csv
import io
import tarfile
from pathlib import Path

from robustshape.datasets import file_state, imagenet_classes
from robustshape.datasets.image_files import decode
from robustshape.errors import RobustshapeError, StoreError
from robustshape.paths import data_dirs
from robustshape.unpacking import open_tar, tar_bytes

TAR, TABLE = "natural_imagenet.tar", "natural_imagenet_labels.csv"


def find() -> Path | None:
    """Return the first archive in the folders of ROBUSTSHAPE_DATA that has its table beside it, or None."""
    for folder in data_dirs():
        if (folder / TAR).is_file() and (folder / TABLE).is_file():
            return folder / TAR
    return None


def read(archive: Path, source: str) -> tuple:
    """Return images (n, h, w, 3) uint8, their indices among ImageNet's 1,000, WordNet ids, names without ending.

    Parameters
    ----------
    archive : Path
        The tar; its table lies beside it.
    source : str
        What the table's column ``source`` begins with: one archive may hold several sets.

    Raises
    ------
    StoreError
        If a file is missing or damaged, no image is from `source`, or they are of various sizes.
    """
    try:
        with (archive.parent / TABLE).open(encoding="utf-8", newline="") as file:
            rows = sorted(
                (row["file"], int(row["imagenet1k_index"]), row["wnid"])
                for row in csv.DictReader(file)
                if row["source"].startswith(source)
            )
        for name, index, wnid in rows:
            if imagenet_classes.positions().get(wnid) != index:
                raise ValueError(f"{name} cannot be {wnid} and of index {index}")
        with open_tar(archive) as tar:
            members = {member.name: member for member in tar}
            images = [
                decode(io.BytesIO(tar_bytes(tar, members[name])), 3, f"{archive}: {name}")
                for name, _, _ in rows
            ]
    except RobustshapeError:
        raise
    except (KeyError, AttributeError, TypeError, ValueError, OSError, csv.Error, tarfile.TarError) as error:
        raise StoreError(
            f"{archive} or {TABLE} beside it is damaged or incomplete ({error}); replace both"
        ) from error
    if not rows:
        raise StoreError(f"{archive} holds no image from {source!r}; replace it and {TABLE}")
    stems = [name.rpartition("/")[2].rpartition(".")[0] for name, _, _ in rows]
    return stacked(images, archive), [index for _, index, _ in rows], [wnid for _, _, wnid in rows], stems


def state(archive: Path | None) -> str:
    """Return what changes with the archive or its table."""
    return file_state.of_files(archive, archive and archive.parent / TABLE)


def stacked(images: list, place: Path):
    """Return images (h, w, c) of one size as (n, h, w, c); raise StoreError, naming their `place`, if they differ."""
    import numpy as np

    sizes = sorted({image.shape[:2] for image in images})
    if len(sizes) > 1:
        raise StoreError(
            f"images of {place} are of various sizes, such as {sizes[0]} and {sizes[1]}; replace it"
        )
    return np.stack(images)
