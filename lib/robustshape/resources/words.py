"""An estimate as a table to read."""

from robustshape.resources.estimate import Cost, drivers, duration, quantity
from robustshape.resources.workload import Needs, Workload

ROW = "  {:<36}{:>14}{:>11}{:>7}  {}"
NOT_COUNTED = "not counted: the study's other numbers and its figures; of a whole row only a first run here knows the pace"


def table(work: Workload, found: list[Cost], needs: Needs, workers: int, device: str) -> str:
    """Return what a study will take, its three largest drivers, and what is measured and what assumed.

    Parameters
    ----------
    found : list of Cost
    workers : int
        Side by side; each is taken to do an equal share.
    device : str
        Of the networks.
    """
    total = sum(cost.hours for cost in found)
    passes = sum(one.flops for one in work.networks) / len(work.networks)
    lines = [
        f"{work.study} on {work.dataset}: {len(work.networks)} networks, {work.n_samples:,} + {work.n_robustness:,} "
        f"images (indicator + robustness), {quantity(passes)}FLOP a pass",
        "",
        ROW.format("", "amount", "of work", "share", "known from"),
    ]
    for cost in found:
        share = f"{cost.hours / total:.0%}" if total else ""
        how = cost.how if cost.measured else f"ASSUMED: {cost.how.removeprefix('assumed ')}"
        lines.append(ROW.format(cost.what, cost.amount, duration(cost.hours), share, how).rstrip())
    lines.append(
        ROW.format(
            "all", "", duration(total), "", f"{duration(total / workers)} on {workers} workers, {device}"
        )
    )
    lines.append("")
    for title, kept in (("disk", needs.disk), ("memory of a worker", needs.memory)):
        parts = ", ".join(f"{name} {quantity(size)}B" for name, size in kept.items())
        lines.append(f"  {title}: {quantity(sum(kept.values()))}B ({parts})")
    largest = ", ".join(f"{what} ({share:.0%})" for what, share in drivers(found))
    lines.append(f"  what costs most: {largest or 'nothing'}")
    assumed = sum(one.assumed for one in work.networks)
    if assumed:
        lines.append(
            f"  ASSUMED: a ResNet-50 stands for {assumed} networks that cannot be built here by their name"
        )
    if work.attacks:
        lines.append(
            "  ASSUMED: no attack ends early; fewer passes are needed where networks are fooled soon"
        )
    lines.append(f"  {NOT_COUNTED}")
    return "\n".join(lines)
