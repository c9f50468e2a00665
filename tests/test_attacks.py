"""Attacks: by hand on linear networks, the ball and the pixel range, independence of batches, ladders in words."""

from fractions import Fraction
from itertools import islice

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from robustshape.attacks import ATTACKS, auto, gradient, harness, starts
from robustshape.attacks.pgd import iterates, pgd
from robustshape.attacks.stages import Stage, in_words, ladder
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


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_the_iterates_are_what_so_many_steps_give(trained, norm):
    network, images, labels = trained
    given = {"eps": 0.1, "step_size": 0.04, "norm": norm}
    start = pgd(network, images[:9], labels[:9], steps=0, generator=seeded(), **given)
    path = iterates(network, images[:9], labels[:9], start=start, **given)
    for k, found in enumerate(islice(path, 4), 1):
        assert not found.requires_grad
        whole = pgd(network, images[:9], labels[:9], steps=k, generator=seeded(), **given)
        assert torch.equal(found, whole) and not torch.equal(found, start)


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


NORM_OF = {"linf": 1, "l2": 2}  # an attack in linf moves a linear margin by eps * the L1 norm of its slope
EVERY = [(name, norm) for name in ATTACKS.names() for norm in NORM_OF]


@pytest.fixture(autouse=True)
def few_queries(monkeypatch):
    monkeypatch.setattr(auto, "QUERIES", 10)  # instead of 5,000 and 100: enough for these small networks
    monkeypatch.setattr(auto, "ITERATIONS", 12)


def margins(network, images, norm):
    """Return each image's distance to the nearest boundary of a linear network, in closed form."""
    weight, logits = network[1].weight, network(images)
    labels = logits.argmax(1)
    slopes = weight[labels][:, None] - weight[None]  # (n, class, pixel)
    gaps = logits.gather(1, labels[:, None]) - logits
    distance = gaps / slopes.norm(p=NORM_OF[norm], dim=2)
    return distance.masked_fill(gaps == 0, torch.inf).amin(1), labels


@pytest.mark.parametrize("name, norm", EVERY)
def test_two_linear_classes_fall_exactly_where_the_closed_form_says(name, norm):
    network = nn.Sequential(nn.Flatten(), nn.Linear(25, 2, bias=False)).eval()
    network[1].weight.data.copy_(torch.randn(2, 25, generator=seeded(1)))
    network.requires_grad_(False)
    images = 0.4 + 0.2 * torch.rand(40, 1, 5, 5, generator=seeded(2))  # no attack below meets 0 or 1
    distance, labels = margins(network, images, norm)
    eps = float(distance.sort().values[19:21].mean())  # half of them are nearer
    assert 0 < eps < 0.4
    found = ATTACKS[name](network, images, labels, eps=eps, norm=norm, seed=0)
    robust = network(found).argmax(1) == labels
    assert robust[distance > eps].all() and not robust[distance < 0.95 * eps].any()
    assert (distance > eps).sum() == 20 and (distance < 0.95 * eps).sum() > 10


@pytest.mark.parametrize("name, norm", EVERY)
@pytest.mark.parametrize("classes", [2, 3, 5])
def test_any_number_of_classes_the_ball_and_the_range(name, norm, classes):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(75, 20), nn.ReLU(), nn.Linear(20, classes)).eval()
    network.requires_grad_(False)
    images, eps = torch.rand(20, 3, 5, 5, generator=seeded()), {"linf": 0.05, "l2": 0.4}[norm]
    labels = network(images).argmax(1)
    found = ATTACKS[name](network, images, labels, eps=eps, norm=norm)
    assert found.min() >= 0 and found.max() <= 1
    assert harness.distances(found, images, norm).max() <= eps + 1e-6
    assert (network(found).argmax(1) == labels).float().mean() < 0.9


@pytest.mark.parametrize("name, norm", EVERY)
def test_an_image_is_attacked_alike_in_any_company(trained, name, norm):
    network, images, labels = trained
    network.eval().requires_grad_(False)
    images = nn.functional.interpolate(images[:40], scale_factor=2)
    network = nn.Sequential(nn.AvgPool2d(2), network).eval()
    settings = {"eps": {"linf": 0.1, "l2": 0.6}[norm], "norm": norm, "seed": 3}
    ids = [f"image/{i}" for i in range(40)]
    whole = ATTACKS[name](network, images, labels[:40], ids=ids, **settings)
    order = [31, 7, 0, 33, 12]
    part = ATTACKS[name](network, images[order], labels[order], ids=[ids[i] for i in order], **settings)
    assert torch.equal(whole[order], part)
    state = torch.get_rng_state()
    ATTACKS[name](network, images[:2], labels[:2], **settings)
    assert torch.equal(state, torch.get_rng_state())  # torch's own generator is left alone


def test_pieces_do_not_change_a_number(trained, monkeypatch):
    network, images, labels = trained
    network.eval()
    whole = ATTACKS["pgd"](network, images, labels, eps=0.1)
    monkeypatch.setattr(harness, "_VALUES", 1)
    assert torch.equal(whole, ATTACKS["pgd"](network, images, labels, eps=0.1))


@pytest.mark.parametrize("norm, eps", [("linf", 0.15), ("linf", 8 / 255), ("l2", 0.6)])
@pytest.mark.parametrize("name", ["fgsm", "pgd"])
def test_every_bit_is_that_of_foolbox_from_the_same_start(trained, name, norm, eps):
    from foolbox import PyTorchModel, attacks
    from foolbox.criteria import Misclassification

    network, images, labels = trained
    network, ids = harness.FixedBatches(network.eval()), [f"image/{i}" for i in range(len(images))]
    kind = {"linf": attacks.LinfFastGradientAttack, "l2": attacks.L2FastGradientAttack}[norm]
    theirs = kind(random_start=False)
    if name == "pgd":
        kind = {
            "linf": attacks.LinfProjectedGradientDescentAttack,
            "l2": attacks.L2ProjectedGradientDescentAttack,
        }

        class OwnStart(kind[norm]):
            def get_random_start(self, x0, epsilon):
                return x0 + epsilon * type(x0)(starts.in_ball(ids, 3, "pgd", like=x0.raw, norm=norm))

        theirs = OwnStart(rel_stepsize=2.5 / 20, steps=20, random_start=True)
    model = PyTorchModel(network, bounds=(0, 1), device=images.device)
    theirs = theirs.run(model, images, Misclassification(labels), epsilon=eps)
    ours = getattr(gradient, name)(network, images, labels, eps=eps, norm=norm, seed=3, ids=ids)
    assert torch.equal(ours, theirs) and not torch.equal(ours, images)


def test_the_seed_and_the_id_decide_the_start(trained):
    network, images, labels = trained
    network.eval()

    def found(**changed):
        return ATTACKS["pgd"](network, images[:3], labels[:3], **{"eps": 0.1, "norm": "l2"} | changed)

    assert torch.equal(found(), found(seed=0, ids=[0, 1, 2]))
    assert not torch.equal(found(), found(seed=1)) and not torch.equal(found(), found(ids=[3, 4, 5]))


def test_what_leaves_the_ball_or_is_nan_counts_as_not_found():
    network, images = linear([[1.0, 0.0], [0.0, 1.0]]).eval(), torch.rand(3, 1, 1, 2)

    def broken(module, x, labels, *, eps, norm, seed, ids):
        return torch.stack([x[0] + eps / 2, x[1] + 10 * eps, x[2] + torch.nan])

    settings = {"eps": 0.01, "norm": "linf", "seed": 0, "ids": None}
    found = harness.run(broken, network, images * 0.9, torch.tensor([0, 1, 1]), **settings)
    assert torch.equal(found[1:], images[1:] * 0.9) and not torch.equal(found[:1], images[:1] * 0.9)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"norm": "l1"}, "unknown norm 'l1'; closest: l2; it is one of linf, l2"),
        ({"eps": 0}, "eps is a number above 0"),
        ({"x": torch.full((2, 1, 1, 2), 3.0)}, "images in \\[0, 1\\], but these run from 3 to 3"),
        ({"x": torch.full((2, 1, 1, 2), torch.nan)}, "images in \\[0, 1\\], but these run from nan"),
        ({"labels": torch.tensor([0])}, r"images \(2, 1, 1, 2\) torch.float32 and labels \(1,\)"),
        ({"ids": ["a"]}, "2 images and 1 ids"),
        ({"module": linear([[1.0, 0.0], [0.0, 1.0]]).train()}, "training mode; call its eval"),
    ],
)
def test_wrong_arguments_are_said_in_words(change, words):
    given = {"module": linear([[1.0, 0.0], [0.0, 1.0]]).eval(), "x": torch.rand(2, 1, 1, 2)}
    given |= {"labels": torch.tensor([0, 1]), "eps": 0.1} | change
    with pytest.raises(InputError, match=words):
        ATTACKS["fgsm"](given.pop("module"), given.pop("x"), given.pop("labels"), **given)


def test_square_in_l2_needs_five_pixels():
    with pytest.raises(InputError, match="at least 5 x 5 pixels, but was given 4 x 4; take apgd"):
        ATTACKS["autoattack"](
            linear([[1.0] * 16] * 2).eval(), torch.rand(1, 1, 4, 4), torch.tensor([0]), eps=1, norm="l2"
        )


def test_stages_in_words():
    stage = Stage.parse(" pgd linf 2/255  0.1 on 1000 ")
    assert stage == Stage("pgd", "linf", (Fraction(2, 255), Fraction(1, 10)), 1000)
    assert stage.labels == ("pgd linf 2/255", "pgd linf 0.1") and str(stage) == "pgd linf 2/255 0.1 on 1000"
    assert Stage.parse("autoattack l2 0.5").n is None
    for text in ("0.5", "8/255", "0.03137254901960784", "3", "0.123456789"):
        assert in_words(Fraction(text)) == text
        assert Fraction(in_words(Fraction(text))) == Fraction(text)


@pytest.mark.parametrize(
    "text, words",
    [
        ("pdg linf 8/255", "unknown attack 'pdg'; closest: pgd"),
        ("pgd", "'pgd' is incomplete; it is written ATTACK NORM BUDGET"),
        ("pgd linf on 3", "is incomplete"),
        ("pgd lin 8/255", "unknown norm 'lin'; closest: linf"),
        ("pgd linf 8/0", "the budget '8/0' of 'pgd linf 8/0' is not a fraction"),
        ("pgd linf eight", "the budget 'eight' of"),
        ("pgd linf 0", "must be above 0"),
        ("pgd linf 8", "which is 1; perhaps 8/255 is meant"),
        ("pgd linf 8/255 2/255", "must ascend"),
        ("pgd linf 2/255 4/510", "must ascend, each given once"),
        ("pgd linf 2/255 on many", "at least 1, not 'many'"),
        ("pgd linf 2/255 on 0", "at least 1, not '0'"),
        (8, "is written ATTACK NORM BUDGET"),
    ],
)
def test_a_stage_that_is_not_one(text, words):
    with pytest.raises(InputError, match=words):
        Stage.parse(text)


def test_a_ladder_names_no_attack_twice():
    with pytest.raises(InputError, match="'pgd linf 8/255' is asked for twice"):
        ladder(["pgd linf 2/255 8/255 on 10", "pgd linf 8/255"])
    with pytest.raises(InputError, match="are a list of stages"):
        ladder("pgd linf 8/255")
    assert ladder([]) == ()
