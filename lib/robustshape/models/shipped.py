"""Networks of published results that come with the project: ``data/models``, weights and a card for each.

A card is that of `file_models`, so that ``file:data/models/NAME.json`` loads the network on any data; its entry
``training`` is the network's identity, by which ``zoo:`` finds the weights instead of training it again.
"""

import functools
import json
from pathlib import Path

from robustshape.errors import DamagedError
from robustshape.models.weights import sha256
from robustshape.paths import project_root
from robustshape.store.failures import reading

FOLDER = ("data", "models")


def cards(folder: Path) -> list[tuple[dict, Path, str]]:
    """Return (identity, weights, checksum) of every card in the folder that says how it was trained."""
    return _cards(
        folder, tuple((path.name, path.stat().st_mtime_ns) for path in sorted(folder.glob("*.json")))
    )


@functools.lru_cache(maxsize=4)
def _cards(folder: Path, _changed: tuple) -> list[tuple[dict, Path, str]]:
    found = []
    for path in sorted(folder.glob("*.json")):
        with reading(path):
            text = path.read_bytes()
        try:
            card = json.loads(text.decode())
            if not isinstance(card, dict):
                raise TypeError(f"it holds a {type(card).__name__}")
            if "training" in card:
                weights, checksum = path.parent / card["weights"], f"sha256:{card['sha256']}"
                found.append((dict(card["training"]), weights, checksum))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            print(
                f"the card {path} is damaged ({error}), so its network is not found by its name: restore it with: "
                f"git checkout -- {path}",
                flush=True,
            )
    return found


def shipped(identity: dict) -> Path | None:
    """Return the weights that ship of the network with this identity, or None; raise DamagedError if they are not its card's."""
    root = project_root()
    wanted = json.loads(json.dumps(identity))
    known = cards(root.joinpath(*FOLDER)) if root else []
    for training, weights, checksum in known:
        if training == wanted and weights.is_file():
            if (found := sha256(weights)) != checksum:
                raise DamagedError(
                    f"{weights} is damaged (it has {found}, but its card says {checksum}): published numbers are those "
                    f"of other weights; restore it with: git checkout -- {weights}, or delete it to train the network "
                    "again"
                )
            return weights
    return None
