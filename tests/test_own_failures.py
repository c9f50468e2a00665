"""The recipe of failures on own data: its commands as they stand on the page, on a small folder of pictures.

Only what takes hours stands in: the generator, of 64 images, is replaced by one whose classes differ.
"""

import re
import shlex
from pathlib import Path

import pytest
import xarray
from PIL import Image

import toy_generator
from robustshape import cli, datasets, notebooks
from robustshape.generators.stylegan2 import read_network, write_network
from robustshape.generators.stylegan2.files import card_of
from robustshape.studies.failure_discovery import STUDY
from test_failure_discovery import TOY

PAGE = Path(__file__).parents[1] / "book" / "how_to" / "your_model.md"
SMALL = {
    name: TOY[name]
    for name in ("n_samples", "n_moved", "n_walked", "shifts", "n_dimensions", "n_robustness", "severities")
}


def commands() -> list[list[str]]:
    """Return the commands of the recipe, without the program."""
    [block] = [
        b for b in re.findall(r"```bash\n(.*?)```", PAGE.read_text(), re.DOTALL) if "train-generator" in b
    ]
    return [shlex.split(line)[1:] for line in block.replace("\\\n", " ").splitlines()]


def test_failures_of_an_own_classifier_on_own_pictures(tmp_path, monkeypatch, cache):
    monkeypatch.chdir(tmp_path)
    for split, n in (("train", 80), ("test", 80)):
        digits = datasets.load("digits", split=split).isel(sample=slice(0, n))
        for i, (image, label) in enumerate(zip(datasets.pixels(digits), digits["label"].values)):
            folder = tmp_path / "pictures" / split / f"digit {label}"
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image[..., 0]).save(folder / f"{i:03d}.png")
    training, discovery = commands()
    training[training.index("--images") + 1] = "64"
    assert cli.main([*training, "--judge", ""]) == 0
    card = card_of(Path("mine.safetensors"))
    assert (
        card["data"]["dataset"] == "imagefolder:pictures"
        and read_network("mine.safetensors").settings["c_dim"] == 10
    )
    Path("mine.json").unlink()  # the card of other weights
    write_network("mine.safetensors", toy_generator.generator())
    measured = {}

    def run(notebook, preset=None, parameters=None, output=None, progress=True):
        full = {name: one.default for name, one in notebooks.parameters_of(notebook).items()}
        given = full | notebooks.read_parameters(notebook, preset, parameters) | SMALL
        measured["rows"] = STUDY.measure(**STUDY.given(given))
        return "nothing is drawn"

    monkeypatch.setattr(notebooks, "run_notebook", run)
    own = {
        "python:my_module:build": "python:toy_generator:learner",
        "python:my_module:other": "python:toy_generator:judge",
    }
    assert cli.main([own.get(word, word) for word in discovery]) == 0
    rows = measured["rows"]
    assert rows.model.values.tolist() == ["python:toy_generator:learner"]
    assert str(rows["dataset"].values[0]) == "imagefolder:pictures" and rows.sizes["class"] == 10
    cases = xarray.open_zarr("failures.zarr")
    assert set(cases) >= {"image", "predicted"} and cases.sizes["case"] > 0


@pytest.mark.parametrize("word", ["--dataset", "--reading", "-p"])
def test_the_recipe_has_what_a_reader_changes(word):
    assert all(word in command for command in commands() if (word == "-p") == (command[0] == "run"))
