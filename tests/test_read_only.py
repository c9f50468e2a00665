"""A finished cache on a disk that cannot be written serves who only reads; what is missing there is said in words."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
import xarray

from robustshape import models, paths, tasks
from robustshape.errors import StoreError
from robustshape.store import results, sealed
from robustshape.store.kept import Kept
from robustshape.store.rows import Wanted, row_entry

NOBODY = 65534
QUICK = {"dataset": "digits", "epochs": 1}


@contextlib.contextmanager
def read_only(folder):
    """Take the right to write from a folder and all in it; root, who could still write, is nobody meanwhile."""
    parts = [folder, *folder.rglob("*")]
    for part in parts:
        part.chmod(0o555 if part.is_dir() else 0o444)
    if root := os.geteuid() == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        for part in parts:
            part.chmod(0o755 if part.is_dir() else 0o644)


@pytest.fixture
def place(monkeypatch):
    """A cache that anyone can read, unlike what lies in a temporary folder of pytest's."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(folder / "cache"))
    (folder / "cache").mkdir()
    yield folder / "cache"
    shutil.rmtree(folder)


def gathered(names="ab"):
    wanted = {name: Wanted(row_entry("study", {"m": name})) for name in names}

    def compute(missing):
        for name in missing:
            yield name, xarray.Dataset({"value": 1.0, "x": ("sample", np.arange(3))})

    return results.gather("study", wanted, preset="p", source="measure", compute=compute)


def test_rows_notes_and_folders_are_read(place, capsys):
    first = gathered()
    tasks._remember("x", 2.0)
    with read_only(place):
        xarray.testing.assert_identical(gathered(), first)
        assert capsys.readouterr().out == ""  # nothing to note that is not noted
        assert len(results.latest_run("study", "p")[0]) == 2 and tasks.paces() == {"x": 2.0}
        assert paths.cache_dir("weights") == place / "weights"
        sealed.note(place / "pace.json", {"x": 3.0})
        assert "this is not noted" in capsys.readouterr().out
        xarray.testing.assert_identical(
            gathered("a"), first.sel(model=["a"])
        )  # another run, which is not noted
        assert "this is not noted" in capsys.readouterr().out


def test_what_is_missing_cannot_be_kept_and_is_said(place):
    gathered("a")
    entry = Kept("results/study", {"m": "c"})
    with read_only(place):
        assert entry.missing and entry.open() is None
        with pytest.raises(StoreError, match="cannot be written"), entry.alone():
            pytest.fail("hours of work")
        with pytest.raises(StoreError, match="cannot be written"):
            gathered("ac")


def test_a_trained_network_is_loaded(place):
    first = models.load("zoo:mlp", **QUICK)
    images = np.zeros((2, *first.preprocess.size, 1), np.uint8)
    with read_only(place):
        assert models.is_ready("zoo:mlp", **QUICK)
        again = models.load("zoo:mlp", **QUICK)
        assert np.array_equal(first.logits(images), again.logits(images))
        with pytest.raises(StoreError, match="cannot be written"):
            models.load("zoo:lenet", **QUICK)


def test_an_empty_one_is_an_error_at_once(place):
    with (
        read_only(place),
        pytest.raises(StoreError, match=r"cache.* cannot be written .*set ROBUSTSHAPE_CACHE"),
    ):
        paths.cache_dir("features")
