"""Notebooks run with checked parameters: reading them, refusing what does not fit, executing, failing."""

import re
import sys
from pathlib import Path

import nbformat
import pytest

from robustshape import studies
from robustshape.errors import InputError, NotebookError, StoreError
from robustshape.notebooks import (
    check,
    list_presets,
    load_preset,
    names,
    notebook_path,
    parameters_of,
    read_parameters,
    run_notebook,
)
from robustshape.notebooks.meanings import LARGEST_SEED, MEANINGS, NEVER_EMPTY
from robustshape.notebooks.parameters import check_parameters
from robustshape.notebooks.types import fit

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
        "models": '["zoo:mlp", "zoo:vit"]', "n_samples": "5", "rate": "1e-3", "epochs": "none", "quick": "true", "free": "[1]",
    }  # fmt: skip
    wanted = {
        "models": ["zoo:mlp", "zoo:vit"],
        "n_samples": 5,
        "rate": 1e-3,
        "epochs": None,
        "quick": True,
        "free": [1],
    }
    assert check_parameters(tiny, given) == wanted
    assert check_parameters(tiny, {"epochs": "4", "free": "word"}) == {"epochs": 4, "free": "word"}


@pytest.mark.parametrize(
    "name, value",
    [
        ("models", "zoo:lenet"), ("models", [1]), ("models", '["a",'), ("n_samples", "many"), ("n_samples", 2.5),
        ("rate", "nan"), ("quick", "perhaps"), ("preset", None), ("epochs", "[1]"), ("n_samples", None),
        ("n_samples", True), ("quick", 1),
    ],
)  # fmt: skip
def test_refuses_a_value_of_another_type(tiny, name, value):
    with pytest.raises(InputError, match=rf"^{name} is .*, but was given .*; tiny's default is "):
        check_parameters(tiny, {name: value})


WRONG = {  # by the type that a notebook declares: what none of its parameters takes, and the words
    "int": [None, "None", "many", "", 2.5, "2.5", True, "true", [1], float("nan")],
    "float": [None, "many", True, [1.0], float("nan"), "nan", float("inf"), "-inf"],
    "bool": [None, 1, 0.0, "perhaps", [True]],
    "str": [None, True, ["a"]],
    "list[str]": [None, "a", 1, [1], [None], [["a"]], {"a": 1}, '["a",'],
    "list[int]": [None, "1", 1, ["many"], [None], [2.5], [True], [[1]], "[1, 2.5]"],
    "list[float]": [None, "0.5", 0.5, ["many"], [None], [True], [float("nan")], "[NaN]", [float("inf")]],
}
WORDS = {
    "int": "a whole number", "float": "a finite number", "bool": "true or false", "str": "text",
    "list[str]": 'a list of texts such as ["a", "b"]', "list[int]": "a list of whole numbers such as [1, 3]",
    "list[float]": "a list of finite numbers such as [-1, 0.5]",
}  # fmt: skip


@pytest.mark.parametrize("notebook", names())
def test_every_parameter_of_every_notebook_refuses_what_is_not_of_its_type_in_the_same_words(notebook):
    memory = {name: p.default for name, p in parameters_of(notebook).items()}
    memory["__annotations__"] = {name: p.type for name, p in parameters_of(notebook).items()}
    for name, parameter in parameters_of(notebook).items():
        for wrong in WRONG[parameter.written_type]:
            words = f"{name} is {WORDS[parameter.written_type]}, but was given {wrong!r}"
            with pytest.raises(InputError) as from_the_shell:
                check_parameters(notebook, {name: wrong})
            assert str(from_the_shell.value).startswith(f"{words}; {notebook}'s default is ")
            with pytest.raises(InputError) as in_the_kernel:
                check(memory | {name: wrong})
            assert str(in_the_kernel.value) == words


@pytest.mark.parametrize("notebook", names())
def test_every_number_and_name_of_every_notebook_has_a_meaning_that_is_checked(notebook):
    free = {  # text that only its study can read
        "preset", "dask_scheduler", "corrupted", "metric", "plots", "layer", "layers", "step_budget", "strongest",
        "generator", "score", "reduction", "space", "shift_unit", "noise", "map_attributes", "corner_set", "measured",
    }  # fmt: skip
    for name, parameter in parameters_of(notebook).items():
        known = any(re.fullmatch(pattern, name) for pattern in MEANINGS)
        kind = parameter.written_type.removeprefix("list[").removesuffix("]")
        assert known or name in free or kind in ("float", "bool"), name
        if kind == "int":
            values = [-1] if not name.startswith("seed") else [-1, LARGEST_SEED + 1]
            for value in values:
                with pytest.raises(
                    InputError, match=rf"^{name} is a whole number from [01].*, but was given {value}$"
                ):
                    check_parameters(notebook, {name: [value] if parameter.type == list[int] else value})


MISSPELT = {
    "models": (["zoo:lenett"], "unknown model 'zoo:lenett'; closest: zoo:lenet"),
    "classifiers": (["zo:lenet"], "unknown model 'zo:lenet'"),
    "classifier": ("python:my_module", "names no function; write it as python:package.module:factory"),
    "network": ("zoo:resnet-alfa=1", "unknown model 'zoo:resnet-alfa=1'"),
    "judge": ("robustbench:cifar10/Linf/Standrd", "closest: robustbench:cifar10/Linf/Standard"),
    "beside": (["file:nowhere.json"], "the card nowhere.json does not exist here"),
    "dataset": ("mnist5", "unknown data set 'mnist5'; closest: mnist5k"),
    "robustness_dataset": ("minst", "closest: mnist"),
    "reading": ("pad23", "unknown reading 'pad23'; closest: pad32"),
    "readings": (["natve"], "unknown reading 'natve'; closest: native"),
    "constants": ("223", "unknown table of constants '223'; closest: 224"),
    "corruptions": (["fogg"], "unknown corruption 'fogg'; closest: fog"),
    "attacks": (["pgdd linf 0.1"], "unknown attack 'pgdd'; closest: pgd"),
    "shift": ("pgd lnf 0.1", "unknown norm 'lnf'; closest: linf"),
    "source": ("extnd", "unknown source 'extnd'; closest: extend"),
    "severities": ([0], "severities is a whole number from 1 to 5, but was given 0"),
}


@pytest.mark.parametrize("notebook", names())
def test_a_misspelt_name_is_refused_before_a_kernel_starts(notebook):
    for name in set(MISSPELT) & set(parameters_of(notebook)):
        value, words = MISSPELT[name]
        with pytest.raises((InputError, StoreError), match=re.escape(words)):
            check_parameters(notebook, {name: value})


def test_of_published_rows_no_network_need_be_here():
    given = {"models": ["file:nowhere.json"], "source": "published"}
    assert check_parameters("kstar_skewness", given) == given


def test_an_empty_list_that_no_study_can_use_is_refused_before_a_kernel_starts(cache):
    for notebook in names():
        study, declared = studies.load(notebook), parameters_of(notebook)
        smallest = {name: p.default for name, p in declared.items()} | read_parameters(notebook, "smoke")
        lists = [name for name, p in declared.items() if p.written_type.startswith("list")]
        for name in study.given(dict.fromkeys(lists)):
            try:
                given = check_parameters(notebook, {name: "[]"})
            except InputError as error:
                assert f"{name} is a list of at least one" in str(error)
                with pytest.raises(InputError, match=name):
                    study.plan(**study.given(smallest | {name: []}))
                continue
            try:
                study.plan(**study.given(smallest | given))
            except InputError as error:  # what only the study can know
                assert name in str(error) and name not in NEVER_EMPTY


def test_text_that_papermill_made_a_number_is_text_again():
    assert fit("step_budget", str, 0.05) == "0.05" and fit("preset", str, 3) == "3"


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


@pytest.mark.parametrize("name", ["my_module.py", ".", "folder.ipynb"])
def test_refuses_an_output_that_is_no_notebook_and_leaves_it_alone(tiny, tmp_path, name):
    (tmp_path / "my_module.py").write_text("mine")
    (tmp_path / "folder.ipynb").mkdir()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(
        InputError, match=r"is a file that ends in \.ipynb, but .* was given; nothing was written"
    ):
        run_notebook(tiny, output=tmp_path / name)
    assert sorted(tmp_path.iterdir()) == before and (tmp_path / "my_module.py").read_text() == "mine"


def test_refuses_an_output_that_cannot_be_written_before_anything_runs(tiny, monkeypatch, tmp_path):
    monkeypatch.setattr("papermill.execute_notebook", lambda *a, **k: pytest.fail("it ran"))
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be written"):
        run_notebook(tiny, output=tmp_path / "file" / "out.ipynb")


def test_a_preset_is_read_and_parameters_win_over_it(tiny):
    assert read_parameters(tiny, "small", None) == {"n_samples": 7, "preset": "small"}
    assert read_parameters(tiny, "small", {"n_samples": "9"})["n_samples"] == 9
    assert read_parameters(tiny, given={"preset": "small"}) == {"n_samples": 7, "preset": "small"}
    assert read_parameters(tiny, given={"preset": "mine"}) == {"preset": "mine"}
    (tiny.parent / "presets" / "tiny.wrong.yaml").write_text("n_sample: 7\n")
    with pytest.raises(InputError, match="unknown parameter 'n_sample' of tiny; closest: n_samples"):
        read_parameters(tiny, "wrong", None)


def test_runs_on_this_python_and_leaves_one_finished_file(tiny, tmp_path, capfd):
    output = run_notebook(
        tiny, preset="small", parameters={"models": '["zoo:mlp"]'}, output=tmp_path / "o" / "x.ipynb"
    )
    assert capfd.readouterr().out.strip() == f"['zoo:mlp'] 7 small {sys.executable}"
    assert [path.name for path in output.parent.iterdir()] == ["x.ipynb"]
    assert "['zoo:mlp'] 7 small" in nbformat.read(output, as_version=4).cells[-1].outputs[0].text


def test_our_errors_in_a_cell_keep_their_words_and_leave_what_was_done_under_another_name(tmp_path):
    cell = """\
import socket
from robustshape.errors import StoreError
print("so far")
try:
    socket.create_connection(("192.0.2.1", 80), timeout=5)
except OSError as error:
    raise StoreError(f"as it should: {error}")
"""
    notebook, output = write(tmp_path / "failing{1}.ipynb", cell), tmp_path / "o" / "x{n}.ipynb"
    partial = output.with_name("x{n}.partial.ipynb")
    with pytest.raises(StoreError, match=r"^as it should: tests open no connection") as failure:
        run_notebook(notebook, output=output, progress=False)
    assert str(failure.value).splitlines()[-1] == f"the notebook as far as it came: {partial}"
    assert list(output.parent.iterdir()) == [partial]
    *_, failed = [cell for cell in nbformat.read(partial, as_version=4).cells if cell.cell_type == "code"]
    assert [output.output_type for output in failed.outputs] == ["stream", "error"]

    write(notebook, "1 / 0")
    with pytest.raises(
        NotebookError, match=r"^cell \[2\] of failing\{1\} failed: ZeroDivisionError: division by zero\n"
    ):
        run_notebook(notebook, output=output, progress=False)
    assert list(output.parent.iterdir()) == [partial]
    write(notebook, "n_samples")
    assert run_notebook(notebook, output=output, progress=False) == output
    assert list(output.parent.iterdir()) == [output]


def memory_of(parameters: str, *cells: str, **values) -> dict:
    """Return what a kernel remembers after it has run a cell of parameters and others."""
    memory = {"In": ["", parameters, *cells]}
    for cell in memory["In"]:
        exec(cell, memory)
    return memory | values


def test_a_notebook_reads_text_that_papermill_gave_it_and_refuses_what_it_does_not_take():
    memory = memory_of(PARAMETERS, "# Parameters\nn_samples = '9'\nmodels = '[\"zoo:mlp\"]'\n")
    check(memory)
    assert memory["n_samples"] == 9 and memory["models"] == ["zoo:mlp"]
    with pytest.raises(
        InputError, match=r"^unknown parameter 'modells'; closest: models, .*; the notebook takes models, n_s"
    ):
        check(memory_of(PARAMETERS, "# Parameters\nmodells = 'x'\n"))
    with pytest.raises(InputError, match=r"^epochs is a whole number or none, but was given 'x'$"):
        check(memory_of(PARAMETERS, epochs="x"))
    with pytest.raises(InputError, match="called in a notebook; in Python, give its variables"):
        check()


def test_a_preset_is_taken_in_an_open_notebook_and_what_papermill_gave_stays(tiny, monkeypatch):
    memory = memory_of(PARAMETERS)
    assert load_preset("small", tiny, memory) == {"preset": "small", "n_samples": 7}
    assert memory["n_samples"] == 7 and memory["preset"] == "small" and memory["rate"] == 0.1
    memory = memory_of(PARAMETERS, "# Parameters\nn_samples = 5\n")
    assert load_preset("small", tiny, memory) == {"preset": "small"} and memory["n_samples"] == 5
    with pytest.raises(InputError, match="unknown preset of tiny 'smal'; closest: small"):
        load_preset("smal", tiny, memory)


@pytest.mark.parametrize("name", names())
def test_an_open_notebook_knows_its_own_presets(name):
    memory = {"__annotations__": {n: p.type for n, p in parameters_of(name).items()}}
    assert load_preset("smoke", memory=memory) == read_parameters(name, "smoke")
    assert memory["preset"] == "smoke"


@pytest.mark.parametrize("name", names())
def test_the_first_cell_after_the_parameters_checks_them(name):
    code = [
        cell.source
        for cell in nbformat.read(notebook_path(name), as_version=4).cells
        if cell.cell_type == "code"
    ]
    assert "notebooks.check()" in code[1].splitlines()[2] and "# notebooks.load_preset(" in code[1]


def test_papermill_itself_ends_in_the_words_of_the_check(tmp_path):
    import papermill

    source = nbformat.read(notebook_path("kstar_skewness"), as_version=4)
    source.cells = source.cells[:3]
    nbformat.write(source, tmp_path / "short.ipynb")
    words = "^InputError: unknown parameter 'modells'; closest: models"
    with pytest.raises(papermill.PapermillExecutionError, match=re.compile(words, re.MULTILINE)):
        papermill.execute_notebook(
            tmp_path / "short.ipynb", None, parameters={"seed": None, "modells": "x"}, progress_bar=False
        )


def test_a_notebook_that_is_none_is_named(tmp_path):
    path = tmp_path / "broken.ipynb"
    path.write_text("{")
    with pytest.raises(StoreError, match=r"broken\.ipynb is not a notebook that can be read"):
        parameters_of(path)


@pytest.mark.parametrize("name", names())
def test_a_notebook_takes_what_its_study_measures_and_what_to_draw(name):
    measured = set(studies.load(name).parameters)
    drawn = {"kstar_skewness": {"beside", "suspects_of"}, "your_model": {"measured"}}.get(name, set())
    assert set(parameters_of(name)) == measured | drawn


@pytest.mark.parametrize("name", names())
def test_papermill_prints_every_parameter_of_a_notebook(name):
    import papermill

    printed = papermill.inspect_notebook(str(notebook_path(name)))
    assert set(printed) == set(parameters_of(name))
    assert all(parameter.written_type and parameter.help for parameter in parameters_of(name).values())


@pytest.mark.parametrize("preset", list_presets())
def test_a_preset_names_only_parameters_that_exist(preset):
    for notebook in list_presets()[preset]:
        assert read_parameters(notebook, preset, None)["preset"] == preset
