"""Independent tasks, one after the other here, or side by side on a Dask cluster.

A task writes its own store, so a killed run loses only the tasks that were under way. Every task runs
on one thread: its numbers are then the same on any number of cores and workers.

The scheduler is ``"none"`` (this process), ``"local:N"`` (N processes of this machine, which open no port), or the
address of a running Dask scheduler (whose workers must see the same cache and data folders).
"""

import contextlib
import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, ThreadPoolExecutor, as_completed

from robustshape.errors import InputError, StoreError
from robustshape.paths import cache_dir
from robustshape.processes import processes, submit
from robustshape.store.atomic import write_file

ANSWER = 8  # seconds that a scheduler has to answer


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Run the block with one thread in torch and in the BLAS behind numpy."""
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)


def _alone(function: Callable, arguments: tuple):
    import dask

    # A task that read a lazy array through its own cluster would wait for workers that all wait as it does.
    with one_thread(), dask.config.set(scheduler="synchronous"):
        return function(*arguments)


@contextlib.contextmanager
def workers(scheduler: str) -> Iterator:
    """Yield what `run` and `as_finished` take for the `scheduler`: processes, a Dask client, or None for this process.

    Raises
    ------
    InputError
        If `scheduler` is neither ``"none"``, ``"local:N"`` nor an address such as ``"tcp://host:8786"``; or if the
        processes of ``"local:N"`` cannot start, for they import a script that would start them again.
    StoreError
        If the scheduler, or a process, is lost while tasks are under way.
    """
    n = check_scheduler(scheduler)
    if n:
        with processes(n) as pool:
            yield pool
    elif scheduler == "none":
        yield None
    else:
        from distributed import Client

        with Client(scheduler, timeout=ANSWER) as client:
            yield client


def check_scheduler(scheduler: str) -> int:
    """Return the N of ``"local:N"``, or 0; raise InputError for what is no scheduler, or an address where none answers.

    >>> check_scheduler("local:2"), check_scheduler("none")
    (2, 0)
    """
    n = 0 if scheduler == "none" else _local_workers(scheduler)
    if not n and scheduler != "none":
        _check_answer(scheduler)
    return n


def _check_answer(address: str) -> None:
    """Raise InputError unless a Dask scheduler answers in time: a client itself would wait for whatever else is there."""
    import asyncio

    from distributed import Security
    from distributed.core import connect

    async def kind():
        comm = await connect(address, timeout=ANSWER, **Security().get_connection_args("client"))
        try:
            await comm.write({"op": "identity", "reply": True})
            return (await comm.read())["type"]
        finally:
            comm.abort()

    async def in_time():
        return await asyncio.wait_for(kind(), ANSWER)

    try:
        with ThreadPoolExecutor(1) as beside:  # a notebook has an event loop of its own, in this thread
            found = beside.submit(lambda: asyncio.run(in_time())).result()
    except Exception as error:  # nobody is there, or no Dask, or a protocol that does not work here
        why = (
            "what is there is no Dask"
            if isinstance(error, MemoryError)
            else str(error) or f"not within {ANSWER} s"
        )
        raise InputError(
            f"no Dask scheduler answers at {address!r} ({why}); start one with: dask scheduler"
        ) from error
    if found != "Scheduler":
        raise InputError(
            f"at {address!r} is a Dask {found.lower()}; give the address that its scheduler prints"
        )


def _local_workers(scheduler) -> int:
    """Return the N of ``"local:N"``, or 0 for an address; raise InputError for anything else."""
    kind, _, rest = str(scheduler).partition(":")
    if isinstance(scheduler, str):
        if kind == "local" and rest.isascii() and rest.isdigit() and int(rest) > 0:
            return int(rest)
        address = re.fullmatch(
            r"[a-z][a-z0-9+]*://(?:\[[0-9a-fA-F:.]+\]|[^\s/:\[\]@]+):([0-9]{1,5})", scheduler
        )
        if address and 0 < int(address[1]) < 2**16:
            return 0
    raise InputError(
        f"dask_scheduler is 'none', 'local:N' or an address such as 'tcp://host:8786', with N processes, at least 1, "
        f"and the port a number from 1 to 65535, not {scheduler!r}"
    )


def run(
    function: Callable, arguments: Sequence[tuple], *, client=None, label: str, pace: str | None = None
) -> list:
    """Return ``[function(*a) for a in arguments]`` with a progress bar; the first error stops the rest.

    With `pace`, the mean seconds of a task are remembered under that name, for `expected`.

    >>> run(pow, [(2, 3), (3, 2)], label="powers")
    [8, 9]
    """
    found = dict(as_finished(function, arguments, client=client, label=label, pace=pace))
    return [found[i] for i in range(len(arguments))]


def as_finished(
    function: Callable, arguments: Sequence[tuple], *, client=None, label: str, pace: str | None = None
) -> Iterator[tuple[int, object]]:
    """Yield (place in `arguments`, result) of each task as it is finished, with a progress bar; `pace` as in `run`."""
    from tqdm import tqdm

    if not arguments:
        return
    began = time.perf_counter()
    with tqdm(total=len(arguments), desc=label, mininterval=1) as bar:
        if client is None:
            for i, given in enumerate(arguments):
                yield i, _alone(function, given)
                bar.update()
        else:
            for one in _by_workers(client, function, arguments):
                yield one
                bar.update()
    if pace:
        _remember(pace, (time.perf_counter() - began) / len(arguments))


def _by_workers(client, function: Callable, arguments: Sequence[tuple]) -> Iterator[tuple[int, object]]:
    wait = _by_processes if isinstance(client, Executor) else _by_dask
    yield from wait(client, function, arguments)


def _by_processes(pool: Executor, function: Callable, arguments: Sequence[tuple]):
    futures = {submit(pool, _alone, (function, given)): i for i, given in enumerate(arguments)}
    try:
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenExecutor as error:
        raise StoreError(
            "a process of local:N was ended from outside, as when memory runs out; what is finished is kept: run the same "
            "command again to go on, with fewer processes if memory is short"
        ) from error


def _by_dask(client, function: Callable, arguments: Sequence[tuple]):
    from distributed import as_completed
    from distributed.comm import CommClosedError

    try:
        futures = {client.submit(_alone, function, given, pure=False): i for i, given in enumerate(arguments)}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except (CancelledError, CommClosedError) as error:
        if client.status == "running":
            raise
        raise StoreError(
            "the Dask scheduler was lost; what is finished is kept: run the same command again to go on"
        ) from error


def paces() -> dict[str, float]:
    """Return the seconds of a task of each pace that was remembered here."""
    try:
        return json.loads((cache_dir() / "pace.json").read_text())
    except (OSError, ValueError):
        return {}


def _remember(pace: str, seconds: float) -> None:
    with write_file(cache_dir() / "pace.json") as temporary:
        temporary.write_text(json.dumps(paces() | {pace: seconds}, indent=1))


def expected(work: dict[str, int]) -> str:
    """Return how long so many tasks of each pace will take, in words, at the rates last measured here."""
    known = paces()
    if not any(work.values()):
        return "nothing to wait for"
    if not all(pace in known for pace, n in work.items() if n):
        return "how long that takes is not known before a first run here"
    minutes = sum(n * known[pace] for pace, n in work.items() if n) / 60
    return (
        f"about {minutes:.0f} min at the pace of the last run here" if minutes >= 1 else "less than a minute"
    )
