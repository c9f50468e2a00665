"""Normal twins of classes: same moments, fair for normal classes, and fractured classes lie below theirs."""

import numpy as np
import pytest

from robustshape.errors import InputError
from robustshape.indicators.kstar_unstructured import log_rank_over_twin, normal_twin

LABELS = np.array([0] * 30 + [5] * 8 + [9] * 12)


def features(d, seed=0):
    return np.random.default_rng(seed).exponential(size=(50, d)) + LABELS[:, None] / 5


@pytest.mark.parametrize("d", [3, 40])  # fewer and more features than samples of a class
def test_means_and_covariances_are_the_classes_own(d):
    given = features(d)
    twin = normal_twin(given, LABELS, rng=np.random.default_rng(1))
    for c in (0, 5, 9):
        own, drawn = given[c == LABELS], twin[c == LABELS]
        assert drawn.mean(0) == pytest.approx(own.mean(0) - given.mean(0))
        assert np.cov(drawn.T) == pytest.approx(np.cov(own.T), abs=1e-9)
        assert not np.allclose(drawn, own - given.mean(0), atol=0.1)


def test_a_twin_is_normal_where_its_class_is_not():
    from scipy.stats import kurtosis

    labels = np.arange(4000) % 2
    given = np.random.default_rng(2).choice([-1.0, 1.0], size=(4000, 3))
    twin = normal_twin(given, labels, rng=np.random.default_rng(3))
    assert kurtosis(given).max() < -1.9 and np.abs(kurtosis(twin)).max() < 0.3


@pytest.mark.parametrize("n, d, apart", [(40, 10, 0.5), (20, 60, 0.3), (60, 30, 1.0)])
def test_normal_classes_are_like_their_twins(n, d, apart):
    """Whatever the sizes: draws from estimated moments alone lie farther apart than their classes did."""
    found = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        labels = np.arange(10 * n) % 10
        given = apart * rng.normal(size=(10, d))[labels] + rng.normal(size=(10 * n, d))
        found.append(log_rank_over_twin(given, labels, rng=rng, draws=2))
    error = np.std(found, ddof=1) / np.sqrt(len(found))
    assert abs(np.mean(found)) < 3.5 * error and error < 0.02


def test_samples_at_another_classes_place_fracture_it_and_clumps_apart_do_not():
    rng = np.random.default_rng(4)
    labels = np.arange(600) % 2
    place = np.where(rng.uniform(size=600) < 0.1, 1 - labels, labels)
    astray = 10 * np.eye(2, 8)[place] + rng.normal(size=(600, 8))
    assert log_rank_over_twin(astray, labels, rng=rng, draws=3) < -0.5
    shells = rng.normal(size=(600, 8))
    shells *= (1 + 0.6 * labels[:, None]) / np.linalg.norm(shells, axis=1, keepdims=True)
    assert log_rank_over_twin(shells, labels, rng=rng, draws=3) > 0.3


def test_rotation_offset_and_scale_change_only_the_draws():
    given, found = features(3), []
    turn, _ = np.linalg.qr(np.random.default_rng(6).normal(size=(3, 3)))
    for values in (given, 50 * given @ turn + 3):
        found.append(log_rank_over_twin(values, LABELS, rng=np.random.default_rng(7), draws=60))
    assert found[0] == pytest.approx(found[1], abs=0.05)


def test_collapsed_classes_are_their_own_twins():
    collapsed = np.eye(10)[LABELS]
    twin = normal_twin(collapsed, LABELS, rng=np.random.default_rng(8))
    assert twin == pytest.approx(collapsed - collapsed.mean(0))
    assert log_rank_over_twin(collapsed, LABELS, rng=np.random.default_rng(8), draws=1) == 0


def test_says_what_is_wrong():
    with pytest.raises(InputError, match="a normal twin needs samples of at least two classes"):
        normal_twin([[0.0], [1.0]], [0, 0], rng=np.random.default_rng(0))
    with pytest.raises(InputError, match="at least one twin is needed, but draws is 0"):
        log_rank_over_twin([[0.0], [1.0], [2.0]], [0, 0, 1], rng=np.random.default_rng(0), draws=0)
