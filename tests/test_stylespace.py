"""StyleSpace: places and indices, gradients against finite differences, ranking by hand."""

import numpy as np
import pytest
import torch

from robustshape.errors import InputError
from robustshape.generators.stylegan2 import Generator
from robustshape.generators.stylespace import (
    REDUCTIONS,
    SCORES,
    StyleSpace,
    importance,
    moved,
    pixels,
    score_gradients,
    strongest,
)


@pytest.fixture(scope="module")
def scene():
    """A small generator and classifier in float64, flat styles of nine samples, and their classes."""
    torch.manual_seed(0)
    generator = Generator(4, 3, 4, 8, 1, channel_base=32, channel_max=4, mapping_layers=1).double()
    generator.requires_grad_(False)
    classifier = (
        torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 3)).double().requires_grad_(False)
    )
    z, labels = torch.randn(9, 4).double(), torch.arange(9) % 3
    space = StyleSpace.of(generator)
    styles = space.flat(generator.styles(generator.mapping(z, torch.eye(3).double()[labels])))
    return generator, classifier, styles, labels, space


def test_flat_and_split_undo_each_other_and_name_the_same_place(scene):
    generator, _, styles, _, space = scene
    assert (
        space.layers == tuple(generator.styles(torch.zeros(1, 4, 4).double()))
        and space.size == styles.shape[1]
    )
    assert torch.equal(space.flat(space.split(styles)), styles)
    for dimension in range(space.size):
        layer, channel = space.place(dimension)
        assert space.index(layer, channel) == dimension
        assert torch.equal(space.split(styles)[layer][:, channel], styles[:, dimension])
    convolutions = set(space.inside("convolutions").tolist())
    assert all((k in convolutions) == ("conv" in space.place(k)[0]) for k in range(space.size))


@pytest.mark.parametrize("score", SCORES)
def test_gradients_equal_finite_differences(scene, score):
    generator, classifier, styles, labels, space = scene
    gradients, scores = score_gradients(generator, classifier, styles, labels, score=score, chunk=4)

    def by_hand(flat):
        logits = classifier(pixels(generator.synthesise(styles=space.split(flat))))
        if score == "probability":
            logits = logits.softmax(1)
        elif score == "log_probability":
            logits = -torch.nn.functional.cross_entropy(logits, labels, reduction="none")
            return logits
        return logits[torch.arange(9), labels]

    assert torch.allclose(scores, by_hand(styles))
    for dimension in range(0, space.size, 3):
        step = 1e-6
        change = by_hand(moved(styles, dimension, step)) - by_hand(moved(styles, dimension, -step))
        assert torch.allclose(gradients[:, dimension], change / (2 * step), atol=1e-5)


def test_gradients_do_not_depend_on_the_chunk(scene):
    generator, classifier, styles, labels, _ = scene
    whole, _ = score_gradients(generator, classifier, styles, labels, chunk=9)
    assert torch.allclose(whole, score_gradients(generator, classifier, styles, labels, chunk=2)[0])


def test_ranking_by_hand():
    gradients = torch.tensor([[1.0, -2.0, 0.0], [-3.0, -2.0, 1.0]])
    assert importance(gradients).tolist() == [2.0, 2.0, 0.5]
    assert importance(gradients, reduction="signed").tolist() == [-1.0, -2.0, 0.5]
    deviations = torch.tensor([1.0, 0.1, 10.0])
    assert strongest(importance(gradients, deviations), 2).tolist() == [2, 0]
    assert strongest(importance(gradients, reduction="signed"), 3).tolist() == [1, 0, 2]
    assert len(REDUCTIONS) == 2


def test_only_the_asked_dimension_moves(scene):
    styles = scene[2]
    changed = moved(styles, 5, torch.arange(9.0))
    difference = (changed - styles).numpy()
    assert np.array_equal(np.flatnonzero(np.abs(difference).sum(0)), [5])
    assert np.allclose(difference[:, 5], np.arange(9))


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda s: s.place(99), "dimensions 0 to 31, but dimension 99"),
        (lambda s: s.index("b2.conv1", 0), "layers are b4.conv1, .*'b2.conv1'"),
        (lambda s: s.index("b4.conv1", 9), "channels 0 to 3, but 9"),
        (lambda s: s.inside("some"), "all, convolutions, but was 'some'"),
        (lambda s: s.split(torch.zeros(2, 3)), r"\(n, 32\), but were \(2, 3\)"),
        (lambda s: moved(torch.zeros(1, 3), 3, 1.0), "dimensions 0 to 2, but dimension 3"),
        (lambda s: importance(torch.zeros(1, 3), reduction="most"), "absolute, signed, but was 'most'"),
        (lambda s: strongest(torch.zeros(3), 4), "3 dimensions to choose from, but 4"),
        (lambda s: score_gradients(None, None, None, None, score="x"), "but was 'x'"),
    ],
)
def test_what_cannot_be_is_refused(act, said):
    space = StyleSpace(("b4.conv1", "b4.torgb", "b8.conv0", "b8.conv1", "b8.torgb"), (4, 4, 8, 8, 8))
    with pytest.raises(InputError, match=said):
        act(space)
