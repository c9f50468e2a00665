"""One image file: what is opened, within which limits, and what its pixels are.

Pixels are what Pillow decodes: alpha is dropped, the first frame of an animation is taken, palettes and CMYK
become RGB, and an orientation written beside the pixels is ignored, as torchvision's ImageFolder does; `describe`
remarks where that changes what a person sees. Only files of `FORMATS` are opened, of at most `MOST_BYTES` and
`MOST_PIXELS`, with 8 bits per channel.
"""

import hashlib
import io
import os
import re
import stat
import struct
import zlib

from robustshape.errors import InputError, RobustshapeError, StoreError

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM")  # Pillow's names; a PGM is a PPM to it
MOST_PIXELS = 89_478_485  # above it Pillow warns of a decompression bomb
MOST_BYTES = 1 << 28
MOST_RATIO = (
    200  # of the sides: resized by its shorter side, a line of pixels would become as large as one likes
)
GREY = ("1", "L")  # Pillow's modes of one channel of at most 8 bits
COLOUR = ("P", "PA", "LA", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr", "HSV", "LAB")
REMARKS = {
    "transparent": "have fully transparent pixels: transparency is dropped and the colour stored under it is "
    "measured; put them on a background first if that is not what you see",
    "turned": "are stored turned, with a note (EXIF) that viewers follow: they are measured as stored; turn them "
    "first if the network was trained on upright ones",
    "of several frames": "have several frames or pages: only the first is measured",
}
_BITS_PER_SAMPLE, _ORIENTATION = 258, 274  # tags of TIFF, of EXIF
_BROKEN = (OSError, EOFError, SyntaxError, ValueError, struct.error, zlib.error)  # what Pillow raises


def decode(file, channels: int, name=None):
    """Return the pixels of an image file as (h, w, channels) uint8.

    Parameters
    ----------
    file : path-like or binary file
    channels : 1 or 3
        Grey or RGB.
    name : optional
        What to call it in messages; its path if not given.

    Raises
    ------
    StoreError
        If it is not an image of `FORMATS`, or is damaged.
    InputError
        If it has more pixels than `MOST_PIXELS`, or more than 8 bits per channel.
    """
    import numpy as np

    if isinstance(file, str | os.PathLike):
        file, name = io.BytesIO(read_bytes(file)), name or file
    with named(name or file), opened(file, name or file) as picture:
        pixels = np.array(picture.convert("L" if channels == 1 else "RGB"))
    return pixels.reshape(*pixels.shape[:2], channels)


def describe(path) -> tuple[str, int, int, int, list[str]]:
    """Return the sha256, height, width, number of channels (1 or 3) of an image file, and its `REMARKS`.

    Raises
    ------
    StoreError, InputError
        See `decode`; an image that shows something by its transparency alone is refused too.
    """
    with named(path):
        content = read_bytes(path)
        with opened(io.BytesIO(content), path) as picture:
            width, height = picture.size
            channels = 1 if picture.mode in GREY else 3
            remarks = list(_remarks(picture, path))
    return hashlib.sha256(content).hexdigest(), height, width, channels, remarks


def read_bytes(path) -> bytes:
    """Return the content of a plain file of at most `MOST_BYTES`; refuse pipes, devices and sockets."""
    with named(path):
        about = os.stat(path)
        if not stat.S_ISREG(about.st_mode):
            raise InputError(f"{path} is no plain file (a pipe, device or socket); remove it")
        if about.st_size > MOST_BYTES:
            raise InputError(
                f"{path} has {about.st_size >> 20:,} MiB, but an image may have {MOST_BYTES >> 20}; make it smaller"
            )
        with open(path, "rb") as file:
            return file.read()


def opened(file, name):
    """Return a picture of Pillow, not decoded yet, of `FORMATS` and within the limits; `named` puts its errors into words."""
    from PIL import Image

    picture = Image.open(file, formats=FORMATS)
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise InputError(
            f"{name} has {height:,} x {width:,} px, but an image may have {MOST_PIXELS:,}; make it smaller"
        )
    if max(width, height) > MOST_RATIO * min(width, height):
        raise InputError(
            f"{name} has {height:,} x {width:,} px, but one side may be {MOST_RATIO} times the other; cut it"
        )
    bits = _bits(picture)
    if picture.mode not in GREY + COLOUR or bits > 8:
        said = f"{picture.mode}, {bits} bits" if bits > 8 else picture.mode
        raise InputError(f"{name} has more than 8 bits per pixel and channel ({said}); convert it to 8 bits")
    return picture


def _bits(picture) -> int:
    """Return the bits per channel in the file; Pillow's mode is RGB for 16 of them too."""
    if picture.format == "TIFF":
        return max(picture.tag_v2.get(_BITS_PER_SAMPLE, (1,)))
    details = (
        picture.tile[0].args if picture.tile else ()
    )  # the decoder's: the form of the raw pixels and more
    if picture.format == "PNG":
        return 16 if ";16" in str(details) else 8
    if picture.format == "PPM" and isinstance(details, tuple):  # (form, largest value)
        return int(max(part for part in (*details, 255) if isinstance(part, int))).bit_length()
    return 8


def _remarks(picture, path):
    if (
        getattr(picture, "is_animated", False) and picture.format != "MPO"
    ):  # of an MPO the others are previews
        yield "of several frames"
    if _orientation(picture) != 1:
        yield "turned"
    if picture.mode in ("LA", "PA", "RGBA", "RGBa") or "transparency" in picture.info:
        least, most = picture.convert("RGBA").getchannel("A").getextrema()
        shown = picture.convert("RGB").getextrema()
        if least != most and all(low == high for low, high in shown):
            raise InputError(
                f"{path} is drawn by its transparency alone: without it every pixel has one colour; put it on a "
                "background first"
            )
        if least == 0:
            yield "transparent"


def _orientation(picture) -> int:
    """Return the orientation noted in the file, 1 where there is none or it cannot be read."""
    if (
        picture.format == "PNG" and "exif" not in picture.info
    ):  # Pillow would decode the whole to look behind it
        return 1
    try:
        return picture.getexif().get(_ORIENTATION, 1)
    except _BROKEN:
        return 1


class named:
    """Turn whatever Pillow raises on a broken file into words that name the file."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        pass

    def __exit__(self, kind, error, trace):
        from PIL import Image

        ours = isinstance(error, RobustshapeError)
        if isinstance(error, (*_BROKEN, Image.DecompressionBombError)) and not ours:
            why = re.sub(r" ?<_io\.BytesIO object at 0x[0-9a-f]+>", "", str(error))  # Pillow's name for bytes
            raise StoreError(
                f"{self.name} cannot be read as an image ({why}); replace it or remove it"
            ) from error
