"""What is predicted of a network's accuracy under corruption from clean images alone, beside what was then measured."""

import numpy as np

from robustshape.analysis.networks import clean_logit
from robustshape.corruptions import GROUPS, STANDARD
from robustshape.paths import project_root
from robustshape.statistics import paired_difference, wilson_interval
from robustshape.studies.indicator_comparison.calibration import (
    EVERY,
    FILE,
    Calibration,
    read,
    saved_in_words,
)
from robustshape.studies.your_model.peers import own_values


def published_calibration() -> Calibration | None:
    """Return the calibration that ships with the project, None where there is none."""
    root = project_root()
    return read(root / FILE) if root and (root / FILE).is_file() else None


def refusal(row, calibration: Calibration | None) -> str:
    """Return in words why nothing is predicted of the network; "" if something is."""
    if calibration is None:
        return "no calibration ships with this copy of the project"
    if bool(row["at_chance"]):
        return "it is no better than chance"
    pixels = tuple(int(side) for side in row["pixels"].values)
    why = calibration.refusal(
        float(row["indicator_accuracy"]), pixels=pixels, data_classes=int(row["data_classes"])
    )
    layer = str(row["compared_layer"].item()), bool(row["normalised"])
    return why or (
        ""
        if layer == ("penultimate", False)
        else "its indicators are of another layer than the calibration's"
    )


def caveat(row, calibration: Calibration | None) -> str:
    """Return in words what the prediction does not promise for this network; "" if all that it does."""
    if calibration is None or refusal(row, calibration):
        return ""
    found = []
    if str(row["dataset"].item()) != calibration.dataset:
        found.append(
            f"The lines were fitted on networks trained on {calibration.dataset}; of other data the interval promises nothing."
        )
    why = _other_draws(row, calibration)
    if why:
        found.append(f"Indicators predict nothing here: {why}.")
    if "right_corrupted" in row and not comparable(row, calibration):
        found.append(
            "What was measured is of other corruptions or severities than what is predicted, so neither says anything of the other."
        )
    return " ".join(found)


def comparable(row, calibration: Calibration) -> bool:
    """Return whether what was measured is what is predicted: the corruptions of ImageNet-C at the calibration's severities."""
    return (
        "corrupted_accuracy" in row
        and set(map(str, row["corruption"].values)) == set(STANDARD)
        and tuple(int(severity) for severity in row["severity"].values) == calibration.severities
    )


def _other_draws(row, calibration: Calibration) -> str:
    classes = int(row["n_classes"]) or int(row["data_classes"]) // 2
    return calibration.other_draws(n_classes=classes, per_class=int(row["per_class"]))


def outlook(row, calibration: Calibration | None):
    """Return a line for each group of corruptions: what is predicted, by accuracy alone and with indicators, and measured.

    Returns
    -------
    pandas.DataFrame
        Indexed by group: ``by accuracy``, with ``by accuracy, low`` and ``high``; ``predicted``, ``low``, ``high`` from
        accuracy and indicators (NaN where the draws are others); ``measured`` with ``measured, low`` and ``high`` (95 %,
        over images), where it was. Columns of what is not there are left out; whether both are of the same corruptions says
        `comparable`.
    """
    import pandas as pd

    lines = {}
    told = calibration if not refusal(row, calibration) else None
    if told is not None:
        logit = clean_logit(row, row["indicator_accuracy"].values)
        values = own_values(row)
        for group, target in told.targets.items():
            middle, low, high = (float(end) for end in target.accuracy.predict(logit, {}))
            lines[group] = {"by accuracy": middle, "by accuracy, low": low, "by accuracy, high": high}
            if not _other_draws(row, told):
                middle, low, high = (float(end) for end in target.indicators.predict(logit, values))
                lines[group] |= {"predicted": middle, "low": low, "high": high}
    for group, numbers in measured(row).items():
        lines.setdefault(group, {}).update(numbers)
    return pd.DataFrame.from_dict(lines, orient="index")


def how_to_read(table, calibration: Calibration | None) -> str:
    """Return how the picture of `outlook` is read, as a caption, and whether indicators are worth it on families left out."""
    words = "Accuracy under each group of corruptions, mean over severities."
    if "predicted" not in table or calibration is None:
        return words
    worth = saved_in_words(calibration.targets[EVERY].saved)
    return f"{words} Grey is predicted from accuracy alone, blue from indicators too. {worth}"


def measured(row) -> dict[str, dict]:
    """Return the accuracy under each group of corruptions with its 95 % interval over images; empty where none was."""
    if "right_corrupted" not in row:
        return {}
    names = [str(name) for name in row["corruption"].values]
    found = {}
    for group, members in {EVERY: names, **GROUPS}.items():
        there = [name for name in names if name in members]
        if there:
            low, middle, high = over_images(
                row["right_corrupted"].sel(corruption=there).mean("corruption").values
            )
            found[group] = {"measured": middle, "measured, low": low, "measured, high": high}
    return found


def over_images(shares) -> tuple[float, float, float]:
    """Return (low, mean, high) of shares (n,), one of each image, by Student's 95 % interval, within [0, 1].

    >>> [round(end, 3) for end in over_images(np.array([0.0, 0.5, 1.0, 0.5]))]
    [0.0, 0.5, 1.0]
    """
    found = paired_difference(shares, np.zeros(len(shares)))
    return max(0.0, found.low), found.estimate, min(1.0, found.high)


def accuracy_in_words(row) -> str:
    """Return clean accuracy over all images that were looked at, with Wilson's 95 % interval, and over either part."""
    own, held = int(row["n_samples"]), int(row["n_robustness"])
    right = float(row["indicator_accuracy"]) * own + (float(row["accuracy"]) * held if held else 0)
    low, high = wilson_interval(round(right), own + held)
    whole = f"{right / (own + held):.3f} ({low:.3f} to {high:.3f}) on all {own + held:,} images"
    if not held:
        return whole
    parts = float(row["indicator_accuracy"]), float(row["accuracy"])
    return f"{whole}: {parts[0]:.3f} on those that show the feature space, {parts[1]:.3f} on the others"
