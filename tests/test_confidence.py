"""Confidence: by hand, plain twins, invariances, large and equal logits, the error's words."""

import numpy as np
import pytest
from scipy.special import softmax

from robustshape.errors import InputError
from robustshape.indicators.confidence import mean_margin, mean_max_softmax


def sample(seed, n=150, c=6):
    rng = np.random.default_rng(seed)
    labels = rng.integers(c, size=n)
    return 3 * rng.standard_normal((n, c)) + 2 * np.eye(c)[labels], labels


def test_margin_by_hand():
    # right by 4, tied, wrong by 3
    logits = [[5, 1, 0], [2, 2, -1], [0, 1, 3]]
    assert mean_margin(logits, [0, 1, 0]) == pytest.approx((4 + 0 - 3) / 3)


def test_softmax_by_hand():
    # odds of 1 : 3, and of 2 : 1 : 1, wherever the largest stands
    logits = np.log([[1, 3, 1e-300], [2, 1, 1]])
    assert mean_max_softmax(logits) == pytest.approx((0.75 + 0.5) / 2)


def test_equal_plain_twins():
    logits, labels = sample(0)
    margins = [z[y] - max(v for j, v in enumerate(z) if j != y) for z, y in zip(logits, labels)]
    assert mean_margin(logits, labels) == pytest.approx(np.mean(margins))
    assert mean_max_softmax(logits) == pytest.approx(softmax(logits, axis=1).max(axis=1).mean())


def test_margin_and_accuracy_agree_in_sign():
    logits, labels = sample(1)
    right = logits.argmax(axis=1) == labels
    assert 0 < right.mean() < 1
    assert mean_margin(logits[right], labels[right]) > 0 > mean_margin(logits[~right], labels[~right])


def test_order_of_samples_and_classes_and_a_constant_do_not_matter():
    logits, labels = sample(2)
    rng = np.random.default_rng(3)
    rows, columns = rng.permutation(150), rng.permutation(6)
    moved = (logits + 100 * rng.standard_normal((150, 1)))[rows][:, columns]
    renamed = np.argsort(columns)[labels[rows]]
    assert mean_margin(moved, renamed) == pytest.approx(mean_margin(logits, labels))
    assert mean_max_softmax(moved) == pytest.approx(mean_max_softmax(logits))


def test_a_factor_scales_the_margin_and_raises_the_confidence():
    logits, labels = sample(4)
    assert mean_margin(5 * logits, labels) == pytest.approx(5 * mean_margin(logits, labels))
    assert mean_max_softmax(5 * logits) > mean_max_softmax(logits)


def test_chance():
    rng = np.random.default_rng(5)
    logits, labels = sample(6)
    assert (
        mean_margin(logits, rng.permutation(labels)) < 0 < mean_margin(logits + 9 * np.eye(6)[labels], labels)
    )
    assert mean_margin(np.ones((3, 4)), [0, 1, 2]) == 0 and mean_max_softmax(np.ones((3, 4))) == 0.25


def test_large_logits_do_not_overflow_and_half_precision_is_reckoned_in_double():
    assert mean_max_softmax([[1e300, -1e300], [-1e300, -1e300]]) == 0.75
    logits, labels = sample(7)
    logits = (3000 * logits).astype(np.float16)
    assert mean_margin(logits, labels) == mean_margin(logits.astype(np.float64), labels)
    assert mean_max_softmax(logits) == mean_max_softmax(logits.astype(np.float64))


def test_the_inputs_stay_as_they_are_and_one_class_is_enough():
    logits, labels = sample(8)
    before = logits.copy()
    mean_margin(logits, labels)
    mean_max_softmax(logits)
    assert (logits == before).all()
    assert mean_margin([[1.0, 0.0]], [0]) == 1


@pytest.mark.parametrize(
    "logits, labels, words",
    [
        (np.ones((2, 3)), [0, 3], "labels must be 0 to 2, a column of the logits, but reach from 0 to 3"),
        (np.ones((2, 3)), [-1, 0], "reach from -1 to 0; number the classes as the network does"),
        (np.ones((2, 3)), [0], r"was given logits \(2, 3\) and labels \(1,\)"),
        (np.ones((2, 3)), [0.0, 1.0], "must be integers, but are float64"),
    ],
)
def test_says_what_is_wrong_with_labels(logits, labels, words):
    with pytest.raises(InputError, match=words):
        mean_margin(logits, labels)


@pytest.mark.parametrize(
    "logits, words",
    [
        (np.ones((2, 1)), r"at least one sample and two classes, but was given float64 \(2, 1\)"),
        (np.ones((0, 3)), r"but was given float64 \(0, 3\)"),
        (np.ones(3), r"needs real logits \(n, c\)"),
        (np.ones((2, 3), dtype=complex), "but was given complex128"),
        (np.array([[1.0, np.nan], [0.0, 1.0]]), "1 of 2 samples have NaN or infinite logits; leave them out"),
        (np.array([[1.0, -np.inf], [0.0, 1.0]]), "1 of 2 samples have NaN or infinite logits"),
    ],
)
def test_says_what_is_wrong_with_logits(logits, words):
    with pytest.raises(InputError, match=words):
        mean_max_softmax(logits)
    with pytest.raises(InputError, match=words):
        mean_margin(logits, np.zeros(len(logits), dtype=int))
