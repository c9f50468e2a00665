"""One plain training loop for every network here: deterministic, resumable, data in memory.

The permutation of each epoch and the augmentation of each batch come from (seed, epoch, batch) alone, and
one thread computes them, so that a resumed run, and a run on more cores, give the same weights bit for bit.
"""

import contextlib
import json
import math
import os
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from tqdm import tqdm

from robustshape.attacks.pgd import pgd
from robustshape.errors import InputError, TrainingError
from robustshape.relu_maps import pooled_relu_maps
from robustshape.training import checkpoints
from robustshape.training.augmentation import AUGMENTATIONS, mix
from robustshape.training.outcome import step_length
from robustshape.training.randomness import generator_at
from robustshape.training.recipe import Recipe, learning_rate
from robustshape.training.regularisers import batch_selectivity

CHECKED_EVERY = 100  # steps, on a GPU: to read the loss there is to wait for all that runs


def train(
    module,
    images,
    labels,
    recipe: Recipe,
    *,
    seed: int,
    checkpoint: str | os.PathLike | None = None,
    checkpoint_seconds: float = 20.0,
    progress: bool | None = None,
    device="cpu",
    penalty=None,
    tag: str = "",
    compiled: bool = False,
) -> dict:
    """Train `module` in place for exactly ``recipe.epochs`` epochs, and leave it in eval mode.

    Parameters
    ----------
    module : torch.nn.Module
        Maps (n, c, h, w) images in [0, 1] to logits. Its initial weights are the caller's affair.
    images : (n, h, w, c) uint8
        Kept on the device as they are; each batch is converted and augmented by itself.
    labels : (n,) int
        Classes from 0.
    recipe : Recipe
        Optimiser, schedule, augmentation and so on.
    seed : int
        Of the order of images and of all augmentation.
    checkpoint : path, optional
        Written when `checkpoint_seconds` have passed and after each epoch (beside, then renamed), read if
        it exists, removed at the end. One of another configuration is refused.
    progress : bool, optional
        Show a bar with images/s on stderr.
    penalty : callable, optional
        ``penalty(labels) -> scalar tensor``, called after each forward pass and added to the loss; what it
        needs of the network it reads through `robustshape.hooks.capture`. Describe it in `tag`.
    tag : str
        Whatever else defines the run; a checkpoint with another tag is refused.
    compiled : bool
        Let ``torch.compile`` make faster code of the steps, which first takes a minute or more and needs a C++
        compiler. Weights and checkpoints are still those of `module`, but equal only within rounding.

    Returns
    -------
    dict
        ``loss`` and ``accuracy`` (lists, one number an epoch, over the batches as they were trained on),
        ``seconds`` (of this call) and ``resumed_at`` (the step at which it took over, 0 if from the start).

    Raises
    ------
    InputError
        If images or labels have the wrong type or shape, the checkpoint is of another configuration, or there
        is a penalty beside `compiled`.
    TrainingError
        If the loss is not finite: which epoch and step, and what to do.
    StoreError
        If the checkpoint is damaged or cannot be written.
    """
    images, labels = _checked(images, labels)
    if compiled and penalty is not None:
        raise InputError(
            "a penalty was given together with compiled=True, but compiled networks do not call the hooks that it "
            "reads from; leave one of the two out"
        )
    configuration = {
        "recipe": json.loads(json.dumps(recipe.describe())),
        "seed": seed,
        "tag": tag,
        "images and labels": checkpoints.digest([images, labels]),
        "network and its first weights": checkpoints.digest(
            t.cpu().numpy() for t in module.state_dict().values()
        ),
    }
    began, threads = time.perf_counter(), torch.get_num_threads()
    devices = [torch.device(device)] if torch.device(device).type == "cuda" else []
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=devices):  # layers with randomness of their own draw from it
            run = _Run(module, images, labels, recipe, seed, device, penalty, compiled)
            run.all(checkpoint and Path(checkpoint), checkpoint_seconds, configuration, progress)
    finally:
        torch.set_num_threads(threads)
    module.eval()
    return {**run.history, "seconds": time.perf_counter() - began, "resumed_at": run.resumed_at}


class _Run:
    """The state of one training: network, optimiser, where it stands, and what it has seen so far."""

    def __init__(self, module, images, labels, recipe, seed, device, penalty, compiled):
        self.memory = torch.channels_last if recipe.channels_last else torch.contiguous_format
        self.module = module.to(device, memory_format=self.memory).train()
        self.images = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous().to(device)  # (n, c, h, w)
        self.labels = torch.from_numpy(labels).to(device)
        self.recipe, self.seed, self.device, self.penalty = recipe, seed, torch.device(device), penalty
        self.answers = torch.compile(_answers, dynamic=False) if compiled else _answers
        self.optimiser = _optimiser(module, recipe)
        self.per_epoch = math.ceil(len(images) / recipe.batch_size)
        self.n_steps, self.step, self.resumed_at = recipe.epochs * self.per_epoch, 0, 0
        self.sums = torch.zeros(2, dtype=torch.float64, device=device)  # loss and hits of the epoch so far
        self.history = {"loss": [], "accuracy": []}

    def all(self, checkpoint, seconds, configuration, progress):
        if checkpoint and checkpoint.exists():
            self.read(checkpoint, configuration)
        saved = time.monotonic()
        bar = tqdm(total=self.recipe.epochs * len(self.images), unit=" images", disable=not progress)
        bar.update(self.images_done())
        with bar:
            order = None
            while self.step < self.n_steps:
                epoch, batch = divmod(self.step, self.per_epoch)
                if order is None or batch == 0:
                    order = torch.randperm(len(self.images), generator=self.generator("cpu", epoch))
                    order = order.to(self.device)
                size = self.recipe.batch_size
                chosen = order[batch * size : (batch + 1) * size]
                self.one(chosen, epoch, batch)
                bar.update(len(chosen))
                if batch == self.per_epoch - 1:
                    self.end_epoch()
                    bar.set_postfix(loss=f"{self.history['loss'][-1]:.3f}", refresh=False)
                overdue = batch == self.per_epoch - 1 or time.monotonic() - saved >= seconds
                if checkpoint and overdue and self.step < self.n_steps:
                    self.write(checkpoint, configuration)
                    saved = time.monotonic()
        if checkpoint:
            checkpoint.unlink(missing_ok=True)

    def one(self, chosen, epoch, batch):
        """Train on one batch."""
        recipe, generator = self.recipe, self.generator(self.device, epoch, batch)
        torch.manual_seed(generator.initial_seed())
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(recipe, self.step, self.n_steps)
        x, labels = self.images[chosen].float().div_(255), self.labels[chosen]
        for name in recipe.augmentation:
            x = AUGMENTATIONS[name](x, generator)
        partner, share = None, 1.0
        if recipe.mixup:
            x, partner, share = mix(x, generator)
        if recipe.adversary_eps:
            x = self.attacked(x, labels, generator)
        x = x.contiguous(memory_format=self.memory)
        low = recipe.mixed_precision and self.device.type == "cuda"
        whole = len(chosen) == recipe.batch_size  # a smaller last batch would be compiled once more
        answers = self.answers if whole else _answers
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=low):
            logits, pooled = answers(self.module, x, bool(recipe.selectivity))
        smoothing = {"label_smoothing": recipe.label_smoothing}
        loss = F.cross_entropy(logits.float(), labels, **smoothing)
        if partner is not None:
            other = F.cross_entropy(logits.float(), labels[partner], **smoothing)
            loss = share * loss + (1 - share) * other
        if recipe.selectivity:
            loss = loss - recipe.selectivity * batch_selectivity(pooled, labels, self.module)
        if self.penalty is not None:
            loss = loss + self.penalty(labels)
        self.check(loss, epoch, batch)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.step += 1
        hits = (logits.argmax(1) == labels).sum()
        self.sums += torch.stack([loss.detach().double() * len(chosen), hits.double()])

    def check(self, loss, epoch, batch):
        """Raise TrainingError if the loss is not finite; on a GPU, only now and then look."""
        last = batch == self.per_epoch - 1
        if self.device.type == "cuda" and not last and self.step % CHECKED_EVERY:
            return
        value, recipe = loss.item(), self.recipe
        if not math.isfinite(value):
            milder = f" or a selectivity (alpha) nearer to 0 than {recipe.selectivity:g}"
            raise TrainingError(
                f"the loss is {value} in epoch {epoch + 1} of {recipe.epochs}, step {batch + 1} of {self.per_epoch}; "
                f"try a learning rate below {recipe.learning_rate:g}{milder if recipe.selectivity else ''}"
            )

    def attacked(self, x, labels, generator):
        """Return the batch under PGD on the network in eval mode, whose running statistics so stay clean.

        One step of 1.25 radii is the fast training of Wong, Rice, Kolter 2020 (arXiv 2001.03994), algorithm 3.

        The radius grows to its full size over the first part of the run, `adversary_ramp`: small networks learn
        nothing else.
        """
        begin, end = (share * self.n_steps for share in self.recipe.adversary_ramp)
        ramp = min(1.0, (self.step + 1 - begin) / (end - begin))
        if ramp <= 0:
            return x
        eps, steps = ramp * self.recipe.adversary_eps, self.recipe.adversary_steps
        step_size = step_length(self.recipe, eps)
        self.module.eval()
        x = pgd(self.module, x, labels, eps=eps, steps=steps, step_size=step_size, generator=generator)
        self.module.train()
        return x

    def end_epoch(self):
        loss, hits = self.sums.tolist()
        self.history["loss"].append(loss / len(self.images))
        self.history["accuracy"].append(hits / len(self.images))
        self.sums.zero_()

    def images_done(self):
        epochs, batches = divmod(self.step, self.per_epoch)
        return epochs * len(self.images) + batches * self.recipe.batch_size

    def generator(self, device, *place):
        """Return a generator for this place of the run; nothing else draws from it."""
        return generator_at(self.seed, place, device)

    def write(self, path, configuration):
        state = {"module": self.module.state_dict(), "optimiser": self.optimiser.state_dict()}
        progress = {"step": self.step, "sums": self.sums.tolist(), "history": self.history}
        checkpoints.write(path, configuration, state, progress)

    def read(self, path, configuration):
        state, progress = checkpoints.read(path, configuration, self.device)
        self.module.load_state_dict(state["module"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.history = progress["step"], progress["history"]
        self.sums.copy_(torch.tensor(progress["sums"], dtype=torch.float64))
        self.resumed_at = self.step


def _answers(module, x, watched: bool):
    """Return the logits and, if they are watched, the responses of all layers: in one function, to be compiled whole."""
    with pooled_relu_maps() if watched else contextlib.nullcontext([]) as pooled:
        return module(x), pooled


def _optimiser(module, recipe):
    parameters = [p for p in module.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(groups, lr=recipe.learning_rate, momentum=recipe.momentum, fused=True)
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[recipe.optimiser]
    return kind(groups, lr=recipe.learning_rate, fused=True)


def _checked(images, labels):
    images, labels = np.ascontiguousarray(images), np.ascontiguousarray(labels)
    if images.dtype != np.uint8 or images.ndim != 4:
        raise InputError(
            f"training needs images (n, h, w, c) uint8, but was given {images.shape} {images.dtype}"
        )
    if labels.shape != images.shape[:1] or not np.issubdtype(labels.dtype, np.integer) or not len(labels):
        raise InputError(
            f"training needs one whole-number label per image, "
            f"but was given {len(images)} images and labels {labels.shape} {labels.dtype}"
        )
    return images, labels.astype(np.int64)
