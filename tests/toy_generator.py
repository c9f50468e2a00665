"""A generator with random weights whose classes look different, and classifiers that learned to tell them apart."""

import numpy as np
import torch

from robustshape.generators.quality import sampled
from robustshape.generators.stylegan2 import Generator

TRUNCATION = 0.7


def generator(c_dim: int = 10, size: int = 32) -> Generator:
    """Return a generator of few channels; its classes differ, for their embeddings are made long."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        made = Generator(4, c_dim, 8, size, 1, channel_base=64, channel_max=4, mapping_layers=1)
    made.mapping.update_averages = False
    with torch.no_grad():
        fc = made.mapping.fc0.weight
        fc[:, :4] *= 0.3  # z matters less than the class
    return made.eval().requires_grad_(False)


class Linear(torch.nn.Module):
    """The least-squares reader of the generator's own samples."""

    def __init__(self, seed: int, ridge: float, n: int):
        super().__init__()
        labels = np.arange(n) % 10
        images = sampled(generator(), labels, seed=seed, truncation_psi=TRUNCATION)
        x = torch.from_numpy(images.reshape(n, -1)).double() / 255
        mean = x.mean(dim=0)
        wanted = torch.eye(10, dtype=torch.float64)[torch.from_numpy(labels)] - 0.1
        kernel = (x - mean) @ (x - mean).T + ridge * torch.eye(n)
        weight = (torch.linalg.solve(kernel, wanted).T @ (x - mean)).float()
        self.head = torch.nn.Linear(1024, 10)
        with torch.no_grad():
            self.head.weight.copy_(weight * 10)
            self.head.bias.copy_(-10 * weight @ mean.float())

    def forward(self, x):
        return self.head(x.flatten(1))


def judge(**_):
    return Linear(100, 1e-2, 400)


def learner(**_):
    return Linear(200, 10.0, 60)


def of_three_classes(**_):
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(1024, 3))


def of_sixteen_pixels(**_):
    from robustshape.models.classifier import Classifier
    from robustshape.models.preprocessing import Preprocessing

    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(256, 10))
    shown = Preprocessing(size=(16, 16), channels=1)
    return Classifier("python:toy_generator:of_sixteen_pixels", module, shown, "1", 10, {"size": 16})
