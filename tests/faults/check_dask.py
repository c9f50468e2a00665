"""A Dask worker that is killed is no loss; a scheduler that is killed is said in words, and the run goes on."""

import os
import signal
import subprocess
import sys
import time

import pytest
import xarray
from distributed import LocalCluster
from faulty import measured

from robustshape import schedulers, tasks
from robustshape.errors import StoreError
from test_tasks import SCHEDULER

WORKER = """
import asyncio, sys
from distributed import Worker


async def serve():
    async with Worker(sys.argv[1], nthreads=1, dashboard=False) as worker:
        print(worker.address, flush=True)
        await worker.finished()


asyncio.run(serve())
"""


def entries(cache):
    return len(list(cache.rglob("manifest.json")))


@pytest.fixture
def cluster(tmp_path):
    """A scheduler and two workers, as processes; cache is the folder that they all see."""
    started = []

    def start(code, *given):
        process = subprocess.Popen([sys.executable, "-c", code, *given], stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process, process.stdout.readline().strip()

    scheduler, address = start(SCHEDULER)
    workers = [start(WORKER, address)[0] for _ in range(2)]
    yield scheduler, address, workers
    for process in started:
        process.kill()
        process.wait()


def when(cache, there, act):
    """Do something in a thread of its own once so many entries are finished."""
    import threading

    def watch():
        until = time.monotonic() + 300
        while entries(cache) < there and time.monotonic() < until:
            time.sleep(0.02)
        act()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path / "cache"))  # before the workers start
    return tmp_path / "cache"


def test_a_worker_is_killed(right, own_cache, cluster, record_property):
    _, address, workers = cluster
    killer = when(own_cache, 3, workers[0].kill)
    rows = measured(own_cache, dask_scheduler=address)
    killer.join()
    xarray.testing.assert_identical(rows, right[0])
    record_property("a Dask worker killed", "rows equal")


def test_the_scheduler_is_killed(right, own_cache, cluster, record_property):
    scheduler, address, _ = cluster
    killer = when(own_cache, 3, scheduler.kill)
    with pytest.raises(
        StoreError, match="scheduler was lost; what is finished is kept: run the same command"
    ):
        measured(own_cache, dask_scheduler=address)
    killer.join()
    kept = entries(own_cache)
    xarray.testing.assert_identical(measured(own_cache), right[0])
    record_property(
        "the Dask scheduler killed", f"said; {kept} entries kept, rows equal after a second start"
    )


def kills_its_worker(_):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_task_that_ends_every_worker_is_said(record_property):
    words = "a task was begun several times and each time its Dask worker ended.*run the same command again"
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as restarted,
        schedulers.workers(restarted.scheduler_address) as client,
        pytest.raises(StoreError, match=words),
    ):
        tasks.run(kills_its_worker, [(0,)], client=client, label="x")
    record_property("a task that ends every Dask worker", "said")
