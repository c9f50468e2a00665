"""The folders of a data set's splits: ``train``, and ``test`` or ``val``, in capitals or not, or the whole folder."""

from pathlib import Path

from robustshape.datasets.folder_listing import SHAPE, subfolders
from robustshape.errors import InputError

NAMES = {  # the first that is there counts
    "train": ("train", "training"),
    "test": ("test", "testing", "validation", "valid", "val"),
}
EVERY = {name for names in NAMES.values() for name in names}


def is_split(folder: Path) -> bool:
    """Return whether a folder is called as a split is.

    >>> is_split(Path("pets/Valid")), is_split(Path("pets/cat"))
    (True, False)
    """
    return folder.name.lower() in EVERY


def splits(folder: Path) -> dict[str, Path]:
    """Return the folder of each split; the whole is ``test`` where no folder called as a split has class folders.

    Raises
    ------
    InputError
        If the names do not tell which images belong to which split and class.
    """
    named = [folder / name for name in subfolders(folder) if name.lower() in EVERY]
    if not any(subfolders(place) for place in named):
        if len(named) > 1 and len(named) == len(subfolders(folder)):
            raise InputError(
                f"{folder} holds {' and '.join(place.name for place in named)} without class folders in them, so no "
                f"image has a label; images lie as {SHAPE}"
            )
        return {"test": folder}
    found = {}
    for split, names in NAMES.items():
        places = [place for place in named if place.name.lower() in names]
        places.sort(key=lambda place: (not subfolders(place), names.index(place.name.lower())))
        if len(places) > 1 and places[0].name.lower() == places[1].name.lower():
            raise InputError(f"{places[0]} and {places[1]} are both the split {split}; rename one")
        if places:
            found[split] = places[0]
    return found


def check_above(folder: Path, names: list[str]) -> None:
    """Refuse images, named ``CLASS/.../IMAGE``, of which a class has its own splits: they would be mixed."""
    below: dict[str, set] = {}
    for name in names:
        kind, inside, *more = name.split("/")
        if more and inside.lower() in EVERY:
            below.setdefault(kind, set()).add(inside)
    for kind, own in below.items():
        if len({split for split, known in NAMES.items() for name in own if name.lower() in known}) > 1:
            raise InputError(
                f"the class folder {folder / kind} holds splits of its own ({', '.join(sorted(own))}), but splits stand "
                f"above the classes: {SHAPE}"
            )


def check_classes(folders: dict[str, Path]) -> None:
    """Refuse splits of different classes, whose numbers would stand for one class here and another there."""
    classes = {split: set(subfolders(folder)) for split, folder in folders.items()}
    classes = {split: own for split, own in classes.items() if own}  # images without labels have none
    every = set().union(*classes.values())
    if lacking := {split: sorted(every - own) for split, own in classes.items() if own != every}:
        said = "; ".join(
            f"{folders[split]} lacks {', '.join(names[:5])}"
            + (f" and {len(names) - 5} more" if len(names) > 5 else "")
            for split, names in lacking.items()
        )
        alone = next(iter(lacking))
        raise InputError(
            f"the splits of a folder must have the same classes, but {said}; add or remove class folders, or "
            f"name one split alone, as in imagefolder:{folders.get('test', folders[alone])}"
        )
