"""The card of a network: a JSON file that says how its weights are built and read, checked field by field.

{"constructor": "torchvision:resnet18", "arguments": {"num_classes": 10},
 "weights": "mine.safetensors", "sha256": "...", "bytes": 44780000,
 "preprocessing": {"channels": 3, "size": [32, 32], "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]},
 "classes": ["aeroplane", "..."], "family": "resnet18", "recipe": "plain",
 "licence": "MIT", "citation": "...", "source": "where a reader gets the weights", "trains_on": []}
"""

import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, ValidationError

from robustshape.errors import InputError
from robustshape.registry import closest

Text = Annotated[str, Field(min_length=1, strict=True)]
Side = Annotated[StrictInt, Field(gt=0, le=10_000)]
Finite = Annotated[StrictFloat | StrictInt, Field(allow_inf_nan=False)]
Positive = Annotated[StrictFloat | StrictInt, Field(gt=0, allow_inf_nan=False)]
LARGEST = 1e6  # of a mean or std, of which pixels are in [0, 1]
CONSTRUCTORS = ("timm", "torchvision", "zoo", "python")
LARGEST_CARD = 16 << 20  # bytes
LARGEST_NUMBER = 1_000_000  # of an argument: no network here has as many classes, channels or layers
LOADING = ("pretrained", "checkpoint", "weights", "cache_dir")  # so begin arguments that fetch other files
PLAIN = re.compile(r"[\w+.-]{1,64}")  # a text among the arguments: a kind of layer, no path and no address


class PreprocessingCard(BaseModel):
    """What happens to an image before the network sees it, see `robustshape.models.preprocessing.Preprocessing`."""

    model_config = ConfigDict(extra="forbid")
    channels: Literal[1, 3] | None  # null: whatever the images have
    size: tuple[Side, Side] | None = None  # height and width
    resize: Side | None = None  # of the shorter side, before the middle is cut out
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    mean: Annotated[tuple[Finite, ...], Field(min_length=1, max_length=3)] | None = None
    std: Annotated[tuple[Positive, ...], Field(min_length=1, max_length=3)] | None = None


class Card(BaseModel):
    """What `file:` reads; what has a default may be left out."""

    model_config = ConfigDict(extra="forbid")
    constructor: Text  # a timm, torchvision, zoo or python name
    weights: Text  # a file beside the card, or by its name in ROBUSTSHAPE_DATA or the cache
    sha256: Annotated[str, Field(pattern=r"^(sha256:)?[0-9a-f]{64}$", strict=True)]
    preprocessing: PreprocessingCard
    classes: (
        Annotated[list[Text], Field(min_length=2)] | Annotated[StrictInt, Field(ge=2)]
    )  # names, or their number
    arguments: dict[str, Any] = {}  # of the constructor
    bytes: Annotated[StrictInt, Field(gt=0)] | None = None
    head: Text | None = None  # the classifying layer, where it cannot be found
    channels_last: StrictBool = False  # lays filters out so that large convolutions run faster
    family: Text | None = None
    recipe: Annotated[str, Field(strict=True)] | None = None
    licence: Text | None = None
    citation: Text | None = None
    source: Text | None = None  # where a reader gets the weights
    name: Text | None = None
    trains_on: list[Text] = []  # corruptions that were seen in training
    training: dict[str, Any] | None = None  # the identity of a network of ours that ships


def checked(path: Path) -> dict:
    """Return the card in a file as a dictionary of what it says, or raise InputError with the first field that is wrong.

    Raises
    ------
    InputError
        If the file is no JSON object, a field is missing, unknown or of another kind, or the constructor's source is none.
    """
    if path.stat().st_size > LARGEST_CARD:
        raise InputError(
            f"the card {path} has {path.stat().st_size >> 20:,} MiB, but a card may have {LARGEST_CARD >> 20}"
        )
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(given, dict):
            json.dumps(given, ensure_ascii=False).encode()  # a half of a character cannot be written
    except (ValueError, RecursionError) as error:
        raise InputError(f"the card {path} is not JSON: {error}") from error
    if not isinstance(given, dict):
        raise InputError(f"the card {path} holds a {type(given).__name__}, but must be an object with fields")
    try:
        Card.model_validate(given)
    except ValidationError as error:
        raise InputError(f"the card {path} {_said(error.errors(), given)}") from error
    prefix, _, rest = given["constructor"].partition(":")
    if prefix not in CONSTRUCTORS or not rest:
        raise InputError(
            f"the constructor {given['constructor']!r} in the card {path} must be a name that starts with "
            f"{', '.join(f'{known}:' for known in CONSTRUCTORS)}"
        )
    if prefix != "python" and (why := _objection(given.get("arguments", {}))):
        raise InputError(
            f"the card {path} has {why}; the arguments of {given['constructor']} are numbers and plain words"
        )
    if why := normalisation_fault(given["preprocessing"]):
        raise InputError(f"the card {path} has {why}")
    return given


def _objection(arguments: dict) -> str:
    """Return what an argument does that none may: read or fetch what is not the card's, or ask for too much; else nothing.

    >>> _objection({"num_classes": 10, "pad_type": "same", "strides": [1, 2]})
    ''
    >>> _objection({"checkpoint_path": "a.pth"})
    "'checkpoint_path' in arguments, by which other files than its weights are read"
    """
    for name, value in arguments.items():
        if name.lower().startswith(LOADING):
            return f"{name!r} in arguments, by which other files than its weights are read"
        values = [value]
        while values:
            one = values.pop()
            if isinstance(one, dict | list):
                values += one.values() if isinstance(one, dict) else one
            elif isinstance(one, str) and not PLAIN.fullmatch(one):
                return f"{one[:60]!r} in arguments.{name}"
            elif isinstance(one, int | float) and abs(one) > LARGEST_NUMBER:
                return f"{str(one)[:20]} in arguments.{name}, more than {LARGEST_NUMBER:,}"
    return ""


def checked_preprocessing(how: dict) -> dict:
    """Return the entry ``preprocessing`` of a card that is to be written, or raise InputError with the field that is wrong."""
    try:
        PreprocessingCard.model_validate(how)
    except ValidationError as error:
        given = {"preprocessing": how}
        wrong = [{**one, "loc": ("preprocessing", *one["loc"])} for one in error.errors()]
        raise InputError(f"the card {_said(wrong, given)}") from error
    if why := normalisation_fault(how):
        raise InputError(f"the card has {why}")
    return how


def normalisation_fault(how: dict) -> str:
    """Return why `mean` and `std` of a preprocessing cannot normalise images, "" if they can.

    >>> normalisation_fault({"channels": 3, "mean": [0.5] * 3})
    'preprocessing.mean without preprocessing.std; give both, 0 and 1 where nothing is to change'
    """
    channels, given = how.get("channels"), {name: how.get(name) for name in ("mean", "std")}
    for name, other in (("mean", "std"), ("std", "mean")):
        values = given[name]
        if values is None:
            continue
        if len(values) not in ((1, 3) if channels is None else (channels,)):
            wanted = "images have 1 or 3" if channels is None else channels
            return f"{len(values)} numbers in preprocessing.{name}, but {wanted} channels"
        if given[other] is None:
            return f"preprocessing.{name} without preprocessing.{other}; give both, 0 and 1 where nothing is to change"
        if any(abs(value) > LARGEST for value in values):
            return f"{max(values, key=abs):g} in preprocessing.{name}: pixels are in [0, 1]"
    if any(value < 1 / LARGEST for value in given["std"] or ()):
        return f"{min(given['std']):g} in preprocessing.std: pixels are divided by it, so it is above 0"
    return ""


def _said(errors: list[dict], given: dict) -> str:
    """Return what is wrong with the first field of a card that is, as the end of a sentence."""
    wrong = min(
        errors, key=lambda one: one["type"] != "extra_forbidden"
    )  # a misspelt field is also one that is missing
    place = [str(part) for part in wrong["loc"] if part not in _PARTS]
    name = ".".join(place)
    if name == "preprocessing.channels" and wrong["type"] == "missing":
        return "lacks preprocessing.channels; give 1, 3, or null for whatever the images have"
    if wrong["type"] == "missing" and place[0] in Card.model_fields and place[0] not in given:
        needed = [field for field, info in Card.model_fields.items() if info.is_required()]
        absent = [field for field in needed if field not in given]
        return f"lacks {', '.join(absent) or name}; it needs {', '.join(needed)}"
    if wrong["type"] == "extra_forbidden":
        model = PreprocessingCard if place[0] == "preprocessing" else Card
        return f"has an unknown entry {name!r}; closest: {', '.join(closest(place[-1], model.model_fields))}"
    value = json.dumps(wrong["input"])
    allowed = _lowered(wrong["msg"])
    if place[0] == "classes":  # of two kinds, of which pydantic names the first
        value, allowed = json.dumps(given["classes"]), "must be a list of two names or more, or their number"
    return f"has {value if len(value) < 80 else value[:77] + '...'} in {name}: {allowed}"


# pydantic puts these into the place of a field that may be one of several kinds
_PARTS = (
    "int",
    "float",
    "list[constrained-str]",
    "constrained-int",
    "tuple[constrained-int,constrained-int]",
)


def _lowered(words: str) -> str:
    return words[:1].lower() + words[1:]
