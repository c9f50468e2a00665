"""Draws of classes, the same for all networks: on six even classes, and on labels with gaps and classes of many sizes."""

import numpy as np
import pytest

from robustshape.errors import InputError
from robustshape.measurements.draws import Draw, class_draws, of_first

SIX = np.repeat(np.arange(6), 8)
SIZES = {2: 9, 3: 30, 7: 12, 11: 9, 40: 17, 41: 10, 90: 14}  # images of each class; numbers with gaps
LABELS = np.random.default_rng(0).permutation(np.repeat(list(SIZES), list(SIZES.values())))


def parts_of(draw):
    return draw.scored, draw.calibration


def test_a_draw_and_its_calibration_share_no_class_and_no_image():
    for draw in class_draws(SIX, n_classes=0, per_class=5, n_draws=6, seed=3):
        scored, other = SIX[draw.scored], SIX[draw.calibration]
        assert not set(scored) & set(other) and len(set(scored)) == len(set(other)) == 3
        for part in (draw.scored, draw.calibration):
            assert len(set(part)) == 15 and set(np.unique(SIX[part], return_counts=True)[1]) == {5}


def test_draws_depend_on_seed_and_labels_alone():
    given = dict(n_classes=2, per_class=4)
    few, many = (class_draws(SIX, **given, n_draws=n, seed=1) for n in (2, 5))
    for a, b in zip(few, many):
        np.testing.assert_array_equal(a.scored, b.scored)
        np.testing.assert_array_equal(a.calibration, b.calibration)
    other = class_draws(SIX, **given, n_draws=1, seed=2)[0]
    assert set(map(tuple, [d.scored for d in many])).isdisjoint({tuple(other.scored)})


def test_what_is_left_calibrates_and_too_little_is_refused():
    [draw] = class_draws(SIX, n_classes=4, per_class=3, n_draws=1, seed=0)
    assert len(set(SIX[draw.calibration])) == 2
    with pytest.raises(InputError, match="a draw of 5 classes was asked for, but the images are of 6"):
        class_draws(SIX, n_classes=5, per_class=3, n_draws=1, seed=0)
    with pytest.raises(InputError, match="takes 9 images of each class, but class 0 has 8"):
        class_draws(SIX, n_classes=2, per_class=9, n_draws=1, seed=0)


def test_fewer_images_are_the_first_of_each_class():
    [draw] = class_draws(SIX, n_classes=2, per_class=4, n_draws=1, seed=0)
    less = of_first(draw, SIX, 2)
    np.testing.assert_array_equal(less.scored, draw.scored[[0, 1, 4, 5]])
    np.testing.assert_array_equal(less.calibration, draw.calibration[[0, 1, 4, 5]])


def test_classes_are_disjoint_of_one_size_and_no_image_is_drawn_twice():
    for n_classes, per_class in [(2, 9), (3, 2), (3, 9)]:
        for draw in class_draws(LABELS, n_classes=n_classes, per_class=per_class, n_draws=20, seed=5):
            for part in parts_of(draw):
                classes, sizes = np.unique(LABELS[part], return_counts=True)
                assert len(classes) == n_classes and set(sizes) == {per_class}
            both = np.concatenate(parts_of(draw))
            assert len(set(both)) == len(both) and len(set(LABELS[both])) == 2 * n_classes


def test_half_of_an_odd_number_of_classes_is_scored_and_as_many_calibrate():
    [draw] = class_draws(LABELS, n_classes=0, per_class=3, n_draws=1, seed=0)
    assert [len(set(LABELS[part])) for part in parts_of(draw)] == [3, 3]
    [draw] = class_draws(LABELS, n_classes=5, per_class=3, n_draws=1, seed=0)
    assert [len(set(LABELS[part])) for part in parts_of(draw)] == [5, 2]  # no more are left


def test_every_class_and_every_image_has_its_turn():
    found = class_draws(LABELS, n_classes=3, per_class=9, n_draws=200, seed=0)
    scored = np.concatenate([draw.scored for draw in found])
    assert set(scored) == set(range(len(LABELS)))
    share = np.unique(LABELS[scored], return_counts=True)[1] / (9 * 200)
    np.testing.assert_allclose(share, 3 / 7, atol=4 * np.sqrt(3 / 7 * 4 / 7 / 200))


def test_fewer_draws_are_the_first_ones_and_a_seed_makes_others():
    given = dict(n_classes=3, per_class=4)
    many = class_draws(LABELS, **given, n_draws=6, seed=1)
    few = class_draws(LABELS.tolist(), **given, n_draws=2, seed=1)
    assert [[list(part) for part in parts_of(draw)] for draw in few] == [
        [list(part) for part in parts_of(draw)] for draw in many[:2]
    ]
    assert len({tuple(draw.scored) for draw in many}) == 6
    other = class_draws(LABELS, **given, n_draws=6, seed=2)
    assert {tuple(draw.scored) for draw in many}.isdisjoint(tuple(draw.scored) for draw in other)


def test_fewer_images_of_a_class_are_among_more():
    less, more = (class_draws(LABELS, n_classes=3, per_class=n, n_draws=1, seed=1)[0] for n in (4, 9))
    for part, expected in zip(parts_of(of_first(more, LABELS, 4)), parts_of(less)):
        np.testing.assert_array_equal(part, expected)


def test_the_first_of_each_class_in_any_order():
    labels = np.array([5, 1, 5, 1, 5, 3, 3, 8])
    draw = Draw(np.array([4, 3, 2, 0, 1]), np.array([7, 6, 5]))
    first = of_first(draw, labels, 2)
    assert first.scored.tolist() == [4, 2, 3, 1] and first.calibration.tolist() == [7, 6, 5]
    assert of_first(draw, labels, 1).scored.tolist() == [4, 3]


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
        class_draws(LABELS, **given, n_draws=1, seed=0)


def test_more_images_than_a_multicut_takes_are_refused_before_anything_is_computed():
    labels = np.repeat(np.arange(10), 900)
    with pytest.raises(InputError, match="a multicut takes 1 to 4,000 samples, but was given 4,500"):
        class_draws(labels, n_classes=5, per_class=900, n_draws=1, seed=0)
