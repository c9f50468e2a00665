"""Random numbers that belong to a place of a run, so that a resumed run draws the same."""

import numpy as np
import torch


def generator_at(seed: int, place: tuple[int, ...], device="cpu") -> torch.Generator:
    """Return a generator for a place of the run with this seed: (epoch,), (epoch, batch) ...; no other place has it.

    >>> a, b = (generator_at(0, place).initial_seed() for place in ((1,), (1, 0)))
    >>> a == generator_at(0, (1,)).initial_seed(), a == b
    (True, False)
    """
    state = np.random.SeedSequence([seed, len(place), *place]).generate_state(1, np.uint64)
    return torch.Generator(device).manual_seed(int(state[0]) >> 1)
