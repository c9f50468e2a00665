"""Where tasks run: in this process, in others of this machine, or on the workers of a Dask scheduler.

The scheduler is ``"none"`` (this process), ``"local:N"`` (N processes of this machine, which open no port), or the
address of a running Dask scheduler (whose workers must see the same data folders, and the same cache: a folder or an
address).
"""

import contextlib
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, ThreadPoolExecutor, as_completed

from robustshape.errors import InputError, StoreError
from robustshape.processes import processes, submit

ANSWER = 8  # seconds that a scheduler has to answer
LOOK = 5.0  # seconds between looks whether it has workers


@contextlib.contextmanager
def workers(scheduler: str) -> Iterator:
    """Yield what `robustshape.tasks.run` takes for the `scheduler`: processes, a Dask client, or None for this process.

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
            print(described(client), flush=True)
            yield client


def described(client) -> str:
    """Return how many workers the scheduler of a Dask client has, and where it shows what they do, in words."""
    n = len(client.nthreads())
    shown = client.dashboard_link if "dashboard" in client.scheduler_info()["services"] else "none"
    return f"{n} Dask worker{'s' * (n != 1)} at {client.scheduler.address}; dashboard: {shown}"


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


def attempts(client, function: Callable, given: dict[int, tuple]) -> Iterator[tuple[int, object]]:
    """Yield (number, ``function(arguments)``) of each of the `given` arguments as it is finished by what `workers` yields."""
    by = _by_processes if isinstance(client, Executor) else _by_dask
    yield from by(client, function, given)


def _each(as_completed: Callable, futures: dict) -> Iterator[tuple[int, tuple]]:
    for future in as_completed(futures):
        yield futures[future], future.result()


def _by_processes(pool: Executor, function: Callable, given: dict[int, tuple]) -> Iterator[tuple[int, tuple]]:
    try:
        futures = {submit(pool, function, (arguments,)): i for i, arguments in given.items()}
        yield from _each(as_completed, futures)
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
        with _watched(client):
            yield from _each(as_completed, futures)
    except KilledWorker as error:
        raise StoreError(
            "a task was begun several times and each time its Dask worker ended, most often because memory ran out; "
            "what is finished is kept: run the same command again to go on, with fewer workers or more memory"
        ) from error
    except (CancelledError, CommClosedError, ClosedClientError) as error:  # nobody here takes a task back
        raise StoreError(
            "the Dask scheduler was lost; what is finished is kept: run the same command again to go on"
        ) from error


@contextlib.contextmanager
def _watched(client) -> Iterator[None]:
    """Say once, while tasks are waited for, that the scheduler has no worker, which may still come or never will."""
    done = threading.Event()

    def look():
        while not done.wait(LOOK):
            # a scheduler that is lost is told of where its results are waited for
            with contextlib.suppress(Exception):
                if not client.nthreads():
                    address = client.scheduler.address
                    print(
                        f"the Dask scheduler at {address} has no worker; waiting for one: dask worker {address} --nthreads 1",
                        flush=True,
                    )
                    return

    threading.Thread(target=look, daemon=True).start()
    try:
        yield
    finally:
        done.set()
