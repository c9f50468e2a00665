"""Every ``shell`` and ``python`` block of the recipes is run as it stands, in one folder for each page.

Only what decides how long it takes is made small: few images, one network, corruption, epoch and worker, and no
figures (a study is measured, its notebook is not drawn). Blocks in ``bash`` install something or need other machines,
and are not run.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "book" / "how_to").glob("*.md"))
RUNNER = r"""
import contextlib, io, json, os, shlex, sys, traceback
from pathlib import Path

from robustshape import cli, evaluation, notebooks, preset_results, studies

SMALL = {
    "models": ["zoo:mlp"], "n_samples": 60, "n_robustness": 40, "corruptions": ["contrast"], "severities": [3],
    "attacks": [], "shift": "", "plots": [], "n_bootstrap": 20, "n_halves": 2, "epochs": 1, "per_class": 5, "n_draws": 1, "n_closer": 0,
    "dask_scheduler": "none",
}
in_full = preset_results.parameters


def small(study, preset):
    full = in_full(study, preset)
    return full | {name: value for name, value in SMALL.items() if name in full}


described = evaluation.described


def few(*given, **parameters):
    full = described(*given, **parameters)
    return full | {"n_samples": 120, "n_robustness": 60, "n_draws": 1, "per_class": 5, "n_classes": 2} | {
        name: SMALL[name] for name in ("corruptions", "severities", "attacks", "epochs")
    }


def measured(notebook, preset=None, parameters=None, output=None, progress=True):
    if notebook == "your_model":  # a report is measured and written, its notebook is not run
        Path(output).write_text(notebooks.notebook_path(notebook).read_text())
        return output
    checked = notebooks.read_parameters(notebook, preset, parameters)
    given = {name: checked[name] for name in parameters or {}}
    studies.load(notebook).measure(**small(notebook, preset) | given)
    return output or "nothing is drawn"


preset_results.parameters = small
notebooks.run_notebook = measured
evaluation.described = few


def run(language, block, names):
    block = block.replace("local:2", "local:1").replace("n_workers=2", "n_workers=1")
    if language == "python" and block.startswith("# my_"):
        Path(block.splitlines()[0].removeprefix("# ")).write_text(block)
    elif language == "python":
        exec(compile(block, "a recipe", "exec"), names)
    else:
        for line in block.replace("\\\n", " ").splitlines():
            command, *arguments = shlex.split(line)
            assert command == ".venv/bin/robustshape", line
            said = io.StringIO()
            with contextlib.redirect_stderr(said):
                assert cli.main(arguments) == 0, f"{line}\n{said.getvalue()}"


found = {}
if __name__ == "__main__":
    for page, blocks in json.loads(sys.stdin.read()).items():
        Path(page).mkdir()
        os.chdir(page)
        names = {}
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                for language, block in blocks:
                    run(language, block, names)
            found[page] = ""
        except BaseException:
            found[page] = traceback.format_exc()
        os.chdir("..")
    print(json.dumps(found))
"""


def blocks(page: Path) -> list[tuple[str, str]]:
    """Return the language and the text of every block of a page that is to be run."""
    return re.findall(r"^```(shell|python)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def ran(tmp_path_factory) -> dict[str, str]:
    """Return what went wrong on each page, an empty text where nothing did."""
    folder = tmp_path_factory.mktemp("recipes")
    (folder / "runner.py").write_text(RUNNER)
    done = subprocess.run(
        [sys.executable, "runner.py"], cwd=folder, input=json.dumps({page.stem: blocks(page) for page in PAGES}),
        capture_output=True, text=True, check=False,
        env={**os.environ, "ROBUSTSHAPE_CACHE": str(folder / "cache")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_recipe_works(page, ran):
    assert blocks(page), f"{page.name} has no block that is run"
    assert ran[page.stem] == ""


def test_the_readme_begins_with_lines_that_print_what_it_says(cache, capsys):
    found = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len(found) == 2
    for block in found:
        exec(compile(block, "README", "exec"), {})
        printed = capsys.readouterr().out.splitlines()[-1]
        said = block.splitlines()[-1].removeprefix("# ")
        numbers = [[float(number) for number in re.findall(r"\d+\.\d+", line)] for line in (printed, said)]
        assert re.sub(r"[\d.]+", "", printed) == re.sub(r"[\d.]+", "", said)
        assert numbers[0] == pytest.approx(numbers[1], abs=0.03)  # a training differs between processors
