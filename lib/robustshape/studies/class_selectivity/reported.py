"""What the papers report, beside what is measured here; never as it."""

import numpy as np

from robustshape.paths import require_project
from robustshape.studies.class_selectivity.analyse import finished


def beside_the_paper(rows):
    """Return selectivity and clean accuracy by alpha: of the papers' ResNet-18 on Tiny ImageNet, and of the runs here.

    Parameters
    ----------
    rows : xarray.Dataset
        Of the study.

    Returns
    -------
    pandas.DataFrame
        A line for every alpha of either; means over seeds here.
    """
    import pandas as pd

    path = require_project() / "data" / "reported" / "class_selectivity.csv"
    reported = pd.read_csv(path, comment="#").set_index("alpha")
    runs = finished(rows)
    alpha = runs["alpha"].values.astype(float)
    here = {
        words: runs[name].values.astype(float)
        for words, name in (("selectivity here", "mean_selectivity"), ("accuracy here", "accuracy"))
    }
    lines = []
    for a in sorted({*reported.index, *alpha}):
        line = {"alpha": f"{a:g}"}
        for name in ("selectivity", "accuracy"):
            line[f"{name} reported"] = float(reported[name].get(a, np.nan))
        line |= {words: float(v[alpha == a].mean()) if a in alpha else np.nan for words, v in here.items()}
        lines.append(line)
    return pd.DataFrame(lines)
