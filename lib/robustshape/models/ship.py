"""Put trained networks of ours into the project, ``data/models``, so that anyone can check a published number."""

import json
import shutil
from pathlib import Path

from robustshape.models import zoo
from robustshape.models.network import Network
from robustshape.models.shipped import FOLDER, shipped
from robustshape.models.weights import sha256
from robustshape.paths import require_checkout
from robustshape.store.keys import key_of

MOST = 100  # networks of a preset: of a larger population the rows ship, and no weights
LARGEST = 16 * 2**20  # bytes that the networks of one preset may add to the project


def total_size(networks: list[Network]) -> int:
    """Return how many bytes the weights of trained networks of ours take that do not ship yet."""
    files = [zoo.weights_file(one.identity) for one in networks if shipped(one.identity) is None]
    return sum(file.stat().st_size for file in files if file.is_file())


def ship(network: Network) -> Path | None:
    """Copy a trained network of ours into ``data/models`` and return its card; None if it is there or not trained."""
    identity, name = network.identity, network.name.removeprefix("zoo:")
    kept = zoo.weights_file(identity)
    if shipped(identity) is not None or not kept.is_file():
        return None
    classifier, folder = network.load(), require_checkout("shipping").joinpath(*FOLDER)
    stem = f"{identity['dataset']}_{name}".replace("/", "_").replace(":", "_")
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
    return path


def ship_all(networks: list[Network]) -> list[Path]:
    """Ship the networks of a preset, or say why they do not come along: those of a large population stay here."""
    if len(networks) > MOST:
        print(f"the {len(networks)} networks do not come along: weights ship of {MOST} at most")
        return []
    size = total_size(networks)
    if size > LARGEST:
        print(
            f"the {len(networks)} networks do not come along, for they take {size // 2**20:,} MiB, more than "
            f"{LARGEST // 2**20}; they are in this machine's cache alone"
        )
        return []
    return [card for network in networks if (card := ship(network)) is not None]
