"""Class geometry: by hand, twins with whole matrices, invariances, chance, degenerate classes, errors."""

import numpy as np
import pytest
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score

from robustshape.errors import InputError
from robustshape.indicators import INDICATORS, value
from robustshape.indicators.class_geometry import (
    davies_bouldin,
    dispersion_score,
    neural_collapse_nc1,
    within_between_ratio,
)
from robustshape.indicators.spectrum import participation_ratio

EVERY = [davies_bouldin, within_between_ratio, neural_collapse_nc1, dispersion_score]
# two in each of two classes about (0, 0) and (4, 0), and four about (0, 8); the mean of all is (1, 4)
SQUARE = np.array([[0, 1], [0, -1], [4, 2], [4, -2], [1, 8], [-1, 8], [3, 8], [-3, 8]], dtype=float)
CLASSES = [7, 7, 3, 3, 5, 5, 5, 5]


def sample(seed, n=300, d=12, n_classes=5, apart=2.0):
    """Return features of classes of about a size, about means in all directions, and labels with gaps."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(n_classes, size=n)
    labels[:n_classes] = np.arange(n_classes)
    means = apart * rng.standard_normal((n_classes, d))
    return rng.standard_normal((n, d)) * np.linspace(0.5, 2, d) + means[labels], 3 * labels - 4


def scatters(features, labels):
    """Return S_W and S_B as the matrices they are, by loops."""
    mean = features.mean(axis=0)
    within = between = 0.0
    for c in np.unique(labels):
        own = features[labels == c]
        between = between + len(own) * np.outer(own.mean(axis=0) - mean, own.mean(axis=0) - mean)
        for x in own:
            within = within + np.outer(x - own.mean(axis=0), x - own.mean(axis=0))
    return within / len(features), between / len(features)


def test_davies_bouldin_by_hand():
    # widths 1, 2, 2; distances 4, 8, sqrt(80): the worst are 3/4, 3/4, and 4/sqrt(80) beats 3/8
    assert davies_bouldin(SQUARE, CLASSES) == pytest.approx((3 / 4 + 3 / 4 + 4 / np.sqrt(80)) / 3)


def test_the_scatters_by_hand():
    # squares within: 1, 1, 4, 4, 1, 1, 9, 9; means from (1, 4): 17 twice, 25 twice, 17 four times
    assert within_between_ratio(SQUARE, CLASSES) == pytest.approx(30 / 152)
    assert dispersion_score(SQUARE, CLASSES) == pytest.approx(np.log(152 / 2))


def test_neural_collapse_by_hand():
    # means at +-1 on the first axis, a variance of 4 along it, and one of 100 across that must not count
    features = np.array([[1, 10], [1, -10], [3, 0], [-1, 0], [-1, 10], [-1, -10], [-3, 0], [1, 0]])
    assert neural_collapse_nc1(features, np.repeat([0, 1], 4)) == pytest.approx(2 / 1 / 2)


def test_the_same_as_others_reckon_it():
    features, labels = sample(0)
    assert davies_bouldin(features, labels) == pytest.approx(davies_bouldin_score(features, labels))
    calinski = calinski_harabasz_score(features, labels)
    assert within_between_ratio(features, labels) == pytest.approx((300 - 5) / (5 - 1) / calinski)


@pytest.mark.parametrize("n, d, n_classes", [(60, 12, 4), (30, 40, 4), (80, 3, 9), (25, 90, 12)])
def test_equal_their_matrices(n, d, n_classes):
    features, labels = sample(n, n=n, d=d, n_classes=n_classes)
    within, between = scatters(features, labels)
    inverse = np.linalg.pinv(between, rcond=1e-10, hermitian=True)
    assert neural_collapse_nc1(features, labels) == pytest.approx(np.trace(within @ inverse) / n_classes)
    assert within_between_ratio(features, labels) == pytest.approx(np.trace(within) / np.trace(between))
    expected = np.log(n * np.trace(between) / (n_classes - 1))
    assert dispersion_score(features, labels) == pytest.approx(expected)


@pytest.mark.parametrize("indicator", EVERY)
def test_rotation_offset_order_and_names_do_not_matter(indicator):
    features, labels = sample(1)
    rng = np.random.default_rng(2)
    rotation = np.linalg.qr(rng.standard_normal((12, 12)))[0]
    order = rng.permutation(len(labels))
    moved = (features @ rotation + 1000)[order]
    assert indicator(moved, 50 - labels[order]) == pytest.approx(indicator(features, labels), rel=1e-9)
    assert indicator(features, labels) == indicator(features.tolist(), labels.tolist())


@pytest.mark.parametrize("scale", [1e-30, 1e-9, 1e12])
def test_scale_matters_only_to_the_dispersion(scale):
    features, labels = sample(3)
    for indicator in (davies_bouldin, within_between_ratio, neural_collapse_nc1):
        assert indicator(scale * features, labels) == pytest.approx(indicator(features, labels), rel=1e-9)
    shift = dispersion_score(scale * features, labels) - dispersion_score(features, labels)
    assert shift == pytest.approx(2 * np.log(scale))


def test_a_copy_of_every_sample_matters_only_to_the_dispersion():
    features, labels = sample(4)
    twice = np.tile(features, (3, 1)), np.tile(labels, 3)
    for indicator in (davies_bouldin, within_between_ratio, neural_collapse_nc1):
        assert indicator(*twice) == pytest.approx(indicator(features, labels))
    assert dispersion_score(*twice) - dispersion_score(features, labels) == pytest.approx(np.log(3))


@pytest.mark.parametrize("indicator", EVERY)
def test_half_precision_is_reckoned_in_double(indicator):
    features, labels = sample(5)
    features = features.astype(np.float16)
    assert indicator(features, labels) == indicator(features.astype(np.float64), labels)


def test_the_inputs_stay_as_they_are():
    features, labels = sample(6)
    before = features.copy()
    for indicator in EVERY:
        indicator(features, labels)
    assert (features == before).all()


def test_better_separated_is_lower_but_for_the_dispersion():
    values = np.array([[f(*sample(7, apart=apart)) for apart in (0.5, 1, 2, 4)] for f in EVERY])
    assert (np.diff(values[:3], axis=1) < 0).all() and (np.diff(values[3]) > 0).all()


def test_shuffled_labels_give_what_is_said():
    rng = np.random.default_rng(8)
    n, d, n_classes = 1000, 80, 5
    features = rng.standard_normal((n, d)) * np.linspace(0.5, 1.5, d)
    shuffled = [rng.permutation(np.arange(n) % n_classes) for _ in range(10)]
    bouldin, ratio, collapse, dispersion = (np.mean([f(features, s) for s in shuffled]) for f in EVERY)
    assert 1 < bouldin / np.sqrt(2 * n / n_classes) < 1.3
    assert ratio == pytest.approx((n - n_classes) / (n_classes - 1), rel=0.1)
    expected = n * (n_classes - 1) / (n_classes * participation_ratio(features))
    assert collapse == pytest.approx(expected, rel=0.2)
    assert dispersion == pytest.approx(np.log(features.var(axis=0).sum()), abs=0.1)


def test_collapsed_classes_give_nothing_and_keep_their_digits_near_it():
    means = np.eye(4)
    labels = np.tile(np.arange(4), 5)
    for indicator in (davies_bouldin, within_between_ratio, neural_collapse_nc1):
        assert indicator(means[labels], labels) == pytest.approx(0, abs=1e-15)
    # 1e-7 of noise: the variance within is 1e-14 of that between, a difference of traces would lose it
    noise = 1e-7 * np.random.default_rng(9).standard_normal((20, 4))
    within, between = scatters(means[labels] + noise, labels)
    assert within_between_ratio(means[labels] + noise, labels) == pytest.approx(
        np.trace(within) / np.trace(between), rel=1e-6
    )


def test_nan_where_classes_coincide():
    one = np.random.default_rng(10).standard_normal((6, 3))
    features, labels = np.concatenate([one, one]), np.repeat([0, 1], 6)
    for indicator in EVERY:
        assert np.isnan(indicator(features, labels))
        assert np.isnan(indicator(np.full((6, 3), 0.1), [0, 0, 0, 1, 1, 1]))  # all samples, too
    # if only two of three do, the others still have a scatter
    features, labels = np.concatenate([one, one, one + 9]), np.repeat([0, 1, 2], 6)
    assert np.isnan(davies_bouldin(features, labels))
    assert not any(np.isnan(indicator(features, labels)) for indicator in EVERY[1:])


def test_neural_collapse_leaves_out_directions_that_are_rounding():
    # four means on a line, stored in float32 along a slant: the other directions are its rounding
    rng = np.random.default_rng(11)
    labels = np.arange(400) % 4
    line = np.array([-3.0, -1.0, 1.0, 3.0])[labels, None] * rng.standard_normal(20)
    noise = np.repeat(0.1 * rng.standard_normal((100, 20)), 4, axis=0)  # alike in each class: moves no mean
    assert neural_collapse_nc1((line + noise).astype(np.float32), labels) == pytest.approx(
        neural_collapse_nc1(line + noise, labels), rel=1e-4
    )
    assert neural_collapse_nc1(line + noise, labels) < 0.01


def test_the_registry_calls_them():
    features, labels = sample(12)
    for name, function in zip(
        ["davies_bouldin", "within_between_ratio", "neural_collapse", "dispersion_score"], EVERY
    ):
        assert value(name, features=features, labels=labels) == function(features, labels)
        assert INDICATORS.about(name)["symbol"]


@pytest.mark.parametrize("indicator", EVERY)
@pytest.mark.parametrize(
    "features, labels, words",
    [
        (np.ones((3, 2)), [0, 1, 2], "each of 3 is its own; give more samples"),
        (np.ones((3, 2)), [1, 1, 1], "at least two classes, but all labels are 1"),
        (np.ones((3, 2)), [1, 0], r"given 3 samples and labels \(2,\)"),
        (np.ones((3, 2)), [0.0, 1.0, 1.0], "must be integers, but are float64"),
        (np.array([[1.0], [np.nan], [0.0]]), [0, 1, 1], "1 of 3 samples have NaN"),
        (np.array([[1.0], [np.inf], [0.0]]), [0, 1, 1], "infinite features; leave them out"),
        (np.ones(3), [0, 1, 1], r"needs real features \(n, d\), but was given float64 \(3,\)"),
        (np.ones((1, 2)), [0], "at least 2 samples, but was given 1"),
    ],
)
def test_says_what_is_wrong(indicator, features, labels, words):
    with pytest.raises(InputError, match=words):
        indicator(features, labels)
