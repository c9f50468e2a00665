"""Independent tasks, one after the other here, or side by side on a Dask cluster.

A task writes its own store, so a killed run loses only the tasks that were under way. Every task runs
on one thread: its numbers are then the same on any number of cores and workers.

The scheduler is ``"none"`` (this process), ``"local:N"`` (N processes of this machine, which open no port), or the
address of a running Dask scheduler (whose workers must see the same data folders, and the same cache: a folder or an address).
"""

import contextlib
import functools
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, ThreadPoolExecutor, as_completed

from robustshape.errors import InputError, StoreError
from robustshape.paths import cache_dir
from robustshape.processes import processes, submit
from robustshape.store import leases, sealed

ANSWER = 8  # seconds that a scheduler has to answer
MADE, OTHERS = "made", "made by another run"  # a task


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


def _alone(function: Callable, left: Callable | None, arguments: tuple) -> tuple[str, object]:
    """Return MADE and the result, or why there is none: OTHERS made it, or who is making it."""
    import dask

    # A task that read a lazy array through its own cluster would wait for workers that all wait as it does.
    with one_thread(), dask.config.set(scheduler="synchronous"):
        if left is None:
            return MADE, function(*arguments)
        with leases.leased(left(*arguments)) as holder:
            if holder:
                return holder, None
            if not left(*arguments):  # finished before it was leased
                return OTHERS, None
            return MADE, function(*arguments)


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


def run(function: Callable, arguments: Sequence[tuple], **how) -> list:
    """Return ``[function(*a) for a in arguments]`` with a progress bar; the first error stops the rest.

    `how` is that of `as_finished`.

    >>> run(pow, [(2, 3), (3, 2)], label="powers")
    [8, 9]
    """
    found = dict(as_finished(function, arguments, **how))
    return [found[i] for i in range(len(arguments))]


def as_finished(
    function: Callable, arguments: Sequence[tuple], *, client=None, label: str, pace: str | None = None,
    left: Callable | None = None,
) -> Iterator[tuple[int, object]]:  # fmt: skip
    """Yield (place in `arguments`, result) of each task as it is finished, with a progress bar.

    Parameters
    ----------
    pace : str, optional
        Under which the mean seconds of a task are remembered, for `expected`.
    left : callable, optional
        ``left(*a)`` returns where the entries lie that the task ``function(*a)`` still has to make. Runs on one cache
        then share the tasks, see `robustshape.store.leases`; the result of one that another run made is None.
    """
    from tqdm import tqdm

    began, waiting, made, told = time.perf_counter(), range(len(arguments)), 0, False
    if not arguments:
        return
    with tqdm(total=len(arguments), desc=label, mininterval=1) as bar:
        while waiting:
            held = {}
            for i, (state, result) in _attempts(client, function, left, {i: arguments[i] for i in waiting}):
                if state not in (MADE, OTHERS):
                    held[i] = state
                    continue
                made += state == MADE
                yield i, result
                bar.update()
            if len(held) == len(waiting):  # nothing else to do meanwhile
                if not told:
                    print(leases.waiting_for(next(iter(held.values()))), flush=True)
                told = True
                time.sleep(leases.LOOK)
            waiting = sorted(held)
    if pace and made == len(arguments):
        _remember(pace, (time.perf_counter() - began) / len(arguments))


def _attempts(client, function: Callable, left, given: dict[int, tuple]) -> Iterator[tuple[int, tuple]]:
    if client is None:
        for i, arguments in given.items():
            yield i, _alone(function, left, arguments)
    else:
        by = _by_processes if isinstance(client, Executor) else _by_dask
        yield from by(client, functools.partial(_alone, function, left), given)


def _by_processes(pool: Executor, function: Callable, given: dict[int, tuple]) -> Iterator[tuple[int, tuple]]:
    try:
        futures = {submit(pool, function, (arguments,)): i for i, arguments in given.items()}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenExecutor as error:
        raise StoreError(
            "a process of local:N was ended from outside, as when memory runs out; what is finished is kept: run the same "
            "command again to go on, with fewer processes if memory is short"
        ) from error


def _by_dask(client, function: Callable, given: dict[int, tuple]) -> Iterator[tuple[int, tuple]]:
    from distributed import KilledWorker, as_completed
    from distributed.client import ClosedClientError
    from distributed.comm import CommClosedError

    try:
        futures = {client.submit(function, arguments, pure=False): i for i, arguments in given.items()}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except KilledWorker as error:
        raise StoreError(
            "a task was begun several times and each time its Dask worker ended, most often because memory ran out; "
            "what is finished is kept: run the same command again to go on, with fewer workers or more memory"
        ) from error
    except (CancelledError, CommClosedError, ClosedClientError) as error:  # nobody here takes a task back
        raise StoreError(
            "the Dask scheduler was lost; what is finished is kept: run the same command again to go on"
        ) from error


def paces() -> dict[str, float]:
    """Return the seconds of a task of each pace that was remembered here."""
    return sealed.noted(cache_dir() / "pace.json") or {}


def _remember(pace: str, seconds: float) -> None:
    sealed.note(cache_dir() / "pace.json", paces() | {pace: seconds})


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
