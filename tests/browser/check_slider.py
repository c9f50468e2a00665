"""The slider of the page on discovered failures, in a browser: a key moves the digit and its answers."""

from pathlib import Path

from robustshape.book.pages import titles

ROOT = Path(__file__).parents[2]


def test_the_slider_moves(visit):
    opened = (visit(name).page for name in titles(ROOT) if "failure_discovery" in name)
    page = next(page for page in opened if page.locator(".failure-slider").count())
    pixels = "document.querySelector('.failure-slider canvas').toDataURL()"
    digit, place = page.evaluate(pixels), page.inner_text(".failure-slider .fs-out")
    page.focus(".failure-slider .fs-shift")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert page.inner_text(".failure-slider .fs-out") != place and page.evaluate(pixels) != digit
    digit = page.evaluate(pixels)
    page.select_option(".failure-slider .fs-class", index=4)
    assert page.evaluate(pixels) != digit
