"""Notes come back as they went; damage is named and removed, what cannot be read is left, and no run ends for a note."""

import errno
import json
from pathlib import Path

import pytest

from robustshape.errors import DamagedError, StoreError
from robustshape.store import atomic, sealed

CONTENT = {"networks": 7.0, "wörter": ["a", None, {"b": [1, 2]}]}


@pytest.fixture
def file(tmp_path):
    sealed.note(tmp_path / "note.json", CONTENT)
    return tmp_path / "note.json"


def test_a_note_comes_back_and_is_json_for_others_too(file):
    assert sealed.noted(file) == sealed.read(file) == CONTENT
    plain = json.loads(file.read_text(encoding="utf-8"))
    assert plain["content"] == CONTENT and len(plain["sha256"]) == 64
    assert sealed.noted(file.with_name("none.json")) is None
    sealed.note(file, {"networks": 8.0})
    assert sealed.noted(file) == {"networks": 8.0}


def test_every_changed_byte_and_every_cut_is_named(file):
    whole = file.read_bytes()
    for at in range(len(whole)):
        for changed in (whole[:at], whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :]):
            file.write_bytes(changed)
            with pytest.raises(DamagedError, match=r"note\.json is damaged: .* expected .*; delete the file"):
                sealed.read(file)


def test_a_note_without_a_checksum_is_named_in_one_line(file):
    file.write_text('{\n "pace": 7.0\n}')
    with pytest.raises(
        DamagedError, match=r"expected one before it, where there is none\); delete the file$"
    ):
        sealed.read(file)


def test_a_damaged_one_is_named_removed_and_made_again(file, capsys):
    file.write_bytes(file.read_bytes()[:-4])
    assert sealed.noted(file) is None and not file.exists()
    assert "note.json is damaged" in (said := capsys.readouterr().out) and "computed again" in said
    sealed.note(file, CONTENT)
    assert sealed.noted(file) == CONTENT and capsys.readouterr().out == ""


@pytest.mark.parametrize("error", [errno.EACCES, errno.EIO])
def test_what_cannot_be_read_is_no_damage_and_stays(file, monkeypatch, error):
    def refuse(*_):
        raise OSError(error, "no")

    whole = file.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refuse)
        with pytest.raises(StoreError, match=r"note\.json cannot be read \(no\); it is left") as raised:
            sealed.noted(file)
    assert not isinstance(raised.value, DamagedError) and file.read_bytes() == whole


@pytest.mark.parametrize("error", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_where_nothing_may_be_written_it_is_said_and_a_full_disk_is_an_error(
    file, monkeypatch, error, capsys
):
    def refuse(*_):
        raise OSError(error, "no")

    whole = file.read_bytes()
    monkeypatch.setattr(atomic.os, "replace", refuse)
    sealed.note(file, CONTENT)  # as it stands there
    if error == errno.ENOSPC:
        with pytest.raises(StoreError, match="disk is full while writing"):
            sealed.note(file, {})
    else:
        assert capsys.readouterr().out == ""
        sealed.note(file, {})
        assert "this is not noted" in (said := capsys.readouterr().out) and "cannot be written (no)" in said
    assert file.read_bytes() == whole and list(file.parent.iterdir()) == [file]
