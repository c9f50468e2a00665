"""How long the statistics of k* and the indicators beside it take: python tests/bench/bench_statistics.py

Wall time of one call each, on one thread, of ten overlapping classes. The first UMAP of a process also imports and
compiles; the second does not.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import time

import numpy as np

from robustshape.indicators.dimensionality import intrinsic_dimension
from robustshape.indicators.embeddings import embed, trustworthiness
from robustshape.indicators.kstar import nearest_foreign_rank
from robustshape.indicators.kstar_resampling import half_sample_check, permutation_baseline
from robustshape.indicators.kstar_statistics import bootstrap_draws
from robustshape.indicators.neighbours import neighbourhood_hit
from robustshape.indicators.separability import silhouette

C = 10


def sample(n: int, d: int):
    """Return features (n, d) and labels of ten classes of a size."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % C
    centres = 0.4 * rng.standard_normal((C, d), dtype=np.float32)
    return rng.standard_normal((n, d), dtype=np.float32) + centres[labels], labels


def timed(what: str, function, *arguments, **options):
    """Print the wall time of one call; return what it gave."""
    began = time.perf_counter()
    found = function(*arguments, **options)
    print(f"{what:52}{time.perf_counter() - began:9.2f} s", flush=True)
    return found


def main():
    """Print the table."""
    rng = np.random.default_rng(0)
    labels = np.arange(10_000) % C
    timed(
        "bootstrap, 1,000 draws, n = 10,000",
        bootstrap_draws,
        rng.integers(1, 1001, 10_000) / 1000,
        labels,
        rng=rng,
    )
    for d in (64, 512):
        features, labels = sample(9_000, d)
        rank = timed(f"k*, n = 9,000, d = {d}", nearest_foreign_rank, features, labels)
        timed(
            f"20 half-samples, n = 9,000, d = {d}", half_sample_check, features, labels, rank / 900, rng=rng
        )
    features, labels = sample(10_000, 512)
    timed("100 shuffles, n = 10,000, d = 512", permutation_baseline, features, labels, rng=rng)
    timed("neighbourhood hit, n = 10,000, d = 512", neighbourhood_hit, features, labels)
    timed("silhouette, n = 10,000, d = 512", silhouette, features, labels)
    timed("intrinsic dimension, n = 10,000, d = 512", intrinsic_dimension, features)
    for d in (64, 512):
        features, labels = sample(2_000, d)
        for method in ("tsne", "umap"):
            plot = timed(f"{method}, n = 2,000, d = {d}", embed, features, method=method)
            timed(
                f"trustworthiness of it (hit {neighbourhood_hit(plot, labels):.2f})",
                trustworthiness,
                features,
                plot,
            )
    timed("umap again", embed, features, method="umap", seed=1)


if __name__ == "__main__":
    main()
