"""How fast it is: the table of speed that ``make bench`` keeps in ``data/speed.csv``, as a page's picture and table."""

import io
from pathlib import Path

from robustshape import doctor
from robustshape.book.tables import table
from robustshape.paths import require_checkout

FILE = Path("data") / "speed.csv"
COLUMNS = ["date", "commit", "machine", "cores", "bench", "row", "against", "value", "wanted", "met", "load"]
HEADER = ["what", "number", "wanted", "compared with"]


def machine() -> dict:
    """Return what tells one machine's history from another's."""
    return {"machine": doctor.cpu_model(), "cores": doctor.cores()}


def keep(rows) -> None:
    """Add rows, a DataFrame with the columns of the kept table, to those of earlier runs."""
    import pandas as pd

    from robustshape.store.atomic import write_file

    path = require_checkout("the table of speed") / FILE
    rows = rows[COLUMNS].assign(value=[float(f"{value:.4g}") for value in rows["value"]])
    if path.is_file():
        rows = pd.concat([pd.read_csv(path, keep_default_na=False), rows])
    with write_file(path) as temporary:
        rows.to_csv(temporary, index=False)


def latest(rows):
    """Return the last measurement of every row on the machine that measured last.

    >>> import pandas as pd
    >>> kept = pd.DataFrame({"machine": ["a", "b", "b"], "bench": "k", "row": "r", "value": [1, 2, 3]})
    >>> latest(kept)["value"].tolist()
    [3]
    """
    here = rows[rows["machine"] == rows["machine"].iloc[-1]]
    return here.drop_duplicates(["bench", "row"], keep="last")


def times_wanted(value: float, wanted: str) -> float:
    """Return how many times better than wanted a number is; below 1 it falls short.

    >>> times_wanted(3.0, ">= 1.5"), times_wanted(0.2, "<= 0.1")
    (2.0, 0.5)
    """
    way, least = wanted.split()
    return value / float(least) if way == ">=" else float(least) / value


def shown(value: float) -> str:
    """Return a number as a reader wants it: three digits, or whole thousands.

    >>> shown(0.93177), shown(1076.2)
    ('0.932', '1,076')
    """
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def speed_pieces() -> dict[str, bytes]:
    """Return the page's table and picture, by their path in ``book``."""
    import pandas as pd

    path = require_checkout("the book") / FILE
    if not path.is_file():
        none = ("not yet measured: make bench", *[""] * (len(HEADER) - 1))
        return {
            "generated/speed.csv": table(HEADER, [none]),
            "generated/speed_machine.md": b"Not yet measured.\n",
            "generated/speed.svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>',
        }
    kept = pd.read_csv(path, keep_default_na=False)
    now = latest(kept)
    cells = [
        (r.row, shown(r.value), r.wanted if r.met else f"{r.wanted}: not met", r.against)
        for r in now.itertuples()
    ]
    days = " to ".join(dict.fromkeys([now["date"].min(), now["date"].max()]))
    whom = (
        f"{now['met'].sum()} of {len(now)} numbers are as wanted, on {now['machine'].iloc[0]} with "
        f"{now['cores'].iloc[0]} cores, {days}, its load up to {now['load'].max():g}."
    )
    return {
        "generated/speed.csv": table(HEADER, cells),
        "generated/speed_machine.md": f"{whom}\n".encode(),
        "generated/speed.svg": drawn(now),
    }


def drawn(rows) -> bytes:
    """Return the picture as SVG: every row's number over what is wanted of it, on a logarithmic axis."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullLocator

    from robustshape.analysis import style

    style.theme()
    at = rows.assign(times=[times_wanted(v, w) for v, w in zip(rows["value"], rows["wanted"])])
    at = at.sort_values("times").reset_index(drop=True)
    figure = Figure(figsize=(style.PANEL, 0.8 + 0.55 * len(at)), layout="constrained")
    axes = figure.add_subplot()
    colours = [style.ACCENT if times < 1 else style.INK for times in at["times"]]
    axes.hlines(at.index, 1, at["times"], color="#cccccc", lw=1, zorder=0)
    axes.scatter(at["times"], at.index, c=colours, s=24)
    axes.axvline(1, color=style.INK, lw=1)
    for place, words in zip(at.index, at["row"]):  # above its dot: beside it there is no room on a phone
        axes.text(0.01, place + 0.22, words, transform=axes.get_yaxis_transform(), fontsize=9)
    axes.set(xscale="log", yticks=[], ylim=(-0.5, len(at)), xlabel="times as good as wanted")
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=30))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:g}")
    with io.BytesIO() as file:
        figure.savefig(file, format="svg", metadata={"Date": None}, facecolor="white")
        return file.getvalue()
