"""From the name of a data set to a trained generator with a card: images corrupted anew in every pass, then a score."""

import json
import platform
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from robustshape import datasets
from robustshape.errors import InputError
from robustshape.generators import quality
from robustshape.generators.corrupted_images import CORRUPTIONS, randomly_corrupted
from robustshape.generators.settings import Settings
from robustshape.generators.severities import Severities
from robustshape.generators.training import VERSION, train
from robustshape.models.network import Network
from robustshape.paths import cache_dir, checked_path
from robustshape.store.atomic import check_writable, write_file
from robustshape.training import checkpoints
from robustshape.values import checked_seed

CONSTANTS = "224"  # severities of ImageNet-C, as on the slides
PROBABILITY = 0.5  # of each corruption
JUDGE = "zoo:lenet-corrupted"
PADDED = "pad32"  # the reading of images of 18 to 30 px where none is asked for
N_SCORED = 5_000  # made and real images for the score, and as many others to fit the severities to


def train_generator(
    output: Path, *, dataset: str = "mnist", reading: str | None = None, settings: Settings | None = None,
    corruptions=CORRUPTIONS, seed: int = 0, judge: str = JUDGE, progress: bool = False, device: str = "cpu",
) -> dict:  # fmt: skip
    """Train a generator on corrupted images of a data set, write it with its card, and return the card.

    Parameters
    ----------
    output : path
        Of the .safetensors. Beside it are written its card (.json) and a picture of samples (.png), the last every few
        minutes. A checkpoint in the cache is found again by the same call, or by one that asks for more images.
    dataset, reading : str
        See `learnable`.
    settings : Settings, optional
    corruptions : sequence of str
        Applied in this order to an image, each with probability 1/2, at severities 1 to 5.
    seed : int
    judge : str
        A model that takes no part in the training, trained on the same data set if it is one of ours; "" for no score.
    progress : bool
    device : str

    Returns
    -------
    dict
        The card: file, settings, images seen, time, hardware, data, corruptions, and the scores of `quality.scores`.
    """
    from robustshape.generators.stylegan2 import write_network
    from robustshape.models.weights import sha256
    from robustshape.store.keys import key_of
    from robustshape.store.provenance import provenance

    output, settings = checked_path(output, "a generator"), settings or Settings()
    checked_seed(seed)
    if output.suffix != ".safetensors":
        raise InputError(f"a generator is written to a .safetensors, but the output is {output.name!r}")
    data = learnable(dataset, "train", reading)
    if progress and reading != (reading := data.attrs["reading"]):
        print(f"images are read as {reading}: {data.image.shape[1]} px a side")
    if judge:  # what is wrong with its name is said now, not after the training
        _ = Network.of(judge, dataset=dataset, reading=reading).identity
    images, labels, ids = data.image.values, data.label.values, data.sample.values
    n_classes = data.attrs["n_classes"]
    kinds = {"corruptions": list(corruptions), "probability": PROBABILITY, "constants": CONSTANTS}

    def corrupted(k):
        return randomly_corrupted(images, ids, **kinds, seed=seed * 1000 + k)[0]

    about = {
        "dataset": dataset,
        "reading": data.attrs["reading"],
        "checksum": data.attrs["checksum"],
        **kinds,
    }
    key = key_of({**about, "version": VERSION, "seed": seed, **asdict(replace(settings, n_images=1))})
    grid_labels = np.repeat(np.arange(n_classes), 12)
    check_writable(output)  # what is wrong shows now, not after the training

    def watch(generator, _seen):
        draw(quality.sampled(generator.eval(), grid_labels, seed=0), 12, output.with_suffix(".png"))

    checkpoint = cache_dir("generators") / f"{key}.checkpoint"
    checkpoints.discard_damaged(checkpoint)
    generator, history = train(
        corrupted, labels, settings, seed=seed, tag=json.dumps(about, sort_keys=True), n_classes=n_classes,
        checkpoint=checkpoint, progress=progress, device=device, watch=watch,
    )  # fmt: skip
    watch(generator, history["images"])
    write_network(output, generator)
    card = {
        "kind": "StyleGAN2 generator",
        "weights": output.name,
        "sha256": sha256(output).removeprefix("sha256:"),
        "bytes": output.stat().st_size,
        "settings": generator.settings,
        "data": {**about, "n": len(images), "licence": data.attrs["licence"], "citation": data.attrs["citation"]},
        "training": {
            **asdict(settings), "seed": seed, "images_seen": history["images"], "seconds": round(history["seconds"]),
            "augmentation_probability": round(history["p"], 3),
            "hardware": f"{device}, {platform.machine()}", **provenance(device),
        },
        "scores": scores(generator, dataset, reading, corruptions, judge) if judge else None,
    }  # fmt: skip
    with write_file(output.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return card


def learnable(dataset: str, split: str, reading: str | None = None):
    """Return a split of a data set in a reading that a generator can learn: squares of a power of two.

    Parameters
    ----------
    dataset, split, reading
        See `robustshape.datasets.load`. Without a reading, images of an even size from 18 to 30 px, such as digits of 28,
        get a black rim up to 32 px, for resizing would change how sharp and how noisy they are; others are taken as the
        data set reads them.

    Raises
    ------
    InputError
        If they are no such squares: which sizes there are, and readings that would make some.

    Examples
    --------
    >>> learnable("digits", "test").image.shape
    (500, 32, 32, 1)
    """
    data = datasets.load(dataset, split=split, reading=reading)
    sizes = (
        {data.image.shape[1:3]} if "image" in data else set(zip(data["height"].values, data["width"].values))
    )
    least, most = ((int(h), int(w)) for h, w in (min(sizes), max(sizes)))
    if least == most and least[0] == least[1] and least[0] in (2**k for k in range(2, 16)):
        return data
    if reading is None and least == most and all(16 < side < 32 and side % 2 == 0 for side in least):
        return datasets.read_as(data, PADDED)
    found = " to ".join(f"{h} x {w}" for h, w in dict.fromkeys((least, most)))
    raise InputError(
        f"a generator learns squares of a power of two from 4 px on, but the images of {dataset} are {found} px; give a "
        "reading that makes some: resize32 or resize64, crop32 or crop64 for photographs"
    )


def scores(generator, dataset: str, reading, corruptions, judge: str) -> dict:
    """Return `quality.scores` beside test images corrupted as the generator's, with what they were made of."""
    kinds = {"corruptions": corruptions, "probability": PROBABILITY, "constants": CONSTANTS}
    kept = {}
    for split, seed in (("train", 1_000_003), ("test", 1_000_004)):
        data = datasets.load(dataset, split=split, reading=reading).isel(sample=slice(0, N_SCORED))
        changed, severities = randomly_corrupted(data.image.values, data.sample.values, **kinds, seed=seed)
        kept[split] = changed, severities, data.label.values
    known = Severities(corruptions).fit(quality.grey(kept["train"][0]), kept["train"][1])
    real, _, labels = kept["test"]
    made = quality.sampled(generator, labels, seed=7)
    reader = Network.of(judge, dataset=dataset, reading=reading).load()
    found = quality.scores(made, labels, real, labels, judge=reader, severities=known)
    return {"judge": judge, "n": len(labels), **found}


def draw(images, columns: int, path: Path) -> None:
    """Write images (n, r, r, c) uint8 as one picture, twice as large, `columns` of them side by side."""
    from PIL import Image

    sheet = quality.sheet(images, columns)
    picture = Image.fromarray(sheet.squeeze()).resize((2 * sheet.shape[1], 2 * sheet.shape[0]), Image.NEAREST)
    with write_file(path) as temporary:
        picture.save(temporary, format="PNG")
