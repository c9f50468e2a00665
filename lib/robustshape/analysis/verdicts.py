"""Verdicts on the restated claims that a population decides: one rule, corrected over its primary claims."""

import re
from collections.abc import Mapping

from robustshape.analysis.claims import UNJUDGED, Claim, load
from robustshape.errors import InputError
from robustshape.registry import closest


def judge_population(population: str, found: Mapping, *, claims: Mapping[str, Claim] | None = None) -> dict:
    """Return the verdict on every claim that a population decides, before and after correction.

    Parameters
    ----------
    population : str
        A preset, such as ``families_mnist``.
    found : dict of claim id -> OverGroups, ExactShare or Verdict
        The claim's primary quantity; of a screen its verdict (`statistics.screen.judge_screen`), corrected by itself.
        A claim left out is not yet measured; one that another population decides is not judged.
    claims : dict of claim id -> Claim, optional
        By default those of the project, `claims.load`.

    Returns
    -------
    dict of claim id -> (Verdict, Verdict)
        Uncorrected, and corrected by Holm's rule over the population's primary claims (screens are not among them).

    Raises
    ------
    InputError
        For no such claim, or an estimate where a verdict is wanted and the other way round.
    """
    from robustshape.statistics.verdict import Verdict, corrected, judge

    claims = load() if claims is None else claims
    for name in found:
        if name not in claims:
            raise InputError(f"there is no claim {name!r}; closest: {', '.join(closest(name, claims))}")
    alone = {}
    for name, claim in claims.items():
        if claim.primary_population != population:
            continue
        given, side = found.get(name), claim.primary_claimed or claim.claimed
        if given is not None and isinstance(given, Verdict) != claim.screen:
            wanted = "a verdict, for it is a screen" if claim.screen else "an estimate with its interval"
            raise InputError(f"{name} takes {wanted}, but was given {given!r}")
        if isinstance(given, Verdict):
            alone[name] = given
            continue
        alone[name] = judge(
            given, smallest=claim.smallest_effect, threshold=float(side[1:]), above=side.startswith(">"),
            fewest=claim.fewest_units, unit=units(claim.primary_unit),
        )  # fmt: skip
    told = corrected({name: verdict for name, verdict in alone.items() if not claims[name].screen})
    pairs = {name: (verdict, told.get(name, verdict)) for name, verdict in alone.items()}
    return pairs | {name: (Verdict(UNJUDGED), Verdict(UNJUDGED)) for name in found if name not in alone}


def units(unit: str) -> str:
    """Return several of a claim's units of replication, without what is said of one.

    >>> units("model family with all its recipes"), units("training run (a pair of the same seed)")
    ('model families', 'training runs')
    """
    word = re.split(r" with| \(|,", unit)[0]
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
