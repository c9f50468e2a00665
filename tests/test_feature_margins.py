"""Feature margins: by hand, a plain twin without closed form, invariances, chance, and what cannot be used."""

import numpy as np
import pytest

from robustshape.errors import InputError
from robustshape.indicators.feature_margins import feature_margins, low_feature_margin, mean_feature_margin

RNG = np.random.default_rng(0)
LABELS = np.array([7, 3, 3, 7, 9, 9, 9, 3, 7, 7, 3, 9, 7])
FEATURES = RNG.normal(size=(13, 4)) + 2 * np.eye(10, 4)[LABELS % 4]


def test_by_hand():
    # (3, 0) is 3 from the other of its class and 4 from the next class's mean (3, 4)
    found = feature_margins([[0, 0], [3, 0], [3, 3], [3, 5]], [0, 0, 1, 1])
    assert found[1] == pytest.approx((4 - 3) / (4 + 3))
    assert found[0] == pytest.approx((5 - 3) / (5 + 3))


def test_equals_means_without_the_sample():
    found = feature_margins(FEATURES, LABELS)
    for i in range(13):
        others = np.arange(13) != i
        a = np.linalg.norm(FEATURES[i] - FEATURES[others & (LABELS[i] == LABELS)].mean(0))
        b = min(np.linalg.norm(FEATURES[i] - FEATURES[c == LABELS].mean(0)) for c in {3, 7, 9} - {LABELS[i]})
        assert found[i] == pytest.approx((b - a) / (b + a))
    assert mean_feature_margin(FEATURES, LABELS) == pytest.approx(found.mean())
    assert low_feature_margin(FEATURES, LABELS) == pytest.approx(np.quantile(found, 0.25))


def test_rotation_offset_scale_order_and_names_do_not_matter():
    turn, _ = np.linalg.qr(RNG.normal(size=(4, 4)))
    order = RNG.permutation(13)
    after = feature_margins((1e3 * FEATURES @ turn - 1e4)[order], 2 * LABELS[order])
    assert after == pytest.approx(feature_margins(FEATURES, LABELS)[order])


def test_far_classes_have_large_margins_and_shuffled_labels_none():
    labels = np.arange(500) % 5
    features = 40 * np.eye(5)[labels] + RNG.normal(size=(500, 5))
    assert low_feature_margin(features, labels) > 0.85
    assert mean_feature_margin(features, RNG.permutation(labels)) < 0


def test_a_sample_alone_in_its_class_and_coinciding_ones():
    found = feature_margins([[0.0], [1.0], [9.0]], [0, 0, 1])
    assert np.isnan(found[2]) and np.isfinite(found[:2]).all()
    assert np.isfinite(mean_feature_margin([[0.0], [1.0], [9.0]], [0, 0, 1]))
    assert feature_margins(np.ones((4, 2)), [0, 0, 1, 1]).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(
    "features, labels, words",
    [
        ([[0.0], [1.0]], [0, 0], "needs samples of at least two classes"),
        ([[0.0], [1.0]], [0, 1], "needs a class of two samples"),
        ([[0.0], [np.nan], [1.0]], [0, 0, 1], "1 of 3 samples have NaN"),
        ([0.0, 1.0], [0, 1], r"a feature margin needs real features \(n, d\)"),
    ],
)
def test_says_what_is_wrong(features, labels, words):
    with pytest.raises(InputError, match=words):
        feature_margins(features, labels)
