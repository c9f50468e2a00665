"""How long k* takes and what memory, beside the ways it replaces: python tests/bench/bench_kstar.py [--quick]

The ways of a row are timed in turn in the same run, so that a busy machine slows all alike; medians of three.
--quick takes a quarter of the samples and one repeat: for trying the table, not for quoting it.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import threading
import time

import numpy as np
import torch
from rows import row
from threadpoolctl import threadpool_limits

from robustshape.indicators.kstar import nearest_foreign_rank

D, C = 512, 10
ROW = "{:44}{:>10}{:>9}{:>9}{:>9}"


def sample(n: int, d: int = D) -> tuple[np.ndarray, np.ndarray]:
    """Return n float32 features of C classes that overlap, and their labels."""
    rng = np.random.default_rng(0)
    labels = rng.integers(C, size=n)
    features, centres = rng.standard_normal((n, d), dtype=np.float32), rng.standard_normal((C, d), np.float32)
    for label, centre in enumerate(centres):
        features[labels == label] += np.float32(0.4) * centre
    return features, labels


def product(features, labels):
    """Make the N x N x d product alone, in blocks of rows."""
    out = np.empty((1000, len(features)), np.float32)
    for start in range(0, len(features), 1000):
        rows = features[start : start + 1000]
        np.matmul(rows, features.T, out=out[: len(rows)])


def sort_float32(features, labels):
    """Return k* from the full float32 matrix of distances, every row sorted."""
    square = (features**2).sum(axis=1)
    distance = np.sqrt(np.maximum(square[:, None] + square[None] - 2 * features @ features.T, 0))
    return first_foreign(distance, labels)


def sort_float64(features, labels):
    """Return k* from scipy's float64 distances, every row sorted."""
    from scipy.spatial.distance import cdist

    features = features.astype(np.float64)
    return first_foreign(cdist(features, features), labels)


def first_foreign(distance, labels):
    """Return the rank of the first neighbour of another class; the sample itself comes last."""
    np.fill_diagonal(distance, np.inf)
    neighbours = labels[distance.argsort(axis=1)]
    return (neighbours != labels[:, None]).argmax(axis=1) + 1


def seconds(*ways, repeats: int) -> list[float]:
    """Return the median wall time of each way, all called in turn."""
    times = np.empty((repeats, len(ways)))
    for times_of_turn in times:
        for i, way in enumerate(ways):
            began = time.perf_counter()
            way()
            times_of_turn[i] = time.perf_counter() - began
    return np.median(times, axis=0).tolist()


@contextlib.contextmanager
def threads(number: int):
    """Give torch and the BLAS behind numpy so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        with threadpool_limits(number):
            yield
    finally:
        torch.set_num_threads(before)


def line(what, baseline, ours, ratio, n_threads):
    """Print a row of the table."""
    print(ROW.format(what, baseline, ours, ratio, n_threads), flush=True)


def compare(what: str, n: int, baseline, repeats: int, n_threads: int) -> float:
    """Print k* beside another way; return theirs / ours."""
    features, labels = sample(n)
    with threads(n_threads):
        theirs, ours = seconds(
            lambda: baseline(features, labels),
            lambda: nearest_foreign_rank(features, labels),
            repeats=repeats,
        )
    line(f"N = {n:,}: {what}", f"{theirs:.2f} s", f"{ours:.2f} s", f"{theirs / ours:.2f} x", n_threads)
    return theirs / ours


def peak_memory(n: int) -> float:
    """Return the MB that k* takes at most beyond its imports and the features, in a process of its own."""
    found = subprocess.run(
        [sys.executable, __file__, "--peak-of", str(n)], stdout=subprocess.PIPE, check=True
    )
    return float(found.stdout)


def own_peak(n: int) -> float:
    """Return what `peak_memory` asks of its process, looked at a hundred times a second."""
    import psutil

    nearest_foreign_rank(*sample(1000, 8))  # the imports
    features, labels = sample(n)
    memory, done = psutil.Process().memory_info, threading.Event()
    seen = [memory().rss]

    def watch():
        while not done.wait(0.01):
            seen.append(memory().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    nearest_foreign_rank(features, labels)
    done.set()
    watcher.join()
    return (max(seen) - seen[0]) / 1e6


def growth(sizes: list[int], repeats: int) -> tuple[float, list[float]]:
    """Return the fitted exponent of the time over the number of samples, and the times."""
    given = [sample(n) for n in sizes]
    times = seconds(*(lambda one=one: nearest_foreign_rank(*one) for one in given), repeats=repeats)
    return float(np.polyfit(np.log(sizes), np.log(times), 1)[0]), times


def on_cuda(n: int, d: int, repeats: int):
    """Print k* beside one product on the CUDA device."""
    features, labels = (torch.as_tensor(values, device="cuda") for values in sample(n, d))

    def multiply():
        for rows in features.split(8192):
            rows @ features.T
        torch.cuda.synchronize()

    multiply()
    theirs, ours = seconds(
        multiply, lambda: nearest_foreign_rank(features, labels, device="cuda"), repeats=repeats
    )
    what = f"N = {n:,}, d = {d:,}: one product, CUDA"
    line(what, f"{theirs:.2f} s", f"{ours:.2f} s", f"{ours / theirs:.2f}", "CUDA")


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a quarter of the samples, one repeat")
    parser.add_argument("--peak-of", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak_of:
        print(own_peak(options.peak_of))
        return
    share, repeats = (4, 1) if options.quick else (1, 3)
    cores = torch.get_num_threads()
    print(f"k* of N samples, d = {D}, {C} classes, float32; medians of {repeats}; {load()}")
    line("beside", "baseline", "ours", "ratio", "threads")
    few, many = 10_000 // share, 20_000 // share
    nearest_foreign_rank(*sample(1000))  # the imports
    times = compare("one product X X^T", many, product, repeats, cores)
    row(f"k*, N = {many:,}, d = {D}", 1 / times, "<= 0.9", against="x one product X X^T")
    compare("one product X X^T", many, product, repeats, 1)
    times = compare("float32, every row sorted", few, sort_float32, repeats, cores)
    row(f"k*, N = {few:,}, d = {D}", times, ">= 5", against="x float32, every row sorted")
    compare("float32, every row sorted", few, sort_float32, repeats, 1)
    compare("float64 cdist, every row sorted", few, sort_float64, repeats, cores)
    sizes = [n // share for n in (5_000, 10_000, 20_000, 40_000)]
    exponent, times = growth(sizes, repeats)
    what = f"growth of time, N = {sizes[0]:,} to {sizes[-1]:,}"
    line(what, f"{times[0]:.2f} s", f"{times[-1]:.2f} s", f"N^{exponent:.2f}", cores)
    row(f"k*, exponent of the {what}", exponent, "<= 2.05", against="a power of N")
    n = 50_000 // share
    most, given = peak_memory(n), 4e-6 * n * D
    what = f"N = {n:,}: peak memory beside features"
    line(what, f"{given:.0f} MB", f"{most:.0f} MB", f"{most / given:.1f}", cores)
    row(f"k*, {what}", most, "<= 1500", against="MB")
    if torch.cuda.is_available():
        on_cuda(n, 2048, repeats)
    else:
        line(f"N = {n:,}, d = 2,048: one product, CUDA", "no CUDA", "here", "", "")
    features, labels = sample(few // 2)
    with np.errstate(invalid="ignore"):
        ours, sorted32 = nearest_foreign_rank(features, labels), sort_float32(features, labels)
    print(
        f"ranks that float32 sorting gets wrong, N = {few // 2:,}: {np.mean(ours != sorted32):.2%}; {load()}"
    )


def load() -> str:
    """Return how busy the machine is."""
    return f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


if __name__ == "__main__":
    main()
