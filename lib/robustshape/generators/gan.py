"""Generator and discriminator with all that a step of their training changes: weights, optimisers, running means."""

import copy
import math

import torch

from robustshape.errors import TrainingError
from robustshape.generators.adaptive_augmentation import augmented, next_probability
from robustshape.generators.adversarial import (
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    path_lengths,
)
from robustshape.generators.settings import Settings
from robustshape.generators.stylegan2 import Discriminator, Generator
from robustshape.generators.stylegan2.generator import one_hot

RUNNING = ("p", "mean_path", "sign")  # the numbers that go on from step to step


class GAN:
    """The two networks in training, and the generator with its weights averaged, which is what one keeps.

    Parameters
    ----------
    settings : Settings
    size, channels : int
        Of the images.
    labels : (n,) int tensor, on the device to train on
        Classes of the real images; those of made images are drawn from them.
    n_classes, seed : int
    """

    def __init__(self, settings: Settings, size: int, channels: int, labels, n_classes: int, seed: int):
        self.settings, self.labels, self.n_classes, self.device = settings, labels, n_classes, labels.device
        widths = {"channel_base": settings.channel_base, "channel_max": settings.channel_max}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.generator = Generator(
                settings.z_dim, n_classes, settings.w_dim, size, channels,
                mapping_layers=settings.mapping_layers, **widths,
            ).to(self.device)  # fmt: skip
            self.discriminator = Discriminator(
                n_classes, size, channels, mapping_layers=settings.mapping_layers,
                architecture=settings.architecture, **widths,
            ).to(self.device)  # fmt: skip
        self.averaged = copy.deepcopy(self.generator).requires_grad_(False)
        self.optimisers = {
            "generator": _adam(
                self.generator, settings, settings.path_every if settings.path_weight else None
            ),
            "discriminator": _adam(self.discriminator, settings, settings.r1_every),
        }
        self.p = 0.0  # probability of the augmentation
        self.mean_path = 0.0
        self.sign = [0.0, 0]  # of the logits of real images since p was last changed: sum, batches

    def step(self, k: int, real, c, random) -> tuple[float, float]:
        """Train both networks on the k-th batch; return their losses.

        Parameters
        ----------
        real, c : (n, channels, r, r) and (n, n_classes) float tensors
            Real images in [-1, 1] and their one-hot classes.
        random : torch.Generator

        Raises
        ------
        TrainingError
            If a loss is not finite; the network whose loss it is stays as it was.
        """
        settings = self.settings
        lower = torch.autocast(
            self.device.type, torch.bfloat16, enabled=settings.mixed_precision and self.device.type == "cuda"
        )
        self.generator.requires_grad_(False)
        self.discriminator.requires_grad_(True)
        with lower:
            fake, other = self.made(random)
            real = augmented(real, self.p, random)
            seen = self.discriminator(real, c).float()
            judged = discriminator_loss(
                seen, self.discriminator(augmented(fake, self.p, random), other).float()
            )
        total = judged
        if k % settings.r1_every == 0:
            penalty = gradient_penalty(self.discriminator, real, c)
            total = total + penalty * (settings.r1_gamma / 2 * settings.r1_every)
        self.improve("discriminator", total, k)

        self.discriminator.requires_grad_(False)
        self.generator.requires_grad_(True)
        with lower:
            fake, other = self.made(random, learning=True)
            pretended = generator_loss(self.discriminator(augmented(fake, self.p, random), other).float())
        self.improve("generator", pretended, k)
        if settings.path_weight and k % settings.path_every == 0:
            self.improve("generator", self.path_penalty(random), k)
        self.average(k)
        self.adapt(seen.detach())
        return float(judged.detach()), float(pretended.detach())

    def made(self, random, learning=False):
        """Return made images, of classes as frequent as in the data, and those classes."""
        n = self.settings.batch_size
        z = torch.randn(n, self.settings.z_dim, generator=random, device=self.device)
        chosen = torch.randint(len(self.labels), (n,), generator=random, device=self.device)
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
        chosen = torch.randint(len(self.labels), (n,), generator=random, device=self.device)
        w = self.generator.mapping(z, one_hot(self.labels[chosen], self.n_classes))
        images = self.generator.synthesise(styles=self.generator.styles(w), noise="random", generator=random)
        lengths = path_lengths(images, w, random)
        self.mean_path += 0.01 * (float(lengths.detach().mean()) - self.mean_path)
        return (
            (lengths - self.mean_path).square().mean() * self.settings.path_weight * self.settings.path_every
        )

    def improve(self, which: str, loss, k: int):
        value = loss.item()
        if not math.isfinite(value):
            raise TrainingError(
                f"the {which}'s loss is {value} after {k * self.settings.batch_size:,} images; the last good "
                f"checkpoint stays: try a learning rate below {self.settings.learning_rate:g}"
            )
        optimiser = self.optimisers[which]
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    def average(self, k: int):
        """Move the averaged weights towards the present ones, faster at the beginning."""
        size = self.settings.batch_size
        half_life = min(self.settings.ema_images, 0.05 * (k + 1) * size)
        share = 1 - 0.5 ** (size / half_life)
        with torch.no_grad():
            torch._foreach_lerp_(list(self.averaged.parameters()), list(self.generator.parameters()), share)
            for mine, theirs in zip(self.averaged.buffers(), self.generator.buffers()):
                mine.copy_(theirs)

    def adapt(self, seen):
        """Every four batches, change how often images are augmented by what the discriminator said of real ones."""
        self.sign = [self.sign[0] + float(seen.sign().mean()), self.sign[1] + 1]
        if self.sign[1] == 4:
            if self.settings.augmentation:
                self.p = next_probability(self.p, self.sign[0] / 4, 4 * self.settings.batch_size)
            self.sign = [0.0, 0]

    def parts(self) -> dict:
        """Return everything with a state of its own: the three networks and the two optimisers."""
        networks = {name: getattr(self, name) for name in ("generator", "discriminator", "averaged")}
        return {**networks, **{f"optimiser of {name}": o for name, o in self.optimisers.items()}}

    def finite(self) -> bool:
        """Return whether every weight is a finite number."""
        networks = (self.generator, self.discriminator, self.averaged)
        return all(bool(p.isfinite().all()) for network in networks for p in network.parameters())


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
