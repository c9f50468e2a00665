"""The cards of published networks, and the functions beside them that build the odd ones; no weights are needed."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from robustshape import models
from robustshape.errors import InputError, MissingFileError
from robustshape.models import file_models, python_models
from robustshape.models.heads import find_head
from robustshape.models.preprocessing import Preprocessing
from robustshape.models.weights import sha256

FOLDER = Path(__file__).parents[1] / "notebooks" / "pretrained"

# name: (family, recipe, parameters, length of the penultimate features)
CARDS = {
    "cifar10_cnn_a_adv": ("cnn_a", "pgd", 214_918, 100),
    "cifar10_marabou_large": ("marabou", "plain", 338_346, 64),
    "cifar10_resnet20_a": ("cifar_resnet", "plain", 269_722, 64),
    "cifar10_resnet20_b": ("cifar_resnet", "plain", 272_474, 64),
    "cifar10_resnet32_a": ("cifar_resnet", "plain", 464_154, 64),
    "cifar10_resnet44_a": ("cifar_resnet", "plain", 658_586, 64),
    "cifar10_resnet56_a": ("cifar_resnet", "plain", 853_018, 64),
    "cifar10_resnet8_mlperftiny": ("resnet8", "plain", 78_186, 64),
    "cifar10_shufflenetv2_x0_5": ("shufflenetv2", "plain", 352_042, 1024),
    "cifar10_small_36px_l2_kw": ("cnn_a", "provable", 214_918, 100),
    "cifar10_vnn_resnet2b_adv": ("vnn_resnet", "pgd", 112_006, 100),
    "cifar10_vnn_resnet4b_adv": ("vnn_resnet", "pgd", 123_734, 100),
    "cifar10_wide_kw": ("cnn_a", "provable", 214_918, 100),
    "efficientnet_lite0": ("efficientnet_lite", "plain", 4_652_008, 1280),
    "efficientnet_lite1": ("efficientnet_lite", "plain", 5_416_680, 1280),
    "mnist_lenet5_adv": ("lenet5", "pgd", 648_226, 200),
    "mnist_lenet5_clean": ("lenet5", "plain", 648_226, 200),
    "mobilenetv1_025_128_keras": ("mobilenetv1", "plain", 470_072, 256),
    "mobilenetv1_025_128_qat": ("mobilenetv1", "quantised", 470_072, 256),
    "mobilenetv1_025_224_keras": ("mobilenetv1", "plain", 470_072, 256),
    "mobilenetv1_050_160_qat": ("mobilenetv1", "quantised", 1_331_592, 512),
    "mobilenetv1_100_qat": ("mobilenetv1", "quantised", 4_231_976, 1024),
    "mobilenetv2_100_qat": ("mobilenetv2", "quantised", 3_504_872, 1280),
    "squeezenet1_1_caffe": ("squeezenet", "plain", 1_235_496, 512),
    "squeezenet1_1_gluon": ("squeezenet", "plain", 1_235_496, 512),
}


def card(stem: str) -> dict:
    return json.loads((FOLDER / f"{stem}.json").read_text())


def factory(name: str):
    return python_models.factory(name, FOLDER)[0]


def test_every_card_is_listed_and_called_like_its_weights():
    assert models.names("file:pretrained/*") == sorted(f"file:pretrained/{stem}.json" for stem in CARDS)
    for stem in CARDS:
        assert card(stem)["weights"] == f"{stem}.safetensors"
        assert models.short_name(f"file:pretrained/{stem}.json") == stem


@pytest.mark.parametrize("stem", CARDS)
def test_a_card_says_what_it_is_and_whence(stem):
    content, (family, recipe, *_) = card(stem), CARDS[stem]
    assert (content["family"], content["recipe"]) == (family, recipe)
    assert re.fullmatch("[0-9a-f]{64}", content["sha256"]) and 3e5 < content["bytes"] < 1.2e7
    assert all(len(content[key]) > 2 for key in ("licence", "citation", "source"))
    assert re.match("github.com/|PyPI ", content["source"])


@pytest.mark.parametrize("stem", CARDS)
def test_a_card_builds_a_network_that_takes_its_images(stem, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # the card is found from anywhere
    module = file_models.construct(f"pretrained/{stem}.json").eval()
    _, _, n_parameters, n_features = CARDS[stem]
    assert sum(p.numel() for p in module.parameters()) == n_parameters
    content = card(stem)
    preprocess = file_models._preprocessing(content)
    side = {"cifar10": 32, "mnist": 28}.get(stem.partition("_")[0], 64)  # Tiny ImageNet has 64 x 64 pixels
    images = np.random.default_rng(0).integers(0, 256, (1, side, side, preprocess.channels), dtype=np.uint8)
    x = preprocess(images)
    assert tuple(x.shape[2:]) == tuple(content["preprocessing"].get("size", (28, 28)))
    head = dict(module.named_modules())[find_head(module, x)[0]]
    seen = []
    head.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    with torch.inference_mode():
        logits = module(x)
    assert logits.shape == (1, 10 if side < 64 else 1000) == (1, file_models._n_classes(content))
    assert seen[0].shape[1] == n_features and torch.isfinite(logits).all()


@pytest.mark.parametrize("stem", CARDS)
def test_the_preprocessing_centres_pixels(stem):
    preprocess = file_models._preprocessing(card(stem))
    assert isinstance(preprocess, Preprocessing)
    ends = [
        preprocess(np.full((1, 32, 32, preprocess.channels), value, np.uint8)).mean() for value in (0, 255)
    ]
    if "resnet8" in stem:
        assert ends == pytest.approx([0, 255], abs=1e-3)
    elif stem.endswith("caffe"):  # 123, 117 and 104 are subtracted, nothing is divided
        assert ends == pytest.approx([-(123 + 117 + 104) / 3, 255 - (123 + 117 + 104) / 3], abs=1e-3)
    elif preprocess.mean is None:
        assert ends == [0, 1]
    else:
        assert -2.6 < ends[0] <= -0.99 and 0.99 <= ends[1] < 2.8
    if preprocess.resize:
        assert 0.85 < preprocess.size[0] / preprocess.resize < 0.9


def test_identities_tell_all_networks_apart_and_hold_the_functions_source():
    found = {stem: models.identity(f"file:pretrained/{stem}.json") for stem in CARDS}
    assert len({json.dumps(spec, sort_keys=True) for spec in found.values()}) == len(CARDS)
    for stem, spec in found.items():
        assert str(FOLDER.parent.parent) not in json.dumps(spec)
        if spec["constructor"].startswith("python:"):
            assert spec["code"] == sha256(FOLDER / f"{spec['constructor'].split(':')[1]}.py")
        else:
            assert "code" not in spec, stem


def test_weights_that_are_not_here_are_named_with_their_source():
    words = r"cifar10_resnet20_a.safetensors \(0.6 MB, sha256:8d52.*they come from github.com/akamaster/"
    with pytest.raises(MissingFileError, match=words):
        models.load("file:pretrained/cifar10_resnet20_a.json")
    with pytest.raises(MissingFileError, match=r"closest: file:pretrained/cifar10_resnet20_a.json"):
        models.load("file:pretrained/cifar10_resnet20a.json")


def test_a_network_of_a_card_loads_from_a_data_folder(tmp_path, monkeypatch):
    content = card("cifar10_vnn_resnet2b_adv")
    module = factory("cifar10:vnn_resnet2b")().eval()
    save_file(module.state_dict(), tmp_path / content["weights"])
    (tmp_path / "cards").mkdir()
    changed = content | {"sha256": sha256(tmp_path / content["weights"])}
    (tmp_path / "cards" / "mine.json").write_text(json.dumps(changed))
    (tmp_path / "cards" / "cifar10.py").write_bytes((FOLDER / "cifar10.py").read_bytes())
    monkeypatch.setenv("ROBUSTSHAPE_DATA", str(tmp_path))
    classifier = models.load("file:cards/mine.json")
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    with torch.inference_mode():
        assert np.allclose(
            classifier.logits(images), module(classifier.preprocess(images)).numpy(), atol=1e-5
        )
    assert classifier.about["family"] == "vnn_resnet" and classifier.about["recipe"] == "pgd"


# the functions beside the cards


def keras_conv(x, layer):
    """Return the convolution as Keras defines it: output size ceil(n / stride), the odd pixel at the far end."""
    stride, kernel = layer.stride[0], layer.kernel_size[0]
    total = max((-(-x.shape[2] // stride) - 1) * stride + kernel - x.shape[2], 0)
    near = total // 2
    return F.conv2d(F.pad(x, (near, total - near) * 2), layer.weight, layer.bias, stride)


def test_resnet8_pads_as_keras_does():
    torch.manual_seed(0)
    net = factory("cifar10:ResNet8")().eval()
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.uniform_(-1, 1)
            layer.running_var.uniform_(0.5, 2)
    conv = {i: getattr(net, f"conv2d_{i}") for i in range(9)}
    norm = {i: getattr(net, f"batch_normalization_{i}") for i in range(7)}
    x = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        y = norm[0](keras_conv(x, conv[0])).relu()
        y = (y + norm[2](keras_conv(norm[1](keras_conv(y, conv[1])).relu(), conv[2]))).relu()
        z = norm[4](keras_conv(norm[3](keras_conv(y, conv[3])).relu(), conv[4]))
        y = (keras_conv(y, conv[5]) + z).relu()
        z = norm[6](keras_conv(norm[5](keras_conv(y, conv[6])).relu(), conv[7]))
        y = (keras_conv(y, conv[8]) + z).relu()
        assert torch.allclose(net(x), net.dense(y.mean((2, 3))), atol=1e-5)
    assert all(layer.eps == 1e-3 for layer in norm.values())


def test_shufflenet_keeps_small_images_whole():
    net = factory("cifar10:shufflenetv2_x0_5")().eval()
    with torch.inference_mode():
        assert net.maxpool(net.conv1(torch.rand(1, 3, 32, 32))).shape == (1, 24, 32, 32)


@pytest.mark.parametrize("name, sides", [("vnn_resnet2b", [16, 8]), ("vnn_resnet4b", [16, 8, 4])])
def test_the_verified_networks_halve_at_every_stage(name, sides):
    net, seen = factory(f"cifar10:{name}")().eval(), []
    for layer in ("conv1", "layer1", "layer2"):
        if hasattr(net, layer):
            getattr(net, layer).register_forward_hook(lambda *call: seen.append(call[2].shape[2]))
    net(torch.rand(1, 3, 32, 32))
    assert seen == sides
    assert not [layer for layer in net.modules() if isinstance(layer, nn.BatchNorm2d)]


def test_mobilenet_pads_as_tensorflow_does():
    net = factory("imagenet:mobilenetv1")(0.25).eval()
    stem = net.conv_stem
    x = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        expected = F.conv2d(F.pad(x, (0, 1, 0, 1)), stem.weight, None, 2)
        assert torch.allclose(stem(x), expected, atol=1e-6) and stem(x).shape == (1, 8, 32, 32)


def test_lenet_gives_the_same_for_padded_digits():
    net = factory("mnist:lenet5")().eval()
    digits = np.random.default_rng(0).integers(0, 256, (9, 28, 28, 1), dtype=np.uint8)
    preprocess = Preprocessing(channels=1)
    padded = preprocess(np.pad(digits, ((0, 0), (2, 2), (2, 2), (0, 0))))
    with torch.inference_mode():
        assert torch.equal(net(preprocess(digits)), net(padded))
    with pytest.raises(InputError, match=r"takes digits of 28 x 28 pixels.* but was given \(64, 64\)"):
        net(torch.rand(1, 1, 64, 64))
