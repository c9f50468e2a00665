"""Processes of this machine that take tasks through pipes: no port is open, so nobody else can hand them any.

A Dask cluster of this machine would listen on a port, where every other user of the machine could have code run.
"""

import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from robustshape.errors import InputError

# Freed memory is used again. Where every array of some size is given back to the system, as glibc does by itself from
# 32 MiB on, training small networks takes longer. Other systems ignore the names.
KEEPS_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**28), "MALLOC_TRIM_THRESHOLD_": str(2**30)}
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


@contextlib.contextmanager
def processes(n: int) -> Iterator[ProcessPoolExecutor]:
    """Yield `n` processes that run; they end with the block, or with this process, whatever they are doing.

    Raises
    ------
    InputError
        If they cannot start, for they import a script that would start them again.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):  # a process that imports its script
        raise SystemExit(1)  # in silence: the one that wanted it says why
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(n, mp_context=multiprocessing.get_context("spawn"), initializer=_begin)
    try:
        try:
            with environment(KEEPS_MEMORY | ONE_THREAD):  # read when a process starts
                for ready in [pool.submit(os.getpid) for _ in range(n)]:
                    ready.result()
        except BrokenProcessPool as error:
            raise InputError(
                f"the processes of local:{n} did not start ({error}); they import the script that wants them, so let it "
                'call nothing when it is imported: put what it runs under if __name__ == "__main__":'
            ) from error
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
            while (
                process.is_alive()
            ):  # as it seems while a thread of the pool, which waits too, is noting its end
                process.join(0.1)


@contextlib.contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """Set variables of the environment for the length of a block, which processes that it starts take over.

    >>> with environment({"AN_EXAMPLE": "1"}):
    ...     os.environ["AN_EXAMPLE"]
    '1'
    >>> "AN_EXAMPLE" in os.environ
    False
    """
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _begin() -> None:
    """Leave an interruption to the process that wanted this one, and end when it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def end_with_parent():
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()


def submit(pool: ProcessPoolExecutor, function: Callable, arguments: tuple) -> Future:
    """Have a process call a function, which may stand in a notebook; `result` returns what it gives or raises."""
    import cloudpickle

    return pool.submit(_called, cloudpickle.dumps((function, arguments)))


def _called(pickled: bytes):
    function, arguments = pickle.loads(pickled)
    try:
        return function(*arguments)
    except Exception as error:
        told = _readable(error)
    raise told  # here, so that one in its place does not carry it along


def _readable(error: Exception) -> Exception:
    """Return the error, or its words if it cannot be unpickled, which would be taken for the end of this process."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
