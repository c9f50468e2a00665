"""OpenCLIP: a small network, saved and read back, whose features and zero-shot logits are computed by hand."""

import json
import re

import numpy as np
import open_clip
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

from robustshape import datasets, models
from robustshape.errors import InputError, MissingFileError
from robustshape.models import openclip_models as source
from robustshape.models.zero_shot import class_names_of, templates_of

TOWER = {"layers": 1, "width": 32, "heads": 1}
CONFIG = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "head_width": 32, "patch_size": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, **TOWER},
}
NAME = "openclip:tiny-clip/mine"


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Return (the network, the folder its weights are saved in)."""
    folder = tmp_path_factory.mktemp("weights")
    (folder / "tiny-clip.json").write_text(json.dumps(CONFIG))
    open_clip.add_model_config(folder / "tiny-clip.json")
    torch.manual_seed(0)
    network = open_clip.create_model("tiny-clip").eval()
    (folder / "tiny-clip").mkdir()
    save_file(network.state_dict(), folder / "tiny-clip" / "mine.safetensors")
    torch.save({"state_dict": network.state_dict()}, folder / "tiny-clip.other.pt")
    return network, folder


@pytest.fixture
def here(clip, cache, monkeypatch):
    """Return the network, with the folder of its weights named by ROBUSTSHAPE_DATA."""
    monkeypatch.setenv("ROBUSTSHAPE_DATA", str(clip[1]))
    return clip[0]


def photos(n=3, height=80, width=64):
    return np.random.default_rng(0).integers(0, 256, (n, height, width, 3), dtype=np.uint8)


def by_hand(clip, x, classes, templates):
    """Return zero-shot logits, one text at a time."""
    tokenise, rows = open_clip.get_tokenizer("tiny-clip"), []
    for name in classes:
        texts = [clip.encode_text(tokenise([t.replace("{}", name)]))[0] for t in templates]
        mean = sum(text / text.norm() for text in texts) / len(texts)
        rows.append(mean / mean.norm())
    images = clip.encode_image(x)
    return clip.logit_scale.exp() * (images / images.norm(dim=1, keepdim=True)) @ torch.stack(rows).T


def test_features_are_those_of_encode_image_raw_and_of_unit_length(here):
    classifier = models.load(NAME, classes=["cat", "dog", "aeroplane"])
    found = classifier.activations(photos(), ["penultimate", "embedding", "unit_embedding", "logits"])
    with torch.inference_mode():
        raw = here.encode_image(classifier.preprocess(photos())).numpy()
    assert np.allclose(found["penultimate"], raw, atol=1e-5)
    assert np.array_equal(found["embedding"], found["penultimate"])
    assert np.allclose(found["unit_embedding"], raw / np.linalg.norm(raw, axis=1, keepdims=True), atol=1e-5)
    assert found["logits"].shape == (3, 3) and classifier.n_classes == 3
    assert abs(np.linalg.norm(raw, axis=1) - 1).min() > 0.01


@pytest.mark.parametrize("name", [NAME, "openclip:tiny-clip/other"])
def test_zero_shot_logits_by_hand(here, name):
    classes, templates = ["cat", "dog"], ["a photo of a {}.", "a {} in the snow"]
    classifier = models.load(name, classes=classes, templates=templates)
    with torch.inference_mode():
        expected = by_hand(here, classifier.preprocess(photos()), classes, templates).numpy()
    assert np.allclose(classifier.logits(photos()), expected, atol=1e-3)
    assert np.ptp(expected) > 0.01


def test_the_classes_of_a_data_set_and_accuracy_corruption_and_attack_as_of_any_network(here):
    from robustshape.corruptions import corrupt

    data = datasets.load("digits")
    images, labels = data.image.values[:8], data.label.values[:8]
    classifier = models.load(NAME, dataset="digits")
    assert classifier.n_classes == 10 and classifier.identity["templates"] == ['a photo of the number: "{}".']
    assert 0 <= (classifier.predict(images) == labels).mean() <= 1
    assert not np.array_equal(
        classifier.logits(corrupt(images, "contrast", 3)), classifier.logits(images)
    )  # corrupted images pass too
    x = classifier.pixels(images).requires_grad_()
    F.cross_entropy(classifier.on_pixels()(x), torch.from_numpy(labels)).backward()
    assert x.grad.shape == x.shape and x.grad.abs().max() > 0
    assert all(not p.requires_grad for p in classifier.module.parameters())


def test_open_clips_own_zero_shot_classifier_agrees(here):
    from open_clip.zero_shot_classifier import build_zero_shot_classifier

    classes = class_names_of("digits")
    classifier = models.load(NAME, classes=classes, templates="simple")
    theirs = build_zero_shot_classifier(
        here, open_clip.get_tokenizer("tiny-clip"), classes, templates_of("simple", classes)
    )
    ours = classifier.module.head.weight.T / here.logit_scale.exp()
    assert torch.allclose(ours, theirs, atol=1e-5)


def test_identity_knows_weights_classes_and_templates(here, clip):
    spec = models.identity(NAME, classes=["a", "b"], templates="photo")
    assert spec["classes"] == ["a", "b"] and spec["templates"] == ["a photo of a {}."]
    assert spec["weights"].startswith("sha256:")
    assert models.load(NAME, classes=["a", "b"], templates="photo").identity == spec
    assert models.identity("openclip:tiny-clip/other", classes=["a", "b"])["weights"] != spec["weights"]
    assert len(models.identity(NAME)["classes"]) == 1000 and len(models.identity(NAME)["templates"]) == 80
    assert models.identity("openclip:ViT-B-32/laion2b_s34b_b79k", dataset="digits")["weights"] == "hub"


def test_names_of_imagenets_classes_are_its_own(monkeypatch, tmp_path, cache):
    from PIL import Image

    for wnid in ("n01443537", "n01440764"):
        (tmp_path / "photos" / wnid).mkdir(parents=True)
        Image.fromarray(photos(1)[0]).save(tmp_path / "photos" / wnid / "1.png")
    assert class_names_of(f"imagefolder:{tmp_path / 'photos'}") == ("tench", "goldfish")
    (tmp_path / "own" / "red_kite").mkdir(parents=True)
    (tmp_path / "own" / "barn_owl").mkdir(parents=True)
    for folder in (tmp_path / "own").iterdir():
        Image.fromarray(photos(1)[0]).save(folder / "1.png")
    assert class_names_of(f"imagefolder:{tmp_path / 'own'}") == ("barn owl", "red kite")


def test_names_of_classes_are_words():
    assert class_names_of("cifar100")[1] == "aquarium fish"
    assert not any("_" in name for name in class_names_of("cifar100"))


def test_every_set_of_templates_holds_the_name_once():
    for name in ("photo", "simple", "number", "imagenet"):
        assert all(template.count("{}") == 1 for template in templates_of(name, ["a", "b"]))
    assert len(templates_of(None, class_names_of(None))) == 80
    assert templates_of(None, ["cat", "dog"]) == templates_of("simple", ["cat", "dog"])
    assert templates_of("a {}", ["cat"]) == ("a {}",)
    assert templates_of("a {} in {{braces}}", ["cat"]) == ("a {} in {{braces}}",)


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"classes": ["cat"]}, "at least two class names"),
        ({"classes": ["cat", "cat"]}, "all different"),
        ({"classes": "cat"}, "at least two class names"),
        ({"classes": ["a", "b"], "dataset": "digits"}, "not both"),
        ({"dataset": "digit"}, "unknown data set 'digit'; closest: digits"),
        ({"templates": "simpel"}, "unknown set of templates 'simpel'; closest: simple"),
        ({"templates": ["a photo"]}, "'a photo' does not"),
        ({"templates": ["{} {x}"]}, r"no other braces, .* '\{\} \{x\}' does not"),
        ({"templates": ["{} {"]}, r"'\{\} \{' does not"),
        ({"templates": ["a {{}}"]}, "does not"),
        ({"templates": []}, "at least one template"),
        ({"datset": "digits"}, "unknown argument for .* 'datset'; closest: dataset"),
    ],
)
def test_wrong_arguments_are_refused(here, arguments, words):
    with pytest.raises(InputError, match=words):
        models.load(NAME, **arguments)


def test_a_missing_checkpoint_says_size_tag_page_and_place(here):
    with pytest.raises(MissingFileError) as error:
        models.load("openclip:ViT-B-32/laion2b_s34b_b79k", dataset="digits")
    for words in (
        "ViT-B-32/laion2b_s34b_b79k",
        "about 605 MB",
        "https://huggingface.co/laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
        "ViT-B-32/laion2b_s34b_b79k.safetensors",
        "ROBUSTSHAPE_OFFLINE",
    ):
        assert words in str(error.value)
    with pytest.raises(MissingFileError, match=r"tiny-clip/none.safetensors lies in no folder"):
        models.load("openclip:tiny-clip/none", dataset="digits")


def test_the_hubs_copy_in_the_cache_is_read_offline(here, clip, cache, monkeypatch):
    revision = cache / "weights" / "models--me--tiny" / "snapshots" / "abc"
    revision.mkdir(parents=True)
    (cache / "weights" / "models--me--tiny" / "refs").mkdir()
    (cache / "weights" / "models--me--tiny" / "refs" / "main").write_text("abc")
    (revision / source.HUB_FILES[0]).write_bytes((clip[1] / "tiny-clip" / "mine.safetensors").read_bytes())
    found = source._from_hub("tiny-clip", "hub", {"hf_hub": "me/tiny/"})
    with torch.inference_mode():
        x = torch.rand(2, 3, 32, 32)
        assert torch.equal(found.eval().encode_image(x), here.encode_image(x))


def test_a_file_that_does_not_fit_is_named(clip, tmp_path, monkeypatch, cache):
    monkeypatch.setenv("ROBUSTSHAPE_DATA", str(tmp_path))
    (tmp_path / "tiny-clip").mkdir()
    for content in (b"cut", None):
        path = tmp_path / "tiny-clip" / "mine.safetensors"
        path.write_bytes(content) if content else save_file({"nothing": torch.zeros(1)}, path)
        with pytest.raises(InputError, match=rf"{re.escape(str(path))} cannot be read as a tiny-clip"):
            models.load(NAME, dataset="digits")


def test_a_tokeniser_of_a_hub_is_not_fetched_offline():
    with pytest.raises(MissingFileError, match=r"reads texts with .*ROBUSTSHAPE_OFFLINE"):
        source._tokeniser("ViT-B-16-SigLIP")


def test_names_that_squash_are_squashed():
    class Tower:
        image_size = 16

    squash = source._preprocessing(Tower, {"resize_mode": "squash", "mean": (0.5,) * 3, "std": (0.5,) * 3})
    assert squash(photos()).shape == (3, 3, 16, 16) and squash.describe()["resizing"] == "squash"
    usual = source._preprocessing(Tower, {})
    assert usual.resize == 16 and usual.mean == open_clip.OPENAI_DATASET_MEAN
