"""`report`: one self-contained HTML page on a network, with its numbers and figures as files beside it.

The page is the notebook ``your_model``, run and exported: what it shows in JupyterLab is what stands there.
"""

import base64
import json
import tempfile
from html import escape
from pathlib import Path

from robustshape.errors import InputError, RobustshapeError
from robustshape.paths import checked_path

STYLE = """
:root { color-scheme: light dark; font: 16px/1.55 system-ui, sans-serif; }
body { margin: 0 auto; padding: 1rem 1.2rem 4rem; max-width: 54rem; }
h1 { font-size: 1.6rem; line-height: 1.25; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
code { overflow-wrap: anywhere; } a { color: inherit; }
.report-name { font-weight: 600; margin-bottom: -0.6rem; overflow-wrap: anywhere; }
.report-files { font-size: 0.9rem; opacity: 0.85; }
@media print {
  :root { color-scheme: light; font-size: 11px; } body { max-width: none; padding: 0; }
  h2 { break-after: avoid; } figure, tr { break-inside: avoid; } .report-files { display: none; }
}
"""
NOT_SHOWN = {"parameters", "injected-parameters", "remove-cell", "notebook-only"}  # tags of cells
# what is folded would be missing on paper
SCRIPT = 'addEventListener("beforeprint",()=>document.querySelectorAll("details").forEach(d=>{d.open=true}))'


def report(
    model, data, output, *, preprocess=None, head=None, compare=None, progress: bool = True,
    trust_card: bool = False, **parameters,
) -> Path:  # fmt: skip
    """Measure a network and write what was found as one HTML page, which needs no other file and no network.

    Beside it come ``OUTPUT.json`` and ``OUTPUT.csv`` with every number, and a folder ``OUTPUT.figures`` (SVG and PNG).
    What is finished is kept in the cache: an interrupted report goes on where it stopped.

    Parameters
    ----------
    model, data, preprocess, head, compare, trust_card, **parameters
        As for `robustshape.evaluate`.
    output : path
        The page, ``.html``; its folder is made if need be.
    progress : bool
        Whether the time it will take and progress bars are shown.

    Returns
    -------
    Path
        Of the page.

    Raises
    ------
    InputError
        Before anything is measured, if `output` is no .html or something does not fit.
    """
    from robustshape.evaluation import described, is_live
    from robustshape.models.trust import trusting
    from robustshape.notebooks import run_notebook
    from robustshape.store.atomic import write_file
    from robustshape.studies.your_model import STUDY, rows_file

    output = checked_path(output, "a report").absolute()
    if output.suffix != ".html" or output.is_dir():
        raise InputError(
            f"a report is a file that ends in .html, but {output} was given; nothing was written"
        )
    with trusting(trust_card):
        given = described(model, data, preprocess=preprocess, head=head, compare=compare, **parameters)
    with trusting(trust_card), write_file(output) as unfinished, tempfile.TemporaryDirectory() as folder:
        unfinished.touch()  # a folder that cannot be written shows now, not after minutes
        executed = Path(folder) / "your_model.ipynb"
        if is_live(given):  # the notebook runs in another process, which does not know it
            rows = STUDY.measure(**STUDY.given(given))
            measured = Path(folder) / "rows.zarr.zip"
            rows_file.write(rows, measured)
            run_notebook("your_model", None, {"measured": str(measured)}, executed, progress=False)
        else:
            try:
                run_notebook("your_model", None, given, executed, progress=progress)
            except RobustshapeError as error:  # whoever asked for a page is not told of a notebook
                raise type(error)(str(error).partition("\nthe notebook as far as it came")[0]) from None
            rows = STUDY.measure(**STUDY.given(given))
        files = numbers_of(rows, output.stem)
        page = page_of(json.loads(executed.read_text(encoding="utf-8")), rows, files)
        unfinished.write_text(page, encoding="utf-8")
    write_beside(rows, files, output)
    return output


def numbers_of(rows, stem: str) -> dict[str, bytes]:
    """Return the JSON and the CSV of every number of a report by their names."""
    from robustshape.studies.your_model import numbers

    found = numbers.of_report(rows)
    return {
        f"{stem}.json": json.dumps(found, indent=1, ensure_ascii=False).encode(),
        f"{stem}.csv": numbers.flat(found).to_csv(index=False).encode(),
    }


def write_beside(rows, files: dict[str, bytes], output: Path) -> None:
    """Write these files and every figure beside a report."""
    from robustshape.store.atomic import write_file
    from robustshape.studies.your_model import numbers

    for name, content in files.items():
        with write_file(output.with_name(name)) as temporary:
            temporary.write_bytes(content)
    folder = output.with_name(f"{output.stem}.figures")
    for name, panel in numbers.figures_of(rows).items():
        for form in ("svg", "png"):
            with write_file(folder / f"{name}.{form}") as temporary:
                panel.savefig(temporary, format=form, dpi=200)


def page_of(executed: dict, rows, files: dict[str, bytes]) -> str:
    """Return an executed notebook as an HTML page: its prose and what its cells show, no code."""
    from markdown_it import MarkdownIt

    from robustshape.analysis.page import look

    names = " and ".join(str(name) for name in rows.model.values)
    title = f"{names} on {rows['dataset'].values[0]}"
    style, body = f"<style>{look()}</style>", [f'<p class="report-name">{escape(title)}</p>']
    for cell in executed["cells"]:
        if NOT_SHOWN & set(cell["metadata"].get("tags", [])):
            continue
        if cell["cell_type"] == "markdown":
            body.append(MarkdownIt().render("".join(cell["source"])))
            continue
        for shown in cell.get("outputs", []):
            html = "".join(shown.get("data", {}).get("text/html", []))
            body.append(html.removeprefix(style))
    links = ", ".join(
        f'<a download="{escape(name)}" href="data:application/octet-stream;base64,{base64.b64encode(content).decode()}">'
        f"{escape(name)}</a>"
        for name, content in files.items()
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}{look()}</style></head><body><main>"
        f'{"".join(body)}<p class="report-files">Every number as a file: {links}.</p>'
        f"</main><script>{SCRIPT}</script></body></html>\n"
    )
