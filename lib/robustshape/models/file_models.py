"""``file:CARD.json``: your own weights, described by a card (`card.Card`); nothing of the weights' file is executed.

`constructor` is a timm, torchvision, zoo or python name; ``python:file:function`` is first looked for in a file
beside the card, and runs only where it is trusted (`trust`): to know, list or check a card imports nothing. `weights` lie beside the card, or by their name in ROBUSTSHAPE_DATA or the cache. `classes` may
be their number alone, and are as many as the network has outputs. ``head`` names the classifying layer, where it
cannot be found by itself: its input is the penultimate features. ``"channels_last": true`` lays the filters out so
that large convolutions run faster; ``training`` is the identity of a network of ours that ships.
"""

import importlib
from pathlib import Path

from robustshape.errors import InputError, MissingFileError, RobustshapeError
from robustshape.models.card import checked
from robustshape.models.trust import check_trust, trusting
from robustshape.models.weights import check_sha256, find_weights, fit_weights, read_weights
from robustshape.paths import cache_dir, checked_path, find_local, project_root
from robustshape.registry import closest

CONSTRUCTORS = {
    "timm": "timm_models",
    "torchvision": "torchvision_models",
    "zoo": "zoo",
    "python": "python_models",
}
# what libraries of networks raise at arguments that they do not take
REFUSALS = (TypeError, ValueError, KeyError, RuntimeError, AssertionError, MemoryError)


def names() -> list[str]:
    """Return the names of the project's cards: those beside its notebooks, and those of networks that ship."""
    root = project_root()
    cards = sorted((root / "notebooks").glob("*/*.json")) if root else []
    shipped = sorted((root / "data" / "models").glob("*.json")) if root else []
    shipped = [path for path in shipped if '"kind"' not in path.read_text(errors="replace")]  # no generators
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
    """Raise InputError if there is no such card, it lacks something or is not trusted; its weights are not looked for."""
    _check_trust(*_read(name))


def _check_trust(card: dict, path: Path) -> None:
    from robustshape.models.python_models import file_beside

    prefix, _, rest = card["constructor"].partition(":")
    check_trust(card["constructor"], path, file_beside(rest, path.parent) if prefix == "python" else None)


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


def preprocessing(name: str):
    """Return what the card `name` says happens to an image; its weights need not be here."""
    return _preprocessing(_read(name)[0])


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
        **(python_models.text_of(rest, path.parent) if prefix == "python" else {}),
        **({"channels_last": True} if card.get("channels_last") else {}),  # another order of the same sums
    }


def construct(name: str):
    """Return the untrained network of the card `name`, which is trusted; its weights need not be here."""
    from torch import nn

    card, path = _read(name)
    _check_trust(card, path)
    prefix, _, rest = card["constructor"].partition(":")
    source = importlib.import_module(f"robustshape.models.{CONSTRUCTORS[prefix]}")
    refusals = (TypeError,) if prefix == "python" else REFUSALS  # a fault of one's own shows where it is
    try:
        if prefix == "python":
            module = source.factory(rest, path.parent)[0](**card.get("arguments", {}))
        else:
            module = source.construct(rest, **card.get("arguments", {}))
    except RobustshapeError:
        raise
    except refusals as error:
        raise InputError(
            f"the arguments in the card {name} do not fit {card['constructor']}: {error or type(error).__name__}"
        ) from error
    if not isinstance(module, nn.Module):
        raise InputError(
            f"{card['constructor']} in the card {name} returned a {type(module).__name__}, but must return a torch module"
        )
    return module


def load(name: str, *, device: str = "cpu", trust_card: bool = False):
    """Return the Classifier that the card describes; with `trust_card` its function, where it names one, may run."""
    import torch

    from robustshape.models.classifier import Classifier
    from robustshape.models.examining import examined

    card, path = _read(name)
    with trusting(trust_card):
        _check_trust(card, path)
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
