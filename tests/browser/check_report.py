"""The report of a network in a browser: nothing in a name becomes part of the page, nothing is loaded, all is accessible."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

HOSTILE = [
    "<svg onload=alert(1)>", "<img src=x onerror=alert(2)>", "`a` **b** $c$ |d|", "</script><script>alert(3)</script>",
    "new\nline", "&lt;b&gt;", "'\"><b>x</b>", "plain", "{{7*7}}", "javascript:alert(4)",
]  # fmt: skip


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Return the page of a report on digits whose classes have such names."""
    import torch

    import robustshape
    from robustshape import datasets

    folder = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROBUSTSHAPE_CACHE", str(folder / "cache"))
        digits = datasets.load("digits").isel(sample=slice(0, 200))
        torch.manual_seed(0)
        network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(1024, 10))
        data = datasets.pixels(digits), digits["label"].values, np.array(HOSTILE)
        few = {"corruptions": ["contrast"], "severities": [1, 5], "attacks": [], "n_draws": 1, "per_class": 5}
        return robustshape.report(network, data, folder / "report.html", progress=False, **few)


@pytest.mark.parametrize("width, scheme", [(1280, "light"), (390, "dark")])
def test_names_stay_text_and_nothing_is_loaded(report, browser, width, scheme):
    from conftest import Visit

    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    said = []
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    visit = Visit(page)
    page.goto(report.as_uri(), wait_until="load")
    page.wait_for_timeout(500)
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    assert said == [] and visit.errors == [] and visit.outside == []
    assert page.locator("main svg, main script, main img[src='x'], main td b").count() == 0
    text = page.inner_text("main")
    shown = [name for name in HOSTILE if re.sub(r"\s+", " ", name) in re.sub(r"\s+", " ", text)]
    assert shown == HOSTILE
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.add_script_tag(path=str(Path(__file__).with_name("axe.min.js")))
    found = page.evaluate(
        "axe.run().then(found => found.violations.map(one => one.id + ': ' + one.nodes[0].html))"
    )
    assert found == []
    context.close()
