"""From a data set's name to a generator, its card and its picture: on the few digits that a package ships."""

import json

import numpy as np
import pytest
from PIL import Image

from robustshape import models
from robustshape.cli import main
from robustshape.errors import InputError
from robustshape.generators import quality, trained
from robustshape.generators.attributes import measured
from robustshape.generators.settings import Settings
from robustshape.generators.stylegan2 import read_network
from robustshape.studies.failure_discovery.scene import checksum, generator_path

SMALL = Settings(
    n_images=64, batch_size=16, z_dim=4, w_dim=4, channel_base=64, channel_max=4, mapping_layers=1
)


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(trained, "N_SCORED", 200)


def test_a_generator_comes_with_a_card_that_says_how_it_was_made(tmp_path, cache, few):
    path = tmp_path / "new" / "digits.safetensors"
    card = trained.train_generator(path, dataset="digits", settings=SMALL, judge="zoo:mlp-corrupted")
    assert card == json.loads(path.with_suffix(".json").read_text())
    generator = read_network(path)
    assert generator.settings == card["settings"] and generator.settings["c_dim"] == 10
    made = card["training"]
    assert made["images_seen"] == 64 and made["seed"] == 0 and made["seconds"] >= 0
    assert made["hardware"] and made["versions"] and made["precision"] == "float32"
    assert card["data"]["dataset"] == "digits" and card["data"]["corruptions"] == [
        "gaussian_blur",
        "gaussian_noise",
    ]
    found = card["scores"]
    assert found["judge"] == "zoo:mlp-corrupted" and found["n"] == 200 and len(found["by_class"]) == 10
    assert found["real_accuracy"] > 0.5 > found["accuracy"]  # four batches make no digits
    assert found["frechet"] > found["frechet_floor"]
    assert Image.open(path.with_suffix(".png")).size == (12 * 64, 10 * 64)


def test_the_same_call_goes_on_and_gives_what_one_long_call_gives(tmp_path, cache):
    from dataclasses import replace

    def weights(name, **kw):
        path = tmp_path / f"{name}.safetensors"
        trained.train_generator(path, dataset="digits", judge="", **kw)
        return read_network(path).state_dict()

    whole = weights("whole", settings=SMALL, seed=1)
    [checkpoint] = (cache / "generators").iterdir()
    checkpoint.unlink()
    weights("half", settings=replace(SMALL, n_images=32), seed=1)
    longer = weights("longer", settings=SMALL, seed=1)
    assert all(np.array_equal(whole[k], longer[k]) for k in whole)


def test_the_command_line_refuses_another_ending(tmp_path, capsys):
    with pytest.raises(InputError, match=r"\.safetensors, but the output is 'x\.pkl'"):
        trained.train_generator(tmp_path / "x.pkl")
    assert main(["train-generator", "-o", str(tmp_path / "x.pkl")]) == 2
    assert "x.pkl" in capsys.readouterr().err
    assert main(["train-generator", "-o", str(tmp_path / "x.safetensors"), "--images", "0"]) == 2
    assert "n_images is at least 1" in capsys.readouterr().err


def test_a_judge_that_does_not_exist_is_refused_before_anything_is_trained(tmp_path, cache):
    with pytest.raises(InputError, match="lenett"):
        trained.train_generator(
            tmp_path / "x.safetensors", dataset="digits", settings=SMALL, judge="zoo:lenett"
        )
    assert not (cache / "generators").exists() and not list(tmp_path.glob("x.*"))


def test_the_command_says_how_well_the_images_are_read(tmp_path, cache, few, capsys, monkeypatch):
    monkeypatch.setattr("robustshape.generators.settings.Settings", lambda n_images: SMALL)
    call = ["train-generator", "-o", str(tmp_path / "x.safetensors"), "--dataset", "digits"]
    assert main([*call, "--judge", "zoo:mlp-corrupted"]) == 0
    said = capsys.readouterr().out
    assert "64 images in" in said and "zoo:mlp-corrupted reads the class asked for in 0." in said
    known = json.loads((tmp_path / "x.json").read_text())["scores"]
    assert ("of the mildly corrupted" in said) == (known["mild_ratio"] is not None)
    assert main([*call, "--judge", ""]) == 0 and "reads the class" not in capsys.readouterr().out


def test_a_picture_holds_every_image_in_rows(tmp_path):
    images = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.ones((3, 2, 2, 1), np.uint8)
    trained.draw(images, 2, tmp_path / "x.png")
    found = np.asarray(Image.open(tmp_path / "x.png"))
    assert found.shape == (8, 8)
    assert (found[:4, :4] == 0).all() and (found[:4, 4:] == 1).all() and (found[4:, :4] == 2).all()


def test_the_generator_that_ships_is_that_of_its_card_and_makes_all_digits(cache):
    path = generator_path("")
    card, generator = trained.card_of(path), read_network(path)
    assert checksum(path) == f"sha256:{card['sha256']}" and path.stat().st_size == card["bytes"] < 4e6
    assert generator.settings == card["settings"] and generator.settings["img_resolution"] == 32
    assert card["training"]["images_seen"] > 100_000 and card["training"]["seconds"] > 0
    labels = np.arange(300) % 10
    images = quality.sampled(generator, labels, seed=5, truncation_psi=0.7)
    reader = models.load("zoo:lenet-corrupted", dataset="mnist5k", epochs=3)
    right = reader.predict(images) == labels
    assert right.mean() > 0.7 and all(right[labels == k].mean() > 0.3 for k in range(10))
    seen = measured(quality.grey(quality.sampled(generator, labels, seed=5)))
    assert np.nanmax(seen["noise"]) > 0.15 and np.nanmin(seen["noise"]) < 0.02  # some noisy, some clean
    assert np.nanmax(seen["blur"]) > 2 * np.nanmedian(seen["blur"])  # some blurred


def test_the_card_of_a_generator_is_no_card_of_a_classifier():
    listed = models.names("file:*")
    assert listed and not any("corrupted_mnist.json" in name for name in listed)
