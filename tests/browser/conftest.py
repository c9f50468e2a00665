"""A real browser for `make test-browser`: Debian's Chromium with a fresh profile, on the pages of a built book.

axe.min.js is axe-core 4.14.1 (MPL 2.0, see axe.LICENSE), which finds faults of accessibility; only tests load it.
"""

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BOOK = Path(os.environ.get("BOOK") or ROOT / "_build" / "html").resolve()
CHROMIUM = os.environ.get("CHROMIUM") or "/usr/bin/chromium"
SLOWEST = 120_000  # ms to wait for anything: a busy machine takes its time
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
]


@pytest.fixture(scope="session")
def browser():
    if not shutil.which(CHROMIUM):
        pytest.exit(
            f"no Chromium at {CHROMIUM}; install it (Debian: apt-get install chromium), "
            "or name another one in CHROMIUM",
            returncode=2,
        )
    if not (BOOK / "index.html").is_file():
        pytest.exit(
            f"no built book in {BOOK}; build one with make smoke, or name its folder in BOOK", returncode=2
        )
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


class Visit:
    """A page of the book in a window of its own, and what it did: errors, and the addresses that it asked for."""

    def __init__(self, page):
        self.page, self.errors, self.addresses = page, [], []
        page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.addresses.append(request.url))

    def open(self, name: str) -> "Visit":
        self.page.goto((BOOK / f"{name}.html").as_uri(), wait_until="load")
        self.page.wait_for_timeout(300)  # for what scripts do after loading
        return self

    @property
    def outside(self) -> list[str]:
        """The addresses that lie neither in a file nor in the page itself."""
        return [a for a in self.addresses if not a.startswith(("file://", "data:", "blob:", "about:"))]


@pytest.fixture
def visit(browser):
    """Return a function that opens a page: its name without ``.html``, the width of the window, light or dark."""
    contexts = []

    def opened(name: str, *, width: int = 1280, scheme: str = "light", prepare=lambda page: None) -> Visit:
        size = {"width": width, "height": 900}
        contexts.append(browser.new_context(viewport=size, color_scheme=scheme, accept_downloads=True))
        contexts[-1].set_default_timeout(SLOWEST)
        page = contexts[-1].new_page()
        prepare(page)
        return Visit(page).open(name)

    yield opened
    for context in contexts:
        context.close()
