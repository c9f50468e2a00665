"""Claims stated before they are tested, and the one rule by which all of them are judged.

The claims are in ``data/claims.toml``. A claim holds if the 95 % interval of its quantity lies wholly on
the claimed side of its threshold, fails if wholly on the other side, and otherwise cannot be told. The
headline verdict is corrected by Holm's rule over the measured claims of one study. The unit of
replication is the training run or the model family, never the image, and a verdict names its population.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path

from robustshape import paths
from robustshape.errors import InputError, StoreError
from robustshape.registry import closest, unknown_name

HOLDS, FAILS, UNTOLD, UNMEASURED = "holds", "fails", "cannot be told", "not yet measured"
UNJUDGED = "not judged"  # measured with a preset that the claim does not name
SIGNIFICANCE = 0.05
NUMBERS = {  # fields of a claim that are no texts, and what they may be
    "smallest_effect": "a number above 0", "fewest_units": "a number of units above 0", "screen": "true, or left out",
}  # fmt: skip


@dataclass(frozen=True)
class Claim:
    """One claim as stated in ``data/claims.toml``."""

    id: str
    study: str
    statement: str
    source: str  # paper and place in it; "ours"; "body not readable to us"
    quantity: str
    claimed: str  # "> 0" or "< 0.5"
    presets: tuple[str, ...]
    population: str
    unit: str  # of replication
    test: str
    paper_population: str = ""  # whom the paper speaks of, where that is not whom we measure
    # as restated before the population that decides was measured; the head of the file says what each is
    smallest_effect: float = float("nan")
    smallest_effect_why: str = ""
    primary_quantity: str = ""
    primary_claimed: str = ""
    primary_population: str = ""
    primary_unit: str = ""
    primary_test: str = ""
    fewest_units: int = 0
    screen: bool = False
    restated: str = ""

    @property
    def above(self) -> bool:
        """Whether the claimed side is above the threshold."""
        return self.claimed.startswith(">")

    @property
    def threshold(self) -> float:
        """The number that `claimed` names."""
        return float(self.claimed[1:])


@dataclass(frozen=True)
class Evidence:
    """What was measured for one claim: its quantity with a 95 % interval, and of whom."""

    estimate: float
    low: float
    high: float
    p_value: float  # two-sided, against the claim's threshold
    n: int  # replicates, in the claim's unit
    population: str  # such as "14 digit networks of 5 families, 500 images"
    preset: str = ""


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
    path = Path(path) if path else paths.require_project() / "data" / "claims.toml"
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("claim", [])
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise StoreError(f"the claims in {path} cannot be read: {error}") from error
    claims: dict[str, Claim] = {}
    for number, entry in enumerate(entries, 1):
        claim = _checked(entry, number)
        if claim.id in claims:
            raise InputError(f"claim {claim.id!r} is stated twice in {path}")
        claims[claim.id] = claim
    return claims


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
        if field == "presets":
            if not isinstance(value, list) or not value or not all(isinstance(v, str) and v for v in value):
                raise InputError(f"{name}: {field!r} must be a list of preset names, but is {value!r}")
        elif field in NUMBERS:
            if (
                isinstance(value, bool) != (field == "screen")
                or not isinstance(value, int | float)
                or value <= 0
            ):
                raise InputError(f"{name}: {field!r} must be {NUMBERS[field]}, but is {value!r}")
        elif not isinstance(value, str) or not value.strip():
            raise InputError(f"{name}: {field!r} must be a text that is not empty, but is {value!r}")
    for field in ("claimed", "primary_claimed"):
        if field in entry and not _is_side(entry[field]):
            raise InputError(f"{name}: {field!r} must be such as '> 0' or '< 0.5', but is {entry[field]!r}")
    return Claim(**{**entry, "presets": tuple(entry["presets"])})


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


def verdict(claim: Claim, evidence: Evidence | None) -> str:
    """Return the uncorrected verdict: holds, fails, cannot be told, not yet measured, or not judged.

    An interval that touches the threshold, or has an end that is not known (NaN), cannot tell.

    Examples
    --------
    >>> claim = Claim("x-1", "x", "A rises with B", "ours", "r(A, B)", "> 0", ("laptop",), "digits", "run", "t")
    >>> verdict(claim, Evidence(0.6, 0.2, 0.9, 0.01, 14, "14 digit networks of 5 families"))
    'holds'
    >>> verdict(claim, None)
    'not yet measured'
    """
    if evidence is None:
        return UNMEASURED
    if evidence.preset and evidence.preset not in claim.presets:
        return UNJUDGED
    over, under = evidence.low > claim.threshold, evidence.high < claim.threshold
    if not over and not under:
        return UNTOLD
    return HOLDS if over == claim.above else FAILS


def judge(study: str, evidence: Mapping[str, Evidence], *, claims: Mapping[str, Claim] | None = None):
    """Return the verdict on every claim of a study, corrected over those that were measured.

    Parameters
    ----------
    study : str
        Such as ``cluster_purity``.
    evidence : dict of claim id -> Evidence
        Claims left out read "not yet measured".
    claims : dict of claim id -> Claim, optional
        By default those of the project, `load`.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``claim``, in the order stated. Columns ``statement``, ``source``, ``quantity``,
        ``claimed``, ``estimate``, ``low``, ``high``, ``interval`` (text), ``p_value``, ``p_adjusted``
        (Holm), ``n``, ``population``, ``preset``, ``uncorrected`` and ``verdict`` (the headline: where the
        adjusted p-value is not below .05, "cannot be told").

    Raises
    ------
    InputError
        If the study has no claims, or evidence is given for a claim that the study does not make.
    """
    import numpy as np
    import pandas as pd

    from robustshape.statistics import holm

    claims = load() if claims is None else claims
    own = {name: claim for name, claim in claims.items() if claim.study == study}
    if not own:
        raise unknown_name(
            "study", study, sorted({claim.study for claim in claims.values()}), "robustshape list studies"
        )
    for name in evidence:
        if name not in own:
            raise InputError(f"{study} makes no claim {name!r}; closest: {', '.join(closest(name, own))}")
    unjudged = (None, UNMEASURED, UNJUDGED)  # those of other presets are no tests here
    measured = [name for name in own if verdict(own[name], evidence.get(name)) not in unjudged]
    adjusted = dict(zip(measured, holm([evidence[name].p_value for name in measured])))

    rows = []
    for name, claim in own.items():
        found = evidence.get(name)
        uncorrected = verdict(claim, found)
        told = uncorrected in (HOLDS, FAILS) and adjusted[name] < SIGNIFICANCE
        rows.append(
            {
                "claim": name,
                "statement": claim.statement,
                "source": claim.source,
                "quantity": claim.quantity,
                "claimed": claim.claimed,
                "estimate": found.estimate if found else np.nan,
                "low": found.low if found else np.nan,
                "high": found.high if found else np.nan,
                "interval": _interval(found.low, found.high) if found else "",
                "p_value": found.p_value if found else np.nan,
                "p_adjusted": adjusted.get(name, np.nan),
                "n": found.n if found else 0,
                "population": found.population if found else claim.population,
                "preset": found.preset if found else "",
                "uncorrected": uncorrected,
                "verdict": UNTOLD if uncorrected in (HOLDS, FAILS) and not told else uncorrected,
            }
        )
    return pd.DataFrame(rows).set_index("claim")


def _interval(low: float, high: float) -> str:
    """Return an interval in words, with a third decimal where it is narrow.

    >>> _interval(-0.5, 1.25), _interval(0.004, 0.06)
    ('-0.50 to 1.25', '0.004 to 0.060')
    """
    decimals = _decimals(low, high)
    return f"{low:.{decimals}f} to {high:.{decimals}f}"


def _decimals(low: float, high: float) -> int:
    return 3 if max(abs(low), abs(high)) < 0.1 else 2


def summary(judged):
    """Return the columns of `judge` that a page shows, in a reader's words.

    >>> "verdict" in summary(judge("cluster_purity", {})).columns
    True
    """
    import pandas as pd

    measured = judged["uncorrected"] != UNMEASURED
    parts = zip(judged["estimate"], judged["low"], judged["high"], judged["interval"])
    shown = [f"{value:+.{_decimals(low, high)}f} ({interval})" for value, low, high, interval in parts]
    shown = pd.Series(shown, judged.index)
    return pd.DataFrame(
        {
            "claim": judged.index,
            "statement": judged["statement"],
            "measured (95 % interval)": shown.where(measured, "–"),
            "claimed": judged["claimed"],
            "verdict": judged["verdict"],
            "uncorrected": judged["uncorrected"],
            "of whom": judged["population"],
        }
    )
