"""What is measured on a draw of classes: all its numbers by hand, and every registered indicator beside them."""

import numpy as np
import pytest

from robustshape.indicators import INDICATORS, value
from robustshape.indicators.confidence import mean_margin, mean_max_softmax
from robustshape.indicators.multicut import Calibration, fit_calibration
from robustshape.measurements.draws import class_draws, of_first
from robustshape.studies.cluster_purity import draws

TOY = np.repeat(np.arange(6), 10)


def toy(seed=0, *, apart=30.0):
    """Return six classes of ten, as far apart as asked for, and logits that are right about half of them."""
    rng = np.random.default_rng(seed)
    logits = rng.standard_normal((60, 6)) + 2 * np.eye(6)[TOY] * (rng.random(60) < 0.5)[:, None]
    return rng.standard_normal((60, 8)) + apart * np.eye(6, 8)[TOY], logits


def test_accuracies_by_hand():
    logits = np.array([[1, 5, 2, 0], [4, 0, 3, 0], [0, 9, 3, 8], [0, 1, 2, 3], [9, 0, 0, 0]], float)
    labels, positions = np.array([2, 2, 3, 3, 0]), [0, 1, 2, 3]
    # all four classes: only the fourth is right; among 2 and 3 all are
    assert draws.accuracies(logits, labels, None, positions) == {"accuracy": 0.25, "accuracy_restricted": 1}
    # among 0 and 2 the first is right and the second is not
    two = draws.accuracies(logits, labels, None, [0, 1, 4])
    assert two == {"accuracy": pytest.approx(1 / 3), "accuracy_restricted": pytest.approx(2 / 3)}
    # of a network that knows more classes: what it says among all of them is given
    right_of_all = np.array([False, False, True, True, True])
    of_more = draws.accuracies(logits, labels, right_of_all, positions)
    assert of_more == {"accuracy": 0.5, "accuracy_restricted": 1}


def test_classes_that_are_far_apart_are_found_by_both_clusterings():
    features, _ = toy()
    [draw] = class_draws(TOY, n_classes=3, per_class=10, n_draws=1, seed=0)
    found, calibration = draws.clusterings(features, TOY, draw, rng=np.random.default_rng(0))
    perfect = {"purity": 1, "n_clusters": 3, "ari": 1, "nmi": 1}
    assert found == {"k-means": pytest.approx(perfect), "multicut": pytest.approx(perfect)}
    assert calibration == fit_calibration(features[draw.calibration], TOY[draw.calibration])


def test_without_a_calibration_that_separates_the_multicut_is_nan_and_k_means_stays():
    features, _ = toy()
    [draw] = class_draws(TOY, n_classes=3, per_class=10, n_draws=1, seed=0)
    features[draw.calibration] = np.tile(np.eye(10, 8) * 50, (3, 1))  # farther within a class than across
    found, calibration = draws.clusterings(features, TOY, draw, rng=np.random.default_rng(0))
    assert not calibration.separates
    assert list(found["multicut"]) == list(draws.AGREEMENT)
    assert np.isnan(list(found["multicut"].values())).all()
    assert found["k-means"]["purity"] == 1
    curves = draws.by_number_of_clusters(features, TOY, draw, calibration, rng=np.random.default_rng(0))
    assert np.isnan([list(one.values()) for one in curves["multicut"]]).all()
    assert np.isfinite([list(one.values()) for one in curves["k-means"]]).all()


@pytest.mark.filterwarnings("ignore:6 of 6 classes have fewer than 20 samples")
def test_every_registered_indicator_is_called_with_what_it_asks_for():
    features, logits = toy(apart=2.0)
    given = {"features": features, "labels": TOY, "logits": logits, "calibration": toy(1)[:1] + (TOY,)}
    found = {name: value(name, **given, rng=np.random.default_rng(0)) for name in INDICATORS.names()}
    assert {"mean_margin", "mean_max_softmax", "kmeans_purity"} < set(found)
    assert all(isinstance(one, float) and np.isfinite(one) for one in found.values())
    assert found["mean_margin"] == mean_margin(logits, TOY)
    assert found["mean_max_softmax"] == mean_max_softmax(logits)
    for name in ("silhouette", "neural_collapse", "mean_normalised_rank"):
        assert found[name] == INDICATORS[name](features, TOY)


def test_more_clusters_are_purer_and_a_shift_cuts_more():
    features, _ = toy(apart=4.0)
    [draw] = class_draws(TOY, n_classes=3, per_class=10, n_draws=1, seed=0)
    rng = np.random.default_rng(0)
    _, calibration = draws.clusterings(features, TOY, draw, rng=rng)
    found = draws.by_number_of_clusters(features, TOY, draw, calibration, rng=rng)
    kmeans, multicut = ([one["n_clusters"] for one in found[name]] for name in draws.CLUSTERINGS)
    assert kmeans == [3, 6, 12, 24] and len(multicut) == len(draws.SHIFTS)
    assert multicut == sorted(multicut) and multicut[-1] > multicut[0]
    purities = [one["purity"] for one in found["k-means"]]
    assert purities == sorted(purities)


def test_never_more_clusters_than_images():
    features, _ = toy()
    draw = of_first(class_draws(TOY, n_classes=3, per_class=10, n_draws=1, seed=0)[0], TOY, 3)
    wide = Calibration(slope=1.0, intercept=100.0, auc=0.9)  # cuts every pair
    found = draws.by_number_of_clusters(features, TOY, draw, wide, rng=np.random.default_rng(0))
    assert [one["n_clusters"] for one in found["k-means"]] == [3, 6, 9, 9]
    assert [one["n_clusters"] for one in found["multicut"]] == [9] * len(draws.SHIFTS)
    assert found["multicut"][0]["purity"] == 1 and found["multicut"][0]["ari"] == 0
