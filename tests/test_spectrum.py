"""Spectrum: by hand, plain twins by eigenvalues, known ranks, invariances, degenerate features, errors."""

import numpy as np
import pytest

from robustshape.errors import InputError
from robustshape.indicators import INDICATORS, value
from robustshape.indicators.spectrum import effective_rank, participation_ratio, spectrum_exponent

BOTH = [participation_ratio, effective_rank]


def sample(seed, n=200, d=9):
    return np.random.default_rng(seed).standard_normal((n, d)) * np.linspace(0.2, 3, d)


def directions(m, d, of_each=4):
    """Return samples about (5, ..., 5) with the same variance along each of m of d axes, and none else."""
    points = np.concatenate([np.eye(d)[:m], -np.eye(d)[:m]])
    return 5 + np.tile(points, (of_each, 1))


def test_by_hand():
    # along three axes, by symmetry: variances of 9, 4, 1 thirds, standard deviations of 3, 2, 1
    features = np.concatenate([np.diag([3, 2, 1]), -np.diag([3, 2, 1])])
    assert participation_ratio(features) == pytest.approx(14**2 / (81 + 16 + 1))
    entropy = np.log(2) / 2 + np.log(3) / 3 + np.log(6) / 6
    assert effective_rank(features) == pytest.approx(np.exp(entropy))


@pytest.mark.parametrize("n, d", [(200, 9), (20, 50), (10, 10)])
def test_equal_their_definitions(n, d):
    features = sample(n, n, d)
    variances = np.linalg.eigvalsh(np.cov(features.T))
    assert participation_ratio(features) == pytest.approx(variances.sum() ** 2 / (variances**2).sum())
    singular = np.linalg.svd(features - features.mean(axis=0), compute_uv=False)
    shares = singular[singular > 1e-9 * singular[0]] / singular.sum()
    assert effective_rank(features) == pytest.approx(np.exp(-(shares * np.log(shares)).sum()))


@pytest.mark.parametrize("indicator", BOTH)
@pytest.mark.parametrize("m, d", [(1, 1), (1, 6), (4, 6), (6, 6), (7, 300)])
def test_equal_variance_in_m_directions_gives_m(indicator, m, d):
    assert indicator(directions(m, d)) == pytest.approx(m, rel=1e-9)


def test_the_other_directions_of_a_flat_sheet_do_not_add_up():
    rng = np.random.default_rng(0)
    flat = rng.standard_normal((2000, 2)) @ rng.standard_normal((2, 600))
    assert effective_rank(flat) <= 2 and participation_ratio(flat) <= 2
    assert effective_rank(flat.astype(np.float32)) < 2.01  # each of 598 is rounding, of 1e-8 of the largest


@pytest.mark.parametrize("indicator", BOTH)
def test_rotation_offset_scale_and_order_do_not_matter(indicator):
    features = sample(1)
    rng = np.random.default_rng(2)
    rotation = np.linalg.qr(rng.standard_normal((9, 9)))[0]
    moved = 1e-20 * (features @ rotation + 1000)[rng.permutation(200)]
    assert indicator(moved) == pytest.approx(indicator(features), rel=1e-9)
    assert indicator(np.tile(features, (2, 1))) == pytest.approx(indicator(features))
    assert indicator(np.pad(features, ((0, 0), (0, 500)))) == pytest.approx(indicator(features))


def test_the_effective_rank_is_the_larger_and_both_are_in_range():
    for seed in range(20):
        features = sample(seed, n=5 + seed, d=12)
        assert 1 <= participation_ratio(features) <= effective_rank(features) <= min(4 + seed, 12)


def test_noise_gives_what_is_said():
    noise = np.random.default_rng(3).standard_normal((400, 100))
    assert participation_ratio(noise) == pytest.approx(400 * 100 / 500, rel=0.02)


@pytest.mark.parametrize("indicator", BOTH)
def test_half_precision_is_reckoned_in_double(indicator):
    features = sample(4).astype(np.float16)
    assert indicator(features) == indicator(features.astype(np.float64))


@pytest.mark.parametrize("indicator", BOTH)
def test_nan_where_nothing_differs(indicator):
    assert np.isnan(indicator(np.zeros((5, 3))))
    assert np.isnan(indicator(np.full((50, 4), 0.1)))  # whose mean is not quite 0.1


@pytest.mark.parametrize("name, indicator", [("participation_ratio", BOTH[0]), ("effective_rank", BOTH[1])])
def test_the_registry_calls_them_with_or_without_labels(name, indicator):
    features = sample(5)
    assert value(name, features=features, labels=[0] * 200) == indicator(features)
    assert INDICATORS.about(name)["symbol"]


@pytest.mark.parametrize("indicator", BOTH)
@pytest.mark.parametrize(
    "features, words",
    [
        (np.ones((1, 2)), "at least 2 samples, but was given 1"),
        (np.array([[1.0], [np.nan], [0.0]]), "1 of 3 samples have NaN or infinite features; leave them out"),
        (np.array([[1.0], [np.inf], [0.0]]), "1 of 3 samples have NaN or infinite"),
        (np.ones(4), r"needs real features \(n, d\), but was given float64 \(4,\)"),
        (np.ones((4, 0)), r"needs real features \(n, d\)"),
        (np.ones((4, 2), dtype=complex), "but was given complex128"),
    ],
)
def test_says_what_is_wrong(indicator, features, words):
    with pytest.raises(InputError, match=words):
        indicator(features)


def test_the_exponent_is_that_of_the_variances_that_were_put_in():
    rank = np.arange(1.0, 21)
    axes = np.vstack([np.eye(20), -np.eye(20)]) * rank ** (-1.4 / 2)
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(20, 20)))
    assert spectrum_exponent(axes) == pytest.approx(1.4)
    assert spectrum_exponent(30 * axes @ turn + 7) == pytest.approx(1.4)
    assert np.isnan(spectrum_exponent(axes[:, :2])) and np.isnan(spectrum_exponent(np.ones((5, 4))))
    with pytest.raises(InputError, match="NaN"):
        spectrum_exponent(axes * np.nan)
