"""The table of architecture families, and that each of them builds, trains and answers at 28 and 32 px."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from robustshape import datasets, models
from robustshape.hooks import capture, last_linear
from robustshape.models import zoo
from robustshape.models.families import CLANS, FAMILIES, built_here, family_of
from robustshape.models.recipes import PLAIN, architectures, recipe_for
from robustshape.training.loop import train
from robustshape.training.recipe import epochs_for


def images(channels, size, n=16):
    return np.random.default_rng(0).integers(0, 256, (n, size, size, channels), dtype=np.uint8)


@pytest.mark.parametrize("name", built_here())
def test_every_family_trains_and_gives_finite_features_and_logits(name):
    for channels, size in ((1, 28), (3, 32)):
        shape = {"channels": channels, "size": size, "n_classes": 7, "seed": 3}
        module, twin = zoo.construct(name, **shape), zoo.construct(name, **shape)
        assert all(map(torch.equal, module.state_dict().values(), twin.state_dict().values()))
        assert sum(p.numel() for p in module.parameters()) < 1e6
        short = replace(recipe_for(name, "plain", channels), epochs=1, batch_size=16)
        history = train(module, images(channels, size), np.arange(16) % 7, short, seed=0)
        assert 0 < history["loss"][0] < 12
        assert all(p.grad is not None for p in module.parameters())  # nothing stands there unused
        head = last_linear(module)
        layer, first = module.get_submodule(head), twin.get_submodule(head)
        assert not torch.equal(layer.weight, first.weight)
        assert isinstance(layer, nn.Linear) and layer.out_features == 7
        x = torch.rand(3, channels, size, size)
        with torch.no_grad(), capture(module, inputs=[head], outputs=[head]) as seen:
            logits = module(x)
        assert logits.shape == (3, 7) and torch.isfinite(logits).all() and logits.std() > 0
        assert torch.equal(seen.outputs[head], logits)
        assert seen.inputs[head].shape == (3, layer.in_features) and torch.isfinite(seen.inputs[head]).all()
    for channels, size in ((1, 32), (3, 28)):
        module = zoo.construct(name, channels=channels, size=size).eval()
        assert module(torch.rand(2, channels, size, size)).shape == (2, 10)


def test_no_network_has_a_convolution_that_corrupts_memory():
    """Of oneDNN's faults: the weights' gradient of a strided 1 x 1 convolution of fewer channels than its block (16)."""
    for architecture in architectures():
        for layer in zoo.construct(architecture, channels=3).modules():
            if isinstance(layer, nn.Conv2d) and layer.kernel_size == (1, 1) and layer.stride != (1, 1):
                inputs = layer.in_channels // layer.groups
                assert inputs >= 16 or layer.groups == layer.in_channels


def test_every_architecture_has_a_family_a_clan_and_a_paper():
    for architecture in architectures():
        family = family_of(architecture)
        assert family.title and family.clan in CLANS
        assert "arXiv " in family.paper or "doi " in family.paper
        assert not set(family.name) & set("-/: ")
    assert {family_of(name).name for name in PLAIN} | set(built_here()) == set(FAMILIES)
    assert family_of("regnety").family == family_of("regnetx").family == "regnet"
    assert {FAMILIES[name].clan for name in built_here()} == set(CLANS)
    titles = [family.title for family in FAMILIES.values()]
    assert len(set(titles)) == len(titles) == len(FAMILIES)


def test_there_are_enough_families():
    """Of independent ones, that is: two architectures of one paper are one family."""
    assert len({FAMILIES[name].family for name in built_here()}) >= 48


def test_the_family_is_known_to_the_classifier_and_its_weights_make_the_round_trip():
    options = {"dataset": "digits", "epochs": 1}
    first = models.load("zoo:mobileone-fast/2", **options)
    about = {"family": "mobileone", "clan": "mobile", "recipe": "fast"}
    assert about.items() <= first.about.items()
    again = models.load("zoo:mobileone-fast/2", **options)
    digits = datasets.load("digits").image.values[:40]
    assert np.array_equal(first.logits(digits), again.logits(digits))
    head = again.module.get_submodule(again.head)
    assert torch.equal(head.weight.half().float(), head.weight)  # kept in half precision
    assert not torch.equal(head.weight, zoo.construct("mobileone", seed=2).get_submodule(again.head).weight)


def test_what_a_family_is_trained_on_decides_its_recipe():
    digits, photographs = (recipe_for("resnext", "fast", channels) for channels in (1, 3))
    assert (digits.adversary_eps, digits.augmentation, digits.batch_size) == (0.1, ("shift",), 64)
    assert photographs.adversary_eps == 2 / 255 and photographs.augmentation == ("crop", "flip")
    assert digits.adversary_ramp == (0.3, 0.8) and recipe_for("lenet", "fast").adversary_ramp == (0.0, 0.3)
    assert epochs_for(digits, 60_000) == 1 and 50_000 * epochs_for(photographs, 50_000) >= 200_000
    rates = [recipe_for(name, "plain").learning_rate for name in ("swin", "resnext", "vit_patch4")]
    assert rates == [2e-3, 5e-3, 5e-3]
    assert recipe_for("resnext", "noise", 3).augmentation == ("crop", "flip", "faint_noise")


@pytest.mark.parametrize("architecture", PLAIN)
def test_the_radius_of_fast_follows_the_channels_for_every_architecture(architecture):
    assert [recipe_for(architecture, "fast", channels).adversary_eps for channels in (1, 3)] == [0.1, 2 / 255]
    for other in ("plain", "noise", "pgd"):
        assert recipe_for(architecture, other, 1) == recipe_for(architecture, other, 3)
