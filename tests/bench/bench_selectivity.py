"""What the selectivity regulariser and our training loop cost, beside plain ones: python tests/bench/bench_selectivity.py

The ways of a table are timed in turn in the same run, so that a busy machine slows all alike; ratios are medians over
ROUNDS of what stood side by side. `--quick` shows in a minute that all runs; its numbers say little.
"""

import argparse
import os
import subprocess
import sys
import time
from contextlib import contextmanager, nullcontext
from dataclasses import replace

import numpy as np
import torch
from rows import row
from torch.nn import functional as F

from robustshape.indicators.selectivity import selectivity_loss
from robustshape.models.recipes import recipe_for
from robustshape.models.zoo import construct
from robustshape.relu_maps import _Watch, pooled_relu_maps
from robustshape.training.loop import train

BATCH, ROUNDS, IMAGES = 128, 5, 2560
CUDA_STEPS = 50
OURS, PLAIN = "our loop", "PyTorch, NCHW, DataLoader of 2 workers"
ROW = "{:52}{:>14}{:>10}  {}"


def title(what: str, *columns: str):
    """Print the head of a table."""
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(f"\n{what}; {load}\n" + ROW.format("", *columns, ""), flush=True)


def pictures(n: int, size: int = 32):
    """Return random images (n, size, size, 3) uint8 and labels."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (n, size, size, 3), dtype=np.uint8), rng.integers(0, 10, n)


# the regulariser


def index(means):
    """Return the mean selectivity of a layer's units from the means (class, unit)."""
    largest = means.amax(0)
    rest = (means.sum(0) - largest) / (len(means) - 1)
    return ((largest - rest) / (largest + rest + 1e-6)).mean()


def by_loops(pooled, labels):
    """Return the mean selectivity by loops over layers and classes."""
    layers = [torch.stack([layer[labels == c].mean(0) for c in labels.unique()]) for layer in pooled]
    return torch.stack([index(means) for means in layers]).mean()


def by_loops_over_maps(maps, labels):
    """Return the same from whole maps, averaged over samples and places at once, as one would write it first."""
    layers = [torch.stack([one[labels == c].mean((0, 2, 3)) for c in labels.unique()]) for one in maps]
    return torch.stack([index(means) for means in layers]).mean()


@contextmanager
def whole_maps():
    """Yield a list that a forward pass fills with the maps after each ReLU, as they are."""
    maps = []
    with _Watch(maps.append):
        yield maps


def regulariser(rounds: int):
    """Print a training step without, with our, and with a looped regulariser."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = construct("cifar_resnet20", channels=3).to(memory_format=torch.channels_last).train()
    optimiser = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9, fused=True)
    x = torch.rand(BATCH, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    labels = torch.arange(BATCH) % 10

    def step(watch, term):
        optimiser.zero_grad(set_to_none=True)
        with watch() as found:
            logits = network(x)
        loss = F.cross_entropy(logits, labels)
        (loss + term(found, labels) if term else loss).backward()
        optimiser.step()

    ways = {
        "without it": (nullcontext, None),
        "ours": (pooled_relu_maps, selectivity_loss),
        "loops over layers and classes": (pooled_relu_maps, by_loops),
        "loops over layers and classes, of whole maps": (whole_maps, by_loops_over_maps),
    }
    times = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, way in ways.items():
            began = time.process_time()  # it heeds little what else the cores do
            step(*way)
            times[name].append(time.process_time() - began)
    times = {name: np.array(found[1:]) for name, found in times.items()}  # the first warms up
    title(f"a step of ResNet-20, batch {BATCH}, one thread, median of {rounds}", "processor", "overhead")
    bare = times["without it"]
    over = {name: np.median(found / bare) - 1 for name, found in times.items()}
    for name, found in times.items():
        print(ROW.format(name, f"{np.median(found):.3f} s", f"{over[name]:.1%}", ""))
    _, ours, loops, of_maps = over.values()
    row(
        "overhead of the regulariser in a step of ResNet-20",
        ours,
        "<= 0.08",
        against="of the step without it",
    )
    row("overhead of the regulariser", ours / loops, "<= 0.2", against="x that of loops over classes")
    row(
        "overhead of the regulariser, of maps",
        ours / of_maps,
        "<= 0.2",
        against="x that of loops over whole maps",
    )
    with pooled_relu_maps() as pooled:
        network(x)
    pooled = [layer.detach().requires_grad_() for layer in pooled]
    alone = {term: [] for term in (selectivity_loss, by_loops)}
    for _ in range(5 * rounds):
        for term, found in alone.items():
            began = time.process_time()
            term(pooled, labels).backward()
            found.append(time.process_time() - began)
    term, loops = (np.median(found) for found in alone.values())
    print(
        f"the term alone, of pooled responses: ours {1e3 * term:.1f} ms, loops {1e3 * loops:.1f} ms, {term / loops:.2f}"
    )


# the loop


def plain_loop(n: int):
    """Return a function that trains once over `n` images as it is done with PyTorch and torchvision alone."""
    from PIL import Image
    from torch.utils.data import DataLoader, Dataset
    from torchvision import transforms

    class Pictures(Dataset):
        def __init__(self):
            self.images, self.labels = pictures(n)
            self.change = transforms.Compose(
                [
                    transforms.RandomCrop(32, padding=4),
                    transforms.RandomHorizontalFlip(),
                    transforms.ToTensor(),
                ]
            )

        def __len__(self):
            return n

        def __getitem__(self, i):
            return self.change(Image.fromarray(self.images[i])), int(self.labels[i])

    network = construct("cifar_resnet20", channels=3).train()
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    loader = DataLoader(Pictures(), batch_size=BATCH, shuffle=True, num_workers=2, persistent_workers=True)

    def epoch():
        for x, labels in loader:
            loss = F.cross_entropy(network(x), labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            loss.item()  # as any loop reports it

    return epoch


def our_loop(n: int):
    """Return a function that does the same with `robustshape.training.loop.train`."""
    network, data = construct("cifar_resnet20", channels=3), pictures(n)
    recipe = replace(recipe_for("cifar_resnet20", "plain"), epochs=1, batch_size=BATCH)
    return lambda: train(network, *data, recipe, seed=0)


def child(way: str, n: int):
    """Warm up, say so, wait for a line, and print how many images a second a pass over `n` takes."""
    made = {OURS: our_loop, PLAIN: plain_loop}[way](n)
    made()
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.perf_counter()
    made()
    print(n / (time.perf_counter() - began), flush=True)


def at_once(way: str, runs: int, n: int) -> float:
    """Return the images a second of `runs` processes that begin together, summed."""
    own = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    call = [sys.executable, __file__, "--child", way, str(n)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(call, env=own, **pipes) for _ in range(runs)]
    for process in processes:
        process.stdout.readline()
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    return sum(float(process.communicate()[0]) for process in processes)


def loop(rounds: int, n: int):
    """Print images a second of both loops, alone and two at once."""
    ways = [(way, runs) for runs in (1, 2) for way in (PLAIN, OURS)]
    found = {way: [] for way in ways}
    for _ in range(rounds):
        for way in ways:
            found[way].append(at_once(*way, n))
    title(
        f"training ResNet-20 on {n:,} images of 32 px, batch {BATCH}, crop and flip, median of {rounds}",
        "images/s",
        "ratio",
    )
    base = np.array(found[PLAIN, 1])
    for (way, runs), rates in found.items():
        threads = "one thread each" if way == OURS else "threads as PyTorch chooses"
        name = f"{way}, {'one run' if runs == 1 else 'two runs at once, summed'}"
        ratio = np.median(np.array(rates) / base)
        print(ROW.format(name, f"{np.median(rates):.0f}", f"{ratio:.2f}", threads))
    for runs, words in ((1, "training, one run"), (2, "training, two runs at once")):
        ratio = np.median(np.array(found[OURS, runs]) / base)
        row(words, ratio, ">= 1.15", against="x one plain loop of PyTorch on all cores")
    both = np.median(np.array(found[OURS, 2]) / np.array(found[PLAIN, 2]))
    print(f"two of ours at once / two of PyTorch at once: {both:.2f}")


# on a GPU


def on_cuda(rounds: int, steps: int):
    """Print our loop beside bare passes forward and backward over a batch that lies on the device."""
    if not torch.cuda.is_available():
        print("\nno CUDA device here: our loop beside bare passes is not measured")
        return
    title(f"training on {torch.cuda.get_device_name()}, bfloat16, median of {rounds}", "images/s", "ratio")
    for name, size, batch in (("cifar_resnet20", 32, 1024), ("tiny_resnet18", 64, 1024)):
        network = construct(name, channels=3, size=size).cuda().to(memory_format=torch.channels_last)
        ways = {
            "bare passes": bare(network, size, batch, steps),
            "ours": ours(network, name, size, batch, steps),
        }
        rates = {kind: [] for kind in ways}
        for round_ in range(rounds + 1):  # the first warms up
            for kind, way in ways.items():
                torch.cuda.synchronize()
                began = time.perf_counter()
                way()
                torch.cuda.synchronize()
                if round_:
                    rates[kind].append(batch * steps / (time.perf_counter() - began))
        base = np.array(rates["bare passes"])
        for kind, found in rates.items():
            ratio = np.median(np.array(found) / base)
            print(
                ROW.format(f"{name}, batch {batch}: {kind}", f"{np.median(found):,.0f}", f"{ratio:.2f}", "")
            )
        row(f"training {name} on CUDA", ratio, ">= 0.9", against="x bare passes")


def bare(network, size: int, batch: int, steps: int):
    """Return a function that only runs the network forward and backward."""
    x = torch.rand(batch, 3, size, size, device="cuda").contiguous(memory_format=torch.channels_last)
    labels = torch.arange(batch, device="cuda") % 10

    def passes():
        network.train()
        for _ in range(steps):
            with torch.autocast("cuda", dtype=torch.bfloat16):
                logits = network(x)
            F.cross_entropy(logits.float(), labels).backward()
            network.zero_grad(set_to_none=True)

    return passes


def ours(network, name: str, size: int, batch: int, steps: int):
    """Return a function that trains the network with our loop for as many steps."""
    data = pictures(batch * steps, size)
    recipe = replace(recipe_for(name, "plain"), epochs=1, batch_size=batch, mixed_precision=True)
    return lambda: train(network, *data, recipe, seed=0, device="cuda")


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--child", nargs=2)
    given = parser.parse_args()
    if given.child:
        child(given.child[0], int(given.child[1]))
        return
    rounds, n = (2, 4 * BATCH) if given.quick else (ROUNDS, IMAGES)
    regulariser(3 if given.quick else 4 * ROUNDS)
    loop(rounds, n)
    on_cuda(rounds, 5 if given.quick else CUDA_STEPS)
    print(f"\nload of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
