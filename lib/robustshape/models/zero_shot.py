"""A classifier from words: each class is the mean direction of the texts that describe it.

Radford et al. 2021, "Learning transferable visual models from natural language supervision", arXiv 2103.00020,
section 3.1: logits are the cosines of the image's embedding with the classes' texts, times the learnt scale.
"""

import functools
from string import Formatter

import torch
from torch import nn
from torch.nn import functional as F

from robustshape.errors import InputError
from robustshape.registry import unknown_name

TEXTS = 64  # texts in a forward pass

TEMPLATES = {
    "photo": ("a photo of a {}.",),
    "simple": (
        "a photo of a {}.",
        "a photo of the {}.",
        "a blurry photo of a {}.",
        "a low contrast photo of a {}.",
        "a photo of a small {}.",
        "a photo of a big {}.",
    ),
    "number": ('a photo of the number: "{}".',),
}


def templates_of(templates, class_names) -> tuple[str, ...]:
    """Return the templates meant: those of a named set, your own, or those that suit the class names.

    Parameters
    ----------
    templates : str, sequence of str, or None
        ``photo`` (one sentence), ``simple`` (six), ``number`` (for digits), ``imagenet`` (the eighty of
        Radford et al.); or sentences with ``{}`` where the name goes. None: ``imagenet`` for ImageNet's
        classes, ``number`` for digits, else ``simple``.
    class_names : sequence of str

    Raises
    ------
    InputError
        If there is no such set, or a sentence lacks its ``{}`` or has a place for anything else.

    Examples
    --------
    >>> templates_of(None, ["0", "1"])
    ('a photo of the number: "{}".',)
    """
    from open_clip import IMAGENET_CLASSNAMES, OPENAI_IMAGENET_TEMPLATES

    if templates is None:
        digits = all(name.isdigit() for name in class_names)
        of_imagenet = len(class_names) >= 100 and set(class_names) <= set(IMAGENET_CLASSNAMES)
        templates = "number" if digits else "imagenet" if of_imagenet else "simple"
    if isinstance(templates, str) and "{}" not in templates:
        if templates == "imagenet":
            return tuple(template("{}") for template in OPENAI_IMAGENET_TEMPLATES)
        if templates not in TEMPLATES:
            raise unknown_name(
                "set of templates",
                templates,
                [*TEMPLATES, "imagenet"],
                "robustshape.models.zero_shot.TEMPLATES",
            )
        return TEMPLATES[templates]
    given = (templates,) if isinstance(templates, str) else tuple(templates)
    for template in given:
        if not _has_one_place(template):
            raise InputError(
                f"a template holds {{}} once, where the class name goes, and no other braces, as in "
                f"'a photo of a {{}}.'; {template!r} does not"
            )
    if not given:
        raise InputError("a zero-shot classifier needs at least one template, but was given none")
    return given


def _has_one_place(template: str) -> bool:
    try:
        places = [parts for _, *parts in Formatter().parse(template) if parts[0] is not None]
    except ValueError:  # a brace without its other half
        return False
    return places == [["", "", None]]


def class_names_of(dataset: str | None) -> tuple[str, ...]:
    """Return the names of a data set's classes in words, in the order of its labels; None: ImageNet's 1,000.

    Classes that are ImageNet's take the names of Radford et al., who told most of its homonyms apart;
    "missile" and "sunglasses" still stand for two classes each. An underscore becomes a space.

    >>> class_names_of("digits")[:2], class_names_of(None)[:2]
    (('0', '1'), ('tench', 'goldfish'))
    """
    from open_clip import IMAGENET_CLASSNAMES

    if dataset is None:
        return tuple(IMAGENET_CLASSNAMES)
    from robustshape.datasets import DATASETS

    known = DATASETS.about(dataset)["class_names"]
    return (
        _in_words(known)
        if known is not None
        else _names_in_the_data(dataset, DATASETS[dataset].state("test"))
    )


def _in_words(names) -> tuple[str, ...]:
    return tuple(str(name).replace("_", " ") for name in names)


@functools.lru_cache(maxsize=32)
def _names_in_the_data(dataset: str, _state: str) -> tuple[str, ...]:
    from open_clip import IMAGENET_CLASSNAMES

    from robustshape import datasets

    facts = datasets.load(dataset, reading="native").attrs
    if "imagenet_index" in facts:
        return tuple(IMAGENET_CLASSNAMES[i] for i in facts["imagenet_index"])
    return _in_words(facts["class_names"])


def text_directions(clip, tokenise, class_names, templates) -> torch.Tensor:
    """Return the unit direction of each class (class, embedding): the mean of its texts' unit embeddings.

    Parameters
    ----------
    clip : torch module with ``encode_text``
    tokenise : callable
        From a list of texts to their tokens.
    class_names, templates : sequences of str
    """
    rows = []
    with torch.inference_mode():
        for name in class_names:
            tokens = tokenise([template.format(name) for template in templates])
            texts = torch.cat([F.normalize(clip.encode_text(part), dim=-1) for part in tokens.split(TEXTS)])
            rows.append(F.normalize(texts.mean(dim=0), dim=0))
    return torch.stack(rows).clone()


class Unit(nn.Module):
    """Divide every row by its norm."""

    def forward(self, x):
        return F.normalize(x, dim=-1)


class Cosine(nn.Module):
    """Logits of embeddings: their cosines with the rows of `weight` / `scale`, times `scale`."""

    def __init__(self, unit: Unit, weight: torch.Tensor):
        super().__init__()
        self.unit, self.weight = unit, nn.Parameter(weight)

    def forward(self, x):
        return F.linear(self.unit(x), self.weight)


class ZeroShot(nn.Module):
    """An image encoder and a head of text directions.

    Its layers: ``embedding`` gives what ``encode_image`` gives, also called ``penultimate``;
    ``unit_embedding`` gives the same divided by its norm.
    """

    def __init__(self, visual: nn.Module, directions: torch.Tensor, scale: float):
        super().__init__()
        self.visual = visual
        self.embedding = nn.Identity()
        self.unit_embedding = Unit()
        self.head = Cosine(self.unit_embedding, scale * directions)

    def forward(self, x):
        return self.head(self.embedding(self.visual(x)))
