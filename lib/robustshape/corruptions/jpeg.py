"""What JPEG does to a batch of images, with one file for all of them.

JPEG (ITU-T T.81) cuts a plane into blocks of 8 x 8 values that do not see each other, so the planes of a batch may
stand one below the other in one grey file, each filled up to whole blocks as the encoder fills an image. What joins
blocks happens outside the file: the colour conversion (ITU-T T.871) before and after, and the chroma's halving and
doubling. These are written out below in libjpeg's integer arithmetic, so that the result equals, bit by bit, that of
one colour file per image as Pillow writes it (4:2:0) and reads it. Opening a file costs as much as coding some
thousand pixels: large colour images get a file each.
"""

from io import BytesIO
from numbers import Integral

import numpy as np

from robustshape.errors import InputError

LARGE = 64 * 64  # pixels; above, a call of Pillow for each colour image is faster (measured)
_TALLEST = 65_500  # the format's largest height, rounded down
_AT_ONCE = 1 << 21  # values worked on at once, lest the intermediate arrays of many images fill the memory

# Table K.2 of T.81; a grey file would use table K.1, which is for the luma
_CHROMA_TABLE = [99] * 64
for _row, _values in enumerate([(17, 18, 24, 47), (18, 21, 26, 66), (24, 26, 56), (47, 66)]):
    _CHROMA_TABLE[8 * _row : 8 * _row + len(_values)] = _values


def saved_as_jpeg(images, quality: int = 85) -> np.ndarray:
    """Return images as they come out of one JPEG file each, written and read by Pillow.

    The published ImageNet-C and Tiny-ImageNet-C were saved so, with quality 85; CIFAR-10-C and CIFAR-100-C were not.

    Parameters
    ----------
    images : (n, h, w, c) uint8
        c = 1 (grey) or 3 (RGB).
    quality : int
        1 to 100.

    Returns
    -------
    (n, h, w, c) uint8

    Raises
    ------
    InputError
        If an argument is not as above.

    Examples
    --------
    >>> saved_as_jpeg(np.full((1, 2, 2, 1), 100, np.uint8)).ravel().tolist()
    [100, 100, 100, 100]
    """
    images = np.asarray(images)
    if (
        images.dtype != np.uint8
        or images.ndim != 4
        or images.shape[3] not in (1, 3)
        or 0 in images.shape[1:3]
    ):
        raise InputError(
            "JPEG files hold images (n, height, width, channels) uint8 with 1 or 3 channels, "
            f"but were given {images.dtype} {images.shape}"
        )
    if isinstance(quality, bool) or not isinstance(quality, Integral) or not 1 <= quality <= 100:
        raise InputError(f"quality {quality!r} cannot be used: it is a whole number from 1 to 100")
    result = np.empty_like(images)
    step = max(1, _AT_ONCE // images[0].size) if len(images) else 1
    for start in range(0, len(images), step):
        part = slice(start, start + step)
        result[part] = through_jpeg(images[part], int(quality))
    return result


def through_jpeg(images, quality: int) -> np.ndarray:
    """Return images (n, h, w, c) uint8 as they come out of JPEG files of this quality."""
    if images.shape[3] == 1:
        return _coded(images[..., 0], quality)[..., None]
    if images[0, ..., 0].size > LARGE:
        return np.stack([_file(image, quality) for image in images])
    luma, blue, red = _to_ycc(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    luma = _coded(luma, quality)
    blue, red = (_doubled(_coded(_halved(c), quality, [_CHROMA_TABLE]), luma.shape[1:]) for c in (blue, red))
    return _to_rgb(luma, blue, red).transpose(0, 2, 3, 1)


def _coded(planes, quality: int, tables=None) -> np.ndarray:
    """Return planes (n, h, w) uint8 after coding, quantising and decoding."""
    n, height, width = planes.shape
    padded = np.pad(planes, ((0, 0), (0, -height % 8), (0, -width % 8)), mode="edge")
    rows = padded.shape[1]
    stacked = padded.reshape(n * rows, -1)
    step = max(1, _TALLEST // rows) * rows
    parts = [_file(stacked[start : start + step], quality, tables) for start in range(0, n * rows, step)]
    return np.concatenate(parts).reshape(padded.shape)[:, :height, :width]


def _file(pixels, quality: int, tables=None) -> np.ndarray:
    """Return pixels (h, w) or (h, w, 3) as they come out of a JPEG file."""
    from PIL import Image

    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, qtables=tables)
    return np.asarray(Image.open(file))


def _to_ycc(images):
    red, green, blue = (images[:, k].astype(np.int32) for k in range(3))
    middle = (128 << 16) + 32767
    return (
        ((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16).astype(np.uint8),
        ((32768 * blue - 11059 * red - 21709 * green + middle) >> 16).astype(np.int16),
        ((32768 * red - 27439 * green - 5329 * blue + middle) >> 16).astype(np.int16),
    )


def _to_rgb(luma, blue, red):
    luma, blue, red = (plane.astype(np.int32) for plane in (luma, blue, red))
    planes = np.empty((len(luma), 3, *luma.shape[1:]), np.int16)
    planes[:, 0] = luma + ((91881 * red + 32768) >> 16)
    planes[:, 1] = luma + ((32768 - 22554 * blue - 46802 * red) >> 16)
    planes[:, 2] = luma + ((116130 * blue + 32768) >> 16)
    return np.clip(planes, 0, 255, out=planes).astype(np.uint8)


def _halved(chroma):
    """Return the means of 2 x 2 values, rounded down and up in turn; columns filled up to whole blocks first."""
    _, height, width = chroma.shape
    chroma = np.pad(chroma, ((0, 0), (0, height % 2), (0, -width % 16)), mode="edge")
    pairs = chroma[:, ::2] + chroma[:, 1::2]
    sums = pairs[:, :, ::2] + pairs[:, :, 1::2]
    sums[:, :, ::2] += 1
    sums[:, :, 1::2] += 2
    return (sums >> 2).astype(np.uint8)


def _doubled(chroma, shape):
    """Return chroma minus 128 at twice the resolution: of the two nearest values, 3/4 and 1/4 along each axis."""
    height, width = shape
    rows, columns = (height + 1) // 2, (width + 1) // 2
    chroma = chroma[:, :rows, :columns].astype(np.int16)
    if columns <= 2:  # too narrow for libjpeg to interpolate
        return chroma.repeat(2, axis=1).repeat(2, axis=2)[:, :height, :width] - 128
    near = np.pad(chroma, ((0, 0), (1, 1), (0, 0)), mode="edge")
    tall = np.empty((len(chroma), 2 * rows, columns), np.int16)
    tall[:, ::2] = 3 * chroma + near[:, :-2]
    tall[:, 1::2] = 3 * chroma + near[:, 2:]
    near = np.pad(tall, ((0, 0), (0, 0), (1, 1)), mode="edge")
    wide = np.empty((len(chroma), 2 * rows, 2 * columns), np.int16)
    wide[:, :, ::2] = 3 * tall + near[:, :, :-2] + 8
    wide[:, :, 1::2] = 3 * tall + near[:, :, 2:] + 7
    return (wide[:, :height, :width] >> 4) - 128
