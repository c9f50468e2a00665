"""Commands that say what there is."""

from typing import Literal

from robustshape.cli.app import command

KINDS = ("studies", "presets", "models", "datasets", "corruptions", "attacks", "indicators")


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


@command("doctor")
def doctor() -> None:
    """Say what this machine has, which data and weights are found, and how to get what is missing."""
    from robustshape.doctor import report

    print(report())
