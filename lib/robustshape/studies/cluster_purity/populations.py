"""The population decides the answer: one architecture, within each family, and without each family."""

import numpy as np

from robustshape import statistics
from robustshape.analysis import style
from robustshape.analysis.matched import matched
from robustshape.analysis.robustness import robustness
from robustshape.studies.cluster_purity.analyse import correlate
from robustshape.studies.cluster_purity.compared import ACCURACY, P_PURITY, indicators, targets

MADE = {
    "generated": "corruptions generated here",
    "generated jpeg85": "corruptions generated here, saved as JPEG",
    "stored": "the published corrupted files",
}


def population(rows) -> str:
    """Return whom the numbers are about, in words."""
    families, first = len(set(rows["family"].values)), rows.isel(model=0)
    without = int(np.isnan(indicators(rows)[P_PURITY]).sum())
    networks = f"{rows.sizes['model']} networks" + (f" ({without} without p_purity)" if without else "")
    held = str(first["robustness_dataset"].values)
    other = "" if held == str(first["dataset"].values) else f" of {held}"
    return (
        f"{networks} of {families} families on {first['dataset'].values}, {rows.sizes['draw']} draws "
        f"of {int(first['n_classes'])} x {int(first['per_class'])} images; R on {int(first['n_robustness']):,} "
        f"images{other}, {MADE[str(first['corrupted'].values)]}"
    )


def within_one_architecture(rows):
    """Return what p_purity, purities and accuracy say over the runs of one architecture; recipes are the units.

    Empty where no architecture was trained under at least three recipes, with several seeds.
    """
    import pandas as pd

    ours = matched(rows)
    if ours is None:
        return pd.DataFrame()
    known, table = indicators(ours), []
    for name in (P_PURITY, "kmeans", "multicut", ACCURACY):
        for target, values in targets(ours).items():
            found = correlate(known[name], values, ours["recipe"].values)
            found = {"runs": found.pop("models"), "recipes": found.pop("families"), **found}
            table.append({"indicator": name, "target": target, **found})
    return pd.DataFrame(table)


def within_families(rows, *, fewest: int = 4):
    """Return r(p_purity, R) and r(clean accuracy, R) inside each family of at least `fewest` networks."""
    import pandas as pd

    known, kept, families = indicators(rows), robustness(rows), rows["family"].values
    table = []
    for family in dict.fromkeys(families):
        its = np.flatnonzero((families == family) & np.isfinite(known[P_PURITY]) & np.isfinite(kept))
        if len(its) >= fewest:
            r = {f"r({n}, R)": statistics.pearson(known[n][its], kept[its]) for n in (P_PURITY, ACCURACY)}
            table.append({"family": style.FAMILIES.get(family, (family,))[0], "networks": len(its), **r})
    return pd.DataFrame(table)
