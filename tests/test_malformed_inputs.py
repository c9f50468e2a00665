"""Whatever is wrong with an input is said in a sentence: exit code 2 of the shell, no traceback, nothing written."""

import hashlib
import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import malformed
from robustshape import studies
from robustshape.cli import main
from robustshape.errors import RobustshapeError
from robustshape.notebooks import parameters_of


def world(folder: Path) -> Path:
    """Make what the cases name in a folder, and return it."""
    import timm
    import torch
    from PIL import Image

    pixels = np.zeros((8, 8, 3), np.uint8)
    for place in ("good", "latin_file", "latin_class", "broken_link", "not_an_image"):
        for i, kind in enumerate("ab"):
            (folder / place / kind).mkdir(parents=True)
            for k in range(4):
                Image.fromarray(pixels + i * 100 + k).save(folder / place / kind / f"{k}.png")
    latin = os.fsencode(malformed.LATIN)
    os.rename(folder / "latin_file/a/0.png", os.fsencode(folder / "latin_file/a") + b"/" + latin + b".png")
    os.rename(folder / "latin_class/a", os.fsencode(folder / "latin_class") + b"/" + latin)
    os.makedirs(os.fsencode(folder) + b"/" + latin + b"/a")
    (folder / "broken_link/a/x.png").symlink_to("/nowhere/x.png")
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "not_an_image/a/0.png").write_text("no image")
    np.savez(folder / "negative.npz", images=np.zeros((4, 8, 8, 3), np.uint8), labels=[-1, 0, 1, 0])
    (folder / "text.npz").write_text("no arrays")
    (folder / "latin.txt").write_bytes(b"caf\xe9\nb\n")
    (folder / "torn.txt").write_text('["a", ')
    torch.save(timm.create_model("test_resnet", num_classes=2).state_dict(), folder / "w.pth")
    whole = malformed.CARD | {"sha256": hashlib.sha256((folder / "w.pth").read_bytes()).hexdigest()}
    for name, (change, _) in malformed.CARDS.items():
        (folder / f"{name}.json").write_text(json.dumps(whole | change))
    for name, source in {"good": "n: int = 3", **{k: v[0] for k, v in malformed.NOTEBOOKS.items()}}.items():
        cell = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": source, "outputs": []}
        (folder / f"{name}.ipynb").write_text(json.dumps({"cells": [cell], "metadata": {}}))
    for name, (text, _) in malformed.BROKEN.items():
        (folder / f"{name}.ipynb").write_text(text)
    (folder / "whole.json").write_text(json.dumps(whole))
    (folder / "presets").mkdir()
    for name, (text, _) in malformed.PRESETS.items():
        (folder / "presets" / f"good.{name}.yaml").write_bytes(text)
    for name, text in malformed.MODULES.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def names() -> dict:
    """Return the names in which the cases of Python are evaluated."""
    import dask.array
    import torch

    from robustshape import datasets, evaluate, models, report
    from robustshape.corruptions import corrupt
    from robustshape.indicators import describe, kstar, multicut, purity, selectivity
    from robustshape.models.preprocessing import Preprocessing
    from robustshape.schedulers import workers

    labels = np.arange(40) % 4
    return {
        **{"datasets": datasets, "evaluate": evaluate, "models": models, "report": report, "corrupt": corrupt, "np": np, "dask": dask},
        **{"describe": describe, "kstar": kstar, "multicut": multicut, "purity": purity, "selectivity": selectivity},
        **{"Preprocessing": Preprocessing, "workers": workers},
        "X": np.random.default_rng(0).normal(size=(40, 5)),
        "Y": labels,
        "I": np.zeros((4, 8, 8, 3), np.uint8),
        "R": np.random.default_rng(0),
        "T": torch.ones(40, 3),
        "L": torch.tensor(labels),
        "M": torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 2)),
        "D": (np.zeros((40, 8, 8, 3), np.uint8), labels % 2),
    }  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return world(tmp_path_factory.mktemp("malformed"))


@pytest.fixture
def there(folder, cache, monkeypatch):
    """Stand in the folder of malformed files; modules of it are forgotten afterwards."""
    monkeypatch.setattr("robustshape.schedulers.ANSWER", 1)  # not 8 s for each address where nobody is
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
    whole = (
        {"models": ["file:whole.json"]} if name == "dataset" else {}
    )  # of which no training data are asked
    given = study.given(defaults | malformed.MEASURED | whole | {name: value})
    with pytest.raises(RobustshapeError) as refused:
        _ = study.plan(**given).wanted
    assert re.search(words, " ".join(str(refused.value).split()))


@pytest.mark.parametrize("call, words", malformed.PYTHON, ids=[call[:80] for call, _ in malformed.PYTHON])
def test_python_is_answered_in_a_sentence(there, call, words):
    before = lying(there)
    with pytest.raises(RobustshapeError) as refused:
        eval(call, names())
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
