"""StyleGAN2: the outputs of an official network, a brute-force twin, the filter's gradients, what is refused."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from robustshape.errors import InputError
from robustshape.generators.stylegan2 import Discriminator, Generator
from robustshape.generators.stylegan2.discriminator import ARCHITECTURES, with_deviation
from robustshape.generators.stylegan2.generator import one_hot
from robustshape.generators.stylegan2.layers import Convolution
from robustshape.generators.stylegan2.resampling import KERNEL, blur, doubled, halved

VECTORS = np.load(Path(__file__).parent / "vectors" / "stylegan2_vectors.npz")
SIZES = {"channel_base": 256, "channel_max": 24, "conv_clamp": 256}


def official(network):
    prefix = f"state/{network}/"
    return {k.removeprefix(prefix): torch.tensor(VECTORS[k]) for k in VECTORS.files if k.startswith(prefix)}


@pytest.fixture(scope="module")
def generator():
    made = Generator(32, 0, 32, 16, 3, mapping_layers=8, **SIZES)
    made.load_state_dict(official("G_ema"))
    return made.requires_grad_(False)


def small(**changes):
    torch.manual_seed(0)
    settings = {"z_dim": 6, "c_dim": 3, "w_dim": 5, "img_resolution": 16, "img_channels": 1}
    return Generator(**settings | changes, channel_base=64, channel_max=8, mapping_layers=2)


@pytest.mark.parametrize("psi", [1, 0.7])
def test_an_official_generator_gives_its_images(generator, psi):
    w = generator.mapping(torch.tensor(VECTORS["z"]), truncation_psi=psi)
    assert np.abs(w.numpy() - VECTORS[f"ws_psi{psi}"]).max() < 2e-5
    for noise in ("const", "none"):
        images = generator.synthesise(styles=generator.styles(w), noise=noise)
        assert np.abs(images.numpy() - VECTORS[f"img_psi{psi}_{noise}_fp32"]).max() < 2e-5


def test_an_official_discriminator_gives_its_logits():
    made = Discriminator(0, 16, 3, architecture="orig", mbstd_group_size=8, **SIZES)
    made.load_state_dict(official("D"))
    logits = made(torch.tensor(VECTORS["d_img"]))
    assert np.abs(logits.detach().numpy() - VECTORS["d_logits_fp32"]).max() < 2e-5


# ---------------------------------------------------------------- a brute-force twin


def naive_image(generator, styles, image):
    """One image, as the papers say it: weights of its own for every convolution, zeros put in, a plain filter."""

    def activated(x):
        return math.sqrt(2) * F.leaky_relu(x, 0.2)

    def filtered(x, padding):
        x = F.pad(x, padding)
        return torch.stack([F.conv2d(channel[None, None], KERNEL[None, None])[0, 0] for channel in x])

    def spread(x):
        new = torch.zeros(x.shape[0], 2 * x.shape[1], 2 * x.shape[2])
        new[:, ::2, ::2] = x
        return new

    x = picture = None
    for size in generator.synthesis.sizes:
        block = getattr(generator.synthesis, f"b{size}")
        for name in ("conv0", "conv1") if size > 4 else ("conv1",):
            layer = getattr(block, name)
            weight = layer.weight * styles[f"b{size}.{name}"][image][None, :, None, None]
            weight = weight / (weight.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8).sqrt()
            if name == "conv0":
                x = F.pad(
                    spread(x), (2, 1, 2, 1)
                )  # a convolution of the spread maps, its weight turned about
                x = F.conv2d(x[None], weight.flip(2, 3))[0]
                x = 4 * filtered(x, (1, 1, 1, 1))
            else:
                x = block.const if x is None else x
                x = F.conv2d(x[None], weight, padding=1)[0]
            x = activated(x + layer.noise_const * layer.noise_strength + layer.bias[:, None, None])
        layer, style = block.torgb, styles[f"b{size}.torgb"][image]
        weight = layer.weight * style[None, :, None, None] / math.sqrt(len(style))
        new = F.conv2d(x[None], weight, layer.bias)[0]
        picture = new if picture is None else 4 * filtered(spread(picture), (2, 1, 2, 1)) + new
    return picture


def test_images_equal_those_of_weights_made_for_each_image():
    generator = small(img_channels=3)
    with torch.no_grad():
        for name, parameter in generator.named_parameters():
            if "noise_strength" in name or name.endswith("bias"):
                parameter.add_(torch.randn_like(parameter))
        styles = generator.styles(generator.mapping(torch.randn(3, 6), one_hot(torch.tensor([0, 2, 1]), 3)))
        images = generator.synthesise(styles=styles)
        for k in range(3):
            assert torch.allclose(images[k], naive_image(generator, styles, k), atol=2e-5)


# ---------------------------------------------------------------- the filter


@pytest.mark.parametrize("padding", [0, 1, 2, 3])
def test_the_filters_first_and_second_gradients_are_those_of_finite_differences(padding):
    x = torch.randn(2, 3, 5, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: blur(x, padding), x)
    assert torch.autograd.gradgradcheck(lambda x: blur(x, padding).square(), x)


def test_doubling_keeps_the_mean_and_halving_undoes_it_in_the_middle():
    x = torch.randn(1, 2, 8, 8)
    far = F.pad(x, (8, 8, 8, 8))
    assert torch.allclose(doubled(far).sum(), 4 * x.sum(), atol=1e-3)
    assert torch.allclose(halved(torch.ones(1, 1, 8, 8))[0, 0, 1:-1, 1:-1], torch.ones(2, 2))


# ---------------------------------------------------------------- StyleSpace


def test_stylespace_of_the_default_network_has_the_dimensions_of_the_paper():
    with torch.device("meta"):
        layers = Generator(512, 0, 512, 32, 1).synthesis.layers()
    sizes = {name: layer.affine.weight.shape[0] for name, (layer, _) in layers.items()}
    assert sum(sizes.values()) == 5632
    assert sum(size for name, size in sizes.items() if "torgb" not in name) == 3584
    order = "b4.conv1 b4.torgb b8.conv0 b8.conv1 b8.torgb b16.conv0 b16.conv1 b16.torgb b32.conv0 b32.conv1 b32.torgb"
    assert list(sizes) == order.split()
    assert [k for _, k in layers.values()] == [0, 1, 1, 2, 3, 3, 4, 5, 5, 6, 7]


def test_a_moved_style_moves_only_its_own_image():
    generator = small()
    with torch.no_grad():
        styles = generator.styles(generator.mapping(torch.randn(4, 6), torch.eye(3)[[0, 1, 2, 0]]))
        before = generator.synthesise(styles=styles)
        styles["b8.conv1"] = styles["b8.conv1"].clone()
        styles["b8.conv1"][2, 5] += 3
        after = generator.synthesise(styles=styles)
    moved = (before - after).abs().amax(dim=(1, 2, 3))
    assert moved[2] > 1e-3 and moved[[0, 1, 3]].max() == 0


def test_an_image_does_not_depend_on_its_batch():
    generator, z, c = small(), torch.randn(7, 6), one_hot(torch.arange(7) % 3, 3)
    with torch.no_grad():
        whole = generator(z, c)
        assert torch.allclose(
            whole, torch.cat([generator(z[k : k + 1], c[k : k + 1]) for k in range(7)]), atol=1e-5
        )


def test_truncation_to_nothing_gives_the_mean_w():
    generator = small()
    generator.mapping.w_avg.copy_(torch.randn(5))
    w = generator.mapping(torch.randn(2, 6), torch.eye(3)[:2], truncation_psi=0)
    assert torch.equal(w, generator.mapping.w_avg.expand(2, generator.synthesis.n_w, 5))


def test_noise_is_stored_or_none_or_new():
    generator, z, c = small(), torch.randn(2, 6), torch.eye(3)[:2]
    with torch.no_grad():
        for block in generator.synthesis.children():
            block.conv1.noise_strength.fill_(1.0)
        assert torch.equal(generator(z, c), generator(z, c))
        assert not torch.allclose(generator(z, c), generator(z, c, noise="none"))
        seeded = [
            generator(z, c, noise="random", generator=torch.Generator().manual_seed(k)) for k in (1, 1, 2)
        ]
        assert torch.equal(seeded[0], seeded[1]) and not torch.allclose(seeded[0], seeded[2])


# ---------------------------------------------------------------- the discriminator


def test_deviation_is_the_mean_deviation_within_groups():
    x = torch.arange(8.0).reshape(4, 2, 1, 1)  # groups of two: images 0 and 2, images 1 and 3
    new = with_deviation(x, 2)[:, 2, 0, 0]
    assert torch.allclose(new, torch.full((4,), 2.0))


def test_without_a_group_size_the_whole_batch_is_one_group():
    x = torch.randn(6, 2, 3, 3)
    assert torch.equal(with_deviation(x, None), with_deviation(x, 6))
    assert not torch.equal(with_deviation(x, None), with_deviation(x, 2))
    settings = {"channel_base": 64, "channel_max": 8}
    torch.manual_seed(0)
    whole = Discriminator(0, 8, 1, mbstd_group_size=None, **settings)
    torch.manual_seed(0)
    seven = Discriminator(0, 8, 1, mbstd_group_size=7, **settings)
    assert torch.equal(whole(images := torch.randn(7, 1, 8, 8)), seven(images))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_clamp_holds_all_convolutions_but_the_last_reading_of_the_image(architecture):
    made = Discriminator(0, 8, 1, channel_base=64, channel_max=8, conv_clamp=0.25, architecture=architecture)
    seen, names = {}, {module: name for name, module in made.named_modules()}

    def keep(module, _given, found):
        seen[names[module]] = float(found.detach().abs().max())

    for module in made.modules():
        if isinstance(module, Convolution):
            module.weight.data *= 100
            module.register_forward_hook(keep)
    made(100 * torch.randn(4, 1, 8, 8))
    free = {"b4.fromrgb"} if architecture == "skip" else {"b8.skip"} if architecture == "resnet" else set()
    assert {name for name, most in seen.items() if most > 0.2501} == free
    assert {"b8.fromrgb", "b8.conv0", "b8.conv1", "b4.conv"} <= set(seen)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("resolution", [4, 8, 32])
def test_every_architecture_judges_every_size(architecture, resolution):
    made = Discriminator(
        3, resolution, 1, channel_base=64, channel_max=8, mapping_layers=2, architecture=architecture
    )
    images = torch.randn(4, 1, resolution, resolution, requires_grad=True)
    c = one_hot(torch.tensor([0, 1, 2, 0]), 3)
    logits = made(images, c)
    assert logits.shape == (4, 1)
    [gradient] = torch.autograd.grad(logits.sum(), images, create_graph=True)
    gradient.square().sum().backward()  # as the penalty on the gradient needs
    assert all(p.grad is not None for name, p in made.named_parameters() if "weight" in name)
    assert not torch.allclose(logits, made(images, c.roll(1, 0)))


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda: small(img_resolution=24), "power of two from 4 on, but was 24"),
        (
            lambda: small()(torch.zeros(2, 7), torch.eye(3)[:2]),
            r"needs z of shape \(n, 6\), but was given \(2, 7\)",
        ),
        (lambda: small()(torch.zeros(2, 6)), r"one-hot classes, of shape \(n, 3\), but was given none"),
        (lambda: small(c_dim=0)(torch.zeros(2, 6), torch.eye(3)[:2]), r"knows no classes .* \(2, 3\)"),
        (
            lambda: small()(torch.zeros(1, 6), torch.eye(3)[:1], noise="loud"),
            "const, none or random, but was 'loud'",
        ),
        (
            lambda: small().styles(torch.zeros(1, 2, 5)),
            r"w \(n, 6, 5\) from mapping, but was given \(1, 2, 5\)",
        ),
        (lambda: small().synthesise(styles={"b4.conv1": torch.zeros(1, 8)}), "differ in b4.torgb, b8.conv0"),
        (lambda: Discriminator(0, 8, 1, architecture="new"), "resnet, skip, orig, but was 'new'"),
        (lambda: with_deviation(torch.zeros(6, 1, 1, 1), 4), "a multiple of 4, but held 6"),
    ],
)
def test_what_cannot_be_is_refused(act, said):
    with pytest.raises(InputError, match=said):
        act()
