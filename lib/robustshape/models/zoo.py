"""Our own small networks, trained here: ``zoo:ARCHITECTURE[-RECIPE][/SEED]``, such as ``zoo:lenet-noise/1``.

A network is trained when it is first asked for, and kept in the cache under the hash of what defines it. So is
the news that its loss diverged, which would only happen again.
"""

import functools
import importlib
import json
from dataclasses import replace

from robustshape.errors import InputError, TrainingError
from robustshape.models.families import FAMILIES, family_of
from robustshape.models.families import build as build_family
from robustshape.models.recipes import architectures, recipe_for
from robustshape.models.zoo_names import names, parse
from robustshape.paths import cache_dir
from robustshape.registry import unknown_name
from robustshape.training.recipe import epochs_for

VERSION = 1  # raised when the networks, the augmentation or the loop change their numbers
WEIGHTS = "weights.safetensors"
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
    data = _training_data(dataset, reading)
    if epochs is not None and epochs < 1:
        raise InputError(f"epochs is {epochs}, but must be at least 1")
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
    from robustshape.store.atomic import usable_folder
    from robustshape.store.keys import key_of

    spec = identity(name, dataset=dataset, epochs=epochs, reading=reading)
    folder, weights = cache_dir("models") / key_of(spec), shipped(spec)
    if weights is None:
        if not usable_folder(folder):
            if _diverged(folder).is_file():
                raise _kept_error(folder)
            _train(spec, folder, device, progress)
        weights = folder / WEIGHTS
    module = _build(spec)
    module.load_state_dict(read_weights(weights))
    return _classifier(name, spec, module, device)


def untrained(name: str, *, dataset: str = "mnist5k", epochs: int | None = None, reading: str | None = None):
    """Return the Classifier `name` with the weights that its training begins with."""
    spec = identity(name, dataset=dataset, epochs=epochs, reading=reading)
    return _classifier(name, spec, _build(spec), "cpu")


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
    from robustshape.store.atomic import MANIFEST
    from robustshape.store.keys import key_of

    spec = identity(name, **kw)
    folder = cache_dir("models") / key_of(spec)
    done = (folder / MANIFEST).is_file() or _diverged(folder).is_file()
    return done or shipped(spec) is not None


def marks(name: str, **kw) -> list[str]:
    """Return what is to be said of a network that was trained here; arguments as for `identity`.

    ``diverged``, ``at chance`` (on its training images), ``catastrophic overfitting`` (see
    `robustshape.training.outcome`); none is known of a network that ships or is not trained yet.
    """
    from robustshape.store.keys import key_of

    folder = cache_dir("models") / key_of(identity(name, **kw))
    if _diverged(folder).is_file():
        return ["diverged"]
    card = folder / "card.json"
    history = json.loads(card.read_text())["history"] if card.is_file() else {}
    return [
        words for words in ("at chance", "catastrophic overfitting") if history.get(words.replace(" ", "_"))
    ]


def construct(
    name: str, *, channels: int = 1, size: int = 32, n_classes: int = 10, seed: int = 0, **arguments
):
    """Return the untrained network of the architecture `name`; its first weights come from the seed alone.

    A number that ends the name is its depth; further `arguments` are those of the architecture.

    >>> construct("cifar_resnet32", channels=3, shortcut="B").fc.out_features
    10
    """
    import torch

    if name not in architectures():
        raise unknown_name("architecture", name, architectures(), "robustshape list models 'zoo:*'")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if name in FAMILIES and FAMILIES[name].build:
            return build_family(name, channels, size, n_classes, **arguments)
        family = name.rstrip("0123456789")
        if family != name:
            depth = int(name[len(family) :])
            if arguments.setdefault("depth", depth) != depth:
                raise InputError(
                    f"zoo:{name} has a depth of {depth}, but its arguments say {arguments['depth']}; leave it out"
                )
        build = importlib.import_module(f"robustshape.models.architectures.{family}").build
        return build(channels, size, n_classes, **arguments)


def _training_data(dataset: str, reading: str | None):
    from robustshape import datasets

    return _read(dataset, reading, datasets.state(dataset, split="train"))


@functools.lru_cache(maxsize=2)
def _read(dataset: str, reading: str | None, _state: str):
    from robustshape import datasets

    return datasets.load(dataset, split="train", reading=reading)


def weights_file(identity: dict):
    """Return where the weights of the network with this identity are kept once it is trained."""
    from robustshape.store.keys import key_of

    return cache_dir("models") / key_of(identity) / WEIGHTS


def _build(spec: dict):
    shape = {key: spec[key] for key in ("channels", "size", "n_classes", "seed")}
    return construct(spec["architecture"], **shape)


def _part(data, n_images: int):
    """Return a class-balanced part of `data`, or all of it for 0."""
    from robustshape.datasets import subset

    return subset(data, n_images, seed=0)[0] if 0 < n_images < data.sizes["sample"] else data


def _diverged(folder):
    """Return the file, beside the folder of a network, that says that its loss diverged."""
    return folder.with_name(f"{folder.name}.diverged.json")


def _kept_error(folder) -> TrainingError:
    path = _diverged(folder)
    message = json.loads(path.read_text())["message"]
    return TrainingError(f"{message}; this is kept: to train it again, delete {path}")


def _train(spec: dict, folder, device: str, progress: bool) -> None:
    """Train the network of `spec` and write weights, card and history into `folder`, or beside it that it diverged."""
    from safetensors.torch import save_file

    from robustshape.store.atomic import write_file, write_folder
    from robustshape.store.provenance import provenance
    from robustshape.training.loop import train
    from robustshape.training.outcome import outcome
    from robustshape.training.randomness import generator_at
    from robustshape.training.recipe import Recipe

    fields = {name: v for name, v in spec["recipe"].items() if name != "selectivity version"}
    tuples = {name: tuple(v) if isinstance(v, list) else v for name, v in fields.items()}
    recipe, module = Recipe(**tuples), _build(spec)
    data = _part(_training_data(spec["dataset"], spec["reading"]), recipe.n_images)
    checkpoint = cache_dir("models") / f"{folder.name}.checkpoint"
    try:
        history = train(
            module,
            data.image.values,
            data.label.values,
            recipe,
            seed=spec["seed"],
            checkpoint=checkpoint,
            progress=progress,
            device=device,
        )
        generator = generator_at(spec["seed"], (recipe.epochs,), device)
        history |= outcome(module, data.image.values, data.label.values, recipe, generator=generator)
        weights = {name: tensor.cpu().contiguous() for name, tensor in module.state_dict().items()}
        if recipe.kept_as == "float16":  # of matrices and filters; the rest is small and stays as it is
            weights = {name: w.half() if w.ndim > 1 else w for name, w in weights.items()}
        _check_answers(_build(spec), weights, data)
    except TrainingError as error:
        news = {"message": str(error), "identity": spec, "provenance": provenance(device)}
        with write_file(_diverged(folder)) as beside:
            beside.write_text(json.dumps(news, indent=1))
        checkpoint.unlink(missing_ok=True)  # to try again is to begin again
        raise _kept_error(folder) from error
    with write_folder(folder) as beside:
        card = {"identity": spec, "history": history, "provenance": provenance(device)}
        save_file(weights, beside / WEIGHTS)
        (beside / "card.json").write_text(json.dumps(card, indent=1))


def _check_answers(module, weights: dict, data) -> None:
    """Raise TrainingError if the network with these weights, as they are kept, gives answers that are not finite."""
    import torch

    from robustshape.models.preprocessing import Preprocessing

    module.load_state_dict(weights)
    images = data.image.values[:32]
    with torch.inference_mode():
        logits = module.eval()(Preprocessing(channels=images.shape[3], size=images.shape[1:3])(images))
    if not torch.isfinite(logits).all():
        raise TrainingError(
            "the loss stayed finite, but the trained network's answers are not; try a lower learning rate, or a "
            "selectivity (alpha) nearer to 0"
        )
