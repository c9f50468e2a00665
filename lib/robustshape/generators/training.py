"""The training of a generator: deterministic, resumable, data in memory.

Every random number comes from (seed, step), so that a resumed run gives the same weights bit for bit.
"""

import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from robustshape.errors import InputError, TrainingError
from robustshape.generators.gan import GAN, RUNNING
from robustshape.generators.settings import Settings
from robustshape.generators.stylegan2 import Generator
from robustshape.generators.stylegan2.generator import one_hot
from robustshape.training import checkpoints
from robustshape.training.randomness import generator_at

VERSION = 2  # raise when a change of the algorithm changes the weights


def train(
    images: Callable[[int], np.ndarray],
    labels,
    settings: Settings,
    *,
    seed: int,
    tag: str,
    n_classes: int,
    checkpoint: str | os.PathLike | None = None,
    checkpoint_seconds: float = 60.0,
    progress: bool = False,
    device="cpu",
    watch: Callable | None = None,
    watch_seconds: float = 120.0,
) -> tuple[Generator, dict]:
    """Train a class-conditional generator and return it with its weights averaged.

    Parameters
    ----------
    images : callable
        ``images(k) -> (n, r, r, c) uint8`` for the k-th pass through the data: other corruptions of the same images,
        say. r is a power of two.
    labels : (n,) int
        Classes from 0.
    settings : Settings
    seed : int
        Of the first weights, the order of images and all noise.
    tag : str
        What defines the images; a checkpoint with another tag is refused.
    n_classes : int
    checkpoint : path, optional
        Written when `checkpoint_seconds` have passed (beside, then renamed), read if it exists, left at the end: a
        longer run of the same settings goes on from it.
    progress : bool
        Show a bar with images/s on stderr.
    watch : callable, optional
        ``watch(generator, images seen)``, called about every `watch_seconds`: to draw samples, say.

    Returns
    -------
    generator : Generator
        In eval mode, without gradients.
    history : dict
        ``images`` (seen in all), ``seconds`` (of all calls together), ``p`` (of the augmentation at the end), and lists
        with an entry for every 1,000 images or so: ``discriminator``, ``generator`` (losses).

    Raises
    ------
    InputError
        If images or labels have the wrong type or shape, or the checkpoint is of another run.
    TrainingError
        If a loss or a weight is no longer finite; the last good checkpoint stays.
    StoreError
        If the checkpoint is damaged or cannot be written.
    """
    run = _Run(images, labels, settings, seed, n_classes, torch.device(device))
    configuration = {
        "version": VERSION,
        "recipe": {k: v for k, v in asdict(settings).items() if k != "n_images"},
        "seed": seed,
        "tag": tag,
        "labels": checkpoints.digest([run.labels.cpu().numpy()]),
    }
    run.all(
        checkpoint and Path(checkpoint), checkpoint_seconds, configuration, progress, watch, watch_seconds
    )
    return run.gan.averaged.eval(), {**run.history, "images": run.step * settings.batch_size, "p": run.gan.p}


class _Run:
    """Where one training stands, what it has seen so far, and the images of the present pass."""

    def __init__(self, images, labels, settings, seed, n_classes, device):
        self.settings, self.seed, self.device, self.renew = settings, seed, device, images
        first = _checked(images(0), labels, n_classes)
        self.n, self.n_classes = len(first), n_classes
        self.labels = torch.as_tensor(np.asarray(labels), dtype=torch.int64, device=device)
        self.gan = GAN(settings, first.shape[1], first.shape[3], self.labels, n_classes, seed)
        self.step = 0
        self.begin_pass(0, first)
        self.sums = [
            0.0,
            0.0,
            0,
        ]  # discriminator's and generator's losses and batches since they were last noted
        self.history = {"discriminator": [], "generator": [], "seconds": 0.0}

    def all(self, checkpoint, seconds, configuration, progress, watch, watch_seconds):
        if checkpoint and checkpoint.exists():
            self.read(checkpoint, configuration)
        size = self.settings.batch_size
        n_steps = math.ceil(self.settings.n_images / size)
        began = saved = watched = time.monotonic()
        before = self.history["seconds"]
        with tqdm(
            total=n_steps * size, initial=self.step * size, unit=" images", disable=not progress
        ) as bar:
            while self.step < n_steps:
                self.one()
                bar.update(size)
                now = time.monotonic()
                self.history["seconds"] = before + now - began
                if watch and now - watched >= watch_seconds:
                    watch(self.gan.averaged, self.step * size)
                    watched = time.monotonic()
                if checkpoint and (now - saved >= seconds or self.step == n_steps):
                    self.write(checkpoint, configuration)
                    saved = now

    def one(self):
        """Train on the next batch."""
        random = generator_at(self.seed, (self.step,), self.device)
        losses = self.gan.step(self.step, *self.batch(), random)
        self.step += 1
        self.sums = [self.sums[0] + losses[0], self.sums[1] + losses[1], self.sums[2] + 1]
        if self.sums[2] * self.settings.batch_size >= 1000:
            self.history["discriminator"].append(self.sums[0] / self.sums[2])
            self.history["generator"].append(self.sums[1] / self.sums[2])
            self.sums = [0.0, 0.0, 0]

    def batch(self):
        """Return the next real images (n, c, r, r) in [-1, 1] and their classes."""
        size, where = self.settings.batch_size, self.step * self.settings.batch_size
        index = torch.arange(where, where + size)
        passes = sorted(set((index // self.n).tolist()))
        parts = []
        for k in passes:
            if self.passed != k:
                self.begin_pass(k, self.renew(k))
            chosen = self.order[index[index // self.n == k] % self.n].to(self.device)
            parts.append((self.pixels[chosen], self.labels[chosen]))
        pixels, labels = (torch.cat(part) for part in zip(*parts))
        pixels = pixels.float().div(127.5).sub(1).contiguous(memory_format=torch.channels_last)
        return pixels, one_hot(labels, self.n_classes)

    def begin_pass(self, k: int, images):
        """Take the images (n, r, r, c) of the k-th pass, and an order of its own."""
        self.passed = k
        self.pixels = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).to(self.device)
        # a place of two numbers: those of steps have one
        self.order = torch.randperm(self.n, generator=generator_at(self.seed, (k, 0)))

    def write(self, path, configuration):
        if not self.gan.finite():
            raise TrainingError(
                f"a weight is no longer finite after {self.step * self.settings.batch_size:,} images; the last good "
                f"checkpoint stays: try a learning rate below {self.settings.learning_rate:g}"
            )
        progress = {name: getattr(self, name) for name in ("step", "sums", "history")}
        progress["running"] = {name: getattr(self.gan, name) for name in RUNNING}
        state = {name: part.state_dict() for name, part in self.gan.parts().items()}
        checkpoints.write(path, configuration, state, progress)

    def read(self, path, configuration):
        state, progress = checkpoints.read(path, configuration, self.device)
        for name, part in self.gan.parts().items():
            part.load_state_dict(state[name])
        for name in RUNNING:
            setattr(self.gan, name, progress["running"][name])
        self.step, self.sums, self.history = (progress[name] for name in ("step", "sums", "history"))


def _checked(images, labels, n_classes):
    labels = np.asarray(labels)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] != images.shape[2]:
        raise InputError(
            f"a generator learns square images (n, r, r, c) uint8, but was given {images.shape} {images.dtype}"
        )
    if labels.shape != images.shape[:1] or not len(labels) or labels.min() < 0 or labels.max() >= n_classes:
        raise InputError(
            f"a generator needs a class from 0 to {n_classes - 1} for each image, but was given {len(images)} images and "
            f"labels {labels.shape}"
        )
    return images
