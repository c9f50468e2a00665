"""Images and labels that someone hands over as arrays: what they may be, and how many classes they show."""

from robustshape.datasets.samples import check_images
from robustshape.errors import InputError

HOW_NAMED = "names, labels = numpy.unique(labels, return_inverse=True)"


def checked_images(images, what: str):
    """Return images as (n, h, w, c) uint8; grey ones may come as (n, h, w).

    Parameters
    ----------
    images : (n, h, w, c) or (n, h, w) uint8
        One or three channels.
    what : str
        Where they come from, for messages.

    Raises
    ------
    InputError
        If they are of another type (nothing is scaled or rounded unasked) or shape.
    """
    import numpy as np

    images = np.asarray(images)
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim == 4 and images.shape[1] in (1, 3) and images.shape[3] not in (1, 3):
        raise InputError(
            f"{what} holds images of shape {images.shape}, their channels in front; the channels stand last: "
            "images.transpose(0, 2, 3, 1)"
        )
    try:
        return check_images(images)
    except InputError as error:
        raise InputError(f"{what}: {error}") from error


def checked_labels(labels, n: int, what: str):
    """Return labels as (n,) int64; (n, 1) and whole floats are taken too.

    Raises
    ------
    InputError
        If there is not one whole number from 0 for each of the `n` images.
    """
    import numpy as np

    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.shape != (n,):
        hint = "; of one-hot labels take labels.argmax(1)" if labels.ndim == 2 else ""
        raise InputError(
            f"{what} holds {n} images, but labels of shape {labels.shape}; one number each{hint}"
        )
    if labels.dtype.kind not in "iufb":
        raise InputError(
            f"{what} holds labels of type {labels.dtype}, but they are whole numbers from 0; for names: {HOW_NAMED}, "
            "and class_names=names"
        )
    if labels.dtype.kind == "f" and not (np.isfinite(labels) & (labels == np.rint(labels))).all():
        strange = labels[~(np.isfinite(labels) & (labels == np.rint(labels)))][0]
        raise InputError(f"{what} holds the label {strange}, but labels are whole numbers from 0")
    if labels.min() < 0 or float(labels.max()) >= 2**31:
        strange = labels.min() if labels.min() < 0 else labels.max()
        raise InputError(
            f"{what} holds the label {strange}, but labels are whole numbers from 0; check {HOW_NAMED}"
        )
    return labels.astype(np.int64)


def classes(labels, class_names, what: str) -> dict:
    """Return ``n_classes`` and ``class_names`` of checked labels (of all splits together).

    Without names the classes are called by their numbers, and every one must have an image: labels from 1, or with
    gaps, would shift or add classes.

    Raises
    ------
    InputError
        If a label has no name, names are not one text each, or there are fewer than two classes.

    Examples
    --------
    >>> import numpy as np
    >>> classes(np.array([0, 1, 1]), None, "these")
    {'n_classes': 2, 'class_names': ['0', '1']}
    """
    import numpy as np

    present, most = np.unique(labels), int(np.max(labels))
    if class_names is None:
        if len(present) != most + 1:
            # counted, not listed: labels may be as large as one likes
            lacking = next(i for i, label in enumerate(present) if label != i)
            raise InputError(
                f"{what} holds labels up to {most}, but none is {lacking}; number the classes from 0 ({HOW_NAMED}), or "
                "give class_names, one for each output of the network"
            )
        names = [str(label) for label in range(most + 1)]
    else:
        given = np.asarray(class_names)
        if given.ndim != 1 or given.dtype.kind not in "USO":
            raise InputError(
                f"{what} has class_names of type {given.dtype} and shape {given.shape}; one text each"
            )
        try:
            names = [name.decode() if isinstance(name, bytes) else str(name) for name in given.tolist()]
            "".join(names).encode()
        except ValueError as error:  # bytes that are no UTF-8, half a character, a number of none
            raise InputError(
                f"{what} has class_names that are no text ({error}); give them as UTF-8"
            ) from error
        if most >= len(names):
            raise InputError(f"{what} holds the label {most}, but only {len(names)} class_names (from 0)")
        if len(set(names)) != len(names):
            raise InputError(f"{what} has a class name twice; every class has one of its own")
    if len(names) < 2:
        raise InputError(f"{what} holds one class, but at least 2 are needed")
    return {"n_classes": len(names), "class_names": names}


def facts(
    title: str, *, source: str, get: str, checksum: str, whose: str = "your own", splits=("train", "test")
) -> dict:
    """Return what is registered of data that are named by their place: of any number, size and classes, as they are stored.

    Parameters
    ----------
    title, source, get : str
        What they are, where they come from, and how one names them.
    checksum : str
        What it is of.
    whose : str
        Whose licence and citation.
    splits : sequence of str
        That may lie there.
    """
    number = {f"n_{split}": "any" if split in splits else "none" for split in ("train", "test")}
    return dict(
        title=title, **number, size="any", n_classes=None, class_names=None, reading="native", licence=whose, source=source,
        citation=whose, urls=(source,), checksum=dict.fromkeys(splits, checksum), get=get,
    )  # fmt: skip
