"""Independent tasks, one after the other here, or side by side on a Dask cluster.

A task writes its own store, so a killed run loses only the tasks that were under way. Every task runs
on one thread: its numbers are then the same on any number of cores and workers.

Where they run is a matter of `robustshape.schedulers`.
"""

import contextlib
import functools
import time
from collections.abc import Callable, Iterator, Sequence

from robustshape import schedulers
from robustshape.paths import cache_dir
from robustshape.store import leases, sealed

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
        yield from schedulers.attempts(client, functools.partial(_alone, function, left), given)


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
