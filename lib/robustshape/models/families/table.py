"""What is known of an architecture family, and the decorator that enters one; no torch needed to list them."""

from collections.abc import Callable
from dataclasses import dataclass

CLANS = ("conv, residual", "conv, plain", "mobile", "modern conv", "tokens", "mlp")


@dataclass(frozen=True, kw_only=True)
class Family:
    """One architecture: what it descends from, and how a small one is built.

    Relatives are not independent draws: networks of one `family` share the paper that introduced the architecture,
    families of one `clan` share its ideas.
    """

    name: str  # as in zoo:NAME
    title: str  # as in figures
    clan: str  # one of CLANS
    paper: str
    family: str  # the name of the family; another architecture of the same paper has the same
    build: Callable | None = None  # (channels, size, n_classes) -> torch.nn.Module; size is a multiple of 32


FAMILIES: dict[str, Family] = {}


def enter(clan: str, title: str, paper: str, family: str = ""):
    """Enter the decorated constructor, under its own name, as a family of the clan."""

    def keep(build):
        name = build.__name__
        FAMILIES[name] = Family(
            name=name, title=title, clan=clan, paper=paper, family=family or name, build=build
        )
        return build

    return keep
