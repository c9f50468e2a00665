"""Responses and input gradients of units: plain passes, whole Jacobians, by hand, any company of images, errors."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.autograd.functional import jacobian

from robustshape.errors import InputError
from robustshape.measurements import unit_responses as module
from robustshape.measurements.unit_responses import input_gradients, logit_jacobian_norms, unit_responses
from robustshape.models import zoo
from robustshape.models.classifier import Classifier
from robustshape.models.preprocessing import Preprocessing


def tiny(seed=0, mean=None, std=None, channels=1):
    """Return a network of two convolutions, of 3 and 2 channels, for images of 8 x 8."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = nn.Sequential(
            nn.Conv2d(channels, 3, 3), nn.ReLU(), nn.Conv2d(3, 2, 3, stride=2), nn.ReLU(),
            nn.Flatten(), nn.Linear(8, 4),
        )  # fmt: skip
    preprocess = Preprocessing(channels=channels, size=(8, 8), mean=mean, std=std)
    return Classifier("python:mine:tiny", network, preprocess, "5", 4, {})


def of_zoo(name, channels=1):
    """Return an untrained network of the zoo, whose batch normalisation has seen something."""
    network = zoo.construct(name, channels=channels)
    with torch.no_grad():
        network.train()(torch.rand(32, channels, 32, 32, generator=torch.Generator().manual_seed(0)))
    return Classifier(f"zoo:{name}", network, Preprocessing(channels=channels, size=(32, 32)), "", 10, {})


def images(n, side=8, channels=1, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, channels), dtype=np.uint8)


def by_hooks(classifier, shown):
    """Return what every ReLU module returns, averaged over its map, each time it is called."""
    seen = []

    def look(relu, inputs, maps):
        if maps.ndim == 4:
            seen.append(maps.mean((2, 3)))

    relus = [m for m in classifier.module.modules() if isinstance(m, nn.ReLU)]
    handles = [relu.register_forward_hook(look) for relu in relus]
    with torch.inference_mode():
        classifier.module(classifier.preprocess(shown))
    for handle in handles:
        handle.remove()
    return [layer.numpy() for layer in seen]


def of_units(classifier):
    """Return a function from pixels to the responses of all units side by side."""

    def responses(x):
        first = classifier.module[:2](classifier.preprocess.normalise(x))
        second = classifier.module[2:4](first)
        return torch.cat([first.mean((2, 3)), second.mean((2, 3))], 1)

    return responses


# responses


@pytest.mark.parametrize("name, widths", [("resnet", [16, 16, 16, 32, 32, 64, 64]), ("lenet", [6, 16])])
def test_responses_are_those_of_a_plain_pass(name, widths):
    classifier, shown = of_zoo(name), images(7, 32)
    found = unit_responses(classifier, shown)
    assert [layer.shape for layer in found] == [(7, width) for width in widths]
    for ours, plain in zip(found, by_hooks(classifier, shown)):
        assert ours.dtype == np.float32 and ours.min() >= 0
        np.testing.assert_allclose(ours, plain, atol=1e-5)


def test_by_hand():
    classifier = tiny()
    classifier.module[0].weight.data.zero_()[:, :, 1, 1] = torch.tensor([[1.0], [-1.0], [2.0]])
    classifier.module[0].bias.data.zero_()
    half = np.full((1, 8, 8, 1), 51, np.uint8)  # 51 / 255 = 0.2
    first = unit_responses(classifier, half)[0]
    np.testing.assert_allclose(first, [[0.2, 0, 0.4]], rtol=1e-6)
    with_mean = Classifier(
        "", classifier.module, Preprocessing(channels=1, mean=(0.4,), std=(0.5,)), "", 4, {}
    )
    np.testing.assert_allclose(unit_responses(with_mean, half)[0], [[0, 0.4, 0]], rtol=1e-6)


def test_responses_do_not_depend_on_how_many_images_there_are_nor_on_their_order(monkeypatch):
    classifier, shown = of_zoo("resnet"), images(9, 32)
    monkeypatch.setattr(module, "chunk_of", lambda *sides: 4)
    whole, order = unit_responses(classifier, shown), np.random.default_rng(1).permutation(9)
    for few, mixed, layer in zip(
        unit_responses(classifier, shown[:5]), unit_responses(classifier, shown[order]), whole
    ):
        np.testing.assert_array_equal(few, layer[:5])
        np.testing.assert_allclose(mixed, layer[order], rtol=1e-5)


def test_images_and_their_pixels_give_the_same_responses():
    classifier, shown = tiny(mean=(0.3,), std=(0.2,)), images(5)
    for a, b in zip(unit_responses(classifier, shown), unit_responses(classifier, classifier.pixels(shown))):
        np.testing.assert_array_equal(a, b)


def test_a_grey_image_is_repeated_for_a_network_of_colours():
    classifier, grey = tiny(channels=3), images(3)
    for a, b in zip(unit_responses(classifier, grey), unit_responses(classifier, grey.repeat(3, axis=3))):
        np.testing.assert_array_equal(a, b)


# gradients


@pytest.mark.parametrize("mean, std", [(None, None), ((0.4,), (0.25,))])
def test_input_gradients_are_the_rows_of_the_jacobian(mean, std):
    classifier, shown = tiny(mean=mean, std=std), images(6)
    x = classifier.pixels(shown)
    found = np.concatenate(input_gradients(classifier, x), axis=1)
    assert found.shape == (6, 5) and found.dtype == np.float32
    for i in range(6):
        whole = jacobian(of_units(classifier), x[i : i + 1])[0]  # (unit, 1, 1, 8, 8)
        np.testing.assert_allclose(found[i], whole.flatten(1).norm(dim=1), rtol=1e-5, atol=1e-7)


def test_gradients_are_by_the_pixels_before_they_are_normalised():
    plain, x = tiny(), torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    scaled = tiny(mean=(0.4,), std=(0.25,))
    # what both networks see is the same, but the second gets there four times as fast
    pixels = 0.25 * x + 0.4
    for a, b in zip(input_gradients(plain, x), input_gradients(scaled, pixels)):
        np.testing.assert_allclose(b, 4 * a, rtol=1e-4)
    expected = 4 * logit_jacobian_norms(plain, x)
    np.testing.assert_allclose(logit_jacobian_norms(scaled, pixels), expected, rtol=1e-4)


def test_logit_jacobian_norms_are_those_of_the_jacobian():
    classifier = tiny(mean=(0.4,), std=(0.25,))
    x = classifier.pixels(images(5))

    def logits(x):
        return classifier.module(classifier.preprocess.normalise(x))

    whole = torch.stack([jacobian(logits, image[None])[0].flatten(1) for image in x])  # (5, class, pixel)
    found = logit_jacobian_norms(classifier, x)
    assert found.shape == (5,) and found.dtype == np.float64
    np.testing.assert_allclose(found, whole.norm(dim=(1, 2)), rtol=1e-5)
    some = logit_jacobian_norms(classifier, x, np.array([3, 0]))
    np.testing.assert_allclose(some, whole[:, [3, 0]].norm(dim=(1, 2)), rtol=1e-5)
    parts = [logit_jacobian_norms(classifier, x, [k]) ** 2 for k in range(4)]
    np.testing.assert_allclose(np.sum(parts, axis=0), found**2)


def test_a_linear_network_has_its_weights_as_jacobian():
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    network[1].weight.data.copy_(torch.tensor([[3.0, 0.0, 0.0, 4.0], [0.0, 12.0, 0.0, 0.0]]))
    classifier = Classifier("", network, Preprocessing(channels=1), "1", 2, {})
    assert logit_jacobian_norms(classifier, torch.rand(3, 1, 2, 2)).tolist() == pytest.approx([13] * 3)


def test_gradients_do_not_depend_on_the_company_of_an_image(monkeypatch):
    classifier = tiny()
    x = classifier.pixels(images(7))
    monkeypatch.setattr(module, "GRADIENT_CHUNK", 3)
    whole, norms = input_gradients(classifier, x), logit_jacobian_norms(classifier, x)
    for layer, few, turned in zip(
        whole, input_gradients(classifier, x[:4]), input_gradients(classifier, x.flip(0))
    ):
        np.testing.assert_array_equal(few, layer[:4])
        np.testing.assert_allclose(turned, layer[::-1], rtol=1e-5)
    np.testing.assert_array_equal(logit_jacobian_norms(classifier, x[:4]), norms[:4])


def test_a_dead_unit_has_no_gradient():
    classifier = tiny()
    classifier.module[0].bias.data[1] = -1e3
    first, _ = input_gradients(classifier, classifier.pixels(images(3)))
    assert (first[:, 1] == 0).all() and (first[:, [0, 2]] > 0).any()


def test_nothing_of_the_network_is_changed():
    classifier = of_zoo("resnet")
    before = {name: value.clone() for name, value in classifier.module.state_dict().items()}
    x = classifier.pixels(images(2, 32))
    unit_responses(classifier, x)
    logit_jacobian_norms(classifier, x, slice(0, 2))
    assert not classifier.module.training and not x.requires_grad
    assert all(torch.equal(before[name], value) for name, value in classifier.module.state_dict().items())
    assert all(p.grad is None for p in classifier.module.parameters())


# what cannot be used


def gelu():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.GELU(), nn.Flatten(), nn.Linear(72, 4))
    return Classifier("python:mine:gelu", network, Preprocessing(channels=1, size=(8, 8)), "3", 4, {})


def test_responses_need_images_and_a_relu():
    with pytest.raises(InputError, match="unit responses need at least one image, but were given none"):
        unit_responses(tiny(), images(0))
    words = "a Sequential has no rectified convolution: .* such as GELU do not count; take a network such as zoo:resnet"
    with pytest.raises(InputError, match=words):
        unit_responses(gelu(), images(2))
    with pytest.raises(InputError, match=words):
        input_gradients(gelu(), torch.rand(2, 1, 8, 8))


def test_a_network_that_has_diverged_is_said_to():
    classifier = tiny()
    classifier.module[2].weight.data.fill_(float("nan"))
    with pytest.raises(
        InputError, match="python:mine:tiny gives responses that are not finite: it has diverged"
    ):
        unit_responses(classifier, images(2))


@pytest.mark.parametrize("measure", [input_gradients, logit_jacobian_norms])
@pytest.mark.parametrize("x", [images(2), torch.rand(1, 8, 8), torch.rand(0, 1, 8, 8)])
def test_gradients_need_pixels(measure, x):
    words = r"gradients need pixels \(n, c, h, w\) as Classifier.pixels returns them, at least one image"
    with pytest.raises(InputError, match=words):
        measure(tiny(), x)
