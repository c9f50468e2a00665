"""Blurs, and the linear maps that they and the weather are made of.

Hendrycks and Dietterich (2019), Appendix A. Where an original leaves a choice, or has an oddity:

- glass_blur: the original means to exchange two pixels, but of a colour image it assigns one view of the array to
  another and so copies the displaced pixel over the first. The published data sets were made that way; so do we,
  grey images included. It uses the 8-bit, truncated blurred image in between, and a border is left untouched.
- motion_blur: the original calls ImageMagick; this is its method (a one-sided Gaussian along a line of rounded
  pixel steps, edges repeated) without its 16-bit rounding.
- zoom_blur: zooms are those of ``numpy.arange(1, end, step)``, whose rounding puts 1.06 and 1.11 themselves in the
  list; each zoom is cropped to its centre. Images need not be square.
- defocus_blur: the disk is drawn on a grid of whole pixels, so a radius below 1 leaves only its antialiasing;
  where it fills the grid (radius 8 and 10) the antialiasing makes it sum to 1.01, and the image a little lighter.
"""

from functools import lru_cache
from math import ceil

import numpy as np

from robustshape.corruptions.catalogue import corruption

_SMALL = 64  # pixels; an image with a longer side is worked on plane by plane: intermediate arrays stay in the cache

# ------------------------------------------------------------------------------------------- linear maps


@lru_cache(maxsize=32)
def gaussian_matrix(size: int, sigma: float, mode: str = "nearest", truncate: float = 4.0) -> np.ndarray:
    """Return the (size, size) float64 matrix that blurs a row of pixels, edges included.

    >>> gaussian_matrix(3, 0.5).round(2)
    array([[0.89, 0.11, 0.  ],
           [0.11, 0.79, 0.11],
           [0.  , 0.11, 0.89]])
    """
    from scipy.ndimage import gaussian_filter1d

    if sigma == 0:
        return np.eye(size)
    return gaussian_filter1d(np.eye(size), sigma, axis=0, mode=mode, truncate=truncate)


def smooth(planes, sigma: float, mode: str = "nearest", truncate: float = 4.0) -> np.ndarray:
    """Return planes (..., h, w) blurred by a Gaussian, float64.

    Products with small matrices, one plane at a time: faster than a filter, and since BLAS sees the same shapes
    whatever the batch, and float64 hides its rounding, independent of batch and threads.
    """
    height, width = planes.shape[-2:]
    if max(height, width) <= _SMALL:
        down, across = (gaussian_matrix(side, sigma, mode, truncate) for side in (height, width))
        return down @ planes.astype(np.float64) @ across.T
    down, across = (_bands(side, sigma, mode, truncate) for side in (height, width))
    smoothed = np.empty(planes.shape)
    between = np.empty((height, width))
    for plane, result in zip(planes.reshape(-1, height, width), smoothed.reshape(-1, height, width)):
        plane = plane.astype(np.float64)
        for rows, used, weights in down:
            np.matmul(weights, plane[used], out=between[rows])
        for columns, used, weights in across:
            np.matmul(between[:, used], weights.T, out=result[:, columns])
    return smoothed


@lru_cache(maxsize=32)
def _bands(size: int, sigma: float, mode: str, truncate: float, *, block: int = 32) -> list[tuple]:
    """Return the Gaussian matrix a block of rows at a time: the rows, the columns not zero there, the block."""
    matrix = gaussian_matrix(size, sigma, mode, truncate)
    bands = []
    for start in range(0, size, block):
        rows = slice(start, start + block)
        used = np.flatnonzero(matrix[rows].any(axis=0))
        used = slice(used[0], used[-1] + 1)
        bands.append((rows, used, matrix[rows, used].copy()))
    return bands


def zoom_matrix(size: int, factor: float) -> tuple[np.ndarray, int]:
    """Return the (size, crop) matrix that enlarges the central `crop` pixels of a row, and where the crop starts."""
    crop = ceil(size / factor)
    grown = round(crop * factor)
    at = np.arange(size) + (grown - size) // 2
    at = at * ((crop - 1) / max(grown - 1, 1))
    left = np.minimum(at.astype(int), max(crop - 2, 0))
    matrix = np.zeros((size, crop))
    rows = np.arange(size)
    matrix[rows, left] = 1 - (at - left)
    matrix[rows, np.minimum(left + 1, crop - 1)] += at - left
    return matrix, (size - crop) // 2


def streak(planes, radius: int, sigma: float, degrees) -> np.ndarray:
    """Return planes (n, c, h, w) smeared along a line of (n,) directions, float32 (motion blur of ImageMagick)."""
    n, _, height, width = planes.shape
    steps = np.arange(2 * radius + 1)
    weights = np.exp(-(steps**2) / (2 * sigma**2))
    weights = (weights / weights.sum()).astype(np.float32)
    angles = np.deg2rad(degrees.astype(np.float64))[:, None]
    down = np.ceil(steps * np.sin(angles) - 0.5).astype(int)  # (n, step)
    across = np.ceil(steps * np.cos(angles) - 0.5).astype(int)

    borders = [(0, 0), (0, 0), *((-int(shift.min()), int(shift.max())) for shift in (down, across))]
    padded = np.pad(planes, borders, mode="edge").astype(np.float32)
    down, across = down - down.min(), across - across.min()
    if max(height, width) > _SMALL:  # rows of a padded plane one after the other: every shift is one long row
        starts = down * padded.shape[3] + across
        size = padded[0, 0].size - starts.max()
        total, shifted = np.zeros_like(padded), np.empty(size, np.float32)
        for image, sums, first in zip(padded, total, starts):
            for plane, result in zip(image.reshape(len(image), -1), sums.reshape(len(sums), -1)[:, :size]):
                for start, weight in zip(first, weights):
                    result += np.multiply(plane[start : start + size], weight, out=shifted)
        return total[:, :, :height, :width]
    total = np.zeros(planes.shape, np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (height, width), axis=(2, 3))
    windows = windows.transpose(0, 2, 3, 1, 4, 5)  # (n, shift down, shift across, c, h, w)
    image = np.arange(n)
    for step, weight in enumerate(weights):
        shifted = windows[image, down[:, step], across[:, step]]
        shifted *= weight
        total += shifted
    return total


def correlate(planes, kernel) -> np.ndarray:
    """Return planes (n, c, h, w) correlated with an odd (k, k) kernel, edges mirrored about the edge pixel."""
    from scipy.fft import irfft2, next_fast_len, rfft2

    reach = len(kernel) // 2
    height, width = planes.shape[2:]
    padded = np.pad(planes, ((0, 0), (0, 0), (reach, reach), (reach, reach)), mode="reflect")
    if reach <= 2:
        padded, total = padded.astype(np.float32), np.zeros(planes.shape, np.float32)
        for (y, x), weight in np.ndenumerate(kernel.astype(np.float32)):
            if weight:
                total += weight * padded[:, :, y : y + height, x : x + width]
        return total
    shape = [next_fast_len(side, real=True) for side in padded.shape[2:]]
    response = _response(kernel.tobytes(), len(kernel), *shape)
    inner = np.s_[:, 2 * reach : 2 * reach + height, 2 * reach : 2 * reach + width]
    padded, total = padded.reshape(-1, *padded.shape[2:]), np.empty(planes.shape)
    step = max(1, (1 << 15) // (height * width))  # planes at once: they stay in the cache
    for start in range(0, len(padded), step):
        spectrum = rfft2(padded[start : start + step].astype(np.float64), shape, workers=1)
        spectrum *= response
        total.reshape(-1, height, width)[start : start + step] = irfft2(spectrum, shape, workers=1)[inner]
    return total


@lru_cache(maxsize=8)
def _response(kernel: bytes, side: int, height: int, width: int) -> np.ndarray:
    """Return the spectrum of a float64 kernel (side, side): the same for all images of a size."""
    from scipy.fft import rfft2

    return rfft2(np.frombuffer(kernel).reshape(side, side)[::-1, ::-1], (height, width), workers=1)


# ------------------------------------------------------------------------------------------- corruptions


@corruption("blur", "blurs by a Gaussian")
def gaussian_blur(images, constants, streams):
    """Return x blurred by a Gaussian."""
    (sigma,) = constants
    return smooth(images, sigma)


@corruption("blur", "is out of focus: every point becomes a disk")
def defocus_blur(images, constants, streams):
    """Return x correlated with an antialiased disk."""
    return correlate(images, disk(*constants))


@lru_cache(maxsize=16)
def disk(radius: float, antialias: float) -> np.ndarray:
    """Return the (k, k) kernel of a disk that sums to 1, without empty borders."""
    from scipy.ndimage import correlate1d

    reach, taps = (8, 1) if radius <= 8 else (int(radius), 2)
    line = np.arange(-reach, reach + 1)
    kernel = (line[:, None] ** 2 + line**2 <= radius**2).astype(float)
    kernel /= kernel.sum()
    bell = np.exp(-(np.arange(-taps, taps + 1) ** 2) / (2 * antialias**2))
    for axis in (0, 1):
        kernel = correlate1d(kernel, bell / bell.sum(), axis, mode="mirror")
    kernel[kernel < 1e-7] = 0
    empty = int(np.argmax(kernel.any(axis=1)))
    return kernel[empty : len(kernel) - empty, empty : len(kernel) - empty]


@corruption("blur", "looks through frosted glass: pixels are taken from near by")
def glass_blur(images, constants, streams):
    """Return x blurred, its pixels displaced at random, and blurred again."""
    sigma, reach, rounds = constants
    n, channels, height, width = images.shape
    pixels = (smooth(images, sigma) + 2**-10).astype(np.uint8).reshape(n, channels, -1)
    sources = displaced(streams.integers(-reach, reach, 2, height, width), reach)
    for _ in range(rounds - 1):  # to move pointers round by round is faster than to move pixels
        further = displaced(streams.integers(-reach, reach, 2, height, width), reach)
        sources = np.take_along_axis(sources, further, axis=1)
    pixels = np.stack([image.take(source, axis=1) for image, source in zip(pixels, sources)])
    return smooth(pixels.reshape(images.shape), sigma)


def displaced(shifts, reach: int) -> np.ndarray:
    """Return where each pixel's value comes from, (n, h * w) indices, for shifts (n, 2, h, w) down and across.

    From the bottom right to the top left, inside the border, each pixel copies the one at its shift: if that one
    stands later in reading order it already holds a copy, so pointers are followed until they end.
    """
    n, _, height, width = shifts.shape
    size = height * width
    here = np.arange(n * size)
    within = np.s_[:, reach + 1 : height - reach + 1, reach + 1 : width - reach + 1]
    inside = np.zeros((n, height, width), bool)
    inside[within] = True
    target = here.copy()
    target.reshape(inside.shape)[within] += (shifts[:, 0] * width + shifts[:, 1])[within]
    of_a_copy = (target > here) & inside.take(target)
    source = target.copy()
    going = np.flatnonzero(of_a_copy)
    while going.size:  # about half of them end with every step
        at = source.take(going)
        source[going] = target.take(at)
        going = going[of_a_copy.take(at)]
    return source.reshape(n, size) - np.arange(0, n * size, size)[:, None]


@corruption("blur", "moves while the shutter is open")
def motion_blur(images, constants, streams):
    """Return x smeared along a line at an angle of U(-45, 45) degrees."""
    radius, sigma = constants
    return streak(images, radius, sigma, streams.uniform(-45, 45, 1)[:, 0])


@corruption("blur", "moves towards the object while the shutter is open", together=8)
def zoom_blur(images, constants, streams):
    """Return the mean of x and of its zooms."""
    n, channels, height, width = images.shape
    columns = images.reshape(n * channels, -1).T.astype(np.float32)
    blurred = _zoom_operator(height, width, *constants) @ columns  # (pixel, image and channel)
    return blurred.T.reshape(images.shape)


@lru_cache(maxsize=2)
def _zoom_operator(height: int, width: int, end: float, step: float):
    """Return the mean of all zooms as one sparse (h w, h w) matrix: most of them read the same few pixels.

    At 224 px it is 12 MB that a product reads from memory, so several images share one product (`together`).
    """
    from scipy.sparse import csr_array, eye_array, kron

    factors = np.arange(1, end, step)
    total = eye_array(height * width, format="csr")  # x itself counts once more
    for factor in factors:
        axes = []
        for size in (height, width):
            matrix, start = zoom_matrix(size, factor)
            full = np.zeros((size, size))
            full[:, start : start + matrix.shape[1]] = matrix
            axes.append(csr_array(full))
        total = total + kron(*axes, format="csr")
    return (total / (len(factors) + 1)).astype(np.float32)
