"""Stores: whole or not there; damage is named; two writers cannot disturb each other."""

import errno
import json
import os
import time

import numpy as np
import pytest
import xarray

from robustshape.errors import InputError, StoreError
from robustshape.store import arrays, atomic
from robustshape.store.keys import ids_hash, key_of
from robustshape.store.provenance import provenance


@pytest.fixture
def numbers():
    return xarray.Dataset(
        {
            "share": (("model", "sample"), np.arange(6.0).reshape(2, 3)),
            "word": ("model", np.array(["fractured", "ünklar"], object)),
        },
        coords={"model": ["a", "b"]},
        attrs={"study": "x"},
    )


def test_key_depends_on_content_alone():
    assert key_of({"a": 1, "b": [1, 2]}) == key_of({"b": (1, 2), "a": 1})
    assert key_of({"a": 1}) != key_of({"a": 2}) != key_of({"b": 1})
    assert len(key_of({})) == 32


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}])
def test_key_refuses_what_is_not_plain(value):
    with pytest.raises(InputError, match="plain JSON values"):
        key_of({"value": value})


def test_ids_hash_depends_on_order():
    assert ids_hash(["a", "b"]) != ids_hash(["b", "a"]) != ids_hash(["ab"])


def test_a_folder_is_there_only_when_it_is_finished(tmp_path):
    entry = tmp_path / "entry"
    with pytest.raises(RuntimeError, match="killed"), atomic.write_folder(entry) as folder:
        (folder / "half").write_text("half")
        assert not entry.exists()
        raise RuntimeError("killed")
    assert list(tmp_path.iterdir()) == []
    with atomic.write_folder(entry) as folder:
        (folder / "whole").write_text("whole")
    assert atomic.check_folder(entry)
    assert json.loads((entry / "manifest.json").read_text()).keys() == {"whole"}


def test_the_first_of_two_writers_decides_and_nothing_is_left_beside(tmp_path):
    entry = tmp_path / "entry"
    with atomic.write_folder(entry) as slow:
        (slow / "value").write_text("slow")
        with atomic.write_folder(entry) as quick:
            (quick / "value").write_text("quick")
    assert (entry / "value").read_text() == "quick"
    assert [path.name for path in tmp_path.iterdir()] == ["entry"]


@pytest.mark.parametrize("damage", ["changed", "removed", "manifest"])
def test_damage_is_named_and_mended_by_computing_again(tmp_path, capsys, damage):
    entry = tmp_path / "entry"
    with atomic.write_folder(entry) as folder:
        (folder / "value").write_text("right")
    if damage == "changed":
        (entry / "value").write_text("wrong")
    elif damage == "removed":
        (entry / "value").unlink()
    else:
        (entry / "manifest.json").write_text("{")
    with pytest.raises(
        StoreError, match=rf"{entry} is damaged: .*{'manifest' if damage == 'manifest' else 'value'}"
    ):
        atomic.check_folder(entry)
    assert not atomic.usable_folder(entry)
    assert "computed again" in capsys.readouterr().out and not entry.exists()


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path):
    words = r"the disk is full while writing .*entry; free some space"
    with pytest.raises(StoreError, match=words), atomic.write_folder(tmp_path / "entry") as folder:
        (folder / "value").write_text("x")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_in_one_step(tmp_path):
    target = tmp_path / "value"
    target.write_text("old")
    with atomic.write_file(target) as temporary:
        temporary.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new" and len(list(tmp_path.iterdir())) == 1


def test_what_dead_writers_left_is_swept_but_not_what_a_living_one_writes(tmp_path):
    for name, age in (("dead", 7200), ("living", 1)):
        left = tmp_path / f".entry.{name}.tmp"
        left.mkdir()
        os.utime(left, (time.time() - age,) * 2)
    with atomic.write_folder(tmp_path / "entry"):
        pass
    assert sorted(p.name for p in tmp_path.iterdir()) == [".entry.living.tmp", "entry"]


def test_arrays_come_back_as_they_went(tmp_path, numbers):
    arrays.save_folder(numbers, tmp_path / "entry")
    back = arrays.open_folder(tmp_path / "entry")
    xarray.testing.assert_identical(back, numbers)
    assert back["word"].dtype == object


def test_arrays_open_lazily_on_request(tmp_path, numbers):
    arrays.save_folder(numbers, tmp_path / "entry")
    assert arrays.open_folder(tmp_path / "entry", chunks={})["share"].chunks is not None
    assert arrays.open_folder(tmp_path / "absent") is None


def test_a_zip_holds_the_same_and_equal_numbers_give_equal_bytes(tmp_path, numbers):
    arrays.save_zip(numbers, tmp_path / "a.zarr.zip")
    arrays.save_zip(numbers, tmp_path / "b.zarr.zip")
    xarray.testing.assert_identical(arrays.open_zip(tmp_path / "a.zarr.zip"), numbers)
    assert (tmp_path / "a.zarr.zip").read_bytes() == (tmp_path / "b.zarr.zip").read_bytes()


@pytest.mark.parametrize("cut", [30, 500])
def test_a_damaged_zip_says_which_and_how_to_restore_it(tmp_path, numbers, cut):
    file = tmp_path / "a.zarr.zip"
    arrays.save_zip(numbers, file)
    file.write_bytes(file.read_bytes()[:-cut])
    with pytest.raises(StoreError, match=r"a\.zarr\.zip is damaged.*git checkout"):
        arrays.open_zip(file)


def test_a_changed_byte_in_a_zip_is_noticed(tmp_path, numbers):
    file = tmp_path / "a.zarr.zip"
    arrays.save_zip(numbers, file)
    content = bytearray(file.read_bytes())
    content[100] ^= 1
    file.write_bytes(bytes(content))
    with pytest.raises(StoreError, match="damaged"):
        arrays.open_zip(file)


@pytest.mark.parametrize("name", ["a.zarr", "a.zarr.zip"])
@pytest.mark.filterwarnings("error")
def test_an_exported_store_opens_by_the_call_it_names_and_is_written_in_one_step(
    tmp_path, numbers, monkeypatch, name
):
    call = arrays.export(numbers, tmp_path / name)
    xarray.testing.assert_identical(arrays._text_as_objects(eval(call).load()), numbers)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    if name == "a.zarr":
        with pytest.raises(StoreError, match=r"a\.zarr cannot be written"):
            arrays.export(numbers, tmp_path / name)  # it takes no place that is taken
        xarray.testing.assert_equal(eval(call)["share"], numbers["share"])

    def full(*_arguments, **_more):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(xarray.Dataset, "to_zarr", full)
    with pytest.raises(StoreError, match="disk is full"):
        arrays.export(numbers, tmp_path / f"new-{name}")
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_provenance_names_what_made_the_numbers():
    found = provenance(device="cpu")
    assert "torch" in found["versions"] and found["device"] == "cpu" and found["precision"] == "float32"
