"""Networks of published results that come with the project: ``data/models``, weights and a card for each.

A card is that of `file_models`, so that ``file:data/models/NAME.json`` loads the network on any data; its entry
``training`` is the network's identity, by which ``zoo:`` finds the weights instead of training it again.
"""

import functools
import json
from pathlib import Path

from robustshape.models.weights import sha256
from robustshape.paths import project_root

FOLDER = ("data", "models")


def cards(folder: Path) -> list[tuple[dict, Path, str]]:
    """Return (identity, weights, checksum) of every card in the folder that says how it was trained."""
    return _cards(
        folder, tuple((path.name, path.stat().st_mtime_ns) for path in sorted(folder.glob("*.json")))
    )


@functools.lru_cache(maxsize=4)
def _cards(folder: Path, _changed: tuple) -> list[tuple[dict, Path, str]]:
    cards = [(json.loads(path.read_text(encoding="utf-8")), path) for path in sorted(folder.glob("*.json"))]
    return [
        (card["training"], path.parent / card["weights"], f"sha256:{card['sha256']}")
        for card, path in cards
        if "training" in card
    ]


def shipped(identity: dict) -> Path | None:
    """Return the weights that ship of the network with this identity, or None."""
    root = project_root()
    wanted = json.loads(json.dumps(identity))
    known = cards(root.joinpath(*FOLDER)) if root else []
    for training, weights, checksum in known:
        if training == wanted and weights.is_file() and sha256(weights) == checksum:
            return weights
    return None  # a file that is not its card's is trained again
