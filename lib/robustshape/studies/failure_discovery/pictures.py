"""Pictures of a row's samples, drawn again from the generator: the rows hold numbers and no pixels."""

import functools
from pathlib import Path

import numpy as np

from robustshape.errors import RobustshapeError
from robustshape.generators.stylespace import images_of
from robustshape.studies.failure_discovery.scene import all_samples, checksum, generator_path


def of_rows(rows, generator: str = ""):
    """Return `Pictures` of the rows' generator, or None where its file is not here."""
    first = rows.isel(model=0)
    try:
        path = generator_path(generator)
        if checksum(path) != str(first["generator"].values):
            return None
    except RobustshapeError:
        return None
    return Pictures(
        str(path), int(first["n_generated"]), int(first["seed"]), float(first["truncation_psi"]), str(first["noise"].values)
    )  # fmt: skip


class Pictures:
    """The samples of a scene by their place among those asked for, with their styles changed."""

    def __init__(self, path: str, n_asked: int, seed: int, truncation_psi: float, noise: str):
        from robustshape.generators.stylegan2 import read_network

        self.generator, self.noise = read_network(path), noise
        _, self.styles = all_samples(self.generator, n_asked, seed=seed, truncation_psi=truncation_psi)

    def moved(self, sample: int, changes) -> np.ndarray:
        """Return a sample (k, r, r, c) uint8 under each of k changes of its styles (k, size)."""
        styles = self.styles[sample] + self.styles.new_tensor(np.asarray(changes))
        return images_of(self.generator, styles, noise=self.noise)


def generator_samples(path: str, n_classes: int, n: int, seed: int) -> np.ndarray:
    """Return `n` images of every class (n_classes * n, r, r, c), not truncated: what the generator makes."""
    return _samples(path, n_classes, n, seed, checksum(Path(path)))


@functools.lru_cache(maxsize=4)
def _samples(path: str, n_classes: int, n: int, seed: int, _checksum: str) -> np.ndarray:
    from robustshape.generators.quality import sampled
    from robustshape.generators.stylegan2 import read_network

    return sampled(read_network(path), np.repeat(np.arange(n_classes), n), seed=seed)
