"""Figures of the study of failures beside those that its notebook draws itself: panels, or none where there is nothing."""

import numpy as np

from robustshape.analysis import style
from robustshape.generators.quality import sheet
from robustshape.models import short_name
from robustshape.models.zoo_names import without_seed
from robustshape.studies.failure_discovery import analyse, pictures
from robustshape.studies.failure_discovery.repair import STATES

LINES = {"plain": "-", "sgd": "-", "corrupted": "--", "noise": ":"}
STATE_COLOURS = dict(zip(STATES, ("#8a8a8a", style.ACCENT, "#3b6ea8")))
MOST_LINES = 5  # of digits in a panel


def samples(rows, generator: str = "", n: int = 14):
    """Draw samples of the generator, a row of digits for each class, not truncated and not selected."""
    if pictures.of_rows(rows, generator) is None:
        return None
    path = str(pictures.generator_path(generator))
    made = pictures.generator_samples(path, rows.sizes["class"], n, seed=11)
    figure, axis = style.panel(height=style.PANEL * rows.sizes["class"] / n)
    _show(axis, sheet(made, n))
    return figure


def strips(rows, model: str, generator: str = "") -> list:
    """Draw, for each class, a sample on its way along the dimension that the gradient chose first, with what is read."""
    drawn = pictures.of_rows(rows, generator)
    if drawn is None:
        return []
    row = rows.sel(model=model).isel(strip=0)
    shifts, unit = row["shift"].values, analyse.shift_unit(row)[1]
    shown, lines = np.arange(0, len(shifts), max(1, (len(shifts) - 1) // 6)), {}
    for c, k in enumerate(row["class"].values):
        dimension, sign = int(row["chosen"].values[c, 0]), int(row["strip_sign"].values[c])
        changes = np.zeros((len(shown), row.sizes["dimension"]))
        changes[:, dimension] = sign * shifts[shown] * float(row["unit"].values[dimension])
        images = drawn.moved(int(row["strip_sample"].values[c]), changes)
        read, probability = (row[name].values[c, shown] for name in ("strip_predicted", "strip_probability"))
        words = [f"{p:.2f}" if int(r) == int(k) else f"as {int(r)}" for r, p in zip(read, probability)]
        lines[str(k)] = [(*cell, int(r) != int(k)) for *cell, r in zip(images, words, read)]
    return _montages(lines, [f"{shifts[i]:g}{unit if i == shown[-1] else ''}" for i in shown])


def corner_cases(rows, generator: str = "") -> list:
    """Draw the corner case of each class: the sample, with either movement alone, and with both, which fails."""
    drawn = pictures.of_rows(rows, generator)
    having = [m for m in rows.model.values if np.isfinite(rows["corner"].sel(model=m)).any()]
    if drawn is None or not having:
        return []
    row, lines = rows.sel(model=having[0]), {}
    attributes, unit = str(row["map_attributes"].values).split(" x "), analyse.shift_unit(row)[1]
    first, second = (row["direction"].sel(attribute=name).values for name in attributes)
    for c, k in enumerate(row["class"].values):
        if not np.isfinite(row["corner"].values[c]).all():
            continue
        sample, a, b, read = row["corner"].values[c]
        changes = np.outer([0, 1, 0, 1], a * first) + np.outer([0, 0, 1, 1], b * second)
        images = drawn.moved(int(sample), changes)
        words = ["", f"{a:+.3g}{unit}", f"{b:+.3g}{unit}", f"as {int(read)}"]
        lines[str(k)] = list(zip(images, words, (False, False, False, True)))
    return _montages(lines, ["as it is", *(name.replace("_", " ") for name in attributes), "both"])


def attributes(rows) -> list:
    """Draw the decrease of each class along each attribute, classifiers of clean and of corrupted digits apart."""
    import seaborn as sns

    tables = {
        whom: (100 * analyse.hurt(rows, names)).round().astype(int)
        for whom, names in analyse.by_training(rows).items()
    }
    most, panels = max(10, *(int(table.abs().max().max()) for table in tables.values())), []
    for whom, table in tables.items():
        figure, axis = style.panel(height=0.29 * len(table) + 0.8)
        sns.heatmap(
            table, ax=axis, cmap="vlag", vmin=-most, vmax=most, cbar=False, annot=True, fmt="d",
            annot_kws={"size": 10},
        )  # fmt: skip
        axis.set(xlabel="class", title=whom)
        axis.tick_params(axis="both", length=0, rotation=0)
        panels.append(figure)
    return panels


def curves(rows, quantity: str = "accuracy") -> list:
    """Draw accuracy or probability along each attribute's direction: a line for each kind of classifier, bands over runs."""
    from robustshape.statistics.jackknife import mean_over_groups

    palette, panels = style.colours(rows["family"].values), []
    for attribute in map(str, rows.attribute.values):
        figure, axis = style.panel()
        for kind, models in analyse.kinds(rows).items():
            runs = rows[f"walk_{quantity}"].sel(model=models, attribute=attribute).mean("class")
            first = rows.sel(model=models[0])
            color, line = palette[str(first["family"].values)], LINES.get(str(first["recipe"].values), "-.")
            axis.plot(rows.place, runs.mean("model"), color=color, ls=line, label=short_name(kind))
            found = [mean_over_groups(column, models) for column in runs.transpose("place", "model").values]
            ends = np.clip([(one.low, one.high) for one in found], 0, 1).T  # NaN for a single run: no band
            axis.fill_between(rows.place, *ends, color=color, alpha=0.15, lw=0)
        if quantity == "accuracy":
            judged = rows["judge_accuracy"].isel(model=0).sel(attribute=attribute).mean("class")
            axis.plot(rows.place, judged, color="#8a8a8a", lw=1, label="the judge")
        name = attribute.replace("_", " ")
        words = {"accuracy": "accuracy", "probability": "p(class)"}[quantity]
        axis.set(
            ylim=(0, 1.02),
            title=name,
            ylabel=words,
            xlabel=f"shift,{analyse.shift_unit(rows)[1]}".rstrip(","),
        )
        style.legend_below(axis)
        panels.append(figure)
    return panels


def flip_maps(rows, n: int = 4) -> list:
    """Draw accuracy over two directions at once, for the first classifier of each kind: maps of its weakest classes."""
    found, panels = [models[0] for models in analyse.kinds(rows).values()][:3], []
    weakest = rows["map_accuracy"].sel(model=found[0]).mean(("first", "second")).argsort().values[:n]
    first, second = str(rows["map_attributes"].values[0]).replace("_", " ").split(" x ")
    places = rows["first"].values
    step = (places[-1] - places[0]) / (len(places) - 1) / 2
    box = (places[0] - step, places[-1] + step) * 2
    for model in found:
        figure, axes = _grid(2, -(-len(weakest) // 2), 4.9)
        for axis, c in zip(axes.flat, weakest):
            row = rows.sel(model=model).isel({"class": c})
            accuracies = row["map_accuracy"].transpose("second", "first")
            image = axis.imshow(accuracies, origin="lower", extent=box, cmap="cividis", vmin=0, vmax=1)
            axis.plot(row["corner"].sel(part="first"), row["corner"].sel(part="second"), "x", color="white")
            axis.set_title(f"class {rows['class'].values[c]}", fontweight="normal")
        unit = analyse.shift_unit(rows)[1]
        figure.suptitle(style.literal(short_name(without_seed(model))), fontsize=10, fontweight="bold")
        for axis in axes[-1]:
            axis.set_xlabel(f"{first},{unit}".rstrip(","))
        figure.supylabel(f"{second},{unit}".rstrip(","), fontsize=10)
        figure.colorbar(image, ax=axes, label="accuracy", location="bottom", shrink=0.8)
        panels.append(figure)
    return panels


def repair(rows) -> list:
    """Draw accuracies before and after training on a classifier's own failures, and on any moved images."""
    import seaborn as sns

    known, panels = analyse.repair_table(rows), []
    for whom in known["trained on"].unique() if len(known) else ():
        figure, axis = style.panel()
        own = known[known["trained on"] == whom]
        sns.stripplot(
            own, x="accuracy", y="images", hue="state", palette=STATE_COLOURS, dodge=True, jitter=False,
            size=6, alpha=0.7, ax=axis,
        )  # fmt: skip
        axis.set(xlim=(-0.03, 1.03), ylabel="", title=whom)
        style.legend_below(axis, 1)
        panels.append(figure)
    return panels


def _montages(lines: dict[str, list[tuple]], heads: list[str]) -> list:
    """Return panels of digits: by class a line of (image, words beneath, whether these tell of a failure)."""
    panels, names = [], list(lines)
    for start in range(0, len(names), MOST_LINES):
        part = names[start : start + MOST_LINES]
        height = len(part) * (style.PANEL / (len(heads) + 1) + 0.28) + 0.3
        figure, axes = _grid(len(part), len(heads), height)
        for line, name in zip(axes, part):
            for axis, (image, words, fails) in zip(line, lines[name]):
                _show(axis, image)
                axis.set_xlabel(words, labelpad=2, color=style.ACCENT if fails else style.INK)
            line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontweight="bold")
        for axis, head in zip(axes[0], heads):
            axis.set_title(head, fontweight="normal", loc="center")
        panels.append(figure)
    return panels


def _grid(n_lines: int, n_columns: int, height: float):
    """Return a panel of several axes (line, column)."""
    import matplotlib.pyplot as plt

    style.theme()
    return plt.subplots(n_lines, n_columns, figsize=(style.PANEL, height), squeeze=False)


def _show(axis, image) -> None:
    """Show an image (y, x, channel) uint8 without axes."""
    axis.imshow(image[..., 0] if image.shape[2] == 1 else image, cmap="gray", vmin=0, vmax=255)
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
