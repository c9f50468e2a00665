"""Neighbourhood hit: by hand, a full sort, offsets and order, chance, the error's words."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from robustshape.errors import InputError
from robustshape.indicators.neighbours import knn_purity, neighbourhood_hit, neighbourhood_hit_by_chance


def sample(seed=0, n=300, d=12, n_classes=4):
    rng = np.random.default_rng(seed)
    labels = rng.integers(n_classes, size=n)
    return (rng.standard_normal((n, d)) + rng.standard_normal((n_classes, d))[labels]).astype(
        np.float32
    ), labels


def test_by_hand():
    features, labels = np.array([[0.0], [1.0], [5.0], [5.5], [7.0]]), np.array([3, 3, 3, 8, 8])
    assert knn_purity(features, labels, k=1).tolist() == [1, 1, 0, 0, 1]
    assert neighbourhood_hit(features, labels, k=2) == pytest.approx((1 + 1 + 0 + 0.5 + 0.5) / 5)
    assert neighbourhood_hit(features, labels, k=4) == neighbourhood_hit_by_chance(labels)  # all others


@pytest.mark.parametrize("d, offset", [(2, 0), (12, 0), (40, 0), (40, 3000)])
def test_equals_a_full_sort(d, offset):
    features, labels = sample(d=d)
    features = features + np.float32(offset)
    distance = cdist(features.astype(np.float64), features.astype(np.float64))
    np.fill_diagonal(distance, np.inf)
    expected = (labels[distance.argsort(axis=1)[:, :10]] == labels[:, None]).mean(axis=1)
    assert np.allclose(knn_purity(features, labels), expected)


def test_a_sample_is_not_its_own_neighbour_even_among_equals():
    # three pairs of equal rows, each of two classes: the nearest is always the foreign twin
    features, labels = np.repeat([[0.0], [1.0], [5.0]], 2, axis=0), np.array([0, 1] * 3)
    assert neighbourhood_hit(features, labels, k=1) == 0


def test_order_names_and_shift_do_not_matter():
    features, labels = sample(1)
    order = np.random.default_rng(0).permutation(len(labels))
    assert np.array_equal(
        knn_purity(features[order] + 7, 100 - 3 * labels[order]), knn_purity(features, labels)[order]
    )


def test_chance_is_met_by_shuffled_labels():
    features, labels = sample(2, n_classes=3)
    labels[:120] = 0  # classes of different sizes
    rng = np.random.default_rng(0)
    shuffled = [neighbourhood_hit(features, rng.permutation(labels)) for _ in range(40)]
    assert np.mean(shuffled) == pytest.approx(neighbourhood_hit_by_chance(labels), abs=0.005)


@pytest.mark.parametrize(
    "features, labels, k, words",
    [
        (np.ones((3, 2)), [0, 1, 1], 3, "k must be 1 to 2, the other samples, but is 3"),
        (np.ones((3, 2)), [0, 1, 1], 0, "but is 0"),
        (np.ones((3, 2)), [1, 1, 1], 1, "at least two classes, but all labels are 1"),
        (np.ones((3, 2)), [0, 1], 1, r"given 3 samples and labels \(2,\)"),
        (np.ones((3, 2)), [0.0, 1.0, 1.0], 1, "labels must be integers, but are float64"),
        (np.ones(3), [0, 1, 1], 1, r"real features \(n, d\), but was given float64 \(3,\)"),
        (np.array([[1.0], [np.nan], [np.inf]]), [0, 1, 1], 1, "2 of 3 samples have NaN or infinite"),
    ],
)
def test_says_what_is_wrong(features, labels, k, words):
    with pytest.raises(InputError, match=words):
        neighbourhood_hit(features, labels, k=k)


def test_chance_needs_two_samples():
    with pytest.raises(InputError, match="at least 2 samples, but was given 1"):
        neighbourhood_hit_by_chance([4])
