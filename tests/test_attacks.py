"""PGD: by hand on a linear network, the ball and the pixel range, the loss it raises, its errors."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from robustshape.attacks.pgd import pgd
from robustshape.errors import InputError


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def linear(rows):
    network = nn.Sequential(nn.Flatten(), nn.Linear(len(rows[0]), len(rows), bias=False))
    network[1].weight.data.copy_(torch.tensor(rows))
    return network


@pytest.fixture(scope="module")
def trained():
    """Two classes, told apart by which half of the image is brighter, and a small network that has learnt it."""
    generator = seeded(3)
    labels = torch.arange(200) % 2
    images = torch.rand(200, 1, 4, 4, generator=generator) * 0.5
    images[labels == 1, :, :2] += 0.3
    images[labels == 0, :, 2:] += 0.3
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Flatten(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 2))
    optimiser = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(60):
        optimiser.zero_grad()
        F.cross_entropy(network(images), labels).backward()
        optimiser.step()
    return network, images, labels


def test_fgsm_by_hand():
    # logit 1 - logit 0 = 3 x0 - x1, so for label 0 the loss rises with x0 and falls with x1
    network = linear([[0.0, 0.0], [3.0, -1.0]])
    image = torch.tensor([0.5, 0.05]).view(1, 1, 1, 2)
    label = torch.tensor([0])
    found = pgd(network, image, label, eps=0.1, steps=1, step_size=0.1, random_start=False)
    assert found.flatten().tolist() == pytest.approx([0.6, 0.0])  # the second is clipped at 0


def test_l2_step_by_hand():
    # the gradient for label 0 is along (3, -4), of length 5
    network = linear([[0.0, 0.0], [3.0, -4.0]])
    image, label = torch.full((1, 1, 1, 2), 0.5), torch.tensor([0])
    found = pgd(network, image, label, eps=0.1, steps=7, step_size=0.05, norm="l2", random_start=False)
    assert found.flatten().tolist() == pytest.approx([0.56, 0.42])


@pytest.mark.parametrize("norm, eps", [("linf", 0.2), ("l2", 0.8)])
def test_lowers_the_accuracy_and_stays_in_the_ball_and_the_range(trained, norm, eps):
    network, images, labels = trained
    step = eps / 4
    found = pgd(network, images, labels, eps=eps, steps=10, step_size=step, norm=norm, generator=seeded())
    change = (found - images).flatten(1)
    size = change.abs().amax(1) if norm == "linf" else change.norm(dim=1)
    assert size.max() <= eps + 1e-5
    assert found.min() >= 0 and found.max() <= 1
    clean = (network(images).argmax(1) == labels).float().mean()
    attacked = (network(found).argmax(1) == labels).float().mean()
    assert clean > 0.95 and attacked < 0.5 * clean


def test_more_steps_raise_the_loss_more(trained):
    network, images, labels = trained
    losses = [
        F.cross_entropy(
            network(pgd(network, images, labels, eps=0.1, steps=n, step_size=0.02, random_start=False)),
            labels,
        ).item()
        for n in (0, 1, 3, 8)
    ]
    assert losses == sorted(losses) and losses[-1] > 1.5 * losses[0]


def test_equals_a_plain_loop_over_images(trained):
    network, images, labels = trained
    found = pgd(network, images[:5], labels[:5], eps=0.1, steps=4, step_size=0.05, random_start=False)
    for image, label, result in zip(images[:5], labels[:5], found):
        x = image.clone()
        for _ in range(4):
            x.requires_grad_(True)
            F.cross_entropy(network(x[None]), label[None]).backward()
            x = (x + 0.05 * x.grad.sign()).detach()
            x = torch.minimum(torch.maximum(x, image - 0.1), image + 0.1).clamp(0, 1)
        assert torch.allclose(x, result, atol=1e-6)


def test_leaves_mode_and_gradients_of_the_network_alone(trained):
    network, images, labels = trained
    network.train()
    network.zero_grad(set_to_none=True)
    pgd(network, images[:4], labels[:4], eps=0.1, steps=2, step_size=0.1, generator=seeded())
    assert network.training and all(p.grad is None for p in network.parameters())


def test_the_generator_decides_the_start(trained):
    network, images, labels = trained

    def attacked(seed):
        return pgd(network, images, labels, eps=0.1, steps=0, step_size=0, generator=seeded(seed))

    assert torch.equal(attacked(1), attacked(1)) and not torch.equal(attacked(1), attacked(2))


@pytest.mark.parametrize(
    "change, words",
    [
        ({"norm": "l1"}, "norm is 'l1', but must be one of linf, l2"),
        ({"eps": -0.1}, "none may be negative"),
        ({"generator": None}, "a random start needs generator="),
        ({"labels": torch.tensor([0, 1, 1])}, r"images \(2, 1, 1, 2\) and labels \(3,\)"),
    ],
)
def test_errors_say_what_is_wrong(change, words):
    settings = {"labels": torch.tensor([0, 1]), "eps": 0.1, "generator": seeded()} | change
    with pytest.raises(InputError, match=words):
        pgd(linear([[1.0, 0.0], [0.0, 1.0]]), torch.rand(2, 1, 1, 2), steps=1, step_size=0.1, **settings)
