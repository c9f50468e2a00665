"""A run that is killed and started again gives the rows of one that nothing disturbed, bit for bit."""

import os
import signal
import time

import numpy as np
import xarray
from faulty import Forked, handed, killed_at, measured_into

MOMENTS = 25


def test_killed_at_25_moments_and_started_again(right, tmp_path, record_property):
    rows, whole, changes = right
    entries = {path.relative_to(whole) for path in whole.rglob("manifest.json")}
    began, equal = time.monotonic(), 0
    moments = np.linspace(1, changes, MOMENTS).astype(int)
    assert len(set(moments)) == MOMENTS
    for i, moment in enumerate(moments):
        cache, out = tmp_path / f"cache{i}", tmp_path / f"rows{i}"
        child = Forked(tmp_path / "said", killed_at, int(moment), bool(i % 2), measured_into, cache, out)
        assert child.wait() == -signal.SIGKILL, child.said()
        again = Forked(tmp_path / "said", measured_into, cache, out)
        assert again.wait() == 0, again.said()
        assert "damaged" not in again.said() and "waiting" not in again.said()
        xarray.testing.assert_identical(handed(out), rows)
        assert {path.relative_to(cache) for path in cache.rglob("manifest.json")} >= entries
        assert not list(cache.rglob("*.checkpoint"))
        for lease in cache.rglob("*.lease"):  # of what was finished; it goes after an hour
            assert (lease.parent / lease.name[1:].removesuffix(".lease") / "manifest.json").is_file()
        equal += 1
    record_property("kills, and rows equal bit for bit after a second start", f"{MOMENTS}, {equal}")
    record_property("kills: moments among changes of the file system", f"1 to {changes}")
    record_property("kills: seconds for all", f"{time.monotonic() - began:.0f}")


def test_killed_at_any_time_again_and_again_until_it_is_done(right, tmp_path, record_property):
    kills, out = 0, tmp_path / "rows"
    for seconds in np.random.default_rng(0).uniform(0.02, 0.3, 25):
        child = Forked(tmp_path / "said", measured_into, tmp_path / "cache", out)
        time.sleep(seconds)
        if os.waitpid(child.pid, os.WNOHANG)[0]:
            break
        child.kill()
        os.waitpid(child.pid, 0)
        kills += 1
    else:
        again = Forked(tmp_path / "said", measured_into, tmp_path / "cache", out)
        assert again.wait() == 0, again.said()
    xarray.testing.assert_identical(handed(out), right[0])
    record_property("kills of one run, one after the other, until it is done", str(kills))
