"""What can be seen of a digit and measured: noise, blur, contrast, stroke width, slant and area.

A dimension of StyleSpace is named by the one that changes most when it moves. Each is a number for each image that grows
with what it is named for; none is exact: a strong blur also thickens strokes.

A new one is one function here, decorated with `attribute`. It is measured beside the others and kept under its own name and
version, and changes none of their numbers: directions and severities are those of `FIRST`.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from robustshape.errors import InputError
from robustshape.registry import Registry

ATTRIBUTES = Registry("attribute", "robustshape.generators.attributes.ATTRIBUTES.names()")
FIRST = (
    "area",
    "blur",
    "contrast",
    "noise",
    "slant",
    "stroke_width",
)  # all that there were when rows were published


def attribute(name: str, *, quality: bool, version: int = 1):
    """Register an attribute: a function of `Grey` images that returns a number for each, NaN where there is none.

    Parameters
    ----------
    name : str
    quality : bool
        Whether it is of the image's quality, such as noise, or of the shape of what is seen.
    version : int
        Raise it when a change of the function changes its numbers.
    """
    return ATTRIBUTES.register(name, quality=quality, version=version)


def added() -> list[str]:
    """Return the names of the attributes that are not of the `FIRST`."""
    return [name for name in ATTRIBUTES.names() if name not in FIRST]


def identity(name: str) -> str:
    """Return what stands for an attribute in a key: its name, with its version if that is not the first.

    >>> identity("noise")
    'noise'
    """
    version = ATTRIBUTES.about(name)["version"]
    return name if version == 1 else f"{name} {version}"


def of_quality() -> list[str]:
    """Return the attributes of an image's quality; the others are of the shape of what is seen.

    >>> [name for name in of_quality() if name in FIRST]
    ['blur', 'contrast', 'noise']
    """
    return [name for name in ATTRIBUTES.names() if ATTRIBUTES.about(name)["quality"]]


@dataclass(frozen=True)
class Grey:
    """Grey images (n, h, w) in [0, 1], and what several attributes take from them, computed once."""

    images: np.ndarray

    @cached_property
    def calm(self):
        """The images (n, h, w) after a median filter of 3 x 3 against noise."""
        return median_filtered(self.images)

    @cached_property
    def digit(self):
        """Which pixels (n, h, w) belong to the digit: those above half of the brightest, after a filter against noise."""
        calm = ndimage.gaussian_filter(self.images, sigma=(0, 0.7, 0.7))
        low, high = np.median(calm, axis=(1, 2), keepdims=True), calm.max(axis=(1, 2), keepdims=True)
        return (calm > (low + high) / 2) & (high > low)


def measured(images, names=None) -> dict[str, np.ndarray]:
    """Return attributes of grey images.

    Parameters
    ----------
    images : (n, h, w) float
        In [0, 1], a bright digit on black.
    names : sequence of str, optional
        Which ones, in this order; by default all, sorted.

    Returns
    -------
    dict of str -> (n,) float
        NaN where an image has nothing to measure.

    Examples
    --------
    >>> image = np.zeros((1, 8, 8))
    >>> image[0, 2:6, 3:5] = 0.5
    >>> {name: round(float(values[0]), 2) for name, values in measured(image, FIRST).items()}
    {'area': 0.12, 'blur': 0.4, 'contrast': 0.5, 'noise': 0.0, 'slant': 0.0, 'stroke_width': 1.33}
    """
    images = np.asarray(images, dtype=float)
    if images.ndim != 3 or not len(images):
        raise InputError(f"attributes are measured on grey images (n, h, w), but were given {images.shape}")
    seen = Grey(images)
    return {name: ATTRIBUTES[name](seen) for name in (ATTRIBUTES.names() if names is None else names)}


def median_filtered(images):
    """Return images (n, h, w) of medians of 3 x 3 pixels; beyond the border the outermost ones again.

    The median of nine is that of the largest of three columns' least, the median of their medians and the least of their
    largest; the columns are sorted once for all three medians that they take part in.

    >>> median_filtered(np.array([[[0, 0, 9.0], [0, 5, 9], [0, 0, 9]]]))[0]
    array([[0., 0., 9.],
           [0., 0., 9.],
           [0., 0., 9.]])
    """
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)), mode="edge")
    least, middle, most = _sorted(padded[:, :-2], padded[:, 1:-1], padded[:, 2:])
    least = np.maximum(np.maximum(least[..., :-2], least[..., 1:-1]), least[..., 2:])
    most = np.minimum(np.minimum(most[..., :-2], most[..., 1:-1]), most[..., 2:])
    middle = _sorted(middle[..., :-2], middle[..., 1:-1], middle[..., 2:])[1]
    return _sorted(least, middle, most)[1]


def _sorted(a, b, c):
    """Return the least, the middle and the largest of three arrays, place by place."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    return np.minimum(low, c), np.maximum(low, np.minimum(high, c)), np.maximum(high, c)


@attribute("noise", quality=True)
def noise(seen: Grey):
    """Return the standard deviation of noise: the median size of what a Laplacian difference leaves of edges.

    The mask is that of Immerkaer 1996 (doi:10.1006/cviu.1996.0060); the median instead of the mean, so that the few
    pixels of a stroke's edge do not count as noise.
    """
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]]) / 6
    left = ndimage.convolve(seen.images, mask[None], mode="nearest")[:, 1:-1, 1:-1]
    return np.median(np.abs(left), axis=(1, 2)) / 0.6745


@attribute("blur", quality=True)
def blur(seen: Grey):
    """Return the standard deviation in pixels of the Gaussian whose edge of the image's contrast is as steep.

    An edge of height A under a Gaussian of deviation s has the slope A / (s sqrt(2 pi)).
    """
    calm = seen.calm
    slopes = np.maximum(np.abs(np.diff(calm, axis=1)).max((1, 2)), np.abs(np.diff(calm, axis=2)).max((1, 2)))
    return _ratio(_range(calm), slopes * np.sqrt(2 * np.pi))


@attribute("contrast", quality=True)
def contrast(seen: Grey):
    """Return the brightest value, after a median filter against noise, minus the median one."""
    return _range(seen.calm)


@attribute("area", quality=False)
def area(seen: Grey):
    """Return the share of pixels that belong to the digit."""
    return seen.digit.mean(axis=(1, 2))


@attribute("stroke_width", quality=False)
def stroke_width(seen: Grey):
    """Return twice the digit's area over the length of its border, in pixels: the width of a long stroke."""
    digit = np.pad(seen.digit, ((0, 0), (1, 1), (1, 1))).astype(int)
    border = np.abs(np.diff(digit, axis=1)).sum((1, 2)) + np.abs(np.diff(digit, axis=2)).sum((1, 2))
    return _ratio(2.0 * digit.sum((1, 2)), border)


@attribute("slant", quality=False)
def slant(seen: Grey):
    """Return by how many columns the digit leans to the right for each row upwards: a ratio of its second moments."""
    digit = seen.digit
    y, x = np.mgrid[: digit.shape[1], : digit.shape[2]]
    mass = digit.sum((1, 2))
    dx = x - _ratio((digit * x).sum((1, 2)), mass)[:, None, None]
    dy = y - _ratio((digit * y).sum((1, 2)), mass)[:, None, None]
    return 0.0 - _ratio((digit * dx * dy).sum((1, 2)), (digit * dy**2).sum((1, 2)))


def _range(images):
    return images.max(axis=(1, 2)) - np.median(images, axis=(1, 2))


def _ratio(above, below):
    return np.divide(above, below, out=np.full(len(above), np.nan), where=np.asarray(below) > 0)
