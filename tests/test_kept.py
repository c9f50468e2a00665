"""What is kept: under the key of what defines it, whole or not there, small and large alike."""

import os
import subprocess
import sys

import numpy as np
import pytest
import xarray

from robustshape.errors import InputError
from robustshape.store import arrays, manifest
from robustshape.store.kept import Kept
from robustshape.store.keys import key_of

SPEC = {"model": "mine", "images": [1, 2]}


@pytest.fixture(autouse=True)
def own_cache(cache):
    return cache


@pytest.fixture(params=["small", "large"])
def entry(request, monkeypatch):
    """An entry that is kept as one small file, or as zarr."""
    monkeypatch.setattr(arrays, "SMALL_BYTES", 2**20 if request.param == "small" else 0)
    return Kept("tests", SPEC)


def numbers(value=0.0):
    return xarray.Dataset(
        {"x": (("sample", "feature"), np.arange(6.0).reshape(3, 2) + value)}, {"sample": list("abc")}
    )


def test_what_was_saved_is_opened(entry, own_cache):
    assert entry.missing and entry.open() is None and entry.open(chunks={}) is None
    entry.save(numbers())
    assert not entry.missing and entry.folder == own_cache / "tests" / key_of(SPEC)
    xarray.testing.assert_identical(entry.open(), numbers())
    xarray.testing.assert_identical(entry.open(chunks={}).load(), numbers())


def test_entries_of_equal_content_are_one_and_others_are_others(entry):
    entry.save(numbers())
    same = Kept("tests", {"images": (1, 2), "model": "mine"})
    assert same.key == entry.key and not same.missing
    for other in (Kept("other", SPEC), Kept("tests/deeper", SPEC), Kept("tests", SPEC | {"images": [2, 1]})):
        assert other.missing and other.open() is None


def test_a_key_is_computed_once(monkeypatch):
    asked = []
    monkeypatch.setattr("robustshape.store.kept.key_of", lambda spec: asked.append(spec) or "key")
    entry = Kept("tests", SPEC)
    assert entry.missing and entry.open() is None and entry.folder.name == "key" and len(asked) == 1


def test_what_is_no_plain_value_makes_no_entry():
    with pytest.raises(InputError, match="a key is made of plain JSON values"):
        _ = Kept("tests", {"model": object()}).missing


def test_one_that_is_finished_stays(entry):
    entry.save(numbers())
    entry.save(numbers(100))  # of another process that was a moment later
    xarray.testing.assert_identical(entry.open(), numbers())


@pytest.mark.parametrize("ask", [lambda entry: entry.missing, lambda entry: entry.open() is None])
@pytest.mark.parametrize("damage", ["changed", "cut", "removed", "manifest"])
def test_a_damaged_one_is_named_and_made_again(entry, capsys, ask, damage):
    entry.save(numbers())
    assert not entry.missing  # it was found whole before
    file = next(entry.folder.rglob("data.npz"), None) or next(entry.folder.rglob("c/0/0"))
    if damage == "manifest":
        file = entry.folder / "manifest.json"
    content = file.read_bytes()
    file.unlink()
    if damage != "removed":
        file.write_bytes(content[:-3] if damage != "changed" else content[:-1] + bytes([content[-1] ^ 1]))
        os.utime(file, ns=(1, 1))  # not in the moment in which it was written: clocks of files are coarse
    assert ask(entry)
    said = capsys.readouterr().out
    assert f"{entry.folder} is damaged" in said and file.name in said and "computed again" in said
    assert not entry.folder.exists() and entry.missing and capsys.readouterr().out == ""
    entry.save(numbers(1))
    xarray.testing.assert_identical(entry.open(), numbers(1))


def test_files_are_read_once_in_a_process(entry, monkeypatch):
    entry.save(numbers())
    read, sha256 = [], manifest.sha256
    monkeypatch.setattr(manifest, "sha256", lambda path: read.append(path) or sha256(path))
    assert not entry.missing
    first = len(read)
    assert first and entry.open() is not None and not Kept("tests", SPEC).missing and len(read) == first


KILLED = """
import os, signal
import numpy, xarray
from robustshape.store import atomic
from robustshape.store.kept import Kept
atomic.os.rename = lambda *a: os.kill(os.getpid(), signal.SIGKILL)  # the last moment before it is finished
Kept("tests", {"model": "mine", "images": [1, 2]}).save(xarray.Dataset({"x": ("sample", numpy.zeros(3))}))
"""


def test_a_writer_that_is_killed_leaves_no_entry():
    entry = Kept("tests", SPEC)
    assert subprocess.run([sys.executable, "-c", KILLED]).returncode == -9
    assert list(entry.folder.parent.glob(".*.tmp")) and entry.missing and entry.open() is None
    entry.save(numbers())
    xarray.testing.assert_identical(entry.open(), numbers())
