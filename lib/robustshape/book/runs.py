"""Which notebooks a book shows, and executing those whose inputs have changed since they were last executed."""

import hashlib
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from robustshape.book.pages import titles
from robustshape.notebooks import list_presets, names, notebook_path, parameters_of, preset_path, run_notebook
from robustshape.notebooks.run import kernel_environment
from robustshape.paths import cache_dir, require_checkout
from robustshape.registry import unknown_name
from robustshape.store import leases
from robustshape.store.atomic import remove
from robustshape.store.entries import usable_folder, write_folder

EXECUTED = "executed.ipynb"  # in the folder of its entry
SHOWN_AS = "laptop"  # the place in the pages of the preset that is built
INPUTS = (  # of an executed notebook, besides itself and its parameter file
    "requirements.lock",
    "lib/**/*.py",
    "lib/**/*.csv",
    "notebooks/pretrained/*.*",
    "data/claims.toml",
    "data/reported/*.csv",
    "data/models/*.safetensors",
    "data/models/*.json",
)


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
    """Return what the book of a preset shows: its own measured runs, then the published ones that are pages."""
    root = require_checkout("the book")
    presets, results, pages = list_presets(), root / "data" / "results", titles(root)
    if preset not in presets:
        raise unknown_name("preset", preset, presets, "robustshape list presets")
    here = set(names())
    own = [Run(notebook, preset, "measure", SHOWN_AS) for notebook in presets[preset] if notebook in here]
    published = [
        Run(notebook, other, "published", other)
        for other, having in presets.items()
        if other != SHOWN_AS
        for notebook in having
        if notebook in here and f"executed/{notebook}.{other}" in pages
        if (results / other / f"{notebook}.zarr.zip").is_file()
    ]
    return own + published


def key_of_run(run: Run) -> str:
    """Return a hash of all that an executed notebook follows from; equal keys need no second run."""
    root = require_checkout("the book")
    inputs = [notebook_path(run.notebook), preset_path(run.notebook, run.preset)]
    published = f"data/results/{run.preset}/{run.notebook}.zarr.zip"  # drawn, or compared with
    inputs += sorted(
        path for pattern in (*INPUTS, published) for path in root.glob(pattern) if path.is_file()
    )
    digest = hashlib.sha256(run.source.encode())
    for path in inputs:
        digest.update(str(path.relative_to(root)).encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def execute(run: Run) -> tuple[Path, bool]:
    """Return the executed notebook of a run, and whether it had to be executed now."""
    entry = cache_dir("executed") / f"{run.notebook}.{run.preset}.{run.source}.{key_of_run(run)}"
    if not usable_folder(entry):
        with leases.alone(entry):
            if not usable_folder(entry):
                _execute(run, entry)
                return entry / EXECUTED, True
    print(
        f"{run.notebook}, preset {run.preset} ({run.source}): nothing has changed since it was run",
        flush=True,
    )
    return entry / EXECUTED, False


def _execute(run: Run, entry: Path) -> None:
    print(f"{run.notebook}, preset {run.preset} ({run.source}): running", flush=True)
    source = {"source": run.source} if "source" in parameters_of(run.notebook) else {}
    shown = run.source == "measure"  # of several at once nobody could read what they print
    made = entry.with_name(f"{entry.name}.ipynb")
    run_notebook(run.notebook, preset=run.preset, parameters=source, output=made, progress=shown)
    with write_folder(entry) as folder:
        made.rename(folder / EXECUTED)
    for older in entry.parent.glob(f"{run.notebook}.{run.preset}.{run.source}.*"):
        if older != entry:
            remove(older)


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
