"""Which class of a folder is number 0, 1, ...: the order of the network's outputs.

Class folders are sorted by name, as torchvision's ImageFolder and Keras do, except where all names are whole
numbers: then 2 stands before 10, while torchvision puts "10" before "2". A file `ORDER_FILE` beside the class folders, or
above the splits, says another order: one folder a line, the first for output 0. It may name classes without a folder.
"""

import re
from pathlib import Path

from robustshape.datasets.folder_listing import ORDER_FILE
from robustshape.datasets.split_folders import is_split
from robustshape.errors import InputError, StoreError

NAMES, NUMBERS = "names", "numbers"


def order_file(folder: Path) -> Path | None:
    """Return the file that says the order of the classes of a folder, or None."""
    places = [folder / ORDER_FILE, *([folder.parent / ORDER_FILE] if is_split(folder) else [])]
    return next((place for place in places if place.is_file()), None)


def ordered(classes: list[str], folder: Path) -> tuple[list[str], str]:
    """Return the classes in the order of their numbers, and what gave it: ``names``, ``numbers`` or ``classes.txt``.

    Parameters
    ----------
    classes : list of str
        The names of the class folders.
    folder : Path
        What holds them, and perhaps `ORDER_FILE`.

    Raises
    ------
    InputError
        If `ORDER_FILE` names a class twice, or lacks one.

    Examples
    --------
    >>> ordered(["10", "2", "1"], Path("/nowhere")), ordered(["b2", "b10", "a"], Path("/nowhere"))
    ((['1', '2', '10'], 'numbers'), (['a', 'b10', 'b2'], 'names'))
    """
    if file := order_file(folder):
        return _listed(file, classes), ORDER_FILE
    if all(re.fullmatch(r"-?[0-9]+", name) for name in classes):
        return sorted(classes, key=lambda name: (int(name), name)), NUMBERS
    return sorted(classes), NAMES


def warning(classes: list[str], order: str, folder: Path) -> str | None:
    """Return the words that are due where numbers and torchvision's order differ, else None."""
    by_name = sorted(classes)
    if order != NUMBERS or classes == by_name:
        return None
    first = next(i for i, name in enumerate(classes) if name != by_name[i])
    return (
        f"the classes of {folder} are numbered as whole numbers: {_few(classes)}; torchvision's ImageFolder sorts "
        f"them as text: {_few(by_name)}. If the network was trained with that (output {first} is {by_name[first]!r}), "
        f"its accuracy is wrong here: write the names in the order of its outputs, one a line, into {folder / ORDER_FILE}"
    )


def _few(names: list[str]) -> str:
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")


def _listed(file: Path, classes: list[str]) -> list[str]:
    try:
        lines = [line.strip() for line in file.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(
            f"{file} cannot be read ({error}); it is a text of one class folder a line"
        ) from error
    names = [line for line in lines if line]
    double = sorted({name for name in names if names.count(name) > 1})
    lacking = sorted(set(classes) - set(names))
    if double or lacking:
        said = f"names {double[0]!r} twice" if double else f"lacks the class folder {lacking[0]!r}"
        raise InputError(
            f"{file} {said}; it names every class folder once, one a line, in the order of the network's outputs; "
            "correct it or rename it"
        )
    return names
