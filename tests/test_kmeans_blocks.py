"""k-means in blocks: the clusters of k-means in memory, empty ones as in scikit-learn, whatever the blocks; its words."""

import dask.array
import numpy as np
import pytest
from sklearn.cluster import KMeans

from robustshape.errors import InputError
from robustshape.indicators import blocks, kmeans_blocks
from robustshape.indicators.kmeans_starts import spread_starts
from robustshape.indicators.purity import (
    cluster_agreement,
    cluster_purity,
    kmeans_ari,
    kmeans_clusters,
    kmeans_purity,
)
from robustshape.indicators.scaled_blocks import Scaled, looked_at
from test_blocks import lazy, small_blocks  # noqa: F401


def sample(n=400, d=6, dtype=np.float32):
    """Return features without clusters, so that starts matter, far from 0."""
    return (np.random.default_rng(n).standard_normal((n, d)) + 3).astype(dtype)


def rng():
    return np.random.default_rng(1)


def test_by_hand():
    clusters = kmeans_clusters(lazy(np.array([[0.0], [0.5], [9.0], [9.5], [9.1]]), 2), 2, rng=rng())
    assert clusters.dtype == np.int64 and clusters[0] == clusters[1] != clusters[2]
    assert clusters[2] == clusters[3] == clusters[4]


@pytest.mark.parametrize("dtype", [np.float32, np.int16])
@pytest.mark.parametrize("n, d, k", [(400, 6, 8), (450, 20, 10), (300, 5, 30), (40, 3, 40), (400, 6, 1)])
def test_clusters_are_those_of_kmeans_in_memory(n, d, k, dtype):
    features = (50 * sample(n, d, float)).astype(dtype)
    expected = kmeans_clusters(features, k, rng=rng())
    assert cluster_agreement(kmeans_clusters(lazy(features), k, rng=rng()), expected)["ari"] == 1


def test_indicators_are_those_in_memory():
    features = sample()
    labels = (features[:, 0] > 3).astype(int) + (features[:, 1] > 3)
    for indicator in (kmeans_purity, kmeans_ari):
        assert indicator(lazy(features), labels, rng()) == pytest.approx(
            indicator(features, labels, rng()), abs=1e-12
        )


def test_of_overlapping_classes_the_sum_of_squares_is_that_in_memory(monkeypatch):
    monkeypatch.setattr(blocks, "LEAST", 1000)
    monkeypatch.setattr(blocks, "MOST", 1000)
    labels = np.random.default_rng(2).integers(6, size=3000)
    features = (
        sample(3000, 16) + np.random.default_rng(3).standard_normal((6, 16)).astype(np.float32)[labels] / 2
    )
    found, expected = (kmeans_clusters(given, 6, rng=rng()) for given in (lazy(features, 1000), features))
    squares = [
        sum(((x - x.mean(axis=0, dtype=float)) ** 2).sum() for x in (features[one == k] for k in range(6)))
        for one in (found, expected)
    ]
    assert squares[0] == pytest.approx(squares[1], rel=1e-4)
    assert cluster_purity(found, labels) == pytest.approx(cluster_purity(expected, labels), abs=0.005)


def test_starts_are_those_in_memory(monkeypatch):
    features = sample(6000, 24)  # so many that a draw would fall elsewhere by the rounding of a distance
    monkeypatch.setattr(blocks, "LEAST", 1000)
    monkeypatch.setattr(blocks, "MOST", 1000)
    drawn = []
    monkeypatch.setattr(
        kmeans_blocks, "_lloyd", lambda given, centres, _: (np.zeros(1), np.zeros((1, 6000), int))
    )
    grow = kmeans_blocks.grown
    monkeypatch.setattr(kmeans_blocks, "grown", lambda *given: drawn.append(grow(*given)) or drawn[0])
    kmeans_clusters(lazy(features, 1000), 10, rng=rng())
    x = (features - features.mean(axis=0, dtype=float)).astype(np.float32)
    assert np.array_equal(drawn[0], spread_starts(x, 10, rng()))


def test_few_starts_at_a_time_and_other_blocks_give_the_same(monkeypatch):
    features = sample(200, 20)
    expected = kmeans_clusters(lazy(features), 8, rng=rng())
    monkeypatch.setattr(kmeans_blocks, "BYTES", 3 * 8 * 8 * 20)  # three starts
    monkeypatch.setattr(blocks, "MOST", 61)
    assert np.array_equal(kmeans_clusters(lazy(features, 33), 8, rng=rng()), expected)


def test_an_empty_cluster_gets_the_farthest_row():
    features = sample(d=3, dtype=float)
    features -= features.mean(axis=0)
    start = features[:6].copy()
    start[3:] = 50 + np.arange(9).reshape(3, 3)  # nobody's nearest
    expected = KMeans(6, init=start, n_init=1).fit(features)
    given, _ = looked_at(Scaled(blocks.Blocks.of(lazy(features))))
    tolerance = 1e-4 * features.var(axis=0).mean() / given.scale**2
    inertia, labels = kmeans_blocks._lloyd(given, start[None] / given.scale, tolerance)
    assert np.array_equal(labels[0], expected.labels_)
    assert inertia[0] * given.scale**2 == pytest.approx(expected.inertia_)


def test_fewer_different_rows_than_clusters_leave_some_empty():
    features = np.repeat(np.arange(5.0)[:, None], 20, axis=0)
    clusters = kmeans_clusters(lazy(features, 30), 8, rng=rng())
    assert cluster_agreement(clusters, features[:, 0].astype(int))["ari"] == 1


def test_no_task_holds_or_returns_more_than_a_block(monkeypatch):
    returned = []
    each = kmeans_blocks.each

    def watched(*given):
        for item, found in each(*given):
            returned.append(
                max(np.asarray(part).size for part in (found if isinstance(found, tuple) else [found]))
            )
            yield item, found

    monkeypatch.setattr(kmeans_blocks, "each", watched)
    monkeypatch.setattr(kmeans_blocks, "in_order", watched)
    monkeypatch.setattr(kmeans_blocks, "BYTES", 8 * 150 * 6)
    kmeans_clusters(lazy(sample(600)), 30, rng=rng())
    assert returned and max(returned) <= 150 * 10 * (2 + int(np.log(30)))  # distances to every start's draws


def test_says_what_is_wrong():
    features = sample()
    for k in (0, 401, 1.5):
        with pytest.raises(InputError, match="n_clusters must be 1 to 400"):
            kmeans_clusters(lazy(features), k, rng=rng())
    with pytest.raises(InputError, match="rng is None; give numpy"):
        kmeans_clusters(lazy(features), 4, rng=None)
    features[::100] = np.nan
    with pytest.raises(InputError, match="4 of 400 samples have NaN or infinite"):
        kmeans_clusters(lazy(features), 4, rng=rng())
    unknown = lazy(sample())
    unknown = unknown[dask.array.from_array(np.arange(400) < 300, chunks=170)]
    with pytest.raises(
        InputError, match=r"does not know how many it has; call its compute_chunk_sizes\(\) first"
    ):
        kmeans_clusters(unknown, 4, rng=rng())
    kmeans_clusters(unknown.compute_chunk_sizes(), 4, rng=rng())


def test_labels_may_be_a_dask_array_too():
    features, labels = sample(200, 20), np.arange(200) % 4
    given = dask.array.from_array(labels, chunks=50)
    for number in (kmeans_purity, kmeans_ari):
        assert number(features, given, rng()) == number(features, labels, rng())
        assert number(lazy(features), given, rng()) == number(lazy(features), labels, rng())
