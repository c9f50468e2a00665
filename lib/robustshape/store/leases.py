"""Leases: of several runs on one cache, one makes an entry, and the others make different ones meanwhile, or wait for it.

A lease is a file beside the entry that names its holder, and that the holder touches every few seconds. It is void once
the holder is dead, or has not touched it for a minute: a minute of the clock of whoever waits, who need only see that
nothing changes, so that clocks of machines may differ. Should two make the same entry after all, equal keys hold equal
numbers, and the first to finish decides. Nobody waits in a circle: whoever waits for an entry needs it for all that they
hold, and no entry needs itself.
"""

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from robustshape.store.atomic import beside
from robustshape.store.failures import writing

BEAT, PATIENCE, LOOK = 5.0, 60.0, 0.5  # s: between touches; without one, until a lease is void; between looks
_HELD: dict[Path, tuple[int, int]] = {}  # leases of this process: open file, thread
_SEEN: dict[Path, tuple[tuple, float]] = {}  # how a lease of others looked, and since when on this clock
_LOCK = threading.RLock()


def _in_child() -> None:
    """Let a process that was forked hold nothing of its parent's, nor wait for a thread that it does not have."""
    global _LOCK
    _LOCK = threading.RLock()
    _HELD.clear()


os.register_at_fork(after_in_child=_in_child)


@contextlib.contextmanager
def alone(entry: Path) -> Iterator[None]:
    """Lease an entry for the length of a block; where another run holds it, wait until it is done, and say so once.

    Look then whether the entry is there. What the thread holds already it may lease again.
    """
    told = False
    while True:
        with leased([entry]) as holder:
            if not holder:
                yield
                return
        if not told:
            print(waiting_for(holder), flush=True)
        told = True
        time.sleep(LOOK)


def waiting_for(holder: str) -> str:
    """Return what whoever waits is told."""
    return f"waiting for {holder}, which is making the same on this cache: nothing is made twice"


@contextlib.contextmanager
def leased(entries: Iterable[Path]) -> Iterator[str]:
    """Lease all of some entries for the length of a block, or none: yield "" or the holder of one that is not free."""
    mine, holder, thread = [], "", threading.get_ident()
    try:
        for path in sorted({lease_of(entry) for entry in entries}):  # in one order: of two runs one gets all
            if _HELD.get(path, (0, 0))[1] == thread:
                continue
            holder = _take(path)
            if holder:
                break
            mine.append(path)
        if holder:
            _release(mine)
        yield holder
    finally:
        _release(mine)


def lease_of(entry: Path) -> Path:
    """Return the file by which an entry is leased."""
    return entry.with_name(f".{entry.name}.lease")


def _take(path: Path) -> str:
    """Lease for this thread; return "" or the holder."""
    with _LOCK:
        if path in _HELD:
            return "another part of this run"
        for _ in range(3):  # what is void is removed
            if (file := _made(path)) is not None:
                break
            if holder := _holder(path):
                return holder
        else:
            return "another run"
        _HELD[path] = file, threading.get_ident()
        _begin_to_beat()
    with contextlib.suppress(OSError):  # untold whose it is, it counts for as long as it is touched
        os.write(file, json.dumps({"machine": _machine(), "pid": os.getpid()}).encode())
    return ""


def _made(path: Path) -> int | None:
    """Return the open file of a lease that is made now, or None if there is one."""
    with writing(path):
        try:
            return os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
        except FileExistsError:
            return None


def _release(paths: list[Path]) -> None:
    with _LOCK:
        for path in paths:
            file, _ = _HELD.pop(path, (-1, 0))
            with contextlib.suppress(OSError):
                if os.fstat(file).st_ino == path.stat().st_ino:  # after a pause it may be another's
                    path.unlink()
            with contextlib.suppress(OSError):
                os.close(file)
        paths.clear()


def _holder(path: Path) -> str:
    """Return who holds a lease of another process, in words; "" if nobody does: a void one is removed."""
    try:
        content, stat = path.read_bytes(), path.stat()
    except OSError:
        return ""
    looks = (content, stat.st_ino, stat.st_mtime_ns)
    if _SEEN.get(path, (None,))[0] != looks:
        _SEEN[path] = looks, time.monotonic()
    try:
        about = json.loads(content)
        machine, pid = str(about["machine"]), int(about["pid"])
    except (ValueError, TypeError, KeyError):
        machine, pid = "unknown", 0
    dead = machine == _machine() and not _alive(pid)
    if dead or time.monotonic() - _SEEN[path][1] > PATIENCE:
        _remove(path, content)
        return ""
    return f"another run (process {pid} on {machine.partition(' ')[0]})"


def _remove(path: Path, content: bytes) -> None:
    """Remove a void lease; one that another run has made meanwhile is put back."""
    _SEEN.pop(path, None)
    aside = beside(path)
    with contextlib.suppress(OSError):
        os.rename(path, aside)
        if aside.read_bytes() != content:
            os.link(aside, path)
    with contextlib.suppress(OSError):
        aside.unlink()


def _machine() -> str:
    """Return the name of this machine, and of the space in which its process ids count."""
    with contextlib.suppress(OSError):
        return f"{socket.gethostname()} {os.stat('/proc/self/ns/pid').st_ino}"
    return socket.gethostname()


def _alive(pid: int) -> bool:
    """Return whether there is such a process; this one is asked only for leases that it does not hold."""
    if pid in (0, os.getpid()):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _begin_to_beat() -> None:
    if not any(thread.name == "leases" for thread in threading.enumerate()):
        threading.Thread(target=_beat, name="leases", daemon=True).start()


def _beat() -> None:
    while True:
        time.sleep(BEAT)
        with _LOCK:
            for file, _ in _HELD.values():
                with contextlib.suppress(OSError):
                    os.utime(file)
