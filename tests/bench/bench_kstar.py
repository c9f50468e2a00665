"""How long k* takes beside the straightforward way and beside one matrix product: python tests/bench/bench_kstar.py

All are timed in turn in the same run, so that a busy machine slows all alike; medians of REPEATS.
Memory is what an operation allocates beyond the features.
"""

import time
import tracemalloc

import numpy as np

from robustshape.indicators.kstar import nearest_foreign_rank

N, D, C, REPEATS = 5_000, 512, 10, 3


def straightforward(features, labels):
    """Return k* from the full matrix of distances, every row sorted."""
    square = (features**2).sum(axis=1)
    distance = np.sqrt(np.maximum(square[:, None] + square[None] - 2 * features @ features.T, 0))
    np.fill_diagonal(distance, np.inf)
    neighbours = labels[distance.argsort(axis=1)]
    return (neighbours != labels[:, None]).argmax(axis=1) + 1


def product(features, labels):
    """Make the N x N x d product alone, in blocks of rows."""
    for start in range(0, len(features), 1000):
        features[start : start + 1000] @ features.T


def seconds(function, *arguments) -> float:
    """Return the wall time of one call."""
    began = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - began


def peak(function, *arguments) -> float:
    """Return the MB that one call allocates at most."""
    tracemalloc.start()
    function(*arguments)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / 1e6


def main():
    """Print the table."""
    rng = np.random.default_rng(0)
    labels = rng.integers(C, size=N)
    features = rng.standard_normal((N, D), dtype=np.float32)
    features += 0.4 * rng.standard_normal((C, D), dtype=np.float32)[labels]
    ways = {"ours": nearest_foreign_rank, "sort every row": straightforward, "product alone": product}
    times = {name: [] for name in ways}
    for _ in range(REPEATS):
        for name, way in ways.items():
            times[name].append(seconds(way, features, labels))
    ours, full = nearest_foreign_rank(features, labels), straightforward(features, labels)
    print(f"k* of N = {N:,} samples, d = {D}, {C} classes; median of {REPEATS}; mean k* {ours.mean():.0f}")
    print(f"{'':16}{'seconds':>9}{'x ours':>9}{'peak MB':>9}")
    base = np.median(times["ours"])
    for name, way in ways.items():
        median = np.median(times[name])
        print(f"{name:16}{median:9.2f}{median / base:9.2f}{peak(way, features, labels):9.0f}")
    print(f"ranks that float32 sorting gets wrong: {np.mean(ours != full):.2%}")


if __name__ == "__main__":
    main()
