"""The training of our own networks, and what is kept of it: weights and a card, or the news that the loss diverged."""

import functools
import json

from robustshape.errors import TrainingError
from robustshape.models.architectures import of_identity
from robustshape.paths import cache_dir
from robustshape.store import sealed
from robustshape.store.entries import write_folder

WEIGHTS = "weights.safetensors"


def training_data(dataset: str, reading: str | None):
    """Return the training split of a data set; the last ones stay in memory."""
    from robustshape import datasets

    return _read(dataset, reading, datasets.state(dataset, split="train"))


@functools.lru_cache(maxsize=2)
def _read(dataset: str, reading: str | None, _state: str):
    from robustshape import datasets

    return datasets.load(dataset, split="train", reading=reading)


def _part(data, n_images: int):
    """Return a class-balanced part of `data`, or all of it for 0."""
    from robustshape.datasets import subset

    return subset(data, n_images, seed=0)[0] if 0 < n_images < data.sizes["sample"] else data


def diverged_file(folder):
    """Return the file, beside the folder of a network, that says that its loss diverged."""
    return folder.with_name(f"{folder.name}.diverged.json")


def raise_kept(folder) -> None:
    """Raise the error with which that training ended before, and say what to delete to try again."""
    news = sealed.noted(diverged_file(folder))
    if news is not None:
        path = diverged_file(folder)
        raise TrainingError(f"{news['message']}; this is kept: to train it again, delete {path}")


def train(spec: dict, folder, device: str, progress: bool) -> None:
    """Train the network of `spec` and write weights, card and history into `folder`, or beside it that it diverged."""
    from robustshape.models.weights import write_weights
    from robustshape.store.provenance import provenance
    from robustshape.training import checkpoints, loop
    from robustshape.training.outcome import outcome
    from robustshape.training.randomness import generator_at
    from robustshape.training.recipe import Recipe

    fields = {name: v for name, v in spec["recipe"].items() if name != "selectivity version"}
    tuples = {name: tuple(v) if isinstance(v, list) else v for name, v in fields.items()}
    recipe, module = Recipe(**tuples), of_identity(spec)
    data = _part(training_data(spec["dataset"], spec["reading"]), recipe.n_images)
    checkpoint = cache_dir("models") / f"{folder.name}.checkpoint"
    checkpoints.discard_damaged(checkpoint)
    try:
        history = loop.train(
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
        _check_predictions(of_identity(spec), weights, data)
    except TrainingError as error:
        news = {"message": str(error), "identity": spec, "provenance": provenance(device)}
        sealed.note(diverged_file(folder), news)
        checkpoint.unlink(missing_ok=True)  # to try again is to begin again
        raise_kept(folder)
        raise  # nothing could be noted
    with write_folder(folder) as beside:
        card = {"identity": spec, "history": history, "provenance": provenance(device)}
        write_weights(beside / WEIGHTS, weights)
        (beside / "card.json").write_text(json.dumps(card, indent=1))


def _check_predictions(module, weights: dict, data) -> None:
    """Raise TrainingError if the network with these weights, as they are kept, gives logits that are not finite."""
    import torch

    from robustshape.models.preprocessing import Preprocessing

    module.load_state_dict(weights)
    images = data.image.values[:32]
    with torch.inference_mode():
        logits = module.eval()(Preprocessing(channels=images.shape[3], size=images.shape[1:3])(images))
    if not torch.isfinite(logits).all():
        raise TrainingError(
            "the loss stayed finite, but the trained network's logits are not; try a lower learning rate, or a "
            "selectivity (alpha) nearer to 0"
        )
