"""Readings: how images become the size that a classifier takes.

The choice matters to a measured accuracy: padding leaves every stroke of a digit as it was and adds a black
rim, resizing makes strokes thicker and softer, cropping loses what lies outside the square. The reading is
therefore part of what a result says of its data.
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
    images = np.asarray(images)
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
    images = np.asarray(images)
    height, width = images.shape[1:3]
    if size % height or size % width:
        raise _unfit("repeated", images, size, "a whole number of copies of every pixel")
    return images.repeat(size // height, axis=1).repeat(size // width, axis=2)


def shape_of_shorter(height: int, width: int, shorter: int) -> tuple[int, int]:
    """Return (height, width) once the shorter side is `shorter`: the longer one truncated, as torchvision's Resize.

    >>> shape_of_shorter(334, 500, 256), shape_of_shorter(500, 334, 256)
    ((256, 383), (383, 256))
    """
    if height <= width:
        return shorter, int(shorter * width / height)
    return int(shorter * height / width), shorter


def middle(side: int, size: int) -> int:
    """Return where the middle `size` of `side` pixels begin: halves go to the even number, as in torchvision's CenterCrop.

    >>> middle(383, 224), middle(385, 224), middle(256, 224)
    (80, 80, 16)
    """
    return round((side - size) / 2)


def resize(images, size: int):
    """Return the images resized to a square of `size` pixels, bilinear (Pillow's, as torchvision's Resize).

    >>> resize(np.full((1, 28, 28, 1), 9, np.uint8), 32).shape
    (1, 32, 32, 1)
    """
    from PIL import Image

    return _each(images, size, lambda picture: picture.resize((size, size), Image.Resampling.BILINEAR))


def crop(images, size: int, shorter: int | None = None):
    """Return the middle square of each image, after its shorter side was resized to `shorter` pixels, bilinear.

    Sides and middle are those of torchvision's Resize and CenterCrop.

    Parameters
    ----------
    images : (n, h, w, c) uint8 or Pictures
    size : int
        Height and width of the result, in pixels.
    shorter : int, optional
        At least `size`; None: `size`, so that nothing of the shorter side is lost.

    Returns
    -------
    (n, size, size, c) uint8

    Examples
    --------
    >>> crop(np.full((1, 60, 90, 3), 9, np.uint8), 32).shape
    (1, 32, 32, 3)
    """
    from PIL import Image

    def cropped(picture):
        width, height = picture.size
        height, width = shape_of_shorter(height, width, shorter or size)
        left, top = middle(width, size), middle(height, size)
        picture = picture.resize((width, height), Image.Resampling.BILINEAR)
        return picture.crop((left, top, left + size, top + size))

    return _each(images, size, cropped)


CROPS = (32, 64, 224)  # sides of the readings that make images of various sizes one


def crop_for(side: int | None) -> str:
    """Return the reading of images of various sizes for a network that takes `side` pixels: the next larger, at most 224.

    >>> crop_for(32), crop_for(48), crop_for(384), crop_for(None)
    ('crop32', 'crop64', 'crop224', 'crop224')
    """
    return f"crop{next((crop for crop in CROPS if side and crop >= side), CROPS[-1])}"


def _each(images, size: int, change):
    from PIL import Image

    channels = images[0].shape[2]
    out = np.empty((len(images), size, size, channels), np.uint8)
    for new, old in zip(out, images):
        picture = Image.fromarray(old[:, :, 0] if channels == 1 else old)
        new[:] = np.asarray(change(picture)).reshape(new.shape)
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
    "resize224": lambda images: resize(images, 224),
    "crop32": lambda images: crop(images, 32),
    "crop64": lambda images: crop(images, 64),
    "crop224": lambda images: crop(images, 224),
    "frame224": lambda images: crop(images, 224, shorter=256),
}
FRAMED = ("frame224",)  # cut as networks cut: one takes the whole of such an image, resized if need be
