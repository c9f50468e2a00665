"""Fast adversarial training against a plain twin, and what is said of a network after its training."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from robustshape import models
from robustshape.errors import InputError
from robustshape.models import zoo
from robustshape.models.recipes import PLAIN
from robustshape.training.loop import train
from robustshape.training.outcome import outcome, step_length
from robustshape.training.randomness import generator_at
from robustshape.training.recipe import Recipe

FAST = Recipe(
    optimiser="sgd",
    learning_rate=0.5,
    momentum=0.0,
    weight_decay=0.0,
    schedule="constant",
    epochs=1,
    batch_size=8,
    augmentation=(),
    adversary_eps=0.1,
    adversary_steps=1,
    adversary_step=1.25,
)
QUICK = {"dataset": "digits", "epochs": 1}


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2))


def data(n=8):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (n, 2, 2, 1), dtype=np.uint8), np.arange(n) % 2


def test_a_fast_step_is_that_of_a_plain_twin():
    images, labels = data()
    module, twin = network(), network()
    train(module, images, labels, FAST, seed=3)
    order = torch.randperm(8, generator=generator_at(3, (0,)))
    x = torch.from_numpy(images).permute(0, 3, 1, 2)[order] / 255
    y = torch.from_numpy(labels)[order]
    delta = 0.2 * torch.rand(x.shape, generator=generator_at(3, (0, 0))) - 0.1
    start = (x + delta).clamp(0, 1).requires_grad_()
    (gradient,) = torch.autograd.grad(F.cross_entropy(twin(start), y), start)
    delta = (start.detach() + 0.125 * gradient.sign() - x).clamp(-0.1, 0.1)
    F.cross_entropy(twin((x + delta).clamp(0, 1)), y).backward()
    for parameter, expected in zip(module.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(parameter, expected - 0.5 * expected.grad)


def test_a_run_is_a_plain_one_until_the_radius_begins_to_grow():
    seen = {}
    for eps in (0.0, 0.1):
        module, seen[eps] = network(), []
        recipe = replace(FAST, batch_size=1, adversary_eps=eps, adversary_ramp=(0.5, 1.0))  # 8 steps

        def keep(_labels, module=module, kept=seen[eps]):
            kept.append(module[1].weight.detach().clone())
            return 0.0

        train(module, *data(), recipe, seed=0, penalty=keep)
    same = [torch.equal(plain, late) for plain, late in zip(seen[0.0], seen[0.1], strict=True)]
    assert same == [True] * 5 + [False] * 3


@pytest.mark.parametrize("ramp", [(0.3, 0.3), (-0.1, 0.5), (0.5, 1.1)])
def test_a_ramp_rises_within_the_run(ramp):
    with pytest.raises(InputError, match="must be two rising shares of the run, such as"):
        Recipe(adversary_ramp=ramp)


def test_steps_are_of_two_radii_together_unless_their_length_is_given():
    assert step_length(FAST, 0.08) == pytest.approx(0.1)
    assert step_length(Recipe(adversary_eps=0.15), 0.15) == 0.15
    assert "adversary_step" not in Recipe().describe() and FAST.describe()["adversary_step"] == 1.25


class Bump(nn.Module):
    """Right on clean images and at the end of a long step, wrong if the first pixel grows by .001 to .039.

    The second pixel says the class. The loss falls on both sides of a growth of .02, so that short steps end there.
    """

    def __init__(self):
        super().__init__()
        self.centre = nn.Parameter(torch.tensor(128 / 255 + 0.02))

    def forward(self, x):
        pixel, sign = x[:, 0, 0, 0], (x[:, 0, 0, 1] > 0.5) * 2.0 - 1
        margin = 1e3 * ((pixel - self.centre) ** 2 - 0.019**2) * sign
        return torch.stack([-margin, margin], 1)


def test_catastrophic_overfitting_is_an_accuracy_that_holds_against_one_step_alone():
    labels = np.arange(2000) % 2
    images = np.full((2000, 1, 2, 1), 128, np.uint8)
    images[:, 0, 1, 0] = 255 * labels
    found = outcome(Bump(), images, labels, FAST, generator=torch.Generator().manual_seed(0))
    assert found["clean_accuracy"] == 1 and not found["at_chance"]
    assert found["trained_attack_accuracy"] > 0.85 and found["pgd_accuracy"] < 0.4
    assert found["catastrophic_overfitting"]
    small = outcome(Bump(), images, labels, replace(FAST, adversary_eps=5e-4), generator=torch.Generator())
    assert small["pgd_accuracy"] == 1 and not small["catastrophic_overfitting"]
    assert set(outcome(Bump(), images, labels, Recipe(), generator=None)) == {"clean_accuracy", "at_chance"}


def test_what_is_said_of_a_network_of_the_zoo(monkeypatch, tmp_path):
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path))
    assert zoo.marks("mlp-fast", **QUICK) == []  # not trained
    models.load("zoo:mlp-fast", **QUICK)
    assert zoo.marks("mlp-fast", **QUICK) == []
    monkeypatch.setitem(PLAIN, "mlp", replace(PLAIN["mlp"], learning_rate=1e-12))
    models.load("zoo:mlp", **QUICK)
    assert zoo.marks("mlp", **QUICK) == ["at chance"]
