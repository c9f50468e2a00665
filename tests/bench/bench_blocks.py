"""How long k* and k-means of features in a store take, and in what memory: python tests/bench/bench_blocks.py

k* on one and two workers, k-means in this process. Workers have one thread each and read the store themselves. `wall` is what a watch says, on a machine that may be busy.
--quick takes fewer samples: for trying the table, not for quoting it.
"""

import argparse
import os
import resource
import tempfile
import time

import dask.array
import numpy as np
import zarr
from distributed import Client, LocalCluster

from robustshape.indicators import foreign_ranks_blocks as ranks
from robustshape.indicators import kmeans_blocks
from robustshape.indicators.kstar import nearest_foreign_rank
from robustshape.indicators.purity import cluster_agreement, cluster_purity, kmeans_clusters

C = 10
CHUNK = 2048


def stored(folder: str, n: int, d: int, apart: float = 0.4):
    """Write n float32 features of C classes that overlap, block by block; return them as a dask array, and their labels."""
    rng = np.random.default_rng(0)
    labels, centres = rng.integers(C, size=n), apart * rng.standard_normal((C, d), np.float32)
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


def one_strip(n: int, d: int):
    """Print time and memory of the first block of rows against all, and what all blocks would take by it."""
    with tempfile.TemporaryDirectory() as folder:
        features, labels = stored(folder, n, d)
        given = ranks.Given(ranks.Blocks.of(features), False, 8.0, np.zeros(d), label=labels)
        began, processor = time.perf_counter(), time.process_time()
        ranks._nearest(0, given)
        wall, processor = time.perf_counter() - began, time.process_time() - processor
    blocks, rows = len(given.blocks), given.blocks.rows
    hours = (
        processor * (blocks + 1) / 2 / 3600 * (1 + 1 / C)
    )  # later strips are shorter; the second sweep is of own class
    print(
        f"N = {n:,}, d = {d:,}: {rows:,} rows against all take {wall:.0f} s ({processor:.0f} s of the processor) and at "
        f"most {peak():.0f} MB with the libraries; all {blocks} blocks would take about {hours:.1f} h on one worker"
    )


def clusters(n: int, d: int, steps: int):
    """Print time and memory of k-means in blocks, of so many steps at most; and with all steps what it is in memory."""
    with tempfile.TemporaryDirectory() as folder:
        features, labels = stored(folder, n, d, apart=0.08)
        kmeans_clusters(features[:2000], C, rng=np.random.default_rng(0))  # the imports
        libraries, began, processor = peak(), time.perf_counter(), time.process_time()
        every, kmeans_blocks.STEPS = kmeans_blocks.STEPS, steps
        found = kmeans_clusters(features, C, rng=np.random.default_rng(0))
        wall, processor = time.perf_counter() - began, time.process_time() - processor
        print(
            f"k-means of N = {n:,}, d = {d:,} into {C}, at most {steps} steps: {wall:.0f} s ({processor:.0f} s of the processor), "
            f"at most {peak():.0f} MB, of which {libraries:.0f} MB before; all features are {4e-6 * n * d:.0f} MB",
            flush=True,
        )
        if steps >= every:
            began = time.perf_counter()
            alone = kmeans_clusters(features.compute(), C, rng=np.random.default_rng(0))
            here, there = (cluster_purity(one, labels) for one in (alone, found))
            print(
                f"in memory: {time.perf_counter() - began:.0f} s, at most {peak():.0f} MB; purity {here:.5f}, in blocks {there:.5f}, "
                f"ARI of both {cluster_agreement(found, alone)['ari']:.6f}; {load()}"
            )


def load() -> str:
    """Return how busy the machine is."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the samples")
    parser.add_argument("--samples", type=int, default=50_000)
    parser.add_argument("--strip", action="store_true", help="the memory of one block alone")
    parser.add_argument("--clusters", action="store_true", help="k-means alone")
    parser.add_argument("--dimensions", type=int, default=512)
    parser.add_argument(
        "--steps", type=int, default=kmeans_blocks.STEPS, help="of k-means: its memory needs few"
    )
    options = parser.parse_args()
    share = 10 if options.quick else 1
    if options.clusters:
        return clusters(options.samples // share, options.dimensions, options.steps)
    if not options.strip:
        n, d = options.samples // share, 512
        with tempfile.TemporaryDirectory() as folder:
            features, labels = stored(folder, n, d)
            (one, own, found, most), (two, busiest, again, each) = (
                on_workers(k, features, labels) for k in (1, 2)
            )
            print(
                f"N = {n:,}, d = {d}: one worker {one:.1f} s ({own:.1f} s of the processor, {most:.0f} MB), two {two:.1f} s "
                f"({busiest:.1f} s of the busier one, {each:.0f} MB each): {one / two:.2f} x by the watch, "
                f"{own / busiest:.2f} x by the processor, wanted >= 1.6; equal: {np.array_equal(found, again)}; {load()}",
                flush=True,
            )
            began = time.perf_counter()
            alone = nearest_foreign_rank(features.compute(), labels)
            print(
                f"in memory, this process: {time.perf_counter() - began:.1f} s; equal: {np.array_equal(alone, found)}"
            )
    one_strip(200_000 // share, 2048)
    print(load())


if __name__ == "__main__":
    main()
