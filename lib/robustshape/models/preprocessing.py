"""What happens to an image before a network sees it: resize, crop, scale to [0, 1], normalise."""

from dataclasses import asdict, dataclass, fields

import numpy as np
import torch
from torch.nn import functional as F

from robustshape.datasets.pictures import Pictures
from robustshape.datasets.readings import middle, shape_of_shorter
from robustshape.errors import InputError
from robustshape.models.card import checked_preprocessing


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """Turn uint8 images (n, h, w, c) into float32 tensors (n, c, h, w).

    Attributes
    ----------
    channels : 1, 3 or None
        What the network takes. Grey images are repeated for networks of 3; colour is never thrown away.
        None = whatever the images have.
    size : (int, int), optional
        Height and width the network takes; None = any.
    resize : int, optional
        Length of the shorter side before the centre crop to `size`, both as torchvision's Resize and CenterCrop;
        None = images must have `size` already.
    interpolation : "bilinear" or "bicubic"
        Of the resizing, on uint8 and with antialiasing, as Pillow does it.
    mean, std : tuple of float, optional
        Subtracted, and divided by, per channel, after the scaling to [0, 1].
    """

    channels: int | None
    size: tuple[int, int] | None = None
    resize: int | None = None
    interpolation: str = "bilinear"
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None

    def __post_init__(self):
        """Raise InputError if the fields cannot be those of a preprocessing, as `card.checked_preprocessing` does."""
        checked_preprocessing({field.name: getattr(self, field.name) for field in fields(Preprocessing)})

    def describe(self) -> dict:
        """Return the fields as a plain dictionary, for identities and provenance."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    def __call__(self, images) -> torch.Tensor:
        """Return ``uint8 (n, h, w, c) -> float32 (n, channels, height, width)``; see the class."""
        return self.normalise(self.pixels(images))

    def pixels(self, images) -> torch.Tensor:
        """Return ``uint8 (n, h, w, c)`` as float32 in [0, 1] at the size the network takes, not yet normalised.

        Examples
        --------
        >>> images = np.full((1, 2, 2, 1), 51, np.uint8)
        >>> Preprocessing(channels=3, mean=(0.5,) * 3, std=(0.5,) * 3).pixels(images)[0, :, 0, 0]
        tensor([0.2000, 0.2000, 0.2000])
        """
        if isinstance(images, Pictures):
            return self._one_by_one(images)
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.ndim != 4:
            raise InputError(
                f"a classifier takes images (n, h, w, c) uint8, but was given {images.shape} {images.dtype}"
            )
        if self.channels not in (None, images.shape[3]) and (images.shape[3], self.channels) != (1, 3):
            raise InputError(
                f"this network takes images of {self.channels} channel(s), but was given {images.shape[3]}; "
                "choose another model, or convert the images"
            )
        x = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)  # (n, c, h, w)
        x = self._sized(x).contiguous().float().div_(255)
        if self.channels == 3:
            x = x.expand(-1, 3, -1, -1)
        return x

    def _one_by_one(self, pictures) -> torch.Tensor:
        """Return the pixels of image files of various sizes, decoded one after the other."""
        found = [self.pixels(image[None]) for image in pictures]
        sizes = {tuple(x.shape[1:]) for x in found}
        if len(sizes) > 1:
            raise InputError(
                "these image files are of various sizes, and this network's preprocessing leaves them so; choose a "
                "reading that makes them equal, such as crop64, or give the network a size and a resize"
            )
        return torch.cat(found)

    def normalise(self, x) -> torch.Tensor:
        """Return pixels (n, c, h, w) minus `mean`, over `std`, per channel; gradients flow through."""
        if self.mean is None:
            return x
        mean, std = (torch.tensor(v, device=x.device).view(1, -1, 1, 1) for v in (self.mean, self.std))
        return (x - mean) / std

    def _sized(self, x):
        height, width = x.shape[2:]
        if self.size is None or (self.resize is None and (height, width) == tuple(self.size)):
            return x
        if self.resize is None:
            raise InputError(
                f"this network takes images of {self.size[0]} x {self.size[1]} pixels, but was given "
                f"{height} x {width}; choose another reading of the data set, such as pad32"
            )
        if min(height, width) != self.resize:
            shape = shape_of_shorter(height, width, self.resize)
            x = F.interpolate(x, shape, mode=self.interpolation, antialias=True, align_corners=False)
        return _centre_crop(x, *self.size)


def _centre_crop(x, height, width):
    short = [max(0, height - x.shape[2]), max(0, width - x.shape[3])]
    if any(short):  # a network that takes more than the resized image: black around it
        x = F.pad(x, [short[1] // 2, short[1] - short[1] // 2, short[0] // 2, short[0] - short[0] // 2])
    top, left = middle(x.shape[2], height), middle(x.shape[3], width)
    return x[:, :, top : top + height, left : left + width]
