"""What holds of an indicator whatever the features: rotation, scale, names of classes, order, duplicates, plain twins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robustshape.indicators.kstar import kstar_distribution, nearest_foreign_rank
from robustshape.indicators.purity import cluster_agreement, cluster_purity, kmeans_clusters
from robustshape.indicators.registered import value
from robustshape.indicators.selectivity import class_selectivity

FEW = settings(max_examples=6, deadline=None, derandomize=True, database=None)
# Of arrays alone, without a calibration or logits; those that draw are left to what holds of any draw.
ALONE = [
    "approximate_skewness", "davies_bouldin", "effective_rank", "feature_margin", "intrinsic_dimension",
    "mean_normalised_rank", "neighbourhood_hit", "neural_collapse", "participation_ratio", "silhouette", "true_skewness",
    "within_between_ratio",
]  # fmt: skip


@st.composite
def samples(draw, sizes=(12, 40)):
    """Features (n, d) of 2 to 4 overlapping classes of two samples or more, and their labels."""
    n, d, k = draw(st.integers(*sizes)), draw(st.integers(2, 6)), draw(st.integers(2, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    labels = np.concatenate([np.repeat(np.arange(k), 2), rng.integers(0, k, n - 2 * k)])
    return rng.normal(size=(n, d)) + 2 * rng.normal(size=(k, d))[labels], labels, rng


def rotation(rng, d: int) -> np.ndarray:
    return np.linalg.qr(rng.normal(size=(d, d)))[0]


@pytest.mark.filterwarnings("ignore")
@FEW
@given(samples())
def test_numbers_of_distances_keep_under_motion_scale_names_and_order(drawn):
    features, labels, rng = drawn
    names, order = rng.permutation(100)[: labels.max() + 1], rng.permutation(len(labels))
    for name in ALONE:
        before = value(name, features=features, labels=labels)
        for changed, called in (
            (features @ rotation(rng, features.shape[1]) + 5, labels),
            (features * 7.5, labels),
            (features, names[labels]),
            (features[order], labels[order]),
        ):
            assert value(name, features=changed, labels=called) == pytest.approx(
                before, rel=1e-6, abs=1e-9, nan_ok=True
            )


@FEW
@given(samples(), st.sampled_from(["euclidean", "cosine"]))
def test_ranks_are_those_of_sorting_all_distances(drawn, metric):
    features, labels, _ = drawn
    unit = features / np.linalg.norm(features, axis=1, keepdims=True) if metric == "cosine" else features
    distance = np.linalg.norm(unit[:, None] - unit[None], axis=2)
    for i, rank in enumerate(nearest_foreign_rank(features, labels, metric=metric)):
        nearest = distance[i, labels != labels[i]].min()
        assert rank == 1 + sum(
            distance[i, j] < nearest for j in range(len(labels)) if j != i and labels[j] == labels[i]
        )


@FEW
@given(samples(), st.integers(-80, 80))
def test_ranks_do_not_depend_on_the_unit_of_the_features(drawn, exponent):
    features, labels, _ = drawn
    assert np.array_equal(
        nearest_foreign_rank(features * 10.0**exponent, labels), nearest_foreign_rank(features, labels)
    )


@pytest.mark.filterwarnings("ignore")
@FEW
@given(samples())
def test_a_sample_and_its_copy_have_one_rank_and_ranks_move_with_the_order(drawn):
    features, labels, rng = drawn
    order = rng.permutation(len(labels))
    ranks = nearest_foreign_rank(features, labels)
    assert np.array_equal(nearest_foreign_rank(features[order], labels[order]), ranks[order])
    twice = nearest_foreign_rank(np.repeat(features, 2, axis=0), np.repeat(labels, 2))
    assert np.array_equal(twice[::2], twice[1::2]) and np.array_equal(twice[::2], 2 * ranks)
    found = kstar_distribution(features, labels)
    assert found["normalised_rank"].values.min() > 0 and found["normalised_rank"].values.max() <= 1


@FEW
@given(samples(), st.integers(1, 6))
def test_purity_is_the_share_of_the_largest_class_of_each_cluster(drawn, k):
    _, labels, rng = drawn
    clusters = rng.integers(0, k, len(labels))
    plain = sum(max((clusters[labels == c] == a).sum() for c in set(labels)) for a in set(clusters)) / len(
        labels
    )
    assert cluster_purity(clusters, labels) == pytest.approx(plain)
    assert cluster_purity(-3 * clusters, 7 - labels) == pytest.approx(plain)
    assert cluster_purity(np.repeat(clusters, 3), np.repeat(labels, 3)) == pytest.approx(plain)
    assert cluster_purity(np.arange(len(labels)), labels) == 1
    assert cluster_agreement(labels, labels)["ari"] == 1


@FEW
@given(samples(), st.integers(0, 99))
def test_k_means_finds_the_same_clusters_of_moved_and_scaled_samples(drawn, seed):
    features, labels, rng = drawn
    far = features + 1000 * np.eye(4, features.shape[1])[labels % min(4, features.shape[1])]
    k = len(np.unique(labels % min(4, features.shape[1])))
    found = kmeans_clusters(far, k, rng=np.random.default_rng(seed))
    assert cluster_agreement(found, labels % min(4, features.shape[1]))["ari"] == 1
    moved = kmeans_clusters(far @ rotation(rng, far.shape[1]) * 3 + 2, k, rng=np.random.default_rng(seed))
    assert cluster_agreement(found, moved)["ari"] == 1


@FEW
@given(samples())
def test_selectivity_is_that_of_class_means_and_of_any_order_name_and_copy(drawn):
    features, labels, rng = drawn
    responses = np.maximum(features, 0)
    found = class_selectivity(responses, labels)
    for unit, index in enumerate(found):
        means = sorted(responses[labels == c, unit].mean() for c in set(labels))
        largest, others = means[-1], np.mean(means[:-1])
        assert index == pytest.approx((largest - others) / (largest + others + 1e-6))
    order = rng.permutation(len(labels))
    assert class_selectivity(responses[order], 9 - labels[order]) == pytest.approx(found)
    assert class_selectivity(np.repeat(responses, 2, axis=0), np.repeat(labels, 2)) == pytest.approx(found)
    assert class_selectivity(responses * 1e3, labels) == pytest.approx(found, abs=1e-4)
    assert (found >= 0).all() and (found <= 1).all()
