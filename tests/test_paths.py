import os

import pytest
import torch

from robustshape import paths
from robustshape.errors import InputError, StoreError


def test_data_folders_are_searched_in_themselves_and_their_two_subfolders(tmp_path, monkeypatch):
    (tmp_path / "one" / "weights").mkdir(parents=True)
    (tmp_path / "two" / "datasets").mkdir(parents=True)
    (tmp_path / "two" / "datasets" / "mnist.npz").touch()
    monkeypatch.setenv("ROBUSTSHAPE_DATA", f"{tmp_path / 'one'}:{tmp_path / 'two'}:{tmp_path / 'absent'}")
    assert paths.data_dirs() == [
        tmp_path / "one",
        tmp_path / "one" / "weights",
        tmp_path / "two",
        tmp_path / "two" / "datasets",
    ]
    assert paths.find_local("other.npz", "mnist.npz") == tmp_path / "two" / "datasets" / "mnist.npz"
    assert paths.find_local("nowhere.npz") is None


@pytest.mark.parametrize("value, forbidden", [("", False), ("0", False), ("1", True)])
def test_offline_switch(monkeypatch, value, forbidden):
    monkeypatch.setenv("ROBUSTSHAPE_OFFLINE", value)
    assert paths.offline() is forbidden


def test_a_cache_that_cannot_be_made_is_named_with_what_to_do(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(
        StoreError, match=r"the cache .*file/cache.* cannot be written .*set ROBUSTSHAPE_CACHE"
    ):
        paths.cache_dir("features")


def test_a_cache_that_may_not_be_written_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path))
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    with pytest.raises(StoreError, match="cannot be written"):
        paths.cache_dir()


def test_the_project_is_found_and_a_library_without_it_says_so(monkeypatch):
    root = paths.project_root()
    assert (root / "notebooks").is_dir()
    monkeypatch.setattr(paths, "project_root", lambda: None)
    with pytest.raises(StoreError, match="clone the project"):
        paths.require_project()


@pytest.mark.parametrize("value", [None, "", "cpu"])
def test_networks_run_on_the_processor_unless_a_device_is_asked_for(monkeypatch, value):
    monkeypatch.delenv("ROBUSTSHAPE_DEVICE", raising=False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    if value is not None:
        monkeypatch.setenv("ROBUSTSHAPE_DEVICE", value)
    assert paths.device() == "cpu"


@pytest.mark.parametrize("there, value", [(1, "cuda"), (1, "cuda:0"), (2, "cuda"), (2, "cuda:1")])
def test_a_device_that_is_there_is_taken(monkeypatch, there, value):
    monkeypatch.setenv("ROBUSTSHAPE_DEVICE", value)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: there)
    assert paths.device() == value and str(torch.device(value)) == value


@pytest.mark.parametrize(
    "there, value",
    [
        (0, "cuda"), (0, "cuda:0"), (1, "cuda:1"), (2, "cuda:2"), (2, "cuda:-1"), (2, "cuda:"), (2, "cuda:first"),
        (2, "cuda:0:1"), (2, "CUDA"), (2, "mps"), (2, "cpu:0"), (2, "cpu:-1"), (2, "gpu"), (2, "1"),
    ],
)  # fmt: skip
def test_a_device_that_is_not_there_is_refused_with_what_may_be_asked_for(monkeypatch, there, value):
    monkeypatch.setenv("ROBUSTSHAPE_DEVICE", value)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: there)
    words = (
        f"ROBUSTSHAPE_DEVICE is '{value}', but must be cpu, cuda or cuda:N with N below the number of CUDA devices "
        f"here, {there}; unset it to run on the processor"
    )
    with pytest.raises(InputError, match=f"^{words}$"):
        paths.device()
