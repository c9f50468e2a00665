"""How many images a second each attack tries, on a small network: python tests/bench/bench_attacks.py

All are timed in turn in the same run, one thread, so that a busy machine slows all alike; medians of REPEATS. The
network is untrained, so most images fall early: the numbers compare attacks, they do not foretell a measurement.
"""

import time

import numpy as np
import torch
from torch import nn

from robustshape.attacks import ATTACKS, auto
from robustshape.attacks.gradient import REACH, STEPS
from robustshape.attacks.pgd import pgd

N, EPS, ITERATIONS, QUERIES, REPEATS = 32, 1 / 255, 10, 50, 3


def network():
    """Return a small convolutional network for images of 3 x 32 x 32."""
    layers = [nn.Conv2d(3, 16, 4, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 4, 2, 1), nn.ReLU()]
    layers += [nn.Flatten(), nn.Linear(2048, 100), nn.ReLU(), nn.Linear(100, 10)]
    return nn.Sequential(*layers).eval().requires_grad_(False)


def main():
    """Print the table."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    auto.ITERATIONS, auto.QUERIES = ITERATIONS, QUERIES
    module, x = network(), torch.rand(N, 3, 32, 32)
    labels, generator = module(x).argmax(1), torch.Generator().manual_seed(0)
    ways = {name: lambda name=name: ATTACKS[name](module, x, labels, eps=EPS) for name in ATTACKS.names()}
    ways["our pgd, of training"] = lambda: pgd(
        module, x, labels, eps=EPS, steps=STEPS, step_size=REACH * EPS / STEPS, generator=generator
    )
    for name in ("fgsm", "apgd"):
        ATTACKS[name](module, x[:2], labels[:2], eps=EPS)  # the first call imports
    times, left = {name: [] for name in ways}, {}
    for _ in range(REPEATS):
        for name, way in ways.items():
            began = time.perf_counter()
            found = way()
            times[name].append(time.perf_counter() - began)
            left[name] = (module(found).argmax(1) == labels).float().mean()
    medians = {name: np.median(found) for name, found in times.items()}
    print(
        f"{N} images 3 x 32 x 32, linf {EPS:.4f}, "
        f"APGD and FAB with {ITERATIONS} steps, Square with {QUERIES} queries; median of {REPEATS}"
    )
    print(f"{'':22}{'images/s':>9}{'x pgd':>8}{'left':>7}")
    for name in ways:
        print(f"{name:22}{N / medians[name]:9.1f}{medians[name] / medians['pgd']:8.2f}{left[name]:7.1%}")


if __name__ == "__main__":
    main()
