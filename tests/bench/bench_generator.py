"""What a training step of StyleGAN2 and the gradient of StyleSpace cost: python tests/bench/bench_generator.py

The baseline is the same network as it is usually written: weights of its own for every image, in one grouped convolution,
and the filter as a depthwise convolution, of maps in PyTorch's usual order. Both ways take turns in the same run; ratios
are medians over rounds of what stood side by side. `--quick` shows in half a minute that all runs.
"""

import argparse
import os
import time
from contextlib import contextmanager
from unittest import mock

import numpy as np
import torch
from rows import row
from torch.nn import functional as F

from robustshape.generators.settings import Settings
from robustshape.generators.stylegan2 import Generator, layers, resampling
from robustshape.generators.stylegan2.generator import one_hot
from robustshape.generators.stylespace import StyleSpace, images_of, importance, moved, score_gradients
from robustshape.generators.sweep import swept
from robustshape.generators.training import _Run
from robustshape.models.zoo import construct

ROW = "{:58}{:>12}{:>10}"
ROUNDS, STEPS = 5, 16  # a round holds one penalty on the gradient


def title(what: str, *columns: str):
    """Print the head of a table."""
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {torch.get_num_threads()} threads"
    print(f"\n{what}; {load}\n" + ROW.format("", *columns), flush=True)


# the usual formulation


def usual_blur(x, padding):
    """Return the filtered maps by a depthwise convolution, whose gradients PyTorch finds."""
    kernel = resampling.KERNEL.to(x).expand(x.shape[1], 1, 4, 4)
    return F.conv2d(x.contiguous(), kernel, padding=padding, groups=x.shape[1])


def usual_styled(self, x, style, noise):
    """Return the maps of a styled convolution by weights made for each image."""
    n, inputs, h, w = x.shape
    weight = self.weight[None] * style[:, None, :, None, None]
    weight = weight * (weight.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    x = x.reshape(1, n * inputs, h, w)
    if self.up:
        weight = weight.transpose(1, 2).reshape(n * inputs, -1, 3, 3)
        x = F.conv_transpose2d(x, weight, stride=2, groups=n)
        x = 4 * layers.blur(x.reshape(n, -1, *x.shape[2:]), 1)
    else:
        x = F.conv2d(x, weight.reshape(-1, inputs, 3, 3), padding=1, groups=n)
        x = x.reshape(n, -1, h, w)
    if noise is not None:
        x = x + noise * self.noise_strength
    return F.leaky_relu(x + self.bias[:, None, None], 0.2) * layers.ROOT2


@contextmanager
def usual():
    """Let the networks be run in the usual formulation."""
    with (
        mock.patch.object(layers.StyledConvolution, "forward", usual_styled),
        mock.patch.object(layers, "blur", usual_blur),
        mock.patch.object(resampling, "blur", usual_blur),
        mock.patch.object(torch, "channels_last", torch.contiguous_format),
    ):
        yield


def made(settings):
    """Return a training on random grey images of 32 px."""
    images = np.random.default_rng(0).integers(0, 256, (500, 32, 32, 1), dtype=np.uint8)
    return _Run(lambda k: images, np.arange(500) % 10, settings, 0, 10, torch.device("cpu"))


def step(rounds: int, steps: int):
    """Print images a second of a training step, ours and the usual one."""
    settings = Settings(batch_size=32, channel_base=512, channel_max=64)
    ours = made(settings)
    with usual():
        theirs = made(settings)
        first = theirs.gan.generator(torch.ones(2, 64), one_hot(torch.tensor([1, 2]), 10))
    same = ours.gan.generator(torch.ones(2, 64), one_hot(torch.tensor([1, 2]), 10))
    print(
        f"largest difference of an image between the two ways: {float((first - same).detach().abs().max()):.1e}"
    )
    rates = {"usual": [], "ours": []}
    for round_ in range(rounds + 1):  # the first warms up
        for name, run in (("usual", theirs), ("ours", ours)):
            began = time.perf_counter()
            if name == "usual":
                with usual():
                    for _ in range(steps):
                        run.one()
            else:
                for _ in range(steps):
                    run.one()
            if round_:
                rates[name].append(steps * 32 / (time.perf_counter() - began))
    title(
        f"training at 64, 64, 32, 16 channels, batch 32, median of {rounds} rounds of {steps} steps",
        "images/s",
        "ratio",
    )
    base = np.array(rates["usual"])
    for name, words in (("usual", "grouped convolutions, depthwise filter"), ("ours", "ours")):
        print(
            ROW.format(
                words, f"{np.median(rates[name]):.0f}", f"{np.median(np.array(rates[name]) / base):.2f}"
            )
        )
    ratio = np.median(np.array(rates["ours"]) / base)
    row("a training step of StyleGAN2", ratio, ">= 1.3", against="x grouped convolutions, depthwise filter")


def ranking(n: int):
    """Print the seconds for the gradients of `n` samples by all dimensions."""
    torch.manual_seed(0)
    generator = Generator(
        64, 10, 64, 32, 1, channel_base=512, channel_max=64, mapping_layers=2
    ).requires_grad_(False)
    classifier = construct("lenet", channels=1).eval().requires_grad_(False)
    labels = torch.arange(n) % 10
    began = time.perf_counter()
    with torch.no_grad():
        w = generator.mapping(torch.randn(n, 64), one_hot(labels, 10))
        styles = StyleSpace.of(generator).flat(generator.styles(w))
    gradients, _ = score_gradients(generator, classifier, styles, labels)
    for label in range(10):
        importance(gradients[labels == label], styles.std(dim=0))
    took = time.perf_counter() - began
    what = f"ranking all {styles.shape[1]} dimensions for ten classes by {n:,} samples"
    row(what, took, "<= 60", against="seconds")


def sweep(rounds: int, n: int):
    """Print the seconds for every dimension moved either way in `n` samples, from its layer on and by whole syntheses."""
    torch.manual_seed(0)
    generator = Generator(
        64, 10, 64, 32, 1, channel_base=512, channel_max=64, mapping_layers=2
    ).requires_grad_(False)
    space = StyleSpace.of(generator)
    styles = space.flat(generator.styles(generator.mapping(torch.randn(n, 64), torch.eye(10)[:n])))
    took = {"whole": [], "swept": []}
    for _ in range(rounds):
        began = time.perf_counter()
        for k in range(space.size):
            images_of(generator, torch.cat([moved(styles, k, 3.0), moved(styles, k, -3.0)]))
        between = time.perf_counter()
        swept(generator, styles, range(space.size), [[3.0, -3.0]] * space.size)
        took["whole"].append(between - began)
        took["swept"].append(time.perf_counter() - between)
    title(f"{space.size} dimensions moved either way in {n} samples, median of {rounds} rounds", "s", "ratio")
    base = np.array(took["whole"])
    for name, words in (("whole", "a whole synthesis for each"), ("swept", "each from its own layer on")):
        seconds = np.array(took[name])
        print(ROW.format(words, f"{np.median(seconds):.1f}", f"{np.median(base / seconds):.2f}"))


def strips():
    """Print the seconds for image strips of ten classes along ten dimensions."""
    from robustshape.generators.failures import along

    torch.manual_seed(0)
    generator = Generator(
        64, 10, 64, 32, 1, channel_base=512, channel_max=64, mapping_layers=2
    ).requires_grad_(False)
    classifier = construct("lenet", channels=1).eval().requires_grad_(False)
    labels = torch.arange(10)
    began = time.perf_counter()
    with torch.no_grad():
        styles = StyleSpace.of(generator).flat(
            generator.styles(generator.mapping(torch.randn(10, 64), one_hot(labels, 10)))
        )
    for dimension in range(10):
        along(generator, classifier, styles, labels, dimension, np.linspace(0, 6, 13))
    took = time.perf_counter() - began
    row("strips of 13 images for ten classes along ten dimensions", took, "<= 10", against="seconds")


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    step(1 if given.quick else ROUNDS, 2 if given.quick else STEPS)
    ranking(100 if given.quick else 1000)
    strips()
    sweep(1 if given.quick else ROUNDS, 10)
    print(f"\nload of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
