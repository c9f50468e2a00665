"""Names of our own networks, ``zoo:ARCHITECTURE[-RECIPE][/SEED]``: what a name says, and which there are."""

from typing import NamedTuple

from robustshape.errors import InputError
from robustshape.models.recipes import CHANGES, architectures, objection
from robustshape.registry import unknown_name
from robustshape.values import checked_seed

PREFIX = "zoo:"


class Parts(NamedTuple):
    """What the name of a network of ours says; an empty `recipe` is the plain one, an empty `seed` is 0."""

    architecture: str
    recipe: str = ""
    seed: str = ""


def parts_of(name: str) -> Parts | None:
    """Return what the full name of a network says, which need not exist; None for one that is not ours.

    >>> parts_of("zoo:resnet-pgd+alpha=-0.4/1")
    Parts(architecture='resnet', recipe='pgd+alpha=-0.4', seed='1')
    >>> parts_of("zoo:lenet"), parts_of("timm:resnet50.a1_in1k")
    (Parts(architecture='lenet', recipe='', seed=''), None)
    """
    name = str(name)
    if not name.startswith(PREFIX):
        return None
    rest, _, seed = name.removeprefix(PREFIX).partition("/")
    architecture, _, recipe = rest.partition("-")
    return Parts(architecture, recipe, seed)


def name_of(architecture: str, recipe: str = "", seed: str = "") -> str:
    """Return the full name of the network with these parts.

    >>> name_of("resnet", "pgd", "1"), name_of(*parts_of("zoo:lenet/2"))
    ('zoo:resnet-pgd/1', 'zoo:lenet/2')
    """
    return PREFIX + architecture + (f"-{recipe}" if recipe else "") + (f"/{seed}" if seed else "")


def without_seed(name: str) -> str:
    """Return the name that the runs of a network of ours share; that of another network as it is.

    >>> without_seed("zoo:mlp-corrupted/2"), without_seed("file:a/mine.json")
    ('zoo:mlp-corrupted', 'file:a/mine.json')
    """
    parts = parts_of(name)
    return name_of(parts.architecture, parts.recipe) if parts else str(name)


def names() -> list[str]:
    """Return the names of all networks of seed 0."""
    return [
        name_of(architecture, "" if recipe == "plain" else recipe)
        for architecture in architectures()
        for recipe in CHANGES
    ]


def parse(name: str) -> tuple[str, str, int]:
    """Return (architecture, recipe, seed) of a name without its prefix; raise InputError if there is no such network.

    >>> parse("lenet"), parse("vit-pgd/3")
    (('lenet', 'plain', 0), ('vit', 'pgd', 3))
    """
    rest, slash, seed = name.partition("/")
    architecture, _, recipe = rest.partition("-")
    if architecture not in architectures():
        raise unknown_name("model", f"zoo:{name}", names(), "robustshape list models 'zoo:*'")
    wrong = objection(recipe) if rest != architecture else ""
    if wrong and any(sign in recipe for sign in "+="):
        raise InputError(
            f"unknown model 'zoo:{name}': {wrong}; list names with: robustshape list models 'zoo:*'"
        )
    if wrong:
        known = [n for n in names() if n.startswith(f"zoo:{architecture}")]
        raise unknown_name("model", f"zoo:{name}", known, "robustshape list models 'zoo:*'")
    if slash and not (seed.isascii() and seed.isdigit()):
        raise InputError(
            f"the seed in 'zoo:{name}' is {seed!r}, but must be a whole number from 0, as in zoo:{rest}/1"
        )
    return architecture, recipe or "plain", checked_seed(int(seed[:20] or 0), f"the seed in 'zoo:{name}'")
