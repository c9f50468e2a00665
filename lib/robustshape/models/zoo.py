"""Our own small networks, trained here: ``zoo:ARCHITECTURE[-RECIPE][/SEED]``, such as ``zoo:lenet-noise/1``.

A network is trained when it is first asked for, and kept in the cache under the hash of what defines it. So is
the news that its loss diverged, which would only happen again.
"""

import json
from dataclasses import replace

from robustshape.errors import InputError
from robustshape.models.architectures import construct, of_identity
from robustshape.models.families import family_of
from robustshape.models.recipes import recipe_for
from robustshape.models.zoo_names import names, parse
from robustshape.models.zoo_training import WEIGHTS, diverged_file, raise_kept, train, training_data
from robustshape.paths import cache_dir
from robustshape.store import leases
from robustshape.store.entries import usable_folder
from robustshape.training.recipe import epochs_for

VERSION = 1  # raised when the networks, the augmentation or the loop change their numbers
LICENCE, CITATION = "MIT", "trained here"
__all__ = [
    "check",
    "construct",
    "identity",
    "is_ready",
    "load",
    "marks",
    "names",
    "untrained",
    "weights_file",
]

check = parse  # all that can be said of a name without its training data


def identity(
    name: str, *, dataset: str = "mnist5k", epochs: int | None = None, reading: str | None = None
) -> dict:
    """Return what defines the network's numbers; nothing is trained."""
    architecture, recipe_name, seed = parse(name)
    data = training_data(dataset, reading)
    if epochs is not None and (isinstance(epochs, bool) or not isinstance(epochs, int) or epochs < 1):
        raise InputError(f"epochs is {epochs!r}, but must be a whole number, at least 1")
    if "image" not in data:
        raise InputError(
            f"the zoo's networks are trained on images of one size held in memory, but {dataset!r} read as "
            f"{data.attrs['reading']!r} is files decoded one by one; choose the reading crop32 or crop64"
        )
    recipe = recipe_for(architecture, recipe_name, data.sizes["channel"])
    n_images = min(recipe.n_images or data.sizes["sample"], data.sizes["sample"])
    recipe = replace(recipe, epochs=epochs or epochs_for(recipe, n_images))
    if data.sizes["y"] != data.sizes["x"] or data.sizes["y"] % 4:
        raise InputError(
            f"the zoo's networks take square images whose side is a multiple of 4, but {dataset!r} has "
            f"{data.sizes['y']} x {data.sizes['x']} pixels"
        )
    return {
        "source": "zoo",
        "architecture": architecture,
        "recipe": recipe.describe(),
        "dataset": dataset,
        "reading": data.attrs["reading"],
        "checksum": data.attrs["checksum"],
        "channels": data.sizes["channel"],
        "size": data.sizes["y"],
        "n_classes": data.attrs["n_classes"],
        "seed": seed,
        "version": VERSION,
    }


def load(
    name: str,
    *,
    dataset: str = "mnist5k",
    epochs: int | None = None,
    reading: str | None = None,
    device: str = "cpu",
    progress: bool = False,
):
    """Return the Classifier `name` (without prefix) trained on `dataset`; train it if it is not in the cache.

    A loss that diverges raises TrainingError, now and, without training, whenever the network is asked for again.
    """
    from robustshape.models.shipped import shipped
    from robustshape.models.weights import read_weights

    spec = identity(name, dataset=dataset, epochs=epochs, reading=reading)
    weights = shipped(spec) or _trained(spec, device, progress)
    module = of_identity(spec)
    module.load_state_dict(read_weights(weights))
    return _classifier(name, spec, module, device)


def _trained(spec: dict, device: str, progress: bool):
    """Return the kept weights of the network of `spec`; train it where there are none and no other run is doing so."""
    weights = weights_file(spec)
    folder = weights.parent
    if not usable_folder(folder):
        raise_kept(folder)
        with leases.alone(folder):
            if not usable_folder(folder):
                raise_kept(folder)
                train(spec, folder, device, progress)
    return weights


def untrained(name: str, *, dataset: str = "mnist5k", epochs: int | None = None, reading: str | None = None):
    """Return the Classifier `name` with the weights that its training begins with."""
    spec = identity(name, dataset=dataset, epochs=epochs, reading=reading)
    return _classifier(name, spec, of_identity(spec), "cpu")


def _classifier(name: str, spec: dict, module, device: str):
    import torch

    from robustshape.hooks import last_linear
    from robustshape.models.classifier import Classifier
    from robustshape.models.preprocessing import Preprocessing

    architecture, recipe_name, _ = parse(name)
    if spec["recipe"]["channels_last"]:  # as it was trained; convolutions are faster so
        module.to(memory_format=torch.channels_last)
    return Classifier(
        name=f"zoo:{name}",
        module=module,
        preprocess=Preprocessing(channels=spec["channels"], size=(spec["size"], spec["size"])),
        head=last_linear(module),
        n_classes=spec["n_classes"],
        identity=spec,
        about={
            "family": family_of(architecture).family,
            "clan": family_of(architecture).clan,
            "recipe": recipe_name,
            "trains_on": tuple(spec["recipe"]["trains_on"]),
            "licence": LICENCE,
            "citation": CITATION,
        },
        device=device,
    )


def is_ready(name: str, **kw) -> bool:
    """Return whether nothing is left to train: the network is kept, ships, or diverged; arguments as for `identity`."""
    from robustshape.models.shipped import shipped
    from robustshape.store.entries import is_finished
    from robustshape.store.keys import key_of

    spec = identity(name, **kw)
    folder = cache_dir("models") / key_of(spec)
    done = is_finished(folder) or diverged_file(folder).is_file()
    return done or shipped(spec) is not None


def marks(name: str, **kw) -> list[str]:
    """Return what is to be said of a network that was trained here; arguments as for `identity`.

    ``diverged``, ``at chance`` (on its training images), ``catastrophic overfitting`` (see
    `robustshape.training.outcome`); none is known of a network that ships or is not trained yet.
    """
    from robustshape.store.keys import key_of

    folder = cache_dir("models") / key_of(identity(name, **kw))
    if diverged_file(folder).is_file():
        return ["diverged"]
    history = json.loads((folder / "card.json").read_text())["history"] if usable_folder(folder) else {}
    return [
        words for words in ("at chance", "catastrophic overfitting") if history.get(words.replace(" ", "_"))
    ]


def weights_file(identity: dict):
    """Return where the weights of the network with this identity are kept once it is trained."""
    from robustshape.store.keys import key_of

    return cache_dir("models") / key_of(identity) / WEIGHTS
