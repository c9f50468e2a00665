"""``file:CARD.json``: your own weights, described by a card (`card.Card`); nothing of the weights' file is executed.

`constructor` is a timm, torchvision, zoo or python name; ``python:file:function`` is first looked for in a file
beside the card. `weights` lie beside the card, or by their name in ROBUSTSHAPE_DATA or the cache. `classes` may
be their number alone, and are as many as the network has outputs. ``head`` names the classifying layer, where it
cannot be found by itself: its input is the penultimate features. ``"channels_last": true`` lays the filters out so
that large convolutions run faster; ``training`` is the identity of a network of ours that ships.
"""

import importlib
import json
from pathlib import Path

from robustshape.errors import InputError, MissingFileError
from robustshape.models.card import checked
from robustshape.models.weights import check_sha256, find_weights, fit_weights, read_weights
from robustshape.paths import cache_dir, checked_path, find_local, project_root
from robustshape.registry import closest

CONSTRUCTORS = {
    "timm": "timm_models",
    "torchvision": "torchvision_models",
    "zoo": "zoo",
    "python": "python_models",
}


def names() -> list[str]:
    """Return the names of the project's cards: those beside its notebooks, and those of networks that ship."""
    root = project_root()
    cards = sorted((root / "notebooks").glob("*/*.json")) if root else []
    shipped = sorted((root / "data" / "models").glob("*.json")) if root else []
    shipped = [path for path in shipped if "kind" not in json.loads(path.read_text())]  # no generators
    return [f"file:{path.relative_to(root / 'notebooks').as_posix()}" for path in cards] + [
        f"file:{path.relative_to(root).as_posix()}" for path in shipped
    ]


def _find(name: str) -> Path:
    """Return the card's path: as given, in ROBUSTSHAPE_DATA, or in the project's notebooks folder."""
    given, root = checked_path(name, "a card"), project_root()
    places = [given, find_local(name), *([root / "notebooks" / name, root / name] if root else [])]
    for place in places:
        if place and place.is_file():
            return place
    known = closest(f"file:{name}", names())
    raise MissingFileError(
        f"the card {given} does not exist here, in ROBUSTSHAPE_DATA or in the project's notebooks; give the "
        "path of a JSON file as in file:path/to/card.json"
        + (f"; closest: {', '.join(known)}" if known else "")
    )


def _read(name: str) -> tuple[dict, Path]:
    """Return (card, its path), checked; its weights may be elsewhere or absent."""
    path = _find(name)
    return checked(path), path


def check(name: str) -> None:
    """Raise InputError if there is no such card, or it lacks something; its weights are not looked for."""
    _read(name)


def _checksum(card: dict) -> str:
    return "sha256:" + str(card["sha256"]).removeprefix("sha256:")


def _weights(card: dict, path: Path) -> Path:
    """Return where the card's weights lie: beside it, or by name where weights are kept; checked."""
    beside, file = path.parent / card["weights"], Path(card["weights"]).name
    weights = beside if beside.is_file() else find_weights(card["weights"], file)
    if weights is None:
        size = f"{card['bytes'] / 1e6:.1f} MB, " if "bytes" in card else ""
        source = f"; they come from {card['source']}" if "source" in card else ""
        raise MissingFileError(
            f"the card {path} names the weights {file} ({size}{_checksum(card)}), which do not exist here: put "
            f"them beside the card, into a folder of ROBUSTSHAPE_DATA or into {cache_dir('weights')}{source}"
        )
    check_sha256(weights, _checksum(card), "its card")  # whatever was read of it before
    return weights


def _preprocessing(card: dict):
    from robustshape.models.preprocessing import Preprocessing

    given = card["preprocessing"]
    return Preprocessing(**{key: tuple(v) if isinstance(v, list) else v for key, v in given.items()})


def _n_classes(card: dict) -> int:
    return len(card["classes"]) if isinstance(card["classes"], list) else card["classes"]


def identity(name: str) -> dict:
    """Return checksum of the weights, constructor and preprocessing; where the files lie does not matter.

    The weights need not be here: the checksum is the card's, and `load` takes no file that differs from it.
    """
    from robustshape.models import python_models

    card, path = _read(name)
    prefix, _, rest = card["constructor"].partition(":")
    return {
        "source": "file",
        "constructor": card["constructor"],
        "arguments": card.get("arguments", {}),
        "weights": _checksum(card),
        "preprocessing": _preprocessing(card).describe(),
        "head": card.get("head"),
        "classes": card["classes"],
        "trains_on": card.get("trains_on", []),
        **(python_models.code_of(rest, path.parent) if prefix == "python" else {}),
        **({"channels_last": True} if card.get("channels_last") else {}),  # another order of the same sums
    }


def construct(name: str):
    """Return the untrained network of the card `name`; its weights need not be here."""
    from torch import nn

    card, path = _read(name)
    prefix, _, rest = card["constructor"].partition(":")
    source = importlib.import_module(f"robustshape.models.{CONSTRUCTORS[prefix]}")
    try:
        if prefix == "python":
            module = source.factory(rest, path.parent)[0](**card.get("arguments", {}))
        else:
            module = source.construct(rest, **card.get("arguments", {}))
    except TypeError as error:
        raise InputError(
            f"the arguments in the card {name} do not fit {card['constructor']}: {error}"
        ) from error
    if not isinstance(module, nn.Module):
        raise InputError(
            f"{card['constructor']} in the card {name} returned a {type(module).__name__}, but must return a torch module"
        )
    return module


def load(name: str, *, device: str = "cpu"):
    """Return the Classifier that the card describes."""
    import torch

    from robustshape.models.classifier import Classifier
    from robustshape.models.examining import examined

    card, path = _read(name)
    weights, module = _weights(card, path), construct(name)
    fit_weights(module, read_weights(weights), weights)
    if card.get("channels_last"):
        module = module.to(memory_format=torch.channels_last)
    preprocess, n_classes = _preprocessing(card), _n_classes(card)
    module, head, n_classes = examined(
        module, preprocess, name=f"the network of the card {path}", head=card.get("head"), n_classes=n_classes
    )
    return Classifier(
        name=card.get("name", f"file:{name}"),
        module=module,
        preprocess=preprocess,
        head=head,
        n_classes=n_classes,
        identity=identity(name),
        about={
            "family": card.get("family", card["constructor"]),
            "recipe": card.get("recipe", ""),
            "trains_on": tuple(card.get("trains_on", ())),
            "licence": card.get("licence", "not stated"),
            "citation": card.get("citation", "not stated"),
        },
        device=device,
    )
