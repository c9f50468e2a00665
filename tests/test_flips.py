"""Any flip of any bit of a small store is noticed or harmless: hypothesis chooses which."""

import contextlib
import io
import shutil

import numpy as np
import pytest
import torch
import xarray
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from robustshape.errors import StoreError
from robustshape.models import shipped
from robustshape.models.weights import check_sha256, read_weights, sha256, write_weights
from robustshape.store import arrays, entries, sealed
from robustshape.training import checkpoints

ROW = xarray.Dataset(
    {"value": ("sample", np.arange(5.0)), "word": ("sample", np.array(list("abcde"), object))},
    coords={"sample": [f"digits/{i}" for i in range(5)]},
    attrs={"seconds": 0.5},
)
STATE = {"module": {"weight": torch.arange(4.0)}, "optimiser": {}}
CONFIGURATION, PROGRESS = {"seed": 0, "recipe": {}}, {"step": 3, "sums": [0.1, 2.0]}


def folder_of(path, small):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrays, "SMALL_BYTES", 2**20 if small else 0)
        arrays.save_folder(ROW, path)


def read_folder(path):
    entries._WHOLE.clear()  # as another process, which has found nothing whole yet
    with contextlib.redirect_stdout(io.StringIO()) as said:
        found = arrays.open_folder(path)
    if found is None:
        assert f"{path} is damaged" in said.getvalue()
        raise StoreError("named and removed")
    return found.to_dict()


def read_checkpoint(path):
    state, progress = checkpoints.read(path, CONFIGURATION, "cpu")
    return state["module"]["weight"].tolist(), progress


def write_shipped(path):
    write_weights(path, STATE["module"])
    path.with_suffix(".sum").write_text(sha256(path))


def read_shipped(path):
    check_sha256(path, path.with_suffix(".sum").read_text(), "its card")
    return read_weights(path)["weight"].tolist()


KINDS = {  # how each kind of store is written and read
    "small entry": (lambda path: folder_of(path, True), read_folder),
    "entry": (lambda path: folder_of(path, False), read_folder),
    "published rows": (lambda path: arrays.save_zip(ROW, path), lambda path: arrays.open_zip(path).to_dict()),
    "note": (lambda path: sealed.note(path, PROGRESS), sealed.read),
    "checkpoint": (lambda path: checkpoints.write(path, CONFIGURATION, STATE, PROGRESS), read_checkpoint),
    "weights": (write_shipped, read_shipped),
}


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """One whole store of each kind, what it holds, and its files."""
    found = {}
    for kind, (write, read) in KINDS.items():
        path = tmp_path_factory.mktemp("flips") / "store.safetensors"
        write(path)
        files = [path] if path.is_file() else sorted(f for f in path.rglob("*") if f.is_file())
        found[kind] = path, read(path), [(f.relative_to(path.parent), f.read_bytes()) for f in files]
    return found


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), which=st.integers(0, 1 << 16))
def test_a_flip_is_noticed_or_harmless(stores, kind, where, bit, which):
    path, whole, files = stores[kind]
    name, content = files[which % len(files)]
    at = int(where * len(content))
    if path.is_dir() or len(files) > 1:
        shutil.rmtree(path, ignore_errors=True)
    for file, right in files:
        (path.parent / file).parent.mkdir(parents=True, exist_ok=True)
        flipped = content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]
        (path.parent / file).write_bytes(flipped if file == name else right)
    try:
        found = KINDS[kind][1](path)
    except StoreError:
        return
    assert found == whole, f"{name}, bit {bit} of byte {at}"


def test_members_that_a_flipped_length_hides_are_noticed(tmp_path):
    """In the list at the end of a zip the length of a comment may swallow the members that follow."""
    path = tmp_path / "rows.zarr.zip"
    arrays.save_zip(ROW, path)
    content = path.read_bytes()
    first = content.index(b"PK\1\2")
    second = content.index(b"PK\1\2", first + 1)
    hidden = second - first
    changed = bytearray(content)
    changed[first + 32 : first + 34] = hidden_length(content, second).to_bytes(2, "little")
    assert hidden and bytes(changed) != content
    path.write_bytes(bytes(changed))
    with pytest.raises(StoreError, match=r"rows\.zarr\.zip is damaged \(.* in no list\).*git checkout"):
        arrays.open_zip(path)


def hidden_length(content, start):
    """Return the length of the entry at `start` of the list of members."""
    name, extra, comment = (
        int.from_bytes(content[start + i : start + i + 2], "little") for i in (28, 30, 32)
    )
    return 46 + name + extra + comment


def test_cards_that_are_damaged_are_named_and_the_others_go_on(tmp_path, monkeypatch, capsys):
    folder = tmp_path.joinpath(*shipped.FOLDER)
    folder.mkdir(parents=True)
    monkeypatch.setattr(shipped, "project_root", lambda: tmp_path)
    (folder / "a.safetensors").write_bytes(b"weights")
    card = '{"training": {"seed": 1}, "weights": "a.safetensors", "sha256": "%s"}'
    (folder / "a.json").write_text(card % sha256(folder / "a.safetensors").removeprefix("sha256:"))
    for name, content in {"b": b"{", "c": b"\xff", "d": b"[]", "e": b'{"training": 3}', "f": b"null"}.items():
        (folder / f"{name}.json").write_bytes(content)
    shipped._cards.cache_clear()
    assert shipped.shipped({"seed": 1}) == folder / "a.safetensors"
    said = capsys.readouterr().out
    assert [name for name in "abcdef" if f"{name}.json is damaged" in said] == list("bcdef")
    assert said.count("git checkout") == 5
    shipped._cards.cache_clear()
