"""Rows of the table of speed: a number beside what is wanted of it, mostly a ratio to a stated baseline of the same run.

A bench says `row`, which prints it. ``python tests/bench`` (``make bench``) gathers the rows of all benches and keeps them.
"""

import json
import operator
import os

from robustshape.book.speed import shown

GATHERED = "ROBUSTSHAPE_BENCH_ROWS"  # the environment's name for the file that rows are added to
WAYS = {">=": operator.ge, "<=": operator.le}


def met(value: float, wanted: str) -> bool:
    """Return whether a number is as it is wanted, such as ``">= 1.15"``.

    >>> met(1.2, ">= 1.15"), met(0.2, "<= 0.1")
    (True, False)
    """
    way, least = wanted.split()
    return bool(WAYS[way](value, float(least)))


def row(what: str, value: float, wanted: str, *, against: str) -> None:
    """Print a row, and add it to the gathered ones.

    Parameters
    ----------
    what : str
        What was timed, with its sizes.
    value : float
        Such as ours / theirs.
    wanted : str
        ``">= NUMBER"`` or ``"<= NUMBER"``.
    against : str
        The baseline that the number is a ratio to, or its unit.
    """
    word = "" if met(value, wanted) else "  NOT MET"
    print(f"{what}: {shown(value)} ({against}), wanted {wanted}{word}", flush=True)
    if file := os.environ.get(GATHERED):
        with open(file, "a", encoding="utf-8") as rows:
            line = {"row": what, "against": against, "value": float(value), "wanted": wanted}
            rows.write(json.dumps(line) + "\n")
