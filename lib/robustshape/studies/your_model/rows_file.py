"""Finished rows of the report as one file, which its notebook reads where the network lives in another process."""

from pathlib import Path

from robustshape.store import arrays


def write(rows, path: Path) -> None:
    """Write rows as an .zarr.zip."""
    arrays.save_zip(rows, path)


def read(path: str | Path):
    """Read rows that `write` wrote."""
    return arrays.open_zip(Path(path)).load()
