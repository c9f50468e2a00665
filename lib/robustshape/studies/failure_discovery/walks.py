"""What one classifier predicts on the way: along its first chosen dimensions, along every attribute, and along two at once."""

import numpy as np

from robustshape.generators.attributes import FIRST
from robustshape.generators.failures import first_flips
from robustshape.generators.stylespace import images_of
from robustshape.studies.failure_discovery import directions, movements
from robustshape.studies.failure_discovery.predictions import Subject, class_probabilities, predictions

N_STRIPS = 3  # dimensions of each class that are followed
CORNER = ("sample", "first", "second", "predicted")


def strips(subject: Subject, choice):
    """Return what a sample's probability does on the way to failure along the first chosen dimensions of its class.

    Returns
    -------
    xarray.Dataset
        ``strip_probability`` and ``strip_predicted (class, strip, shift)``; ``strip_sample (class, strip)``, its place among
        the samples asked for: of those right at first the one that decreases most at the scene's distance;
        ``strip_sign``, the way that is worse for the class.
    """
    import xarray

    begin, shifts = subject.begin, np.array(subject.scene.shifts)
    n = min(N_STRIPS, choice.sizes["rank"])
    shape = len(subject.classes), n
    sample, sign = np.zeros(shape, int), np.zeros(shape, int)
    probability, predicted = np.zeros((*shape, len(shifts))), np.zeros((*shape, len(shifts)), int)
    for c, k in enumerate(subject.classes):
        own = np.flatnonzero(subject.labels == k)
        for r, d in enumerate(choice["chosen"].values[c, :n]):
            way = int(subject.decrease[d, :, c].argmax())
            decrease = subject.start.probability[own] - subject.moved.probability[d, way, own]
            one = subject.few[own[np.where(subject.right[own], decrease, -np.inf).argmax()]]
            sample[c, r], sign[c, r] = begin.index[one], (1, -1)[way]
            styles = begin.styles[one].repeat(len(shifts), 1)
            styles[:, d] += styles.new_tensor(sign[c, r] * shifts * float(begin.units[d]))
            shown = images_of(begin.generator, styles, noise=subject.scene.noise)
            probability[c, r], predicted[c, r] = predictions(subject.classifier, shown, np.array(k))
    how = ("class", "strip")
    return xarray.Dataset(
        {
            "strip_probability": ((*how, "shift"), probability),
            "strip_predicted": ((*how, "shift"), predicted),
            "strip_sample": (how, sample),
            "strip_sign": (how, sign),
        },
        coords={"class": subject.classes, "strip": np.arange(1, n + 1), "shift": shifts},
    )


def walks(subject: Subject, attributes=FIRST):
    """Return the predictions along the direction of each of these attributes.

    Returns
    -------
    xarray.Dataset
        ``walk_probability``, ``walk_accuracy`` and the ``judge_accuracy (attribute, class, place)``; ``walk_right (attribute,
        place, walked)`` with ``walk_label``; ``first_flip (attribute, way, walked)`` in deviations; ``walk_answer (attribute,
        class, place, answer)``, all probabilities of the first sample of each class, ``walk_sample``; and of each attribute
        its ``direction (attribute, dimension)``, ``explained`` and ``walk_effect (attribute, way, changed)``.
    """
    import xarray

    begin, places = subject.begin, subject.scene.places
    made, walked = directions.walks(subject.scene, attributes), begin.of_classes(subject.scene.n_walked)
    labels, images, middle = begin.labels[walked], made["walk"].values, len(places) // 2
    found = predictions(subject.classifier, images, labels)
    right = found.predicted == labels
    firsts = np.array([np.flatnonzero(labels == k)[0] for k in subject.classes])
    probabilities = class_probabilities(subject.classifier, images[:, :, firsts])
    up, down = slice(middle, None), slice(middle, None, -1)
    flips = [[first_flips(along[way], abs(places[way])) for way in (up, down)] for along in right]

    def by_class(values):
        return np.stack([values[..., labels == k].mean(axis=-1) for k in subject.classes], axis=1)

    steps = ("attribute", "class", "place")
    return xarray.Dataset(
        {
            "walk_probability": (steps, by_class(found.probability)),
            "walk_accuracy": (steps, by_class(right)),
            "judge_accuracy": (steps, by_class(made["walk_judged"].values == labels)),
            "walk_right": (("attribute", "place", "walked"), right.astype(np.int8)),
            "walk_label": ("walked", labels),
            "first_flip": (("attribute", "way", "walked"), np.array(flips)),
            "walk_answer": ((*steps, "answer"), probabilities.transpose(0, 2, 1, 3).astype(np.float32)),
            "walk_sample": ("class", begin.index[walked[firsts]]),
            **{name: made[name].load() for name in ("direction", "explained", "walk_effect")},
        },
        coords={
            "attribute": made.attribute.values,
            "class": subject.classes,
            "place": places,
            "way": list(movements.WAYS),
            "answer": np.arange(probabilities.shape[-1]),
            "walked": np.arange(len(labels)),
        },
    )


def flip_map(subject: Subject):
    """Return the predictions over two directions at once.

    Returns
    -------
    xarray.Dataset
        ``map_accuracy (class, first, second)``; ``only_together (class)``, the share of failures that neither movement makes
        alone; ``corner (class, part)``, the least movement of both that makes such a failure which the judge still
        reads: the sample, both shifts and what is read; NaN where there is none.
    """
    import xarray

    begin, places, made = subject.begin, subject.scene.map_places, directions.walks(subject.scene)
    mapped = begin.of_classes(min(directions.N_MAPPED, subject.scene.n_walked))
    labels, middle = begin.labels[mapped], len(places) // 2
    predicted = predictions(subject.classifier, made["map"].values, labels).predicted
    right = predicted == labels
    together = ~right & right[:, middle][:, None] & right[middle][None]
    readable = together & (made["map_judged"].values == labels)
    lengths = np.add.outer(places**2, places**2)[..., None]
    corners = np.full((len(subject.classes), len(CORNER)), np.nan)
    for c, k in enumerate(subject.classes):
        length = np.where(readable & (labels == k), lengths, np.inf)
        if np.isfinite(length).any():
            a, b, n = np.unravel_index(int(length.argmin()), length.shape)
            corners[c] = begin.index[mapped[n]], places[a], places[b], predicted[a, b, n]
    own = [labels == k for k in subject.classes]
    fractions = [together[..., k].sum() / max(1, (~right[..., k]).sum()) for k in own]
    return xarray.Dataset(
        {
            "map_accuracy": (("class", "first", "second"), np.stack([right[..., k].mean(-1) for k in own])),
            "only_together": ("class", np.array(fractions)),
            "corner": (("class", "part"), corners),
        },
        coords={"class": subject.classes, "first": places, "second": places, "part": list(CORNER)},
    )
