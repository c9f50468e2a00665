"""Notebooks run with checked parameters: reading them, refusing what does not fit, executing, failing."""

import sys
from pathlib import Path

import nbformat
import pytest

from robustshape import studies
from robustshape.errors import InputError, StoreError
from robustshape.notebook import run_notebook
from robustshape.parameters import (
    check_parameters,
    list_presets,
    notebook_path,
    notebooks,
    parameters_of,
    read_parameters,
)

PARAMETERS = """\
models: list[str] = [  # names of networks
    "zoo:lenet",
]
n_samples: int = 3  # images
rate: float = 0.1
epochs: int | None = None  # of training
quick: bool = False
preset: str = "custom"
free = 1
"""


@pytest.fixture
def tiny(tmp_path) -> Path:
    """Return a notebook of two cells, with a preset."""
    return write(tmp_path / "tiny.ipynb", "import sys\nprint(models, n_samples, preset, sys.executable)")


def write(path: Path, *cells: str) -> Path:
    first = nbformat.v4.new_code_cell(PARAMETERS)
    first.metadata.tags = ["parameters"]
    notebook = nbformat.v4.new_notebook(cells=[first, *map(nbformat.v4.new_code_cell, cells)])
    nbformat.write(notebook, path)
    (path.parent / "presets").mkdir(exist_ok=True)
    (path.parent / "presets" / f"{path.stem}.small.yaml").write_text("n_samples: 7\n")
    return path


def test_reads_names_types_defaults_and_comments(tiny):
    found = parameters_of(tiny)
    assert list(found) == ["models", "n_samples", "rate", "epochs", "quick", "preset", "free"]
    assert found["models"].type == list[str] and found["models"].default == ["zoo:lenet"]
    assert found["models"].help == "names of networks" and found["rate"].help == ""
    assert found["epochs"].type == int | None and found["epochs"].written_type == "int | None"


def test_text_becomes_what_the_type_asks_for(tiny):
    given = {
        "models": '["a", "b"]', "n_samples": "5", "rate": "1e-3", "epochs": "none", "quick": "true", "free": "[1]",
    }  # fmt: skip
    wanted = {"models": ["a", "b"], "n_samples": 5, "rate": 1e-3, "epochs": None, "quick": True, "free": [1]}
    assert check_parameters(tiny, given) == wanted
    assert check_parameters(tiny, {"epochs": "4", "free": "word"}) == {"epochs": 4, "free": "word"}


@pytest.mark.parametrize(
    "name, value",
    [
        ("models", "zoo:lenet"), ("models", [1]), ("models", '["a",'), ("n_samples", "many"), ("n_samples", 2.5),
        ("rate", "nan"), ("quick", "perhaps"), ("preset", 3), ("epochs", "[1]"),
    ],
)  # fmt: skip
def test_refuses_a_value_of_another_type(tiny, name, value):
    with pytest.raises(
        InputError, match=rf"parameter '{name}' of tiny must be .* but was given .*its default is"
    ):
        check_parameters(tiny, {name: value})


def test_refuses_before_anything_runs(tiny, monkeypatch):
    monkeypatch.setattr("papermill.execute_notebook", lambda *a, **k: pytest.fail("it ran"))
    with pytest.raises(
        InputError, match=r"unknown parameter 'modells' of tiny; closest: models.*--help-notebook"
    ):
        run_notebook(tiny, parameters={"modells": "x"})
    with pytest.raises(InputError, match=r"unknown preset of tiny 'smal'; closest: small"):
        run_notebook(tiny, preset="smal")
    with pytest.raises(InputError, match="unknown notebook 'kstar_skewnes'; closest: kstar_skewness"):
        run_notebook("kstar_skewnes")
    with pytest.raises(StoreError, match=r"there is no notebook file .*nowhere\.ipynb"):
        run_notebook(tiny.with_name("nowhere.ipynb"))


def test_refuses_an_output_that_cannot_be_written_before_anything_runs(tiny, monkeypatch, tmp_path):
    monkeypatch.setattr("papermill.execute_notebook", lambda *a, **k: pytest.fail("it ran"))
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be written"):
        run_notebook(tiny, output=tmp_path / "file" / "out.ipynb")


def test_a_preset_is_read_and_parameters_win_over_it(tiny):
    assert read_parameters(tiny, "small", None) == {"n_samples": 7, "preset": "small"}
    assert read_parameters(tiny, "small", {"n_samples": "9"})["n_samples"] == 9
    (tiny.parent / "presets" / "tiny.wrong.yaml").write_text("n_sample: 7\n")
    with pytest.raises(InputError, match="unknown parameter 'n_sample' of tiny; closest: n_samples"):
        read_parameters(tiny, "wrong", None)


def test_runs_on_this_python_and_leaves_one_finished_file(tiny, tmp_path, capfd):
    output = run_notebook(
        tiny, preset="small", parameters={"models": '["a"]'}, output=tmp_path / "o" / "x.ipynb"
    )
    assert capfd.readouterr().out.strip() == f"['a'] 7 small {sys.executable}"
    assert [path.name for path in output.parent.iterdir()] == ["x.ipynb"]
    assert "['a'] 7 small" in nbformat.read(output, as_version=4).cells[-1].outputs[0].text


def test_our_errors_in_a_cell_keep_their_words_and_leave_nothing(tmp_path):
    words = "tests open no connection"
    cell = """\
import socket
from robustshape.errors import StoreError
try:
    socket.create_connection(("192.0.2.1", 80), timeout=5)
except OSError as error:
    raise StoreError(f"as it should: {error}")
"""
    with pytest.raises(StoreError, match=f"^as it should: {words}"):
        run_notebook(
            write(tmp_path / "failing.ipynb", cell), output=tmp_path / "o" / "x.ipynb", progress=False
        )
    assert list((tmp_path / "o").iterdir()) == []


def test_a_notebook_that_is_none_is_named(tmp_path):
    path = tmp_path / "broken.ipynb"
    path.write_text("{")
    with pytest.raises(StoreError, match=r"broken\.ipynb is not a notebook that can be read"):
        parameters_of(path)


@pytest.mark.parametrize("name", notebooks())
def test_a_notebook_takes_what_its_study_measures_and_what_to_draw(name):
    measured = set(studies.load(name).parameters)
    drawn = {"kstar_skewness": {"beside", "suspects_of"}}.get(name, set())
    assert set(parameters_of(name)) == measured | drawn


@pytest.mark.parametrize("name", notebooks())
def test_papermill_prints_every_parameter_of_a_notebook(name):
    import papermill

    printed = papermill.inspect_notebook(str(notebook_path(name)))
    assert set(printed) == set(parameters_of(name))
    assert all(parameter.written_type and parameter.help for parameter in parameters_of(name).values())


@pytest.mark.parametrize("preset", list_presets())
def test_a_preset_names_only_parameters_that_exist(preset):
    for notebook in list_presets()[preset]:
        assert read_parameters(notebook, preset, None)["preset"] == preset
