"""What a GPU computes agrees with the processor: ranks exactly, other numbers within the ten bits that its convolutions keep."""

import os
from pathlib import Path

import dask.array
import numpy as np
import pytest
import torch
from torch import nn

from robustshape.attacks.pgd import pgd
from robustshape.doctor import hardware
from robustshape.generators.stylegan2 import Generator
from robustshape.indicators.kstar import nearest_foreign_rank
from robustshape.models.classifier import Classifier
from robustshape.models.preprocessing import Preprocessing
from robustshape.training.loop import train
from robustshape.training.recipe import Recipe

DEVICE = "cuda"
CLOSE = 5e-3  # of the largest value: TF32, cuDNN's default, rounds each factor to 2^-11 of it
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        DEVICE == "cuda" and not torch.cuda.is_available(), reason="no CUDA device is visible here"
    ),
]


def close(found, expected) -> bool:
    found, expected = (torch.as_tensor(one).detach().double().cpu() for one in (found, expected))
    return bool((found - expected).abs().max() <= CLOSE * expected.abs().max())


def network(seed=0) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 32, 3, stride=2), nn.ReLU(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 4),
        )  # fmt: skip


def data(n=96):
    """Return images of four classes, each bright in a quarter of its own, and their labels."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 4
    images = rng.integers(0, 120, (n, 16, 16, 3))
    for k in range(4):
        images[labels == k, 8 * (k // 2) :, 8 * (k % 2) :] += 40 * (k + 1) % 130
    return images.clip(0, 255).astype(np.uint8), labels


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("offset", [0, 300])
def test_ranks_are_the_same(metric, offset):
    rng = np.random.default_rng(1)
    labels = rng.integers(5, size=3000)
    features = (rng.standard_normal((3000, 64)) + rng.standard_normal((5, 64))[labels] / 3 + offset).astype(
        np.float32
    )
    expected = nearest_foreign_rank(features, labels, metric=metric)
    for given in (
        features,
        torch.as_tensor(features, device=DEVICE),
        dask.array.from_array(features, chunks=(700, -1)),
    ):
        assert np.array_equal(nearest_foreign_rank(given, labels, metric=metric, device=DEVICE), expected)


def test_features_and_logits_are_close():
    images, _ = data()
    here, there = (
        Classifier("mine", network(), Preprocessing(channels=3), "7", 4, {}, device=device).activations(
            images, ("penultimate", "logits", "depth:0.5")
        )
        for device in ("cpu", DEVICE)
    )
    for layer in here:
        assert here[layer].std() > 0 and close(there[layer], here[layer]), layer


@pytest.mark.parametrize("norm, eps", [("linf", 8 / 255), ("l2", 0.5)])
def test_attacks_are_as_strong(norm, eps):
    images, labels = data()
    raised = []
    for device in ("cpu", DEVICE):
        module = network().to(device).eval()
        x = torch.as_tensor(images, device=device).permute(0, 3, 1, 2).float() / 255
        y = torch.as_tensor(labels, device=device)
        attacked = pgd(module, x, y, eps=eps, steps=10, step_size=eps / 4, norm=norm, random_start=False)
        moved = (attacked - x).flatten(1)
        lengths = moved.abs().amax(1) if norm == "linf" else moved.norm(dim=1)
        assert lengths.max() <= eps * (1 + 1e-5) and attacked.min() >= 0 and attacked.max() <= 1
        losses = [nn.functional.cross_entropy(module(one), y).item() for one in (x, attacked)]
        raised.append(losses[1] - losses[0])
    assert raised[0] > 0 and raised[1] == pytest.approx(raised[0], rel=0.02)


@pytest.mark.parametrize("given", [{}, {"selectivity": -0.5}, {"mixed_precision": True}])
def test_a_step_of_training_moves_the_weights_alike(given):
    images, labels = data()
    recipe = Recipe(
        optimiser="sgd",
        learning_rate=0.1,
        schedule="constant",
        epochs=1,
        batch_size=len(images),
        augmentation=(),
        **given,
    )
    before, steps = network().state_dict(), []
    for device in ("cpu", DEVICE):
        module = network()
        train(module, images, labels, recipe, seed=0, device=device)
        after = module.state_dict()
        steps.append(
            {name: after[name].cpu() - before[name] for name in before if before[name].is_floating_point()}
        )
    rough = 10 if given.get("mixed_precision") else 1  # bfloat16 keeps eight bits
    for name, step in steps[0].items():
        largest = step.abs().max()
        if largest > 1e-4:  # the bias before a batch norm has no gradient but rounding
            assert (steps[1][name] - step).abs().max() <= 4 * rough * CLOSE * largest, name


def test_an_official_generator_gives_its_images():
    vectors = np.load(Path(__file__).parent / "vectors" / "stylegan2_vectors.npz")
    prefix = "state/G_ema/"
    weights = {
        k.removeprefix(prefix): torch.tensor(vectors[k]) for k in vectors.files if k.startswith(prefix)
    }
    made = Generator(32, 0, 32, 16, 3, mapping_layers=8, channel_base=256, channel_max=24, conv_clamp=256)
    made.load_state_dict(weights)
    made.requires_grad_(False).to(DEVICE)
    w = made.mapping(torch.tensor(vectors["z"], device=DEVICE))
    assert close(w, vectors["ws_psi1"])
    assert close(made.synthesise(styles=made.styles(w), noise="const"), vectors["img_psi1_const_fp32"])


def test_the_doctor_says_which_device_is_used(monkeypatch):
    monkeypatch.setenv("ROBUSTSHAPE_DEVICE", DEVICE)
    assert hardware()["networks run on"] == DEVICE and os.environ["ROBUSTSHAPE_DEVICE"] == DEVICE
