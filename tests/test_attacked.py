"""Ladders of attacks: the worst case over what was tried, resumed after the last step, whatever the pieces."""

import numpy as np
import pytest
import torch

from robustshape.attacks import ATTACKS, auto
from robustshape.attacks.stages import Stage, ladder
from robustshape.datasets.selection import Selection
from robustshape.errors import InputError
from robustshape.measurements import attacked
from robustshape.models import load, network
from robustshape.models.network import Network
from robustshape.models.preprocessing import Preprocessing

MLP = Network.of("zoo:mlp", dataset="digits", epochs=2)
IMAGES = Selection.parts("digits", (50, 60), seed=0)[1]
STAGES = ladder(
    ["fgsm linf 0.02 0.1", "pgd l2 0.5 on 30", "pgd linf 0.02 0.05 0.1 on 40", "apgd linf 0.05 on 20"]
)


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    """A cache for the tests of this file, which share their network, and quick attacks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(auto, "ITERATIONS", 10)
        network._kept.cache_clear()
        yield
        network._kept.cache_clear()


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Another cache, in which nothing is attacked yet; the network stays in memory."""
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path))


def climb(stages=STAGES, seed=0, images=IMAGES):
    for call in attacked.missing([MLP], images, stages, seed):
        attacked.attack(*call)
    return attacked.correct(MLP, images, stages, seed)


@pytest.fixture(scope="module")
def whole():
    return climb()


@pytest.fixture
def pixels():
    data, classifier = IMAGES.first(IMAGES.n), load("zoo:mlp", dataset="digits", epochs=2)
    return classifier, classifier.pixels(data["image"].values), torch.tensor(data["label"].values).long()


def test_the_worst_case_over_what_was_tried(whole, pixels):
    classifier, x, labels = pixels
    module, found = classifier.on_pixels(), whole.isel(sample=IMAGES.places(IMAGES.n))
    fooled = {}
    for stage in STAGES:
        for label, eps in zip(stage.labels, map(float, stage.budgets)):
            shown = ATTACKS[stage.name](
                module, x[: stage.n], labels[: stage.n], eps=eps, norm=stage.norm, ids=IMAGES.first(stage.n).sample.values
            )  # fmt: skip
            fooled[label] = (module(shown).argmax(1) != labels[: stage.n]).numpy()
    clean = (module(x).argmax(1) == labels).numpy()
    plain = clean[:20].copy()  # by hand for the last step: apgd at 0.05, so not what fgsm and pgd did at 0.1
    for label in ("fgsm linf 0.02", "pgd linf 0.02", "pgd linf 0.05", "apgd linf 0.05"):
        plain &= ~fooled[label][:20]
    np.testing.assert_array_equal(found["robust"].sel(attack="apgd linf 0.05").values[:20], plain)
    np.testing.assert_array_equal(
        found["robust"].sel(attack="pgd l2 0.5").values[:30], clean[:30] & ~fooled["pgd l2 0.5"]
    )
    assert 0 < plain.sum() < clean[:20].sum()


def test_accuracy_falls_with_the_budget_and_along_the_ladder(whole):
    found = whole
    robust = found["robust"].sel(attack=found["norm"] == "linf").isel(sample=IMAGES.places(20))
    assert not robust.isnull().any()
    accuracy = robust.mean("sample")
    for earlier, later in ((0, 1), (2, 3), (3, 4), (0, 2), (1, 4), (3, 5)):
        assert (robust[later] <= robust[earlier]).all(), robust.attack.values[[earlier, later]]
    assert accuracy[1] < accuracy[0] and accuracy[5] <= accuracy[3]
    assert (found["attacked"] <= found["n"]).all() and (found["seconds"] > 0).any()


def test_images_beyond_a_stage_are_marked(whole):
    found = whole
    assert found["robust"].dims == ("attack", "sample") and list(found.sample.values) == list(
        IMAGES.load().sample.values
    )
    assert found["robust"].notnull().sum("sample").values.tolist() == [60, 60, 30, 40, 40, 40, 20]
    assert found["n"].values.tolist() == [60, 60, 30, 40, 40, 40, 20]
    assert set(np.unique(found["robust"])[:2]) == {0.0, 1.0}
    assert found.attack.values.tolist()[2:4] == ["pgd l2 0.5", "pgd linf 0.02"]
    assert found["eps"].values.tolist() == [0.02, 0.1, 0.5, 0.02, 0.05, 0.1, 0.05]


def test_the_images_of_a_stage_are_of_every_class_alike(whole):
    labels = IMAGES.load()["label"].values
    for attack in whole["robust"]:
        of_class = np.bincount(labels[attack.notnull().values], minlength=10)
        assert of_class.max() - of_class.min() <= 1


def test_an_interrupted_ladder_goes_on_after_the_last_finished_step(whole, elsewhere, monkeypatch):
    begun = []

    def dying(classifier, data, stage, budget, seed, original=attacked._adversarial):
        begun.append((stage.name, float(budget)))
        if stage.name == "apgd" and begun.count(("apgd", 0.05)) == 1:
            raise KeyboardInterrupt
        return original(classifier, data, stage, budget, seed)

    monkeypatch.setattr(attacked, "_adversarial", dying)
    with pytest.raises(KeyboardInterrupt):
        climb()
    with pytest.raises(InputError, match="has not been attacked on the whole ladder yet"):
        attacked.correct(MLP, IMAGES, STAGES, 0)
    assert len(begun) == 7
    again = climb()
    assert begun[7:] == [("apgd", 0.05)]
    np.testing.assert_array_equal(again["robust"].values, whole["robust"].values)
    assert attacked.missing([MLP], IMAGES, STAGES, 0) == []


def test_a_longer_ladder_and_later_stages_keep_what_is_finished(elsewhere):
    climb(STAGES[:3])
    finished = {entry.key for entry in attacked.kept(MLP, IMAGES, STAGES[:3], 0) if not entry.missing}
    longer = [entry.key for entry in attacked.kept(MLP, IMAGES, STAGES, 0)]
    assert len(finished) == 6 and set(longer[:-1]) == finished and longer[-1] not in finished


def test_the_key_holds_what_matters_and_nothing_else():
    def last(*texts, seed=0, images=IMAGES):
        return attacked.kept(MLP, images, ladder(texts), seed)[-1].key

    base = last("fgsm linf 0.1", "pgd linf 0.1 on 20")
    assert base == last("fgsm linf 0.1 on 20", "pgd linf 0.1 on 20")  # images beyond the stage do not matter
    assert base == last(
        "fgsm linf 0.1 0.2", "fgsm l2 1", "pgd linf 0.1 on 20"
    )  # nor larger balls, nor another norm
    other = Selection.parts("digits", (50, 40), seed=0)[1]
    shared = list(other.load().sample.values[:20]) == list(IMAGES.load().sample.values[:20])
    changed = [
        last("pgd linf 0.1 on 20"), last("fgsm linf 0.05 0.1", "pgd linf 0.1 on 20"), last("fgsm linf 0.1 on 10", "pgd linf 0.1 on 20"),
        last("fgsm linf 0.1", "pgd linf 0.1 on 21"), last("fgsm linf 0.1", "pgd linf 0.1 on 20", seed=1),
    ]  # fmt: skip
    assert len({base, *changed}) == 6
    assert (last("pgd linf 0.1 on 20", images=other) == changed[0]) == shared


def test_pieces_do_not_change_a_number(whole, elsewhere, monkeypatch):
    monkeypatch.setattr(attacked, "PIECE", 7)
    np.testing.assert_array_equal(climb()["robust"].values, whole["robust"].values)


def test_features_of_attacked_images(pixels, monkeypatch):
    classifier, x, labels = pixels
    stage = Stage.parse("pgd linf 0.1 on 30")
    found = attacked.features_under(MLP, IMAGES, stage, 0)
    ids = IMAGES.first(30).sample.values
    shown = ATTACKS["pgd"](classifier.on_pixels(), x[:30], labels[:30], eps=0.1, ids=ids)
    expected = classifier.activations_on_pixels(shown, ["penultimate", "logits"])
    np.testing.assert_array_equal(found["features"].values, expected["penultimate"])
    np.testing.assert_array_equal(found["logits"].values, expected["logits"])
    np.testing.assert_array_equal(found["label"].values, labels[:30])
    monkeypatch.setattr(attacked, "_adversarial", None)  # kept: not made again
    assert attacked.features_under(MLP, IMAGES, stage, 0).equals(found)
    with pytest.raises(InputError, match=r"at one budget, but 'pgd linf 0.1 0.2' has 2"):
        attacked.features_under(MLP, IMAGES, Stage.parse("pgd linf 0.1 0.2"), 0)


def test_more_images_than_there_are():
    with pytest.raises(InputError, match=r"'pgd linf 0.1 on 61' wants 61 images, but only 60"):
        attacked.check(MLP, IMAGES, ladder(["pgd linf 0.1 on 61"]))
    attacked.check(MLP, IMAGES, STAGES)


def test_pixels_then_normalise_is_the_preprocessing():
    images = np.random.default_rng(0).integers(0, 256, (3, 40, 50, 3), dtype=np.uint8)
    settings = dict(
        channels=3,
        size=(32, 32),
        resize=36,
        interpolation="bicubic",
        mean=(0.4, 0.5, 0.6),
        std=(0.2, 0.3, 0.1),
    )
    preprocess = Preprocessing(**settings)
    pixels = preprocess.pixels(images)
    assert pixels.shape == (3, 3, 32, 32) and pixels.min() >= 0 and pixels.max() <= 1
    assert torch.equal(preprocess(images), preprocess.normalise(pixels))
    plain = (pixels - torch.tensor([0.4, 0.5, 0.6])[:, None, None]) / torch.tensor([0.2, 0.3, 0.1])[
        :, None, None
    ]
    assert torch.equal(preprocess(images), plain)


def test_logits_on_pixels_are_those_on_images_and_have_a_gradient(pixels):
    classifier, x, _ = pixels
    images = IMAGES.first(IMAGES.n)["image"].values
    np.testing.assert_array_equal(
        classifier.activations_on_pixels(x, ["logits"])["logits"], classifier.logits(images)
    )
    module, image = classifier.on_pixels(), x[:2].clone().requires_grad_(True)
    np.testing.assert_allclose(
        module(image).detach().numpy(), classifier.logits(images[:2]), rtol=1e-4, atol=1e-5
    )
    module(image).sum().backward()
    assert image.grad.abs().sum() > 0 and not module.training
    assert all(p.grad is None for p in module.parameters())


def test_a_preprocessing_that_is_one_function_cannot_be_attacked(pixels):
    from dataclasses import replace

    own = replace(
        pixels[0], name="python:mine:net", preprocess=lambda images: torch.as_tensor(images).float()
    )
    for call in (own.on_pixels, lambda: own.pixels(None), lambda: own.activations_on_pixels(None)):
        with pytest.raises(
            InputError, match="python:mine:net cannot be attacked: its preprocessing is one function"
        ):
            call()
