import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import threading
import time

import dask
import dask.array
import numpy as np
import pytest
from distributed import LocalCluster

from robustshape import schedulers, tasks
from robustshape.errors import InputError, StoreError
from robustshape.store import entries, leases


def thread_count(_):
    import torch

    return torch.get_num_threads()


def process(_):
    return os.getpid()


def fails(number):
    raise InputError(f"number {number} cannot be used")


def test_results_keep_the_order_of_the_arguments():
    assert tasks.run(divmod, [(7, 2), (9, 4)], label="x") == [(3, 1), (2, 1)]
    assert tasks.run(divmod, [], label="x") == []


def test_every_task_runs_on_one_thread_and_the_setting_is_given_back():
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    assert tasks.run(thread_count, [(0,)], label="x") == [1]
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)


def test_two_processes_of_this_machine_give_what_one_gives():
    with schedulers.workers("local:2") as client:
        # tasks that read lazy arrays do not wait for each other
        found = tasks.run(read_lazily, [(k,) for k in range(12)], client=client, label="rows")
        assert found == [float(k) for k in range(12)]
        assert tasks.run(np.linalg.norm, [([3.0, 4.0],), ([6.0, 8.0],)], client=client, label="x") == [5, 10]
        elsewhere = tasks.run(process, [(i,) for i in range(4)], client=client, label="x")
        assert os.getpid() not in elsewhere
        with pytest.raises(InputError, match="number 3 cannot be used"):
            tasks.run(fails, [(3,)], client=client, label="x")


def test_a_script_that_would_start_itself_again_is_told_so(tmp_path):
    script = tmp_path / "mine.py"
    script.write_text(
        "from robustshape.schedulers import workers\n"
        "with workers('local:1') as client:\n    print(client.submit(pow, 2, 3).result())\n"
    )
    ran = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 1 and not ran.stdout
    last = ran.stderr.strip().splitlines()[-1]
    assert "processes of local:1 did not start" in last and 'under if __name__ == "__main__":' in last
    assert "bootstrapping" not in ran.stderr


@pytest.mark.parametrize(
    "given",
    ["local:0", "local", "locl:2", "", "host:8786", "local:", "local:-1", "local:x", "local:²", "LOCAL:2", "tcp:/",
     "tcp://", "tcp://127.0.0.1:0", "tcp://127.0.0.1:99999", "tcp://me@host:1", "tcp://host:8786/x", "inproc://x", "tcp://host", "tcp://host:", "tcp://host:notaport", "tcp://:8786", "tcp://a b:1", "None", None, 2],
)  # fmt: skip
def test_an_unknown_scheduler_is_refused_with_what_is_allowed(given):
    with pytest.raises(InputError, match="'none', 'local:N' or an address"), schedulers.workers(given):
        pass


def test_how_long_it_takes_is_said_only_from_what_was_measured(cache):
    assert "not known" in tasks.expected({"networks": 3})
    assert tasks.expected({"networks": 0}) == "nothing to wait for"
    tasks.run(divmod, [(7, 2)], label="x", pace="networks")
    assert tasks.expected({"networks": 3}) == "less than a minute"
    tasks._remember("networks", 60.0)
    assert tasks.expected({"networks": 3}) == "about 3 min at the pace of the last run here"


def test_a_pace_is_remembered_once_all_tasks_have_been_taken_one_by_one(cache, monkeypatch):
    clock = iter([100.0, 112.0])
    monkeypatch.setattr(tasks.time, "perf_counter", lambda: next(clock))
    begun = tasks.as_finished(divmod, [(7, 2), (9, 4), (8, 3)], label="x", pace="layers")
    assert next(begun) == (0, (3, 1)) and tasks.paces() == {}  # not of a part
    assert list(begun) == [(1, (2, 1)), (2, (2, 2))]
    assert tasks.paces() == {"layers": 4.0}
    assert tasks.expected({"layers": 30}) == "about 2 min at the pace of the last run here"


def test_without_tasks_or_a_name_no_pace_is_remembered(cache):
    assert list(tasks.as_finished(divmod, [], label="x", pace="layers")) == []
    assert list(tasks.as_finished(divmod, [(7, 2)], label="x")) == [(0, (3, 1))]
    with pytest.raises(InputError, match="number 3"):
        list(tasks.as_finished(fails, [(3,)], label="x", pace="layers"))
    assert tasks.paces() == {}


def test_two_runs_share_tasks_and_none_is_done_twice(tmp_path, monkeypatch, capsys):
    done, lock = [], threading.Lock()
    monkeypatch.setattr(leases, "LOOK", 0.01)
    monkeypatch.setattr(
        tasks, "one_thread", contextlib.nullcontext
    )  # of a process, of which there is one here
    monkeypatch.setattr(dask.config, "set", lambda **_: contextlib.nullcontext())

    def make(name):
        with lock:
            done.append((name, threading.get_ident()))
        time.sleep(0.1)
        with entries.write_folder(tmp_path / name) as folder:
            (folder / "value").write_text(name)
        return name

    def missing(name):
        return [] if entries.check_folder(tmp_path / name) else [tmp_path / name]

    results = {}

    def go(run):
        calls = [(name,) for name in "abcdef"]
        results[run] = tasks.run(make, calls, label=run, left=missing)

    runs = [threading.Thread(target=go, args=(run,)) for run in ("one", "two")]
    for run in runs:
        run.start()
    for run in runs:
        run.join(60)
    assert sorted(name for name, _ in done) == list("abcdef")
    assert len({run for _, run in done}) == 2  # neither waited for the other to do all
    assert [sorted({a, b} - {None}) for a, b in zip(*results.values())] == [[name] for name in "abcdef"]
    assert capsys.readouterr().out.count("waiting for") <= 2  # once for each


def test_the_last_task_of_another_run_is_waited_for_and_no_pace_remembered(cache, monkeypatch, capsys):
    monkeypatch.setattr(leases, "LOOK", 0.01)
    looks, entry = [], cache / "entry"
    cache.mkdir()

    def missing():
        looks.append(1)
        return [entry] if len(looks) < 40 else []

    def hold():
        with leases.alone(entry):
            held.set()
            release.wait(60)

    held, release = threading.Event(), threading.Event()
    other = threading.Thread(target=hold)
    other.start()
    assert held.wait(60)
    assert tasks.run(lambda: pytest.fail("made twice"), [()], label="x", left=missing, pace="x") == [None]
    release.set()
    other.join()
    assert capsys.readouterr().out.count("waiting for another part of this run") == 1
    assert tasks.paces() == {}


def read_lazily(k: int) -> float:
    """Read a lazy array of several pieces, as a row of a study reads its images."""
    import dask.array

    pieces = [dask.array.full((100,), k, chunks=10) for _ in range(20)]
    return float(dask.array.concatenate(pieces).mean().compute())


def test_a_task_of_a_dask_cluster_that_reads_lazy_arrays_does_not_wait_for_itself():
    with (
        LocalCluster(
            n_workers=1,
            threads_per_worker=1,
            processes=False,
            protocol="tcp://",
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
        ) as cluster,
        schedulers.workers(cluster.scheduler_address) as client,
    ):
        found = tasks.run(read_lazily, [(k,) for k in range(12)], client=client, label="rows")
    assert found == [float(k) for k in range(12)]


def test_a_task_reads_lazy_arrays_itself():
    import dask

    seen = []
    tasks.run(lambda: seen.append(dask.config.get("scheduler", None)), [()], label="one")
    assert seen == ["synchronous"] and dask.config.get("scheduler", None) is None


def test_an_address_where_nobody_answers_is_said_in_words(monkeypatch):
    monkeypatch.setattr(schedulers, "ANSWER", 1)
    for given in ("tcp://127.0.0.1:1", "nonsense://127.0.0.1:1", "tls://127.0.0.1:1"):
        with pytest.raises(InputError, match="no Dask scheduler answers at"), schedulers.workers(given):
            pass
        assert dask.array.ones(2, chunks=1).sum().compute() == 2  # Dask works on here, and waits for nobody


@pytest.mark.parametrize(
    "says, words",
    [(b"", "not within 1 s"), (b"HTTP/1.1 400 Bad Request\r\n\r\n", "what is there is no Dask")],
)
def test_what_listens_there_but_is_no_scheduler_is_not_waited_for(monkeypatch, says, words):
    monkeypatch.setattr(schedulers, "ANSWER", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = []

        def answer():
            with contextlib.suppress(OSError):
                while True:
                    held.append(server.accept()[0])
                    held[-1].sendall(says)

        threading.Thread(target=answer, daemon=True).start()
        began, address = time.monotonic(), f"tcp://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(InputError, match=f"no Dask scheduler answers at '{address}' .{words}"):
            schedulers.workers(address).__enter__()
        assert time.monotonic() - began < 10
        for one in held:
            one.close()


def test_the_address_of_a_worker_is_told_from_that_of_a_scheduler():
    with LocalCluster(
        n_workers=1, processes=False, protocol="tcp://", host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as cluster:
        with pytest.raises(InputError, match="is a Dask worker; give the address that its scheduler prints"):
            schedulers.workers(cluster.workers[0].address).__enter__()

        async def as_in_a_notebook():
            with schedulers.workers(cluster.scheduler_address) as client:
                return client.status

        assert asyncio.run(as_in_a_notebook()) == "running"


SCHEDULER = """
import asyncio
from distributed import Scheduler


async def serve():
    async with Scheduler(host="127.0.0.1", port=0, dashboard=False) as scheduler:
        print(scheduler.address, flush=True)
        await scheduler.finished()


asyncio.run(serve())
"""


def test_a_scheduler_that_is_killed_is_said_in_words():
    with (
        subprocess.Popen([sys.executable, "-c", SCHEDULER], stdout=subprocess.PIPE, text=True) as scheduler,
        schedulers.workers(scheduler.stdout.readline().strip()) as client,
    ):
        killer = threading.Timer(0.5, scheduler.kill)
        killer.start()
        with pytest.raises(
            StoreError, match="scheduler was lost; what is finished is kept: run the same command"
        ):
            tasks.run(pow, [(2, 3)], client=client, label="x")  # which no worker takes
        killer.join()


def test_a_scheduler_without_workers_is_told_of_and_one_that_comes_is_used(monkeypatch, capsys):
    monkeypatch.setattr(schedulers, "LOOK", 0.1)
    with (
        LocalCluster(n_workers=0, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster,
        schedulers.workers(cluster.scheduler_address) as client,
    ):
        assert f"0 Dask workers at {cluster.scheduler_address}; dashboard: " in capsys.readouterr().out
        coming = threading.Timer(1.0, cluster.scale, [1])
        coming.start()
        assert tasks.run(pow, [(2, 3)], client=client, label="x") == [8]
        coming.join()
        said = capsys.readouterr().out
        assert (
            said.count(f"the Dask scheduler at {cluster.scheduler_address} has no worker; waiting for one")
            == 1
        )
        assert tasks.run(pow, [(3, 2)], client=client, label="x") == [9] and not capsys.readouterr().out
