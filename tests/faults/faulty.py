"""A small run, processes that can be killed at any moment, and scripts that may mount file systems."""

import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

import pytest

from studies import KSTAR, STUDIES, without_times

SMALL = KSTAR | {"preset": "faults", "epochs": 2}  # two epochs, so that trainings write checkpoints


def measured(cache: Path, **more):
    """Return the rows of a small run on a cache: two trainings, features, corruptions, attacks, indicators, rows."""
    from robustshape.models import network

    network._kept.cache_clear()
    os.environ["ROBUSTSHAPE_CACHE"] = str(cache)
    return without_times(STUDIES["kstar_skewness"].measure(**SMALL | more))


class Forked:
    """A function that runs in a process of its own, which has all imports already; what it prints goes to a file."""

    def __init__(self, output: Path, function, *given, **more):
        self.output = output
        self.pid = os.fork()
        if self.pid:
            return
        try:
            file = os.open(output, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o644)
            os.dup2(file, 1)
            os.dup2(file, 2)
            sys.stdout = sys.stderr = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115
            function(*given, **more)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)

    def wait(self, seconds: float = 300) -> int:
        """Return the exit status, negative for a signal; one that takes too long is killed."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        self.kill()
        os.waitpid(self.pid, 0)
        pytest.fail(f"no end after {seconds} s; it said: {self.said()[-2000:]}")

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def said(self) -> str:
        return self.output.read_text()


def killed_at(moment: int, after: bool, function, *given) -> None:
    """Call a function and kill this process at the moment-th change of the file system, before or after it."""
    seen = 0

    def counted(change):
        def counting(*arguments, **more):
            nonlocal seen
            seen += 1
            if seen == moment and not after:
                os.kill(os.getpid(), signal.SIGKILL)
            try:
                return change(*arguments, **more)
            finally:
                if seen == moment:
                    os.kill(os.getpid(), signal.SIGKILL)

        return counting

    for name in ("rename", "replace", "mkdir", "unlink", "open"):
        setattr(os, name, counted(getattr(os, name)))
    function(*given)
    print(f"{seen} changes")


def measured_into(cache: Path, path: Path, **more) -> None:
    """Hand the rows of `measured` from a process to its parent."""
    rows = measured(cache, **more).load()
    path.write_bytes(pickle.dumps(rows))


def handed(path: Path):
    return pickle.loads(path.read_bytes())


def in_namespace(script: str, folder: Path, *arguments: str, seconds: float = 600) -> str:
    """Return what a script prints that may mount file systems, in a namespace of its own."""
    if (
        not shutil.which("unshare")
        or subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode
    ):
        pytest.fail(
            "disks cannot be tried here: it takes Linux, unshare (of util-linux) and the right to mount in a namespace of "
            "one's own, as root or where user namespaces are allowed"
        )
    tests = Path(__file__).parents[1]
    path = os.pathsep.join([str(tests / "faults"), str(tests), os.environ["PYTHONPATH"]])
    done = subprocess.run(
        ["unshare", "-rm", sys.executable, "-c", script, str(folder), *arguments],
        capture_output=True, text=True, timeout=seconds, env=os.environ | {"PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout
