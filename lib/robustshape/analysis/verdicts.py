"""Verdicts on the claims of a study: one rule for all, corrected over the primary claims of the population that decides.

A study says how its rows estimate each claim's quantity (``estimates`` in its module ``verdicts``); everything else is
here. Numbers of another population are estimated in the same way and shown, but decide nothing.
"""

import importlib
import re
from collections.abc import Mapping

import numpy as np

from robustshape.analysis.claims import Claim, load, together
from robustshape.analysis.networks import open_band
from robustshape.errors import InputError
from robustshape.registry import closest, unknown_name
from robustshape.statistics.exact import ExactShare
from robustshape.statistics.jackknife import OverGroups
from robustshape.statistics.planning import power, power_of_share
from robustshape.statistics.screen import judge_screen
from robustshape.statistics.verdict import SIGNIFICANCE, UNJUDGED, UNMEASURED, Verdict, corrected, judge

MEASURED = "; measured: "  # between the units of an estimate and who was measured


def judged(study: str, rows, *, claims: Mapping[str, Claim] | None = None):
    """Return the verdict on every claim of a study.

    Parameters
    ----------
    study : str
        Such as ``cluster_purity``.
    rows : xarray.Dataset
        Of the study; the preset in their attributes is their population. Where it makes up a larger one together with
        other presets (`claims.together`), the claims of that one are judged with the published rows of the others.
    claims : dict of claim id -> Claim, optional
        By default those of the project, `claims.load`.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``claim``, in the order of the file. Columns ``statement``, ``source``; ``estimate``, ``low``, ``high``
        (95 %) of the quantity, of a screen in magnitude and corrected; ``threshold``, ``smallest`` (effect that matters),
        ``above`` (whether the claimed side is); ``verdict`` (corrected), ``uncorrected``; ``n`` of at least ``fewest``
        ``unit``; ``population`` (who was measured, in words), ``preset``; ``reason`` why there is no verdict, else "";
        ``corrected_over`` (primary claims of the population over which Holm's rule ran, those without an estimate here
        included: so the pages of two studies of the same networks do not judge a claim in two ways); ``decides`` (whether
        the claim is stated for these networks); ``power``, ``power_at_zero`` (how often so many units with the spread that
        was measured would say that the claim holds where the effect is the smallest that matters, and that it is
        negligible where there is none, before the correction over claims; of a screen the first for one indicator).

    Raises
    ------
    InputError
        If the study makes no claims, or estimates one that is not stated.
    """
    stated = load() if claims is None else claims
    found = _judged(study, rows, stated)
    for name, presets in together().items():
        if rows.attrs["preset"] in presets and any(stated[claim].population == name for claim in found.index):
            lines = _judged(study, _joined(study, rows, name, presets), stated)
            for claim in lines.index[[stated[claim].population == name for claim in lines.index]]:
                found.loc[claim] = lines.loc[claim]
    return found


def _joined(study: str, rows, name: str, presets: list[str]):
    """Return rows with the published ones of the other presets that make up a population with them."""
    import xarray

    from robustshape.store.results import published_file, read_published

    own = rows.attrs["preset"]
    published = [
        read_published(study, preset)
        for preset in presets
        if preset != own and published_file(study, preset).is_file()
    ]
    # a reader may have measured fewer directions or images: nothing of the published rows is then of the same kind
    others = [
        other for other in published if dict(other.sizes) | {"model": 0} == dict(rows.sizes) | {"model": 0}
    ]
    joined = (
        xarray.concat([rows, *others], dim="model", data_vars="all", combine_attrs="drop") if others else rows
    )
    return joined.assign_attrs(rows.attrs | {"preset": name})


def _judged(study: str, rows, claims: Mapping[str, Claim]):
    """Return the verdicts of one preset's rows, or of a population's."""
    import pandas as pd

    makers = sorted({claim.study for claim in claims.values()})
    if study not in makers:
        raise unknown_name("study with claims", study, makers, "robustshape list studies")
    # by name, for the studies stand above this line; `studies.load` finds them so, too
    found = importlib.import_module(f"robustshape.studies.{study}.verdicts").estimates(rows)
    for name in found:
        if name not in claims:
            raise InputError(f"there is no claim {name!r}; closest: {', '.join(closest(name, claims))}")
    preset = rows.attrs["preset"]
    own = {name: claim for name, claim in claims.items() if claim.study == study}
    alone = {name: _alone(claim, found.get(name, "not estimated"), preset) for name, claim in own.items()}
    if why := open_band(rows):
        alone = {
            name: Verdict(UNJUDGED, n=one.n, reason=why) if one.judged else one for name, one in alone.items()
        }
    primary = {name: verdict for name, verdict in alone.items() if not own[name].screen}
    over = len(stated_beside(study, preset, claims)) if any(one.judged for one in primary.values()) else 0
    told = alone | corrected(primary, over=over)
    lines = {}
    for name, claim in own.items():
        estimate, low, high, n = _numbers(claim, found.get(name))
        unit = _unit(claim, rows)
        at_d, at_zero = _power(claim, found.get(name))
        lines[name] = {
            "statement": claim.statement, "source": claim.source, "estimate": estimate, "low": low, "high": high,
            "threshold": claim.threshold, "smallest": claim.smallest_effect, "above": claim.above,
            "verdict": told[name].word, "uncorrected": alone[name].word, "n": n, "fewest": claim.fewest_units,
            "unit": units(unit), "population": _whom(n, unit, rows) if n else "", "preset": preset,
            "reason": alone[name].reason, "corrected_over": over, "decides": claim.population == preset,
            "power": at_d, "power_at_zero": at_zero,
        }  # fmt: skip
    return pd.DataFrame.from_dict(lines, orient="index").rename_axis("claim")


def stated_beside(study: str, preset: str, claims: Mapping[str, Claim]) -> list[str]:
    """Return the primary claims that the networks of a study's preset decide, whichever study makes them.

    The classifiers behind a generator are a population of their own, though their preset may be called like another's.
    """
    own = study == "failure_discovery"
    return [
        name
        for name, claim in claims.items()
        if claim.population == preset and not claim.screen and (claim.study == "failure_discovery") == own
    ]


def _alone(claim: Claim, found, preset: str) -> Verdict:
    """Return the uncorrected verdict on one claim; `found` is its estimate, or why there is none."""
    if claim.population != preset:
        elsewhere = f"another population decides: {claim.population}"
        if not isinstance(found, str) and not np.isfinite(_numbers(claim, found)[0]):
            found = "too few networks for an estimate"
        return Verdict(UNJUDGED, reason=f"{found}; {elsewhere}" if isinstance(found, str) else elsewhere)
    if isinstance(found, str):
        return Verdict(UNMEASURED, reason=found)
    how = {"smallest": claim.smallest_effect, "fewest": claim.fewest_units, "unit": units(claim.unit)}
    if claim.screen:
        return judge_screen(found, **how)
    return judge(found, threshold=claim.threshold, above=claim.above, **how)


def _numbers(claim: Claim, found) -> tuple[float, float, float, int]:
    """Return the estimate with its interval and the number of units, whether or not they are enough for a verdict."""
    if found is None or isinstance(found, str):
        return float("nan"), float("nan"), float("nan"), 0
    if claim.screen:
        found = judge_screen(found, smallest=claim.smallest_effect)
    return float(found.estimate), float(found.low), float(found.high), int(found.n)


def _power(claim: Claim, found) -> tuple[float, float]:
    """Return how often such units decide where the effect is the smallest that matters, and where there is none."""
    if isinstance(found, ExactShare) and found.n and claim.above:
        return power_of_share(claim.smallest_effect, claim.threshold, found.n)
    if not isinstance(found, OverGroups):
        return float("nan"), float("nan")
    error, n, level = found.error, found.n, 1 - SIGNIFICANCE
    if claim.screen:  # one indicator of middling spread; that none of all has an effect is no matter of one
        known = np.isfinite(error)
        error = np.median(error[known]) if known.any() else float("nan")
        n, level = np.min(n), 1 - SIGNIFICANCE / len(known)
    if not error > 0 or n < 2 or (found.fisher and claim.threshold):
        return float("nan"), float("nan")
    at_d, at_zero = power(claim.smallest_effect, float(error), int(n), fisher=found.fisher, level=level)
    return at_d, float("nan") if claim.screen else at_zero


def _unit(claim: Claim, rows) -> str:
    """Return the unit of a claim on these networks: of one family alone what a claim on families counts are its recipes."""
    alone = len(set(rows["family"].values.astype(str))) == 1 and claim.study == "indicator_comparison"
    return "recipe" if alone and claim.unit.startswith("model family") else claim.unit


def _whom(n: int, unit: str, rows) -> str:
    """Return how many units an estimate is over, and of whom they are: fewer than were measured where a band leaves some out."""
    return f"over {_counted(n, units(unit))}{MEASURED}{population(rows)}"


def _counted(n: int, words: str) -> str:
    """Return a number of units in words, one of them in the singular.

    >>> _counted(1, "model families"), _counted(2, "seeds")
    ('1 model family', '2 seeds')
    """
    one = f"{words[:-3]}y" if words.endswith("ies") else words[:-1]
    return f"{n} {words if n != 1 else one}"


def population(rows) -> str:
    """Return who was measured on what, in words: "31 networks of 6 families on mnist, 1,000 images clean and 500 corrupted"."""
    networks, families = rows.sizes["model"], len(set(rows["family"].values))
    corrupted = _range(rows["n_robustness"].values) if "n_robustness" in rows else "0"
    images = f"{_range(rows['n_samples'].values)} images"
    if "n_judged" in rows:
        images = f"{_range(rows['n_judged'].values)} generated and {corrupted} real images"
    elif corrupted != "0":
        other = set(rows.get("robustness_dataset", rows["dataset"]).values) - set(rows["dataset"].values)
        images += f" clean and {corrupted} corrupted{f' of {min(other)}' if other else ''}"
    return (
        f"{networks} network{'s' * (networks != 1)} of {families} famil{'ies' if families != 1 else 'y'} on "
        f"{', '.join(dict.fromkeys(map(str, rows['dataset'].values)))}, {images}"
    )


def _range(counts) -> str:
    """Return counts in words, from the smallest to the largest where they differ.

    >>> _range(np.array([1000, 1000])), _range(np.array([771, 1811]))
    ('1,000', '771 to 1,811')
    """
    low, high = int(counts.min()), int(counts.max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def units(unit: str) -> str:
    """Return several of a claim's units of replication, without what is said of one.

    >>> units("model family with all its recipes"), units("training run (a pair of the same seed)")
    ('model families', 'training runs')
    """
    word = re.split(r" with| \(|,", unit)[0]
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"


def summary(table):
    """Return the columns of `judged` that a table of claims shows, in a reader's words."""
    import pandas as pd

    sides = [f"{'>' if a else '<'} {t:g}" for a, t in zip(table["above"], table["threshold"])]
    ends = zip(table["estimate"], table["low"], table["high"])
    whom = zip(table["n"], table["unit"], table["preset"])
    words = [
        word if word == alone else f"{word} (alone: {alone})"
        for word, alone in zip(table["verdict"], table["uncorrected"])
    ]
    return pd.DataFrame(
        {
            "claim": table.index,
            "over": [f"{_counted(n, unit)} of {where}" if n else "–" for n, unit, where in whom],
            "claimed, d": [f"{side}, {d:g}" for side, d in zip(sides, table["smallest"])],
            "estimate (95 % interval)": [in_words(*numbers) for numbers in ends],
            "verdict": words,
            "power at d": [_percent(share) for share in table["power"].where(table["decides"])],
            "at 0": [_percent(share) for share in table["power_at_zero"].where(table["decides"])],
        }
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if np.isfinite(share) else "–"


def in_words(estimate: float, low: float, high: float) -> str:
    """Return an estimate with its interval, with a third decimal where it is narrow.

    >>> in_words(0.5, -0.5, 1.25), in_words(0.03, 0.004, 0.06), in_words(0.1, float("nan"), float("nan"))
    ('+0.50 (-0.50 to 1.25)', '+0.030 (0.004 to 0.060)', '+0.10')
    """
    if not np.isfinite(estimate):
        return "–"
    if not np.isfinite([low, high]).all():
        return f"{estimate:+z.2f}"
    decimals = 3 if max(abs(low), abs(high)) < 0.1 else 2
    return f"{estimate:+z.{decimals}f} ({low:z.{decimals}f} to {high:z.{decimals}f})"
