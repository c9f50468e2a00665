"""How long a workload takes at given rates, and what drives it: pure arithmetic."""

from dataclasses import dataclass

from robustshape.resources.workload import Step


@dataclass(frozen=True)
class Rate:
    """So many `unit` a second and worker; `measured` says whether it was here, `how` in words."""

    value: float
    unit: str
    measured: bool
    how: str


@dataclass(frozen=True)
class Cost:
    """Hours of all workers together that something takes, and what that is known from."""

    what: str
    amount: str
    hours: float
    measured: bool
    how: str


def costs(steps: list[Step], rates: dict[str, Rate], paces: dict[str, float] | None = None) -> list[Cost]:
    """Return the hours of work of every step, or of a whole stage where its pace is known.

    Parameters
    ----------
    steps : list of Step
    rates : dict
        By the names that the steps have in ``rate``.
    paces : dict, optional
        Seconds of a task by stage, as a run here remembered them; they are preferred, since all is in them.

    Examples
    --------
    >>> step = Step("passes", "features", 7.2e12, "network", 2)
    >>> rates = {"network": Rate(1e9, "FLOP", True, "measured here")}
    >>> costs([step], rates)[0].hours, costs([step], rates, {"features": 900.0})[0].hours
    (2.0, 0.5)
    """
    paces, found, seen = paces or {}, [], set()
    for step in steps:
        if step.stage not in paces:
            rate = rates[step.rate]
            hours = step.amount / rate.value / 3600
            found.append(
                Cost(step.what, f"{quantity(step.amount)} {rate.unit}", hours, rate.measured, rate.how)
            )
        elif step.stage not in seen:
            seen.add(step.stage)
            hours, how = step.tasks * paces[step.stage] / 3600, "pace of the last run here"
            found.append(Cost(f"{step.stage}, all of it", f"{step.tasks:,} tasks", hours, True, how))
    return found


def drivers(found: list[Cost], n: int = 3) -> list[tuple[str, float]]:
    """Return the `n` largest costs with their shares of all hours, largest first.

    >>> parts = [Cost(name, "", hours, True, "") for name, hours in (("a", 1.0), ("b", 6.0), ("c", 3.0))]
    >>> drivers(parts, 2)
    [('b', 0.6), ('c', 0.3)]
    """
    total = sum(cost.hours for cost in found)
    ordered = sorted(found, key=lambda cost: -cost.hours)[:n]
    return [(cost.what, cost.hours / total) for cost in ordered if cost.hours > 0]


def quantity(number: float) -> str:
    """Return a number as people say it, with three digits and a prefix of the SI.

    >>> quantity(1281167), quantity(1.05e18), quantity(12)
    ('1.28 M', '1.05 E', '12')
    """
    for factor, prefix in ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= factor:
            return f"{number / factor:.3g} {prefix}"
    return f"{number:.3g}"


def duration(hours: float) -> str:
    """Return hours in words that fit their size.

    >>> [duration(hours) for hours in (0.001, 0.5, 7.04, 240.0, 26_000.0)]
    ['4 s', '30 min', '7.0 h', '10 days', '3.0 years']
    """
    if hours < 1 / 60:
        return f"{hours * 3600:.0f} s"
    if hours < 1:
        return f"{hours * 60:.0f} min"
    if hours < 100:
        return f"{hours:.1f} h"
    days = hours / 24
    return f"{days:,.0f} days" if days < 1000 else f"{days / 365.25:.1f} years"
