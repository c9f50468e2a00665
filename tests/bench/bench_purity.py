"""How long the clusterings of the purity study and its features take, beside others: python tests/bench/bench_purity.py

The ways of a table are timed in turn in the same run, so that a busy machine slows all alike; medians of REPEATS.
`wall` is what a watch says; `processor` sums over the cores, and heeds little what else they do.
Features are computed on one thread, as in every task of a study.
"""

import importlib.util
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from rows import row

N, D, K, STARTS = 10_000, 512, 100, 10  # of k-means
CLASSES, IMAGES, WIDTH = 20, 50, 1280  # of the multicut: classes, images of each, features
PICTURES, LARGER = 16, 32  # for features; a larger batch than ours
REPEATS = 3
ROW = "{:44}{:>9}{:>11}{:>9}  {}"
FAISS = "faiss, 25 iterations"
FLOAT64, FLOAT32 = "scikit-learn, of float64, once", "scikit-learn, of float32, 1 start x 10"


def timed(ways: dict, repeats: int = REPEATS) -> dict[str, tuple]:
    """Return of each way, called in turn: medians of wall and processor time, the last result, all processor times."""
    times, found = {name: [] for name in ways}, {}
    for _ in range(repeats):
        for name, way in ways.items():
            wall, processor = time.perf_counter(), time.process_time()
            found[name] = way()
            times[name].append((time.perf_counter() - wall, time.process_time() - processor))
    return {
        name: (*np.median(times[name], axis=0), found[name], np.array(times[name])[:, 1]) for name in ways
    }


def title(what: str):
    """Print the head of a table."""
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(f"\n{what}; {load}\n" + ROW.format("", "wall", "processor", "ratio", ""), flush=True)


def classes_of(n: int, d: int, n_classes: int, apart: float, seed: int = 0):
    """Return float32 features of overlapping classes, and their labels."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % n_classes
    means = np.float32(apart) * rng.standard_normal((n_classes, d), dtype=np.float32)
    return rng.standard_normal((n, d), dtype=np.float32) + means[labels], labels


def inertia(features, clusters) -> float:
    """Return the sum of squared distances to the means of the clusters, in float64."""
    clusters = np.asarray(clusters).ravel()
    centres = np.stack([features[clusters == k].mean(axis=0, dtype=np.float64) for k in range(K)])
    return float(((features - centres[clusters]) ** 2).sum())


def kmeans():
    """Print our k-means beside scikit-learn's on its own threads, and faiss's where it is installed."""
    from sklearn.cluster import KMeans

    from robustshape.indicators.purity import kmeans_clusters

    features, _ = classes_of(N, D, K, 0.2)
    ways = {"ours": lambda: kmeans_clusters(features, K, rng=np.random.default_rng(0))}
    if importlib.util.find_spec("faiss"):
        import faiss

        def of_faiss():
            model = faiss.Kmeans(D, K, niter=25, nredo=STARTS, seed=0, max_points_per_centroid=N)
            model.train(features)
            return model.index.search(features, 1)[1]

        ways[FAISS] = of_faiss
    title(f"k-means, N = {N:,}, d = {D}, K = {K}, {STARTS} starts; the ratio is ours / theirs")
    found = timed(ways)
    wide = features.astype(np.float64)
    # scikit-learn is so much slower that once will do, and one start of float32
    found |= timed({FLOAT64: lambda: KMeans(K, n_init=STARTS, random_state=0).fit_predict(wide)}, 1)
    one = timed({FLOAT32: lambda: KMeans(K, n_init=1, random_state=0).fit(features)}, 1)
    found[FLOAT32] = (STARTS * one[FLOAT32][0], STARTS * one[FLOAT32][1], None)
    ours, _, clusters, _ = found["ours"]
    least = inertia(features, clusters)
    for name, (wall, processor, clusters, *_) in found.items():
        theirs = np.nan if clusters is None else inertia(features, clusters)
        beside = "" if clusters is None else f"inertia ours / theirs {least / theirs:.5f}"
        print(ROW.format(name, f"{wall:.2f} s", f"{processor:.2f} s", f"{ours / wall:.2f}", beside))
    if FAISS not in ways:
        print("faiss is not installed")
    fastest = min(wall for name, (wall, *_) in found.items() if name != "ours")
    row(
        f"k-means, N = {N:,}, d = {D}, K = {K}", ours / fastest, "<= 1", against="x the fastest of the others"
    )


def multicut():
    """Print what it takes to make the graph of a multicut beside solving it."""
    from robustshape.indicators.multicut import (
        _complete_graph,
        fit_calibration,
        minimum_cost_multicut,
        pair_distances,
    )

    n = CLASSES * IMAGES
    features, _ = classes_of(n, WIDTH, CLASSES, 0.2)
    calibration = fit_calibration(*classes_of(n, WIDTH, CLASSES, 0.2, seed=1))
    minimum_cost_multicut(3, [1.0, 1.0, 1.0])  # the imports
    costs = calibration.cost(pair_distances(features))

    def graph():
        _complete_graph.cache_clear()  # it is kept for the next draw of as many images
        _complete_graph(n)

    title(f"multicut of {n:,} images, {CLASSES} classes, d = {WIDTH}; the ratio is to the solver")
    found = timed(
        {
            "distances, costs": lambda: calibration.cost(pair_distances(features)),
            "graph": graph,
            "solver": lambda: minimum_cost_multicut(n, costs),
        }
    )
    solver, clusters = found["solver"][0], found["solver"][2]
    for name, (wall, processor, *_) in found.items():
        beside = f"{clusters.max() + 1} clusters" if name == "solver" else ""
        print(ROW.format(name, f"{wall:.3f} s", f"{processor:.3f} s", f"{wall / solver:.2f}", beside))
    made = found["distances, costs"][0] + found["graph"][0]
    row(f"distances, costs and graph of a multicut of {n:,}", made / solver, "<= 1", against="x the solver")


def smooth(rng, height: int, width: int) -> np.ndarray:
    """Return a picture of soft blotches with some noise, (h, w, 3) uint8."""
    from PIL import Image

    coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3)).astype(np.uint8))
    soft = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)).astype(float)
    return np.clip(soft + rng.normal(0, 8, soft.shape), 0, 255).astype(np.uint8)


def pictures_in(folder: str, rng):
    """Write JPEG files and return them as Pictures."""
    from PIL import Image

    from robustshape.datasets.image_files import describe
    from robustshape.datasets.pictures import Pictures

    paths = [Path(folder, f"{i}.jpg") for i in range(PICTURES)]
    for path in paths:
        Image.fromarray(smooth(rng, 375, 500)).save(path, quality=90)
    digests, heights, widths, *_ = zip(*(describe(path) for path in paths))
    columns = (np.array(values, dtype=object) for values in ([str(path) for path in paths], digests))
    return Pictures(*columns, np.array(heights), np.array(widths), 3)


def features():
    """Print the features of a ResNet-50 at 224 px beside a loop that only runs it."""
    import timm
    import torch

    from robustshape.models.classifier import Classifier, chunk_of
    from robustshape.models.timm_models import preprocessing_of
    from robustshape.tasks import one_thread

    torch.manual_seed(0)
    module = timm.create_model("resnet50", pretrained=False)
    classifier = Classifier(
        name="timm:resnet50",
        module=module,
        preprocess=preprocessing_of(module, "resnet50"),
        head="fc",
        n_classes=1000,
        identity={},
    )
    rng = np.random.default_rng(0)
    images = np.stack([smooth(rng, 224, 224) for _ in range(PICTURES)])

    def bare(size: int, batches: int):
        with torch.inference_mode():
            for _ in range(batches):
                module(ready[:size])

    own = chunk_of(224, 224)
    ready = classifier.preprocess(np.concatenate([images] * (LARGER // PICTURES)))
    alone, larger = (f"the network alone, batches of {size}" for size in (own, LARGER))
    memory, jpeg = "ours, uint8 in memory", "ours, JPEG files of 500 x 375"
    with tempfile.TemporaryDirectory() as folder, one_thread():
        files = pictures_in(folder, rng)
        bare(own, 1)
        title(
            f"features of resnet50 at 224 px, {PICTURES} images, one thread; the ratio is to the best bare loop"
        )
        ways = {
            alone: lambda: bare(own, PICTURES // own),
            memory: lambda: classifier.activations(images),
            jpeg: lambda: classifier.activations(files),
        }
        found = timed(ways, 7) | timed({larger: lambda: bare(LARGER, 1)}, 1)
    rate = {name: (LARGER if name == larger else PICTURES) / found[name][1] for name in found}
    best = max(rate[alone], rate[larger])
    for name, (wall, processor, *_) in found.items():
        beside = f"{rate[name]:.1f} images a second of processor time"
        print(ROW.format(name, f"{wall:.2f} s", f"{processor:.2f} s", f"{rate[name] / best:.1%}", beside))
    for name, wanted in ((memory, 95), (jpeg, 85)):
        own_share = np.median(found[alone][3] / found[name][3])  # of the rounds, each way beside the other
        best_share = own_share * rate[alone] / best
        print(f"{name}: {best_share:.1%} of the best loop")
        row(
            f"features, {name}", own_share, f">= {wanted / 100}", against="of the network alone, same batches"
        )


def main():
    """Print the tables."""
    kmeans()
    multicut()
    features()
    print(f"\nload of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
