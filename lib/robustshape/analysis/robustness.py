"""Robustness as a ratio: accuracy under corruption over clean accuracy, by group, on unseen ones; and under attack.

R(f) = acc_corrupted(f) / acc_clean(f) is the first equation of Ho, Pfreundt, J. Keuper, M. Keuper (2021).
A network trained with noise and tested on noise does not generalise, so R stands beside R on the
groups of corruptions that no network of the population trained on.
"""

import numpy as np


def mean_corrupted_accuracy(rows, corruptions=None):
    """Return the mean accuracy over corruptions and severities of each model.

    Parameters
    ----------
    rows : xarray.Dataset
        A study's rows, with ``corrupted_accuracy (model, corruption, severity)``.
    corruptions : sequence of str, optional
        Which to average over; those that were not measured are left out. Default: all.

    Returns
    -------
    (model,) float array
        NaN where none of the corruptions was measured.
    """
    if "corrupted_accuracy" not in rows:
        return np.full(rows.sizes["model"], np.nan)
    shares = rows["corrupted_accuracy"]
    if corruptions is not None:
        kept = [c for c in shares.corruption.values if c in set(corruptions)]
        if not kept:
            return np.full(rows.sizes["model"], np.nan)
        shares = shares.sel(corruption=kept)
    return shares.mean(("corruption", "severity")).values.astype(float)


def robustness(rows, corruptions=None):
    """Return R of each model: mean corrupted accuracy over clean accuracy on the same images; NaN of one at chance."""
    return _of_learners(rows, ratio(mean_corrupted_accuracy(rows, corruptions), rows["accuracy"]))


def ratio(of, over) -> np.ndarray:
    """Return a quotient of two arrays of one shape, NaN where the divisor is 0.

    >>> ratio([0.5, 0.5], [0.25, 0.0])
    array([ 2., nan])
    """
    of, over = np.asarray(of, float), np.asarray(over, float)
    return np.divide(of, over, out=np.full(of.shape, np.nan), where=over != 0)


def at_chance(rows):
    """Return which models classify no better than chance, (model,) bool; a row without a word on it does better."""
    if "at_chance" not in rows:
        return np.zeros(rows.sizes["model"], bool)
    return rows["at_chance"].values == 1


def _of_learners(rows, values):
    """Return values (model,) with NaN for models at chance: what they keep of their accuracy says nothing."""
    return np.where(at_chance(rows), np.nan, values)


def unseen_robustness(rows):
    """Return R of each model over the groups of corruptions that no recipe of the population trained on.

    The same corruptions for every model, or the ratios could not be compared; NaN if none is left.
    """
    from robustshape.corruptions import GROUPS

    seen = {name for names in rows["trains_on"].values for name in str(names).split(",") if name}
    touched = {c for group in GROUPS.values() if seen & set(group) for c in group}
    measured = rows["corruption"].values if "corruption" in rows else ()
    return robustness(rows, [c for c in measured if c not in touched])


def group_robustness(rows) -> dict:
    """Return R of each model for each group of corruptions that was measured."""
    from robustshape.corruptions import GROUPS

    measured = set(map(str, rows["corruption"].values)) if "corruption" in rows else set()
    return {group: robustness(rows, names) for group, names in GROUPS.items() if measured & set(names)}


def main_attack(rows) -> str:
    """Return the attack that robust accuracy means here: PGD at the largest L-infinity budget, or ''.

    It is the worst case over that attack and those before it on the ladder.
    """
    from fractions import Fraction

    measured = [str(name) for name in rows["attack"].values] if "attack" in rows.dims else []
    by_budget = {Fraction(name.split()[-1]): name for name in measured if name.startswith("pgd linf ")}
    return by_budget[max(by_budget)] if by_budget else ""


def robust_accuracy(rows):
    """Return each model's accuracy under the `main_attack`; NaN where none was made, and of one at chance."""
    attack = main_attack(rows)
    if not attack:
        return np.full(rows.sizes["model"], np.nan)
    return _of_learners(rows, rows["robust_accuracy"].sel(attack=attack).values.astype(float))


def robustness_under_attack(rows):
    """Return accuracy under the `main_attack` over clean accuracy on the same images; NaN where none was made."""
    kept = robust_accuracy(rows)
    if not main_attack(rows):
        return kept
    return ratio(kept, rows["attacked_clean_accuracy"].sel(attack=main_attack(rows)))


def area_under_attack(rows, *, relative: bool = True):
    """Return the area under accuracy against the logarithm of the budget of PGD in L-infinity, for each model.

    Over the width of the axis, so that it is a mean accuracy; NaN without two budgets, and of a model at chance.

    Parameters
    ----------
    rows : xarray.Dataset
        A study's rows.
    relative : bool
        Whether it is divided by clean accuracy on the same images; NaN where that was not measured.

    Returns
    -------
    (model,) float array
    """
    from fractions import Fraction

    attacks = [str(name) for name in rows["attack"].values] if "attack" in rows.dims else []
    budgets = {float(Fraction(name.split()[-1])): name for name in attacks if name.startswith("pgd linf ")}
    if len(budgets) < 2 or (relative and "attacked_clean_accuracy" not in rows):
        return np.full(rows.sizes["model"], np.nan)
    place, under = np.log(sorted(budgets)), [budgets[b] for b in sorted(budgets)]
    shares = rows["robust_accuracy"].sel(attack=under).transpose("model", "attack").values.astype(float)
    area = _of_learners(rows, np.trapezoid(shares, place, axis=1) / (place[-1] - place[0]))
    if not relative:
        return area
    return ratio(area, rows["attacked_clean_accuracy"].sel(attack=under[-1]))
