"""Class tuning: eta squared by an analysis of variance in loops, precision by a plain sort, ties by hand, chance."""

import numpy as np
import pytest

from robustshape.errors import InputError
from robustshape.indicators.class_tuning import class_variance, precision, shuffled_selectivity
from robustshape.indicators.selectivity import class_selectivity

BOTH = [class_variance, precision]


def sample(seed=0, n=90, units=5, classes=(0, 3, 4, 9)):
    rng = np.random.default_rng(seed)
    labels = rng.choice(classes, n)
    return np.maximum(rng.standard_normal((n, units)) + 0.3 * (labels[:, None] == 3), 0), labels


# class variance


def by_analysis_of_variance(unit, labels):
    """Return the sum of squares between classes over that of all, in plain loops."""
    values, mean = [float(v) for v in unit], sum(map(float, unit)) / len(unit)
    between = 0.0
    for c in set(labels.tolist()):
        own = [v for v, label in zip(values, labels) if label == c]
        between += len(own) * (sum(own) / len(own) - mean) ** 2
    return between / sum((v - mean) ** 2 for v in values)


def test_class_variance_by_hand():
    # class means 1 and 4, of all 2; between: 2 * 1 + 1 * 4 = 6; within: 1 + 1 + 0 = 2
    assert class_variance([[0.0], [2.0], [4.0]], [7, 7, 8]) == pytest.approx([6 / 8])


def test_class_variance_equals_an_analysis_of_variance():
    responses, labels = sample()
    expected = [by_analysis_of_variance(unit, labels) for unit in responses.T]
    assert class_variance(responses, labels) == pytest.approx(expected, rel=1e-9)


def test_class_variance_does_not_depend_on_offset_or_scale():
    responses, labels = sample(1)
    expected = class_variance(responses, labels)
    assert class_variance(3 * responses + 5, labels) == pytest.approx(expected)
    assert class_variance(-1e-9 * responses, labels) == pytest.approx(expected)


def test_a_unit_that_never_varies_has_no_class_variance():
    responses = np.column_stack([np.zeros(6), np.full(6, 0.1), np.arange(6) % 2])
    assert class_variance(responses, np.arange(6) % 2).tolist() == [0, 0, 1]


# precision


def by_sorting(unit, labels):
    """Return the share of the commonest class among the strongest responses, none of which tie."""
    top = max(1, round(len(labels) / len(set(labels.tolist()))))
    strongest = sorted(zip(unit.tolist(), labels.tolist()), reverse=True)[:top]
    seen = [label for _, label in strongest]
    return max(seen.count(label) for label in seen) / top


def test_precision_equals_a_plain_sort_where_nothing_ties():
    _, labels = sample()
    for seed in range(5):
        responses = np.random.default_rng(seed).uniform(0.1, 1, (90, 4)) + 0.4 * (labels == 9)[:, None]
        expected = [by_sorting(unit, labels) for unit in responses.T]
        assert precision(responses, labels) == pytest.approx(expected)


def test_ties_count_by_their_part_by_hand():
    # two of six are looked at: the 5 of class 1, and one of the three 2s, of classes 0, 0 and 1
    assert precision([[5.0], [2.0], [2.0], [2.0], [1.0], [0.0]], [1, 0, 0, 1, 2, 2]) == pytest.approx(
        [(1 + 1 / 3) / 2]
    )
    # responds to one image alone: it, and one of the five zeros, of classes 0, 1, 1, 2, 2
    assert precision([[3.0], [0.0], [0.0], [0.0], [0.0], [0.0]], [0, 0, 1, 1, 2, 2]) == pytest.approx(
        [(1 + 1 / 5) / 2]
    )
    # the same for all: every class by its share
    assert precision(np.ones((6, 1)), [0, 0, 1, 1, 2, 2]) == pytest.approx([1 / 3])


def test_precision_of_a_dead_unit_is_none_and_of_a_perfect_one_all():
    labels = np.arange(12) % 3
    assert precision(np.column_stack([np.zeros(12), labels == 1, labels == 2]), labels).tolist() == [0, 1, 1]


def test_only_the_order_of_responses_matters_to_precision():
    responses, labels = sample(2)
    expected = precision(responses, labels)
    assert precision(np.expm1(responses), labels) == pytest.approx(expected)


@pytest.mark.parametrize("measure", BOTH)
def test_both_lie_between_none_and_all_whatever_the_order_and_the_names(measure):
    responses, labels = sample(3)
    found, order = measure(responses, labels), np.random.default_rng(4).permutation(90)
    assert found.shape == (5,) and found.dtype == np.float64 and found.min() >= 0 and found.max() <= 1
    assert measure(responses[order], 50 - labels[order]) == pytest.approx(found)
    assert measure(responses[:, ::-1], labels) == pytest.approx(found[::-1])


@pytest.mark.parametrize("measure", BOTH)
@pytest.mark.parametrize(
    "responses, labels, words",
    [
        (np.ones((3, 2)), [0, 1], r"needs one label per sample, but was given 3 samples and labels \(2,\)"),
        (np.ones((3, 2)), [4, 4, 4], "needs samples of at least two classes, but all labels are 4"),
        (np.array([[1.0], [np.nan]]), [0, 1], "not finite; the network has diverged"),
    ],
)
def test_what_cannot_be_used_is_refused(measure, responses, labels, words):
    with pytest.raises(InputError, match=words):
        measure(responses, labels)


# chance


def test_the_floor_is_the_index_of_shuffled_labels():
    responses, labels = sample(5)
    rng, dealt = np.random.default_rng(6), np.random.default_rng(6)
    expected = np.mean([class_selectivity(responses, dealt.permutation(labels)) for _ in range(4)], axis=0)
    assert shuffled_selectivity(responses, labels, rng=rng, times=4) == pytest.approx(expected)
    again = shuffled_selectivity(responses, labels, rng=np.random.default_rng(7), times=4)
    assert not np.allclose(again, expected)


def test_the_floor_is_low_for_many_samples_and_says_nothing_of_the_true_labels():
    labels = np.arange(600) % 6
    responses = np.column_stack([labels == 2, np.zeros(600)]).astype(float)
    few = shuffled_selectivity(responses[:60], labels[:60], rng=np.random.default_rng(0))
    many = shuffled_selectivity(responses, labels, rng=np.random.default_rng(0))
    assert 0 < many[0] < few[0] < class_selectivity(responses, labels)[0]
    assert many[0] < 0.3 and many[1] == 0
    order = np.random.default_rng(1).permutation(600)
    moved = shuffled_selectivity(responses[order], labels[order], rng=np.random.default_rng(2), times=40)
    assert moved == pytest.approx(
        shuffled_selectivity(responses, labels, rng=np.random.default_rng(3), times=40), rel=0.15
    )


@pytest.mark.parametrize("times", [0, -1])
def test_labels_are_dealt_out_at_least_once(times):
    with pytest.raises(InputError, match=f"dealt out at least once, but times is {times}"):
        shuffled_selectivity(np.ones((2, 1)), [0, 1], rng=np.random.default_rng(0), times=times)


@pytest.mark.parametrize("share, index", [(1.0, 0.03), (0.2, 0.3), (0.05, 0.5)])
def test_the_index_less_the_floor_is_none_for_units_that_heed_no_class(share, index):
    """However seldom they respond, though the index alone is the higher for it."""
    rng, labels = np.random.default_rng(8), np.arange(200) % 10
    noise = rng.uniform(0.5, 1.5, (200, 800)) * (rng.uniform(size=(200, 800)) < share)
    found, floor = class_selectivity(noise, labels), shuffled_selectivity(noise, labels, rng=rng, times=5)
    assert found.mean() > index and abs((found - floor).mean()) < 0.01
    tuned = noise + (labels == 3)[:, None]
    above = class_selectivity(tuned, labels) - shuffled_selectivity(tuned, labels, rng=rng, times=5)
    assert above.mean() > 0.2
