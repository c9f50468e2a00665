"""Draws of classes on labels with gaps and classes of many sizes, all their numbers by hand, and every rival beside them."""

import numpy as np
import pytest

from robustshape.errors import InputError
from robustshape.indicators import INDICATORS
from robustshape.indicators.confidence import mean_margin, mean_max_softmax
from robustshape.indicators.multicut import Calibration, fit_calibration
from robustshape.studies.cluster_purity import draws

SIZES = {2: 9, 3: 30, 7: 12, 11: 9, 40: 17, 41: 10, 90: 14}  # images of each class; numbers with gaps
LABELS = np.random.default_rng(0).permutation(np.repeat(list(SIZES), list(SIZES.values())))
TOY = np.repeat(np.arange(6), 10)


def toy(seed=0, *, apart=30.0):
    """Return six classes of ten, as far apart as asked for, and logits that are right about half of them."""
    rng = np.random.default_rng(seed)
    logits = rng.standard_normal((60, 6)) + 2 * np.eye(6)[TOY] * (rng.random(60) < 0.5)[:, None]
    return rng.standard_normal((60, 8)) + apart * np.eye(6, 8)[TOY], logits


def parts_of(draw):
    return draw.scored, draw.calibration


def test_classes_are_disjoint_of_one_size_and_no_image_is_drawn_twice():
    for n_classes, per_class in [(2, 9), (3, 2), (3, 9)]:
        for draw in draws.class_draws(LABELS, n_classes=n_classes, per_class=per_class, n_draws=20, seed=5):
            for part in parts_of(draw):
                classes, sizes = np.unique(LABELS[part], return_counts=True)
                assert len(classes) == n_classes and set(sizes) == {per_class}
            both = np.concatenate(parts_of(draw))
            assert len(set(both)) == len(both) and len(set(LABELS[both])) == 2 * n_classes


def test_half_of_an_odd_number_of_classes_is_scored_and_as_many_calibrate():
    [draw] = draws.class_draws(LABELS, n_classes=0, per_class=3, n_draws=1, seed=0)
    assert [len(set(LABELS[part])) for part in parts_of(draw)] == [3, 3]
    [draw] = draws.class_draws(LABELS, n_classes=5, per_class=3, n_draws=1, seed=0)
    assert [len(set(LABELS[part])) for part in parts_of(draw)] == [5, 2]  # no more are left


def test_every_class_and_every_image_has_its_turn():
    found = draws.class_draws(LABELS, n_classes=3, per_class=9, n_draws=200, seed=0)
    scored = np.concatenate([draw.scored for draw in found])
    assert set(scored) == set(range(len(LABELS)))
    share = np.unique(LABELS[scored], return_counts=True)[1] / (9 * 200)
    np.testing.assert_allclose(share, 3 / 7, atol=4 * np.sqrt(3 / 7 * 4 / 7 / 200))


def test_fewer_draws_are_the_first_ones_and_a_seed_makes_others():
    given = dict(n_classes=3, per_class=4)
    many = draws.class_draws(LABELS, **given, n_draws=6, seed=1)
    few = draws.class_draws(LABELS.tolist(), **given, n_draws=2, seed=1)
    assert [[list(part) for part in parts_of(draw)] for draw in few] == [
        [list(part) for part in parts_of(draw)] for draw in many[:2]
    ]
    assert len({tuple(draw.scored) for draw in many}) == 6
    other = draws.class_draws(LABELS, **given, n_draws=6, seed=2)
    assert {tuple(draw.scored) for draw in many}.isdisjoint(tuple(draw.scored) for draw in other)


def test_fewer_images_of_a_class_are_among_more():
    less, more = (draws.class_draws(LABELS, n_classes=3, per_class=n, n_draws=1, seed=1)[0] for n in (4, 9))
    for part, expected in zip(parts_of(draws.of_first(more, LABELS, 4)), parts_of(less)):
        np.testing.assert_array_equal(part, expected)


def test_the_first_of_each_class_in_any_order():
    labels = np.array([5, 1, 5, 1, 5, 3, 3, 8])
    draw = draws.Draw(np.array([4, 3, 2, 0, 1]), np.array([7, 6, 5]))
    first = draws.of_first(draw, labels, 2)
    assert first.scored.tolist() == [4, 2, 3, 1] and first.calibration.tolist() == [7, 6, 5]
    assert draws.of_first(draw, labels, 1).scored.tolist() == [4, 3]


@pytest.mark.parametrize(
    "given, words",
    [
        (
            dict(n_classes=3, per_class=10),
            "takes 10 images of each class, but class 2 has 9 here.*raise n_samples",
        ),
        (dict(n_classes=3, per_class=1), "takes 1 images of each class"),
        (
            dict(n_classes=6, per_class=2),
            "a draw of 6 classes was asked for, but the images are of 7: .* 2 others",
        ),
        (dict(n_classes=1, per_class=2), "a draw of 1 classes was asked for"),
        (dict(n_classes=-2, per_class=2), "a draw of -2 classes was asked for"),
    ],
)
def test_says_what_cannot_be_drawn(given, words):
    with pytest.raises(InputError, match=words):
        draws.class_draws(LABELS, **given, n_draws=1, seed=0)


def test_more_images_than_a_multicut_takes_are_refused_before_anything_is_computed():
    labels = np.repeat(np.arange(10), 900)
    with pytest.raises(InputError, match="a multicut takes 1 to 4,000 samples, but was given 4,500"):
        draws.class_draws(labels, n_classes=5, per_class=900, n_draws=1, seed=0)


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
    [draw] = draws.class_draws(TOY, n_classes=3, per_class=10, n_draws=1, seed=0)
    found, calibration = draws.clusterings(features, TOY, draw, rng=np.random.default_rng(0))
    perfect = {"purity": 1, "n_clusters": 3, "ari": 1, "nmi": 1}
    assert found == {"k-means": pytest.approx(perfect), "multicut": pytest.approx(perfect)}
    assert calibration == fit_calibration(features[draw.calibration], TOY[draw.calibration])


def test_without_a_calibration_that_separates_the_multicut_is_nan_and_k_means_stays():
    features, _ = toy()
    [draw] = draws.class_draws(TOY, n_classes=3, per_class=10, n_draws=1, seed=0)
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
def test_rivals_are_all_registered_indicators_but_our_own_and_those_of_the_logits():
    features, logits = toy(apart=2.0)
    found = draws.rivals(features, TOY, logits, rng=np.random.default_rng(0))
    assert set(found) == {*INDICATORS.names()} - {"kmeans_purity"} | {"mean_margin", "mean_max_softmax"}
    assert all(isinstance(value, float) and np.isfinite(value) for value in found.values())
    assert found["mean_margin"] == mean_margin(logits, TOY)
    assert found["mean_max_softmax"] == mean_max_softmax(logits)
    for name in ("silhouette", "neural_collapse", "mean_normalised_rank"):
        assert found[name] == INDICATORS[name](features, TOY, np.random.default_rng(0))


def test_more_clusters_are_purer_and_a_shift_cuts_more():
    features, _ = toy(apart=4.0)
    [draw] = draws.class_draws(TOY, n_classes=3, per_class=10, n_draws=1, seed=0)
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
    draw = draws.of_first(draws.class_draws(TOY, n_classes=3, per_class=10, n_draws=1, seed=0)[0], TOY, 3)
    wide = Calibration(slope=1.0, intercept=100.0, auc=0.9)  # cuts every pair
    found = draws.by_number_of_clusters(features, TOY, draw, wide, rng=np.random.default_rng(0))
    assert [one["n_clusters"] for one in found["k-means"]] == [3, 6, 9, 9]
    assert [one["n_clusters"] for one in found["multicut"]] == [9] * len(draws.SHIFTS)
    assert found["multicut"][0]["purity"] == 1 and found["multicut"][0]["ari"] == 0
