import os

import pytest

from robustshape import paths
from robustshape.errors import StoreError


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
