"""Digital corruptions: of contrast and colour, of geometry, of resolution, of storage.

Hendrycks and Dietterich (2019), Appendix A. Where an original leaves a choice, or has an oddity:

- contrast, brightness: the original's float64 formula, so the very same grey levels, truncation included.
- brightness, saturate: closed forms of the way to HSV, the change, and back. A grey pixel has hue 0 (red), so
  saturate, where it adds to the saturation, gives it a red tint.
- elastic_transform: the original's constants are shares of 244 px (a slip for 224 px, kept). The affine part is
  exact here; OpenCV rounds it to 1/32 px. As there, a bilinear warp with mirrored edges is followed by another.
- pixelate: Pillow's box filter, bit by bit.
- jpeg_compression: Pillow's, bit by bit, its chroma at half the resolution (`jpeg`).
"""

from functools import lru_cache

import numpy as np

from robustshape.corruptions.blur import smooth
from robustshape.corruptions.catalogue import corruption
from robustshape.corruptions.jpeg import LARGE, through_jpeg


def luma(images) -> np.ndarray:
    """Return the grey (n, 1, h, w) float32 that an RGB image (n, 3, h, w) appears to have (ITU-R BT.601)."""
    red, green, blue = (images[:, k : k + 1].astype(np.float32) for k in range(3))
    return np.float32(0.299) * red + np.float32(0.587) * green + np.float32(0.114) * blue


@corruption("digital", "brings all values closer to the image's mean")
def contrast(images, constants, streams):
    """Return ``(x - mean) c + mean``, the mean taken per image and channel."""
    (factor,) = constants
    means = images.mean(axis=(2, 3), keepdims=True)[..., 0] / 255  # (n, c, 1)
    levels = np.arange(256) / 255.0
    table = (np.clip((levels - means) * factor + means, 0, 1) * 255).astype(np.uint8)  # (n, c, 256)
    first = np.arange(0, table.size, 256).reshape(*table.shape[:2], 1, 1)
    return table.take(images + first, mode="clip")  # no index is outside; clip reads fastest


@corruption("weather", "lightens: daylight")
def brightness(images, constants, streams):
    """Return x with c added to its value (HSV); hue and saturation stay."""
    index = images.max(axis=1, keepdims=True).astype(np.intp) << 8
    return _brightened(*constants).take(index | images, mode="clip")


@lru_cache(maxsize=5)
def _brightened(added: float) -> np.ndarray:
    """Return (65536,) uint8: what a channel becomes, indexed by 256 * largest channel + this channel."""
    value, channel = np.arange(256)[:, None], np.arange(256)
    share = np.where(value > 0, np.minimum(channel, value) / np.maximum(value, 1), 1)  # black has no hue
    return (np.clip(value / 255.0 + added, 0, 1) * share * 255).astype(np.uint8).ravel()


@corruption("digital", "makes colours paler, then stronger", tints=True)
def saturate(images, constants, streams):
    """Return x with its saturation S (HSV) changed to ``a S + b``."""
    factor, added = constants
    value = images.max(axis=1, keepdims=True).astype(np.float32)
    spread = value - images.min(axis=1, keepdims=True)
    saturation = np.clip(spread / np.maximum(value, 1) * np.float32(factor) + np.float32(added), 0, 1)
    towards_grey = (value - images) / np.maximum(spread, 1)  # 0 in the largest channel, 1 in the smallest
    red = np.array([0, 1, 1], np.float32).reshape(3, 1, 1)
    return value * (1 - saturation * np.where(spread > 0, towards_grey, red))


@corruption("digital", "stretches and contracts parts of the image")
def elastic_transform(images, constants, streams):
    """Return x under a random affine map, then under a smooth random displacement."""
    alpha, sigma, jitter = constants
    n, _, height, width = images.shape
    middle = np.array([width // 2, height // 2])
    third = min(height, width) // 3
    corners = middle + third * np.array([[1, 1], [1, -1], [-1, -1]])
    moved = corners + streams.uniform(-jitter, jitter, 3, 2).astype(np.float64)
    # the map from where a pixel is drawn to where it is read: moved corners -> corners
    homogeneous = np.concatenate([moved, np.ones((n, 3, 1))], axis=2)
    affine = np.linalg.solve(homogeneous, np.broadcast_to(corners.astype(float), (n, 3, 2)))
    y, x = np.ogrid[:height, :width]
    y, x = y.astype(np.float32), x.astype(np.float32)
    a = affine.astype(np.float32)[..., None, None]  # (n, 3, 2, 1, 1)
    across = a[:, 0, 0] * x + a[:, 1, 0] * y + a[:, 2, 0]
    down = a[:, 0, 1] * x + a[:, 1, 1] * y + a[:, 2, 1]
    warped = bilinear(images, down, across, _mirror_about_pixel)
    if alpha == 0:
        return warped
    shifts = smooth(streams.uniform(-1, 1, 2, height, width), sigma, "reflect", 3.0) * alpha
    shifts = shifts.astype(np.float32)
    return bilinear(warped, y + shifts[:, 1], x + shifts[:, 0], _mirror_about_edge)


def _mirror_about_pixel(index, size: int):
    """Return indices of c b | a b c d | c b a for any integers."""
    index = np.abs(index) % max(2 * (size - 1), 1)
    return np.minimum(index, 2 * (size - 1) - index)


def _mirror_about_edge(index, size: int):
    """Return indices of b a | a b c d | d c b for any integers."""
    index = index % (2 * size)
    return np.minimum(index, 2 * size - 1 - index)


FARTHEST = 8  # mirrored copies of an image that are laid out side by side
PERIODS = {
    _mirror_about_pixel: lambda size: max(2 * (size - 1), 1),
    _mirror_about_edge: lambda size: 2 * size,
}


def bilinear(images, down, across, mirror) -> np.ndarray:
    """Return images (n, c, h, w) read at coordinates (n, h, w), float32."""
    n, channels, height, width = images.shape
    rows, top, along_y = _neighbours(down, height, mirror)
    columns, left, along_x = _neighbours(across, width, mirror)
    wide = len(columns)
    corner = top * wide + left + (np.arange(n) * (len(rows) * wide)).reshape(n, 1, 1)
    read = np.empty(images.shape, np.float32)
    for channel in range(channels):
        plane = images[:, channel].take(rows, axis=1).take(columns, axis=2)
        plane = plane.astype(np.float32, copy=False).ravel()
        upper, upper_right, lower, lower_right = (
            plane[shift:].take(corner, mode="clip") for shift in (0, 1, wide, wide + 1)
        )
        upper += along_x * (upper_right - upper)
        lower += along_x * (lower_right - lower)
        read[:, channel] = upper + along_y * (lower - upper)
    return read


def _neighbours(at, size: int, mirror):
    """Return the pixels that a mirrored row needs, the place in it before each coordinate, and the way from there."""
    before = np.floor(at)
    way = at - before
    before = before.astype(np.intp)
    low, high = int(before.min()), int(before.max())
    if (
        high - low > FARTHEST * size
    ):  # of a few pixels the jitter makes an affine map that enlarges a thousandfold
        before %= PERIODS[mirror](size)
        low, high = int(before.min()), int(before.max())
    before -= low
    return mirror(np.arange(low, high + 2), size), before, way


@corruption("digital", "enlarges a small version: blocks appear", interleaved=True)
def pixelate(images, constants, streams):
    """Return x made smaller by averaging boxes, and made as large as before.

    Pillow averages along rows, rounds, and averages along columns; for small images, a call for each of which would
    cost more than its pixels, here it does the first for all below one another, the second for all side by side.
    """
    (share,) = constants
    n, height, width, channels = images.shape
    rows, columns = max(1, int(height * share)), max(1, int(width * share))
    up, right = (_centres(small_side, side) for small_side, side in ((rows, height), (columns, width)))
    if height * width > LARGE:
        pictures = images[..., 0] if channels == 1 else images
        small = np.stack([_box_averaged(picture, rows, columns) for picture in pictures])
        return small.reshape(n, rows, columns, channels).take(right, axis=2).take(up, axis=1)
    planes = np.ascontiguousarray(images.transpose(0, 3, 1, 2)).reshape(-1, width)
    small = _box_averaged(planes, len(planes), columns)
    small = small.reshape(-1, height, columns).transpose(1, 0, 2)  # (h, image and channel, columns)
    small = _box_averaged(small.reshape(height, -1), rows, n * channels * columns)
    small = small.reshape(rows, n, channels, columns).transpose(1, 2, 0, 3)
    return small.take(right, axis=3).take(up, axis=2).transpose(0, 2, 3, 1)


def _box_averaged(pixels, rows: int, columns: int):
    from PIL import Image

    return np.asarray(Image.fromarray(pixels).resize((columns, rows), Image.Resampling.BOX))


def _centres(small: int, side: int):
    """Return which of `small` pixels the centre of each of `side` pixels lies in."""
    return (2 * np.arange(side) + 1) * small // (2 * side)


@corruption("digital", "is stored as a JPEG of low quality", interleaved=True)
def jpeg_compression(images, constants, streams):
    """Return x after it was a JPEG file."""
    (quality,) = constants
    return through_jpeg(images, quality)
