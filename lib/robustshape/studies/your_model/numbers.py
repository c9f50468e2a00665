"""Every number of a report as plain data, and every figure, for files beside its page."""

import math

import numpy as np

from robustshape.studies.your_model import answer, figures, outlook, peers, tables


def of_report(rows) -> dict:
    """Return what a report says of each network, in types that JSON knows; NaN is None.

    Returns
    -------
    dict
        ``networks``: by name ``about``, ``odd``, ``answer``, ``accuracy``, ``feature_space`` (every indicator, with its
        standard deviation over draws and where it stands), ``outlook`` by group, ``corruptions``, ``attacks``, ``classes``,
        ``suspects``, ``failing``, ``key``. ``compared``: the paired differences. ``quotation``.
    """
    calibration = outlook.published_calibration()
    found = {str(name): _of_network(rows.sel(model=name), calibration) for name in rows.model.values}
    return _plain(
        {
            "networks": found,
            "compared": tables.compared(rows).to_dict("records"),
            "quotation": answer.quotation(rows),
        }
    )


def _of_network(row, calibration) -> dict:
    names = [name for name in peers.own_values(row) if name in peers.SHOWN]
    every = [*names, *[str(name) for name in row["indicator"].values if str(name) not in names]]
    places = {"suspects": "suspect", "failing": "failing"}
    return {
        "about": tables.about(row),
        "odd": answer.oddities(row),
        "answer": answer.answer(row, calibration),
        "accuracy": {
            "indicator images": row["indicator_accuracy"].item(),
            "robustness images": row["accuracy"].item(),
        },
        "feature_space": peers.positions(row, every).to_dict("index"),
        "outlook": outlook.outlook(row, calibration).to_dict("index"),
        "corruptions": _by(row, "corrupted_accuracy", "corruption", "severity"),
        "attacks": _attacks(row),
        "classes": tables.classes(row).to_dict("records"),
        **{what: _images(row, prefix) for what, prefix in places.items()},
        "key": row["key"].item(),
    }


def _by(row, name: str, *dims: str) -> dict:
    if name not in row:
        return {}
    return {str(x): row[name].sel({dims[0]: x}).to_series().to_dict() for x in row[dims[0]].values}


def _attacks(row) -> dict:
    if "robust_accuracy" not in row:
        return {}
    columns = ("robust_accuracy", "attacked_clean_accuracy", "n_attacked")
    return {str(a): {name: row[name].sel(attack=a).item() for name in columns} for a in row["attack"].values}


def _images(row, prefix: str) -> list[dict]:
    """Return what is said of each of some images, without the pictures."""
    names = [n for n in row.data_vars if (n == prefix or n.startswith(f"{prefix}_")) and row[n].ndim == 1]
    columns = {name: row[name].values for name in names}
    n = len(columns[prefix]) if columns else 0
    return [
        {name: values[i] for name, values in columns.items()} for i in range(n) if str(columns[prefix][i])
    ]


def _plain(value):
    """Return a value in types that JSON knows."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def flat(found: dict):
    """Return the numbers of `of_report` as a pandas.DataFrame: ``network``, ``what`` (a path of names), ``value``.

    >>> flat({"networks": {"a": {"accuracy": {"x": 0.5}, "odd": ["b"]}}}).values.tolist()
    [['a', 'accuracy / x', 0.5]]
    """
    import pandas as pd

    lines = [
        (network, " / ".join(path), value)
        for network, about in found["networks"].items()
        for path, value in _leaves(about)
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    return pd.DataFrame(lines, columns=["network", "what", "value"])


def _leaves(value, path=()):
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, each in pairs:
            yield from _leaves(each, (*path, str(key)))
    else:
        yield path, value


def figures_of(rows) -> dict:
    """Return every figure of a report by its name."""
    row, calibration = rows.isel(model=0), outlook.published_calibration()
    made = {
        "shape": figures.positions(peers.positions(row)),
        "outlook": figures.outlook(outlook.outlook(row, calibration)),
        "attack": figures.under_attack(rows),
        "classes": figures.classes(row),
        "failing": figures.failing(row),
        "suspects": figures.suspects(row),
    }
    return {name: panel for name, panel in made.items() if panel is not None}
