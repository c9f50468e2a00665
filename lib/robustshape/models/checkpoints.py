"""What lies beside the tensors of a network: in a checkpoint, in a folder of Hugging Face, in a file of names."""

import json
from pathlib import Path

from robustshape.errors import InputError, MissingFileError
from robustshape.models.weights import opened
from robustshape.paths import checked_path

FOLDER_WEIGHTS = ("model.safetensors", "pytorch_model.bin")  # what a folder of Hugging Face holds
NAMES = (
    "class_names",
    "classes",
    "label_names",
    "idx_to_class",
    "class_to_idx",
)  # of classes, in a checkpoint


def found_in(path: Path) -> tuple[Path, dict]:
    """Return the file of weights and, of a folder of Hugging Face, what its config says."""
    if path.is_dir():
        there = [path / name for name in FOLDER_WEIGHTS if (path / name).is_file()]
        if not there:
            raise MissingFileError(
                f"the folder {path} holds no {' and no '.join(FOLDER_WEIGHTS)}; give the file of weights"
            )
        return there[0], _json(path / "config.json") | {
            "preprocessor": _json(path / "preprocessor_config.json")
        }
    if not path.is_file():
        raise MissingFileError(
            f"there are no weights {path}; give a .safetensors, a PyTorch file or a folder of Hugging Face"
        )
    return path, {}


def _json(path: Path) -> dict:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {error}") from error
    return found if isinstance(found, dict) else {}


def beside_tensors(path: Path) -> dict:
    """Return what a PyTorch file holds beside its tensors; empty of a .safetensors."""
    held = {} if path.suffix == ".safetensors" else opened(path)
    return held if isinstance(held, dict) else {}


def names_in(path) -> list[str]:
    """Return the names in a file: a JSON list, or one a line."""
    path = checked_path(path, "the file of the classes' names")
    if not path.is_file():
        raise MissingFileError(
            f"there is no file {path} with the names of the classes, one a line or a JSON list"
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
        found = (
            json.loads(text)
            if text.lstrip().startswith("[")
            else [line.strip() for line in text.splitlines() if line.strip()]
        )
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"the names of the classes in {path} cannot be read ({error}); write them in UTF-8, one a line or a JSON list"
        ) from error
    if len(found) < 2 or not all(isinstance(name, str) and name for name in found):
        raise InputError(
            f"{path} holds {len(found)} names of classes, but at least 2 are needed, one a line or a JSON list"
        )
    return found


def named_classes(known: dict) -> list[str] | None:
    """Return the names of the classes that a checkpoint or a config holds, in the order of the outputs; None if it has none.

    >>> named_classes({"id2label": {"1": "dog", "0": "cat"}}), named_classes({"class_to_idx": {"b": 1, "a": 0}}), named_classes({"epoch": 3})
    (['cat', 'dog'], ['a', 'b'], None)
    """
    for name in ("id2label", *NAMES):
        found = known.get(name)
        if isinstance(found, dict) and found and all(isinstance(i, int) for i in found.values()):
            found = {i: label for label, i in found.items()}
        if isinstance(found, dict) and found:
            numbered = {int(i): str(label) for i, label in found.items() if str(i).isdigit()}
            found = (
                [numbered[i] for i in sorted(numbered)]
                if sorted(numbered) == list(range(len(found)))
                else None
            )
        if (
            isinstance(found, list | tuple)
            and len(found) > 1
            and all(isinstance(label, str) for label in found)
        ):
            return list(found)
    return None
