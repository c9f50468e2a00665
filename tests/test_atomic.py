"""Entries are whole or not there; damage is named; two writers cannot disturb each other."""

import errno
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from robustshape.errors import DamagedError, ReadOnlyError, StoreError
from robustshape.store import atomic, entries, manifest


def test_a_folder_is_there_only_when_it_is_finished(tmp_path):
    entry = tmp_path / "entry"
    with pytest.raises(RuntimeError, match="killed"), entries.write_folder(entry) as folder:
        (folder / "half").write_text("half")
        assert not entry.exists()
        raise RuntimeError("killed")
    assert list(tmp_path.iterdir()) == []
    with entries.write_folder(entry) as folder:
        (folder / "whole").write_text("whole")
    assert entries.check_folder(entry)
    assert json.loads((entry / "manifest.json").read_text()).keys() == {"whole"}


def test_the_first_of_two_writers_decides_and_nothing_is_left_beside(tmp_path):
    entry = tmp_path / "entry"
    with entries.write_folder(entry) as slow:
        (slow / "value").write_text("slow")
        with entries.write_folder(entry) as quick:
            (quick / "value").write_text("quick")
    assert (entry / "value").read_text() == "quick"
    assert [path.name for path in tmp_path.iterdir()] == ["entry"]


@pytest.mark.parametrize("damage", ["changed", "removed", "manifest"])
def test_damage_is_named_and_mended_by_computing_again(tmp_path, capsys, damage):
    entry = tmp_path / "entry"
    with entries.write_folder(entry) as folder:
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
        entries.check_folder(entry)
    assert not entries.usable_folder(entry)
    assert "computed again" in capsys.readouterr().out and not entry.exists()


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path):
    words = r"the disk is full while writing .*entry; free some space"
    with pytest.raises(StoreError, match=words), entries.write_folder(tmp_path / "entry") as folder:
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
    with entries.write_folder(tmp_path / "entry"):
        pass
    assert sorted(p.name for p in tmp_path.iterdir()) == [".entry.living.tmp", "entry"]


def test_a_file_is_read_once_and_again_when_it_was_written(tmp_path, monkeypatch):
    entry, read = tmp_path / "entry", []
    with entries.write_folder(entry) as folder:
        (folder / "a").write_text("right")
        (folder / "b").write_text("right too")
    sha256 = manifest.sha256
    monkeypatch.setattr(manifest, "sha256", lambda path: read.append(path.name) or sha256(path))
    assert entries.check_folder(entry) and entries.check_folder(entry) and read == ["a", "b"]
    os.utime(entry / "a", ns=(1, 1))  # written again, with equal content
    assert entries.check_folder(entry) and read == ["a", "b"] * 2
    (entry / "b").unlink()
    with pytest.raises(StoreError, match="b is not as it was written"):
        entries.check_folder(entry)
    (entry / "b").write_text("wrong t00")
    with pytest.raises(StoreError, match="b is not as it was written"):
        entries.check_folder(entry)
    (entry / "b").write_text("right too")
    assert entries.check_folder(entry)


def test_an_entry_made_again_in_place_of_a_damaged_one_is_read_again(tmp_path, capsys):
    for content in ("first", "later"):  # of one length
        with entries.write_folder(tmp_path / "entry") as folder:
            (folder / "value").write_text(content)
        assert entries.usable_folder(tmp_path / "entry")
        (tmp_path / "entry" / "value").write_text("wrong")
        os.utime(tmp_path / "entry" / "value", ns=(1, 1))
        assert not entries.usable_folder(tmp_path / "entry")
    assert capsys.readouterr().out.count("is damaged: value") == 2


KILLED = """
import os, signal, sys
from pathlib import Path
from robustshape.store import entries
with entries.write_folder(Path(sys.argv[1])) as folder:
    (folder / "half").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_writer_that_is_killed_leaves_nothing_that_passes_for_finished(tmp_path):
    entry = tmp_path / "entry"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(entry)])
    assert killed.returncode == -9 and not entry.exists() and not entries.usable_folder(entry)
    [left] = tmp_path.iterdir()
    assert left.name.startswith(".entry.") and (left / "half").is_file()
    for part in (left / "half", left):
        os.utime(part, (time.time() - 7200,) * 2)
    with entries.write_folder(entry) as folder:
        (folder / "whole").write_text("whole")
    assert list(tmp_path.iterdir()) == [entry] and entries.usable_folder(entry)


def test_what_dead_writers_left_goes_whichever_entry_is_asked_for(tmp_path):
    atomic.SWEPT.clear()
    for name, age in (
        (".entry.dead.tmp", 7200),
        (".other.dead.tmp", 7200),
        (".other.living.tmp", 1),
        (".finished.lease", 7200),
        ("kept", 7200),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "part").touch()
        for path in (tmp_path / name / "part", tmp_path / name):
            os.utime(path, (time.time() - age,) * 2)
    long = tmp_path / ".long.writing.tmp"  # begun long ago, and written to now
    long.mkdir()
    (long / "part").touch()
    os.utime(long, (1, 1))
    assert not entries.check_folder(tmp_path / "third")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".long.writing.tmp",
        ".other.living.tmp",
        "kept",
    ]


@pytest.mark.parametrize("error", [errno.EACCES, errno.EIO])
@pytest.mark.parametrize("what", ["manifest.json", "value"])
def test_what_cannot_be_read_is_no_damage_and_stays(tmp_path, monkeypatch, error, what):
    entry, read = tmp_path / "entry", Path.open
    with entries.write_folder(entry) as folder:
        (folder / "value").write_text("right")

    def refuse(path, *given, **more):
        if path.name == what:
            raise OSError(error, "no")
        return read(path, *given, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        with pytest.raises(StoreError, match=r"entry cannot be read \(no\); it is left as it is") as raised:
            entries.usable_folder(entry)
    assert not isinstance(raised.value, DamagedError) and entries.usable_folder(entry)


def test_a_damaged_one_that_cannot_be_removed_is_not_taken_for_missing(tmp_path, monkeypatch):
    entry = tmp_path / "entry"
    with entries.write_folder(entry) as folder:
        (folder / "value").write_text("right")
    (entry / "value").write_text("wrong")
    monkeypatch.setattr(atomic.os, "rename", lambda *_: (_ for _ in ()).throw(OSError(errno.EROFS, "no")))
    with pytest.raises(
        DamagedError, match=r"value is not as it was written .*expected .*cannot be done from here \(no\)"
    ):
        entries.usable_folder(entry)
    assert (entry / "value").read_text() == "wrong"


def test_a_manifest_that_names_a_file_twice_is_damaged(tmp_path):
    entry = tmp_path / "entry"
    with entries.write_folder(entry) as folder:
        (folder / "0").write_text("a")
        (folder / "1").write_text("b")
    manifest = (entry / "manifest.json").read_text()
    (entry / "manifest.json").write_text(manifest.replace('"1"', '"0"'))
    with pytest.raises(DamagedError, match="names a file twice"):
        entries.check_folder(entry)


def test_a_place_where_nothing_may_be_written_is_told_from_other_failures(tmp_path):
    for number, kind in (
        (errno.EROFS, ReadOnlyError),
        (errno.EACCES, ReadOnlyError),
        (errno.EIO, StoreError),
    ):
        with (
            pytest.raises(StoreError, match="cannot be written") as raised,
            atomic.write_file(tmp_path / "x"),
        ):
            raise OSError(number, "no")
        assert type(raised.value) is kind
