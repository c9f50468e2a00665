"""What the paper and the makers of networks report, beside what is measured here; never as it."""

import numpy as np

from robustshape.paths import require_project

PAPER = {  # Ho, Pfreundt, J. Keuper, M. Keuper 2021, Fig. 1 (its page 1)
    "networks": "12, of ImageNet",
    "indicator": "p_purity k-means * multicuts",
    "R²": "0.87, of a line",
    "R": "0.35 to 0.70 (ticks of the axis), on ImageNet-C",
    "clean images": "ImageNet; which of them is not on the page read",
}


def beside_the_paper(rows, predictions):
    """Return what the paper's Fig. 1 reports and what is measured here, side by side.

    Parameters
    ----------
    rows : xarray.Dataset
        Of the study.
    predictions : pandas.DataFrame
        Of `analyse.prediction_table`.
    """
    import pandas as pd

    from robustshape.analysis.robustness import robustness
    from robustshape.studies.cluster_purity.compared import P_PURITY
    from robustshape.studies.cluster_purity.populations import MADE, population

    lines = predictions[(predictions["indicator"] == P_PURITY) & (predictions["target"] == "all")]
    if not len(lines):
        return pd.DataFrame()
    line = lines.iloc[0]
    kept, first = robustness(rows), rows.isel(model=0)
    ours = {
        "networks": population(rows).partition(" on ")[0],
        "indicator": "p_purity k-means x multicut, accuracy among the classes of a draw",
        "R²": f"{line['r_squared']:.2f} , r = {line['r']:+.2f} ({line['low']:+.2f} to {line['high']:+.2f})",
        "R": f"{np.nanmin(kept):.2f} to {np.nanmax(kept):.2f} on {first['robustness_dataset'].values}, {MADE[str(first['corrupted'].values)]}",
        "clean images": f"{rows.sizes['draw']} draws of {int(first['n_classes'])} classes x {int(first['per_class'])} "
        f"images of {first['dataset'].values}",
    }
    return pd.DataFrame(
        {
            "": list(PAPER),
            "the paper reports": list(PAPER.values()),
            "measured here": [ours[name] for name in PAPER],
        }
    )


def imagenet_c():
    """Return the reported accuracies on ImageNet-C and their ratios to clean accuracy, by network."""
    import pandas as pd

    path = require_project() / "data" / "reported" / "cluster_purity.csv"
    table = pd.read_csv(path, comment="#", dtype=str)  # as printed, not rounded
    return table.rename(columns={"corrupted_accuracy": "accuracy on ImageNet-C, %"})
