"""What a data set is here: an entry of the registry, a checksum, and images with labels and ids in xarray.

Images are uint8 (sample, y, x, channel) with one or three channels; labels are int64; ids are strings that
stay the same whatever is selected. The checksum is that of the samples at hand, so that two selections or
two readings of one data set never share one. Files of various sizes stand in a data set by their paths.
"""

import functools
import sys
from collections.abc import Callable
from typing import NamedTuple

from robustshape.datasets.pictures import Pictures
from robustshape.errors import InputError, StoreError
from robustshape.registry import Registry


class Entry(NamedTuple):
    """A data set: how a split of it is read, and where it lies on this machine.

    ``read(split)`` returns images (n, h, w, c) uint8 as they were published, or Pictures, labels (n,), ids (n,)
    and, where only the files can tell, a dictionary of facts: ``checksum_matches`` if it is not the checksum of
    the samples that says so, ``class_names``, ``n_classes``, ``imagenet_index``.
    ``locate()`` returns the place of the local copy, or None where there is none; it opens no connection.
    ``state(split)`` returns a text that changes whenever the files that ``read`` would read do (`file_state`).
    """

    read: Callable
    locate: Callable
    state: Callable = lambda split: ""  # nothing on disk


class DataSets(Registry):
    """The data sets by name, and behind a prefix data of the reader's own: ``imagefolder:PATH``.

    `own` maps a prefix to a function from what follows it to the (entry, facts) of that place.
    """

    def __init__(self):
        super().__init__("data set", "robustshape list datasets")
        self.own: dict[str, Callable] = {}

    def _find(self, name) -> tuple | None:
        prefix, colon, place = str(name).partition(":")
        return self.own[prefix](place) if colon and prefix in self.own and name not in self._entries else None

    def __getitem__(self, name: str) -> Entry:
        """Return the entry called `name`; raise InputError if there is none."""
        found = self._find(name)
        return found[0] if found else super().__getitem__(name)

    def about(self, name: str) -> dict:
        """Return the facts given when `name` was registered, or those of the place behind its prefix."""
        found = self._find(name)
        return found[1] if found else super().about(name)


DATASETS = DataSets()


@functools.cache
def tell(words: str) -> None:
    """Say something about data on the standard error, once."""
    print(words, file=sys.stderr, flush=True)


def places(find: Callable, splits) -> str | None:
    """Return where the splits of a data set lie, as ``find(split)`` says (None for nowhere), or None.

    >>> places({"train": "b", "test": "a"}.get, ["train", "test", "more"]), places({}.get, ["test"])
    ('a, b', None)
    """
    try:
        found = {str(place) for place in map(find, splits) if place}
    except StoreError:  # a cache that cannot be made holds nothing
        return None
    return ", ".join(sorted(found)) or None


def check_images(images, labels=None):
    """Return `images` as an array if it is a batch of uint8 images; refuse anything else.

    Parameters
    ----------
    images : (n, h, w, c) uint8
        One or three channels, at least one image.
    labels : (n,) int, optional
        Refused where there is not exactly one per image.

    Returns
    -------
    (n, h, w, c) uint8 array

    Raises
    ------
    InputError
        If the type, the shape or the number of labels is another.

    Examples
    --------
    >>> import numpy as np
    >>> check_images(np.zeros((5, 32, 32, 1), "uint8")).shape
    (5, 32, 32, 1)
    """
    import numpy as np

    images = np.asarray(images)
    if images.dtype != np.uint8:
        raise InputError(
            f"images must be uint8, 0 to 255, but were given as {images.dtype}; "
            "for floats in [0, 1]: (images * 255).round().astype('uint8')"
        )
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or 0 in images.shape:
        raise InputError(
            f"images must have the shape (image, y, x, channel) with 1 or 3 channels and not be empty, "
            f"but were given as {images.shape}; a single grey image: image[None, :, :, None]"
        )
    if labels is not None and np.shape(labels) != images.shape[:1]:
        raise InputError(f"{len(images)} images need {len(images)} labels, but got {np.shape(labels)}")
    return images


def checksum(images, labels) -> str:
    """Return ``sha256:`` and the digest of the image bytes followed by the labels as 8-byte integers.

    Of Pictures, the digests of the files (32 bytes each) take the place of the image bytes.

    >>> import numpy as np
    >>> checksum(np.zeros((1, 2, 2, 1), "uint8"), [7])[:23]
    'sha256:3dddb1eee9e3831a'
    """
    import hashlib

    import numpy as np

    if isinstance(images, Pictures):
        digest = hashlib.sha256(bytes.fromhex("".join(images.digests)))
    else:
        digest = hashlib.sha256(np.ascontiguousarray(images))
    digest.update(np.ascontiguousarray(labels, dtype="<i8"))
    return f"sha256:{digest.hexdigest()}"


def build(images, labels, ids, **attrs):
    """Return images, labels and ids as an ``xarray.Dataset``; `attrs` and the checksum describe them.

    Parameters
    ----------
    images : (n, h, w, c) uint8 or Pictures
    labels : (n,) int
    ids : (n,) str
    **attrs
        Facts to keep with the samples, in types that JSON knows.

    Returns
    -------
    xarray.Dataset
        ``image`` (sample, y, x, channel) uint8, ``label`` (sample) int64, coordinate ``sample``. Of Pictures,
        ``path``, ``digest``, ``height`` and ``width`` (sample) take the place of ``image``; attribute channels.

    Raises
    ------
    InputError
        If the images are not images, or there is not one label and one distinct id for each.
    """
    import numpy as np
    import xarray as xr

    if isinstance(images, Pictures):
        columns = (images.paths, images.digests, images.heights, images.widths)
        variables = {k: ("sample", v) for k, v in zip(("path", "digest", "height", "width"), columns)}
        attrs["channels"] = images.channels
    else:
        images = check_images(images, labels)
        variables = {"image": (("sample", "y", "x", "channel"), images)}
    ids = np.array(ids, dtype=object)
    if len(set(ids)) != len(images):
        raise InputError(f"{len(images)} images need as many distinct ids, but got {len(set(ids))}")
    return xr.Dataset(
        variables | {"label": ("sample", np.asarray(labels, dtype=np.int64))},
        coords={"sample": ids},
        attrs={**attrs, "checksum": checksum(images, labels)},
    )
