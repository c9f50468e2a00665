"""Every page of the book in a browser: no error, nothing from outside, no overflow, and readable to everyone."""

from pathlib import Path

import pytest

from robustshape.book.pages import titles

ROOT = Path(__file__).parents[2]
AXE = (Path(__file__).parent / "axe.min.js").read_text(encoding="utf-8")
SERIOUS = """async () => (await axe.run(document, {resultTypes: ["violations"], preload: false})).violations
    .filter((fault) => ["serious", "critical"].includes(fault.impact))
    .map((fault) => `${fault.id}: ${fault.help}: ${fault.nodes.slice(0, 5).map((node) => node.target.join(" ")).join("; ")}`)"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", titles(ROOT))
def test_a_page(visit, name, width, scheme):
    opened = visit(name, width=width, scheme=scheme)
    page = opened.page
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    assert opened.errors == []
    assert opened.outside == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("[...document.images].filter((image) => !image.alt).map((image) => image.src)") == []
    if (width, scheme) in ((1280, "light"), (390, "dark")):  # both widths, both schemes, at half the time
        page.evaluate(AXE)
        assert page.evaluate(SERIOUS) == []
