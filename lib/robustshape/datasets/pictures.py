"""Image files of any size as a sequence: decoded only when they are looked at, so that a large folder fits in memory."""

import hashlib
import io
from collections.abc import Sequence

from robustshape.datasets.image_files import decode, read_bytes
from robustshape.errors import InputError, StoreError


class Pictures(Sequence):
    """Image files as a sequence of (h, w, c) uint8 arrays; a slice is again Pictures and reads nothing.

    Attributes
    ----------
    paths : (n,) str
    digests : (n,) str
        The sha256 of each file when it was listed; one that has changed since is refused.
    heights, widths : (n,) int
    channels : 1 or 3
        Of all of them.
    """

    def __init__(self, paths, digests, heights, widths, channels: int):
        self.paths, self.digests, self.heights, self.widths = paths, digests, heights, widths
        self.channels = channels

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, which):
        if isinstance(which, slice):
            parts = (each[which] for each in (self.paths, self.digests, self.heights, self.widths))
            return Pictures(*parts, self.channels)
        path = self.paths[which]
        content = read_bytes(path)
        if hashlib.sha256(content).hexdigest() != self.digests[which]:  # results would keep the old one's key
            raise StoreError(f"{path} has changed since its folder was listed; run again")
        return decode(io.BytesIO(content), self.channels, path)

    @property
    def one_size(self) -> bool:
        """Whether all have the same height and width."""
        return len({*zip(self.heights, self.widths)}) == 1

    @property
    def nbytes(self) -> int:
        """Bytes of all their pixels."""
        return sum(int(h) * int(w) for h, w in zip(self.heights, self.widths)) * self.channels

    def check_one_size(self) -> None:
        """Raise InputError, with readings that help, unless all have the same height and width."""
        if not self.one_size:
            raise InputError(
                f"these {len(self)} images have various sizes ({self.heights[0]} x {self.widths[0]} px and "
                "others), but one size is needed here; choose a reading that gives one, such as crop64 or crop224"
            )

    def __array__(self, dtype=None, copy=None):
        """Return (n, h, w, c) uint8 where all have one size; refuse where they have not."""
        import numpy as np

        self.check_one_size()
        whole = np.empty((len(self), self.heights[0], self.widths[0], self.channels), np.uint8)
        for i, pixels in enumerate(self):
            whole[i] = pixels
        return whole if dtype is None else whole.astype(dtype)


def pixels(data):
    """Return the images of a data set, as they are or as `Pictures` where they are files of various sizes.

    Parameters
    ----------
    data : xarray.Dataset
        As returned by `robustshape.datasets.load`, or a part of it.

    Returns
    -------
    (n, h, w, c) uint8 or Pictures
        Both have a length, take slices, and give one image (h, w, c) uint8 for a position.

    Examples
    --------
    >>> from robustshape.datasets import load
    >>> pixels(load("digits"))[:2].shape
    (2, 32, 32, 1)
    """
    if "image" in data:
        return data["image"].values
    parts = (data[name].values for name in ("path", "digest", "height", "width"))
    return Pictures(*parts, data.attrs["channels"])
