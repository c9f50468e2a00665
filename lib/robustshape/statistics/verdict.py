"""The one rule by which every claim is judged, evaluated in a fixed order.

A rule that asks only on which side of a threshold an interval lies can never decide where there is nothing to find. So
every claim names the smallest effect d that would matter, and a whole interval within -d to d is an answer too. The
p-value of such an answer is the larger of two one-sided tests against -d and +d (Schuirmann 1987, J. Pharmacokinetics
and Biopharmaceutics 15), that of any other the two-sided one against the threshold.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from robustshape.errors import InputError
from robustshape.statistics.inference import holm

HOLDS, HOLDS_SMALL = "holds", "holds, small"
FAILS, FAILS_SMALL = "fails", "fails, small"
NEGLIGIBLE, UNTOLD, UNMEASURED = "negligible", "cannot be told", "not yet measured"
UNJUDGED = "not judged"  # of another population, or of too few units
DECIDED = (HOLDS, HOLDS_SMALL, FAILS, FAILS_SMALL, NEGLIGIBLE)
SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class Verdict:
    """The word, and what was judged: less the threshold and turned, so that the claimed side is positive."""

    word: str
    estimate: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    p_value: float = float("nan")
    n: int = 0
    reason: str = ""  # why it is not judged

    @property
    def judged(self) -> bool:
        """Whether a test was made, which counts in a correction."""
        return self.word in (*DECIDED, UNTOLD)


def verdict(estimate: float, low: float, high: float, smallest: float) -> str:
    """Return the word for an estimate and its 95 % interval, turned so that the claimed side is positive.

    Parameters
    ----------
    estimate, low, high : float
        Less the claim's threshold. An end that touches a bound does not pass it; NaN cannot be told.
    smallest : float
        The smallest effect that would matter, d > 0.

    Returns
    -------
    str
        In this order: "holds" (low > 0 and estimate >= d), "holds, small" (low > 0), "fails" (high < 0 and
        estimate <= -d), "fails, small" (high < 0), "negligible" (-d < low and high < d), "cannot be told".

    Examples
    --------
    >>> verdict(0.4, 0.1, 0.6, 0.3), verdict(0.2, 0.1, 0.3, 0.3), verdict(0.0, -0.2, 0.2, 0.3)
    ('holds', 'holds, small', 'negligible')
    """
    if not smallest > 0:
        raise InputError(f"the smallest effect that would matter must be above 0, but is {smallest}")
    if not np.isfinite([estimate, low, high]).all():
        return UNTOLD
    if not low <= estimate <= high:
        raise InputError(
            f"an estimate must lie within its interval, but {estimate} is not in {low} to {high}"
        )
    if low > 0:
        return HOLDS if estimate >= smallest else HOLDS_SMALL
    if high < 0:
        return FAILS if estimate <= -smallest else FAILS_SMALL
    return NEGLIGIBLE if -smallest < low and high < smallest else UNTOLD


def judge(
    found,
    *,
    smallest: float,
    threshold: float = 0.0,
    above: bool = True,
    fewest: int = 0,
    unit: str = "families",
) -> Verdict:
    """Return the verdict on an estimate over groups, with the p-value that goes with its word.

    Parameters
    ----------
    found : OverGroups, ExactShare or None
        None where nothing was measured.
    smallest : float
        The smallest effect that would matter, beyond the threshold.
    threshold : float
        What the claim compares with.
    above : bool
        Whether the claim is that the quantity lies above it.
    fewest : int
        With fewer groups the claim is not judged.
    unit : str
        What the groups are, for the reason of that.

    Examples
    --------
    >>> from robustshape.statistics.jackknife import mean_over_groups
    >>> found = mean_over_groups([0.1, 0.3, 0.2, 0.2], list("abcd"))
    >>> judge(found, smallest=0.1).word, judge(found, smallest=0.1, above=False).word
    ('holds', 'fails')
    >>> few = judge(found, smallest=0.1, fewest=24)
    >>> few.word, few.reason
    ('not judged', '4 of the 24 families needed')
    """
    if found is None:
        return Verdict(UNMEASURED)
    n = int(found.n)
    if n < fewest:
        return Verdict(UNJUDGED, n=n, reason=f"{n} of the {fewest} {unit} needed")
    sign = 1 if above else -1
    place = sign * (found.estimate - threshold)
    low, high = sorted((sign * (found.low - threshold), sign * (found.high - threshold)))
    word = verdict(place, low, high, smallest)
    if word == NEGLIGIBLE:
        p_value = max(found.p_above(threshold - smallest), found.p_below(threshold + smallest))
    else:
        p_value = min(1.0, 2 * min(found.p_above(threshold), found.p_below(threshold)))
    return Verdict(word, float(place), float(low), float(high), float(p_value), n)


def corrected(verdicts: Mapping[str, Verdict], *, over: int = 0) -> dict[str, Verdict]:
    """Return the verdicts corrected by Holm's rule over the primary claims of one population.

    The p-values become the adjusted ones; a verdict whose adjusted p-value is not below .05 becomes "cannot be told".
    `over` is the number of claims that are stated for the population: those that are not judged count as p = 1.

    Examples
    --------
    >>> given = {"a": Verdict("holds", 0.5, 0.1, 0.9, 0.03, 24), "b": Verdict("negligible", 0, -0.1, 0.1, 0.04, 24)}
    >>> [v.word for v in corrected(given).values()], [v.word for v in corrected({"a": given["a"]}).values()]
    (['cannot be told', 'cannot be told'], ['holds'])
    """
    tested = [name for name, found in verdicts.items() if found.judged]
    others = [1.0] * (over - len(tested))
    adjusted = dict(zip(tested, holm([verdicts[name].p_value for name in tested] + others).tolist()))
    told = {
        name: found.word if adjusted.get(name, 1.0) < SIGNIFICANCE else UNTOLD
        for name, found in verdicts.items()
    }
    return {
        name: replace(found, word=told[name], p_value=adjusted[name]) if found.judged else found
        for name, found in verdicts.items()
    }
