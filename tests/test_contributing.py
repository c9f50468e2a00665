"""CONTRIBUTING.md is true: each of its rows is followed in one copy of the project, and what was added is there."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIBRARY = "lib/robustshape"


def another_claim(file: str) -> str:
    """Return a claim with all the fields of the file's first."""
    first = re.search(r"\[\[claim\]\]\n(?:.+\n)+", file).group()
    return "\n" + re.sub(r'(?m)^id = ".*"$', 'id = "added-1"', first)


def another_source(file: str) -> str:
    """Return the line of a source of networks, called toy."""
    return re.search(r'    "timm": .*\n', file).group().replace("timm", "toy")


CELLS = [
    {"cell_type": "markdown", "metadata": {}, "source": "# What is a toy?"},
    {
        "cell_type": "code",
        "metadata": {"tags": ["parameters"]},
        "source": "power: int = 2  # of something",
        "execution_count": None,
        "outputs": [],
    },
]

# By row of CONTRIBUTING.md: the new files; the edits (file, pattern, what is put behind its match; \Z is the end of the
# file); and an expression of what must then be true.
ADDITIONS = {
    "an indicator": (
        {
            f"{LIBRARY}/indicators/brightest.py": "from robustshape.indicators.registered import INDICATORS\n\n\n"
            '@INDICATORS.register("brightest", symbol="b", about="the largest value of any feature")\n'
            "def brightest(features, labels):\n    return features.max()\n"
        },
        [],
        'listed("indicators", "brightest") and value("brightest", features=np.arange(6), labels=None) == 5',
    ),
    "a study": (
        {
            f"{LIBRARY}/studies/toy/__init__.py": "from robustshape.studies.toy.measure import STUDY\n",
            f"{LIBRARY}/studies/toy/measure.py": "from dataclasses import dataclass\n\nimport xarray\n\n"
            "from robustshape.studies.study import Settings, Study\n\n\n"
            "@dataclass(frozen=True)\nclass ToySettings(Settings):\n    power: int\n\n\n"
            "def row(population, network, settings):\n"
            '    return xarray.Dataset({"number": 3**settings.power})\n\n\n'
            'STUDY = Study("toy", "What is a toy?", ToySettings, row, {"number": ("a number", "")}, ("number",))\n',
            "notebooks/toy.ipynb": json.dumps(
                {"cells": CELLS, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
            ),
        },
        [],
        'listed("studies", "toy") and set(notebooks.parameters_of("toy")) == {"power"} and '
        'list(studies.load("toy").plan(models=["zoo:mlp"], dataset="digits", power=2).cases) == ["zoo:mlp"]',
    ),
    "a corruption": (
        {},
        [
            (
                f"{LIBRARY}/corruptions/noise.py",
                r"\Z",
                '\n\n@corruption("noise", "adds the same to every value")\ndef veil(images, constants, streams):\n'
                "    return images + np.float32(constants[0])\n",
            ),
            (
                f"{LIBRARY}/corruptions/constants.py",
                r"\Z",
                '\nfor _table in CONSTANTS.values():\n    _table["veil"] = _rows(10, 20, 30, 40, 50)\n',
            ),
        ],
        'listed("corruptions", "veil") and corrupt(np.zeros((1, 8, 8, 1), np.uint8), "veil", 3).max() == 30',
    ),
    "an attack": (
        {
            f"{LIBRARY}/attacks/still.py": "def still(module, x, labels, *, eps, norm, seed, ids):\n    return x\n"
        },
        [
            (
                f"{LIBRARY}/attacks/__init__.py",
                r"\Z",
                '\n\n@_register("still", "changes nothing")\ndef _still(module, x, labels, **settings):\n'
                "    from robustshape.attacks.still import still\n\n    return still(module, x, labels, **settings)\n",
            )
        ],
        'listed("attacks", "still") and str(Stage.parse("still linf 0.1")) == "still linf 0.1" and '
        'torch.equal(ATTACKS["still"](torch.nn.Flatten().eval(), x, torch.zeros(2, dtype=torch.long), eps=0.1), x)',
    ),
    "a data set": (
        {
            f"{LIBRARY}/datasets/dots.py": """
from robustshape.datasets.samples import DATASETS, Entry


def read(split):
    import numpy as np

    images = np.arange(4, dtype=np.uint8).reshape(4, 1, 1, 1).repeat(8, 1).repeat(8, 2)
    return images, np.array([0, 1, 0, 1]), [f"dots/{split}/{i}" for i in range(4)]


DATASETS.register(
    "dots", title="Four dots", n_train=4, n_test=4, size="8 x 8, grey", n_classes=2, class_names=["a", "b"],
    reading="native", licence="none", source="here", citation="none", urls=(), get="they are here",
    checksum={"test": "sha256:CHECKSUM"},
)(Entry(read, lambda: "here"))
"""
        },
        [],
        'listed("datasets", "dots") and datasets.load("dots").sizes["sample"] == 4 and '
        '"dots" in set(datasets.table()["name"])',
    ),
    "a network of ours": (
        {
            f"{LIBRARY}/models/families/toys.py": """
from collections import OrderedDict

from torch import nn

from robustshape.models.families.table import enter


@enter("mlp", "one layer", "ours")
def onelayer(channels, size, n_classes):
    return nn.Sequential(OrderedDict(flat=nn.Flatten(), head=nn.Linear(channels * size**2, n_classes)))
"""
        },
        [],
        'listed("models", "zoo:onelayer-fast") and zoo.construct("onelayer").head.in_features == 1024 and '
        'models.identity("zoo:onelayer", dataset="digits")["recipe"]["batch_size"] == 64',
    ),
    "a way to train our networks": (
        {},
        [
            (
                f"{LIBRARY}/models/recipes.py",
                r'    "plain": \{\},\n',
                '    "soft": {"label_smoothing": 0.3},\n',
            ),
            (
                f"{LIBRARY}/analysis/style.py",
                r"RECIPES = \{.*\n",
                '    "soft": ("very smooth labels", "o"),\n',
            ),
        ],
        'listed("models", "zoo:lenet-soft") and "soft" in style.RECIPES and '
        'models.identity("zoo:lenet-soft", dataset="digits")["recipe"]["label_smoothing"] == 0.3',
    ),
    "a network published elsewhere": (
        {
            "notebooks/pretrained/toy.py": "from torch import nn\n\n\ndef build():\n"
            "    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))\n",
            "notebooks/pretrained/toy.json": json.dumps(
                {
                    "constructor": "python:toy:build",
                    "weights": "toy.safetensors",
                    "sha256": "CHECKSUM",
                    "preprocessing": {"channels": 1, "size": [8, 8]},
                    "classes": 10,
                }
            ),
        },
        [],
        'listed("models", "file:pretrained/toy.json") and with_weights("toy").n_classes == 10',
    ),
    "a source of networks": (
        {
            f"{LIBRARY}/models/toy_models.py": """
def names():
    return ["toy:one"]


def identity(name):
    return {"source": "toy", "name": name}


def load(name, *, device="cpu"):
    return f"the network {name}"
"""
        },
        [(f"{LIBRARY}/models/__init__.py", r"SOURCES = \{\n", another_source)],
        'listed("models", "toy:one") and models.load("toy:one") == "the network one"',
    ),
    "an attribute by which dimensions of a generator are named": (
        {},
        [
            (
                f"{LIBRARY}/generators/attributes.py",
                r"\Z",
                '\n\n@ATTRIBUTES.register("middle")\ndef middle(seen):\n    return seen.images[:, 4, 4]\n',
            )
        ],
        'attributes.measured(np.eye(8)[None])["middle"].tolist() == [1]',
    ),
    "a preset": (
        {"notebooks/presets/kstar_skewness.tiny.yaml": "n_samples: 50\n"},
        [],
        'listed("presets", "tiny") and notebooks.read_parameters("kstar_skewness", "tiny")["n_samples"] == 50',
    ),
    "a claim": (
        {},
        [("data/claims.toml", r"\Z", another_claim)],
        'claims.load()["added-1"].study == "cluster_purity"',
    ),
}
PRELUDE = """
import contextlib, io, json, sys, traceback, warnings
from pathlib import Path
import numpy as np, torch
from safetensors.torch import save_file
from robustshape import datasets, models, notebooks, paths, studies
from robustshape.analysis import claims, style
from robustshape.attacks import ATTACKS
from robustshape.attacks.stages import Stage
from robustshape.cli import main
from robustshape.corruptions import corrupt
from robustshape.generators import attributes
from robustshape.indicators import value
from robustshape.models import weights, zoo

warnings.simplefilter("ignore")
x = torch.full((2, 1, 2, 2), 0.5)


def listed(kind, name):
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        main(["list", kind, name])
    return shown.getvalue().split()[:1] == [name]


def with_weights(name):
    folder = paths.project_root() / "notebooks" / "pretrained"
    save_file(
        {"1.weight": torch.zeros(10, 64), "1.bias": torch.zeros(10)}, folder / f"{name}.safetensors"
    )
    card = folder / f"{name}.json"
    found = weights.sha256(folder / f"{name}.safetensors").removeprefix("sha256:")
    card.write_text(card.read_text().replace("CHECKSUM", found))
    return models.load(f"file:pretrained/{name}.json")


def tried(expression):
    try:
        return bool(eval(expression))
    except Exception:
        return traceback.format_exc()


print(json.dumps({row: tried(true) for row, true in json.loads(sys.stdin.read()).items()}))
"""


@pytest.fixture(scope="module")
def added(tmp_path_factory) -> dict:
    """Return, by row, whether what was added to a copy of the project is there, or the traceback that says why not."""
    root = tmp_path_factory.mktemp("project")
    unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for folder in ("lib", "notebooks"):
        shutil.copytree(ROOT / folder, root / folder, ignore=unwanted)
    (root / "data").mkdir()
    for name in ("_config.yml", "data/claims.toml"):
        shutil.copy(ROOT / name, root / name)
    for files, edits, _ in ADDITIONS.values():
        for name, text in files.items():
            assert not (root / name).exists()
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_text(text)
        for name, pattern, text in edits:
            before = (root / name).read_text()
            place = re.search(pattern, before)
            more = text if isinstance(text, str) else text(before)
            (root / name).write_text(before[: place.end()] + more + before[place.end() :])
    path = os.pathsep.join([str(root / "lib"), os.environ["PYTHONPATH"]])
    true = json.dumps({row: expression for row, (_, _, expression) in ADDITIONS.items()})
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE], input=true, cwd=root, env={**os.environ, "PYTHONPATH": path},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def rows() -> list[str]:
    """Return what CONTRIBUTING.md says can be added."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    return re.findall(r"^\| (an? [^|]+?) \|", text, re.MULTILINE)


@pytest.mark.parametrize("row", ADDITIONS)
def test_what_a_row_says_is_enough(row, added):
    assert row in rows()
    assert added[row] is True, added[row]
