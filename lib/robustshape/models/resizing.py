"""Two further ways to the size a network takes, beside resizing the shorter side and cutting out the middle."""

from dataclasses import fields

from torch.nn import functional as F

from robustshape.models.preprocessing import Preprocessing, _centre_crop


class Cut(Preprocessing):
    """Cut the middle out of the image as it is; black around it where the image is smaller."""

    def describe(self) -> dict:
        """Return the fields and the way as a plain dictionary."""
        return super().describe() | {"resizing": "cut"}

    def _sized(self, x):
        return _centre_crop(x, *self.size)


class Squash(Preprocessing):
    """Resize height and width alike to `size`, whatever the shape of the image."""

    def describe(self) -> dict:
        """Return the fields and the way as a plain dictionary."""
        return super().describe() | {"resizing": "squash"}

    def _sized(self, x):
        if tuple(x.shape[2:]) == tuple(self.size):
            return x
        return F.interpolate(x, self.size, mode=self.interpolation, antialias=True, align_corners=False)


def whole(preprocess):
    """Return a preprocessing that shows the whole of an image: resized to what the network takes, nothing cut off.

    One of its own that has no `size` is returned as it is.

    >>> whole(Preprocessing(channels=3, size=(128, 128), resize=146)).describe()["resizing"]
    'squash'
    """
    if getattr(preprocess, "size", None) is None or not isinstance(preprocess, Preprocessing):
        return preprocess
    return Squash(**{field.name: getattr(preprocess, field.name) for field in fields(Preprocessing)})
