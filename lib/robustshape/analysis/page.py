"""What a study's notebook shows, the same in JupyterLab and on the book's page: answers, figures, tables, folds.

Everything is HTML that stands by itself, for a caption that is computed can be no part of a cell's metadata. All text is
escaped: names of files, classes and networks come from outside.
"""

import base64
import io
import os
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from robustshape.analysis.style import FORM

LARGEST_SVG = 250_000  # bytes; a figure of more points is shown as PNG
MIMES = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}


@dataclass(frozen=True)
class Shown:
    """HTML that a notebook shows at the end of a cell."""

    html: str

    def _repr_html_(self) -> str:
        return f"<style>{look()}</style>{self.html}"


@cache
def look() -> str:
    """Return the style sheet of everything here."""
    return Path(__file__).with_name("page.css").read_text(encoding="utf-8")


def answer(words: str) -> Shown:
    """Return the answer to a page's question, set apart.

    >>> answer("Yes: A & B.").html
    '<p class="rs-answer">Yes: A &amp; B.</p>'
    """
    return Shown(f'<p class="rs-answer">{escape(words)}</p>')


def paragraph(words: str) -> Shown:
    """Return plain sentences.

    >>> paragraph("A & B.").html
    '<p>A &amp; B.</p>'
    """
    return Shown(f"<p>{escape(words)}</p>")


def bullets(sentences) -> Shown:
    """Return sentences as a list.

    >>> bullets(["A & B.", "C."]).html
    '<ul><li>A &amp; B.</li><li>C.</li></ul>'
    """
    return Shown(f"<ul>{''.join(f'<li>{escape(words)}</li>' for words in sentences)}</ul>")


def together(*shown: Shown) -> Shown:
    """Return several things as one, for the end of a cell.

    >>> together(paragraph("A."), paragraph("B.")).html
    '<p>A.</p><p>B.</p>'
    """
    return Shown("".join(one.html for one in shown))


def figure(
    panels,
    *,
    alt: str,
    caption: str = "",
    empty: str = "Nothing to draw for these networks.",
    wide: bool = False,
) -> Shown:
    """Return one or more matplotlib figures as panels: abreast where the page is wide, else one below the other.

    Parameters
    ----------
    panels : matplotlib.figure.Figure or list of them
        Closed by this, or a notebook would show them a second time. None stands for nothing to draw.
    alt : str
        What is seen, for those who do not see it.
    caption : str
        How to read it, with the n and the interval that belong to it.
    empty : str
        What is said where there is nothing to draw.
    wide : bool
        Whether a single panel takes the whole width, such as a sheet of pictures.
    """
    import matplotlib.pyplot as plt

    panels = [one for one in (panels if isinstance(panels, list | tuple) else [panels]) if one is not None]
    if not panels:
        return Shown(f"<p><em>{escape(empty)}</em></p>")
    images = []
    for i, panel in enumerate(panels, 1):
        words = alt if len(panels) == 1 else f"Panel {i} of {len(panels)}: {alt}"
        images.append(f'<img alt="{escape(words)}" src="{_as_uri(panel)}">')
        plt.close(panel)
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    panels_class = "rs-panels rs-wide" if wide else "rs-panels"
    return Shown(
        f'<figure class="rs-figure"><div class="{panels_class}">{"".join(images)}</div>{below}</figure>'
    )


def _as_uri(panel) -> str:
    """Return a figure as the address of its own content: SVG, or PNG where that is smaller or asked for."""
    asked = os.environ.get(FORM)
    content = _drawn(panel, asked or "svg")
    form = asked or "svg"
    if not asked and len(content) > LARGEST_SVG:
        form, content = "png", _drawn(panel, "png")
    return f"data:{MIMES[form]};base64,{base64.b64encode(content).decode()}"


def _drawn(panel, form: str) -> bytes:
    file = io.BytesIO()
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(form)
    panel.savefig(file, format=form, dpi=200, metadata=undated)
    return file.getvalue()


def table(frame, digits: int = 3) -> Shown:
    """Return a pandas.DataFrame (or a dictionary, as two columns); on a narrow screen each line becomes a card.

    Numbers are rounded to `digits` decimals, NaN shows as a dash, and an empty table as a sentence.

    >>> table({"n": 3}).html.count("<td"), "-0" in table({"n": -1e-9}).html
    (2, False)
    """
    import pandas as pd

    facts = isinstance(frame, dict)
    if facts:
        frame = pd.DataFrame({"what": list(frame), "value": list(frame.values())})
    if frame.empty:
        return Shown("<p><em>Nothing to show.</em></p>")
    names = [escape(str(name)) for name in frame.columns]
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    body = ""
    for line in frame.itertuples(index=False):
        cells = (f'<td data-name="{n}">{escape(_cell(value, digits))}</td>' for n, value in zip(names, line))
        body += f"<tr>{''.join(cells)}</tr>"
    kind = "rs-table rs-facts" if facts else "rs-table"
    return Shown(f'<table class="{kind}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>')


def _cell(value, digits: int) -> str:
    if isinstance(value, float):
        return "–" if value != value else f"{value:z.{digits}f}"  # no -0.000
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def folded(title: str, *shown: Shown) -> Shown:
    """Return what opens when its title is clicked.

    >>> folded("All networks", answer("x")).html.startswith('<details class="rs-fold"><summary>All networks</summary>')
    True
    """
    inside = "".join(one.html for one in shown)
    return Shown(f'<details class="rs-fold"><summary>{escape(title)}</summary>{inside}</details>')
