import os
import shutil
import subprocess
import sys
import zipfile

import pytest
import torch

from robustshape import notebooks, paths
from robustshape.analysis import claims
from robustshape.errors import InputError, StoreError
from robustshape.store import results


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


def test_the_project_is_found_and_a_library_without_it_says_so(monkeypatch, tmp_path):
    assert paths.project_root() == paths.checkout() == paths.require_checkout("this")
    assert (paths.project_root() / "notebooks").is_dir()
    monkeypatch.setattr(paths, "__file__", str(tmp_path / "robustshape" / "paths.py"))
    assert paths.checkout() is None and paths.project_root() is None
    with pytest.raises(StoreError, match=r"installed without them; install it from a clone .*pip install"):
        paths.require_project()
    with pytest.raises(
        StoreError, match=r"^the book needs a clone of the project.*clone the project and run make"
    ):
        paths.require_checkout("the book")


def test_an_installed_package_reads_what_it_carries_and_writes_elsewhere(monkeypatch, tmp_path):
    (tmp_path / "robustshape" / "project" / "notebooks").mkdir(parents=True)
    monkeypatch.setattr(paths, "__file__", str(tmp_path / "robustshape" / "paths.py"))
    monkeypatch.delenv("ROBUSTSHAPE_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert paths.require_project() == tmp_path / "robustshape" / "project" and paths.checkout() is None
    assert paths.published_dir() == paths.require_project() / "data" / "results"
    assert paths.cache_dir() == tmp_path / "home" / ".cache" / "robustshape"


def test_a_wheel_carries_notebooks_presets_claims_and_published_rows(tmp_path):
    """Build and unpack one, from a copy without the weights, and ask it from outside the clone."""
    root, copy = paths.checkout(), tmp_path / "copy"
    shutil.copytree(root / "lib", copy / "lib", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    heavy = shutil.ignore_patterns("__pycache__", "cache", "*.safetensors", "*.png")
    for folder in ("notebooks", "data"):
        shutil.copytree(root / folder, copy / folder, ignore=heavy)
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "DATA_LICENSES.md"):
        shutil.copy(root / name, copy / name)
    code = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=copy, capture_output=True, check=True)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = (
        "from robustshape import notebooks, paths; from robustshape.analysis import claims; from robustshape.cli import main; from robustshape.store import results;"
        "print(paths.project_root()); print(*notebooks.names()); print(len(claims.load()));"
        "print(*results.published_presets('kstar_skewness')); print(main(['book']), main(['publish', 'x', '--preset', 'y']))"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), os.environ["PYTHONPATH"]]),
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    there = [str(tmp_path / "site" / "robustshape" / "project"), " ".join(notebooks.names())]
    there += [str(len(claims.load())), " ".join(results.published_presets("kstar_skewness")), "2 2"]
    assert done.stdout.splitlines() == there
    assert done.stderr.count("needs a clone of the project") == 2


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
