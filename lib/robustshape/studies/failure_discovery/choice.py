"""Which dimensions a classifier's gradient picks, and whether it was right to: interventions, random ones, a greedy search."""

import numpy as np

from robustshape.generators import failures, stylespace
from robustshape.generators.stylespace import moved
from robustshape.statistics import pearson, spearman
from robustshape.studies.failure_discovery.predictions import Subject
from robustshape.studies.failure_discovery.scene import fitting

STEP = 0.1  # standard deviations of the finite differences that check gradients
CHOICES = ("gradient", "random", "greedy")


def picked(subject: Subject, *, score: str, reduction: str, scaled: bool, space: str, n_dimensions: int):
    """Return what the gradient on all judged samples says.

    Returns
    -------
    xarray.Dataset
        ``importance (class, dimension)``; the dimensions ``chosen (class, rank)`` by it, and as many at ``random (rank)``;
        ``gradient (class, dimension)``, the mean one per deviation on the samples that move.
    """
    import torch
    import xarray

    scene, begin = subject.scene, subject.begin
    labels = torch.from_numpy(begin.labels).to(begin.styles.device)
    classify = fitting(begin.generator, subject.classifier)
    gradients, _ = stylespace.score_gradients(
        begin.generator, classify, begin.styles, labels, score=score, noise=scene.noise
    )
    inside = stylespace.StyleSpace.of(begin.generator).inside(space)
    gradients = gradients.cpu()
    deviations = begin.deviations if scaled else None
    values = [
        stylespace.importance(gradients[begin.labels == k], deviations, reduction=reduction).numpy()
        for k in subject.classes
    ]
    slopes = (gradients[subject.few] * begin.deviations).numpy()
    random = np.random.default_rng([scene.seed, 4]).choice(inside, n_dimensions, replace=False)
    return xarray.Dataset(
        {
            "importance": (("class", "dimension"), np.stack(values)),
            "gradient": (("class", "dimension"), subject.by_class(slopes.T).T),
            "chosen": (
                ("class", "rank"),
                np.stack([stylespace.strongest(v, n_dimensions, inside=inside) for v in values]),
            ),
            "random": ("rank", random),
        },
        coords={
            "class": subject.classes,
            "dimension": np.arange(len(begin.deviations)),
            "rank": np.arange(1, n_dimensions + 1),
        },
    )


def verified(subject: Subject, choice):
    """Return how far gradients and interventions agree.

    Returns
    -------
    xarray.Dataset
        ``rank_agreement (class)``: Spearman of importance and the true decrease at the scene's distance, over all dimensions;
        ``sign_agreement (class)``: share of the chosen ones that are worse the way that the mean gradient points;
        ``slope_agreement``: Pearson of mean gradients of the chosen ones and finite differences of `STEP` deviations.
    """
    import torch
    import xarray

    begin, decrease = subject.begin, subject.decrease
    classify = fitting(begin.generator, subject.classifier)
    ranks, signs, slopes, differences = [], [], [], []
    for c, k in enumerate(subject.classes):
        chosen, own = choice["chosen"].values[c], subject.few[subject.labels == k]
        slope = choice["gradient"].values[c, chosen]
        ranks.append(spearman(abs(choice["importance"].values[c]), decrease[:, :, c].max(axis=1)))
        signs.append(np.mean((slope < 0) == (decrease[chosen, 0, c] > decrease[chosen, 1, c])))
        slopes.extend(slope)
        steps = STEP * begin.deviations[chosen]
        styles = torch.cat(
            [
                moved(begin.styles[own], int(d), float(h))
                for sign in (1, -1)
                for d, h in zip(chosen, sign * steps)
            ]
        )
        found = failures.predictions(
            begin.generator,
            classify,
            styles,
            torch.full((len(styles),), int(k), device=styles.device),
            noise=subject.scene.noise,
        )
        up, down = found.probability.reshape(2, len(chosen), len(own)).mean(axis=2)
        differences.extend((up - down) / (2 * STEP))
    return xarray.Dataset(
        {
            "rank_agreement": ("class", np.array(ranks)),
            "sign_agreement": ("class", np.array(signs)),
            "slope_agreement": pearson(np.array(slopes), np.array(differences)),
        },
        coords={"class": subject.classes},
    )


def coverage(subject: Subject, choice):
    """Return which share of a class's right samples fails under any of the first dimensions, moved either way.

    Returns
    -------
    xarray.Dataset
        ``covered (choice, class, rank)``: chosen by the gradient, at random, and greedily after all were tried (AttFind of
        Lang et al. 2021, arXiv 2104.13369, on flips that are known).
    """
    import xarray

    n = choice.sizes["rank"]
    covered = np.zeros((len(CHOICES), len(subject.classes), n))
    for c, k in enumerate(subject.classes):
        own = subject.flips[:, :, subject.labels == k].any(axis=1)  # (dimension, sample)
        right = max(1, int(subject.right[subject.labels == k].sum()))
        for row, order in enumerate((choice["chosen"].values[c], choice["random"].values)):
            covered[row, c] = np.logical_or.accumulate(own[order]).sum(axis=1) / right
        newly = [count for _, count in failures.greedy_choice(own.T, n)]
        covered[2, c] = np.cumsum(np.pad(newly, (0, n - len(newly)))) / right
    coords = {"choice": list(CHOICES), "class": subject.classes, "rank": choice["rank"].values}
    return xarray.Dataset({"covered": (("choice", "class", "rank"), covered)}, coords=coords)
