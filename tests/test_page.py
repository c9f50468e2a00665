"""What notebooks show: escaped, self-contained, and the same in JupyterLab and on a page."""

import base64
import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from robustshape.analysis import page, style

HOSTILE = "<svg onload=alert(1)>`$|\n"


@pytest.mark.parametrize(
    "shown",
    [
        lambda: page.answer(HOSTILE),
        lambda: page.table(pd.DataFrame({HOSTILE: [HOSTILE]})),
        lambda: page.table({HOSTILE: HOSTILE}),
        lambda: page.folded(HOSTILE, page.answer(HOSTILE)),
        lambda: page.figure(style.panel()[0], alt=f'"{HOSTILE}', caption=HOSTILE),
        lambda: page.figure(None, alt="", empty=HOSTILE),
    ],
)
def test_text_from_outside_is_text(shown):
    html = shown()._repr_html_()
    assert "<svg onload" not in html and "&lt;svg onload" in html
    plt.close("all")


@pytest.mark.parametrize(
    "value, shown", [(0.12345, "0.123"), (np.float64("nan"), "–"), (float("nan"), "–"), (True, "yes"), (7, "7"), ("a|b", "a|b")]
)  # fmt: skip
def test_cells_of_a_table(value, shown):
    assert f'<td data-name="x">{shown}</td>' in page.table(pd.DataFrame({"x": [value]})).html


def test_an_empty_table_and_an_empty_figure_are_sentences():
    assert page.table(pd.DataFrame()).html == "<p><em>Nothing to show.</em></p>"
    assert page.figure([], alt="x").html == "<p><em>Nothing to draw for these networks.</em></p>"


def test_a_figure_is_panels_of_their_own_content_with_words_for_each(monkeypatch):
    monkeypatch.delenv(style.FORM, raising=False)
    drawn = [style.panel()[0] for _ in range(2)]
    for one in drawn:
        one.axes[0].plot([0, 1])
    html = page.figure(drawn, alt="A line.", caption="n = 2").html
    assert re.findall('alt="([^"]+)"', html) == ["Panel 1 of 2: A line.", "Panel 2 of 2: A line."]
    assert html.count("data:image/svg+xml;base64,") == 2 and "<figcaption>n = 2</figcaption>" in html
    assert not plt.get_fignums()  # or a notebook would show them again
    content = base64.b64decode(re.search(r"base64,([^\"]+)", html)[1])
    assert b"4.3" not in content[:0] and b'width="309.6pt"' in content  # 4.3 inches


def test_a_figure_of_many_points_is_png_and_any_form_can_be_asked_for(monkeypatch):
    monkeypatch.delenv(style.FORM, raising=False)
    figure, axis = style.panel()
    axis.scatter(np.arange(9000), np.random.default_rng(0).random(9000))
    assert "data:image/png;base64," in page.figure(figure, alt="many").html
    monkeypatch.setenv(style.FORM, "pdf")
    assert "data:application/pdf;base64," in page.figure(style.panel()[0], alt="one").html


def test_the_same_figure_is_drawn_to_the_same_bytes():
    def draw():
        figure, axis = style.panel()
        axis.plot([0, 1])
        return page.figure(figure, alt="a").html

    assert draw() == draw()
