"""What a report says in sentences: the answer, what to do next, and how to quote it. Computed, never typed."""

import numpy as np

from robustshape import __version__
from robustshape.models import short_name
from robustshape.studies.indicator_comparison.calibration import EVERY
from robustshape.studies.your_model.outlook import comparable, outlook, refusal

WEAK = 0.1  # of accuracy: a class so far below the mean is named


def answer(row, calibration) -> str:
    """Return what is predicted of the network, what was measured, and who fails first, in at most four sentences."""
    table, why = outlook(row, calibration), refusal(row, calibration)
    sentences = []
    if why:
        sentences.append(f"Nothing is predicted of its accuracy under corruption: {why}.")
    else:
        predictors, (middle, low, high) = best(table)
        own = str(row["dataset"].item()) == calibration.dataset
        of_whom = "" if own else f", calibrated on {calibration.dataset} alone"
        sentences.append(
            f"{predictors} {100 * middle:.0f} % under corruption (90 % interval {100 * low:.0f} to {100 * high:.0f}{of_whom})."
        )
    if "measured" in table:
        shown = table.loc[EVERY, "measured"]
        inside = ""
        if not why and comparable(row, calibration):
            inside = ", inside the interval" if low <= shown <= high else ", outside of the interval"
        clean = f"{100 * float(row['accuracy']):.0f} % on the same images clean"
        sentences.append(f"Measured: {100 * shown:.0f} %{inside}, of {clean}.")
        groups = table.drop(index=EVERY)["measured"]
        if len(groups) > 1:
            sentences.append(f"It loses most to {groups.idxmin()}.")
    if worst := first_class(row):
        sentences.append(worst)
    return " ".join(sentences)


def best(table) -> tuple[str, tuple[float, float, float]]:
    """Return which prediction counts, as the beginning of a sentence, and its middle, low and high for all corruptions."""
    line = table.loc[EVERY]
    if "predicted" in table:
        return "Accuracy and clean features predict", tuple(line[["predicted", "low", "high"]])
    return "Clean accuracy alone predicts", tuple(
        line[["by accuracy", "by accuracy, low", "by accuracy, high"]]
    )


def first_class(row) -> str:
    """Return which class fails first, as a sentence; "" where no class is far below the mean."""
    name = "class_corrupted_accuracy" if "class_corrupted_accuracy" in row else "class_accuracy"
    each = row[name].mean([d for d in row[name].dims if d != "class"]).values
    if np.nanmean(each) - np.nanmin(each) < WEAK:
        return ""
    k = int(np.nanargmin(each))
    words = "corrupted" if name == "class_corrupted_accuracy" else "clean"
    return f"The class that fails first is {row['class_name'].values[k]} ({100 * each[k]:.0f} % {words})."


def oddities(row) -> list[str]:
    """Return what is odd about the network, a sentence each."""
    return [line for line in str(row["warnings"].item()).split("\n") if line]


def next_steps(rows) -> list[str]:
    """Return what to do next, a sentence each, by what was found."""
    row, found = rows.isel(model=0), []
    name = str(row.model.item())
    if oddities(row):
        found.append("Look at what is odd about the network first: it may make every number here wrong.")
    if "corrupted_accuracy" not in row:
        found.append("Measure what was predicted: leave out --predict-only.")
    if "failing" in row:
        found.append(
            "Look at the images that fail first: a damage that a person hardly sees is the one to train on."
        )
    found.append(
        "Look at the suspects: a wrong label is corrected in a minute, and counts against every network."
    )
    live = name.startswith("live:") or str(row["dataset"].item()).startswith("live:")
    if rows.sizes["model"] < 2:
        command = f"robustshape report {name} --dataset {row['dataset'].item()} --compare OTHER"
        call = 'robustshape.report(model, data, "both.html", compare=other)'
        found.append(f"Put another network beside it: {call if live else command}")
    return found


def quotation(rows) -> str:
    """Return what was measured on what, to be quoted: a sentence for each network."""
    return " ".join(_quoted(rows.isel(model=i)) for i in range(rows.sizes["model"]))


def _quoted(row) -> str:
    held = int(row["n_robustness"]) or int(row["n_samples"])  # whose accuracy it is
    images = f"{held:,} test images of {row['dataset'].item()} ({str(row['checksum'].item())[:19]})"
    under = ""
    if "corrupted_accuracy" in row:
        cells = f"{row.sizes['corruption']} corruptions at {row.sizes['severity']} severities"
        under = f", under {cells} {float(row['corrupted_accuracy'].mean()):.3f}"
    return (
        f"{short_name(str(row.model.item()))} on {images}, seed {int(row['seed'])}: clean accuracy {float(row['accuracy']):.3f}"
        f"{under}; measured with robustshape {__version__}, row {str(row['key'].item())[:12]}."
    )
