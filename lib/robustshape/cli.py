"""The command line: ``robustshape`` = ``python -m robustshape``."""

import contextlib
import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import cyclopts
from cyclopts import Parameter

from robustshape import __version__
from robustshape.errors import NotebookError, RobustshapeError

app = cyclopts.App(
    name="robustshape",
    version=__version__,
    help="What does the shape of a classifier's clean feature space say about how it will fail?",
    help_epilogue="Help on a command, with examples: robustshape COMMAND --help",
    help_format="plaintext",
)
KINDS = ("studies", "presets", "models", "datasets", "corruptions", "attacks", "indicators")


def command(*examples: str, **more):
    """Register a function as a command, with examples at the end of its help."""
    shown = "\n".join(["Examples:", *(f"  robustshape {example}" for example in examples)])
    return app.command(help_epilogue=shown, **more)


@command(
    "run kstar_skewness --preset laptop",
    'run kstar_skewness --preset laptop -p models \'["zoo:lenet", "python:my_module:build"]\' -p source extend',
    "run my_copy.ipynb -p n_samples 200 -o out.ipynb",
)
def run(
    notebook: str,
    /,
    *,
    preset: str | None = None,
    parameter: Annotated[
        list[tuple[str, str]] | None,
        Parameter(name=["-p", "--parameter"], negative=(), allow_leading_hyphen=True, json_list=False),
    ] = None,
    output: Annotated[Path | None, Parameter(name=["-o", "--output"])] = None,
) -> None:
    """Run a notebook with checked parameters; what is already in the cache is not computed again.

    Parameters
    ----------
    notebook
        Its name (see: robustshape list studies) or a path to an .ipynb file.
    preset
        A parameter file, notebooks/presets/NOTEBOOK.PRESET.yaml (see: robustshape list presets).
    parameter
        NAME VALUE: a parameter of the notebook; lists as JSON. May be given several times, wins over the preset.
    output
        The executed notebook; default NOTEBOOK.PRESET.ipynb in the cache. If a cell fails, what was done until then
        is in OUTPUT.partial.ipynb.
    """
    from robustshape.notebooks import run_notebook

    written = run_notebook(notebook, preset=preset, parameters=dict(parameter or []), output=output)
    print(f"executed notebook: {written}")


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
    parameter
        NAME VALUE: another parameter of the notebook your_model; lists as JSON. May be given several times.
    """
    from robustshape.reporting import report as write

    more = dict(parameter or [])
    if predict_only:
        more["predict_only"] = "true"
    written = write(model, dataset, output, compare=compare, **more)
    print(f"report: {written}")


def _as_json(text: str):
    """Return a number, list or truth value that a text writes in JSON, else the text.

    >>> _as_json("3"), _as_json("[1, 2]"), _as_json("avg")
    (3, [1, 2], 'avg')
    """
    import json

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
    how = {"size": [size, size] if size else None, "resize": resize or size, "mean": mean, "std": std}
    card = write(
        weights, *named, classes=classes, output=output, head=head, family=family, licence=licence, trains_on=trains_on,
        arguments={name: _as_json(value) for name, value in argument or []},
        preprocessing={name: value for name, value in how.items() if value is not None},
    )  # fmt: skip
    print(f"card: {card}")
    if dataset:
        print(tried_on(card, dataset))
    print(f"use it as: file:{card}")


@command(
    "list presets",
    "list models 'zoo:lenet*'",
    "list datasets",
    name="list",
    usage="Usage: robustshape list KIND [PATTERN]\n",
)
def list_(kind: Literal[KINDS], pattern: str = "*", /) -> None:  # type: ignore[valid-type]
    """List what there is, one name a line with a few words about it.

    Parameters
    ----------
    kind
        What to list.
    pattern
        A shell pattern that names must match, such as 'zoo:lenet*'.
    """
    for name, words in _listing(kind, pattern):
        print(f"{name:<34} {words}".rstrip())


def _listing(kind: str, pattern: str):
    from fnmatch import fnmatchcase

    if kind == "studies":
        from robustshape.notebooks import titles

        return [(name, title) for name, title in titles().items() if fnmatchcase(name, pattern)]
    if kind == "presets":
        from robustshape.notebooks import list_presets

        return [(n, ", ".join(books)) for n, books in list_presets().items() if fnmatchcase(n, pattern)]
    if kind == "models":
        from robustshape import models

        listed = [(name, "") for name in models.names(pattern)]
        joined = (
            "zoo:NAME-RECIPE+RECIPE/SEED",
            "recipes join, one may be alpha=A, as in zoo:resnet-pgd+alpha=-0.4/1",
        )
        return [*listed, joined] if fnmatchcase("zoo:", pattern[:4] or "*") else listed
    if kind == "datasets":
        from robustshape.datasets import DATASETS as registry
    elif kind == "indicators":
        from robustshape.indicators import INDICATORS as registry
    elif kind == "attacks":
        from robustshape.attacks import ATTACKS as registry
    else:
        from robustshape.corruptions import CORRUPTIONS as registry
    facts = {"datasets": "title", "indicators": "about", "attacks": "about", "corruptions": "what"}[kind]
    return [(name, str(registry.about(name)[facts])) for name in registry.names(pattern)]


@command(
    "results kstar_skewness --preset mnist",
    "results kstar_skewness --preset mnist --per class --csv classes.csv",
    "results kstar_skewness --preset mnist --figures figures --format pdf",
)
def results(
    study: str,
    /,
    *,
    preset: str = "laptop",
    per: str = "",
    csv: Path | None = None,
    full: bool = False,
    figures: Path | None = None,
    format: Literal["svg", "pdf", "png"] = "svg",
) -> None:
    """Show a study's results: your latest run with this preset if there is one, else the published one.

    Parameters
    ----------
    study
        See: robustshape list studies.
    preset
        See: robustshape list presets. A run without a preset is called 'custom'.
    per
        A line for each class, sample or other dimension of the rows, in place of one for each model.
    csv
        Write the table to this file as well.
    full
        Also how and on what everything was measured, down to the provenance.
    figures
        Draw the study's figures into this folder as well.
    format
        Of the figures.
    """
    from robustshape.analysis.table import table as flat
    from robustshape.preset_results import latest

    rows, which = latest(study, preset)
    table = flat(rows, per, full=full)
    print(f"{study}, preset {preset}: {which}, {rows.sizes['model']} models, {len(table):,} lines")
    print(table.to_string(index=False, float_format=lambda x: f"{x:.4f}", max_rows=200))
    if csv:
        from robustshape.store.atomic import write_file

        with write_file(csv) as temporary:
            table.to_csv(temporary, index=False)
        print(f"table: {csv}")
    if figures:
        from robustshape.book.figures import write_figures

        for path in write_figures(study, preset, figures, format):
            print(f"figure: {path}")


@command("publish kstar_skewness --preset mnist")
def publish(study: str, /, *, preset: str) -> None:
    """Copy your finished rows of a study into data/results, for others to read and extend.

    Parameters
    ----------
    study
        See: robustshape list studies.
    preset
        The preset whose rows to publish.
    """
    from robustshape import paths, preset_results

    paths.require_checkout("publishing")
    done, wanted, file = preset_results.publish(study, preset)
    print(f"{done} of {wanted} rows published: {file}")


@command("book", "book --preset smoke")
def book(*, preset: str = "laptop") -> None:
    """Run every notebook whose inputs have changed and build the HTML book in _build/html.

    Parameters
    ----------
    preset
        What is measured here; every other preset is drawn from its published results.
    """
    from robustshape.book import build_book

    build_book(preset)


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


@command("doctor")
def doctor() -> None:
    """Say what this machine has, which data and weights are found, and how to get what is missing."""
    from robustshape.doctor import report

    print(report())


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; a person's mistake ends in exit code 2 with its message, without a traceback.

    A cell that fails by an error of its own ends in 1, an interruption in 130.
    """
    try:
        app(arguments, exit_on_error=False, print_error=True, result_action="return_value")
        return 0
    except cyclopts.CycloptsError as error:  # already shown
        print(f"see: {' '.join(['robustshape', *(error.command_chain or ())])} --help", file=sys.stderr)
        return 2
    except RobustshapeError as error:
        print(f"robustshape: {error}", file=sys.stderr)
        return 1 if isinstance(error, NotebookError) else 2
    except KeyboardInterrupt:
        print("robustshape: interrupted; run the same command again to go on", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of a pipe has gone, as in `robustshape list models | head`
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
