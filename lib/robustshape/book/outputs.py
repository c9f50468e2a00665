"""What an executed notebook gives the book: itself as a page, and the content of its tagged cells as files."""

import base64
import json
import re
from pathlib import Path

from robustshape.book.runs import Run
from robustshape.errors import InputError

EXTENSIONS = {"image/svg+xml": "svg", "application/pdf": "pdf", "image/png": "png", "text/html": "html"}
PANEL = re.compile(r'src="data:([a-z+/]+);base64,([^"]+)"')


def figures_of(notebook: dict) -> dict[str, bytes]:
    """Return the panels of every cell with a tag ``figure:NAME``, by file name.

    >>> html = '<img alt="a" src="data:image/png;base64,aGk="><img alt="b" src="data:image/png;base64,aG8=">'
    >>> cell = {"metadata": {"tags": ["figure:shape"]}, "outputs": [{"data": {"text/html": [html]}}]}
    >>> figures_of({"cells": [cell]})
    {'shape.png': b'hi', 'shape-2.png': b'ho'}
    """
    found = {}
    for name, html in _tagged(notebook, "figure"):
        for i, (mime, content) in enumerate(PANEL.findall(html), 1):
            number = f"-{i}" if i > 1 else ""
            found[f"{name}{number}.{EXTENSIONS[mime]}"] = base64.b64decode(content)
    return found


def _tagged(notebook: dict, what: str):
    """Yield the name and the HTML of every cell with a tag ``WHAT:NAME``; raise InputError if one shows none."""
    for cell in notebook["cells"]:
        for tag in cell.get("metadata", {}).get("tags", []):
            kind, _, name = tag.partition(":")
            if kind != what or not name:
                continue
            data = [output.get("data", {}) for output in cell.get("outputs", [])]
            having = ["".join(one["text/html"]) for one in data if "text/html" in one]
            if not having:
                raise InputError(
                    f"the notebook cell tagged {tag!r} shows nothing; end it with something to show"
                )
            yield name, having[-1]


def as_page(notebook: dict, run: Run, title: str, terms: dict[str, str]) -> dict:
    """Return an executed notebook as a page of the book.

    Parameters
    ----------
    title : str
        Of the page: the study and, of further populations, whose it is.
    terms : dict
        Of the glossary, as they are written in prose and as they are called there; the first time that one stands in
        italics on the page it becomes a link to its meaning.
    """
    left, cells = dict(terms), []
    for cell in notebook["cells"]:
        tags = cell["metadata"].get("tags", [])
        if {"parameters", "injected-parameters"} & set(tags):  # they stand at the page's foot
            cell["metadata"]["tags"] = [*tags, "remove-cell"]
        if cell["cell_type"] == "markdown":
            text = "".join(cell["source"])
            if not cells and text.startswith("# "):
                text = _opened(text, run, title)
            cell["source"] = _linked(text, left)
        cells.append(cell)
    box = f"## Run it\n\n```{{include}} /generated/run_{run.name}.md\n```"
    cells.append({"cell_type": "markdown", "id": "run-it", "metadata": {}, "source": box})
    return {**notebook, "cells": cells}


def _opened(text: str, run: Run, title: str) -> str:
    """Return a notebook's first cell with the page's own title, and where to get the notebook."""
    rest = text.partition("\n")[2]
    file = f"{run.name}.ipynb"
    how = "measured on this machine" if run.source == "measure" else "drawn from published rows"
    return (
        f"# {title}\n{rest}\n\n*Preset `{run.preset}`, {how}.* {{download}}`Download this notebook <{file}>`"
    )


def _linked(text: str, left: dict[str, str]) -> str:
    """Return Markdown in which terms in italics are linked, each once; those that were linked leave `left`.

    >>> _linked("*Purity* and *purity*.", {"purity": "purity"})
    '{term}`Purity <purity>` and *purity*.'
    """

    def link(match):
        term = left.pop(match[1].lower(), None)
        return f"{{term}}`{match[1]} <{term}>`" if term else match[0]

    return re.sub(r"(?<![*\w])\*([^*\n]+)\*(?![*\w])", link, text)


def place(run: Run, executed: Path, *, titles: dict[str, str], terms: dict[str, str]) -> dict[str, bytes]:
    """Return the files that a run gives the book, by their path in ``book``: its page, and its figures for other pages.

    Parameters
    ----------
    titles : dict
        Of the pages in the table of contents, by name; a notebook that stands in none is an orphan.
    """
    notebook = json.loads(executed.read_text(encoding="utf-8"))
    name = f"executed/{run.name}"
    first = "".join(notebook["cells"][0]["source"]).partition("\n")[0].removeprefix("# ")
    page = as_page(notebook, run, titles.get(name) or first, terms)
    if name not in titles:
        page["metadata"]["orphan"] = True
    files = {f"{name}.ipynb": json.dumps(page, indent=1, ensure_ascii=False).encode()}
    return files | {f"figures/{run.name}.{file}": content for file, content in figures_of(notebook).items()}
