"""What an executed notebook gives the book: itself, and the outputs of its tagged cells as files."""

import base64
import json
from pathlib import Path

from robustshape.book.runs import Run
from robustshape.errors import InputError

SHOWN = {
    "figure": {"image/svg+xml": "svg", "application/pdf": "pdf", "image/png": "png"},
    "table": {"text/markdown": "md"},
    "page": {"text/html": "html"},
}
BINARY = ("image/png", "application/pdf")


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
            content = base64.b64decode(text) if kind in BINARY else text.encode()
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
