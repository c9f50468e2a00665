"""Every page of the book in a browser: no error, nothing from outside, no overflow, and readable to everyone."""

from pathlib import Path

import pytest

from robustshape.book.pages import titles

ROOT = Path(__file__).parents[2]
AXE = (Path(__file__).parent / "axe.min.js").read_text(encoding="utf-8")
SERIOUS = """async () => (await axe.run(document, {resultTypes: ["violations"], preload: false})).violations
    .filter((fault) => ["serious", "critical"].includes(fault.impact))
    .map((fault) => `${fault.id}: ${fault.help}: ${fault.nodes.slice(0, 5).map((node) => node.target.join(" ")).join("; ")}`)"""

UNTOLD = "[...document.images].filter((image) => !image.alt).map((image) => image.src)"


@pytest.mark.parametrize("widths, scheme", [((1280, 390), "light"), ((390, 1280), "dark")])
@pytest.mark.parametrize("name", titles(ROOT))
def test_a_page(visit, name, widths, scheme):
    opened = visit(name, width=widths[0], scheme=scheme)
    page = opened.page
    page.evaluate(AXE)
    assert page.evaluate(SERIOUS) == []  # both widths, both schemes, at half the time
    for width in widths:  # opened at the first, resized to the other
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(200)
        assert page.evaluate("document.documentElement.dataset.theme") == scheme
        assert opened.errors == []
        assert opened.outside == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(UNTOLD) == []
