"""The registry that every corruption enters itself in, and the order in which the 15 standard ones are shown."""

from robustshape.registry import Registry

CORRUPTIONS = Registry("corruption", "robustshape list corruptions")

GROUPS = {
    "noise": ("gaussian_noise", "shot_noise", "impulse_noise"),
    "blur": ("defocus_blur", "glass_blur", "motion_blur", "zoom_blur"),
    "weather": ("snow", "frost", "fog", "brightness"),
    "digital": ("contrast", "elastic_transform", "pixelate", "jpeg_compression"),
}
STANDARD = tuple(name for names in GROUPS.values() for name in names)
EXTRA = ("speckle_noise", "gaussian_blur", "spatter", "saturate")


def corruption(
    group: str,
    what: str,
    *,
    tints: bool = False,
    together: int = 1,
    interleaved: bool = False,
    version: int = 1,
):
    """Enter a function as a corruption.

    The function takes ``images (n, c, h, w) uint8``, one severity's row of the table of constants, and the
    images' `Streams`; it returns the corrupted images, uint8, or float on the scale 0..255 (then clipped and
    truncated by the caller). One that `tints` gives colours to a grey image. At least
    `together` images are given at once, if there are so many. One that is `interleaved` takes and returns the images as
    they are stored, (n, h, w, c) uint8: what Pillow does needs no planes. `version` is raised when a change of this one
    corruption changes its images.
    """

    def enter(function):
        name = function.__name__
        about = {
            "group": group,
            "standard": name in STANDARD,
            "what": what,
            "tints": tints,
            "together": together,
            "interleaved": interleaved,
            "version": version,
        }
        return CORRUPTIONS.register(name, **about)(function)

    return enter
