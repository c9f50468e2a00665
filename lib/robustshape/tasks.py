"""Independent tasks, one after the other here, or side by side on a Dask cluster.

A task writes its own store, so a killed run loses only the tasks that were under way. Every task runs
on one thread: its numbers are then the same on any number of cores and workers.

The scheduler is ``"none"`` (this process), ``"local:N"`` (N processes of this machine), or the address of
a running Dask scheduler.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence

from robustshape.errors import InputError


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
    with one_thread():
        return function(*arguments)


@contextlib.contextmanager
def workers(scheduler: str) -> Iterator:
    """Yield a Dask client for the `scheduler`, or None for this process.

    Raises
    ------
    InputError
        If `scheduler` is neither ``"none"``, ``"local:N"`` nor an address such as ``"tcp://host:8786"``.
    """
    if scheduler == "none":
        yield None
        return
    from distributed import Client, LocalCluster

    kind, _, rest = scheduler.partition(":")
    if kind == "local" and rest.isdigit() and int(rest) > 0:
        with (
            LocalCluster(
                n_workers=int(rest), threads_per_worker=1, dashboard_address=None, memory_limit=0
            ) as cluster,
            Client(cluster) as client,
        ):
            yield client
    elif rest.startswith("//"):
        try:
            with Client(scheduler, timeout="30s") as client:
                yield client
        except OSError as error:
            raise InputError(f"no Dask scheduler answers at {scheduler!r} ({error})") from error
    else:
        raise InputError(
            f"dask_scheduler is 'none', 'local:N' or an address such as 'tcp://host:8786', not {scheduler!r}"
        )


def run(function: Callable, arguments: Sequence[tuple], *, client=None, label: str) -> list:
    """Return ``[function(*a) for a in arguments]`` with a progress bar; the first error stops the rest.

    >>> run(pow, [(2, 3), (3, 2)], label="powers")
    [8, 9]
    """
    from tqdm import tqdm

    if not arguments:
        return []
    bar = tqdm(total=len(arguments), desc=label, mininterval=1)
    with bar:
        if client is None:
            results = []
            for given in arguments:
                results.append(_alone(function, given))
                bar.update()
            return results
        from distributed import as_completed

        futures = [client.submit(_alone, function, given, pure=False) for given in arguments]
        for future in as_completed(futures):
            future.result()
            bar.update()
        return [future.result() for future in futures]
