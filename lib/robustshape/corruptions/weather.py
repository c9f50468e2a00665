"""Weather: snow, frost, fog, and the splashes of spatter (brightness stands with the other colour changes).

Hendrycks and Dietterich (2019), Appendix A. Where an original leaves a choice, or has an oddity:

- snow: the layer of flakes is zoomed about its centre and smeared as motion_blur is; images need not be square.
  It is truncated to 8 bits before it is smeared and rounded to 8 bits after, as ImageMagick rounds its output and
  imagecorruptions its layer.
- frost: five photographs, read from the files of the package imagecorruptions-imaug (the original never picks the
  sixth). One that is smaller than the image is enlarged to cover it.
- fog: the map of the original has random steps of wibble times U(-wibble, wibble), the square of what its name
  says; kept. Its side is the table's or, if that is smaller than the image, the next power of two.
- spatter: OpenCV's edge detector, chamfer distance, histogram equalisation and 8-bit filters, written out; an
  image without a drop stays as it is (the original divides by zero). The layer of drops is not clipped at white
  before it becomes 8 bits, so what is brighter starts again at black; kept.
"""

from functools import lru_cache

import numpy as np

from robustshape.corruptions.blur import smooth, streak, zoom_matrix
from robustshape.corruptions.catalogue import corruption
from robustshape.corruptions.digital import luma
from robustshape.errors import MissingFileError


@corruption("weather", "snows: streaks of white, and paler colours")
def snow(images, constants, streams):
    """Return x made paler, with streaks of flakes and the same turned by 180 degrees added."""
    mean, sd, zoom, threshold, radius, sigma, share = constants
    _, channels, height, width = images.shape
    (down, _), (across, _) = zoom_matrix(height, zoom), zoom_matrix(width, zoom)
    flakes = streams.normal(down.shape[1], across.shape[1]) * np.float32(sd) + np.float32(mean)
    flakes = down @ flakes.astype(np.float64) @ across.T
    flakes[flakes < threshold] = 0
    flakes = (np.clip(flakes, 0, 1) * 255).astype(np.uint8)[:, None]
    directions = streams.uniform(-135, -45, 1)[:, 0]
    flakes = np.rint(streak(flakes, radius, sigma, directions))
    grey = luma(images) if channels == 3 else images.astype(np.float32)
    pale = np.maximum(images, grey * np.float32(1.5) + np.float32(127.5))
    return np.float32(share) * images + np.float32(1 - share) * pale + flakes + flakes[:, :, ::-1, ::-1]


@corruption("weather", "is seen through a frozen window", tints=True)
def frost(images, constants, streams):
    """Return a weighted sum of x and a piece of a photograph of frost."""
    share, of_frost, scale = constants
    height, width = images.shape[2:]
    photographs = _frost_photographs(scale, height, width)
    chosen = streams.integers(0, len(photographs), 1)[:, 0]
    at = streams.uniform(0, 1, 2)
    frosted = np.float32(share) * images
    for image, photograph, (y, x) in zip(frosted, (photographs[k] for k in chosen), at):
        top = int(y * max(1, photograph.shape[1] - height))
        left = int(x * max(1, photograph.shape[2] - width))
        image += np.float32(of_frost) * photograph[:, top : top + height, left : left + width]
    return frosted


@lru_cache(maxsize=4)
def _frost_photographs(scale: float, height: int, width: int) -> tuple[np.ndarray, ...]:
    """Return the five photographs, (3, H, W) uint8 each, scaled, none smaller than the image."""
    from PIL import Image

    photographs = []
    for path in frost_files():
        photograph = np.asarray(Image.open(path).convert("RGB")).transpose(2, 0, 1)
        _, high, wide = photograph.shape
        factor = max(scale, height / high, width / wide)
        rows, columns = max(height, round(high * factor)), max(width, round(wide * factor))
        if factor != 1:
            photograph = _resampled(_resampled(photograph, rows, factor, 1), columns, factor, 2)
            photograph = (photograph + 0.5).astype(np.uint8)
        photographs.append(photograph)
    return tuple(photographs)


def _resampled(image, new: int, factor: float, axis: int):
    """Return `image` with `new` pixels along `axis`, bilinear between pixel centres, not smoothed before."""
    size = image.shape[axis]
    at = np.clip((np.arange(new) + 0.5) / factor - 0.5, 0, size - 1)
    before = np.minimum(at.astype(int), max(size - 2, 0))
    shape = [1, 1, 1]
    shape[axis] = new
    way = (at - before).reshape(shape)
    after = np.minimum(before + 1, size - 1)
    return image.take(before, axis) * (1 - way) + image.take(after, axis) * way


def frost_files() -> list:
    """Return the paths of the five photographs of frost; raise MissingFileError if they are not installed."""
    from importlib.util import find_spec
    from pathlib import Path

    names = ["frost1.png", "frost2.png", "frost3.png", "frost4.jpg", "frost5.jpg"]
    package = find_spec("imagecorruptions")  # finds the folder; nothing of the package is run
    if package is None or package.origin is None:
        raise MissingFileError(
            "the corruption 'frost' needs the photographs of the package imagecorruptions-imaug, which is not "
            "installed; install it with: pip install imagecorruptions-imaug"
        )
    files = [Path(package.origin).with_name("frost") / name for name in names]
    for file in files:
        if not file.is_file():
            raise MissingFileError(
                f"the corruption 'frost' needs the photograph {file}, which is not there; "
                "install it again with: pip install --force-reinstall --no-deps imagecorruptions-imaug"
            )
    return files


@corruption("weather", "is wrapped in patches of fog")
def fog(images, constants, streams):
    """Return ``(x + amount * map) max / (max + amount)``, the map a cloud of the diamond-square method."""
    amount, decay, side = constants
    height, width = images.shape[2:]
    side = max(side, 1 << (max(height, width) - 1).bit_length())
    cloud = diamond_square(streams.uniform(-1, 1, side, side), decay)[:, None, :height, :width]
    brightest = images.max(axis=(1, 2, 3), keepdims=True).astype(np.float32)
    white = np.float32(255 * amount)
    return (images + white * cloud) * (brightest / (brightest + white))


def diamond_square(noise, decay: float) -> np.ndarray:
    """Return height maps (n, side, side) in [0, 1] from noise of the same shape in [-1, 1]; side a power of two."""
    even, odd = slice(0, None, 2), slice(1, None, 2)
    heights = np.zeros_like(noise[:, :1, :1])
    step, wibble = noise.shape[1] // 2, 100.0
    while step:  # the heights so far become the corners of a map with twice as many rows and columns
        steps = np.float32(wibble**2) * noise[:, ::step, ::step]
        corners, heights = heights, np.empty_like(steps)
        square = corners + np.roll(corners, -1, 1)
        square = square + np.roll(square, -1, 2)
        centres = square / 4 + steps[:, odd, odd]
        heights[:, even, even], heights[:, odd, odd] = corners, centres
        for axis, rows, columns in ((1, even, odd), (2, odd, even)):
            diamond = centres + np.roll(centres, 1, axis) + corners + np.roll(corners, -1, 3 - axis)
            heights[:, rows, columns] = diamond / 4 + steps[:, rows, columns]
        step, wibble = step // 2, wibble / decay
    heights -= heights.min(axis=(1, 2), keepdims=True)
    return heights / heights.max(axis=(1, 2), keepdims=True)


@corruption("weather", "is splashed with water or mud", tints=True, version=2)
def spatter(images, constants, streams):
    """Return x with drops of water (pale turquoise, added) or of mud (brown, covering)."""
    mean, sd, sigma, threshold, strength, mud = constants
    layer = streams.normal(*images.shape[2:]) * np.float32(sd) + np.float32(mean)
    layer = smooth(layer, sigma)
    if mud:
        cover = smooth(layer > threshold, strength)
        cover = np.where(cover < 0.8, 0, cover).astype(np.float32)[:, None]
        brown = np.array([63, 42, 20], np.float32).reshape(3, 1, 1)
        return images * (1 - cover) + cover * brown
    layer = (np.where(layer < threshold, 0, layer) * 255).astype(int).astype(np.uint8)  # modulo 256
    drops = layer * embossed(layer)
    largest = drops.max(axis=(1, 2), keepdims=True)
    drops = drops / np.where(largest > 0, largest, 1) * np.float32(strength)
    turquoise = np.array([175, 238, 238], np.float32).reshape(3, 1, 1)
    return images + drops[:, None] * turquoise


def embossed(layer) -> np.ndarray:
    """Return, for layers (n, h, w) uint8, the embossed distance from the edges of their drops, float32."""
    distance = _equalised(_box(chamfer_distance(edges(layer)), lambda total: (total + 1e-3) / 9))
    padded = _mirrored(distance)
    height, width = distance.shape[1:]
    relief = sum(
        weight * padded[:, y : y + height, x : x + width]
        for (y, x), weight in np.ndenumerate(np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]], np.int32))
        if weight
    )
    return _box(np.clip(relief, 0, 255), lambda total: (total + 4) // 9).astype(np.float32)


def edges(layer) -> np.ndarray:
    """Return the edge pixels (n, h, w) bool that Canny's method finds in uint8 layers, thresholds 50 and 150.

    J. Canny, "A computational approach to edge detection" (1986), as OpenCV does it: Sobel gradients, their size
    the sum of both parts, thinned across the edge, weak pixels kept where they touch strong ones.
    """
    from scipy.ndimage import label

    height, width = layer.shape[1:]
    padded = np.pad(layer.astype(np.int16), ((0, 0), (1, 1), (1, 1)), mode="edge")
    vertical = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
    horizontal = padded[:, :, :-2] + 2 * padded[:, :, 1:-1] + padded[:, :, 2:]
    right, down = vertical[:, :, 2:] - vertical[:, :, :-2], horizontal[:, 2:] - horizontal[:, :-2]
    size = np.abs(right) + np.abs(down)

    at = np.flatnonzero(size > 50)  # most of a layer is flat: what follows looks only at these
    right, down, here = (values.ravel()[at].astype(np.int32) for values in (right, down, size))
    around = np.pad(size, ((0, 0), (1, 1), (1, 1))).ravel()
    row = at // width  # of all images, below one another
    place = (row + 2 * (row // height) + 1) * (width + 2) + at % width + 1

    def neighbour(y, x):
        return around[place + (y * (width + 2) + x)]

    steep, tangent = np.abs(down) << 15, np.abs(right) * 13573  # tan 22.5 degrees in units of 2**-15
    level = steep < tangent
    upright = steep > tangent + (np.abs(right) << 16)
    rising = (right ^ down) < 0
    peak = np.select(
        [level, upright, rising],
        [
            (here > neighbour(0, -1)) & (here >= neighbour(0, 1)),
            (here > neighbour(-1, 0)) & (here >= neighbour(1, 0)),
            (here > neighbour(-1, 1)) & (here > neighbour(1, -1)),
        ],
        (here > neighbour(-1, -1)) & (here > neighbour(1, 1)),
    )
    weak = np.zeros(size.shape, bool)
    weak.ravel()[at[peak]] = True
    touching = np.zeros((3, 3, 3), int)
    touching[1] = 1  # within an image only
    groups, count = label(weak, touching)
    strong = np.zeros(count + 1, bool)
    strong[groups[weak & (size > 150)]] = True
    strong[0] = False
    return strong[groups]


def chamfer_distance(targets, most: int = 20) -> np.ndarray:
    """Return each pixel's distance (n, h, w) float32 from the nearest target, at most `most`.

    The length of the shortest way by steps of 1, 1.4 (diagonal) and 2.1969 (knight's move): G. Borgefors, "Distance
    transformations in digital images" (1986). Of the targets in a column the vertically nearest one is nearest.
    """
    height, width = targets.shape[1:]
    row = np.arange(height, dtype=np.int16)[:, None]
    above = np.maximum.accumulate(np.where(targets, row, np.int16(-most)), axis=1)
    below = np.minimum.accumulate(np.where(targets, row, np.int16(height + most))[:, ::-1], axis=1)[:, ::-1]
    vertical = np.minimum(np.minimum(row - above, below - row), most).astype(np.uint8)
    padded = np.pad(vertical, ((0, 0), (0, 0), (most, most)), constant_values=most)

    straight, diagonal, knight = (round(step * 65536) for step in (1, 1.4, 2.1969))  # as OpenCV counts
    across, down = np.mgrid[:most, : most + 1]
    long, short = np.maximum(across, down), np.minimum(across, down)
    flat = straight * (long - 2 * short) + knight * short
    steep = knight * (long - short) + diagonal * (2 * short - long)
    length = (np.where(long >= 2 * short, flat, steep) / 65536).astype(np.float32)

    distance = np.full(targets.shape, most, np.float32)
    for step in range(most):
        if distance.max() <= step:  # no way of so many columns is shorter
            break
        left, right = (padded[:, :, most + shift : most + shift + width] for shift in (-step, step))
        np.minimum(distance, length[step].take(np.minimum(left, right), mode="clip"), out=distance)
    return distance


def _equalised(images) -> np.ndarray:
    """Return uint8 images (n, h, w) with their histograms spread evenly over the grey levels, as int32."""
    n = len(images)
    first = (np.arange(n) * 256).reshape(n, 1, 1)
    counts = np.bincount((images + first).ravel(), minlength=n * 256).reshape(n, 256)
    lowest = (counts > 0).argmax(axis=1)[:, None]
    total = images[0].size
    at_lowest = np.take_along_axis(counts, lowest, axis=1)
    spread = np.float32(255) / np.maximum(total - at_lowest, 1).astype(np.float32)
    table = np.rint((counts.cumsum(axis=1) - at_lowest) * spread).astype(np.int32)
    table = np.where(at_lowest == total, lowest, table)  # a flat image stays as it is
    return table.ravel().take(images + first)


def _mirrored(images):
    return np.pad(images, ((0, 0), (1, 1), (1, 1)), mode="reflect")


def _box(images, mean) -> np.ndarray:
    """Return the 3 x 3 means of images (n, h, w), as int32; `mean` makes them from the sums."""
    padded = _mirrored(images)
    rows = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    return mean(rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]).astype(np.int32)
