"""Build the book: run the notebooks whose inputs changed, and put their figures, tables and numbers on its pages.

The preset that is built stands in laptop's place: pages take its numbers from
``executed/<notebook>.laptop.ipynb``. Every other preset is drawn from its published results, where it has some.
"""

import base64
import csv
import hashlib
import json
import re
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from robustshape import doctor
from robustshape.errors import InputError
from robustshape.notebooks import (
    list_presets,
    names,
    notebook_path,
    parameters_of,
    preset_path,
    run_notebook,
)
from robustshape.notebooks.run import kernel_environment
from robustshape.pages import forget_pages, make_html
from robustshape.paths import cache_dir, require_checkout
from robustshape.registry import unknown_name
from robustshape.store.atomic import write_file
from robustshape.store.provenance import commit

SHOWN_AS = "laptop"  # the place in the pages of the preset that is built
STILL_BUILDING = "(until this page is finished)"  # replaced by the seconds at the very end
SHOWN = {
    "figure": {"image/png": "png", "image/svg+xml": "svg"},
    "table": {"text/markdown": "md"},
    "page": {"text/html": "html"},
}
EXAMPLES = {  # a parameter that names networks, and what a reader may give it
    "models": '["zoo:lenet", "zoo:resnet"]',
    "classifiers": '["zoo:lenet", "zoo:resnet"]',
    "network": "zoo:convnext",
}


@dataclass(frozen=True)
class Run:
    """One executed notebook that the book shows."""

    notebook: str
    preset: str
    source: str  # "measure" or "published"
    shown_as: str

    @property
    def name(self) -> str:
        return f"{self.notebook}.{self.shown_as}"


def runs_of(preset: str) -> list[Run]:
    """Return what the book of a preset shows: its own measured runs, then the published ones of the others."""
    presets, results = list_presets(), require_checkout("the book") / "data" / "results"
    if preset not in presets:
        raise unknown_name("preset", preset, presets, "robustshape list presets")
    here = set(names())
    own = [Run(notebook, preset, "measure", SHOWN_AS) for notebook in presets[preset] if notebook in here]
    published = [
        Run(notebook, other, "published", other)
        for other, having in presets.items()
        if other != SHOWN_AS
        for notebook in having
        if notebook in here and (results / other / f"{notebook}.zarr.zip").is_file()
    ]
    return own + published


def key_of_run(run: Run) -> str:
    """Return a hash of all that an executed notebook follows from; equal keys need no second run."""
    root = require_checkout("the book")
    inputs = [notebook_path(run.notebook), preset_path(run.notebook, run.preset), root / "requirements.lock"]
    inputs += sorted((root / "lib").rglob("*.py"))
    inputs += [root / "data" / "claims.toml", *sorted((root / "data" / "reported").glob("*.csv"))]
    inputs += sorted((root / "data" / "results").rglob("*.zip"))
    inputs += sorted(
        path for kind in ("safetensors", "json") for path in (root / "data" / "models").glob(f"*.{kind}")
    )
    digest = hashlib.sha256(run.source.encode())
    for path in inputs:
        digest.update(str(path.relative_to(root)).encode())
        digest.update(hashlib.sha256(path.read_bytes() if path.is_file() else b"").digest())
    return digest.hexdigest()[:16]


def execute(run: Run) -> tuple[Path, bool]:
    """Return the executed notebook of a run, and whether it had to be executed now."""
    prefix = f"{run.notebook}.{run.preset}.{run.source}"
    path = cache_dir("executed") / f"{prefix}.{key_of_run(run)}.ipynb"
    if path.is_file():
        print(
            f"{run.notebook}, preset {run.preset} ({run.source}): nothing has changed since it was run",
            flush=True,
        )
        return path, False
    print(f"{run.notebook}, preset {run.preset} ({run.source}): running", flush=True)
    source = {"source": run.source} if "source" in parameters_of(run.notebook) else {}
    shown = run.source == "measure"  # of several at once nobody could read what they print
    run_notebook(run.notebook, preset=run.preset, parameters=source, output=path, progress=shown)
    for older in path.parent.glob(f"{prefix}.*.ipynb"):
        if older != path:
            older.unlink()
    return path, True


def execute_all(runs: list[Run]) -> dict[Run, tuple[Path, bool]]:
    """Return `execute` of every run: measurements one after the other, each on all cores; the published ones beside them.

    A measurement leaves a core idle while it starts, waits for its last task and draws; a published one needs no more.
    After the last measurement two published ones run at a time.
    """
    from concurrent.futures import ThreadPoolExecutor

    measured = [run for run in runs if run.source == "measure"]
    waiting = deque(run for run in runs if run.source != "measure")

    def drawn() -> dict:
        return {run: execute(run) for run in _taken(waiting)}

    with kernel_environment(), ThreadPoolExecutor(1) as beside:
        others = beside.submit(drawn)
        try:  # measured in this thread, which Ctrl-C reaches
            done = {run: execute(run) for run in measured} | drawn() | others.result()
        finally:
            waiting.clear()  # after an error nothing more is begun
    return {run: done[run] for run in runs}


def _taken(waiting: deque):
    """Yield what waits, the first first, until nothing is left; several threads may take from the same."""
    while True:
        try:
            yield waiting.popleft()
        except IndexError:
            return


def differs(path: Path, content: bytes) -> bool:
    """Return whether a file must be written; one that is left alone needs no page made again."""
    return not path.is_file() or path.read_bytes() != content


def outputs_of(notebook: dict) -> dict[str, bytes]:
    """Return the output of every cell with a tag ``figure:NAME``, ``table:NAME`` or ``page:NAME``, by file name.

    >>> cell = {"metadata": {"tags": ["figure:shape"]}, "outputs": [{"data": {"image/png": "aGk="}}]}
    >>> outputs_of({"cells": [cell]})
    {'figures/shape.png': b'hi'}
    """
    found = {}
    for cell in notebook["cells"]:
        for tag in cell.get("metadata", {}).get("tags", []):
            what, _, name = tag.partition(":")
            if what not in SHOWN or not name:
                continue
            data = [output.get("data", {}) for output in cell.get("outputs", [])]
            having = [(kind, one[kind]) for one in data for kind in SHOWN[what] if kind in one]
            if not having:
                raise InputError(f"the notebook cell tagged {tag!r} shows no {what}; end it with one")
            kind, text = having[-1][0], "".join(having[-1][1])
            folder = "figures" if what == "figure" else "generated"
            content = base64.b64decode(text) if kind == "image/png" else text.encode()
            found[f"{folder}/{name}.{SHOWN[what][kind]}"] = content
    return found


def place(run: Run, executed: Path) -> dict[str, bytes]:
    """Return the files that a run gives the book, by their path in ``book``: the notebook, figures, tables."""
    notebook = json.loads(executed.read_text(encoding="utf-8"))
    notebook["metadata"]["orphan"] = True  # it stands in no table of contents
    files = {f"executed/{run.name}.ipynb": json.dumps(notebook, indent=1, ensure_ascii=False).encode()}
    for name, content in outputs_of(notebook).items():
        folder, _, file = name.partition("/")
        files[f"{folder}/{run.name}.{file}"] = content
    return files


def plain(value) -> str:
    """Return a table cell in which Markdown sees no markup but links; a cell in backticks stays code.

    >>> print(plain("a_b by https://example.org/x_y"))
    a\\_b by <https://example.org/x_y>
    """
    if re.fullmatch(r"`[^`]*`", str(value)):
        return value
    parts = re.split(r"(https?://[^\s;,)]*[^\s;,).])", str(value))
    return "".join(
        f"<{p}>" if p.startswith("http") else re.sub(r"([\\`*_{}\[\]<>$|~])", r"\\\1", p) for p in parts
    )


def table(header: list[str], rows) -> bytes:
    """Return a CSV table for a page's ``{csv-table}``."""
    import io

    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        [header, *([plain(cell) for cell in row] for row in rows)]
    )
    return text.getvalue().encode()


def pieces(preset: str, executed: dict[Run, Path], times: dict) -> dict[str, bytes]:
    """Return the tables and snippets that follow from the library and this machine, by their path in ``book``."""
    from robustshape import datasets

    book, facts = require_checkout("the book") / "book", datasets.table()
    made = {"datasets.csv": table(list(facts.columns), facts.itertuples(index=False))}
    snippet = (book / "_snippets" / "run_this_page.md").read_text(encoding="utf-8")
    for notebook in names():
        rows = [
            (f"`{p.name}`", f"`{p.written_type}`", f"`{json.dumps(p.default)}`", p.help)
            for p in parameters_of(notebook).values()
        ]
        made[f"parameters_{notebook}.csv"] = table(["parameter", "type", "default", "meaning"], rows)
        presets = [name for name, having in list_presets().items() if notebook in having]
        preset_shown = SHOWN_AS if SHOWN_AS in presets else presets[0] if presets else "PRESET"
        example = next((f"{p} '{v}'" for p, v in EXAMPLES.items() if p in parameters_of(notebook)), "seed 1")
        shown = (
            snippet.replace("NOTEBOOK", notebook).replace("PRESET", preset_shown).replace("EXAMPLE", example)
        )
        made[f"run_{notebook}.md"] = shown.encode()
    rows = []
    for run, path in executed.items():
        about = json.loads(path.read_text(encoding="utf-8"))["metadata"]["papermill"]
        rows.append(
            (run.notebook, run.preset, run.source, f"{about['duration']:.0f}", about["start_time"][:16])
        )
    made["notebooks.csv"] = table(["notebook", "preset", "source", "seconds", "run (UTC)"], rows)
    machine = {**doctor.hardware(), "commit": commit() or "not a git clone"}
    made["machine.csv"] = table(["what", "here"], machine.items())
    made["versions.csv"] = table(["package", "version"], doctor.installed().items())
    rows = [(what, entry["seconds"], entry["notebooks"], entry["date"]) for what, entry in times.items()]
    made["times.csv"] = table([f"build of {preset}", "seconds", "notebooks run", "date (UTC)"], rows)
    return {f"generated/{name}": content for name, content in made.items()}


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
    ran, executed, files = [], {}, {}
    for run, (path, now) in execute_all(runs_of(preset)).items():
        executed[run] = path
        ran += [run] if now else []
        files |= place(run, path)

    record = cache_dir("book") / "times.json"
    recorded = json.loads(record.read_text()) if record.is_file() else {}
    times = recorded.setdefault(preset, {})
    what = "last, with notebooks to run" if ran else "last, with nothing to run"
    if "first" not in times and all(run in ran for run in executed if run.source == "measure"):
        what = "first"
    times[what] = {"seconds": STILL_BUILDING, "notebooks": len(ran), "date": date}
    facts = pieces(preset, executed, times)
    for folder in ("executed", "figures", "generated"):
        for path in (book / folder).glob("*"):
            if f"{folder}/{path.name}" not in files | facts:
                path.unlink()
    if any(differs(book / name, content) for name, content in files.items()):
        # Numbers glued from an executed notebook do not reach pages that are otherwise unchanged.
        forget_pages(root)
    for name, content in {**files, **facts}.items():
        if differs(book / name, content):
            with write_file(book / name) as temporary:
                temporary.write_bytes(content)

    print("making the pages", flush=True)
    index = make_html(root)
    seconds = f"{time.perf_counter() - started:.0f}"
    times[what]["seconds"] = seconds
    for path in index.parent.glob("status.html"):
        path.write_text(path.read_text(encoding="utf-8").replace(STILL_BUILDING, seconds), encoding="utf-8")
    with write_file(record) as temporary:
        temporary.write_text(json.dumps(recorded, indent=1))
    print(f"the book took {seconds} s ({len(ran)} of {len(executed)} notebooks run now)")
    print(f"read it: {index}")
    return index
