"""Purity: by hand, a plain twin, an invariance, the error's words; k-means that repeats itself."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from robustshape.errors import InputError
from robustshape.indicators.purity import cluster_agreement, cluster_purity, kmeans_clusters


def test_by_hand():
    # clusters {5,5,7}, {7,7}, {5}: 2 + 2 + 1 of 6
    assert cluster_purity([0, 0, 0, 1, 1, 2], [5, 5, 7, 7, 7, 5]) == 5 / 6


def test_equals_a_plain_count():
    rng = np.random.default_rng(0)
    clusters, labels = rng.integers(0, 7, 200), rng.integers(0, 4, 200)
    plain = sum(max(np.sum(labels[clusters == k] == j) for j in range(4)) for k in range(7)) / 200
    assert cluster_purity(clusters, labels) == pytest.approx(plain)


def test_names_of_clusters_and_order_of_samples_do_not_matter():
    rng = np.random.default_rng(1)
    clusters, labels, order = rng.integers(0, 7, 200), rng.integers(0, 4, 200), rng.permutation(200)
    assert cluster_agreement(100 - clusters[order], labels[order]) == pytest.approx(
        cluster_agreement(clusters, labels)
    )


def test_agreement_stands_beside_purity():
    labels = np.repeat([0, 1, 2], 20)
    assert cluster_agreement(labels + 5, labels) == {"purity": 1, "n_clusters": 3, "ari": 1, "nmi": 1}
    singletons = cluster_agreement(np.arange(60), labels)
    assert singletons["purity"] == 1 and singletons["n_clusters"] == 60 and singletons["ari"] == 0


def test_says_both_lengths():
    with pytest.raises(InputError, match=r"assignments \(2,\) and labels \(3,\)"):
        cluster_purity([0, 1], [0, 1, 1])


def blobs(n=300, d=8, n_classes=5):
    rng = np.random.default_rng(0)
    labels = rng.integers(n_classes, size=n)
    return (10 * rng.standard_normal((n_classes, d))[labels] + rng.standard_normal((n, d))), labels


def test_kmeans_finds_well_separated_classes():
    features, labels = blobs()
    clusters = kmeans_clusters(features, 5, rng=np.random.default_rng(0))
    assert clusters.dtype == np.int64 and clusters.shape == labels.shape
    assert cluster_agreement(clusters, labels)["ari"] == 1


def test_kmeans_depends_on_the_generator_alone():
    features = (
        np.random.default_rng(3).standard_normal((400, 6)).astype(np.float32)
    )  # no clusters: starts matter
    first = kmeans_clusters(features, 8, rng=np.random.default_rng(7))
    with threadpool_limits(limits=2):
        again = kmeans_clusters(features, 8, rng=np.random.default_rng(7))
    other = kmeans_clusters(features, 8, rng=np.random.default_rng(8))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


@pytest.mark.parametrize(
    "features, n_clusters, words",
    [
        (np.ones((4, 2)), 5, "n_clusters must be 1 to 4"),
        (np.ones(4), 2, r"features \(n, d\) with n, d > 0, but was given \(4,\)"),
        (np.array([[1.0], [np.nan]]), 1, "NaN or infinity"),
    ],
)
def test_kmeans_says_what_is_wrong(features, n_clusters, words):
    with pytest.raises(InputError, match=words):
        kmeans_clusters(features, n_clusters, rng=np.random.default_rng(0))
