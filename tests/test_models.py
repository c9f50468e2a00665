"""Models by name, the zoo and its cache, classifiers, hooks, preprocessing, and every source without a network."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from robustshape import datasets, models
from robustshape.errors import InputError, MissingFileError, StoreError, TrainingError
from robustshape.hooks import at_depth, capture, find_layer, last_linear, layer_names
from robustshape.models import zoo
from robustshape.models.classifier import Classifier, chunk_of
from robustshape.models.preprocessing import Preprocessing
from robustshape.models.recipes import CHANGES, PLAIN, architectures, recipe_for
from robustshape.models.resizing import Squash
from robustshape.store import sealed
from robustshape.store.keys import key_of
from robustshape.training.recipe import learning_rate

QUICK = {"dataset": "digits", "epochs": 1}


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits").image.values


@pytest.fixture(scope="module")
def lenet():
    return models.load("zoo:lenet", **QUICK)


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """A folder that ROBUSTSHAPE_DATA names, for weights, and nothing but it."""
    monkeypatch.setenv("ROBUSTSHAPE_DATA", str(tmp_path))
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path / "cache"))
    return tmp_path


def photos(n=3, height=80, width=64):
    return np.random.default_rng(0).integers(0, 256, (n, height, width, 3), dtype=np.uint8)


# the zoo


EVERY = [(a, recipe) for recipe in CHANGES for a in PLAIN if "tiny" not in a or recipe == "plain"]  # large


@pytest.mark.parametrize("architecture, recipe", EVERY)
def test_every_network_of_the_zoo_trains(architecture, recipe, digits):
    from robustshape.training.loop import train

    module = zoo.construct(architecture)
    head = module.get_submodule(last_linear(module))
    first = head.weight.detach().clone()
    short = replace(recipe_for(architecture, recipe), epochs=1, batch_size=16)
    if "tiny" in architecture:
        short = replace(short, learning_rate=1e-3)  # its own is for batches of thousands
    history = train(module, digits[:32], np.arange(32) % 10, short, seed=0)
    assert 0 < history["loss"][0] < 10 and not torch.equal(head.weight, first)


@pytest.mark.parametrize("architecture", PLAIN)
@pytest.mark.parametrize("channels, size", [(1, 28), (3, 32), (3, 64)])
def test_every_architecture_ends_in_a_linear_head(architecture, channels, size):
    module = zoo.construct(architecture, channels=channels, size=size, n_classes=7)
    assert module(torch.rand(2, channels, size, size)).shape == (2, 7)
    head = module.get_submodule(last_linear(module))
    assert isinstance(head, nn.Linear) and head.out_features == 7


def test_the_catalogue_is_every_architecture_times_every_recipe():
    assert len(models.names("zoo:*")) == len(architectures()) * len(CHANGES) >= 60 * 7
    assert models.names("zoo:vit-n*") == ["zoo:vit-noise"]
    assert "zoo:mlp" in models.names("zoo:*") and "zoo:mlp-plain" not in models.names("zoo:*")


def test_the_recipes_of_the_residual_networks():
    steps = recipe_for("cifar_resnet20", "steps")
    assert (steps.learning_rate, steps.weight_decay, steps.batch_size, steps.n_images) == (0.1, 1e-4, 256, 0)
    assert (steps.schedule, steps.milestones, steps.augmentation) == ("steps", (0.5, 0.75), ("crop", "flip"))
    rates = [[rate(name, 90, epoch) for epoch in (34, 35, 50, 65, 80)] for name in PLAIN if "tiny" in name]
    assert rates == [pytest.approx([0.1, 0.01, 1e-3, 1e-4, 1e-5])] * 2
    assert [PLAIN[name].batch_size for name in PLAIN if "tiny" in name] == [4096, 1400]
    assert [PLAIN[name].kept_as for name in PLAIN if "tiny" in name] == ["float16"] * 2
    assert models.identity("zoo:tiny_resnet18", dataset="digits", epochs=90)["recipe"]["epochs"] == 90


def rate(name, epochs, epoch):
    """Return the learning rate at the begin of an epoch of ten steps."""
    return learning_rate(recipe_for(name, "plain"), epoch * 10, epochs * 10)


def test_joined_recipes_change_the_plain_one_in_turn():
    steps = recipe_for("cifar_resnet20", "steps")
    assert recipe_for("cifar_resnet20", "steps+alpha=-1") == replace(steps, selectivity=-1.0)
    assert recipe_for("lenet", "noise+augmix").augmentation == ("shift", "noise", "augmix")
    assert recipe_for("lenet", "alpha=1e+3+pgd").selectivity == 1000
    one, other = (
        models.identity(f"zoo:resnet-{name}", **QUICK) for name in ("pgd+alpha=.4", "alpha=0.40+pgd")
    )
    assert one == other and one["recipe"]["selectivity"] == 0.4


@pytest.mark.parametrize(
    "architecture, name, words",
    [
        ("lenet", "steps+sgd", "schedule, steps and constant"),
        ("lenet", "sgd+steps", "schedule, constant and steps"),
        ("lenet", "decay+alpha=1+sgd", "optimiser, adamw and sgd"),
        ("cifar_resnet20", "steps+sgd", "weight_decay, 0.0001 and 0.0"),  # both have the same rate
        ("cifar_resnet20", "decay+steps", "weight_decay, 0.005 and 0.0001"),
    ],
)
def test_joined_recipes_that_want_the_same_thing_otherwise_are_refused(architecture, name, words):
    expected = f"^the parts of {name!r} want another {words}: leave one of them out$".replace("+", r"\+")
    with pytest.raises(InputError, match=expected):
        recipe_for(architecture, name)
    with pytest.raises(InputError, match=expected):
        models.identity(f"zoo:{architecture}-{name}/1", **QUICK)


def test_joined_recipes_may_want_the_same_thing_alike(monkeypatch):
    monkeypatch.setitem(CHANGES, "again", {"label_smoothing": 0.1, "augmentation": ("noise",)})
    found = recipe_for("lenet", "smooth+again")
    assert found == replace(recipe_for("lenet", "smooth"), augmentation=("shift", "noise"))


def test_selectivity_cannot_be_joined_to_mixup():
    with pytest.raises(
        InputError, match="no meaning for images mixed of two classes: leave out mixup or alpha"
    ):
        models.identity("zoo:lenet-mixup+alpha=1", **QUICK)
    assert models.identity("zoo:lenet-mixup+alpha=0", **QUICK) == models.identity("zoo:lenet-mixup", **QUICK)


def test_a_strength_of_zero_is_the_plain_network():
    for name in ("alpha=0", "alpha=-0.0", "plain"):
        assert models.identity(f"zoo:resnet-{name}/1", **QUICK) == models.identity("zoo:resnet/1", **QUICK)
    assert "selectivity" not in models.identity("zoo:resnet", **QUICK)["recipe"]


def test_a_training_that_diverged_is_kept_and_not_tried_again(cache, monkeypatch):
    name = "zoo:resnet-sgd+alpha=1e30"
    assert not models.is_ready(name, **QUICK)
    words = r"the loss is nan in epoch 1 of 1, step 2 of .*nearer to 0 than 1e\+30; this is kept: .*delete .*\.diverged\.json"
    with pytest.raises(TrainingError, match=words) as first:
        models.load(name, **QUICK)
    (path,) = (cache / "models").iterdir()
    kept, spec = sealed.read(path), models.identity(name, **QUICK)
    assert path.name == f"{key_of(spec)}.diverged.json" and str(path) in str(first.value)
    assert kept["identity"] == json.loads(json.dumps(spec)) and kept["provenance"]["device"] == "cpu"
    assert models.is_ready(name, **QUICK) and not models.is_ready("zoo:resnet-sgd+alpha=1e29", **QUICK)
    assert zoo.marks(name.removeprefix("zoo:"), **QUICK) == ["diverged"]
    monkeypatch.setattr(zoo, "train", lambda *a: pytest.fail("it was trained again"))
    with pytest.raises(TrainingError) as again:
        models.load(name, **QUICK)
    assert str(again.value) == str(first.value)
    path.unlink()
    assert not models.is_ready(name, **QUICK)


@pytest.mark.parametrize(
    "name, weight, kept", [("zoo:lenet", 1e5, True), ("zoo:cnn_a", 1e5, False), ("zoo:lenet", np.nan, False)]
)
def test_a_network_whose_logits_are_not_finite_as_they_are_kept_has_diverged(
    cache, monkeypatch, name, weight, kept
):
    from robustshape.training import loop

    trained = []

    def train(module, *given, checkpoint, **more):  # without a loss that could say so
        trained.append(module)
        checkpoint.write_text("half way")
        module.get_submodule(last_linear(module)).weight.data.fill_(weight)
        return {"loss": [1.0]}

    monkeypatch.setattr(loop, "train", train)
    if kept:  # more than half precision can hold, but kept in full
        assert np.isfinite(models.load(name, **QUICK).logits(np.zeros((2, 32, 32, 1), np.uint8))).all()
        return
    words = (
        r"^the loss stayed finite, but the trained network's logits are not; try a lower learning rate, or a "
        r"selectivity \(alpha\) nearer to 0; this is kept: to train it again, delete .*\.diverged\.json$"
    )
    for _ in range(2):
        with pytest.raises(TrainingError, match=words):
            models.load(name, **QUICK)
    key = key_of(models.identity(name, **QUICK))
    assert len(trained) == 1 and [file.name for file in (cache / "models").iterdir()] == [
        f"{key}.diverged.json"
    ]
    assert models.is_ready(name, **QUICK)


def test_another_version_of_the_regulariser_is_another_network_and_trains(cache, monkeypatch):
    name = "zoo:lenet-alpha=-1"
    before, plain = models.identity(name, **QUICK), models.identity("zoo:lenet", **QUICK)
    with monkeypatch.context() as patch:
        patch.setattr("robustshape.training.recipe.SELECTIVITY_VERSION", 2)
        assert models.load(name, **QUICK).identity["recipe"] == before["recipe"] | {"selectivity version": 2}
        assert models.is_ready(name, **QUICK) and models.identity("zoo:lenet", **QUICK) == plain
    assert models.identity(name, **QUICK) == before and not models.is_ready(name, **QUICK)


def test_a_network_trained_channels_last_is_used_so(digits, tmp_path, monkeypatch):
    from robustshape.models import shipped

    module = zoo.construct("cifar_resnet20").eval()
    save_file(module.state_dict(), tmp_path / "w.safetensors")
    monkeypatch.setattr(shipped, "shipped", lambda identity: tmp_path / "w.safetensors")
    classifier = models.load("zoo:cifar_resnet20", **QUICK)
    assert classifier.module.layer1[0].conv1.weight.is_contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        expected = module(classifier.preprocess(digits[:64])).numpy()
    assert np.abs(classifier.logits(digits[:64]) - expected).max() < 1e-4 < np.abs(expected).max()


def test_learns_digits():
    data = datasets.load("digits")
    classifier = models.load("zoo:lenet-noise/1", dataset="digits", epochs=8)
    assert (classifier.predict(data.image.values) == data.label.values).mean() > 0.8
    assert classifier.about["trains_on"] == ("gaussian_noise",)


def test_a_network_is_trained_once_and_comes_back_the_same(cache, digits):
    assert not models.is_ready("zoo:lenet", **QUICK)
    first = models.load("zoo:lenet", **QUICK)
    assert models.is_ready("zoo:lenet", **QUICK)
    folder = cache / "models" / key_of(models.identity("zoo:lenet", **QUICK))
    changed = (folder / "weights.safetensors").stat().st_mtime_ns
    again = models.load("zoo:lenet-plain/0", **QUICK)
    assert np.array_equal(first.logits(digits[:9]), again.logits(digits[:9]))
    assert (folder / "weights.safetensors").stat().st_mtime_ns == changed
    assert json.loads((folder / "card.json").read_text())["identity"]["architecture"] == "lenet"


def test_a_damaged_network_is_named_and_trained_again(cache, digits, capsys):
    first = models.load("zoo:mlp", **QUICK).logits(digits[:9])
    folder = cache / "models" / key_of(models.identity("zoo:mlp", **QUICK))
    (folder / "weights.safetensors").write_bytes(b"cut short")
    again = models.load("zoo:mlp", **QUICK).logits(digits[:9])
    assert "weights.safetensors is not as it was written" in capsys.readouterr().out
    assert np.array_equal(first, again)


def test_a_damaged_checkpoint_is_named_and_the_training_begins_again(cache, digits, capsys):
    (cache / "models").mkdir(parents=True)
    path = cache / "models" / f"{key_of(models.identity('zoo:mlp', **QUICK))}.checkpoint"
    path.write_bytes(b"0" * 64 + b"\nhalf")
    found = models.load("zoo:mlp", **QUICK).logits(digits[:9])
    said = capsys.readouterr().out
    assert f"{path} is damaged" in said and "expected 0000000000000000" in said and not path.exists()
    shutil.rmtree(cache / "models")
    assert np.array_equal(found, models.load("zoo:mlp", **QUICK).logits(digits[:9]))


def test_the_global_randomness_does_not_reach_a_network(cache, digits, monkeypatch, tmp_path):
    torch.manual_seed(1)
    first = models.load("zoo:vit-augmix", **QUICK).logits(digits[:9])
    torch.manual_seed(2)
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path / "another"))
    assert np.array_equal(models.load("zoo:vit-augmix", **QUICK).logits(digits[:9]), first)


def test_interrupted_while_training_and_run_again_gives_the_same_weights(
    cache, digits, monkeypatch, tmp_path
):
    from robustshape.training import loop

    class Stop(Exception):
        pass

    def stopping(recipe, step, n_steps):
        if step == 20:
            raise Stop
        return learning_rate(recipe, step, n_steps)

    learning_rate, name, settings = loop.learning_rate, "zoo:resnet", {"dataset": "digits", "epochs": 3}
    monkeypatch.setattr(loop, "learning_rate", stopping)
    with pytest.raises(Stop):
        models.load(name, **settings)
    assert [file.suffix for file in (cache / "models").iterdir()] == [".checkpoint"]
    monkeypatch.setattr(loop, "learning_rate", learning_rate)
    resumed = models.load(name, **settings)
    (folder,) = (cache / "models").iterdir()
    assert json.loads((folder / "card.json").read_text())["history"]["resumed_at"] > 0
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path / "another"))
    assert np.array_equal(models.load(name, **settings).logits(digits), resumed.logits(digits))


def test_identity_is_json_and_tells_everything_apart():
    variants = [
        ("zoo:lenet", {}),
        ("zoo:lenet/1", {}),
        ("zoo:lenet-noise", {}),
        ("zoo:mlp", {}),
        ("zoo:lenet", {"epochs": 3}),
        ("zoo:lenet", {"dataset": "digits"}),
    ]
    keys = {key_of(models.identity(name, **kw)) for name, kw in variants}
    assert len(keys) == len(variants)
    same = models.identity("zoo:lenet-plain/0", device="cpu", progress=True)
    assert key_of(same) == key_of(models.identity("zoo:lenet"))
    assert same == json.loads(json.dumps(same)) | {"recipe": same["recipe"]}


# classifiers


def test_numbers_do_not_depend_on_how_images_are_split(lenet, digits):
    images = np.concatenate([digits, digits])[:700]
    whole = lenet.activations(images, ["penultimate", "logits", "conv2"])
    parts = [
        lenet.activations(images[i : i + 256], ["penultimate", "logits", "conv2"]) for i in (0, 256, 512)
    ]
    for name, values in whole.items():
        assert values.dtype == np.float32
        assert np.array_equal(values, np.concatenate([part[name] for part in parts]))
    assert whole["penultimate"].shape == (700, 84) and whole["conv2"].shape == (700, 16)


def test_fewer_large_images_go_at_once_and_their_numbers_do_not_depend_on_the_split_either():
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 5)
    )
    classifier = Classifier("mine", module, Preprocessing(channels=3), "4", 5, {})
    images = photos(300, 96, 80)  # 256 images of 32 px have as many pixels as 34 of these
    together = []
    module.register_forward_pre_hook(lambda _, given: together.append(len(given[0])))
    whole = classifier.activations(images, ["penultimate", "logits", "0"])
    assert chunk_of(96, 80) == 32 and together == [32] * 10
    parts = [classifier.activations(images[part], list(whole)) for part in (slice(256), slice(256, None))]
    for name, values in whole.items():
        assert np.array_equal(values, np.concatenate([part[name] for part in parts])), name
    shown = classifier.activations_on_pixels(classifier.pixels(images), ["logits"])["logits"]
    assert np.array_equal(shown, whole["logits"])
    assert together == [32] * 30


def test_every_number_of_images_at_once_divides_256():
    sides = [1, 8, 28, 32, 33, 40, 64, 96, 128, 160, 224, 299, 384, 1000]
    found = [chunk_of(side, side) for side in sides]
    assert found == [256] * 4 + [128, 128, 64, 16, 16, 8, 8, 8, 8, 8]
    assert chunk_of(16, 64) == chunk_of() == 256  # the area counts; vectors have none


def test_a_preprocessing_may_give_vectors():
    module = nn.Sequential(nn.Linear(3, 2, bias=False))
    module[0].weight.data.copy_(torch.tensor([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]]))
    means = lambda images: torch.as_tensor(images).float().mean((1, 2))  # noqa: E731
    classifier = Classifier("mine", module, means, "0", 2, {})
    assert classifier.logits(np.full((2, 4, 4, 3), 7, np.uint8)).tolist() == [[7, 14]] * 2


def test_the_head_of_the_penultimate_features_is_the_logits(lenet, digits):
    found = lenet.activations(digits[:50], ["penultimate", "logits"])
    head = lenet.module.head
    by_hand = found["penultimate"] @ head.weight.numpy().T + head.bias.numpy()
    assert np.allclose(by_hand, found["logits"], atol=1e-4)
    assert np.array_equal(lenet.predict(digits[:50]), found["logits"].argmax(1))


def test_images_that_do_not_fit_are_refused(lenet, digits):
    with pytest.raises(InputError, match=r"takes images of 1 channel\(s\), but was given 3"):
        lenet.logits(np.repeat(digits[:2], 3, axis=3))
    with pytest.raises(InputError, match="takes images of 32 x 32 pixels, but was given 28 x 28"):
        lenet.logits(digits[:2, 2:30, 2:30])
    with pytest.raises(InputError, match=r"but was given \(2, 32, 32, 1\) float64"):
        lenet.logits(digits[:2] / 255)
    with pytest.raises(InputError, match="at least one image"):
        lenet.logits(digits[:0])
    with pytest.raises(InputError, match="unknown layer 'cnv2' of a Sequential; closest: conv2"):
        lenet.activations(digits[:2], ["cnv2"])


# hooks


def test_capture_by_hand_and_gradients_flow():
    network = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU(), nn.Linear(2, 1))
    network[0].weight.data.copy_(torch.tensor([[1.0, 0.0], [0.0, -1.0]]))
    with capture(network, inputs=["2"], outputs=["0"]) as seen:
        network(torch.tensor([[3.0, 4.0]]))
    assert seen.outputs["0"].tolist() == [[3.0, -4.0]] and seen.inputs["2"].tolist() == [[3.0, 0.0]]
    seen.inputs["2"].sum().backward()
    assert network[0].weight.grad.tolist() == [[3.0, 4.0], [0.0, 0.0]]
    network(torch.tensor([[9.0, 9.0]]))
    assert seen.outputs["0"].tolist() == [[3.0, -4.0]]  # the hooks are gone
    assert layer_names(network) == ["0", "1", "2"]


def test_the_last_linear_layer():
    assert last_linear(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU())) == "1"
    for network in (nn.Sequential(nn.ReLU()), nn.Sequential(nn.Conv2d(2, 2, 1))):
        with pytest.raises(InputError, match="no linear layer"):
            last_linear(network)


def test_a_layer_by_its_depth():
    layers = [nn.Conv2d(1, 1, 1), nn.ReLU(), nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 1), nn.Flatten()]
    network = nn.Sequential(*layers, nn.Linear(1, 1), nn.Linear(1, 1))  # five count: 0, 2, 3, 5, 6
    for share, name in ((0.01, "0"), (0.2, "0"), (0.4, "2"), (0.5, "3"), (0.6, "3"), (0.8, "5"), (1, "6")):
        assert at_depth(network, share) == name, share
        assert find_layer(network, f"depth:{share}") is network.get_submodule(name)
    for n in (1, 3, 5, 7, 9):  # of an odd number, the one with as many before as after it
        assert at_depth(nn.Sequential(*[nn.Linear(1, 1) for _ in range(n)]), 0.5) == str(n // 2)
    assert at_depth(nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1)), 0.5) == "0"


@pytest.mark.parametrize("depth", ["0", "-0.5", "1.01", "nan", "inf", "half", ""])
def test_a_depth_that_is_none_is_refused(lenet, digits, depth):
    words = (
        r"of a Sequential with 5 convolutions and linear layers; a depth is above 0 and at most 1, such as"
    )
    with pytest.raises(InputError, match=words):
        lenet.activations(digits[:2], [f"depth:{depth}"])


def test_a_network_without_layers_has_no_depth():
    with pytest.raises(InputError, match=r"depth:0\.5 was asked for of a ReLU with 0 convolutions"):
        find_layer(nn.ReLU(), "depth:0.5")


def test_activations_at_a_depth_are_those_of_that_layer(lenet, digits):
    found = lenet.activations(digits[:9], ["depth:1", "logits", "depth:0.4", "conv2"])
    assert np.array_equal(found["depth:1"], found["logits"])
    assert np.array_equal(found["depth:0.4"], found["conv2"])


# names


@pytest.mark.parametrize(
    "name, words",
    [
        ("zoo:lennet", "unknown model 'zoo:lennet'; closest: zoo:lenet"),
        ("zoo:lenet-nois", "closest: zoo:lenet-noise"),
        ("zoo:lenet-alpha=much", "'zoo:lenet-alpha=much': .* must be a finite number, such as alpha=-0.4"),
        ("zoo:lenet-pgd+alpha=nan/1", "the strength in 'alpha=nan' must be a finite number"),
        ("zoo:lenet-pgd+nois", "'nois' is no recipe; allowed are plain, noise, augmix.* and alpha=-0.4"),
        ("zoo:lenet-pgd+", "'' is no recipe; allowed are plain"),
        ("zoo:lenet-pgd+alpha=1+pgd", r"'pgd' stands twice in 'pgd\+alpha=1\+pgd'; name it once"),
        ("zoo:lenet-alpha=1+alpha=2", "'alpha' stands twice"),
        ("zoo:lenet-plain+pgd", "'plain' changes nothing and cannot be joined"),
        ("zoo:lenet/a", "the seed in 'zoo:lenet/a' is 'a'"),
        ("zo:lenet", "unknown model 'zo:lenet'; closest: zoo:lenet"),
        ("lenet", "unknown model 'lenet'; closest: zoo:lenet"),
        ("zoo:", "ends at its prefix"),
        ("timm:resnet15t", "unknown model 'timm:resnet15t'; closest: timm:resnet"),
        ("torchvision:resnet19", "closest: torchvision:resnet"),
        ("torchvision:resnet18/V9", "closest: torchvision:resnet18/IMAGENET1K_V1"),
        ("openclip:ViT-B-33/laion2b_s34b_b79k", "closest: openclip:ViT-B-32/laion2b_s34b_b79k"),
        ("python:json", "names no function"),
        ("python:jsonn:loads", "cannot be imported"),
        ("python:json:laods", "unknown function of json 'laods'; closest: loads"),
        ("python:json:JSONEncoder", "returned a JSONEncoder, but must return a torch module"),
    ],
)
def test_a_name_that_does_not_exist_gets_the_closest(name, words):
    with pytest.raises(InputError, match=words):
        models.load(name)


@pytest.mark.parametrize(
    "name, short",
    [
        ("zoo:lenet-noise/1", "lenet-noise/1"),
        ("file:pretrained/cifar10_resnet20_a.json", "cifar10_resnet20_a"),
        ("file:/somewhere/mine.json", "mine"),
        ("torchvision:resnet50/IMAGENET1K_V1", "resnet50/IMAGENET1K_V1"),
        ("robustbench:cifar10/Linf/Standard", "cifar10/Linf/Standard"),
        ("python:my.module:build", "my.module:build"),
        ("no prefix", "no prefix"),
        ("other:thing", "other:thing"),
    ],
)
def test_what_tables_call_a_network(name, short):
    assert models.short_name(name) == short


def test_an_argument_that_does_not_exist_gets_the_closest():
    with pytest.raises(InputError, match=r"unknown argument for 'zoo:lenet' 'epoch'; closest: epochs"):
        models.load("zoo:lenet", epoch=3)
    with pytest.raises(InputError, match="epochs is 0, but must be a whole number, at least 1"):
        models.load("zoo:lenet", epochs=0)


# other sources


@pytest.mark.parametrize("name", ["test_resnet.r160_in1k", "test_vit.r160_in1k"])
def test_timm_reads_a_local_file(weights, name):
    import timm

    module = timm.create_model(name).eval()
    save_file(module.state_dict(), weights / f"{name}.safetensors")
    classifier = models.load(f"timm:{name}")
    x = classifier.preprocess(photos())
    with torch.inference_mode(), capture(classifier.module, inputs=[classifier.head]) as seen:
        assert torch.equal(classifier.module(x), module(x))
    assert seen.inputs[classifier.head].shape[1] == module.num_features
    assert classifier.identity["weights"].startswith("sha256:")
    assert tuple(x.shape) == (3, *timm.data.resolve_model_data_config(module)["input_size"])


def test_timms_other_ways_to_the_size_are_done_or_refused():
    from types import SimpleNamespace

    from robustshape.models import timm_models

    assert "resizing" not in models.identity("timm:test_resnet.r160_in1k")
    squashed = "convnext_tiny.fb_in22k_ft_in1k_384"
    assert models.identity(f"timm:{squashed}")["resizing"] == "squash"
    facts = dict(input_size=(3, 8, 8), mean=(0.5,) * 3, std=(0.5,) * 3, interpolation="bicubic")
    for mode, crop_pct, refused in (("squash", 1.0, False), ("squash", 0.9, True), ("border", 1.0, True)):
        module = SimpleNamespace(pretrained_cfg=facts | dict(crop_mode=mode, crop_pct=crop_pct))
        if not refused:
            found = timm_models.preprocessing_of(module, "mine")
            assert isinstance(found, Squash) and found.size == (8, 8) and found.interpolation == "bicubic"
            continue
        with pytest.raises(InputError, match=rf"timm:mine by the crop mode '{mode}' .*write a file: card"):
            timm_models.preprocessing_of(module, "mine")


def test_a_damaged_or_foreign_local_file_is_named(weights):
    name = "test_resnet.r160_in1k"
    (weights / f"{name}.safetensors").write_bytes(b"cut")
    with pytest.raises(StoreError, match=rf"{name}.safetensors cannot be read"):
        models.load(f"timm:{name}")
    save_file({"nothing": torch.zeros(1)}, weights / f"{name}.safetensors")
    with pytest.raises(InputError, match=rf"{name}.safetensors do not fit timm:{name}"):
        models.load(f"timm:{name}")
    (weights / "squeezenet1_1-b8a52dc0.pth").write_bytes(b"another file")
    with pytest.raises(StoreError, match=r"squeezenet1_1-b8a52dc0.pth has .* but the name says b8a52dc0"):
        models.load("torchvision:squeezenet1_1")


def test_torchvision_reads_a_local_file(weights):
    import torchvision

    module = torchvision.models.squeezenet1_1().eval()
    save_file(module.state_dict(), weights / "squeezenet1_1.safetensors")
    classifier = models.load("torchvision:squeezenet1_1")
    assert classifier.head == "classifier.1" and classifier.n_classes == 1000  # a 1 x 1 convolution
    assert classifier.preprocess.size == (224, 224) and classifier.preprocess.resize == 256
    x = classifier.preprocess(photos(1))
    with torch.inference_mode():
        assert torch.equal(classifier.module(x), module(x))
    save_file({"nothing": torch.zeros(1)}, weights / "squeezenet1_1.safetensors")
    with pytest.raises(InputError, match=r"squeezenet1_1.safetensors do not fit torchvision:squeezenet1_1"):
        models.load("torchvision:squeezenet1_1")
    (weights / "squeezenet1_1.safetensors").write_bytes(b"cut")
    with pytest.raises(StoreError, match=r"squeezenet1_1.safetensors cannot be read"):
        models.load("torchvision:squeezenet1_1")


@pytest.mark.parametrize(
    "name, file",
    [
        ("timm:resnet10t.c3_in1k", "resnet10t.c3_in1k.safetensors"),
        ("torchvision:resnet18", "resnet18-f37072fd.pth"),
        ("openclip:ViT-B-32/laion2b_s34b_b79k", "ViT-B-32/laion2b_s34b_b79k.safetensors"),
    ],
)
def test_offline_says_what_is_missing_and_where_to_put_it(weights, name, file):
    with pytest.raises(
        MissingFileError, match=f"ROBUSTSHAPE_OFFLINE forbids the download.*{re.escape(file)}"
    ):
        models.load(name)


# your own: cards and functions


@pytest.fixture
def card(tmp_path):
    module = zoo.construct("lenet", channels=3, n_classes=2, seed=4).eval()
    save_file(module.state_dict(), tmp_path / "mine.safetensors")
    from robustshape.models.weights import sha256

    content = {
        "constructor": "zoo:lenet",
        "arguments": {"channels": 3, "n_classes": 2},
        "weights": "mine.safetensors",
        "sha256": sha256(tmp_path / "mine.safetensors"),
        "preprocessing": {"channels": 3, "size": [32, 32], "mean": [0.5] * 3, "std": [0.2] * 3},
        "classes": ["cat", "dog"],
    }

    def write(**changes):
        kept = {key: value for key, value in (content | changes).items() if value is not None}
        (tmp_path / "card.json").write_text(json.dumps(kept))
        return f"file:{tmp_path / 'card.json'}"

    return module, write


def test_a_card_gives_a_classifier(card):
    module, write = card
    classifier = models.load(write())
    images = photos(2, 32, 32)
    with torch.inference_mode():
        expected = module((torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255 - 0.5) / 0.2)
    assert np.allclose(classifier.logits(images), expected.numpy(), atol=1e-5)
    assert classifier.n_classes == 2 and isinstance(classifier, Classifier)


@pytest.mark.parametrize(
    "changes, kind, words",
    [
        ({"classes": None}, InputError, "lacks classes"),
        ({"licens": "MIT"}, InputError, "unknown entry 'licens'; closest: licence"),
        (
            {"constructor": "lenet"},
            InputError,
            "must be a name that starts with timm:, torchvision:, zoo:, python:",
        ),
        ({"constructor": "zoo:lennet"}, InputError, "unknown architecture 'lennet'; closest: lenet"),
        ({"arguments": {"chanels": 3}}, InputError, "do not fit zoo:lenet.*chanels"),
        (
            {"constructor": "zoo:cifar_resnet20", "arguments": {"depth": 32}},
            InputError,
            "zoo:cifar_resnet20 has a depth of 20, but its arguments say 32; leave it out",
        ),
        (
            {"arguments": {"channels": 1, "n_classes": 2}},
            InputError,
            "mine.safetensors do not fit a Sequential",
        ),
        ({"sha256": "0" * 64}, StoreError, "but its card says sha256:000"),
        (
            {"weights": "none.safetensors"},
            MissingFileError,
            r"none.safetensors \(sha256:\w+\), which do not exist here: put",
        ),
        (
            {"constructor": "python:json:loads", "arguments": {"s": "1"}},
            InputError,
            "returned a int, but must",
        ),
        ({"constructor": "python:json:lods"}, InputError, "unknown function of json 'lods'; closest: loads"),
        ({"constructor": "python:jsonn:loads"}, InputError, "'jsonn' cannot be imported"),
        (
            {"preprocessing": {"size": [32, 32]}},
            InputError,
            "card.json lacks preprocessing.channels; give 1, 3, or null",
        ),
        ({"classes": "cats"}, InputError, 'has "cats" in classes: must be a list'),
        ({"classes": ["cat"]}, InputError, "must be a list of two names or more, or their number"),
        (
            {"preprocessing": {"chanels": 3}},
            InputError,
            "unknown entry 'preprocessing.chanels'; closest: channels",
        ),
    ],
)
def test_a_wrong_card_is_refused(card, changes, kind, words, monkeypatch):
    monkeypatch.setenv("ROBUSTSHAPE_TRUST_CARDS", "1")
    with pytest.raises(kind, match=words):
        models.load(card[1](**changes))


def test_a_missing_card_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"none.json does not exist"):
        models.load(f"file:{tmp_path / 'none.json'}")
    (tmp_path / "text.json").write_text("hello")
    with pytest.raises(InputError, match=r"text.json is not JSON"):
        models.load(f"file:{tmp_path / 'text.json'}")


def test_a_card_says_whence_its_weights_and_what_kind_of_network(card):
    facts = {
        "family": "lenet",
        "recipe": "plain",
        "bytes": 1_500_000,
        "source": "example.org/mine",
        "classes": 2,
    }
    classifier = models.load(card[1](**facts))
    assert classifier.about["family"] == "lenet" and classifier.about["recipe"] == "plain"
    assert classifier.n_classes == 2 and classifier.identity["classes"] == 2
    lost = card[1](**facts, weights="lost.safetensors")
    with pytest.raises(MissingFileError) as error:
        models.load(lost)
    words = str(error.value)
    assert "lost.safetensors (1.5 MB, sha256:" in words and "they come from example.org/mine" in words
    assert "ROBUSTSHAPE_DATA" in words and "weights" in words


def test_weights_lie_beside_the_card_or_by_their_name_elsewhere(card, tmp_path, monkeypatch):
    images, name = photos(2, 32, 32), card[1]()
    expected, spec = models.load(name).logits(images), models.identity(name)
    (tmp_path / "elsewhere" / "weights").mkdir(parents=True)
    (tmp_path / "mine.safetensors").rename(tmp_path / "elsewhere" / "weights" / "mine.safetensors")
    assert models.identity(name) == spec  # numbers are found again where the weights are not
    with pytest.raises(MissingFileError, match="which do not exist here"):
        models.load(name)
    monkeypatch.setenv("ROBUSTSHAPE_DATA", str(tmp_path / "elsewhere"))
    assert np.array_equal(models.load(name).logits(images), expected)


def test_the_identity_of_a_card_stays_what_it_was(card):
    expected = {
        "source": "file",
        "constructor": "zoo:lenet",
        "arguments": {"channels": 3, "n_classes": 2},
        "weights": models.load(card[1]()).identity["weights"],
        "preprocessing": Preprocessing(channels=3, size=(32, 32), mean=(0.5,) * 3, std=(0.2,) * 3).describe(),
        "head": None,
        "classes": ["cat", "dog"],
        "trains_on": [],
    }
    assert models.identity(card[1]()) == models.identity(card[1](family="x", source="y", bytes=3)) == expected


def test_a_card_finds_its_function_in_a_file_beside_it(card, tmp_path, monkeypatch):
    monkeypatch.setenv("ROBUSTSHAPE_TRUST_CARDS", "1")
    source = (
        "from torch import nn\ndef build(n):\n    return nn.Sequential(nn.Flatten(), nn.Linear(3072, n))\n"
    )
    (tmp_path / "json.py").write_text(source)  # called like a package, which it must not hide
    layer = nn.Linear(3072, 2)
    save_file({f"1.{k}": v for k, v in layer.state_dict().items()}, tmp_path / "mine.safetensors")
    from robustshape.models.weights import sha256

    write = {
        "constructor": "python:json:build",
        "arguments": {"n": 2},
        "sha256": sha256(tmp_path / "mine.safetensors"),
    }
    name = card[1](**write)
    assert models.load(name).head == "1" and sys.modules["json"] is json
    first = models.identity(name)
    assert first["code"] == sha256(tmp_path / "json.py") and str(tmp_path) not in json.dumps(first)
    other = tmp_path / "other"
    other.mkdir()
    for file in ("card.json", "json.py", "mine.safetensors"):
        (other / file).write_bytes((tmp_path / file).read_bytes())
    assert models.identity(f"file:{other / 'card.json'}") == first
    (tmp_path / "json.py").write_text(source + "def build(n):\n    return nn.Sequential(nn.Linear(1, n))\n")
    assert models.identity(name)["code"] != first["code"]
    with pytest.raises(InputError, match=r"mine.safetensors do not fit a Sequential"):  # the edit is seen
        models.load(name)
    (tmp_path / "json.py").write_text("import nothing_of_this_name\n")
    for _ in range(2):
        with pytest.raises(InputError, match=r"json.py cannot be imported: ModuleNotFoundError"):
            models.load(name)


def test_a_function_of_yours(tmp_path, monkeypatch):
    (tmp_path / "my_networks.py").write_text(
        "from torch import nn\n"
        "from robustshape import models\n"
        "def tiny(width=8):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(1024, width), nn.ReLU(), nn.Linear(width, 10))\n"
        "def from_zoo():\n"
        "    return models.load('zoo:lenet', dataset='digits', epochs=1)\n"
        "from_zoo.identity = {'trained on': 'digits'}\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    classifier = models.load("python:my_networks:tiny", width=5)
    images = np.zeros((2, 32, 32, 1), np.uint8)
    assert classifier.head == "3" and classifier.n_classes == 10
    assert classifier.activations(images)["penultimate"].shape == (2, 5)
    assert models.identity("python:my_networks:tiny", width=5)["arguments"] == {"width": 5}
    other = models.load("python:my_networks:from_zoo")
    assert other.identity["more"] == {"trained on": "digits"} and other.logits(images).shape == (2, 10)


def test_listing_the_zoo_does_not_import_torch():
    code = "import sys, robustshape.models as m; m.names('zoo:*'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=os.environ).returncode == 0
