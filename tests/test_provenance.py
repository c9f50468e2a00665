"""Provenance: which code, versions and device made a number; the commit, or a hash of the package's files."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import xarray

import robustshape
from robustshape.store import provenance as module
from robustshape.store.provenance import code, commit, package_hash, provenance, read


@pytest.fixture(autouse=True)
def asked_anew():
    """Let every test ask git, and none see another's answer."""
    for ask in (commit, code):
        ask.cache_clear()
    yield
    for ask in (commit, code):
        ask.cache_clear()


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder that is taken for the project, and a function that calls git in it."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "file").write_text("as committed")
    monkeypatch.setattr(module, "checkout", lambda: root)
    who = ["-c", "user.name=me", "-c", "user.email=me@example.org", "-c", "commit.gpgsign=false"]
    return root, lambda *words, at=root: subprocess.run(
        ["git", *who, *words], cwd=at, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_provenance_names_what_made_the_numbers():
    found = provenance(device="cpu")
    assert "torch" in found["versions"] and found["device"] == "cpu" and found["precision"] == "float32"
    assert "robustshape" in found["versions"] and found["code"] == code() != ""
    more = provenance("cuda:1", "bfloat16", seconds={"row": 1.5})
    assert more | {"device": "cpu", "precision": "float32"} == found | {"seconds": {"row": 1.5}}


def test_it_is_read_back_from_a_row():
    rows = xarray.Dataset(
        {"provenance": ("model", [json.dumps(provenance(seconds={"row": k})) for k in (1, 2)])}
    )
    assert read(rows.isel(model=1))["seconds"] == {"row": 2}


def test_the_commit_says_whether_tracked_files_differ(project):
    root, git = project
    git("init", "-q")
    git("add", "file")
    git("commit", "-qm", "first")
    expected = git("rev-parse", "--short=12", "HEAD")
    (root / "untracked").write_text("is no change")
    assert commit() == code() == expected and len(expected) == 12
    (root / "file").write_text("changed")
    assert commit() == expected  # one run has one answer
    commit.cache_clear()
    assert commit() == expected + "+"


def test_without_a_repository_it_is_the_version_and_a_hash_of_the_package(project, monkeypatch):
    assert commit() == "" and code() == f"robustshape {robustshape.__version__} {package_hash()}"
    code.cache_clear()
    monkeypatch.setenv("PATH", "")  # no git at all
    assert commit() == "" and code().endswith(package_hash())
    commit.cache_clear()
    monkeypatch.setattr(module, "checkout", lambda: None)  # installed without the project
    assert commit() == ""


def test_inside_another_repository_it_is_not_that_ones_commit(project):
    root, git = project
    git("init", "-q", at=root.parent)
    git("add", ".", at=root.parent)
    git("commit", "-qm", "of something else", at=root.parent)
    assert commit() == "" and code().endswith(package_hash())


def test_the_hash_is_of_the_names_and_contents_of_the_python_files(tmp_path, monkeypatch):
    own = Path(module.__file__).parents[1]
    (tmp_path / "store").mkdir()
    for name in ("store/provenance.py", "errors.py"):
        shutil.copy(own / name, tmp_path / name)
    monkeypatch.setattr(module, "__file__", str(tmp_path / "store" / "provenance.py"))
    first = package_hash()
    (tmp_path / "store" / "notes.txt").write_text("no code")
    assert package_hash() == first and len(first) == 16
    (tmp_path / "errors.py").rename(tmp_path / "mistakes.py")
    renamed = package_hash()
    (tmp_path / "mistakes.py").write_text("changed = True")
    assert len({first, renamed, package_hash()}) == 3
