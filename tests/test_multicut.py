"""Multicuts: against every partition of few nodes, by hand, the calibration against scikit-learn, invariances, errors."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score, roc_auc_score

from robustshape.errors import InputError
from robustshape.indicators.multicut import (
    MOST,
    Calibration,
    fit_calibration,
    minimum_cost_multicut,
    multicut_clusters,
    pair_distances,
)

BELL = {3: 5, 4: 15, 5: 52, 6: 203, 7: 877}  # partitions of so many nodes


def partitions(n):
    """Return every partition of n nodes, (partition, node): each node joins a cluster so far, or opens one."""
    found = [[0]]
    for _ in range(n - 1):
        found = [[*one, k] for one in found for k in range(max(one) + 2)]
    return np.array(found)


def cost_of(costs, clusters):
    """Return what the edges between clusters cost."""
    clusters = np.asarray(clusters)
    rows, columns = np.triu_indices(len(clusters), 1)
    return np.asarray(costs)[clusters[rows] != clusters[columns]].sum()


def least_cost(n, costs):
    """Return the cost of the best of all partitions."""
    clusters = partitions(n)
    rows, columns = np.triu_indices(n, 1)
    return ((clusters[:, rows] != clusters[:, columns]) @ costs).min()


def gaussians(seed, *, n_classes=30, per_class=10, d=32, apart=0.8):
    """Return classes that overlap, and their labels."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(n_classes), per_class)
    means = apart * rng.standard_normal((n_classes, d))
    return means[labels] + rng.standard_normal((len(labels), d)), labels


def different(labels):
    rows, columns = np.triu_indices(len(labels), 1)
    return labels[rows] != labels[columns]


def logistic(features, labels, **options):
    """Return slope and intercept of scikit-learn's regression on standardised distances."""
    distance = pdist(features)
    z = (distance - distance.mean()) / distance.std()
    model = LogisticRegression(tol=1e-10, max_iter=1000, **options).fit(z[:, None], different(labels))
    slope = model.coef_[0, 0] / distance.std()
    return slope, model.intercept_[0] - slope * distance.mean()


def test_all_partitions_are_listed():
    assert {n: len(np.unique(partitions(n), axis=0)) for n in BELL} == BELL


def test_never_below_the_best_partition_and_mostly_equal_to_it():
    best = 0
    for i in range(60):
        rng = np.random.default_rng([0, i])
        n = int(rng.integers(3, 8))
        costs = rng.standard_normal(n * (n - 1) // 2)
        found = cost_of(costs, minimum_cost_multicut(n, costs))
        assert found >= least_cost(n, costs) - 1e-9
        best += found <= least_cost(n, costs) + 1e-9
    assert best / 60 >= 0.85  # here .93, and .93 to 1 with other seeds; .92 where all have 7 nodes


@pytest.mark.parametrize("seed", range(8))
def test_finds_clusters_that_every_edge_agrees_with(seed):
    rng = np.random.default_rng(seed)
    n = (3, 5, 7, 7, 40, 40, 150, 150)[seed]
    clusters = rng.integers(4, size=n)
    costs = np.where(different(clusters), -1, 1) * rng.uniform(0.01, 1, n * (n - 1) // 2)
    found = minimum_cost_multicut(n, costs)
    assert adjusted_rand_score(clusters, found) == 1
    assert cost_of(costs, found) == pytest.approx(costs[costs < 0].sum())
    if n <= 7:
        assert cost_of(costs, found) == pytest.approx(least_cost(n, costs))


def test_a_few_wrong_edges_are_outvoted():
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(5), 12)
    sign = np.where(different(clusters), -1, 1)
    wrong = rng.random(len(sign)) < 0.15
    assert adjusted_rand_score(clusters, minimum_cost_multicut(60, np.where(wrong, -sign, sign))) == 1


def test_four_nodes_by_hand():
    # edges 01 02 03 12 13 23
    costs = [1.0, 2.0, -4.0, -8.0, 16.0, 32.0]
    # 13 and 23 hold 1, 2, 3 together against 12; 0 leaves, as 03 saves more than 01 and 02 cost
    found = minimum_cost_multicut(4, costs)
    assert found.tolist() == [0, 1, 1, 1] and cost_of(costs, found) == 1 + 2 - 4


def test_clusters_are_numbered_by_their_first_node():
    costs = np.where(different(np.array([4, 2, 4, 9, 2])), -1.0, 1.0)
    found = minimum_cost_multicut(5, costs)
    assert found.tolist() == [0, 1, 0, 2, 1] and found.dtype == np.int64


@pytest.mark.parametrize("n", [1, 2, 3, 30])
def test_all_attractive_and_all_repulsive(n):
    costs = np.random.default_rng(0).uniform(0.1, 2, n * (n - 1) // 2)
    assert minimum_cost_multicut(n, costs).tolist() == [0] * n
    assert minimum_cost_multicut(n, -costs).tolist() == list(range(n))


def test_distances_are_those_of_scipy():
    features = np.random.default_rng(0).standard_normal((50, 7)) + 1e5
    np.testing.assert_allclose(pair_distances(features), pdist(features), rtol=1e-6)
    single = features.astype(np.float32)
    np.testing.assert_allclose(pair_distances(single), pdist(single.astype(float)), rtol=1e-6)


@pytest.mark.parametrize("seed, apart", [(0, 0.8), (1, 0.3), (2, 3.0), (3, 0.0)])
def test_calibration_is_the_balanced_logistic_regression_of_scikit_learn(seed, apart):
    features, labels = gaussians(seed, n_classes=12, apart=apart)
    found = fit_calibration(features, labels)
    slope, intercept = logistic(features, labels, C=1.0, class_weight="balanced")
    assert (found.slope, found.intercept) == pytest.approx((slope, intercept), rel=1e-4, abs=1e-5)
    assert found.auc == pytest.approx(roc_auc_score(different(labels), pdist(features)), abs=1e-9)


def test_area_under_the_curve_counts_ties_half():
    # distances 0 and 0 within, 0 twice and 5 four times, twice, between: those of 0 tie
    features, labels = np.array([[0.0], [0.0], [0.0], [5.0], [5.0]]), np.array([0, 0, 1, 2, 1])
    expected = roc_auc_score(different(labels), pdist(features))
    assert fit_calibration(features, labels).auc == pytest.approx(expected)


def test_cost_is_the_log_odds_of_the_same_class():
    calibration = Calibration(slope=2.0, intercept=-3.0, auc=0.9)
    p = 1 / (1 + np.exp(-(2 * np.array([0.5, 1.5, 4.0]) - 3)))
    np.testing.assert_allclose(calibration.cost([0.5, 1.5, 4.0]), np.log((1 - p) / p))
    assert calibration.separates and not Calibration(0.0, 1.0, 0.5).separates


@pytest.mark.parametrize("seed", range(3))
def test_weighing_pairs_alike_is_what_keeps_samples_together(seed):
    """30 classes: 39 to 55 clusters here, but about 200 of the 300 samples' own with the natural weights."""
    (features, _), known = gaussians(seed), gaussians(100 + seed)
    balanced = multicut_clusters(features, fit_calibration(*known)).max() + 1
    natural = multicut_clusters(features, Calibration(*logistic(*known), auc=0.9)).max() + 1
    assert 30 <= balanced <= 2 * 30 and natural > 5 * 30


def test_order_place_and_direction_of_the_samples_do_not_matter():
    (features, _), calibration = gaussians(0, d=8, apart=2.0), fit_calibration(*gaussians(1, d=8, apart=2.0))
    rng = np.random.default_rng(2)
    order = rng.permutation(len(features))
    rotation = np.linalg.qr(rng.standard_normal((8, 8)))[0]
    expected = multicut_clusters(features, calibration)
    assert 2 < expected.max() + 1 < 300
    assert adjusted_rand_score(expected[order], multicut_clusters(features[order], calibration)) == 1
    for moved in (features + 1000, features @ rotation, features.tolist()):
        assert np.array_equal(multicut_clusters(moved, calibration), expected)


@pytest.mark.parametrize("scale", [1e-9, 1e6])
def test_scale_does_not_matter_where_it_is_calibrated_with(scale):
    (features, _), (others, labels) = gaussians(0), gaussians(1)
    plain, scaled = fit_calibration(others, labels), fit_calibration(scale * others, labels)
    assert (scaled.slope * scale, scaled.intercept) == pytest.approx((plain.slope, plain.intercept))
    expected = multicut_clusters(features, plain)
    assert np.array_equal(multicut_clusters(scale * features, scaled), expected)


def test_duplicates_stay_together():
    features, calibration = gaussians(0)[0], fit_calibration(*gaussians(1))
    found = multicut_clusters(np.concatenate([features, features]), calibration)
    assert np.array_equal(found[:300], found[300:])
    assert multicut_clusters(np.ones((20, 4)), calibration).tolist() == [0] * 20


def test_distances_that_separate_perfectly_give_finite_numbers():
    features, labels = gaussians(0, n_classes=4, apart=100.0)
    calibration = fit_calibration(features, labels)
    assert calibration.auc == 1 and 0 < calibration.slope < np.inf
    assert adjusted_rand_score(multicut_clusters(features, calibration), labels) == 1


def test_labels_that_say_nothing_give_an_even_chance():
    features, labels = gaussians(0, apart=0.0)
    found = fit_calibration(features, np.random.default_rng(1).permutation(labels))
    assert abs(found.auc - 0.5) < 0.03


@pytest.mark.parametrize(
    "n, costs, words",
    [
        (MOST + 1, np.zeros(3), r"takes 1 to 4,000 samples, but was given 4,001: .* draw fewer classes"),
        (0, np.zeros(0), "takes 1 to 4,000 samples, but was given 0"),
        (3, [1.0, np.nan, 1.0], "costs of a multicut hold NaN or infinity"),
        (3, [1.0, np.inf, 1.0], "costs of a multicut hold NaN or infinity"),
        (3, [1.0, 1.0], r"3 nodes have 3 pairs, but costs were given as \(2,\)"),
    ],
)
def test_the_solver_says_what_is_wrong(n, costs, words):
    with pytest.raises(InputError, match=words):
        minimum_cost_multicut(n, costs)


def test_too_many_samples_are_refused_before_their_distances_are_computed():
    with pytest.raises(InputError, match="was given 1,000,000"):
        multicut_clusters(np.zeros((1_000_000, 1)), Calibration(1.0, 0.0, 0.9))


@pytest.mark.parametrize("slope", [0.0, -2.0])
def test_a_calibration_that_does_not_separate_is_refused(slope):
    with pytest.raises(InputError, match=rf"\(slope {slope:.3g}, area under the curve 0.41\)"):
        multicut_clusters(np.eye(3), Calibration(slope, 1.0, 0.41))


def test_equal_features_calibrate_nothing():
    found = fit_calibration(np.ones((6, 3)), [0, 0, 0, 1, 1, 1])
    assert not found.separates and found.auc == 0.5


@pytest.mark.parametrize(
    "features, labels, words",
    [
        (np.eye(4), [2, 2, 2, 2], "samples of at least two classes, but all labels are 2"),
        (np.eye(4), [0, 1, 2, 3], "of its 6 pairs 6 are of different classes"),
        (np.eye(4), [0, 1, 1], r"one label per sample, but was given 4 samples and labels \(3,\)"),
        (np.array([[0.0], [np.nan], [1.0]]), [0, 0, 1], "1 of 3 samples have NaN or infinite features"),
        (np.ones(3), [0, 0, 1], r"a multicut needs real features \(n, d\)"),
    ],
)
def test_the_calibration_says_what_is_wrong(features, labels, words):
    with pytest.raises(InputError, match=words):
        fit_calibration(features, labels)
