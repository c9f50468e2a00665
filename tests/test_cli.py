"""The command line: help everywhere, mistakes end in exit code 2 with words and without a traceback."""

import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from robustshape import notebooks, paths, studies
from robustshape.cli import main
from robustshape.store import results
from studies import KSTAR

ROOT = Path(paths.project_root())
COMMANDS = ["run", "plan", "list", "results", "publish", "book", "train-generator", "doctor"]


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_on_everything(command, capsys):
    assert main([*command.split(), "--help"]) == 0
    assert "Usage: robustshape" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["run", "kstar_skewnes"], "unknown notebook 'kstar_skewnes'; closest: kstar_skewness"),
        (["run", "kstar_skewness", "--preset", "labtop"], "closest: laptop"),
        (["run", "kstar_skewness", "-p", "modells", "x"], "unknown parameter 'modells' .*closest: models"),
        (
            ["run", "kstar_skewness", "-p", "n_samples", "many"],
            "n_samples is a whole number, but was given 'many'; kstar_skewness's default is 1000",
        ),
        (["run", "class_selectivity", "-p", "seeds", "[0]", "-p", "alphas", "[1, -1]"], "alphas must hold 0"),
        (["results", "kstar"], "unknown study 'kstar'; closest: kstar_skewness"),
        (["results", "kstar_skewness", "--preset", "nowhere"], "no results for preset 'nowhere'"),
        (["publish", "kstar_skewness", "--preset", "nowhere"], "unknown preset of kstar_skewness 'nowhere'"),
        (["book", "--preset", "nowhere"], "unknown preset 'nowhere'"),
    ],
)
def test_a_mistake_is_said_in_words(arguments, words, capsys, cache):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert "Traceback" not in error
    assert re.search(words, " ".join(error.split()))


@pytest.mark.parametrize("arguments", [["lst"], ["list", "foo"], ["run"]])
def test_a_wrong_command_is_refused(arguments):
    assert main(arguments) == 2


@pytest.mark.parametrize(
    "what, name", [("studies", "kstar_skewness"), ("models", "zoo:lenet-pgd"), ("datasets", "mnist5k"),
                   ("corruptions", "fog"), ("presets", "laptop"), ("attacks", "autoattack"), ("indicators", "purity")],
)  # fmt: skip
def test_lists_name_what_there_is(what, name, capsys):
    assert main(["list", what]) == 0
    assert name in capsys.readouterr().out
    assert main(["list", what, "no-such-thing*"]) == 0
    assert capsys.readouterr().out == ""


JOINED = (
    "zoo:NAME-RECIPE+RECIPE/SEED        recipes join, one may be alpha=A, as in zoo:resnet-pgd+alpha=-0.4/1"
)


@pytest.mark.parametrize("pattern, said", [("zoo:*", True), ("zoo:lenet*", True), ("timm:resnet*", False)])
def test_the_list_of_our_own_networks_ends_with_a_line_on_joined_recipes(pattern, said, capsys):
    assert main(["list", "models", pattern]) == 0
    *listed, last = capsys.readouterr().out.splitlines()
    assert listed and (last == JOINED) == said and JOINED not in listed


def test_what_the_line_on_joined_recipes_shows_is_a_network():
    from robustshape import models

    example = JOINED.rpartition(" ")[2]
    assert models.identity(example, dataset="digits")["recipe"]["selectivity"] == -0.4


class Gone(io.StringIO):
    """A pipe whose reader has gone."""

    def write(self, _):
        raise BrokenPipeError(32, "Broken pipe")


def test_results_of_your_run_as_a_table(cache, tmp_path, capsys, monkeypatch):
    studies.load("kstar_skewness").measure(**KSTAR)
    command = ["results", "kstar_skewness", "--preset", "test"]
    assert main([*command, "--csv", str(tmp_path / "t.csv")]) == 0
    assert "your run (2 of 2 rows finished)" in capsys.readouterr().out
    header, *lines = (tmp_path / "t.csv").read_text().splitlines()
    shown = set(header.split(","))
    assert len(lines) == 2 and {"model", "approximate_skewness", "corrupted_accuracy"} <= shown
    assert (
        header.startswith("network,family,recipe,R,accuracy,")
        and "approximate_skewness_interval, low" in header
    )
    assert "accuracy, fgsm linf 0.1" in header and not {"key", "provenance", "seed"} & shown
    assert main([*command, "--full", "--csv", str(tmp_path / "f.csv")]) == 0
    full = (tmp_path / "f.csv").read_text()
    assert {"key", "provenance", "seed"} | shown <= set(
        full.splitlines()[0].split(",")
    ) and '""code""' in full
    assert main([*command, "--per", "class", "--csv", str(tmp_path / "c.csv")]) == 0
    assert len((tmp_path / "c.csv").read_text().splitlines()) == 1 + 2 * 10
    with monkeypatch.context() as patch:  # as with: ... | head -1
        patch.setattr(sys, "stdout", Gone())
        assert main([*command, "--csv", str(tmp_path / "p.csv")]) == 0
    assert (tmp_path / "p.csv").read_text() == (tmp_path / "t.csv").read_text()
    assert main([*command, "--per", "classes"]) == 2
    assert "unknown dimension of the rows 'classes'; closest: class" in capsys.readouterr().err


def test_doctor_says_on_which_device_networks_run(monkeypatch):
    import torch

    from robustshape import doctor

    monkeypatch.setattr(doctor, "accelerator", lambda: "none")
    assert doctor.chosen_device() == "cpu"
    monkeypatch.setattr(doctor, "accelerator", lambda: "NVIDIA H200")
    assert doctor.chosen_device() == "cpu (on the accelerator with ROBUSTSHAPE_DEVICE=cuda)"
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setenv("ROBUSTSHAPE_DEVICE", "cuda")
    assert doctor.chosen_device() == "cuda"
    monkeypatch.setenv("ROBUSTSHAPE_DEVICE", "cuda:3")
    assert doctor.chosen_device().startswith("missing: ROBUSTSHAPE_DEVICE is 'cuda:3', but must be cpu")


def test_doctor_names_weights_that_lie_in_folders_but_not_however_deep(monkeypatch, tmp_path):
    from robustshape import doctor

    for name in ("a.pth", "weights/b.pt", "cifar10/Linf/c.pt", "1/2/3/d.pt", ".hidden/e.pt", "photos/f.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.setenv("ROBUSTSHAPE_DATA", str(tmp_path))
    assert list(doctor.weights()) == ["a.pth", "b.pt", "cifar10/Linf/c.pt"]
    assert doctor.weights()["cifar10/Linf/c.pt"] == f"{tmp_path / 'cifar10' / 'Linf'}, 0.0 MiB"
    monkeypatch.setattr(doctor, "FOLDERS", 1)
    assert list(doctor.weights()) == ["a.pth", "b.pt"]


def test_import_is_quick_and_loads_no_heavy_package():
    code = (
        "import sys, time; t = time.perf_counter(); import robustshape, robustshape.cli; "
        "print(time.perf_counter() - t, [m for m in ('torch', 'xarray', 'matplotlib', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, heavy = done.stdout.split(maxsplit=1)
    assert heavy.strip() == "[]" and float(seconds) < 5  # 0.3 s on a quiet machine; a busy one takes longer


def test_the_readme_extends_published_rows(cache):
    import shlex

    [line] = [line for line in (ROOT / "README.md").read_text().splitlines() if "source extend" in line]
    words = shlex.split(line)
    study, preset = words[2], words[words.index("--preset") + 1]
    given = {words[i + 1]: words[i + 2] for i, word in enumerate(words) if word == "-p"}
    ours = {"models": [m for m in json.loads(given["models"]) if m.startswith("zoo:")]}
    known = studies.load(study)
    for named in (given | ours, given | ours | {"preset": preset}):  # with --preset, and as a parameter
        values = {name: p.default for name, p in notebooks.parameters_of(study).items()}
        values |= notebooks.read_parameters(study, None if "preset" in named else preset, named)
        wanted = known.wanted(**known.given(values))
        published = results.read_published(study, preset)
        keys = dict(zip(map(str, published.model.values), map(str, published["key"].values)))
        assert [keys.get(name) for name in ours["models"]] == [
            wanted[name].row.key for name in ours["models"]
        ]
        assert list(wanted) == ours["models"]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_examples_that_can_be_parsed(command, capsys):
    import shlex

    from robustshape.cli import app

    assert main([command, "--help"]) == 0
    lines = " ".join(capsys.readouterr().out.partition("Examples:")[2].split()).split("robustshape ")[1:]
    assert lines
    for line in lines:
        app.parse_args(shlex.split(line), exit_on_error=False, print_error=False)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["lst"], 'Did you mean "list"? Available commands: list, doctor, report, make-card,'),
        (["list", "modles"], 'Did you mean "models"? see: robustshape list --help'),
        (
            ["run", "kstar_skewness", "--prest", "laptop"],
            "Did you mean --preset? see: robustshape run --help",
        ),
    ],
)
def test_a_misspelt_command_or_option_is_answered_with_the_closest(arguments, words, capsys):
    assert main(arguments) == 2
    shown = re.sub(r"[\s│╭╮╰╯─]+", " ", capsys.readouterr().err)
    assert re.search(words.replace("?", r"\?"), shown)


@pytest.mark.parametrize(
    "arguments",
    [["kstar_skewnes"], ["kstar_skewness", "--preset", "labtop"], ["kstar_skewness", "-p", "modells", "x"],
     ["kstar_skewness", "-p", "dataset", "mnist5"], ["kstar_skewness", "-p", "models", '["zoo:lenett"]'],
     ["kstar_skewness", "-p", "corruptions", '["fogg"]'], ["kstar_skewness", "-p", "attacks", '["pgdd linf 0.1"]']],
)  # fmt: skip
def test_a_misspelt_name_costs_no_library_of_networks_and_no_kernel(arguments):
    code = (
        "import sys; from robustshape.cli import main; code = main(sys.argv[1:]);"
        "print(code, [m for m in ('torch', 'xarray', 'papermill', 'nbformat', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "run", *arguments], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "2 []" and "closest: " in done.stderr and "Traceback" not in done.stderr


def test_plain_papermill_runs_a_notebook_with_one_network(cache, tmp_path):
    out = tmp_path / "out.ipynb"
    given = KSTAR | {"models": json.dumps(["zoo:mlp"]), "source": "measure"}
    numbers = [
        a
        for name in ("n_samples", "n_robustness", "epochs", "n_bootstrap", "n_halves", "n_plotted", "shift")
        for a in ("-p", name, str(given[name]))
    ]
    names = ("corruptions", "severities", "attacks", "plots")
    lists = [a for name in names for a in ("-p", name, json.dumps(given[name]))]
    command = [sys.executable, "-m", "papermill", "notebooks/kstar_skewness.ipynb", str(out), "-p", "models",
               given["models"], "-p", "dataset", "digits", *numbers, *lists, "--no-progress-bar"]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    outputs = [o for cell in json.loads(out.read_text())["cells"] for o in cell.get("outputs", [])]
    assert any("mlp keeps" in "".join(o.get("data", {}).get("text/html", "")) for o in outputs)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_is_told_in_our_words_alone(sent, tmp_path):
    cell = {
        "cell_type": "code",
        "metadata": {},
        "source": "import time\nprint('on', flush=True)\ntime.sleep(300)",
    }
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}}
    text = {
        "cells": [cell | {"outputs": [], "execution_count": None}],
        "metadata": kernel,
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (tmp_path / "waiting.ipynb").write_text(json.dumps(text))
    command = [sys.executable, "-m", "robustshape", "run", "waiting.ipynb", "-o", "out.ipynb"]
    whole = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    # tests that a shell runs in the background ignore interruptions, and what they start would, too
    whole["preexec_fn"] = lambda: signal.signal(sent, signal.SIG_DFL)
    with subprocess.Popen(command, cwd=tmp_path, **whole) as started:
        assert started.stdout.readline() == "on\n"
        if sent is signal.SIGINT:
            os.killpg(started.pid, sent)  # as a terminal does, to the kernel too
        else:
            started.send_signal(sent)
        _, error = started.communicate(timeout=120)
    assert started.returncode == 128 + sent
    partial = f"; the notebook as far as it came: {tmp_path.resolve() / 'out.partial.ipynb'}"
    words = "robustshape: interrupted; run the same command again to go on"
    assert error in (f"{words}\n", f"{words}{partial}\n")  # the first if papermill had not begun to write
    assert error.endswith(f"{partial}\n") == (tmp_path / "out.partial.ipynb").exists()
    assert {path.name for path in tmp_path.iterdir()} <= {"waiting.ipynb", "out.partial.ipynb"}
