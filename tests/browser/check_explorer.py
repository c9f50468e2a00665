"""The explorer in a browser: its numbers are the library's, and filters, pointer, keys, table and download work."""

import csv
import io
import json
import re
from pathlib import Path
from urllib.parse import unquote, urlparse

import numpy as np
import pytest

from robustshape.statistics.centring import correlate_over_families


@pytest.fixture
def explorer(visit):
    return visit("explorer")


def data_of(page) -> dict:
    return json.loads(page.evaluate("document.getElementById('explorer-data').textContent"))


def result(page) -> list[float]:
    text = page.inner_text("#explorer-result").replace("−", "-")
    return [float(number) for number in re.findall(r"-?\d+\.\d\d", text)]


def network_at(page, place: int) -> str:
    """Point at the point that is drawn at this place, and return what the card says."""
    page.locator("#explorer-plot .scatterlayer path.point").nth(place).hover(
        force=True
    )  # under Plotly's own layer
    page.wait_for_function("document.querySelector('#explorer-card strong')")
    return page.inner_text("#explorer-card strong")


@pytest.mark.parametrize("within", [False, True])
@pytest.mark.parametrize("given", [False, True])
def test_r_and_interval_of_every_pair_are_those_of_the_library(explorer, within, given):
    found = data_of(explorer.page)
    for population in found["populations"]:
        networks = population["networks"]
        families, recipes = ([one[key] for one in networks] for key in ("family", "recipe"))
        clean = np.array([one["clean"] for one in networks], float)
        columns = [
            np.array([one["values"] for one in population[axis]], float) for axis in ("indicators", "targets")
        ]
        told = correlate_over_families(
            columns[0].T, columns[1].T, families, given=clean if given else None, recipes=recipes if within else None
        )  # fmt: skip
        shown = explorer.page.evaluate(
            """([xs, ys, clean, families, levels, given, studentsT]) => xs.map((x) => ys.map((y) => {
                const there = x.map((_, i) => i).filter((i) => x[i] !== null && y[i] !== null);
                const kept = (values) => there.map((i) => values[i]);
                const found = explorerStatistics.overFamilies({
                    x: kept(x), y: kept(y), families: kept(families), levels: kept(levels),
                    given: given && kept(clean), studentsT});
                return [found.r, found.low, found.high].map((value) => Number.isNaN(value) ? null : value);
            }))""",
            [
                *[[one["values"] for one in population[axis]] for axis in ("indicators", "targets")],
                clean.tolist(), families, recipes if within else [""] * len(families), given, found["students_t"],
            ],
        )  # fmt: skip
        expected = np.stack([told.estimate, told.low, told.high], axis=-1)
        np.testing.assert_allclose(np.array(shown, float), expected, atol=1e-6, equal_nan=True)


def test_r_and_partial_r_by_hand(explorer):
    # deviations of x from its mean: -18, -28, 2, 12, 32; of y: -2, 0, -1, 2, 1
    r, partial, few = explorer.page.evaluate(
        """() => {
            const [x, y, given, levels] = [[2, 1, 4, 5, 7], [1, 3, 2, 5, 4], [1, 2, 3, 4, 5], [0, 0, 0, 0, 0]];
            const families = ["a", "b", "c", "c", "c"];
            return [explorerStatistics.correlate(x, y, levels), explorerStatistics.correlate(x, y, levels, given),
                    String(explorerStatistics.overFamilies({x, y, levels, families, studentsT: []}).low)];
        }"""
    )
    assert (r, partial, few) == (
        pytest.approx(90 / np.sqrt(2280 * 10)),
        pytest.approx(-0.648, abs=1e-3),
        "NaN",
    )


def test_what_is_shown_is_correlated_and_a_filter_changes_both(explorer):
    page, found = explorer.page, data_of(explorer.page)
    population = found["populations"][found["first"]]

    def told(names):
        kept = [i for i, one in enumerate(population["networks"]) if one["name"] in names]
        x, y = (np.array(population[axis][0]["values"], float)[kept] for axis in ("indicators", "targets"))
        networks = [population["networks"][i] for i in kept]
        families, clean = [one["family"] for one in networks], [one["clean"] for one in networks]
        both = [correlate_over_families(x, y, families, given=given) for given in (None, clean)]
        return [v for one in both for v in (one.estimate, one.low, one.high) if np.isfinite(v)]

    def listed():
        return set(page.locator("#explorer-rows td:first-child").all_inner_texts())

    shown = zip(
        population["networks"], population["indicators"][0]["values"], population["targets"][0]["values"]
    )
    everyone = {one["name"] for one, x, y in shown if x is not None and y is not None}
    assert listed() == everyone
    numbers = [n for n in result(page) if n != 95]
    assert numbers == pytest.approx(told(everyone), abs=0.006)
    middle = float(np.median([one["clean"] for one in population["networks"]]))
    page.locator("#explorer-low").fill(f"{np.floor(middle * 200) / 200:.3f}")
    lowest = float(page.input_value("#explorer-low"))
    above = {one["name"] for one in population["networks"] if one["clean"] >= lowest}
    assert listed() == above < everyone
    assert result(page) == pytest.approx(told(above), abs=0.006)
    page.locator("#explorer-groups input").first.uncheck()
    recipe = page.locator("#explorer-groups label").first.inner_text().strip()
    assert listed() == {
        one["name"] for one in population["networks"] if one["name"] in above and one["recipe"] != recipe
    }
    for box in page.locator("#explorer-groups input").all():
        box.uncheck()
    assert "0 networks" in page.inner_text("#explorer-result") and result(page) == []


def test_another_population_indicator_and_robustness_are_drawn(explorer):
    page, found = explorer.page, data_of(explorer.page)
    for i, population in enumerate(found["populations"]):
        page.select_option("#explorer-population", str(i))
        chosen = []
        for axis, columns in (("x", population["indicators"]), ("y", population["targets"])):
            page.select_option(f"#explorer-{axis}", str(len(columns) // 2))
            chosen.append(columns[len(columns) // 2])
        titles = re.sub(r"\s", "", page.inner_text("#explorer-plot"))  # without the breaks of lines
        assert all(column["label"].replace(" ", "") in titles for column in chosen)
        n = sum(None not in pair for pair in zip(*[column["values"] for column in chosen]))
        assert page.locator("#explorer-plot .scatterlayer path.point").count() == n > 0
    assert explorer.errors == []


def test_a_point_tells_its_network_and_leads_to_its_row(explorer):
    page = explorer.page
    name = network_at(page, 3)
    assert (
        "n = " in page.inner_text("#explorer-card")
        and page.locator("#explorer-plot .hoverlayer text").count()
    )
    page.mouse.down()
    page.mouse.up()
    other = network_at(page, 9)
    assert other == name  # a click keeps it
    page.click("#explorer-card a")
    assert page.evaluate("document.activeElement.firstChild.textContent") == name


def test_everything_is_reached_by_keys(explorer):
    page = explorer.page
    page.focus("#explorer-plot")
    page.keyboard.press("ArrowRight")
    first = page.inner_text("#explorer-card strong")
    page.keyboard.press("ArrowRight")
    name = page.inner_text("#explorer-card strong")
    assert name != first
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.firstChild.textContent") == name
    page.focus("#explorer-head th:nth-child(5) button")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    shown = [float(text) for text in page.locator("#explorer-rows td:nth-child(5)").all_inner_texts()]
    assert shown == sorted(shown, reverse=True)
    assert page.get_attribute("#explorer-head th:nth-child(5)", "aria-sort") == "descending"
    page.fill("#explorer-search", name)
    assert page.locator("#explorer-rows tr").first.locator("td").first.inner_text() == name


def test_the_networks_shown_are_downloaded(explorer):
    page = explorer.page
    page.locator("#explorer-groups input").first.uncheck()
    with page.expect_download() as downloading:
        page.click("#explorer-download")
    text = Path(downloading.value.path()).read_text(encoding="utf-8")
    lines = list(csv.DictReader(io.StringIO(text)))
    names = page.locator("#explorer-rows td:first-child").all_inner_texts()
    assert downloading.value.suggested_filename.endswith(".csv")
    assert [line["network"] for line in lines] == names and all(0 < float(line["R"]) < 2 for line in lines)


def test_the_plot_follows_the_theme(explorer):
    ground = "document.getElementById('explorer-plot').layout.paper_bgcolor"
    light = explorer.page.evaluate(ground)
    explorer.page.emulate_media(color_scheme="dark")
    explorer.page.wait_for_function(
        f"document.documentElement.dataset.theme === 'dark' && {ground} !== '{light}'"
    )


def test_a_name_with_markup_stays_text(visit):
    name = "<img src=x onerror=window.hit=1>"

    def renamed(route):
        page = Path(unquote(urlparse(route.request.url).path)).read_text(encoding="utf-8")
        old = re.search(r'id="explorer-data">.*?"name":"([^"]+)"', page, re.DOTALL).group(1)
        new = name.replace("<", "\\u003c")
        route.fulfill(body=page.replace(f'"name":"{old}"', f'"name":"{new}"'), content_type="text/html")

    page = visit("explorer", prepare=lambda page: page.route("**/explorer.html", renamed)).page
    page.select_option("#explorer-population", "0")
    page.fill("#explorer-search", name)
    assert page.locator("#explorer-rows td").first.inner_text() == name
    page.focus("#explorer-plot")
    seen = set()
    for _ in range(page.locator("#explorer-plot path.point").count()):
        page.keyboard.press("ArrowRight")
        seen.add(page.inner_text("#explorer-card strong"))
    assert name in seen
    assert page.evaluate("window.hit") is None
