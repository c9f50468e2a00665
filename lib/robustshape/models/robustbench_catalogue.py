"""The networks of RobustBench and what their authors report of them (Croce et al. 2021, arXiv 2010.09670).

Read from ``robustbench.csv`` beside this module, so that listing needs neither the package nor a connection.
Accuracies are in percent, as published; none was measured here.
"""

import csv
import functools
from pathlib import Path

TABLE = Path(__file__).with_name("robustbench.csv")
DRIVE = "gdrive:"


@functools.cache
def rows() -> dict[str, dict[str, str]]:
    """Return every line of the published leaderboards by name, DATASET/THREAT/MODEL, as text.

    >>> row = rows()["cifar10/Linf/Wang2023Better_WRN-70-16"]
    >>> row["clean_accuracy"], row["robust_accuracy"], row["penultimate"]
    ('93.25', '70.69', '1024')
    """
    with TABLE.open(encoding="utf-8", newline="") as file:
        lines = csv.DictReader(line for line in file if not line.startswith("#"))
        return {f"{row['dataset']}/{row['threat']}/{row['model']}": row for row in lines}


@functools.cache
def networks() -> dict[str, dict[str, str]]:
    """Return the lines whose network RobustBench distributes; the others published accuracies alone.

    >>> len(networks()), len(rows())
    (206, 236)
    """
    return {name: row for name, row in rows().items() if row["weights"]}


def table():
    """Return all lines as a ``pandas.DataFrame``; accuracies in percent, NaN where none is published."""
    import pandas as pd

    return pd.read_csv(TABLE, comment="#", keep_default_na=False, na_values=[""])


def pages(name: str) -> list[str]:
    """Return where a person finds the weights of a network, one address for each of its files.

    >>> pages("imagenet/corruptions/AlexNet")
    ['https://download.pytorch.org/models/alexnet-owt-7be5be79.pth']
    """
    return [
        f"https://drive.google.com/uc?id={place.removeprefix(DRIVE)}" if place.startswith(DRIVE) else place
        for place in networks()[name]["weights"].split()
    ]
