"""Small pictures of single images, which a row holds so that its page needs no data set."""

import numpy as np

SIDE = 64  # pixels, at most


def thumbnails(images, side: int) -> np.ndarray:
    """Return images, of any sizes, as (n, side, side, 3) uint8: smaller where they are larger, with a black rim where not square.

    Parameters
    ----------
    images : sequence of (h, w, c) uint8
    side : int

    Examples
    --------
    >>> thumbnails([np.full((8, 4, 1), 9, "uint8")], 8)[0, 0, :, 0].tolist()
    [0, 0, 9, 9, 9, 9, 0, 0]
    """
    from PIL import Image, ImageOps

    made = np.zeros((len(images), side, side, 3), np.uint8)
    for i, image in enumerate(images):
        picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).convert("RGB")
        if max(picture.size) > side:
            picture = ImageOps.contain(picture, (side, side))
        left, top = (side - picture.width) // 2, (side - picture.height) // 2
        made[i, top : top + picture.height, left : left + picture.width] = np.asarray(picture)
    return made


def side_of(images) -> int:
    """Return the side of the thumbnails of some images: their own, if they are no larger than `SIDE`.

    >>> side_of([np.zeros((28, 28, 1))]), side_of([np.zeros((224, 160, 3))])
    (28, 64)
    """
    return min(SIDE, max(max(image.shape[:2]) for image in images))
