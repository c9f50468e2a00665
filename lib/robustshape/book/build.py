"""Build the book: run the notebooks whose inputs changed, and put their figures, tables and numbers on its pages.

The preset that is built stands in laptop's place: pages take its numbers from
``executed/<notebook>.laptop.ipynb``. Every other preset is drawn from its published results, where it has some.
"""

import time
from datetime import UTC, datetime
from pathlib import Path

from robustshape.book.evidence import claims_pieces
from robustshape.book.facts import fact_pieces
from robustshape.book.outputs import place
from robustshape.book.pages import glossary, make_html, titles
from robustshape.book.populations import population_pieces
from robustshape.book.runs import SHOWN_AS, execute_all, runs_of
from robustshape.book.speed import speed_pieces
from robustshape.book.tables import pieces
from robustshape.paths import cache_dir, require_checkout
from robustshape.store import sealed
from robustshape.store.atomic import write_file

STILL_BUILDING = "(until this page is finished)"  # replaced by the seconds at the very end


def build_book(preset: str = SHOWN_AS) -> Path:
    """Build the book with the numbers of a preset and return the path of its ``index.html``.

    Notebooks that have a file for `preset` are run with it (only if an input changed); presets with published
    results are drawn from those. Pages are checked: no warning, none missing, nothing loaded from other hosts.

    Raises
    ------
    InputError
        If no notebook has the preset.
    StoreError
        If the pages cannot be built; the message holds the builder's warnings.
    """
    started, root = time.perf_counter(), require_checkout("the book")
    book, date = root / "book", f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
    known, terms = titles(root), glossary(root)
    ran, executed, files = [], {}, {}
    for run, (path, now) in execute_all(runs_of(preset)).items():
        executed[run] = path
        ran += [run] if now else []
        files |= place(run, path, titles=known, terms=terms)

    record = cache_dir("book") / "times.json"
    recorded = sealed.noted(record) or {}
    times = recorded.setdefault(preset, {})
    what = "last, with notebooks to run" if ran else "last, with nothing to run"
    if "first" not in times and all(run in ran for run in executed if run.source == "measure"):
        what = "first"
    times[what] = {"seconds": STILL_BUILDING, "notebooks": len(ran), "date": date}
    facts = pieces(preset, executed, times) | fact_pieces() | population_pieces() | speed_pieces()
    for name, content in files.items():  # the cards show figures that are there
        _write(book / name, content)
    facts |= claims_pieces(root)
    for name, content in facts.items():
        _write(book / name, content)
    for folder in ("executed", "figures", "generated"):
        for path in (book / folder).glob("*"):
            if f"{folder}/{path.name}" not in files | facts:
                path.unlink()

    print("making the pages", flush=True)
    index = make_html(root)
    seconds = f"{time.perf_counter() - started:.0f}"
    times[what]["seconds"] = seconds
    for path in index.parent.glob("status.html"):
        path.write_text(path.read_text(encoding="utf-8").replace(STILL_BUILDING, seconds), encoding="utf-8")
    sealed.note(record, recorded)
    print(f"the book took {seconds} s ({len(ran)} of {len(executed)} notebooks run now)")
    print(f"read it: {index}")
    return index


def _write(path: Path, content: bytes) -> None:
    """Write a file whose content changed; of one that is left alone no page is made again."""
    if not path.is_file() or path.read_bytes() != content:
        with write_file(path) as temporary:
            temporary.write_bytes(content)
