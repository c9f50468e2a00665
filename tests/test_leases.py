"""Leases: one makes an entry, others wait and say so; the dead and the silent hold nothing, whatever their clocks say."""

import json
import os
import subprocess
import sys
import threading
import time

import pytest

from robustshape.errors import StoreError
from robustshape.store import leases

HOLDER = """
import os, sys, time
from pathlib import Path
from robustshape.store import leases
with leases.alone(Path(sys.argv[1])):
    print(os.getpid(), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def entry(tmp_path, monkeypatch):
    monkeypatch.setattr(leases, "LOOK", 0.01)
    return tmp_path / "entry"


@pytest.fixture
def other(entry):
    """Another process that holds the entry."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(entry)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert int(process.stdout.readline()) == process.pid
        yield process
        process.kill()


def written(entry, machine="another machine", pid=1):
    """Leave the lease of a process elsewhere."""
    leases.lease_of(entry).write_text(json.dumps({"machine": machine, "pid": pid}))


def test_who_waits_is_told_once_for_whom_and_goes_on_when_the_other_is_done(entry, other, capsys):
    with leases.leased([entry]) as holder:
        assert holder.startswith(f"another run (process {other.pid} on ")
    threading.Timer(0.3, other.stdin.close).start()
    began = time.monotonic()
    with leases.alone(entry):
        assert time.monotonic() - began > 0.2 and other.wait() == 0
    said = capsys.readouterr().out
    assert said.count("waiting for another run") == 1 and f"process {other.pid}" in said
    assert list(entry.parent.iterdir()) == []


def test_who_was_killed_holds_nothing(entry, other, capsys):
    other.kill()
    other.wait()
    assert leases.lease_of(entry).is_file()
    with leases.alone(entry):
        assert json.loads(leases.lease_of(entry).read_text())["pid"] == os.getpid()
    assert capsys.readouterr().out == "" and list(entry.parent.iterdir()) == []


@pytest.mark.parametrize("clock", [-1e6, 0, 1e6])  # seconds by which the clock of the other machine is wrong
def test_who_is_silent_for_long_by_the_clock_of_whoever_waits_holds_nothing(entry, monkeypatch, clock):
    monkeypatch.setattr(leases, "PATIENCE", 0.2)
    written(entry)
    os.utime(leases.lease_of(entry), (time.time() + clock,) * 2)
    began = time.monotonic()
    with leases.alone(entry):
        assert 0.2 < time.monotonic() - began < 10


@pytest.mark.parametrize("clock", [-1e6, 1e6])
def test_who_touches_it_holds_it_whatever_the_clock(entry, monkeypatch, clock):
    monkeypatch.setattr(leases, "PATIENCE", 0.2)
    written(entry)
    for i in range(40):
        os.utime(leases.lease_of(entry), (time.time() + clock + i / 50,) * 2)
        with leases.leased([entry]) as holder:
            assert holder == "another run (process 1 on another)"
        time.sleep(0.01)


def test_a_holder_touches_what_it_holds(entry, monkeypatch):
    monkeypatch.setattr(leases, "BEAT", 0.02)
    with leases.alone(entry):
        os.utime(leases.lease_of(entry), (1, 1))
        until = time.monotonic() + 20  # one beat of the old length may be under way
        while leases.lease_of(entry).stat().st_mtime < 2 and time.monotonic() < until:
            time.sleep(0.02)
        assert time.time() - leases.lease_of(entry).stat().st_mtime < 30


def test_what_a_thread_holds_it_may_lease_again_and_others_may_not(entry):
    seen = []

    def look():
        with leases.leased([entry]) as holder:
            seen.append(holder)

    with leases.alone(entry):
        with leases.alone(entry), leases.leased([entry, entry]) as holder:
            assert holder == ""
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        assert leases.lease_of(entry).is_file()
    look()
    assert seen == ["another part of this run", ""]


def test_of_several_all_are_leased_or_none(entry):
    a, b, c = (entry.with_name(name) for name in "abc")
    written(b)
    with leases.leased([c, a, b]) as holder:
        assert holder and not leases.lease_of(a).exists() and not leases.lease_of(c).exists()
    leases.lease_of(b).unlink()
    with leases.leased([c, a, b]) as holder:
        assert not holder and all(leases.lease_of(one).is_file() for one in (a, b, c))
    assert list(entry.parent.iterdir()) == []


def test_a_lease_that_another_took_over_meanwhile_stays_its_own(entry):
    with leases.alone(entry):
        leases.lease_of(entry).unlink()
        written(entry)
    assert json.loads(leases.lease_of(entry).read_text())["machine"] == "another machine"


def test_a_lease_that_was_made_while_a_void_one_was_removed_is_put_back(entry):
    written(entry, pid=2)
    leases._remove(leases.lease_of(entry), b"what was there before")
    assert json.loads(leases.lease_of(entry).read_text())["pid"] == 2
    assert [path.name for path in entry.parent.iterdir()] == [".entry.lease"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}', "\0\xff"])
def test_one_that_says_nothing_counts_while_it_is_touched(entry, monkeypatch, content):
    monkeypatch.setattr(leases, "PATIENCE", 0.1)
    leases.lease_of(entry).write_text(content)
    with leases.leased([entry]) as holder:
        assert holder.startswith("another run")
    with leases.alone(entry):
        pass


def test_where_nothing_may_be_written_it_is_said(entry, monkeypatch):
    def refuse(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(leases.os, "open", refuse)
    with (
        pytest.raises(StoreError, match=r"\.entry\.lease cannot be written \(Read-only"),
        leases.alone(entry),
    ):
        pass
