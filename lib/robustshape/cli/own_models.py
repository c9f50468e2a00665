"""Commands for a model and images of the reader's own."""

import json
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from robustshape.cli.app import command

# What `report` takes beside the parameters of its notebook, or fills in itself.
NO_PARAMETERS = (
    *("model", "data", "output", "preprocess", "head", "compare", "progress", "trust_card"),
    *("models", "dataset", "measured", "parameters"),
)


@command(
    "report zoo:lenet --dataset mnist5k -o report.html",
    "report python:my_module:build --dataset imagefolder:photographs -o report.html",
    "report file:card.json --dataset npz:mine.npz --compare zoo:resnet -p seed 1",
)
def report(
    model: str,
    /,
    *,
    dataset: str,
    output: Annotated[Path, Parameter(name=["-o", "--output"])] = Path("report.html"),
    compare: str | None = None,
    predict_only: Annotated[bool, Parameter(negative=())] = False,
    trust_card: Annotated[bool, Parameter(negative=())] = False,
    parameter: Annotated[
        list[tuple[str, str]] | None,
        Parameter(name=["-p", "--parameter"], negative=(), allow_leading_hyphen=True, json_list=False),
    ] = None,
) -> None:
    """Write what your model's clean feature space says about how it will fail, and what was measured, as one HTML page.

    Parameters
    ----------
    model
        Its name (see: robustshape list models), such as python:my_module:build or file:card.json.
    dataset
        Its test images (see: robustshape list datasets), such as imagefolder:PATH or npz:PATH.
    output
        The page; beside it come OUTPUT.json, OUTPUT.csv and a folder OUTPUT.figures.
    compare
        Another network, to stand beside it on the same images.
    predict_only
        Corrupt and attack nothing: only what clean images say.
    trust_card
        Run the function that a card (file:) names: code of whoever wrote the card.
    parameter
        NAME VALUE: another parameter of the notebook your_model; lists as JSON. May be given several times.
    """
    from robustshape.errors import InputError
    from robustshape.reporting import report as write

    more = dict(parameter or [])
    for name in more:
        if name in NO_PARAMETERS:
            raise InputError(
                f"{name} is no parameter that -p gives; the network and --dataset, --compare, --output and --predict-only "
                "are said by themselves (a notebook of your own takes others: robustshape run)"
            )
    if predict_only:
        more["predict_only"] = "true"
    written = write(model, dataset, output, compare=compare, trust_card=trust_card, **more)
    print(f"report: {written}")


def _as_json(text: str):
    """Return a number, list or truth value that a text writes in JSON, else the text.

    >>> _as_json("3"), _as_json("[1, 2]"), _as_json("avg")
    (3, [1, 2], 'avg')
    """
    try:
        return json.loads(text)
    except ValueError:
        return text


@command(
    "make-card fine_tuned.pth --timm resnet18 --classes classes.txt --dataset imagefolder:photographs",
    "make-card mine.ckpt --torchvision resnet18 --size 32 --mean 0.49 0.48 0.45 --std 0.25 0.24 0.26",
    "make-card mine.safetensors --python my_module:build -o mine.json",
    name="make-card",
)
def make_card(
    weights: Path,
    /,
    *,
    timm: str | None = None,
    torchvision: str | None = None,
    python: str | None = None,
    classes: Path | None = None,
    size: int | None = None,
    resize: int | None = None,
    mean: Annotated[list[float] | None, Parameter(consume_multiple=True, negative=())] = None,
    std: Annotated[list[float] | None, Parameter(consume_multiple=True, negative=())] = None,
    argument: Annotated[
        list[tuple[str, str]] | None, Parameter(negative=(), allow_leading_hyphen=True, json_list=False)
    ] = None,
    head: str | None = None,
    family: str | None = None,
    licence: str | None = None,
    trains_on: Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())] = None,
    dataset: str | None = None,
    output: Annotated[Path | None, Parameter(name=["-o", "--output"])] = None,
) -> None:
    """Write the card of your weights, so that file:CARD.json names the network; it is checked that it loads and answers.

    Parameters
    ----------
    weights
        A .safetensors, a PyTorch file of tensors (of timm, Lightning, torch.compile, parallel training) or a folder of
        Hugging Face. None of its code runs.
    timm
        The network of timm that they are of.
    torchvision
        The network of torchvision that they are of.
    python
        Your function that builds it, module:function.
    classes
        A file with the names of the classes in the order of the outputs; default: those in the checkpoint, or their number.
    size
        Height and width that the network takes; default: the network's own.
    resize
        The shorter side before the middle is cut out; default: size, where that is given.
    mean
        Of each channel, subtracted from pixels in [0, 1]; default: the network's own.
    std
        Of each channel, divided by.
    argument
        NAME VALUE: an argument of the network, beside its numbers of classes and channels. May be given several times.
    head
        The classifying layer; default: found.
    family
        What networks like it are called together; default: the network's name.
    licence
        Of the weights.
    trains_on
        Corruptions that were seen in training.
    dataset
        Try it on the first 200 test images: are classes, order and normalisation right?
    output
        The card; default: beside the weights.
    """
    from robustshape.errors import InputError
    from robustshape.make_card import make_card as write
    from robustshape.make_card import tried_on

    named = [
        f"{source}:{name}"
        for source, name in (("timm", timm), ("torchvision", torchvision), ("python", python))
        if name
    ]
    if len(named) > 1:
        raise InputError(f"one network is named, but {' and '.join(named)} were given")
    if dataset:
        from robustshape.datasets import DATASETS

        DATASETS.about(dataset)  # a name that is none is said before a card is written
    resize = size if resize is None else resize
    how = {"size": None if size is None else [size, size], "resize": resize, "mean": mean, "std": std}
    card = write(
        weights, *named, classes=classes, output=output, head=head, family=family, licence=licence, trains_on=trains_on,
        arguments={name: _as_json(value) for name, value in argument or []},
        preprocessing={name: value for name, value in how.items() if value is not None},
    )  # fmt: skip
    print(f"card: {card}")
    if dataset:
        print(tried_on(card, dataset))
    print(f"use it as: file:{card}{' with --trust-card, for your function runs' if python else ''}")


@command(
    "train-generator -o generator.safetensors --images 375000",
    "train-generator -o mine.safetensors --dataset imagefolder:photographs --corruption gaussian_noise",
)
def train_generator(
    output: Annotated[Path, Parameter(name=["-o", "--output"])],
    *,
    dataset: str = "mnist",
    reading: str | None = None,
    images: int = 800_000,
    seed: int = 0,
    corruption: Annotated[list[str] | None, Parameter(negative=())] = None,
    judge: str | None = None,
) -> None:
    """Train a StyleGAN2 generator on corrupted images; interrupted, the same call goes on where it stopped.

    Parameters
    ----------
    output
        The network, a .safetensors; its card (.json) and samples (.png) are written beside it.
    dataset
        See: robustshape list datasets; or imagefolder:PATH.
    reading
        How its images become squares of a power of two: resize32, resize64, crop32, crop64 ... By default the data set's
        own; images of 28 px, say, get a black rim up to 32.
    images
        How many real images are shown. A later call with more goes on from there.
    seed
        Of the weights, the order of images and the corruptions.
    corruption
        Given once for each corruption, in the order in which they are applied; default gaussian_blur, gaussian_noise.
    judge
        The model that scores the images; default zoo:lenet-corrupted, trained if need be; "" for no score.
    """
    from robustshape import paths
    from robustshape.generators.corrupted_images import CORRUPTIONS
    from robustshape.generators.settings import Settings
    from robustshape.generators.trained import JUDGE
    from robustshape.generators.trained import train_generator as trained

    card = trained(
        output, dataset=dataset, reading=reading, settings=Settings(n_images=images), seed=seed, corruptions=corruption or CORRUPTIONS,
        judge=JUDGE if judge is None else judge, progress=True, device=paths.device(),
    )  # fmt: skip
    print(f"{card['training']['images_seen']:,} images in {card['training']['seconds']:,} s: {output}")
    found = card["scores"]
    if found:
        print(
            f"{found['judge']} reads the class asked for in {found['accuracy']:.3f} of {found['n']:,} images "
            f"(real ones: {found['real_accuracy']:.3f})"
        )
    if found and found["mild_ratio"] is not None:
        print(
            f"of the mildly corrupted, {found['n_mild']:,}, in {found['mild_accuracy']:.3f} "
            f"(real ones: {found['real_mild_accuracy']:.3f})"
        )
