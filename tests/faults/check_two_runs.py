"""Two runs on one cache share the work: nothing is made twice, and one that is killed holds up nobody."""

import os
import time
from collections import Counter

import xarray
from faulty import Forked, handed, measured_into

from robustshape.models import zoo
from robustshape.store import arrays

MORE = {"models": [f"zoo:mlp/{seed}" for seed in range(6)], "epochs": 6}


def noted(log, cache, out):
    """Measure, and note in a file by whom which entry is made."""
    save, train = arrays.save_folder, zoo.train

    def note(name):
        with open(log, "a") as file:
            file.write(f"{os.getpid()} {name}\n")

    def saving(dataset, path):
        note(path.name)
        save(dataset, path)

    def training(spec, folder, *more):
        note(folder.name)
        train(spec, folder, *more)

    arrays.save_folder, zoo.train = saving, training
    measured_into(cache, out, **MORE)


def alone_in(place):
    """Return the rows of a run that has its cache for itself."""
    child = Forked(place / "said", measured_into, place / "alone", place / "rows", **MORE)
    assert child.wait() == 0, child.said()
    return handed(place / "rows")


def made_in(log):
    return [line.split() for line in log.read_text().splitlines()]


def test_two_runs_make_nothing_twice(right, tmp_path, record_property):
    alone = alone_in(tmp_path)
    for turn in range(3):
        cache, log, outs = (
            tmp_path / f"cache{turn}",
            tmp_path / f"log{turn}",
            [tmp_path / "a", tmp_path / "b"],
        )
        runs = [Forked(tmp_path / f"said{i}", noted, log, cache, out) for i, out in enumerate(outs)]
        assert [run.wait() for run in runs] == [0, 0], [run.said() for run in runs]
        made = made_in(log)
        times = Counter(name for _, name in made)
        assert {n for n in times.values()} == {1}, times
        by = Counter(pid for pid, _ in made)
        assert len(by) == 2, "one run waited for the other to do all"
        for out in outs:
            xarray.testing.assert_identical(handed(out), alone)
        assert all(run.said().count("waiting for another run") <= 8 for run in runs)  # once a stage
        record_property(
            f"two runs on one cache, turn {turn + 1}: entries, made twice, by each",
            (f"{len(times)}, {sum(n > 1 for n in times.values())}, {' + '.join(map(str, by.values()))}"),
        )


def test_of_two_runs_one_is_killed_and_the_other_goes_on(right, tmp_path, record_property):
    alone, cache, log = alone_in(tmp_path), tmp_path / "cache", tmp_path / "log"
    first = Forked(tmp_path / "said0", noted, log, cache, tmp_path / "a")
    second = Forked(tmp_path / "said1", noted, log, cache, tmp_path / "b")
    while not log.exists() or len(made_in(log)) < 4:
        time.sleep(0.01)
    first.kill()
    os.waitpid(first.pid, 0)
    began = time.monotonic()
    assert second.wait() == 0, second.said()
    xarray.testing.assert_identical(handed(tmp_path / "b"), alone)
    record_property(
        "two runs, one killed: seconds until the other is done", f"{time.monotonic() - began:.1f}"
    )
