"""Tables and snippets of the pages that follow from the library and this machine."""

import csv
import io
import json
import re
from pathlib import Path

from robustshape import doctor
from robustshape.book import explorer
from robustshape.book.runs import Run
from robustshape.notebooks import names, parameters_of
from robustshape.paths import require_checkout
from robustshape.store.provenance import commit

EXAMPLES = {  # a parameter that names networks, and what a reader may give it
    "models": '["zoo:lenet", "zoo:resnet"]',
    "classifiers": '["zoo:lenet", "zoo:resnet"]',
    "network": "zoo:convnext",
}
SAID = {  # what a run from this source does
    "measure": "measures what this page shows",
    "published": "draws this page from its published rows; `-p source extend` measures those of the preset that are not published, which may take hours",
}


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
    made["explorer.html"] = explorer.fragment()
    snippet = (book / "_snippets" / "run_this_page.md").read_text(encoding="utf-8")
    for notebook in names():
        rows = [
            (f"`{p.name}`", f"`{p.written_type}`", f"`{json.dumps(p.default)}`", p.help)
            for p in parameters_of(notebook).values()
        ]
        made[f"parameters_{notebook}.csv"] = table(["parameter", "type", "default", "meaning"], rows)
    rows = []
    for run, path in executed.items():
        made[f"run_{run.name}.md"] = run_this_page(snippet, run).encode()
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


def run_this_page(snippet: str, run: Run) -> str:
    """Return how a reader makes a page again, and changes it: with its own preset, and from the source that it has.

    A page that is drawn from published rows is changed by another source, for its networks take hours.
    """
    example = "source extend"
    if run.source == "measure":
        known = parameters_of(run.notebook)
        example = next((f"{name} '{value}'" for name, value in EXAMPLES.items() if name in known), "seed 1")
    words = {
        "NOTEBOOK": run.notebook, "PRESET": run.preset, "SOURCE": run.source, "SAID": SAID[run.source],
        "EXAMPLE": example,
    }  # fmt: skip
    return re.sub("|".join(words), lambda found: words[found[0]], snippet)
