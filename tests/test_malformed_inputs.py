"""Whatever is wrong with an input is said in a sentence: exit code 2 of the shell, no traceback, nothing written."""

import os
import re
import sys

import pytest

import malformed
from robustshape import studies
from robustshape.cli import main
from robustshape.errors import RobustshapeError
from robustshape.notebooks import parameters_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return malformed.world(tmp_path_factory.mktemp("malformed"))


@pytest.fixture
def there(folder, cache, monkeypatch):
    """Stand in the folder of malformed files; modules of it are forgotten afterwards."""
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    for name in malformed.MODULES:
        sys.modules.pop(name, None)


def lying(folder) -> list:
    return sorted(os.listdir(os.fsencode(folder)))


@pytest.mark.parametrize("case", malformed.SHELL, ids=lambda case: ascii(" ".join(case[:-1]))[1:90])
def test_the_shell_answers_in_a_sentence_and_writes_nothing(there, case, capsys, monkeypatch):
    monkeypatch.setattr("robustshape.notebooks.run._execute", lambda *_: pytest.fail("a kernel was started"))
    monkeypatch.setenv("COLUMNS", "1000")
    *arguments, words = case
    before = lying(there)
    assert main(arguments) == 2
    error = " ".join(re.sub(r"[│╭╮╰╯─]", " ", capsys.readouterr().err).split())
    assert "Traceback" not in error and re.search(words, error), error
    assert lying(there) == before


@pytest.mark.parametrize("name, value, words", malformed.PARAMETERS)
def test_a_notebook_s_parameter_is_refused_before_anything_is_trained(there, name, value, words):
    study = studies.load("kstar_skewness")
    defaults = {one: parameter.default for one, parameter in parameters_of("kstar_skewness").items()}
    given = study.given(defaults | malformed.MEASURED | {name: value})
    with pytest.raises(RobustshapeError) as refused:
        _ = study.plan(**given).wanted
    assert re.search(words, " ".join(str(refused.value).split()))


@pytest.mark.parametrize("call, words", malformed.PYTHON, ids=[call[:80] for call, _ in malformed.PYTHON])
def test_python_is_answered_in_a_sentence(there, call, words):
    before = lying(there)
    with pytest.raises(RobustshapeError) as refused:
        eval(call, malformed.names())
    assert re.search(words, " ".join(str(refused.value).split()))
    assert lying(there) == before


def test_there_are_many_on_every_surface():
    shell = {case[0] for case in malformed.SHELL}
    assert {
        "run",
        "report",
        "results",
        "publish",
        "list",
        "make-card",
        "train-generator",
        "doctor",
        "book",
    } == shell
    assert len(malformed.SHELL) > 80 and len(malformed.PARAMETERS) > 20 and len(malformed.PYTHON) > 80
