"""A made-up CIFAR-10 and CIFAR-10-C in files as the published ones are, whose predictions can be worked out by hand."""

import numpy as np


def write_cifar10(folder, n=20):
    """Write `n` clean test images of noise, the labels in turn."""
    folder.mkdir(parents=True, exist_ok=True)
    images = np.random.default_rng(0).integers(0, 256, (n, 32, 32, 3), dtype=np.uint8)
    np.savez(folder / "cifar10_test.npz", images=images, labels=np.arange(n, dtype=np.uint8) % 10)


def write_cifar10_c(folder, corruptions, n=20):
    """Write labels, and images as bright as their label; from severity 4 as that of the next class; snow, all."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "labels.npy", np.tile(np.arange(10_000) % 10, 5).astype(np.uint8))
    for name in corruptions:
        array = np.lib.format.open_memmap(
            folder / f"{name}.npy", mode="w+", dtype=np.uint8, shape=(50_000, 32, 32, 3)
        )
        for severity in range(1, 6):  # of the first ones; the rest of the file stays a hole
            further = severity >= 4 or name == "snow"
            block = array[10_000 * (severity - 1) :][:n]
            block[:] = 25 * ((np.arange(n) + further) % 10)[:, None, None, None]
        array.flush()
