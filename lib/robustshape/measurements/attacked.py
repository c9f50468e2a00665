"""Which images a network still classifies rightly when they are attacked, on a ladder of attacks.

A ladder is a tuple of stages (`robustshape.attacks.stages`), each one attack at ascending budgets on the first n
images of a selection, of every class as many (`Selection.first`). It is the worst case over what was tried, as in AutoAttack's own protocol (Croce, Hein
2020): an image is robust under an attack at a budget if it is classified rightly when clean, and if neither this
attack nor an earlier one of the ladder, of the same norm and with an equal or smaller budget, has fooled the
network with it (a ball contains the smaller ones). So each attack tries only the images that are left, and
robust accuracy falls along the ladder and with the budget. An earlier stage on fewer images counts for those.

What is changed are the pixels that the network takes: after resizing and cropping, before normalising.
One store for each network, attack and budget holds which images are left; a ladder goes on after the last one.
"""

import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from robustshape import datasets
from robustshape.attacks.stages import Stage, in_words
from robustshape.datasets.selection import Selection
from robustshape.errors import InputError
from robustshape.measurements.classes import class_columns, finite, of_classes
from robustshape.models.network import Network
from robustshape.store.kept import Kept, folders_missing

VERSION = 1  # raise when a change of the algorithms changes the numbers
PIECE = 512  # images in memory at a time; numbers do not depend on it

Try = tuple[Stage, Fraction]


def tries(stages, selection: Selection) -> list[Try]:
    """Return each stage at each budget, in order, with the number of images filled in.

    Raises
    ------
    InputError
        If a stage wants more images than there are.
    """
    found = []
    for stage in stages:
        if stage.n is not None and stage.n > selection.n:
            raise InputError(
                f"the stage '{stage}' wants {stage.n:,} images, but only {selection.n:,} are kept for the robustness; "
                "ask for fewer, leave out 'on N' for all of them, or raise n_robustness"
            )
        whole = replace(stage, n=stage.n or selection.n)
        found += [(whole, budget) for budget in stage.budgets]
    return found


def _before(ladder: list[Try], place: int) -> list[Try]:
    """Return the tries whose outcome counts for the one at `place`."""
    stage, budget = ladder[place]
    return [(s, b) for s, b in ladder[:place] if s.norm == stage.norm and b <= budget]


def kept(network: Network, selection: Selection, stages, seed: int) -> list[Kept]:
    """Return the entry of each of `tries`; no network is loaded."""
    ladder = tries(stages, selection)
    return [
        Kept(
            "attacked",
            {
                "kind": "attacked",
                "version": VERSION,
                "model": network.identity,
                "images": selection.identity_of_first(stage.n),
                "tries": [
                    [s.name, s.norm, in_words(b), min(s.n, stage.n)]
                    for s, b in [*_before(ladder, place), (stage, budget)]
                ],
                "seed": seed,
            },
        )
        for place, (stage, budget) in enumerate(ladder)
    ]


def check(network: Network, selection: Selection, stages) -> None:
    """Raise InputError if the network cannot be attacked or a stage wants more images than there are."""
    if tries(stages, selection):
        network.load(selection.load()).on_pixels()


def missing(networks: list[Network], selection: Selection, stages, seed: int) -> list[tuple]:
    """Return the arguments of the `attack` calls that are still to be made, one for each network."""
    given = selection, tuple(stages), seed
    return [(one, *given) for one in networks if any(entry.missing for entry in kept(one, *given))]


def left(network: Network, selection: Selection, stages, seed: int) -> list[Path]:
    """Return where the entries lie that `attack` still has to make."""
    return folders_missing(kept(network, selection, stages, seed))


def attack(network: Network, selection: Selection, stages, seed: int) -> None:
    """Climb the ladder with one network, keeping each step that is not kept yet."""
    import numpy as np
    import xarray

    ladder, entries = tries(stages, selection), kept(network, selection, stages, seed)
    data = selection.first(max((stage.n for stage, _ in ladder), default=0))
    clean = None
    for place, ((stage, budget), entry) in enumerate(zip(ladder, entries)):
        if not entry.missing:
            continue
        classifier = network.load(data)
        if clean is None:
            logits = finite(classifier.logits(datasets.pixels(data)), network.name, "logits")
            clean = logits[:, class_columns(classifier, data)].argmax(1) == data["label"].values
        robust = clean[: stage.n].copy()
        for earlier in _before(ladder, place):
            held = entries[ladder.index(earlier)].open()["robust"]
            both = data.sample.values[: min(stage.n, held.sizes["sample"])]
            robust[: len(both)] &= held.sel(sample=both).values
        started = time.perf_counter()
        left = np.flatnonzero(robust)
        for start in range(0, len(left), PIECE):
            places = left[start : start + PIECE]
            x, labels = _adversarial(classifier, data.isel(sample=places), stage, budget, seed)
            logits = classifier.activations_on_pixels(x, ["logits"])["logits"]
            robust[places] = logits[:, class_columns(classifier, data)].argmax(1) == labels
        dataset = xarray.Dataset(
            {"robust": ("sample", robust)},
            coords={"sample": data.sample.values[: stage.n]},
            attrs={
                "model": network.name,
                "attack": f"{stage.name} {stage.norm} {in_words(budget)}",
                "attacked": len(left),
                "seconds": time.perf_counter() - started,
            },
        )
        entry.save(dataset)


def _adversarial(classifier, data, stage: Stage, budget: Fraction, seed: int):
    """Return the attacked pixels (n, c, h, w) of all images of `data`, and their labels (n,) as numpy."""
    import torch

    from robustshape.attacks import ATTACKS

    labels = data["label"].values
    x = ATTACKS[stage.name](
        of_classes(classifier.on_pixels(), class_columns(classifier, data)),
        classifier.pixels(datasets.pixels(data)),
        torch.as_tensor(labels, dtype=torch.int64, device=classifier.device),
        eps=float(budget),
        norm=stage.norm,
        seed=seed,
        ids=data.sample.values,
    )
    return x, labels


def correct(network: Network, selection: Selection, stages, seed: int):
    """Return which images are still classified rightly, from finished stores.

    Returns
    -------
    xarray.Dataset
        ``robust (attack, sample)`` float32: 1 or 0, and NaN for images that a stage leaves out, so that
        ``robust.mean("sample")`` is the robust accuracy; ``n``, ``attacked`` (images that were still left) and
        ``seconds`` of each attack. Coordinates of ``attack``: its words such as ``pgd linf 2/255``, and ``name``,
        ``norm``, ``eps``.

    Raises
    ------
    InputError
        If a step of the ladder has not been made yet.
    """
    import numpy as np
    import pandas as pd
    import xarray

    ladder, ids = tries(stages, selection), selection.load().sample.values
    robust = np.full((len(ladder), len(ids)), np.nan, np.float32)
    place, attributes = pd.Series(range(len(ids)), index=ids), []
    for row, entry in zip(robust, kept(network, selection, stages, seed)):
        store = entry.open()
        if store is None:
            raise InputError(
                f"{network.name} has not been attacked on the whole ladder yet; run `attack` first"
            )
        row[place.loc[store.sample.values]] = store["robust"].values
        attributes.append(store.attrs)
    return xarray.Dataset(
        {
            "robust": (("attack", "sample"), robust),
            "n": ("attack", [stage.n for stage, _ in ladder]),
            "attacked": ("attack", [int(a["attacked"]) for a in attributes]),
            "seconds": ("attack", [float(a["seconds"]) for a in attributes]),
        },
        coords={
            "attack": [f"{stage.name} {stage.norm} {in_words(budget)}" for stage, budget in ladder],
            "name": ("attack", [stage.name for stage, _ in ladder]),
            "norm": ("attack", [stage.norm for stage, _ in ladder]),
            "eps": ("attack", [float(budget) for _, budget in ladder]),
            "sample": ids,
        },
    )


def features_under(network: Network, selection: Selection, stage: Stage, seed: int):
    """Return the features of attacked images, computed once and kept; all images of the stage are attacked.

    Parameters
    ----------
    stage : Stage
        With one budget.

    Returns
    -------
    xarray.Dataset
        ``features (sample, feature)``, ``logits (sample, class)`` float32, ``label (sample)``.
    """
    if len(stage.budgets) != 1:
        raise InputError(f"features are taken at one budget, but '{stage}' has {len(stage.budgets)}")
    [(stage, budget)] = tries([stage], selection)
    spec = {
        "kind": "attacked features",
        "version": VERSION,
        "model": network.identity,
        "images": selection.identity_of_first(stage.n),
        "attack": [stage.name, stage.norm, in_words(budget)],
        "seed": seed,
    }
    entry = Kept("attacked", spec)
    if entry.missing:
        with entry.alone():
            if entry.missing:
                entry.save(_features_under(network, selection, stage, budget, seed))
    return entry.open()


def _features_under(network: Network, selection: Selection, stage: Stage, budget: Fraction, seed: int):
    import numpy as np
    import xarray

    from robustshape.tasks import one_thread

    began, parts = time.perf_counter(), []
    data = selection.first(stage.n)
    classifier = network.load(data)
    for start in range(0, stage.n, PIECE):
        with one_thread():
            part = data.isel(sample=slice(start, start + PIECE))
            x, _ = _adversarial(classifier, part, stage, budget, seed)
            seen = classifier.activations_on_pixels(x, ["penultimate", "logits"])
            seen["logits"] = seen["logits"][:, class_columns(classifier, part)]
            parts.append(seen)
    dataset = xarray.Dataset(
        {
            "features": (("sample", "feature"), np.concatenate([p["penultimate"] for p in parts])),
            "logits": (("sample", "class"), np.concatenate([p["logits"] for p in parts])),
            "label": ("sample", data["label"].values),
        },
        coords={"sample": data.sample.values},
        attrs={"model": network.name, "attack": str(stage), "seconds": time.perf_counter() - began},
    )
    finite(dataset["features"].values, network.name, f"features under {stage}")
    return dataset
