"""Images of the same samples with one dimension of StyleSpace moved, for many dimensions, each from its own layer on.

The layers before the moved one make what they made without it, and a moved step to the image changes nothing but the
image: together half of the work for all dimensions of a generator.
"""

from collections.abc import Iterator

import numpy as np
import torch

from robustshape.errors import InputError
from robustshape.generators.stylegan2.generator import State, last_image
from robustshape.generators.stylegan2.resampling import doubled
from robustshape.generators.stylespace import StyleSpace, grey_levels, moved


def swept(generator, styles, dimensions, amounts, *, noise: str = "const") -> np.ndarray:
    """Return the images of samples of which one dimension is moved, for each dimension and amount.

    Parameters
    ----------
    generator : Generator
    styles : (n, size) float tensor
        Flat, see `StyleSpace.flat`.
    dimensions : sequence of k int
    amounts : (k, m) array of float
        By how much each dimension moves.
    noise : {"const", "none"}

    Returns
    -------
    (k, m, n, r, r, c) uint8 array
        Those of `images_of(generator, moved(styles, dimension, amount))`, but for the last grey level.

    Raises
    ------
    InputError
        If there is no such dimension, amounts and dimensions differ in number, or the noise differs between calls.

    Examples
    --------
    >>> from robustshape.generators.stylegan2 import Generator
    >>> generator = Generator(4, 0, 4, 8, 1, channel_base=32, channel_max=4, mapping_layers=1)
    >>> swept(generator, torch.randn(3, StyleSpace.of(generator).size), [0, 5], [[1, -1], [1, -1]]).shape
    (2, 2, 3, 8, 8, 1)
    """
    amounts = np.asarray(amounts, dtype=float)
    if amounts.ndim != 2 or not amounts.size or len(amounts) != len(dimensions):
        raise InputError(
            f"amounts are (k, m), a row for each of k = {len(dimensions)} dimensions, at least one, but were {amounts.shape}"
        )
    if noise not in ("const", "none"):
        raise InputError(f"noise is const or none, the same for every movement, but was {noise!r}")
    with torch.no_grad():
        made = [grey_levels(images) for images in _moved(generator, styles, dimensions, amounts, noise)]
    return np.stack(made).reshape(*amounts.shape, len(styles), *made[0].shape[1:])


def _moved(generator, styles, dimensions, amounts, noise: str) -> Iterator[torch.Tensor]:
    """Yield the images (m * n, c, r, r) of each dimension."""
    synthesis, space = generator.synthesis, StyleSpace.of(generator)
    states = [None, *synthesis.states(space.split(styles), noise)]
    for dimension, by in zip(dimensions, amounts):
        layer, _ = space.place(int(dimension))
        here, times = space.layers.index(layer), len(by)
        shifted = torch.cat([moved(styles, int(dimension), float(amount)) for amount in by])
        before = _repeated(states[here], times)
        after = synthesis.states(space.split(shifted), noise, after=before)
        if not layer.endswith(".torgb"):
            yield last_image(after)
            continue
        change = next(after).image - states[here + 1].image.repeat(times, 1, 1, 1)
        while change.shape[-1] < generator.settings["img_resolution"]:
            change = doubled(change)
        yield states[-1].image.repeat(times, 1, 1, 1) + change


def _repeated(state: State | None, times: int) -> State | None:
    if state is None:
        return None
    maps, image = state.maps.repeat(times, 1, 1, 1), state.image
    return State(state.done, maps, None if image is None else image.repeat(times, 1, 1, 1))
