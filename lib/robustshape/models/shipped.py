"""Networks of published results that come with the project: ``data/models``, weights and a card for each.

A card is that of `file_models`, so that ``file:data/models/NAME.json`` loads the network on any data; its entry
``training`` is the network's identity, by which ``zoo:`` finds the weights instead of training it again.
"""

import functools
import json
import shutil
from pathlib import Path

from robustshape.models.weights import sha256
from robustshape.paths import cache_dir, project_root

FOLDER = ("data", "models")
LARGEST = 16 * 2**20  # bytes that the networks of one preset may add to the project


@functools.cache
def _cards(folder: Path) -> list[tuple[dict, Path, str]]:
    """Return (identity, weights, checksum) of every card in the folder that says how it was trained."""
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
    known = _cards(root.joinpath(*FOLDER)) if root else []
    for training, weights, checksum in known:
        if training == wanted and weights.is_file() and sha256(weights) == checksum:
            return weights
    return None  # a file that is not its card's is trained again


def total_size(names: list[str], options: dict) -> int:
    """Return how many bytes the weights of trained ``zoo:`` networks take that do not ship yet."""
    from robustshape.models import zoo
    from robustshape.store.keys import key_of

    known = [zoo.identity(name.removeprefix("zoo:"), **options) for name in names]
    files = [
        cache_dir("models") / key_of(identity) / zoo.WEIGHTS
        for identity in known
        if shipped(identity) is None
    ]
    return sum(file.stat().st_size for file in files if file.is_file())


def ship(name: str, options: dict) -> Path | None:
    """Copy a trained ``zoo:`` network into ``data/models`` and return its card; None if it is there or not trained."""
    from robustshape.models import load, zoo
    from robustshape.paths import require_project
    from robustshape.store.keys import key_of

    identity = zoo.identity(name.removeprefix("zoo:"), **options)
    kept = cache_dir("models") / key_of(identity) / zoo.WEIGHTS
    if shipped(identity) is not None or not kept.is_file():
        return None
    classifier, folder = load(name, **options), require_project().joinpath(*FOLDER)
    stem = f"{identity['dataset']}_{name.removeprefix('zoo:')}".replace("/", "_").replace(":", "_")
    if (folder / f"{stem}.json").exists():  # another training of the same name, such as of fewer epochs
        stem += f"_{key_of(identity)[:8]}"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(kept, folder / f"{stem}.safetensors")
    card = {
        "constructor": f"zoo:{identity['architecture']}",
        "arguments": {key: identity[key] for key in ("channels", "size", "n_classes")},
        "weights": f"{stem}.safetensors",
        "sha256": sha256(kept).removeprefix("sha256:"),
        "bytes": kept.stat().st_size,
        "preprocessing": classifier.preprocess.describe(),
        "classes": identity["n_classes"],
        "family": classifier.about["family"],
        "recipe": classifier.about["recipe"],
        "licence": classifier.about["licence"],
        "citation": "trained by this project",
        "trains_on": list(classifier.about["trains_on"]),
        "training": identity,
    }
    path = folder / f"{stem}.json"
    path.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    _cards.cache_clear()
    return path
