"""What a report says in sentences: the answer, what to do next, and how to quote it. Computed, never typed."""

import numpy as np

from robustshape import __version__
from robustshape.models import short_name
from robustshape.studies.indicator_comparison.calibration import EVERY
from robustshape.studies.your_model.outlook import outlook, refusal

WEAK = 0.1  # of accuracy: a class so far below the mean is named


def answer(row, calibration) -> str:
    """Return what is predicted of the network, what was measured, and who fails first, in at most four sentences."""
    table, why = outlook(row, calibration), refusal(row, calibration)
    sentences = []
    if why:
        sentences.append(f"Nothing is predicted of its accuracy under corruption: {why}.")
    else:
        line = table.loc[EVERY]
        way = (
            ("predicted", "low", "high")
            if "predicted" in table
            else ("by accuracy", "by accuracy, low", "by accuracy, high")
        )
        middle, low, high = (100 * line[name] for name in way)
        with_what = (
            "Accuracy and clean features predict"
            if way[0] == "predicted"
            else "Clean accuracy alone predicts"
        )
        own = str(row["dataset"].item()) == calibration.dataset
        of_whom = "" if own else f", calibrated on {calibration.dataset} alone"
        sentences.append(
            f"{with_what} {middle:.0f} % under corruption (90 % interval {low:.0f} to {high:.0f}{of_whom})."
        )
    if "measured" in table:
        line = table.loc[EVERY]
        inside = "" if why else _inside(line, table)
        sentences.append(
            f"Measured: {100 * line['measured']:.0f} %{inside}, of {100 * float(row['accuracy']):.0f} % on the same images clean."
        )
        groups = table.drop(index=EVERY)["measured"]
        if len(groups) > 1:
            sentences.append(f"It loses most to {groups.idxmin()}.")
    if worst := first_class(row):
        sentences.append(worst)
    return " ".join(sentences)


def _inside(line, table) -> str:
    low, high = ("low", "high") if "predicted" in table else ("by accuracy, low", "by accuracy, high")
    if line[low] <= line["measured"] <= line[high]:
        return ", inside the interval"
    return ", outside of the interval"


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


def next_steps(rows, calibration) -> list[str]:
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
    """Return a sentence that says what was measured on what, to be quoted."""
    row = rows.isel(model=0)
    names = " and ".join(short_name(str(name)) for name in rows.model.values)
    held = int(row["n_robustness"]) or int(row["n_samples"])  # whose accuracy it is
    return (
        f"{names} on {held:,} test images of {row['dataset'].item()} ({str(row['checksum'].item())[:19]}), seed {int(row['seed'])}: "
        f"clean accuracy {float(row['accuracy']):.3f}"
        + (
            f", under {row.sizes['corruption']} corruptions at {row.sizes['severity']} severities "
            f"{float(row['corrupted_accuracy'].mean()):.3f}"
            if "corrupted_accuracy" in row
            else ""
        )
        + f"; measured with robustshape {__version__}, row {str(row['key'].item())[:12]}."
    )
