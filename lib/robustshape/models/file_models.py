"""``file:CARD.json``: your own weights, described by a card beside them; nothing of the file is executed.

    {"constructor": "torchvision:resnet18", "arguments": {"num_classes": 10},
     "weights": "mine.safetensors", "sha256": "...",
     "preprocessing": {"channels": 3, "size": [32, 32], "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]},
     "classes": ["aeroplane", "..."], "licence": "MIT", "citation": "...", "trains_on": []}

`constructor` is a timm, torchvision, zoo or python name; `arguments`, `licence`, `citation` and `trains_on`
may be left out. A path in `weights` is relative to the card.
"""

import importlib
import json
from pathlib import Path

from robustshape.errors import InputError, MissingFileError, StoreError
from robustshape.models.weights import fit_weights, read_weights, sha256
from robustshape.paths import find_local
from robustshape.registry import closest

NEEDED = ("constructor", "weights", "sha256", "preprocessing", "classes")
OPTIONAL = ("arguments", "licence", "citation", "trains_on", "head", "name")
CONSTRUCTORS = {
    "timm": "timm_models",
    "torchvision": "torchvision_models",
    "zoo": "zoo",
    "python": "python_models",
}


def names() -> list[str]:
    """Return nothing: files have no catalogue."""
    return []


def _read(name: str) -> tuple[dict, Path]:
    """Return (card, path of its weights), both checked."""
    path = Path(name).expanduser()
    path = path if path.is_file() else find_local(name) or path
    if not path.is_file():
        raise MissingFileError(
            f"the card {path} does not exist; give the path of a JSON file as in file:path/to/card.json"
        )
    try:
        card = json.loads(path.read_text())
    except ValueError as error:
        raise InputError(f"the card {path} is not JSON: {error}") from error
    absent = [key for key in NEEDED if not isinstance(card, dict) or key not in card]
    if absent:
        raise InputError(f"the card {path} lacks {', '.join(absent)}; it needs {', '.join(NEEDED)}")
    for key in card:
        if key not in NEEDED + OPTIONAL:
            raise InputError(
                f"the card {path} has an unknown entry {key!r}; closest: {', '.join(closest(key, NEEDED + OPTIONAL))}"
            )
    weights = path.parent / card["weights"]
    if not weights.is_file():
        raise MissingFileError(
            f"the card {path} names the weights {weights}, which do not exist; put them there"
        )
    if sha256(weights) != "sha256:" + str(card["sha256"]).removeprefix("sha256:"):
        raise StoreError(
            f"{weights} has {sha256(weights)}, but its card says {card['sha256']}; get the file again"
        )
    return card, weights


def _preprocessing(card: dict, name: str):
    from dataclasses import fields

    from robustshape.models.preprocessing import Preprocessing

    given, known = card["preprocessing"], [field.name for field in fields(Preprocessing)]
    for key in given:
        if key not in known:
            raise InputError(
                f"preprocessing in the card {name} has an unknown entry {key!r}; closest: {', '.join(closest(key, known))}"
            )
    return Preprocessing(**{key: tuple(v) if isinstance(v, list) else v for key, v in given.items()})


def identity(name: str) -> dict:
    """Return checksum of the weights, constructor and preprocessing; where the file lies does not matter."""
    card, weights = _read(name)
    return {
        "source": "file",
        "constructor": card["constructor"],
        "arguments": card.get("arguments", {}),
        "weights": sha256(weights),
        "preprocessing": _preprocessing(card, name).describe(),
        "head": card.get("head"),
        "classes": card["classes"],
        "trains_on": card.get("trains_on", []),
    }


def load(name: str, *, device: str = "cpu"):
    """Return the Classifier that the card describes."""
    from robustshape.hooks import find_layer, last_linear
    from robustshape.models.classifier import Classifier

    card, weights = _read(name)
    prefix, _, rest = card["constructor"].partition(":")
    if prefix not in CONSTRUCTORS or not rest:
        raise InputError(
            f"the constructor {card['constructor']!r} in the card {name} must be a name that starts with "
            f"{', '.join(f'{known}:' for known in CONSTRUCTORS)}"
        )
    source = importlib.import_module(f"robustshape.models.{CONSTRUCTORS[prefix]}")
    try:
        module = source.construct(rest, **card.get("arguments", {}))
    except TypeError as error:
        raise InputError(
            f"the arguments in the card {name} do not fit {card['constructor']}: {error}"
        ) from error
    fit_weights(module, read_weights(weights), weights)
    if "head" in card:
        find_layer(module, card["head"])
    return Classifier(
        name=card.get("name", f"file:{name}"),
        module=module,
        preprocess=_preprocessing(card, name),
        head=card.get("head") or last_linear(module),
        n_classes=len(card["classes"]),
        identity=identity(name),
        about={
            "family": card["constructor"],
            "recipe": "",
            "trains_on": tuple(card.get("trains_on", ())),
            "licence": card.get("licence", "not stated"),
            "citation": card.get("citation", "not stated"),
        },
        device=device,
    )
