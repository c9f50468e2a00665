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
from robustshape.generators.stylegan2.files import card_of
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


def folder_of(path, sizes, channels=3):
    """Write pictures of these sizes (height, width) in turns into two classes, to train on and to test on."""
    for split in ("train", "test"):
        for i, (height, width) in enumerate(sizes):
            pixels = np.random.default_rng(i).integers(0, 256, (height, width, channels), np.uint8)
            place = path / split / "ab"[i % 2]
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.squeeze()).save(place / f"{i}.png")
    return f"imagefolder:{path}"


def test_photographs_of_mixed_sizes_are_learned_in_the_reading_asked_for(
    tmp_path, cache, few, monkeypatch, capsys
):
    monkeypatch.setattr("robustshape.generators.settings.Settings", lambda n_images: SMALL)
    name = folder_of(tmp_path / "pets", [(40, 50), (33, 64), (100, 36), (48, 48)] * 3)
    call = ["train-generator", "-o", str(tmp_path / "x.safetensors"), "--dataset", name, "--images", "64"]
    assert main(call) == 2
    said = capsys.readouterr().err
    assert (
        "are 33 x 64 to 100 x 36 px; give a reading" in said
        and "crop32" in said
        and not list(cache.glob("gen*"))
    )
    assert main([*call, "--reading", "crop32", "--judge", "zoo:lenet-corrupted"]) == 0
    card = json.loads((tmp_path / "x.json").read_text())
    assert card["data"]["reading"] == "crop32" and card["settings"]["img_resolution"] == 32
    assert card["settings"]["img_channels"] == 3 and card["scores"]["n"] == 12
    assert main([*call, "--reading", "native"]) == 2 and "a power of two" in capsys.readouterr().err


def test_images_of_28_px_get_a_black_rim_and_other_sizes_need_a_reading(tmp_path, cache):
    small = folder_of(tmp_path / "small", [(28, 28)] * 8, channels=1)
    data = trained.learnable(small, "test")
    assert data.attrs["reading"] == "pad32" and data.image.shape[1:] == (32, 32, 1)
    assert not data.image.values[:, :2].any() and data.image.values[:, 2:30, 2:30].any(axis=(1, 2, 3)).all()
    card = trained.train_generator(tmp_path / "x.safetensors", dataset=small, settings=SMALL, judge="")
    assert card["data"]["reading"] == "pad32" and card["settings"]["img_resolution"] == 32
    assert trained.learnable(small, "test", "resize32").image.values[:, :2].any()  # what is asked for is done
    with pytest.raises(InputError, match=r"are 28 x 28 px; give a reading .* resize32"):
        trained.learnable(small, "test", "native")
    for k, (size, words) in enumerate([((27, 27), "27 x 27"), ((40, 40), "40 x 40"), ((32, 16), "32 x 16")]):
        with pytest.raises(
            InputError, match=f"squares of a power of two from 4 px on, but .* are {words} px"
        ):
            trained.learnable(folder_of(tmp_path / str(k), [size] * 4), "test")
    assert trained.learnable(folder_of(tmp_path / "fit", [(16, 16)] * 4), "test").attrs["reading"] == "native"


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


SHIPPED = sorted(path.name for path in generator_path("").parent.glob("corrupted_mnist*.safetensors"))


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """A classifier of corrupted digits; 40 epochs of 5,000, for the judges of the cards saw 60,000."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path_factory.mktemp("reader")))
        yield models.load("zoo:lenet-corrupted", dataset="mnist5k", epochs=40)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_generator_that_ships_is_that_of_its_card_and_makes_all_digits(reader, name):
    path = generator_path(name)
    card, generator = card_of(path), read_network(path)
    assert checksum(path) == f"sha256:{card['sha256']}" and path.stat().st_size == card["bytes"] < 4e6
    assert generator.settings == card["settings"] and generator.settings["img_resolution"] == 32
    assert card["training"]["images_seen"] > 100_000 and card["training"]["seconds"] > 0
    labels = np.arange(300) % 10
    images = quality.sampled(generator, labels, seed=5, truncation_psi=0.7)
    right = reader.predict(images) == labels
    assert right.mean() > 0.7 and all(right[labels == k].mean() > 0.3 for k in range(10))
    assert min(card["scores"]["by_class"]) > 0.5
    seen = measured(quality.grey(quality.sampled(generator, labels, seed=5)))
    assert np.nanmax(seen["noise"]) > 0.15 and np.nanmin(seen["noise"]) < 0.02  # some noisy, some clean
    assert np.nanmax(seen["blur"]) > 2 * np.nanmedian(seen["blur"])  # some blurred


def test_the_card_of_a_generator_is_no_card_of_a_classifier():
    listed = models.names("file:*")
    assert listed and not any("corrupted_mnist" in name for name in listed)
