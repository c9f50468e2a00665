"""Which cards may run code: a card is a file that anyone may have written, so its function runs only where a person says so.

A card that names a network of timm, torchvision or ours runs nothing of its own. One that names a function
(``python:module:function``) does, and is refused unless its file came with the project, or the person who uses the card
trusts it: ``--trust-card`` of a command, ``trust_card=True`` in Python, or ROBUSTSHAPE_TRUST_CARDS=1, which kernels and
workers inherit.
"""

import contextlib
import os
from pathlib import Path

from robustshape.errors import InputError
from robustshape.models.weights import sha256
from robustshape.paths import project_root

TRUST = "ROBUSTSHAPE_TRUST_CARDS"


@contextlib.contextmanager
def trusting(cards: bool = True):
    """Let the functions of cards run for the length of a block, in this process and in those it starts; False changes nothing."""
    before = os.environ.get(TRUST)
    if cards:
        os.environ[TRUST] = "1"
    try:
        yield
    finally:
        if cards:
            os.environ.pop(TRUST) if before is None else os.environ.update({TRUST: before})


def trusted() -> bool:
    """Return whether the person has said that functions of cards may run."""
    return os.environ.get(TRUST, "") not in ("", "0")


def check_trust(constructor: str, card: Path, beside: Path | None) -> None:
    """Raise InputError if the network of a card is built by a function that nobody has vouched for.

    Parameters
    ----------
    constructor : str
        What the card names.
    card : Path
        For the message.
    beside : Path or None
        The file beside the card that holds the function; nothing of it runs here.
    """
    if not constructor.startswith("python:") or trusted():
        return
    if beside is not None and sha256(beside) in _shipped():
        return
    where = f"{beside}" if beside is not None else "a module of this Python"
    raise InputError(
        f"the card {card} has its network built by {constructor}, code from {where}, which could do anything on this machine; "
        f"if you know who wrote it, trust it: --trust-card, in Python trust_card=True, or {TRUST}=1"
    )


def _shipped() -> set[str]:
    """Return the checksums of the files of functions that come with the project."""
    root = project_root()
    return {sha256(path) for path in (root / "notebooks" / "pretrained").glob("*.py")} if root else set()
