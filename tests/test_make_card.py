"""Cards that are written for weights: of every program that writes checkpoints, and what does not fit."""

import json

import numpy as np
import pytest
import timm
import torch
from torch import nn

from robustshape import models
from robustshape.cli import main
from robustshape.errors import InputError, MissingFileError, StoreError
from robustshape.make_card import make_card
from robustshape.models.card import Card, checked

NAMES = ["ant", "bee", "cat"]


def fine_tuned(**more):
    torch.manual_seed(0)
    return timm.create_model("test_resnet", pretrained=False, num_classes=3, **more).eval()


def saved(tmp_path, state, name="mine.pth"):
    torch.save(state, tmp_path / name)
    return tmp_path / name


def prefixed(state, prefix):
    return {prefix + name: values for name, values in state.items()}


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda state: state,
        lambda state: {"state_dict": state, "epoch": 3, "arch": "test_resnet"},  # timm
        lambda state: {
            "state_dict": prefixed(state, "model."),
            "pytorch-lightning_version": "2.0",
        },  # Lightning
        lambda state: prefixed(state, "_orig_mod."),  # torch.compile
        lambda state: {"model": prefixed(state, "module.")},  # parallel training
    ],
)
def test_a_checkpoint_of_a_training_program_gets_a_card(tmp_path, wrapped):
    network = fine_tuned()
    card = make_card(saved(tmp_path, wrapped(network.state_dict())), "timm:test_resnet")
    assert (
        card == tmp_path / "mine.json"
        and [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []
    )
    known = checked(card)
    assert (known["arguments"], known["classes"], known["weights"]) == ({"num_classes": 3}, 3, "mine.pth")
    assert known["preprocessing"]["size"] == [160, 160] and known["preprocessing"]["mean"][
        0
    ] == pytest.approx(0.5)
    loaded = models.load(f"file:{card}")
    images = np.random.default_rng(0).integers(0, 256, (2, 160, 160, 3), np.uint8)
    with torch.no_grad():
        assert np.allclose(loaded.logits(images), network(loaded.preprocess(images)).numpy(), atol=1e-5)


@pytest.mark.parametrize(
    "beside, how",
    [
        ({"class_names": NAMES}, {}),
        ({"class_to_idx": {"bee": 1, "ant": 0, "cat": 2}}, {}),
        ({"idx_to_class": {0: "ant", 1: "bee", 2: "cat"}}, {}),
        ({}, {"classes": "ant\nbee\ncat\n"}),
        ({}, {"classes": json.dumps(NAMES)}),
    ],
)
def test_the_classes_come_from_the_checkpoint_or_a_file(tmp_path, beside, how):
    if how:
        (tmp_path / "classes.txt").write_text(how["classes"])
        how = {"classes": tmp_path / "classes.txt"}
    weights = saved(tmp_path, {"state_dict": fine_tuned().state_dict(), **beside})
    assert checked(make_card(weights, "timm:test_resnet", **how))["classes"] == NAMES


def test_a_folder_of_hugging_face_says_what_it_holds(tmp_path):
    from safetensors.torch import save_file

    save_file(fine_tuned().state_dict(), tmp_path / "model.safetensors")
    config = {"architecture": "test_resnet", "num_classes": 3, "label_names": NAMES}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "preprocessor_config.json").write_text(
        json.dumps(
            {"size": {"height": 96, "width": 96}, "image_mean": [0.1, 0.2, 0.3], "image_std": [1, 1, 0.5]}
        )
    )
    known = checked(make_card(tmp_path))
    assert known["classes"] == NAMES and known["constructor"] == "timm:test_resnet"
    assert known["preprocessing"]["size"] == [96, 96] and known["preprocessing"]["mean"] == [0.1, 0.2, 0.3]
    assert models.load(f"file:{tmp_path / 'card.json'}").n_classes == 3
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["ViTForImageClassification"]}))
    with pytest.raises(
        InputError,
        match="its config names ViTForImageClassification, of another library, so write a function",
    ):
        make_card(tmp_path)


def test_a_grey_network_and_one_of_torchvision(tmp_path):
    card = checked(make_card(saved(tmp_path, fine_tuned(in_chans=1).state_dict()), "timm:test_resnet"))
    assert card["arguments"] == {"num_classes": 3, "in_chans": 1} and card["preprocessing"]["channels"] == 1
    import torchvision

    small = torchvision.models.squeezenet1_1(num_classes=4)
    how = {"size": [64, 64], "resize": 64}
    weights = saved(tmp_path, small.state_dict(), "sq.pth")
    card = make_card(
        weights,
        "torchvision:squeezenet1_1",
        preprocessing=how,
        output=tmp_path / "cards" / "sq.json",
        licence="MIT",
    )
    known = checked(card)
    assert known["licence"] == "MIT" and known["preprocessing"]["size"] == [64, 64] and known["classes"] == 4
    assert models.load(f"file:{card}").n_classes == 4  # its weights lie in another folder


def test_a_network_that_a_function_builds(tmp_path, monkeypatch):
    (tmp_path / "carded_net.py").write_text(
        "from torch import nn\n\ndef build(width=8):\n"
        "    return nn.Sequential(nn.Conv2d(1, width, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))\n"
    )
    monkeypatch.chdir(tmp_path)
    net = nn.Sequential(nn.Conv2d(1, 6, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 10))
    weights = saved(tmp_path, net.state_dict())
    with pytest.raises(
        InputError,
        match=r"the weights do not fit python:carded_net:build: \d tensors are missing or of another shape",
    ):
        make_card(weights, "python:carded_net:build")
    assert not (tmp_path / "mine.json").exists()
    assert (
        main(
            [
                "make-card",
                "mine.pth",
                "--python",
                "carded_net:build",
                "--argument",
                "width",
                "6",
                "--dataset",
                "digits",
            ]
        )
        == 0
    )
    assert checked(tmp_path / "mine.json")["arguments"] == {"width": 6}


def test_the_command_says_how_the_network_does_on_data(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    saved(tmp_path, timm.create_model("test_resnet", num_classes=10, in_chans=1).state_dict())
    command = [
        "make-card",
        "mine.pth",
        "--timm",
        "test_resnet",
        "--size",
        "32",
        "--mean",
        "0.1",
        "--std",
        "0.3",
        "--dataset",
        "digits",
    ]
    assert main(command) == 0
    told = capsys.readouterr().out
    assert "of 200 images of digits" in told and "which is chance" in told and "file:mine.json" in told
    how = checked(tmp_path / "mine.json")["preprocessing"]
    assert (how["size"], how["resize"], how["mean"]) == ([32, 32], 32, [0.1])
    assert main([*command, "--torchvision", "resnet18"]) == 2
    assert (
        "one network is named, but timm:test_resnet and torchvision:resnet18 were given"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    "change, error, words",
    [
        (dict(constructor=""), InputError, "has to be named .it is nowhere said.: --timm NAME, --torchvision NAME or"),
        (dict(constructor="timm:resnett"), InputError, "unknown model 'timm:resnett'"),
        (dict(constructor="tim:resnet18"), InputError, "unknown constructor 'tim:resnet18'"),
        (dict(constructor="timm:resnet18"), InputError, "the weights do not fit timm:resnet18: "),
        (dict(weights="nothing.pth"), MissingFileError, "there are no weights"),
        (dict(classes="nothing.txt"), MissingFileError, "with the names of the classes"),
        (dict(arguments={"num_clases": 3}), InputError, "cannot be built with|do not fit"),
        (dict(output="card.txt"), InputError, "a card is a file that ends in .json"),
        (dict(preprocessing={"std": [0, 1, 1]}), InputError, "has 0 in preprocessing.std.0: input should be greater than 0"),
        (dict(head="nowhere"), InputError, "nowhere"),
    ],
)  # fmt: skip
def test_what_does_not_fit_leaves_no_card(tmp_path, monkeypatch, change, error, words):
    monkeypatch.chdir(tmp_path)
    given = {
        "weights": saved(tmp_path, fine_tuned().state_dict()),
        "constructor": "timm:test_resnet",
    } | change
    with pytest.raises(error, match=words):
        make_card(given.pop("weights"), given.pop("constructor"), **given)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.pth"]


def test_names_that_are_not_as_many_as_the_outputs_are_refused(tmp_path):
    (tmp_path / "classes.txt").write_text("ant\nbee\n")
    with pytest.raises(
        InputError, match=r"do not fit|it returns 3 numbers for an image, but 2 classes are given"
    ):
        make_card(
            saved(tmp_path, fine_tuned().state_dict()), "timm:test_resnet", classes=tmp_path / "classes.txt"
        )
    assert not (tmp_path / "mine.json").exists()


def test_a_pickle_that_would_run_code_is_not_opened(tmp_path):
    with pytest.raises(StoreError, match="to open that would run code of the file"):
        make_card(saved(tmp_path, fine_tuned()), "timm:test_resnet")


CARD = {
    "constructor": "timm:x",
    "weights": "a",
    "sha256": "0" * 64,
    "preprocessing": {"channels": 3},
    "classes": 10,
}


@pytest.mark.parametrize(
    "change, words",
    [
        ({"weights": None}, "null in weights: input should be a valid string"),
        ({"weights": ""}, '"" in weights: string should have at least 1 character'),
        ({"weights": 5}, "5 in weights"),
        ({"classes": True}, "true in classes: must be a list of two names or more, or their number"),
        ({"classes": ["a", 3]}, "in classes.1: must be a list"),
        ({"bytes": -1}, "-1 in bytes: input should be greater than 0"),
        ({"sha256": "xyz"}, '"xyz" in sha256'),
        ({"preprocessing": None}, "null in preprocessing"),
        ({"preprocessing": {"channels": 2}}, "2 in preprocessing.channels: input should be 1 or 3"),
        ({"preprocessing": {"channels": 3, "std": [1]}}, "1 numbers in preprocessing.std, but 3 channels"),
        (
            {"preprocessing": {"channels": 1, "mean": [float("nan")]}},
            "NaN in preprocessing.mean.0: input should be a finite",
        ),
        ({"preprocessing": {"channels": 3, "size": [-1, 3]}}, "-1 in preprocessing.size.0"),
        (
            {"preprocessing": {"channels": 3, "sise": [3, 3]}},
            "unknown entry 'preprocessing.sise'; closest: size",
        ),
        ({"trains_on": "noise"}, '"noise" in trains_on: input should be a valid list'),
        ({"arguments": []}, r"\[\] in arguments"),
        ({"head": 0}, "0 in head"),
        ({"clases": 3}, "unknown entry 'clases'; closest: classes"),
    ],
)
def test_the_first_wrong_field_of_a_card_is_named(tmp_path, change, words):
    (tmp_path / "card.json").write_text(json.dumps(CARD | change))
    with pytest.raises(InputError, match=words):
        checked(tmp_path / "card.json")


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "is not JSON"), ("[]", "holds a list, but must be an object"), ("[" * 9999, "is not JSON")],
)
def test_a_card_that_is_no_object(tmp_path, text, words):
    (tmp_path / "card.json").write_text(text)
    with pytest.raises(InputError, match=words):
        checked(tmp_path / "card.json")


def test_a_card_of_every_field_is_read():
    (needed := {name for name, field in Card.model_fields.items() if field.is_required()})
    assert needed == set(CARD)


def test_images_of_various_sizes_are_tried_as_the_report_reads_them(tmp_path, monkeypatch, data_folder):
    import numpy as np
    from PIL import Image

    from robustshape import datasets, models
    from robustshape.make_card import tried_on
    from robustshape.studies.your_model.sizes import completed

    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for kind, shade in (("a", 60), ("b", 180)):
        for i in range(20):
            (data_folder / "mixed" / kind).mkdir(parents=True, exist_ok=True)
            pixels = rng.integers(shade - 60, shade + 60, (40 + i, 90, 3), dtype=np.uint8)
            pixels[:, 40:50] = 250 - shade  # what a crop keeps and a squeezed image lacks
            Image.fromarray(pixels).save(data_folder / "mixed" / kind / f"{i}.png")
    saved(tmp_path, timm.create_model("test_resnet", num_classes=2).state_dict())
    card = make_card("mine.pth", "timm:test_resnet", preprocessing={"size": [48, 48], "resize": 48})
    told = tried_on(card, "imagefolder:mixed", 40)
    given = {
        "models": [f"file:{card}"],
        "dataset": "imagefolder:mixed",
        "predict_only": True,
        "n_classes": 0,
        "per_class": 0,
    }
    reading = completed(given)["reading"]
    data = datasets.load("imagefolder:mixed", reading=reading)
    right = (
        models.load(f"file:{card}").logits(datasets.pixels(data)).argmax(1) == data["label"].values
    ).mean()
    assert reading == "crop64"
    assert told.startswith(f"right on {right:.1%} of 40 images of imagefolder:mixed, read as crop64")
