"""A finished cache on a disk that cannot be written serves who only reads; what is missing there is said in words."""

import contextlib
import ctypes
import os

import numpy as np
import pytest
import xarray

from robustshape import models, paths, tasks
from robustshape.errors import StoreError
from robustshape.store import results, sealed
from robustshape.store.kept import Kept
from robustshape.store.rows import Wanted, row_entry

QUICK = {"dataset": "digits", "epochs": 1}


class Header(ctypes.Structure):
    """Of capget and capset: the version of what follows, and the process, 0 for this thread."""

    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class Rights(ctypes.Structure):
    """32 of the capabilities that root has."""

    _fields_ = [(name, ctypes.c_uint32) for name in ("effective", "permitted", "inheritable")]


@contextlib.contextmanager
def bound_by_permissions():
    """Take from root, for this thread, the right to read and write what its permissions forbid."""
    call, header, rights = ctypes.CDLL(None), ctypes.byref(Header(0x20080522, 0)), (Rights * 2)()
    assert call.capget(header, rights) == 0
    before = rights[0].effective
    rights[0].effective &= ~(1 << 1 | 1 << 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    assert call.capset(header, rights) == 0
    try:
        yield
    finally:
        rights[0].effective = before
        assert call.capset(header, rights) == 0


@contextlib.contextmanager
def read_only(folder):
    """Take the right to write from a folder and all in it."""
    parts = [folder, *folder.rglob("*")]
    for part in parts:
        part.chmod(0o555 if part.is_dir() else 0o444)
    try:
        with bound_by_permissions() if os.geteuid() == 0 else contextlib.nullcontext():
            yield
    finally:
        for part in parts:
            part.chmod(0o755 if part.is_dir() else 0o644)


@pytest.fixture
def place(monkeypatch, tmp_path):
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


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
