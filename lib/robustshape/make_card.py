"""Write the card of weights that lie here, from what is known of them, and check that the network it describes answers."""

import json
from pathlib import Path
from typing import Any

from robustshape.datasets.readings import crop_for
from robustshape.errors import InputError, RobustshapeError
from robustshape.models.card import checked_preprocessing
from robustshape.models.checkpoints import beside_tensors, found_in, named_classes, names_in
from robustshape.models.weights import read_weights, sha256
from robustshape.paths import checked_path
from robustshape.registry import unknown_name
from robustshape.store.atomic import write_file


def make_card(
    weights, constructor: str = "", *, arguments: dict[str, Any] | None = None, classes: str | Path | None = None,
    preprocessing: dict[str, Any] | None = None, output: str | Path | None = None, **facts,
) -> Path:  # fmt: skip
    """Write a card beside weights and return its path; nothing of the weights' file is executed.

    Parameters
    ----------
    weights : path
        A .safetensors or a PyTorch file of tensors, as timm, Lightning, torch.compile and parallel training write them, or
        a folder of Hugging Face with ``model.safetensors`` and ``config.json``.
    constructor : str
        ``timm:NAME``, ``torchvision:NAME`` or ``python:module:function``; of a folder that timm wrote it is in its config.
    arguments : dict, optional
        Of the constructor, beside the number of classes and channels, which follow from the tensors.
    classes : path or str, optional
        A file with the names of the classes in the order of the outputs, one a line or a JSON list. By default those in the
        checkpoint or the folder's config, else their number.
    preprocessing : dict, optional
        Fields of `card.PreprocessingCard` that are otherwise than the constructor's own.
    output : path, optional
        The card, ``.json``; by default beside the weights, by their name.
    **facts
        Further fields of `card.Card`: family, licence, citation, source, head, trains_on ...

    Raises
    ------
    InputError, StoreError, MissingFileError
        If the weights cannot be read, do not fit, or the classes are not as many as the outputs; no card is then left.
    """
    from robustshape import models

    path, config = found_in(checked_path(weights, "the weights"))
    state, known = read_weights(path), beside_tensors(path)
    constructor = constructor or _of_config(config, path)
    names = names_in(classes) if classes else named_classes(config) or named_classes(known)
    given = _fitting(constructor, state, arguments or {}, len(names) if names else None)
    how = checked_preprocessing(_preprocessing(constructor, given, config) | (preprocessing or {}))
    output = checked_path(
        output or (Path(weights) / "card.json" if Path(weights).is_dir() else path.with_suffix(".json")),
        "a card",
    )
    if output.suffix != ".json" or output.resolve() == path.resolve():
        raise InputError(f"a card is a file that ends in .json, but {output} was given; nothing was written")
    card = {
        "constructor": constructor,
        **({"arguments": given} if given else {}),
        "weights": _relative(path, output),
        "sha256": sha256(path).removeprefix("sha256:"),
        "bytes": path.stat().st_size,
        "preprocessing": how,
        "classes": names or _outputs(constructor, given, how),
        "family": facts.pop("family", None) or constructor.rpartition(":")[2].partition(".")[0],
        "licence": facts.pop("licence", None) or "not stated",
        **{name: value for name, value in facts.items() if value is not None},
    }
    with write_file(output) as unfinished:
        unfinished.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        own = constructor.startswith("python:")  # whoever names their function here trusts it
        models.load(f"file:{unfinished}", trust_card=own)  # what does not fit leaves no card
    return output


def tried_on(card: Path, dataset: str, n: int = 200) -> str:
    """Return how a card's network does on the first images of a data set, and what is odd about it, as sentences."""
    import numpy as np

    from robustshape import datasets, models
    from robustshape.measurements.classes import class_columns, finite
    from robustshape.models.oddities import better_normalised, oddities

    whole = datasets.load(dataset, reading="native")
    part = datasets.subset(whole, min(n, whole.sizes["sample"]), seed=0)[0]
    classifier = models.load(f"file:{card}", trust_card=True)  # just made by this person
    side = max(classifier.preprocess.size or (0,))
    data = datasets.read_as(part, crop_for(side) if "path" in whole else None)  # as the report reads them
    images, labels = datasets.pixels(data), data["label"].values
    columns = class_columns(classifier, data)
    logits = finite(classifier.logits(images), classifier.name, "logits")[:, columns]
    right = np.mean(logits.argmax(1) == labels)
    odd = [*oddities(logits, labels), *filter(None, [better_normalised(classifier, images, labels, columns)])]
    return "\n".join(
        [f"right on {right:.1%} of {len(labels)} images of {dataset}, read as {data.attrs['reading']}", *odd]
    )


def _of_config(config: dict, path: Path) -> str:
    if isinstance(config.get("architecture"), str):  # as timm writes it
        return f"timm:{config['architecture']}"
    kinds = ", ".join(map(str, config.get("architectures") or []))
    why = (
        f"its config names {kinds}, of another library, so write a function that builds it"
        if kinds
        else "it is nowhere said"
    )
    raise InputError(
        f"what network {path} holds has to be named ({why}): --timm NAME, --torchvision NAME or --python module:function"
    )


def _fitting(constructor: str, state: dict, arguments: dict, n_classes: int | None) -> dict:
    """Return the arguments with which the constructor makes a network that takes the tensors.

    Tried are its own number of classes, that of the names, and the rows of the last tensor; and, of timm, grey images.
    """
    from robustshape.models.weights import renamed

    last = [values for values in state.values() if values.ndim in (1, 2)]
    counts = [n for n in (n_classes, len(last[-1]) if last else None) if n]
    first = next((values for values in state.values() if values.ndim == 4), None)
    grey = [{}] + (
        [{"in_chans": 1}]
        if constructor.startswith("timm:") and first is not None and first.shape[1] == 1
        else []
    )
    own = constructor.startswith("python:")
    tried: dict[str, dict] = {}
    for more in [{}] if own else [*({"num_classes": n} for n in dict.fromkeys(counts)), {}]:
        for channels in grey:
            given = {**more, **channels, **arguments}
            tried.setdefault(json.dumps(given, sort_keys=True, default=str), given)
    fault = None
    for given in tried.values():
        wanted = _built(constructor, given).state_dict()
        found = renamed(state, set(wanted))
        odd = [name for name in wanted if name not in found or found[name].shape != wanted[name].shape]
        more = [name for name in found if name not in wanted]
        if not odd and not more:
            return given
        fault = fault or (odd, more)
    odd, more = fault
    raise InputError(
        f"the weights do not fit {constructor}: "
        + "; ".join(
            f"{len(names)} tensors {words}, such as {names[0]}"
            for names, words in ((odd, "are missing or of another shape"), (more, "are left over"))
            if names
        )
        + "; name the network they are of, or its arguments: --argument NAME VALUE"
    )


def _built(constructor: str, arguments: dict):
    """Return the untrained network."""
    import importlib

    from torch import nn

    from robustshape.models.file_models import CONSTRUCTORS

    prefix, _, rest = constructor.partition(":")
    if prefix not in CONSTRUCTORS or not rest:
        raise unknown_name(
            "constructor",
            constructor,
            [f"{known}:" for known in CONSTRUCTORS],
            "robustshape make-card --help",
        )
    source = importlib.import_module(f"robustshape.models.{CONSTRUCTORS[prefix]}")
    try:
        made = source.construct(rest, **arguments)
        if not isinstance(made, nn.Module):
            raise InputError(
                f"{constructor} returned a {type(made).__name__}, but must return a torch module"
            )
        return made
    except RobustshapeError:
        raise
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"{constructor} cannot be built with {arguments or 'no arguments'}: {error}"
        ) from error


def _preprocessing(constructor: str, arguments: dict, config: dict) -> dict:
    """Return what an image goes through, by the folder's config, by timm or torchvision, or as pixels in [0, 1]."""
    from torch import nn

    module = _built(constructor, arguments)
    first = next((layer for layer in module.modules() if isinstance(layer, nn.Conv2d)), None)
    channels = first.in_channels if first is not None and first.in_channels in (1, 3) else None
    found: dict[str, Any] = {"channels": channels}
    if constructor.startswith("timm:"):
        from robustshape.models.timm_models import preprocessing_of

        found = preprocessing_of(module, constructor.removeprefix("timm:")).describe()
        found["channels"] = channels or found["channels"]
        if channels == 1:
            found |= {name: [sum(found[name]) / len(found[name])] for name in ("mean", "std")}
    elif constructor.startswith("torchvision:"):
        from robustshape.models.torchvision_models import preprocessing_of

        found = preprocessing_of(constructor.removeprefix("torchvision:")).describe()
    elsewhere = config.get("preprocessor") or {}
    size = elsewhere.get("size")
    if isinstance(size, dict) and {"height", "width"} <= set(size):
        found |= {"size": [size["height"], size["width"]], "resize": min(size["height"], size["width"])}
    for name in ("mean", "std"):
        if elsewhere.get(f"image_{name}"):
            found[name] = list(elsewhere[f"image_{name}"])
    return {name: value for name, value in found.items() if value is not None or name == "channels"}


def _outputs(constructor: str, arguments: dict, preprocessing: dict) -> int:
    """Return how many numbers the network returns for an image."""
    from robustshape.models.examining import examined
    from robustshape.models.preprocessing import Preprocessing

    how = Preprocessing(**{name: tuple(v) if isinstance(v, list) else v for name, v in preprocessing.items()})
    return examined(_built(constructor, arguments), how, name=constructor)[2]


def _relative(weights: Path, card: Path) -> str:
    """Return how a card calls its weights: relative to it where they lie beneath its folder, else in full."""
    folder, weights = card.resolve().parent, weights.resolve()
    return str(weights.relative_to(folder)) if weights.is_relative_to(folder) else str(weights)
