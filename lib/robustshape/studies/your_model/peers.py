"""Where a network stands among published ones that were measured alike: the same data set, and draws of the same size."""

import numpy as np

from robustshape.analysis.words import of
from robustshape.errors import RobustshapeError
from robustshape.store.results import published_presets, read_published
from robustshape.studies.indicator_comparison.analyse import networks

STUDY = "indicator_comparison"
SHOWN = (  # what a report shows of a feature space, in its order
    "p_purity", "kmeans_purity", "multicut_purity", "mean_normalised_rank", "approximate_skewness", "neural_collapse",
    "participation_ratio", "intrinsic_dimension", "feature_selectivity", "low_feature_margin",
)  # fmt: skip


def alike(row):
    """Return the published rows of networks measured as `row` was, of the preset with most of them; None if there are none.

    Parameters
    ----------
    row : xarray.Dataset
        Of the report, of one network.
    """
    found = []
    for preset in published_presets(STUDY):
        try:
            rows = read_published(STUDY, preset)
        except RobustshapeError:  # of an older schema
            continue
        same = all(
            (rows[name].values == row[name].item()).all()
            for name in ("dataset", "per_class", "compared_layer", "normalised")
        )
        if same and (_classes(rows) == _classes(row)).all():
            found.append(rows.assign_attrs(rows.attrs | {"preset": preset}))
    return max(found, key=lambda rows: rows.sizes["model"], default=None)


def _classes(rows) -> np.ndarray:
    return np.atleast_1d(rows["n_classes"].values)


def whom(row) -> str:
    """Return among whom the network stands, as a caption."""
    published = alike(row)
    if published is None:
        return ""
    classes, images = int(row["n_classes"]), int(row["per_class"])
    return (
        f"Among {published.sizes['model']} published networks of {len(set(published['family'].values))} families "
        f"({published.attrs['preset']}), on draws of {classes} classes with {images} images; their full range is the line."
    )


def drawn(row) -> str:
    """Return on which images the numbers of the feature space are, as a sentence."""
    classes, images, draws = int(row["n_classes"]), int(row["per_class"]), row.sizes["draw"]
    of_all = "all" if classes == int(row["data_classes"]) else f"{classes} of the {int(row['data_classes'])}"
    return f"Means over {draws} draws of {of_all} classes with {images} images each; k* of a class in the table below is among all."


def own_values(row) -> dict[str, float]:
    """Return every number of the network's feature space by its name, and its factors of purity."""
    return {
        name: float(value)
        for name, value in networks(row.expand_dims("model")).iloc[0].items()
        if _is_number(value)
    }


def _is_number(value) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool | np.bool_)


def positions(row, names=SHOWN):
    """Return a line for each number: its value, and where it stands among published networks measured alike.

    Returns
    -------
    pandas.DataFrame
        Indexed by the number's name: ``what`` (in words), ``value``, ``sd`` over draws, and, where there are networks
        measured alike, ``lowest``, ``median``, ``highest`` of them and ``below``, the share of them with a lower value.
    """
    import pandas as pd

    own, published, lines = own_values(row), alike(row), {}
    others = networks(published) if published is not None else None
    spread = row["indicator_value"].std("draw", ddof=1).to_series()
    for name in names:
        if not np.isfinite(own.get(name, np.nan)):
            continue
        lines[name] = {"what": of(name), "value": own[name], "sd": float(spread.get(name, np.nan))}
        if others is not None:
            values = others[name].dropna().values
            lines[name] |= {
                "lowest": values.min(), "median": np.median(values), "highest": values.max(),
                "below": float((values < own[name]).mean()),
            }  # fmt: skip
    return pd.DataFrame.from_dict(lines, orient="index")
