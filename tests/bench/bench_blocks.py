"""How long k* and k-means of features in a store take, and in what memory: python tests/bench/bench_blocks.py

Three parts, each in a process of its own, whose peak of memory is then its own: k* on one and two workers, which have one
thread each and read the store themselves; a block of k* and k-means, where the features are too large for a laptop.
--quick takes fewer samples: for trying the table, not for quoting it.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time

import dask.array
import numpy as np
import zarr
from distributed import Client, LocalCluster
from rows import row

from robustshape.indicators import foreign_ranks_blocks as ranks
from robustshape.indicators import kmeans_blocks
from robustshape.indicators.kstar import nearest_foreign_rank
from robustshape.indicators.purity import kmeans_clusters

C = 10
CHUNK = 2048
WITH_LIBRARIES = "MB, libraries included"


def stored(folder: str, n: int, d: int):
    """Write n float32 features of C classes that overlap, block by block; return them as a dask array, and their labels."""
    rng = np.random.default_rng(0)
    labels, centres = rng.integers(C, size=n), 0.4 * rng.standard_normal((C, d), np.float32)
    path = os.path.join(folder, f"{n}x{d}.zarr")
    store = zarr.create_array(path, shape=(n, d), chunks=(CHUNK, d), dtype="float32", compressors=None)
    for start in range(0, n, CHUNK):
        part = labels[start : start + CHUNK]
        store[start : start + len(part)] = rng.standard_normal((len(part), d), np.float32) + centres[part]
    return dask.array.from_zarr(path), labels


def peak() -> float:
    """Return the most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def on_workers(n_workers: int, features, labels):
    """Return seconds, those of the processor of the busiest worker, ranks, and the most memory of a worker in MB."""
    with (
        LocalCluster(
            n_workers=n_workers, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        small = dask.array.from_array(np.random.default_rng(0).normal(size=(20_000, 3)), chunks=(1000, 3))
        nearest_foreign_rank(small, np.arange(20_000) % 2)  # the imports
        before, began = client.run(time.process_time), time.perf_counter()
        found = nearest_foreign_rank(features, labels)
        wall, after = time.perf_counter() - began, client.run(time.process_time)
        busiest = max(after[one] - before[one] for one in after)
        return wall, busiest, found, max(client.run(peak).values())


def workers(n: int, d: int):
    """Compare k* on two workers with k* on one, and with all features in memory."""
    with tempfile.TemporaryDirectory() as folder:
        features, labels = stored(folder, n, d)
        (one, own, found, most), (two, busiest, again, each) = (
            on_workers(k, features, labels) for k in (1, 2)
        )
        print(
            f"one worker {one:.1f} s ({own:.1f} s of the processor, {most:.0f} MB), two {two:.1f} s ({busiest:.1f} s of the "
            f"busier one, {each:.0f} MB each): {own / busiest:.2f} x by the processor; equal: {np.array_equal(found, again)}"
        )
        began = time.perf_counter()
        alone = nearest_foreign_rank(features.compute(), labels)
        print(f"in memory: {time.perf_counter() - began:.1f} s; equal: {np.array_equal(alone, found)}")
    row(f"k* in blocks, N = {n:,}, d = {d}: two workers", one / two, ">= 1.6", against="x one worker")


def strip(n: int, d: int):
    """Time the first block of rows against all, and say by it what all blocks would take."""
    with tempfile.TemporaryDirectory() as folder:
        features, labels = stored(folder, n, d)
        given = ranks.Given(ranks.Blocks.of(features), False, 8.0, np.zeros(d), label=labels)
        began = time.process_time()
        ranks._nearest(0, given)
        processor = time.process_time() - began
    blocks, rows = len(given.blocks), given.blocks.rows
    # later strips are shorter; the second sweep is of a row's own class
    hours = processor * (blocks + 1) / 2 / 3600 * (1 + 1 / C)
    print(f"{rows:,} of {n:,} rows against all: {processor:.0f} s; all: about {hours:.1f} h on one worker")
    row(f"k* in blocks, N = {n:,}, d = {d:,}: peak memory", peak(), "<= 1500", against=WITH_LIBRARIES)


def clusters(n: int, d: int, steps: int = 2):
    """Take a few steps of k-means in blocks: more need no more memory."""
    kmeans_blocks.STEPS = steps
    with tempfile.TemporaryDirectory() as folder:
        features, _ = stored(folder, n, d)
        kmeans_clusters(features[:2000], C, rng=np.random.default_rng(0))  # the imports
        libraries, began = peak(), time.process_time()
        kmeans_clusters(features, C, rng=np.random.default_rng(0))
        print(f"{time.process_time() - began:.0f} s for {steps} steps; {libraries:.0f} MB before it began")
    row(f"k-means in blocks, N = {n:,}, d = {d:,}: peak memory", peak(), "<= 1500", against=WITH_LIBRARIES)


PARTS = {
    "workers": (workers, 50_000, 512),
    "strip": (strip, 200_000, 2048),
    "clusters": (clusters, 200_000, 2048),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("part", nargs="?", choices=PARTS, help="one part alone, in this process")
    parser.add_argument("--quick", action="store_true", help="a tenth of the samples")
    options = parser.parse_args()
    if not options.part:
        quick = ["--quick"] if options.quick else []
        return max(subprocess.run([sys.executable, __file__, part, *quick]).returncode for part in PARTS)
    function, n, d = PARTS[options.part]
    return function(n // 10 if options.quick else n, d)


if __name__ == "__main__":
    sys.exit(main())
