"""What the project's files promise each other: pins, notebooks, pages, and the names used in the documents."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml

from robustshape.book import pages
from robustshape.notebooks import names, notebook_path

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.lock").read_text().splitlines()
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "book").rglob("*.md"))]
MOST_LINES = 15  # of a cell
MEBIBYTE = 2**20


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", name).group()).lower()


def files() -> list[Path]:
    """Return the files that are, or would be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_the_lock_pins_every_dependency_and_holds_no_address():
    pinned = {normal(line) for line in LOCK if re.match(r"[\w.-]+==[\w.!+]+( ;.*)?$", line)}
    assert len(pinned) == len({normal(line) for line in LOCK}), "a line of the lock is no pin"
    asked = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]
    assert {normal(name) for name in asked} <= pinned
    assert not [line for line in LOCK if "://" in line or "@" in line or line.startswith("-")]


def test_conda_users_get_the_same_pins():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, pip, pins = environment["dependencies"]
    assert python == f"python {PROJECT['requires-python']}" and pip == "pip"
    assert pins == {"pip": ["-r requirements.lock", "-e ."]}


def test_git_does_not_ignore_the_library(tmp_path):
    shutil.copy(ROOT / ".gitignore", tmp_path)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    asked = [
        "lib/robustshape/cli/app.py",
        "data/results/x/y.zarr.zip",
        "book/index.md",
        ".venv/x",
        "book/figures/x.png",
    ]
    ignored = subprocess.run(
        ["git", "-C", tmp_path, "check-ignore", *asked], capture_output=True, text=True, check=False
    )
    assert ignored.stdout.split() == [".venv/x", "book/figures/x.png"]


@pytest.mark.parametrize("name", names())
def test_notebooks_are_committed_clean(name):
    notebook = nbformat.read(notebook_path(name), as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3" and "papermill" not in notebook.metadata
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert code[0].metadata.tags == ["parameters"]
    for cell in code[1:]:
        assert len(cell.source.splitlines()) <= MOST_LINES, cell.source
        assert not re.search(r"^\s*(def|class) ", cell.source, re.MULTILINE)
    assert not any("glue" in cell.source for cell in notebook.cells)  # what a page says it computes itself


@pytest.mark.parametrize("name", names())
def test_a_notebook_answers_before_it_shows_and_ends_with_an_analysis_of_the_readers_own(name):
    cells = nbformat.read(notebook_path(name), as_version=4).cells
    assert cells[0].source.startswith("# ") and cells[0].source.split("\n")[0].endswith("?")
    sources = [cell.source for cell in cells]
    answer = next(i for i, source in enumerate(sources) if source.startswith("page.answer("))
    first = next(
        i for i, cell in enumerate(cells) if any("figure:" in t for t in cell.metadata.get("tags", []))
    )
    assert answer < first
    assert sources[-2].startswith("## Your own analysis") and cells[-1].cell_type == "code"


def test_only_the_package_of_models_takes_their_names_apart():
    within, found = ROOT / "lib/robustshape/models", []
    for path in (ROOT / "lib").rglob("*.py"):
        if within not in path.parents and re.search(
            r"""startswith\(f?["']zoo|== ["']zoo:?["']""", path.read_text()
        ):
            found.append(path.name)
    assert found == []


def test_no_file_is_large():
    assert [path for path in files() if path.stat().st_size > 4 * MEBIBYTE] == []


def test_every_page_of_the_book_is_written_and_has_a_title():
    book, listed = ROOT / "book", pages.titles(ROOT)
    for page in listed:
        if page.startswith("executed/"):
            study, preset = page.removeprefix("executed/").split(".")
            assert study in names() and listed[page], page
            assert preset == "laptop" or (ROOT / "data" / "results" / preset / f"{study}.zarr.zip").is_file()
        else:
            text = (book / f"{page}.md").read_text()
            assert re.search(r"^# \S", text, re.MULTILINE), page
    written = {str(path.relative_to(book).with_suffix("")) for path in book.rglob("*.md")}
    made = ("_snippets", "_vendor", "generated", "executed")
    assert {page for page in written if not page.startswith(made)} <= set(listed)


def test_no_fence_ends_on_its_first_line():
    for page in (ROOT / "book").glob("*.md"):  # a backtick after the name of a directive makes it plain text
        for line in page.read_text(encoding="utf-8").splitlines():
            assert not re.match(r"`{3,}\{[^`]*`", line), f"{page.name}: {line}"


def test_every_study_is_a_page_of_the_book():
    assert {page.removeprefix("executed/").split(".")[0] for page in pages.first_pages(ROOT)} == set(names())


def test_the_documents_name_only_what_exists():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = subprocess.run(
        [sys.executable, "-m", "robustshape", "--help"], capture_output=True, text=True, check=True
    )
    for document in DOCUMENTS:
        text = document.read_text().replace("NOTEBOOK", "cluster_purity")
        assert set(re.findall(r"`make (\w+)`|^make (\w+)", text, re.MULTILINE)) <= {
            pair for target in targets for pair in ((target, ""), ("", target))
        }, document
        for command in re.findall(r"(?:^|`)robustshape (\w+)", text, re.MULTILINE):
            assert re.search(rf"\b{command}\b", shown.stdout), f"{document}: robustshape {command}"
        for path in re.findall(r"`((?:lib|notebooks|book|data|tests)/[\w/.]+)`", text):
            made = (
                "book/executed",
                "book/figures",
                "book/generated",
                "data/cache",
            )  # by a run; not in a clone
            assert path.startswith(made) or (ROOT / path).exists(), f"{document}: {path}"


def test_importing_what_lists_names_imports_nothing_heavy():
    heavy = {"torch", "xarray", "sklearn", "scipy", "pandas", "matplotlib", "zarr", "dask"}
    code = (
        "import sys, robustshape.cli, robustshape.models, robustshape.datasets, robustshape.studies;"
        f"print(*sorted({heavy!r} & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []


def test_tests_cannot_reach_another_machine():
    import socket

    for reach in (
        lambda: socket.create_connection(("192.0.2.1", 80), timeout=5),
        lambda: socket.getaddrinfo("example.org", 80),
        lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53)),
    ):
        with pytest.raises(OSError, match="tests open no connection"):
            reach()
    code = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=5)"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "tests open no connection" in child.stderr
