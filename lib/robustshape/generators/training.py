"""The training of a generator: deterministic, resumable, data in memory, the networks' names and losses StyleGAN2's.

Every random number comes from (seed, step), so that a resumed run gives the same weights bit for bit.
"""

import copy
import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from robustshape.errors import InputError, TrainingError
from robustshape.generators.adaptive_augmentation import augmented, next_probability
from robustshape.generators.adversarial import (
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    path_lengths,
)
from robustshape.generators.stylegan2 import Discriminator, Generator
from robustshape.generators.stylegan2.generator import one_hot
from robustshape.training import checkpoints


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything but the images and the seed that decides how a generator is trained; made for small grey images."""

    n_images: int = 800_000  # real ones shown to the discriminator
    batch_size: int = 32
    z_dim: int = 64
    w_dim: int = 64
    channel_base: int = 512  # maps at resolution r have min(channel_base // r, channel_max) channels
    channel_max: int = 64
    mapping_layers: int = 2
    architecture: str = "resnet"  # of the discriminator: resnet | skip | orig
    learning_rate: float = 0.0025
    r1_gamma: float = 0.05
    r1_every: int = 16  # steps between two penalties on the gradient, each so much stronger
    path_weight: float = 0.0  # of the penalty on path lengths; 0: none
    path_every: int = 4
    augmentation: bool = True  # adaptive: its probability starts at 0
    ema_images: int = 10_000  # half-life of the averaged weights, which make the images
    mixed_precision: bool = False  # bfloat16 on CUDA, but for the penalties; ignored elsewhere

    def __post_init__(self):
        if self.n_images < 1 or self.batch_size < 4 or self.batch_size % 4:
            raise InputError(
                f"n_images is at least 1 and batch_size a multiple of 4 (images are compared in fours), but they were "
                f"{self.n_images} and {self.batch_size}"
            )
        if self.r1_every < 1 or self.path_every < 1:
            raise InputError(
                f"r1_every and path_every are at least 1, but were {self.r1_every} and {self.path_every}"
            )


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
        "recipe": {k: v for k, v in asdict(settings).items() if k != "n_images"},
        "seed": seed,
        "tag": tag,
        "labels": checkpoints.digest([run.labels.cpu().numpy()]),
    }
    run.all(
        checkpoint and Path(checkpoint), checkpoint_seconds, configuration, progress, watch, watch_seconds
    )
    return run.averaged.eval(), {**run.history, "images": run.step * settings.batch_size, "p": run.p}


class _Run:
    """The state of one training: networks, optimisers, where it stands, and what it has seen so far."""

    def __init__(self, images, labels, settings, seed, n_classes, device):
        self.settings, self.seed, self.device, self.renew = settings, seed, device, images
        first = _checked(images(0), labels, n_classes)
        size, channels = first.shape[1], first.shape[3]
        self.n, self.n_classes = len(first), n_classes
        self.labels = torch.as_tensor(np.asarray(labels), dtype=torch.int64, device=device)
        widths = {"channel_base": settings.channel_base, "channel_max": settings.channel_max}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.generator = Generator(
                settings.z_dim, n_classes, settings.w_dim, size, channels,
                mapping_layers=settings.mapping_layers, **widths,
            ).to(device)  # fmt: skip
            self.discriminator = Discriminator(
                n_classes, size, channels, mapping_layers=settings.mapping_layers,
                architecture=settings.architecture, **widths,
            ).to(device)  # fmt: skip
        self.averaged = copy.deepcopy(self.generator).requires_grad_(False)
        self.optimisers = {
            "generator": _adam(
                self.generator, settings, settings.path_every if settings.path_weight else None
            ),
            "discriminator": _adam(self.discriminator, settings, settings.r1_every),
        }
        self.step, self.p, self.mean_path, self.sign = 0, 0.0, 0.0, [0.0, 0]
        self.passed, self.pixels, self.order = None, None, None
        self.sums = [0.0, 0.0, 0]
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
                    watch(self.averaged, self.step * size)
                    watched = time.monotonic()
                if checkpoint and (now - saved >= seconds or self.step == n_steps):
                    self.write(checkpoint, configuration)
                    saved = now

    def one(self):
        """Train both networks on one batch."""
        settings, random = self.settings, self.random(self.step)
        real, c = self.batch()
        lower = torch.autocast(
            self.device.type, torch.bfloat16, enabled=settings.mixed_precision and self.device.type == "cuda"
        )
        self.generator.requires_grad_(False)
        self.discriminator.requires_grad_(True)
        with lower:
            fake, other = self.made(random)
            real = augmented(real, self.p, random)
            seen = self.discriminator(real, c).float()
            loss = discriminator_loss(
                seen, self.discriminator(augmented(fake, self.p, random), other).float()
            )
        total = loss
        if self.step % settings.r1_every == 0:
            penalty = gradient_penalty(self.discriminator, real, c)
            total = total + penalty * (settings.r1_gamma / 2 * settings.r1_every)
        self.improve("discriminator", total)

        self.discriminator.requires_grad_(False)
        self.generator.requires_grad_(True)
        with lower:
            fake, other = self.made(random, learning=True)
            pretended = generator_loss(self.discriminator(augmented(fake, self.p, random), other).float())
        self.improve("generator", pretended)
        if settings.path_weight and self.step % settings.path_every == 0:
            self.improve("generator", self.path_penalty(random))
        self.average()
        self.note(float(loss.detach()), float(pretended.detach()), seen.detach())
        self.step += 1

    def batch(self):
        """Return the next real images (n, c, r, r) in [-1, 1] and their classes."""
        size, where = self.settings.batch_size, self.step * self.settings.batch_size
        index = torch.arange(where, where + size)
        passes = sorted(set((index // self.n).tolist()))
        parts = []
        for k in passes:
            if self.passed != k:
                pixels = np.ascontiguousarray(self.renew(k).transpose(0, 3, 1, 2))
                self.passed, self.pixels = k, torch.from_numpy(pixels).to(self.device)
                self.order = torch.randperm(self.n, generator=self.random(k, of="order", device="cpu"))
            chosen = self.order[index[index // self.n == k] % self.n].to(self.device)
            parts.append((self.pixels[chosen], self.labels[chosen]))
        pixels, labels = (torch.cat(part) for part in zip(*parts))
        pixels = pixels.float().div(127.5).sub(1).contiguous(memory_format=torch.channels_last)
        return pixels, one_hot(labels, self.n_classes)

    def made(self, random, learning=False):
        """Return made images, of classes as frequent as in the data, and those classes."""
        n = self.settings.batch_size
        z = torch.randn(n, self.settings.z_dim, generator=random, device=self.device)
        chosen = torch.randint(self.n, (n,), generator=random, device=self.device)
        c = one_hot(self.labels[chosen], self.n_classes)
        w = self.generator.mapping.before_broadcast(z, c)
        if learning:
            self.generator.mapping.w_avg.lerp_(w.detach().float().mean(dim=0), 0.005)
        styles = self.generator.styles(w[:, None].expand(-1, self.generator.synthesis.n_w, -1))
        return self.generator.synthesise(styles=styles, noise="random", generator=random), c

    def path_penalty(self, random):
        """Return the penalty on how path lengths differ from their running mean, on half a batch."""
        n = self.settings.batch_size // 2
        z = torch.randn(n, self.settings.z_dim, generator=random, device=self.device)
        chosen = torch.randint(self.n, (n,), generator=random, device=self.device)
        w = self.generator.mapping(z, one_hot(self.labels[chosen], self.n_classes))
        images = self.generator.synthesise(styles=self.generator.styles(w), noise="random", generator=random)
        lengths = path_lengths(images, w, random)
        self.mean_path += 0.01 * (float(lengths.detach().mean()) - self.mean_path)
        return (
            (lengths - self.mean_path).square().mean() * self.settings.path_weight * self.settings.path_every
        )

    def improve(self, which: str, loss):
        value = loss.item()
        if not math.isfinite(value):
            raise TrainingError(
                f"the {which}'s loss is {value} after {self.step * self.settings.batch_size:,} images; the last good "
                f"checkpoint stays: try a learning rate below {self.settings.learning_rate:g}"
            )
        optimiser = self.optimisers[which]
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    def average(self):
        """Move the averaged weights towards the present ones, faster at the beginning."""
        size = self.settings.batch_size
        half_life = min(self.settings.ema_images, 0.05 * (self.step + 1) * size)
        share = 1 - 0.5 ** (size / half_life)
        with torch.no_grad():
            torch._foreach_lerp_(list(self.averaged.parameters()), list(self.generator.parameters()), share)
            for mine, theirs in zip(self.averaged.buffers(), self.generator.buffers()):
                mine.copy_(theirs)

    def note(self, discriminator: float, generator: float, seen):
        """Keep the losses, and every four batches change how often images are augmented."""
        self.sums = [self.sums[0] + discriminator, self.sums[1] + generator, self.sums[2] + 1]
        if self.sums[2] * self.settings.batch_size >= 1000:
            self.history["discriminator"].append(self.sums[0] / self.sums[2])
            self.history["generator"].append(self.sums[1] / self.sums[2])
            self.sums = [0.0, 0.0, 0]
        self.sign = [self.sign[0] + float(seen.sign().mean()), self.sign[1] + 1]
        if self.sign[1] == 4:
            if self.settings.augmentation:
                self.p = next_probability(self.p, self.sign[0] / 4, 4 * self.settings.batch_size)
            self.sign = [0.0, 0]

    def random(self, *place, of: str = "step", device=None):
        """Return a generator for this place of the run; nothing else draws from it."""
        kind = ["step", "order"].index(of)
        state = np.random.SeedSequence([self.seed, kind, *place]).generate_state(1, np.uint64)
        return torch.Generator(device or self.device).manual_seed(int(state[0]) >> 1)

    def parts(self):
        networks = {name: getattr(self, name) for name in ("generator", "discriminator", "averaged")}
        return {**networks, **{f"optimiser of {name}": o for name, o in self.optimisers.items()}}

    def write(self, path, configuration):
        if not all(bool(p.isfinite().all()) for p in self.generator.parameters()):
            raise TrainingError(
                f"a weight is no longer finite after {self.step * self.settings.batch_size:,} images; the last good "
                f"checkpoint stays: try a learning rate below {self.settings.learning_rate:g}"
            )
        progress = {
            name: getattr(self, name) for name in ("step", "p", "mean_path", "sign", "sums", "history")
        }
        checkpoints.write(path, configuration, {k: v.state_dict() for k, v in self.parts().items()}, progress)

    def read(self, path, configuration):
        state, progress = checkpoints.read(path, configuration, self.device)
        for name, part in self.parts().items():
            part.load_state_dict(state[name])
        for name, value in progress.items():
            setattr(self, name, value)


def _adam(network, settings: Settings, every: int | None):
    """Return Adam for a network with a penalty `every` so many steps, which makes it take larger steps in between."""
    share = every / (every + 1) if every else 1.0
    return torch.optim.Adam(
        network.parameters(),
        lr=settings.learning_rate * share,
        betas=(0.0, 0.99**share),
        eps=1e-8,
        fused=True,
    )


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
