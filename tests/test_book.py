"""The book: what is run and what is kept, what the pages get, and a whole small book built twice."""

import json
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import pytest

from robustshape.book import build, outputs, pages, runs, tables
from robustshape.book.runs import Run
from robustshape.errors import InputError
from robustshape.notebooks import list_presets, parameters, parameters_of
from robustshape.store import sealed

ROOT = Path(__file__).parents[1]
RED_DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg=="
HEADING = "# A third\n\nOf *Purity*, twice *purity*, in $x^2$."
CELLS = {
    "parameters": 'n: int = 3  # a_number\npreset: str = "custom"\nsource: str = "measure"  # where from',
    "hide-input": "from robustshape.analysis import page\npage.answer(f'A third is {n / 3:.2f} <b>.')",
    "figure:dot": "figure, axis = __import__('matplotlib.pyplot').pyplot.subplots()\naxis.plot([0, n])\n"
    'page.figure([figure], alt="A line that rises from zero to n.", caption=f"{n} {source}")',
}
INDEX = """\
# A small book

{cite}`kotyan2024`

![A line](figures/tiny.mnist.dot.svg)
"""
TOC = """\
format: jb-book
root: index
parts:
  - chapters:
      - file: executed/tiny.laptop
        title: A third
        sections:
          - file: executed/tiny.mnist
            title: "A third: MNIST"
      - file: glossary
      - file: status
      - file: references
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """Return a project with this library, one tiny notebook, and three pages."""
    root = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "lib", root / "lib", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("_vendor", "_look", "_snippets"):
        shutil.copytree(ROOT / "book" / name, root / "book" / name)
    for name in (
        "_config.yml",
        "requirements.lock",
        "book/status.md",
        "book/references.md",
        "book/references.bib",
    ):
        shutil.copy(ROOT / name, root / name)
    (root / "book" / "index.md").write_text(INDEX)
    (root / "book" / "glossary.md").write_text("# Glossary\n\n:::{glossary}\npurity\n  A share.\n:::\n")
    (root / "book" / "_toc.yml").write_text(TOC)
    cells = [nbformat.v4.new_markdown_cell(HEADING)]
    for tag, source in CELLS.items():
        cells.append(nbformat.v4.new_code_cell(source))
        cells[-1].metadata.tags = [tag]
    (root / "notebooks" / "presets").mkdir(parents=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), root / "notebooks" / "tiny.ipynb")
    for preset, n in {"laptop": 3, "smoke": 2, "mnist": 4, "paper": 5}.items():
        (root / "notebooks" / "presets" / f"tiny.{preset}.yaml").write_text(f"n: {n}\n")
    (root / "data" / "results" / "mnist").mkdir(parents=True)
    (root / "data" / "results" / "mnist" / "tiny.zarr.zip").write_bytes(b"rows")
    return root


@pytest.fixture
def here(project, monkeypatch) -> Path:
    for module in (build, runs, tables):
        monkeypatch.setattr(module, "require_checkout", lambda what: project)
    monkeypatch.setattr(parameters, "require_project", lambda: project)
    return project


def book_of(project: Path, preset: str, cache: Path) -> subprocess.CompletedProcess:
    """Build the book as the command line does, with the library of `project`."""
    import os

    path = os.pathsep.join([str(project / "lib"), os.environ["PYTHONPATH"]])
    code = f"from robustshape.book import build_book; build_book({preset!r})"
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=cache,
        env={**os.environ, "PYTHONPATH": path, "ROBUSTSHAPE_CACHE": str(cache)},
    )


def text_of(page: Path) -> str:
    article = re.search(r"<article.*?</article>", page.read_text(), re.DOTALL).group()
    return " ".join(re.sub(r"<[^>]+>", " ", article).split())


def test_a_preset_is_run_in_laptops_place_and_published_ones_are_drawn(here):
    shown = [(run.preset, run.source, run.name) for run in runs.runs_of("smoke")]
    assert shown == [("smoke", "measure", "tiny.laptop"), ("mnist", "published", "tiny.mnist")]
    assert [run.preset for run in runs.runs_of("laptop")] == ["laptop", "mnist"]
    with pytest.raises(
        InputError, match=r"unknown preset 'smokey'; closest: smoke.*robustshape list presets"
    ):
        runs.runs_of("smokey")


@pytest.mark.parametrize(
    "name",
    ["notebooks/tiny.ipynb", "notebooks/presets/tiny.smoke.yaml", "lib/robustshape/measurements/features.py",
     "data/claims.toml", "data/results/smoke/tiny.zarr.zip", "requirements.lock", "data/models/tiny.safetensors", "data/models/tiny.json",
     "notebooks/pretrained/tiny.json", "notebooks/pretrained/tiny.py", "lib/robustshape/models/robustbench.csv"],
)  # fmt: skip
def test_whatever_an_executed_notebook_follows_from_is_in_its_key(here, name):
    run = runs.runs_of("smoke")[0]
    key, path = runs.key_of_run(run), here / name
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_bytes() if path.is_file() else None
    path.write_bytes((before or b"") + b" ")
    assert runs.key_of_run(run) != key
    path.unlink() if before is None else path.write_bytes(before)
    assert runs.key_of_run(run) == key


def test_only_a_notebook_whose_inputs_changed_is_executed_again(here, cache, monkeypatch):
    ran, function = [], here / "lib" / "robustshape" / "registry.py"

    def run_notebook(name, *, preset, parameters, output, progress):
        ran.append(preset)
        output.write_text("{}")

    monkeypatch.setattr(runs, "run_notebook", run_notebook)
    own, published = runs.runs_of("smoke")
    (path, first), (again, second) = runs.execute(own), runs.execute(own)
    assert (first, second) == (True, False) and path == again and ran == ["smoke"]
    before = function.read_text()
    function.write_text(before.replace("cutoff=0.0", "cutoff=0.1"))
    changed, now = runs.execute(own)
    assert now and changed != path and not path.exists()  # what it replaces is gone
    function.write_text(before)
    assert runs.execute(published)[1] and not runs.execute(published)[1]
    (here / "data" / "results" / "mnist" / "tiny.zarr.zip").write_bytes(b"other rows")
    assert runs.execute(published)[1]
    (here / "data" / "results" / "mnist" / "tiny.zarr.zip").write_bytes(b"rows")


def test_an_executed_notebook_that_is_damaged_is_named_and_executed_again(here, cache, monkeypatch, capsys):
    def run_notebook(name, *, preset, parameters, output, progress):
        output.write_text('{"right": 1}')

    monkeypatch.setattr(runs, "run_notebook", run_notebook)
    own, _ = runs.runs_of("smoke")
    path, _ = runs.execute(own)
    path.write_text('{"wrong": 1}')
    assert runs.execute(own) == (path, True) and path.read_text() == '{"right": 1}'
    said = capsys.readouterr().out
    assert (
        f"{path.parent} is damaged: {path.name} is not as it was written" in said
        and "nothing has" not in said
    )
    assert [one.name for one in path.parent.parent.iterdir()] == [path.parent.name]


def test_tagged_cells_without_an_output_are_named():
    cell = {"metadata": {"tags": ["figure:lost"]}, "outputs": [{"data": {"text/plain": "1"}}]}
    with pytest.raises(InputError, match="'figure:lost' shows nothing"):
        outputs.figures_of({"cells": [cell]})
    cell["outputs"] += [{"data": {"text/html": f'<img src="data:image/png;base64,{RED_DOT}">'}}]
    assert outputs.figures_of({"cells": [cell]})["lost.png"].startswith(b"\x89PNG")


def test_terms_in_italics_become_links_once_a_page():
    left = {"purity": "purity", "r": "R"}
    assert outputs._linked("*Purity*, **purity**, *R* and *purity* * 2 * 3", left) == (
        "{term}`Purity <purity>`, **purity**, {term}`R <R>` and *purity* * 2 * 3"
    )
    assert left == {}


def test_table_cells_show_as_they_are_written():
    made = tables.table(["a", "b"], [["k*_x", "1, <2>"], ["`a_b`", "see https://example.org/a_b."]]).decode()
    assert made == 'a,b\nk\\*\\_x,"1, \\<2\\>"\n`a_b`,see <https://example.org/a_b>.\n'


def test_sees_what_a_page_would_load_from_elsewhere(tmp_path):
    (tmp_path / "a.html").write_text(
        '<a href="https://x.org">read</a><link rel="canonical" href="https://x.org/a.html">'
        '<script src="_static/y.js"></script><img src="data:image/png;base64,x">'
    )
    (tmp_path / "a.css").write_text("b { background: url(data:x) } c { src: url('../f.woff2') }")
    assert pages.loaded_from_outside(tmp_path) == []
    (tmp_path / "b.html").write_text(
        '<script defer src="https://x.org/y.js"></script><link href=//x.org/z.css>'
    )
    (tmp_path / "b.css").write_text("@import 'https://x.org/i.css'; d { src: url(https://x.org/f.woff2) }")
    assert pages.loaded_from_outside(tmp_path) == [
        "b.css: https://x.org/i.css", "b.css: https://x.org/f.woff2", "b.html: https://x.org/y.js",
        "b.html: //x.org/z.css",
    ]  # fmt: skip


def test_a_build_runs_what_changed_and_tells_its_times(here, cache, monkeypatch, capsys):
    ran, html = [], here / "_build" / "html" / "index.html"

    def run_notebook(name, *, preset, parameters, output, progress):
        ran.append((preset, parameters))
        metadata = {"papermill": {"duration": 1.0, "start_time": "2026-01-01T00:00:00"}}
        cell = {"cell_type": "markdown", "metadata": {}, "source": "# A third"}
        output.write_text(json.dumps({"cells": [cell], "metadata": metadata, "preset": preset}))

    def make_html(root):
        html.parent.mkdir(parents=True, exist_ok=True)
        html.with_name("status.html").write_text((root / "book" / "generated" / "times.csv").read_text())
        return html

    monkeypatch.setattr(runs, "run_notebook", run_notebook)
    monkeypatch.setattr(build, "make_html", make_html)
    for preset in ("smoke", "smoke", "laptop"):
        assert build.build_book(preset) == html
    smoke, published, laptop = (
        (p, {"source": s}) for p, s in (("smoke", "measure"), ("mnist", "published"), ("laptop", "measure"))
    )
    assert ran in ([smoke, published, laptop], [published, smoke, laptop])  # the first two side by side
    assert json.loads((here / "book" / "executed" / "tiny.laptop.ipynb").read_text())["preset"] == "laptop"
    times = sealed.read(cache / "book" / "times.json")
    assert list(times["smoke"]) == ["first", "last, with nothing to run"]
    assert list(times["laptop"]) == ["first"] and times["laptop"]["first"]["notebooks"] == 1
    assert build.STILL_BUILDING not in html.with_name("status.html").read_text()
    assert capsys.readouterr().out.splitlines()[-1] == f"read it: {html}"
    shutil.rmtree(here / "_build")


def test_the_whole_book_is_built_and_a_warning_stops_it(project, tmp_path):
    html, cache = project / "_build" / "html", tmp_path
    # A mistake of the page: the warning is shown, and is not forgotten by the next build.
    index = project / "book" / "index.md"
    index.write_text(INDEX.replace("kotyan2024", "kotyan2042"))
    failed = book_of(project, "smoke", cache)
    assert failed.returncode and "kotyan2042" in failed.stderr and "StoreError" in failed.stderr
    assert not (project / "_build" / ".doctrees").exists()

    index.write_text(INDEX)
    old = html / "executed" / "tiny.gone.html"  # of a page that the book had once
    old.parent.mkdir(parents=True, exist_ok=True)
    old.write_text("its numbers are no more")
    built = book_of(project, "smoke", cache)
    assert built.returncode == 0, built.stdout + built.stderr
    assert built.stdout.splitlines()[-1] == f"read it: {html / 'index.html'}"
    assert "(0 of 2 notebooks run now)" in built.stdout
    assert not old.exists() and (html / "search.html").is_file() and (html / "genindex.html").is_file()
    own, published = html / "executed" / "tiny.laptop.html", html / "executed" / "tiny.mnist.html"
    words = text_of(own)
    assert "A third is 0.67 &lt;b&gt;." in words and "2 measure" in words and "a_number" in words
    assert "Preset smoke , measured on this machine." in words
    assert "drawn from published rows" in text_of(published) and "4 published" in text_of(published)
    page = own.read_text()
    assert 'alt="A line that rises from zero to n."' in page and "tiny.laptop.ipynb" in page
    assert page.count("glossary.html#term-purity") == 1
    assert "injected" not in words.lower()
    assert (html / "_static" / "mathjax" / "tex-chtml.js").is_file()
    assert "tiny smoke measure" in text_of(html / "status.html")
    assert "tiny mnist published" in text_of(html / "status.html")
    assert build.STILL_BUILDING not in (html / "status.html").read_text()


def test_published_notebooks_run_beside_the_measured_ones_and_then_two_at_a_time(monkeypatch):
    running, seen, lock = [], [], threading.Lock()

    def execute(run):
        with lock:
            running.append(run.source)
            seen.append(sorted(running))
        time.sleep(0.05 if run.source == "published" else 0.12)
        with lock:
            running.remove(run.source)
        return Path(run.name), True

    monkeypatch.setattr(runs, "execute", execute)
    sources = ["measure", "published", "measure", *["published"] * 7]
    asked = [Run(f"n{i}", "p", source, "p") for i, source in enumerate(sources)]
    done = runs.execute_all(asked)
    assert list(done) == asked and all(done[run] == (Path(run.name), True) for run in asked)
    assert max(map(len, seen)) == 2 and ["measure", "measure"] not in seen
    assert ["measure", "published"] in seen and ["published", "published"] in seen


def test_after_a_failed_measurement_no_other_notebook_is_begun(monkeypatch):
    begun = []

    def execute(run):
        begun.append(run.source)
        time.sleep(0.05)
        if run.source == "measure":
            raise InputError("it cannot be measured")
        return Path(run.name), True

    monkeypatch.setattr(runs, "execute", execute)
    with pytest.raises(InputError, match="cannot be measured"):
        runs.execute_all([Run(f"n{i}", "p", "published" if i else "measure", "p") for i in range(9)])
    assert begun.count("measure") == 1 and begun.count("published") <= 3


def test_every_page_says_how_it_is_made_with_its_own_preset_and_parameters():
    snippet = (ROOT / "book" / "_snippets" / "run_this_page.md").read_text()
    for preset, having in list_presets().items():
        for run in (
            Run(name, preset, source, preset) for name in having for source in ("measure", "published")
        ):
            told = tables.run_this_page(snippet, run)
            assert told.count(f"robustshape run {run.notebook} --preset {preset} -p source") >= 1
            assert f"-p source {run.source}\n" in told and not re.search("[A-Z]{4}", told.replace("JSON", ""))
            assert set(re.findall(r"-p (\w+) ", told)) <= set(parameters_of(run.notebook))
