"""How many images a second each corruption makes, beside the package imagecorruptions-imaug, in one run.

    python tests/bench/bench_corruptions.py

Colour images, severity 3, one thread. `same constants`: both with those of 224 px, the only ones the package has;
`own`: those of the size. The ratio is of the same constants; fog's of our own, for the package's map is as large as
the image, and with the constants of 224 px ours is of 256 x 256 px.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported: both sides run on one core
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from functools import partial
from time import process_time

import numpy as np
from rows import row

from robustshape.corruptions import EXTRA, STANDARD, corrupt

PACKAGE = "x imagecorruptions-imaug"
ROUNDS = 5  # the ways of a row take turns


def rate(function, images, *, seconds: float = 0.04) -> float:
    """Return the best rate of repeated calls, in images a second of processor time (others may be busy too)."""
    function(images)  # fills caches and compiles
    best, end = 0.0, process_time() + seconds
    while True:
        start = process_time()
        function(images)
        best = max(best, len(images) / (process_time() - start))
        if process_time() > end:
            return best


def original():
    """Return the package's function, or None with a word where it cannot be imported."""
    try:
        import cv2
        import imagecorruptions
    except ImportError as error:
        print(f"imagecorruptions-imaug cannot be imported here ({error}): our rates alone")
        return None
    cv2.setNumThreads(1)
    return imagecorruptions.corrupt


def main():
    theirs = original()
    rng = np.random.default_rng(0)
    for side, n in ((32, 500), (224, 4)):
        coarse = rng.integers(0, 256, (n, side // 8, side // 8, 3)).astype(np.uint8)
        images = coarse.repeat(8, axis=1).repeat(8, axis=2)
        print(f"\n{side} px, {n} colour images: images a second")
        print(f"{'':18s}{'own':>9s}{'same constants':>16s}{'the package':>13s}{'ratio':>8s}")
        ours, others = {}, {}  # seconds an image
        for name in STANDARD + EXTRA:
            ways = [
                (partial(corrupt, name=name, severity=3), images),
                (partial(corrupt, name=name, severity=3, constants="224"), images),
                *([(partial(each, theirs, name=name), images[:4])] if theirs else []),
            ]
            rounds = [[rate(*way) for way in ways] for _ in range(ROUNDS)]
            own, same, *others_rate = map(max, zip(*rounds))
            line = f"{name:18s}{own:9.0f}{same:16.0f}"
            if theirs:
                (other,) = others_rate
                compared = own if name == "fog" else same
                line += f"{other:13.1f}{compared / other:8.1f}"
                ours[name], others[name] = 1 / compared, 1 / other
            print(line, flush=True)
        if theirs:
            slowest = min(ours, key=lambda name: others[name] / ours[name])
            what = f"the one least ahead, {slowest.replace('_', ' ')}, {side} px"
            row(what, others[slowest] / ours[slowest], ">= 1", against=PACKAGE)
        if theirs and side == 224:
            total, their_total = (sum(seconds[name] for name in STANDARD) for seconds in (ours, others))
            zoom = others["zoom_blur"] / ours["zoom_blur"]
            print(
                f"seconds an image, the 15 standard ones summed: ours {total:.4f}, theirs {their_total:.4f}"
            )
            row("one pass over all 15, 224 px", their_total / total, ">= 5", against=PACKAGE)
            row("zoom blur, 224 px", zoom, ">= 15", against=PACKAGE)
            print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def each(theirs, images, *, name: str):
    """Call the package for one image after another, as its users do."""
    for image in images:
        theirs(image, 3, name)


if __name__ == "__main__":
    main()
