"""Silhouette: by hand, by its definition, invariances, shuffled labels, the error's words."""

import numpy as np
import pytest

from robustshape.errors import InputError
from robustshape.indicators.separability import silhouette


def by_definition(features, labels):
    values = []
    for i, x in enumerate(features):
        mean = {}
        for c in set(labels):
            others = [j for j in range(len(labels)) if labels[j] == c and j != i]
            mean[c] = np.mean([np.linalg.norm(x - features[j]) for j in others]) if others else None
        a, b = mean.pop(labels[i]), min(mean.values())
        values.append(0 if a is None else (b - a) / max(a, b))
    return np.mean(values)


def test_by_hand():
    # 0: a = 1, b = 9.5; 1: a = 1, b = 8.5; 9 and 10 mirror them
    expected = (8.5 / 9.5 + 7.5 / 8.5) / 2
    assert silhouette([[0.0], [1.0], [9.0], [10.0]], [4, 4, 2, 2]) == pytest.approx(expected)


def test_equals_its_definition_with_a_class_of_one():
    features = np.random.default_rng(0).standard_normal((8, 3))
    labels = [0, 0, 0, 1, 1, 5, 5, 7]
    assert silhouette(features, labels) == pytest.approx(by_definition(features, labels))


def test_order_names_scale_and_a_large_offset_do_not_matter():
    rng = np.random.default_rng(1)
    labels = rng.integers(3, size=200)
    features = (rng.standard_normal((200, 5)) + labels[:, None]).astype(np.float64)
    order = rng.permutation(200)
    assert silhouette(2 * features[order] + 1e6, 9 - labels[order]) == pytest.approx(
        silhouette(features, labels), abs=1e-6
    )


def test_shuffled_labels_give_about_nothing():
    rng = np.random.default_rng(2)
    labels = np.repeat(np.arange(5), 60)
    features = rng.standard_normal((300, 4)) + 3 * labels[:, None]
    assert silhouette(features, labels) > 0.3
    assert -0.1 < np.mean([silhouette(features, rng.permutation(labels)) for _ in range(5)]) < 0


@pytest.mark.parametrize(
    "features, labels, words",
    [
        (np.ones((3, 2)), [0, 1, 2], "each of 3 is its own"),
        (np.ones((3, 2)), [1, 1, 1], "at least two classes"),
        (np.array([[1.0], [np.nan], [0.0]]), [0, 1, 1], "1 of 3 samples have NaN"),
        (np.ones((1, 2)), [0], "at least 2 samples, but was given 1"),
    ],
)
def test_says_what_is_wrong(features, labels, words):
    with pytest.raises(InputError, match=words):
        silhouette(features, labels)
