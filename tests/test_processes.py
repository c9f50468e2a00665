"""Processes of this machine: no port, their environment, their end with the one that wanted them, what ends one of them."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from robustshape import processes, schedulers, tasks
from robustshape.errors import StoreError


def listening(of) -> set:
    """Return the addresses at which a process and its children listen."""
    everyone = [of, *of.children(recursive=True)]
    return {
        one.laddr for process in everyone for one in process.net_connections("inet") if one.status == "LISTEN"
    }


def test_no_port_is_open_while_tasks_are_done(monkeypatch):
    for name in processes.KEEPS_MEMORY:
        monkeypatch.delenv(name, raising=False)
    before, environment = listening(psutil.Process()), dict(os.environ)
    with schedulers.workers("local:2") as pool:
        assert tasks.run(pow, [(2, 3), (3, 2), (4, 2)], client=pool, label="x") == [8, 9, 16]
        assert len(psutil.Process().children()) >= 2
        assert listening(psutil.Process()) == before
        # freed memory is used again there, and here nothing changes; a lambda is what a notebook may give
        there = tasks.run(lambda: dict(os.environ), [()], client=pool, label="x")[0]
        assert {name: there[name] for name in processes.KEEPS_MEMORY} == processes.KEEPS_MEMORY
        assert dict(os.environ) == environment
        # an error of several arguments arrives, and ends no process
        with pytest.raises(Exception, match="the words"):
            tasks.run(fails, [()], client=pool, label="x")
        assert tasks.run(pow, [(2, 3)], client=pool, label="x") == [8]


class Twofold(Exception):
    def __init__(self, one, two):
        super().__init__(one)


def fails():
    raise Twofold("the words", 2)


def test_a_process_that_is_ended_from_outside_is_said_in_words():
    with (
        schedulers.workers("local:1") as pool,
        pytest.raises(
            StoreError, match=r"a process of local:N was ended from outside, .* with fewer processes"
        ),
    ):
        tasks.run(lambda: os.kill(os.getpid(), signal.SIGKILL), [()], client=pool, label="x")


def test_who_stops_taking_results_does_not_wait_for_what_is_under_way():
    began, others = time.monotonic(), multiprocessing.active_children()
    with schedulers.workers("local:1") as pool:
        assert next(tasks.as_finished(time.sleep, [(0,), (120,)], client=pool, label="x"))[0] == 0
    assert time.monotonic() - began < 90
    assert multiprocessing.active_children() == others


PARENT = """
import os
import sys
import time
from robustshape.schedulers import workers
from robustshape.tasks import as_finished

if __name__ == "__main__":
    with workers("local:1") as pool:
        print(*pool._processes, flush=True)
        list(as_finished(time.sleep, [(120,)], client=pool, label="x"))
"""


def test_processes_end_with_the_one_that_is_killed(tmp_path):
    (tmp_path / "parent.py").write_text(PARENT)
    with subprocess.Popen(
        [sys.executable, str(tmp_path / "parent.py")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as parent:
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    child.wait(timeout=20)
