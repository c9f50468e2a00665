"""PGD step by step: kept once, inside the ball, each step as a plain loop finds it, whatever the other images."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from robustshape.attacks import gradient, starts
from robustshape.datasets.selection import Selection
from robustshape.measurements import attack_steps
from robustshape.measurements.attack_steps import Steps
from robustshape.models import load, network
from robustshape.models.network import Network

QUICK = dict(dataset="digits", epochs=1)
LENET, OTHER = (Network.of(name, **QUICK) for name in ("zoo:lenet", "zoo:mlp"))
IMAGES = Selection.parts("digits", (50, 80), seed=0)[1]
N, EPS, STEPS = 40, Fraction(1, 10), (1, 3, 8)


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    """A cache for the tests of this file, which share their networks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path_factory.mktemp("cache")))
        network._kept.cache_clear()
        yield
        network._kept.cache_clear()


def attacked(n=N, eps=EPS, steps=STEPS, seed=0):
    return attack_steps.attacked_images(LENET, Steps(IMAGES, n, eps, steps, seed))


@pytest.fixture(scope="module")
def found():
    return attacked()


@pytest.fixture(scope="module")
def clean():
    """Pixels and labels of the images, and the network."""
    data, classifier = IMAGES.first(N), load("zoo:lenet", **QUICK)
    return classifier, classifier.pixels(data["image"].values), torch.tensor(data["label"].values).long()


def right(classifier, x, labels):
    return classifier.activations_on_pixels(x, ["logits"])["logits"].argmax(1) == labels.numpy()


def test_images_lie_in_the_ball_and_in_the_range(found, clean):
    _, x, _ = clean
    shown = torch.from_numpy(found["x"].values)
    assert found["x"].dims == ("sample", "channel", "y", "column") and shown.shape == x.shape
    assert shown.dtype == torch.float32 and shown.min() >= 0 and shown.max() <= 1
    change = (shown - x).abs()
    assert change.max() <= 0.1 + 1e-6 and (change.flatten(1).amax(1) > 0.09).all()
    assert list(found.sample.values) == list(IMAGES.first(N).sample.values)


def test_every_step_is_that_of_a_plain_loop(found, clean):
    classifier, x, labels = clean
    network, ids = classifier.on_pixels(), IMAGES.first(N).sample.values
    at = (x + 0.1 * starts.in_ball(ids, 0, "pgd", like=x, norm="linf")).clamp(0, 1)
    shares = {}
    for k in range(1, 9):
        at.requires_grad_(True)
        F.cross_entropy(network(at), labels, reduction="sum").backward()
        at = (at + 2.5 * 0.1 / 20 * at.grad.sign()).detach()
        at = torch.minimum(torch.maximum(at, x - 0.1), x + 0.1).clamp(0, 1)
        shares[k] = right(classifier, at, labels).mean()
    assert found.step.values.tolist() == list(STEPS) and found["right"].dims == ("step", "sample")
    np.testing.assert_allclose(found["right"].mean("sample"), [shares[k] for k in STEPS], atol=1.5 / N)
    differs = (
        torch.from_numpy(found["x"].values) - at
    ).abs() > 1e-4  # where a gradient is 0 but for rounding
    assert differs.float().mean() < 0.01


def test_right_at_the_last_step_is_what_the_network_says_of_the_last_images(found, clean):
    classifier, x, labels = clean
    last = found["right"].values[-1]
    assert last.dtype == bool
    np.testing.assert_array_equal(last, right(classifier, torch.from_numpy(found["x"].values), labels))
    np.testing.assert_array_equal(last, attack_steps.right_on(LENET, IMAGES, found["x"].values))
    before = right(classifier, x, labels).mean()
    assert last.mean() < found["right"].values[0].mean() < before


def test_fewer_images_and_more_steps_change_nothing(found):
    for few in (attacked(n=7), attacked(n=32)):
        n = few.sizes["sample"]
        np.testing.assert_array_equal(few["x"], found["x"][:n])
        np.testing.assert_array_equal(few["right"], found["right"][:, :n])
    longer = attacked(n=7, steps=(3, 8, 9))
    np.testing.assert_array_equal(longer["right"][:2], found["right"][1:, :7])


def test_no_more_than_32_images_are_attacked_at_a_time(found, monkeypatch):
    sizes, iterates = [], gradient.iterates
    monkeypatch.setattr(
        gradient,
        "iterates",
        lambda network, x, *given, **more: sizes.append(len(x)) or iterates(network, x, *given, **more),
    )
    again = attack_steps._attack(LENET, Steps(IMAGES, N, EPS, STEPS, 0))
    assert sizes == [32, 8]
    np.testing.assert_array_equal(again["x"], found["x"])


def test_it_is_computed_once_and_kept(found, monkeypatch):
    entry = Steps(IMAGES, N, EPS, STEPS, 0).kept(LENET)
    assert not entry.missing and found.attrs["model"] == "zoo:lenet" and found.attrs["eps"] == "0.1"
    monkeypatch.setattr(attack_steps, "_attack", lambda *a: pytest.fail("it was attacked again"))
    assert attacked().identical(found) and attacked(eps=Fraction("0.10")).identical(found)


def test_it_may_be_computed_and_not_kept(found, monkeypatch):
    few, all_of_them = (Steps(IMAGES, n, EPS, STEPS, 0) for n in (8, N))
    passing = attack_steps.attacked_images(LENET, few, keep=False)
    np.testing.assert_array_equal(passing["x"], found["x"][:8])
    np.testing.assert_array_equal(passing["right"], found["right"][:, :8])
    assert few.kept(LENET).missing
    monkeypatch.setattr(attack_steps, "_attack", lambda *a: pytest.fail("it was attacked again"))
    assert attack_steps.attacked_images(LENET, all_of_them, keep=False).identical(found)  # kept before


def test_the_key_holds_what_matters():
    def key(model=LENET, images=IMAGES, n=N, eps=EPS, steps=STEPS, seed=0):
        return Steps(images, n, eps, steps, seed).kept(model).key

    other = Selection.parts("digits", (40, 80), seed=1)[1]
    changed = [
        key(model=OTHER), key(images=other), key(n=39), key(eps=Fraction(1, 20)), key(steps=(1, 8)), key(seed=1),
    ]  # fmt: skip
    assert len({key(), *changed}) == 7 and key(steps=list(STEPS)) == key()


def test_the_seed_gives_the_start(found):
    other = attacked(n=7, seed=1)
    assert not np.array_equal(other["x"], found["x"][:7])


def test_images_attacked_for_one_network_are_shown_to_another(found, clean):
    _, x, labels = clean
    other = load("zoo:mlp", **QUICK)
    shown = attack_steps.right_on(OTHER, IMAGES, found["x"].values)
    assert shown.shape == (N,) and shown.dtype == bool
    np.testing.assert_array_equal(shown, right(other, torch.from_numpy(found["x"].values), labels))
    few = attack_steps.right_on(OTHER, IMAGES, found["x"].values[:7])
    np.testing.assert_array_equal(few, shown[:7])
    np.testing.assert_array_equal(attack_steps.right_on(OTHER, IMAGES, x.numpy()), right(other, x, labels))
