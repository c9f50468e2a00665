"""Datasets come back as they went, in a small file, as zarr, or in one zip; damage is named."""

import errno

import numpy as np
import pytest
import xarray

from robustshape.errors import StoreError
from robustshape.store import arrays


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


@pytest.fixture(params=["small", "large"])
def size(request, monkeypatch):
    """Have Datasets kept as one small file, or as zarr."""
    monkeypatch.setattr(arrays, "SMALL_BYTES", 2**20 if request.param == "small" else 0)
    return request.param


def test_arrays_come_back_as_they_went(tmp_path, numbers, size):
    arrays.save_folder(numbers, tmp_path / "entry")
    assert (tmp_path / "entry" / (arrays.SMALL if size == "small" else arrays.DATA)).exists()
    back = arrays.open_folder(tmp_path / "entry")
    xarray.testing.assert_identical(back, numbers)
    assert back["word"].dtype == object and back["share"].chunks is None


def test_everything_that_rows_hold_comes_back(tmp_path, size):
    given = xarray.Dataset(
        {
            "one": 0.1,
            "text": 'a word, nested: {"a": 1}',
            "nothing": "",
            "flag": ("sample", [True, False, True]),
            "small": ("sample", np.array([-1, 0, 1], np.int8)),
            "single": ("sample", np.array([0.1, np.nan, np.inf], np.float32)),
            "empty": (("sample", "none"), np.zeros((3, 0))),
        },
        coords={
            "sample": np.array(["a/1", "b/2", "c"], object),
            "severity": ("level", [1, 3]),
            "where": "here",
        },
        attrs={"seconds": np.float64(0.5), "list": [1, 2], "array": np.arange(2), "name": "x", "flag": True},
    )
    given["single"].attrs = {"long_name": "a number", "units": "1"}
    arrays.save_folder(given, tmp_path / "entry")
    back = arrays.open_folder(tmp_path / "entry")
    assert {name: v.dtype for name, v in back.variables.items() if v.dtype != object} == {
        name: v.dtype for name, v in given.variables.items() if v.dtype.kind not in "OU"
    }
    assert back.equals(given) and set(back.coords) == {"sample", "severity", "where"}
    assert back["single"].attrs == {"long_name": "a number", "units": "1"}
    plain = {name: np.asarray(value).tolist() for name, value in back.attrs.items()}
    assert plain == {"seconds": 0.5, "list": [1, 2], "array": [0, 1], "name": "x", "flag": True}


def test_what_is_large_or_read_lazily_opens_lazily_on_request(tmp_path, numbers):
    arrays.save_folder(numbers, tmp_path / "small")
    arrays.save_folder(numbers.assign(share=numbers["share"].chunk()), tmp_path / "lazy")
    assert (tmp_path / "small" / arrays.SMALL).is_file() and (tmp_path / "lazy" / arrays.DATA).is_dir()
    assert arrays.open_folder(tmp_path / "lazy", chunks={})["share"].chunks is not None
    for name in ("small", "lazy"):
        xarray.testing.assert_identical(arrays.open_folder(tmp_path / name, chunks={}).load(), numbers)
    assert arrays.open_folder(tmp_path / "absent") is None


def test_only_a_small_dataset_is_one_file(tmp_path):
    for n, name in ((2**17 - 2, arrays.SMALL), (2**17 + 1, arrays.DATA)):  # 8 bytes each
        arrays.save_folder(xarray.Dataset({"x": ("i", np.zeros(n))}), tmp_path / str(n))
        assert (tmp_path / str(n) / name).exists()


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
