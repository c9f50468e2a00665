"""Readings: how small digits become the size that a classifier takes.

The choice matters to a measured accuracy: padding leaves every stroke as it was and adds a black rim,
resizing makes strokes thicker and softer. The reading is therefore part of what a result says of its data.
"""

import numpy as np

from robustshape.errors import InputError


def pad(images, size: int):
    """Return the images in the middle of a black square.

    Parameters
    ----------
    images : (n, h, w, c) uint8
        No larger than `size`, and of the same parity.
    size : int
        Height and width of the result, in pixels.

    Returns
    -------
    (n, size, size, c) uint8

    Examples
    --------
    >>> pad(np.full((1, 2, 2, 1), 9, np.uint8), 4)[0, :, :, 0].tolist()
    [[0, 0, 0, 0], [0, 9, 9, 0], [0, 9, 9, 0], [0, 0, 0, 0]]
    """
    rims = [size - side for side in images.shape[1:3]]
    if any(rim < 0 or rim % 2 for rim in rims):
        raise _unfit("padded", images, size, "the same rim on both sides")
    top, left = (rim // 2 for rim in rims)
    return np.pad(images, ((0, 0), (top, top), (left, left), (0, 0)))


def repeat(images, size: int):
    """Return the images with every pixel repeated a whole number of times, up to `size` pixels a side.

    >>> repeat(np.array([[[[1], [2]], [[3], [4]]]], np.uint8), 4)[0, :, :, 0].tolist()
    [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    """
    height, width = images.shape[1:3]
    if size % height or size % width:
        raise _unfit("repeated", images, size, "a whole number of copies of every pixel")
    return images.repeat(size // height, axis=1).repeat(size // width, axis=2)


def resize(images, size: int):
    """Return the images resized to a square of `size` pixels, bilinear (Pillow's, as torchvision's Resize).

    >>> resize(np.full((1, 28, 28, 1), 9, np.uint8), 32).shape
    (1, 32, 32, 1)
    """
    from PIL import Image

    out = np.empty((len(images), size, size, images.shape[3]), np.uint8)
    for new, old in zip(out, images):
        picture = Image.fromarray(old[:, :, 0] if old.shape[2] == 1 else old)
        new[:] = np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR)).reshape(new.shape)
    return out


def _unfit(done: str, images, size: int, need: str) -> InputError:
    height, width = images.shape[1:3]
    return InputError(
        f"images of {height} x {width} px cannot be {done} to {size} px: that needs {need}; "
        f"use the reading native or resize{size}"
    )


READINGS = {
    "native": lambda images: images,
    "pad32": lambda images: pad(images, 32),
    "repeat32": lambda images: repeat(images, 32),
    "resize32": lambda images: resize(images, 32),
    "resize64": lambda images: resize(images, 64),
}
