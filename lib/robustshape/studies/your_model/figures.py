"""The figures of a report: where a network stands, what is predicted and measured, and the images that fail first."""

import numpy as np

from robustshape.analysis import style
from robustshape.analysis.words import of_attack

PREDICTED, ALONE, MEASURED = "#0072b2", "#8a8a8a", style.ACCENT


def positions(table):
    """Draw each number between the lowest and the highest of published networks, with their median; None without them."""
    if table.empty or "below" not in table:
        return None
    known = table[table["highest"] > table["lowest"]][::-1]
    figure, axis = style.panel(height=0.42 * len(known) + 1.0)
    width = known["highest"] - known["lowest"]
    place = ((known["value"] - known["lowest"]) / width).clip(-0.12, 1.12)
    at = np.arange(len(known))
    axis.hlines(at, 0, 1, color="#c8c8c8", lw=5)
    axis.plot(
        (known["median"] - known["lowest"]) / width,
        at,
        "|",
        color=style.INK,
        ms=12,
        label="median of published networks",
    )
    axis.plot(place, at, "o", color=MEASURED, ms=8, label="this network")
    axis.set(
        yticks=at,
        yticklabels=known["what"],
        xticks=[0, 1],
        xticklabels=["lowest", "highest"],
        xlim=(-0.15, 1.15),
    )
    axis.tick_params(axis="y", length=0)
    style.legend_below(axis, 1)
    return figure


def outlook(table):
    """Draw for each group of corruptions what accuracy alone and indicators predict, with intervals, and what was measured."""
    if table.empty:
        return None
    rows = (
        (
            "by accuracy",
            "by accuracy, low",
            "by accuracy, high",
            ALONE,
            "s",
            "predicted by accuracy alone (90 %)",
        ),
        ("predicted", "low", "high", PREDICTED, "o", "predicted by accuracy and indicators (90 %)"),
        ("measured", "measured, low", "measured, high", MEASURED, "D", "measured (95 %)"),
    )
    there = [row for row in rows if row[0] in table]
    figure, axis = style.panel(height=0.75 * len(table) + 1.4)
    for offset, (name, low, high, colour, marker, words) in zip(np.linspace(0.22, -0.22, len(there)), there):
        at = np.arange(len(table))[::-1] + offset
        axis.hlines(at, table[low], table[high], color=colour, lw=2)
        axis.plot(table[name], at, marker, color=colour, ms=6, label=words)
    axis.set(
        yticks=np.arange(len(table))[::-1], yticklabels=table.index, xlabel="accuracy", xlim=(-0.02, 1.02),
        ylim=(-0.6, len(table) - 0.4),
    )  # fmt: skip
    axis.tick_params(axis="y", length=0)
    style.legend_below(axis, 1)
    return figure


def under_attack(rows):
    """Draw accuracy against the budget of PGD, a line for each network with Wilson's 95 % intervals; None without attacks."""
    from fractions import Fraction

    from robustshape.models import short_name
    from robustshape.statistics import wilson_interval

    if "attack" not in rows.dims:
        return None
    figure, axis = style.panel()
    names = [str(name) for name in rows["attack"].values]
    for i, model in enumerate(map(str, rows.model.values)):
        row = rows.sel(model=model)
        n = row["n_attacked"].values.astype(int)
        shares = row["robust_accuracy"].values
        low, high = wilson_interval(np.rint(shares * n), n)
        budgets = [float(Fraction(name.split()[-1])) for name in names]
        axis.errorbar(
            budgets, shares, [np.maximum(shares - low, 0), np.maximum(high - shares, 0)], marker="o", capsize=3,
            color=(MEASURED, PREDICTED)[i % 2], label=short_name(model),
        )  # fmt: skip
    first = of_attack(names[0]).rpartition(" ")[0] if names else ""
    axis.set(xscale="log", ylim=(-0.02, 1.02), ylabel="accuracy", xlabel=f"budget of {first}")
    axis.set_xticks(budgets, [name.split()[-1] for name in names])
    axis.minorticks_off()
    if rows.sizes["model"] > 1:
        style.legend_below(axis)
    return figure


def classes(row, most: int = 20):
    """Draw clean and corrupted accuracy of the classes that fail first (at most so many), and their mean normalised k*."""
    names, clean = row["class_name"].values.astype(str), row["class_accuracy"].values
    if "class_corrupted_accuracy" not in row:
        return None
    under = row["class_corrupted_accuracy"].mean("corruption").values
    order = np.argsort(np.where(np.isfinite(under), under, np.inf))[:most][::-1]
    order = order[np.isfinite(under[order])]
    figure, axis = style.panel(height=0.3 * len(order) + 1.4)
    at = np.arange(len(order))
    axis.hlines(at, under[order], clean[order], color="#c8c8c8", lw=2)
    axis.plot(clean[order], at, "o", color=ALONE, label="clean")
    axis.plot(under[order], at, "o", color=MEASURED, label="corrupted")
    axis.set(
        yticks=at,
        yticklabels=[_short(names[k]) for k in order],
        xlabel="accuracy on the class",
        xlim=(-0.02, 1.02),
    )
    axis.tick_params(axis="y", length=0)
    style.legend_below(axis)
    return figure


def _short(name: str, most: int = 22) -> str:
    """Return a name as a figure shows it: cut, and nothing in it read as mathematics.

    >>> _short("a$b$"), _short("x" * 30)
    ('a\\\\$b\\\\$', 'xxxxxxxxxxxxxxxxxxxxx…')
    """
    return style.literal(name if len(name) <= most else name[: most - 1] + "…")


def failing(row):
    """Draw the images that fail first: each clean, and beneath it under its mildest failure; None where none fails."""
    if "failing" not in row:
        return None
    there = np.flatnonzero(row["failing"].values.astype(str) != "")
    names = row["class_name"].values.astype(str)
    pairs = [
        (
            row["failing_picture"].values[i], row["failing_corrupted_picture"].values[i],
            _short(names[int(row["failing_label"].values[i])], 14),
            f"as {_short(names[int(row['failing_read_as'].values[i])], 12)}",
            f"{str(row['failing_corruption'].values[i]).replace('_', ' ')} {int(row['failing_severity'].values[i])}",
        )
        for i in there
    ]  # fmt: skip
    return _sheet([((clean, label), (bad, f"{read}\n{how}")) for clean, bad, label, read, how in pairs])


def suspects(row):
    """Draw the images whose nearest neighbours are of another class, with their label and what the network reads."""
    names = row["class_name"].values.astype(str)
    columns = zip(row["suspect_picture"].values, row["suspect_label"].values, row["suspect_predicted"].values)
    shown = [
        (picture, f"{_short(names[int(k)], 12)}\nas {_short(names[int(read)], 12)}")
        for picture, k, read in columns
    ]
    return _sheet([(one,) for one in shown])


def _sheet(columns, abreast: int = 6):
    """Draw columns of (picture, words), so many abreast; None for none."""
    import matplotlib.pyplot as plt

    if not columns:
        return None
    style.theme()
    deep, blocks = len(columns[0]), -(-len(columns) // abreast)
    figure, axes = plt.subplots(
        blocks * deep, abreast, figsize=(style.PANEL * 1.6, 1.55 * blocks * deep), squeeze=False
    )
    for axis in axes.flat:
        axis.set_axis_off()
    for i, column in enumerate(columns):
        for j, (picture, words) in enumerate(column):
            axis = axes[i // abreast * deep + j, i % abreast]
            axis.imshow(picture.astype(np.uint8), interpolation="nearest")
            axis.set_title(words, fontsize=8, fontweight="normal", loc="center")
    return figure
