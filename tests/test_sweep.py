"""Sweeps over single dimensions equal whole syntheses of moved styles, whatever the layer."""

import numpy as np
import pytest
import torch

from robustshape.errors import InputError
from robustshape.generators.stylegan2 import Generator
from robustshape.generators.stylespace import StyleSpace, images_of, moved
from robustshape.generators.sweep import swept


def some(channels=1, **how):
    """A generator of 16 px and flat styles of five samples."""
    torch.manual_seed(0)
    generator = Generator(4, 3, 4, 16, channels, channel_base=64, channel_max=8, mapping_layers=1, **how)
    w = generator.mapping(torch.randn(5, 4), torch.eye(3)[torch.arange(5) % 3])
    return generator, StyleSpace.of(generator).flat(generator.styles(w)).detach()


@pytest.mark.parametrize("noise", ["const", "none"])
@pytest.mark.parametrize("how", [{}, {"channels": 3}, {"conv_clamp": 0.2}], ids=["grey", "colour", "clamped"])
def test_every_dimension_of_every_layer_moves_as_a_whole_synthesis_does(how, noise):
    generator, styles = some(**how)
    amounts = np.random.default_rng(0).normal(size=(styles.shape[1], 2)) * 3
    found = swept(generator, styles, range(styles.shape[1]), amounts, noise=noise)
    whole = np.array(
        [
            [images_of(generator, moved(styles, d, float(a)), noise=noise) for a in by]
            for d, by in enumerate(amounts)
        ]
    )
    assert found.shape == whole.shape and found.dtype == np.uint8
    differ = np.abs(found.astype(int) - whole)
    assert (
        differ.max() <= 1 and (differ > 0).mean() < 1e-3
    )  # a value between two levels may be rounded either way
    assert (whole != images_of(generator, styles, noise=noise)).any(axis=(1, 2, 3, 4, 5)).mean() > 0.9


def test_dimensions_are_answered_in_the_order_given_and_do_not_disturb_each_other():
    generator, styles = some()
    both = swept(generator, styles, [40, 3], [[2.0], [1.0]])
    assert np.array_equal(both[0], swept(generator, styles, [40], [[2.0]])[0])
    assert np.array_equal(both[1], swept(generator, styles, [3], [[1.0]])[0])
    still = swept(generator, styles, [3], [[0.0, 0.0]])
    assert np.array_equal(still[0, 0], images_of(generator, styles)) and np.array_equal(*still[0])


def test_what_cannot_be_swept_is_refused():
    generator, styles = some()
    with pytest.raises(InputError, match=r"of k = 2 dimensions, at least one, but were \(3, 1\)"):
        swept(generator, styles, [0, 1], np.ones((3, 1)))
    with pytest.raises(InputError, match=r"of k = 0 dimensions, at least one, but were \(0, 2\)"):
        swept(generator, styles, [], np.ones((0, 2)))
    with pytest.raises(InputError, match=f"dimensions 0 to {styles.shape[1] - 1}, but dimension 999"):
        swept(generator, styles, [999], [[1.0]])
    with pytest.raises(
        InputError, match="noise is const or none, the same for every movement, but was 'random'"
    ):
        swept(generator, styles, [0], [[1.0]], noise="random")
