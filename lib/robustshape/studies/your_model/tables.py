"""The tables of a report, as pandas.DataFrames in a reader's words."""

import json

import numpy as np

from robustshape import __version__
from robustshape.models import short_name
from robustshape.studies.your_model.outlook import accuracy_in_words


def about(row) -> dict[str, str]:
    """Return what the network is and on what it was measured."""
    code = json.loads(str(row["provenance"].item()))
    shape = f"{int(row['n_samples']):,} images show the feature space"
    held = int(row["n_robustness"])
    return {
        "network": str(row.model.item()),
        "family": str(row["family"].item()),
        "its checksum": str(row["network_checksum"].item()),
        "features": f"input of {row['layer'].item()}"
        + (
            ""
            if row["compared_layer"].item() == "penultimate"
            else f"; indicators of {row['compared_layer'].item()}"
        ),
        "preprocessing": _preprocessing(str(row["preprocessing"].item())),
        "data": f"{row['dataset'].item()}, read as {row['reading'].item()}, {int(row['data_classes'])} classes",
        "their checksum": str(row["checksum"].item()),
        "images": shape + (f", {held:,} others how it fails" if held else ""),
        "clean accuracy": accuracy_in_words(row),
        "seed": str(int(row["seed"])),
        "measured by": f"robustshape {__version__}, {code.get('device', '')}".rstrip(", "),
    }


def _preprocessing(words: str) -> str:
    """Return a preprocessing as words.

    >>> _preprocessing('{"channels": 3, "size": [32, 32], "resize": null, "interpolation": "bilinear", "mean": null, "std": null}')
    '32 x 32 px, pixels in [0, 1]'
    """
    try:
        how = json.loads(words)
    except ValueError:
        return words
    if not isinstance(how, dict):
        return words
    size = " x ".join(map(str, how["size"])) + " px" if how.get("size") else "any size"
    resized = (
        f", shorter side resized to {how['resize']} ({how.get('interpolation')})" if how.get("resize") else ""
    )
    if how.get("mean") is None and how.get("std") is None:
        return f"{size}{resized}, pixels in [0, 1]"
    return f"{size}{resized}, mean {how.get('mean')}, std {how.get('std')}"


def classes(row):
    """Return a line for each class: its images, accuracy clean and corrupted, what it is mistaken for, and its k*."""
    import pandas as pd

    names = row["class_name"].values.astype(str)
    mistaken = [names[k] if k >= 0 else "–" for k in row["class_read_as"].values.astype(int)]
    columns = {
        "class": names,
        "images": row["class_tried"].values.astype(int),
        "accuracy": row["class_accuracy"].values.astype(float),
    }
    if "class_corrupted_accuracy" in row:
        columns["corrupted"] = row["class_corrupted_accuracy"].mean("corruption").values.astype(float)
    columns |= {
        "mistaken for": mistaken,
        "how often": row["class_read_as_share"].values.astype(float),
        "mean k*": row["class_mean_rank"].values.astype(float),
        "skewness of k*": row["class_skewness"].values.astype(float),
        "images of k*": row["class_size"].values.astype(int),
    }
    return pd.DataFrame(columns).sort_values("corrupted" if "corrupted" in columns else "accuracy")


def corruptions(row):
    """Return a line for each corruption with the accuracy at each severity; empty where nothing was corrupted."""
    import pandas as pd

    if "corrupted_accuracy" not in row:
        return pd.DataFrame()
    table = row["corrupted_accuracy"].transpose("corruption", "severity").to_pandas()
    table.columns = [f"severity {severity}" for severity in table.columns]
    table.insert(0, "corruption", [str(name).replace("_", " ") for name in table.index])
    return table.assign(mean=table.iloc[:, 1:].mean(axis=1))


def shape(table):
    """Return the lines of `peers.positions` in words."""
    import pandas as pd

    words = {"p_purity": "p_purity: both purities over accuracy, multiplied"}
    names = [words.get(name, what) for name, what in table["what"].items()] if len(table) else []
    columns = {"number": names, "this network": table["value"].values, "sd over draws": table["sd"].values}
    if "below" in table:
        columns |= {
            "lowest published": table["lowest"],
            "median": table["median"],
            "highest": table["highest"],
        }
        columns["published below"] = [f"{share:.0%}" for share in table["below"]]
    return pd.DataFrame(columns)


def outlook(table):
    """Return the lines of `outlook.outlook` with their intervals in words."""
    import pandas as pd

    def interval(name, low, high):
        return [
            f"{m:.3f} ({a:.3f} to {b:.3f})" if np.isfinite(m) else "–"
            for m, a, b in zip(table[name], table[low], table[high])
        ]

    lines = {"corruptions": list(table.index)}
    if "by accuracy" in table:
        lines["predicted by accuracy (90 %)"] = interval(
            "by accuracy", "by accuracy, low", "by accuracy, high"
        )
    if "predicted" in table:
        lines["with indicators (90 %)"] = interval("predicted", "low", "high")
    if "measured" in table:
        lines["measured (95 %)"] = interval("measured", "measured, low", "measured, high")
    return pd.DataFrame(lines)


def beside(rows) -> str:
    """Return between whom `compared` is, as a sentence."""
    first, second = (short_name(str(name)) for name in rows.model.values[:2])
    return f"{second} minus {first}, paired on the same images, with 95 % intervals over images. What follows is of {first}; the attack is on both."


def compared(rows):
    """Return the paired differences of the second network minus the first, with Student's 95 % intervals over images.

    Returns
    -------
    pandas.DataFrame
        A line for clean accuracy, for that under all corruptions and under each of them; empty for one network.
    """
    import pandas as pd

    from robustshape.statistics import paired_difference

    if rows.sizes["model"] < 2:
        return pd.DataFrame()
    first, second = (rows.isel(model=i) for i in (0, 1))
    each = {"clean": [one["right"].values.astype(float) for one in (first, second)]}
    if "right_corrupted" in rows:
        under = [one["right_corrupted"].transpose("held_out", "corruption").values for one in (first, second)]
        each["all corruptions"] = [values.mean(axis=1) for values in under]
        for i, name in enumerate(map(str, rows["corruption"].values)):
            each[name.replace("_", " ")] = [values[:, i] for values in under]
    lines = []
    for name, (a, b) in each.items():
        found = paired_difference(b, a)
        lines.append(
            {
                "images": name, short_name(str(first.model.item())): a.mean(), short_name(str(second.model.item())): b.mean(),
                "difference": f"{found.estimate:+.3f} ({found.low:+.3f} to {found.high:+.3f})",
            }
        )  # fmt: skip
    return pd.DataFrame(lines)
