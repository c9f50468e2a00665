"""Claims, stated in ``data/claims.toml`` before they are tested.

Each names one quantity, the side of a threshold on which it is claimed to lie, the population that decides it, the unit
of replication (never the image), and the smallest effect that would matter; `verdicts` judges them.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path

from robustshape import paths
from robustshape.errors import InputError, StoreError
from robustshape.registry import closest

NUMBERS = {  # fields of a claim that are no texts, and what they may be
    "smallest_effect": "a number above 0", "fewest_units": "a number of units above 0", "screen": "true, or left out",
}  # fmt: skip


@dataclass(frozen=True)
class Claim:
    """One claim as stated in ``data/claims.toml``, whose head says what each field is."""

    id: str
    study: str
    statement: str
    source: str  # paper and place in it; "ours"; "body not readable to us"
    quantity: str
    claimed: str  # "> 0" or "< 0.5"
    population: str  # the preset that decides
    unit: str  # of replication
    test: str
    smallest_effect: float
    fewest_units: int
    restated: str  # when and why
    short: str = ""  # its name in pictures
    smallest_effect_why: str = ""
    screen: bool = False
    paper_population: str = ""  # whom the paper speaks of, where that is not whom we measure
    formerly: str = ""  # what was judged before it was restated

    @property
    def above(self) -> bool:
        """Whether the claimed side is above the threshold."""
        return self.claimed.startswith(">")

    @property
    def threshold(self) -> float:
        """The number that `claimed` names."""
        return float(self.claimed[1:])


def load(path: str | Path | None = None) -> dict[str, Claim]:
    """Return the claims by id, in the order of the file.

    Parameters
    ----------
    path : path, optional
        A file of claims; by default the project's ``data/claims.toml``.

    Raises
    ------
    StoreError
        If the file cannot be read or is not TOML.
    InputError
        If a claim lacks a field, has one too many or one of the wrong kind; it names claim and field.
    """
    path = Path(path) if path else _stated()
    claims: dict[str, Claim] = {}
    for number, entry in enumerate(_read(path).get("claim", []), 1):
        claim = _checked(entry, number)
        if claim.id in claims:
            raise InputError(f"claim {claim.id!r} is stated twice in {path}")
        claims[claim.id] = claim
    return claims


def together() -> dict[str, list[str]]:
    """Return the populations that several presets of one study make up, each with its presets."""
    return _read(_stated()).get("together", {})


def _stated() -> Path:
    return paths.require_project() / "data" / "claims.toml"


def _read(path: Path) -> dict:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise StoreError(f"the claims in {path} cannot be read: {error}") from error


def _checked(entry: Mapping, number: int) -> Claim:
    """Return an entry of the file as a Claim, or say which field of which claim is wrong."""
    name = f"claim {entry.get('id', f'number {number}')!r}"
    known = {field.name: field for field in fields(Claim)}
    for field in entry:
        if field not in known:
            raise InputError(f"{name}: unknown field {field!r}; closest: {', '.join(closest(field, known))}")
    for field in known:
        value = entry.get(field)
        if value is None and known[field].default is not MISSING:
            continue
        if value is None:
            raise InputError(f"{name}: the field {field!r} is missing")
        if field in NUMBERS:
            if (
                isinstance(value, bool) != (field == "screen")
                or not isinstance(value, int | float)
                or value <= 0
            ):
                raise InputError(f"{name}: {field!r} must be {NUMBERS[field]}, but is {value!r}")
        elif not isinstance(value, str) or not value.strip():
            raise InputError(f"{name}: {field!r} must be a text that is not empty, but is {value!r}")
    if not _is_side(entry["claimed"]):
        raise InputError(f"{name}: 'claimed' must be such as '> 0' or '< 0.5', but is {entry['claimed']!r}")
    return Claim(**entry)


def _is_side(words: str) -> bool:
    """Return whether the words name a side of a number.

    >>> [_is_side(words) for words in ("> 0", "< -0.5", "at least 0", ">")]
    [True, True, False, False]
    """
    try:
        float(words[1:])
    except ValueError:
        return False
    return words[0] in "<>"
