"""Interventions on StyleSpace: curves, flips and maps against doing it by hand; greedy choice and names."""

import itertools

import numpy as np
import pytest
import torch

from robustshape.errors import InputError
from robustshape.generators.failures import (
    along,
    first_flips,
    greedy_choice,
    over,
    predictions,
)
from robustshape.generators.naming import effect, spread_of
from robustshape.generators.stylegan2 import Generator
from robustshape.generators.stylespace import StyleSpace, pixels


@pytest.fixture(scope="module")
def scene():
    torch.manual_seed(0)
    generator = Generator(4, 3, 4, 8, 1, channel_base=32, channel_max=4, mapping_layers=1).requires_grad_(
        False
    )
    classifier = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 3)).requires_grad_(False)
    z, labels = torch.randn(7, 4), torch.arange(7) % 3
    space = StyleSpace.of(generator)
    styles = space.flat(generator.styles(generator.mapping(z, torch.eye(3)[labels])))
    return generator, classifier, styles, labels


def by_hand(scene, shifts):
    generator, classifier, styles, labels = scene
    changed = styles.clone()
    for dimension, amount in shifts:
        changed[:, dimension] += amount
    logits = classifier(pixels(generator.synthesise(styles=StyleSpace.of(generator).split(changed))))
    return logits.softmax(1)[torch.arange(7), labels].numpy(), logits.argmax(1).numpy()


def test_predictions_are_those_of_the_classifier_on_the_images(scene):
    found = predictions(*scene, chunk=3)
    probability, predicted = by_hand(scene, [])
    assert np.allclose(found.probability, probability, atol=1e-6) and np.array_equal(
        found.predicted, predicted
    )


def test_curves_and_maps_move_what_they_should(scene):
    curve = along(*scene, 5, [0, 1.5, -2])
    for k, amount in enumerate([0, 1.5, -2]):
        assert np.allclose(curve.probability[k], by_hand(scene, [(5, amount)])[0], atol=1e-6)
    table = over(*scene, (5, 17), ([0.0, 2.0], [-1.0, 0.0, 1.0]))
    assert table.probability.shape == (2, 3, 7)
    for (i, a), (j, b) in itertools.product(enumerate([0.0, 2.0]), enumerate([-1.0, 0.0, 1.0])):
        assert np.allclose(table.probability[i, j], by_hand(scene, [(5, a), (17, b)])[0], atol=1e-6)
        assert np.array_equal(table.predicted[i, j], by_hand(scene, [(5, a), (17, b)])[1])


def test_a_map_of_one_dimension_and_a_missing_one_are_refused(scene):
    with pytest.raises(InputError, match="dimension 5 was given twice"):
        over(*scene, (5, 5), ([0.0], [0.0]))
    with pytest.raises(InputError, match="but dimension 999 was asked for"):
        along(*scene, 999, [0.0])


def test_flips_by_hand():
    right = np.array([[1, 1, 0, 1], [1, 0, 1, 1], [0, 1, 0, 1]], bool)
    assert first_flips(right, [0, 2, 4])[:2].tolist() == [4, 2]
    assert np.isnan(first_flips(right, [0, 2, 4])[2]) and first_flips(right, [0, 2, 4])[3] == np.inf
    with pytest.raises(InputError, match=r"for 2 amounts, but was \(3, 4\)"):
        first_flips(right, [0, 1])


def test_the_greedy_choice_covers_as_a_plain_search_does():
    flipped = np.random.default_rng(0).random((40, 12)) < 0.15
    left, wanted = set(range(40)), []
    for _ in range(5):
        sizes = [len({i for i in left if flipped[i, c]}) for c in range(12)]
        best = int(np.argmax(sizes))
        if not sizes[best]:
            break
        wanted.append((best, sizes[best]))
        left -= {i for i in left if flipped[i, best]}
    assert greedy_choice(flipped, 5) == wanted
    assert greedy_choice(np.zeros((3, 2)), 2) == []
    assert sum(n for _, n in greedy_choice(flipped, 12)) == flipped.any(axis=1).sum()


def test_a_dimension_is_named_by_the_largest_change_in_its_own_spread():
    before = {"noise": np.array([0.0, 0.1, np.nan]), "area": np.array([1.0, 2.0, 3.0])}
    after = {"noise": np.array([0.1, 0.2, 0.5]), "area": np.array([0.0, 1.0, 2.0])}
    found = effect(before, after, {"noise": 0.1, "area": 0.5})
    assert found.name == "area" and found.sizes == pytest.approx({"noise": 1.0, "area": -2.0})
    assert effect(before, before, {"noise": 0.1, "area": 0.5}).name == ""
    assert spread_of(before) == pytest.approx({"noise": 0.05, "area": np.std([1, 2, 3])})
    with pytest.raises(InputError, match="the same attributes are needed"):
        effect(before, {"noise": after["noise"]}, {"noise": 1.0, "area": 1.0})
