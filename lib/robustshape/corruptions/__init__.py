"""The common corruptions of Hendrycks and Dietterich (ICLR 2019), for a batch of images at once.

>>> import numpy as np
>>> digits = np.zeros((2, 32, 32, 1), np.uint8)
>>> corrupt(digits, "gaussian_noise", 3, ids=["mnist/test/00000", "mnist/test/00001"]).shape
(2, 32, 32, 1)
>>> CORRUPTIONS.about("frost")["group"], len(STANDARD), EXTRA[:2]
('weather', 15, ('speckle_noise', 'gaussian_blur'))

Where we differ from the original programs, besides what `blur`, `weather` and `digital` say of their own:

- An image's random numbers come from its id, not from its place in a batch.
- Values are clipped and then truncated to 8 bits, as there; but a thousandth of a grey level is added first where
  a result is a sum of products, so that a rounding error cannot cost a flat area one level.
- A grey image gets what a colour image with three equal channels gets, then one channel: the first of three
  independent noises; and the luma (ITU-R BT.601) of what frost, spatter and saturate have tinted.
- The published ImageNet-C was saved as JPEG (quality 85) afterwards; this is not.
"""

from numbers import Integral

import numpy as np

from robustshape.corruptions import blur, digital, noise, weather  # noqa: F401  (they enter themselves)
from robustshape.corruptions.catalogue import CORRUPTIONS, EXTRA, GROUPS, STANDARD
from robustshape.corruptions.constants import CONSTANTS
from robustshape.corruptions.digital import luma
from robustshape.corruptions.randomness import Streams
from robustshape.errors import InputError
from robustshape.registry import unknown_name

VERSION = 1  # raise when a change of all corruptions changes the images; of one, see `versions`

__all__ = ["CORRUPTIONS", "EXTRA", "GROUPS", "STANDARD", "check_constants", "corrupt", "versions"]

_CHUNK = 1 << 17  # values worked on at once: intermediate arrays stay in the cache


def versions(names) -> dict[str, int]:
    """Return the versions of those corruptions that have changed on their own, for keys: the others keep theirs.

    >>> versions(["fog", "spatter"]), versions(["fog"])
    ({'spatter': 2}, {})
    """
    found = {name: CORRUPTIONS.about(name)["version"] for name in names}
    return {name: version for name, version in found.items() if version > 1}


def corrupt(
    images, name: str, severity: int, *, seed: int = 0, ids=None, constants: str = "auto"
) -> np.ndarray:
    """Return corrupted copies of `images`.

    Parameters
    ----------
    images : (n, h, w, c) uint8
        c = 1 (grey) or 3 (RGB).
    name : str
        One of `STANDARD` or `EXTRA`.
    severity : int
        1 (mild) to 5 (severe).
    seed : int
        Another seed gives other random numbers.
    ids : (n,) str or int, optional
        What an image's random numbers come from, together with `seed`, `name` and `severity`; 0..n-1 if not given.
    constants : {"auto", "32", "64", "224"}
        How strong a severity is (`constants`); auto: "32" up to a longer side of 48 px, "64" up to 96, else "224".

    Returns
    -------
    (n, h, w, c) uint8
        The same for an image whatever the others in the batch, their number and their order.

    Raises
    ------
    InputError
        If an argument is not as above; MissingFileError if the photographs that frost needs are missing.

    Examples
    --------
    >>> grey = np.full((1, 2, 2, 1), 100, np.uint8)
    >>> corrupt(grey, "brightness", 5, constants="224").ravel().tolist()
    [227, 227, 227, 227]
    """
    images = _checked_images(images)
    function, about = CORRUPTIONS[name], CORRUPTIONS.about(name)
    if isinstance(severity, bool) or not isinstance(severity, Integral) or not 1 <= severity <= 5:
        raise InputError(
            f"severity {severity!r} cannot be used: it is a whole number from 1 (mild) to 5 (severe)"
        )
    if isinstance(seed, bool) or not isinstance(seed, Integral):
        raise InputError(f"seed {seed!r} cannot be used: it is a whole number")
    row = _table(constants, images.shape)[name][severity - 1]
    ids = _checked_ids(ids, len(images))

    n, height, width, channels = images.shape
    result = np.empty_like(images)
    step = max(about["together"], _CHUNK // (height * width * channels))
    for start in range(0, n, step):
        part = slice(start, start + step)
        if about["interleaved"]:
            result[part] = function(images[part], row, None)
            continue
        planes = np.ascontiguousarray(images[part].transpose(0, 3, 1, 2))  # (n, c, h, w)
        tint = channels == 1 and about["tints"]
        if tint:
            planes = np.repeat(planes, 3, axis=1)
        streams = Streams(ids[part], int(seed), name, int(severity))
        changed = function(planes, row, streams)
        if tint:
            changed = luma(np.clip(changed, 0, 255))
        for channel in range(channels):  # one by one: three long copies are faster than many of three values
            result[part, ..., channel] = _truncated(changed[:, channel])
    return result


def _truncated(values):
    """Return float values on the scale 0..255 clipped and truncated to uint8 (uint8 as it is)."""
    if values.dtype == np.uint8:
        return values
    values = values + values.dtype.type(2**-10)
    return np.clip(values, 0, 255, out=values).astype(np.uint8)


def _checked_images(images):
    images = np.asarray(images)
    if images.dtype != np.uint8:
        raise InputError(
            f"corruptions need images of type uint8 (0..255), but were given {images.dtype}; "
            "convert them, for example (255 * images).round().astype('uint8')"
        )
    if images.ndim != 4 or images.shape[3] not in (1, 3) or 0 in images.shape[1:3]:
        raise InputError(
            f"corruptions need images of shape (n, height, width, channels) with 1 or 3 channels, "
            f"but were given {images.shape}"
        )
    return images


def _checked_ids(ids, n: int):
    if ids is None:
        return range(n)
    if isinstance(ids, str) or not hasattr(ids, "__len__"):
        raise InputError(f"ids are one text or whole number per image, but were given as {ids!r}")
    if len(ids) != n:
        raise InputError(f"there must be one id per image, but {n} images and {len(ids)} ids were given")
    return list(ids)


def _table(constants: str, shape) -> dict:
    if constants == "auto":
        side = max(shape[1:3])
        constants = "32" if side <= 48 else "64" if side <= 96 else "224"
    check_constants(constants)
    return CONSTANTS[constants]


def check_constants(name: str) -> None:
    """Raise InputError unless there is a table of constants of this name, or it is ``auto``."""
    if name not in ("auto", *CONSTANTS):
        raise unknown_name("table of constants", name, ["auto", *CONSTANTS], "constants='auto'")
