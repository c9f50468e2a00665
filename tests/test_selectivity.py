"""Class selectivity: by hand, by its definition, invariances; the loss and its gradient by plain loops."""

import numpy as np
import pytest
import torch

from robustshape.errors import InputError
from robustshape.indicators.selectivity import (
    EPS,
    class_means,
    class_selectivity,
    feature_selectivity,
    selectivity_loss,
)


def by_definition(responses, labels):
    found = []
    for unit in np.asarray(responses, float).T:
        means = [unit[np.asarray(labels) == c].mean() for c in sorted(set(labels))]
        largest = max(means)
        means.remove(largest)
        rest = sum(means) / len(means)
        found.append((largest - rest) / (largest + rest + EPS))
    return found


def loss_by_loops(pooled, labels):
    """Over layers, their units, and the classes that occur."""
    layers = []
    for layer in pooled:
        units = []
        for u in range(layer.shape[1]):
            means = [layer[labels == c, u].mean() for c in sorted(set(labels.tolist()))]
            at = max(range(len(means)), key=lambda i: float(means[i].detach()))
            rest = sum(mean for i, mean in enumerate(means) if i != at) / (len(means) - 1)
            units.append((means[at] - rest) / (means[at] + rest + EPS))
        layers.append(sum(units) / len(units))
    return sum(layers) / len(layers)


def a_batch(n=40, widths=(3, 5, 2), classes=(0, 2, 3, 7), seed=0):
    """Rectified responses of some layers and labels, of which some classes are absent."""
    generator = torch.Generator().manual_seed(seed)
    pooled = [torch.randn((n, width), generator=generator).relu() for width in widths]
    return pooled, torch.tensor(classes)[torch.randint(len(classes), (n,), generator=generator)]


# the index


def test_by_hand():
    # classes 3, 4, 9 have the means 3, 1, 0 in the first unit: (3 - .5) / 3.5; 2, 2, 2 in the second; 0, 0, 5
    responses = [[2.0, 2.0, 0.0], [4.0, 2.0, 0.0], [1.0, 2.0, 0.0], [0.0, 2.0, 5.0]]
    assert class_selectivity(responses, [3, 3, 4, 9]) == pytest.approx([2.5 / 3.5, 0, 1], abs=1e-6)
    assert class_means(responses, [3, 3, 4, 9]).tolist() == [[3, 2, 0], [1, 2, 0], [0, 2, 5]]


def test_equals_its_definition():
    rng = np.random.default_rng(0)
    responses, labels = np.maximum(rng.standard_normal((300, 7)), 0), rng.integers(0, 6, 300)
    assert class_selectivity(responses, labels) == pytest.approx(by_definition(responses, labels), rel=1e-12)


def test_order_names_and_numbers_of_a_class_do_not_matter():
    rng = np.random.default_rng(1)
    responses, labels = rng.random((60, 4)), np.arange(60) % 3
    expected, order = class_selectivity(responses, labels), rng.permutation(60)
    assert class_selectivity(responses[order], 50 - labels[order]) == pytest.approx(expected)
    again = np.concatenate([responses, responses[labels == 1]])  # each sample of one class twice
    assert class_selectivity(again, [*labels, *labels[labels == 1]]) == pytest.approx(expected)


def test_lies_between_none_and_one_and_a_dead_unit_has_none():
    rng = np.random.default_rng(2)
    responses = rng.random((50, 5)) * [0, 1e-9, 1, 1e6, 1e12]
    found = class_selectivity(responses, rng.integers(0, 4, 50))
    assert found[0] == 0 and found.min() >= 0 and found.max() <= 1 and found.dtype == np.float64


@pytest.mark.parametrize(
    "responses, labels, words",
    [
        (np.ones((3, 2)), [0, 1], r"selectivity needs one label per sample, but was given 3 samples and labels \(2,\)"),
        (np.ones((3, 2)), [0.0, 1.0, 1.0], "labels must be integers, but are float64"),
        (np.ones(3), [0, 1, 2], r"responses are \(sample, unit\), of at least one sample and unit, but were given \S+ \(3,\)"),
        (np.ones((0, 2)), [], r"were given \S+ \(0, 2\)"),
        (np.ones((3, 2)), [4, 4, 4], "needs samples of at least two classes, but all labels are 4"),
        (np.array([[1.0], [np.nan]]), [0, 1], "not finite; the network has diverged"),
        (np.array([[1.0], [-0.25]]), [0, 1], "for rectified responses, at least 0, but one is -0.25"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused(responses, labels, words):
    with pytest.raises(InputError, match=words):
        class_selectivity(responses, labels)


# the loss


@pytest.mark.parametrize("seed", range(5))
def test_the_loss_and_its_gradient_are_those_of_plain_loops(seed):
    pooled, labels = a_batch(seed=seed)
    ours = [layer.clone().requires_grad_() for layer in pooled]
    plain = [layer.double().requires_grad_() for layer in pooled]
    found, expected = selectivity_loss(ours, labels), loss_by_loops(plain, labels)
    assert found.dtype == torch.float32 and found.shape == ()
    assert float(found.detach()) == pytest.approx(float(expected.detach()), abs=1e-6)
    found.backward()
    expected.backward()
    for a, b in zip(ours, plain):
        assert b.grad.abs().max() > 1e-4 and torch.allclose(a.grad.double(), b.grad, rtol=1e-4, atol=1e-7)


def test_the_loss_is_the_mean_of_the_index_over_units_then_layers():
    pooled, labels = a_batch()
    layers = [class_selectivity(layer.numpy(), labels.numpy()).mean() for layer in pooled]
    assert float(selectivity_loss(pooled, labels)) == pytest.approx(np.mean(layers), abs=1e-6)
    wide = np.mean(class_selectivity(np.concatenate(pooled, axis=1), labels.numpy()))
    assert float(selectivity_loss(pooled, labels)) != pytest.approx(wide, abs=1e-3)  # layers count alike


def test_classes_that_are_absent_do_not_count():
    pooled, labels = a_batch()
    assert torch.equal(selectivity_loss(pooled, labels), selectivity_loss(pooled, labels + 100))


def test_a_dead_unit_has_no_selectivity_and_a_gradient_of_numbers():
    alive, labels = a_batch(widths=(3,))[0][0], torch.arange(40) % 4
    dead = torch.zeros(40, 3, requires_grad=True)
    found = selectivity_loss([dead], labels)
    found.backward()
    assert float(found.detach()) == 0 and torch.isfinite(dead.grad).all()
    half = selectivity_loss([alive, dead.detach()], labels)
    assert float(half) == pytest.approx(float(selectivity_loss([alive], labels)) / 2, abs=1e-7)


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_it_is_computed_in_float32_under_autocast(precision):
    pooled, labels = a_batch()
    low = [layer.to(precision) for layer in pooled]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = selectivity_loss(low, labels)
    assert found.dtype == torch.float32
    assert torch.equal(found, selectivity_loss([layer.float() for layer in low], labels))


def test_a_loss_needs_layers_and_classes():
    pooled, labels = a_batch()
    with pytest.raises(InputError, match="the responses of at least one layer, but was given none"):
        selectivity_loss([], labels)
    with pytest.raises(InputError, match="the batch holds class 5 alone; shuffle, or take a larger batch"):
        selectivity_loss(pooled, torch.full((40,), 5))


def test_features_are_rectified_and_averaged():
    features, labels = np.random.default_rng(0).normal(size=(60, 5)), np.arange(60) % 4
    assert feature_selectivity(np.abs(features), labels) == class_selectivity(np.abs(features), labels).mean()
    assert feature_selectivity(features, labels) == class_selectivity(features.clip(0), labels).mean()
    dead = np.column_stack([np.abs(features), -np.ones((60, 5))])
    assert feature_selectivity(dead, labels) == pytest.approx(
        feature_selectivity(np.abs(features), labels) / 2
    )
    assert feature_selectivity(1e4 * np.abs(features), labels) == pytest.approx(
        feature_selectivity(np.abs(features), labels), abs=1e-5
    )
    with pytest.raises(InputError, match="not finite"):
        feature_selectivity(features * np.nan, labels)
