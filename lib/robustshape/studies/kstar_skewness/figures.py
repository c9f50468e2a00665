"""Figures of the k* study; each takes the study's rows and returns a matplotlib Figure."""

import numpy as np

from robustshape.analysis import style
from robustshape.analysis.matched import matched
from robustshape.analysis.robustness import main_attack, robust_accuracy
from robustshape.studies.kstar_skewness.analyse import (
    columns,
    half_sample_interval,
    named,
)

PLOT_NAMES = {"tsne": "t-SNE", "umap": "UMAP"}
MOST_CLASSES = 20  # with a violin of their own in one panel


def class_distributions(rows, models=None):
    """Draw the normalised k* of each class, a violin with its box, gamma above: one panel for each model.

    Of many classes 20 are drawn, evenly spaced in the order of their gamma. After the figures of Kotyan, Chen, Vargas (2024). `models` default to the one with the lowest and the
    one with the highest Gamma'.
    """
    import matplotlib.pyplot as plt
    import seaborn as sns

    style.theme()
    models = named(rows, models or [])
    figure, axes = plt.subplots(len(models), 1, figsize=(8.4, 3.1 * len(models)), squeeze=False)
    for axis, model in zip(axes[:, 0], models):
        row = rows.sel(model=model)
        classes, table, which = _drawn(row)
        sns.violinplot(
            table, x="class", y="k", order=classes, cut=0, density_norm="width", inner="box", color="#a9bfd6",
            linewidth=0.8, ax=axis,
        )  # fmt: skip
        for i, gamma in enumerate(row["skewness"].values[classes]):
            text = "–" if np.isnan(gamma) else f"{gamma:+.2f}"
            axis.text(i, 1.04, text, ha="center", fontsize=8, transform=axis.get_xaxis_transform())
        axis.text(-0.01, 1.04, "γ", ha="right", fontsize=9, transform=axis.transAxes)
        # the whole range, unless nothing of a network is in most of it
        top = 1.0 if table["k"].max() > 0.2 else table["k"].max()
        axis.set(ylim=(0, top), xlabel=which, ylabel="normalised k*")
        name = style.words(model, str(row["family"].values), str(row["recipe"].values))
        axis.set_title(f"{name}: Γ' = {float(row['approximate_skewness']):+.2f}", loc="left", pad=20)
    return figure


def _drawn(row):
    """Return the classes of one network that are drawn, the normalised k* of their samples, and the axis's words."""
    import pandas as pd

    gamma = row["skewness"].values
    classes, which = np.arange(len(gamma)), "class"
    if len(classes) > MOST_CLASSES:
        places = np.linspace(0, len(classes) - 1, MOST_CLASSES).round().astype(int)
        classes = np.argsort(gamma, kind="stable")[places]
        which = f"class ({MOST_CLASSES} of {len(gamma)}, evenly spaced in the order of γ)"
    table = pd.DataFrame({"class": row["label"].values, "k": row["normalised_rank"].values})
    return classes, table[table["class"].isin(classes)], which


def _bands(axis, floor: float) -> None:
    """Colour the bands of the patterns behind a figure of Gamma', and draw the permutation floor."""
    low, high = axis.get_ylim()
    low, high = min(low, -0.8), max(high, floor + 0.3)
    for name, (colour, start, end) in style.BANDS.items():
        axis.axhspan(max(start, low), min(end, high), color=colour, zorder=0, lw=0)
        middle = (max(start, low) + min(end, high)) / 2
        axis.text(0.985, middle, name, transform=axis.get_yaxis_transform(), ha="right", va="center",
                  fontsize=8, color="#777777")  # fmt: skip
    axis.axhline(floor, color=style.INK, ls=":", lw=1)
    axis.text(0.015, floor, "labels shuffled", transform=axis.get_yaxis_transform(), va="bottom", fontsize=8)
    axis.set_ylim(low, high)


def skewness_against_robustness(rows):
    """Draw Gamma' on the coloured bands against clean accuracy, R and robust accuracy, and mean k* likewise.

    After Figs. 3 and 4 of Kotyan, Chen, Vargas (2024). Bars are intervals over images from recomputed half-samples.
    Targets that were not measured have no column.
    """
    import matplotlib.pyplot as plt

    style.theme()
    values = columns(rows)
    words = {"accuracy": "clean accuracy", "robustness": "R = corrupted / clean accuracy"}
    words["robust"] = f"accuracy under {main_attack(rows)}"
    targets = [target for target in words if np.isfinite(values[target]).any()]
    floors = float(rows["permuted_skewness"].values[0]), float(rows["permuted_mean_rank"].values[0])
    figure, axes = plt.subplots(
        2, len(targets), figsize=(1.4 + 3.4 * len(targets), 6.6), sharex="col", sharey="row", squeeze=False
    )
    for column, target in zip(axes.T, targets):
        for axis, shape in zip(column, ("approximate_skewness", "mean_normalised_rank")):
            bars, shown = half_sample_interval(rows, shape), rows[shape].values.astype(float)
            if shape == "mean_normalised_rank":
                bars = np.maximum(bars, shown / 10)  # a logarithm has no room for less
            style.scatter(axis, values[target], shown, rows, errors=bars)
        _bands(column[0], floors[0])
        column[1].axhline(floors[1], color=style.INK, ls=":", lw=1)
        column[1].set(yscale="log", xlabel=words[target])
    axes[0, 0].set_ylabel("Γ' (mean skewness)")
    axes[1, 0].set_ylabel("mean normalised k* (log)")
    style.legend(figure, rows)
    return figure


def one_architecture(rows):
    """Draw Gamma', mean k* and robust accuracy of one architecture under each recipe, a point for each run."""
    import matplotlib.pyplot as plt

    style.theme()
    ours = matched(rows)
    if ours is None:
        return style.nothing("no architecture was trained under several recipes here")
    values = columns(ours)
    names = [recipe for recipe in style.RECIPES if recipe in set(ours["recipe"].values)]
    place = np.array([names.index(recipe) for recipe in ours["recipe"].values])
    panels = [
        (values["approximate_skewness"], "Γ' (mean skewness)", "linear"),
        (ours["mean_normalised_rank"].values, "mean normalised k* (log)", "log"),
        (values["robust"], f"accuracy under {main_attack(rows)}", "linear"),
    ]
    figure, axes = plt.subplots(1, 3, figsize=(10.4, 3.4))
    for axis, (shown, words, scale) in zip(axes, panels):
        for i in range(len(names)):
            level = shown[place == i].mean()
            axis.plot([i - 0.3, i + 0.3], [level, level], color=style.INK, lw=1)
        marks = [style.RECIPES[recipe][1] for recipe in ours["recipe"].values]
        seeds = ours["training_seed"].values
        for x, y, mark, seed in zip(place, shown, marks, seeds):
            axis.scatter(x + 0.15 * (seed - seeds.mean()), y, marker=mark, color=style.ACCENT, s=40, lw=0.6,
                         edgecolor="white", zorder=3)  # fmt: skip
        axis.set_xticks(range(len(names)), [style.RECIPES[r][0] for r in names], rotation=40, ha="right")
        axis.set(ylabel=words, yscale=scale)
    return figure


def beside_plots(rows, models):
    """Draw the k* of each class beside the plots in two dimensions of the same features, a row for each network.

    After Fig. 2 of Kotyan, Chen, Vargas (2024). The title of a plot says the share of same-class neighbours in it.
    """
    import matplotlib.pyplot as plt
    import seaborn as sns

    style.theme()
    there = [model for model in models if model in set(map(str, rows.model.values))]
    methods = [str(m) for m in rows["embedding"].values] if "embedding" in rows.dims else []
    if not there or not methods:
        return style.nothing("these networks have no plots here")
    figure, axes = plt.subplots(
        len(there), 1 + len(methods), figsize=(4.2 + 2.9 * len(methods), 3.0 * len(there)), squeeze=False,
        width_ratios=[1.35] + [1] * len(methods),
    )  # fmt: skip
    palette = sns.color_palette("husl", rows.sizes["class"])
    for line, model in zip(axes, there):
        row = rows.sel(model=model)
        _violins(line[0], row, palette)
        name = style.words(model, str(row["family"].values), str(row["recipe"].values))
        gamma, robust = float(row["approximate_skewness"]), robust_accuracy(rows.sel(model=[model]))[0]
        under = "" if np.isnan(robust) else f", robust accuracy {robust:.2f}"
        line[0].set_title(f"{name}\nΓ' = {gamma:+.2f}{under}", loc="left", fontsize=9)
        for axis, method in zip(line[1:], methods):
            x, y = row["plot"].sel(embedding=method).values.T
            axis.scatter(x, y, c=[palette[c] for c in row["plot_label"].values], s=3, lw=0)
            axis.set(xticks=[], yticks=[])
            axis.set_title(
                f"{PLOT_NAMES[method]}: hit {float(row['plot_hit'].sel(embedding=method)):.2f}",
                loc="left",
                fontsize=9,
            )
    return figure


def _violins(axis, row, palette) -> None:
    """Draw the normalised k* of each class of one network."""
    import seaborn as sns

    classes, table, which = _drawn(row)
    sns.violinplot(
        table, x="class", y="k", order=classes, hue="class", hue_order=classes, palette=[palette[k] for k in classes],
        legend=False, cut=0, density_norm="width", inner=None, linewidth=0.5, log_scale=True, ax=axis,
    )  # fmt: skip
    if len(classes) > 10:
        axis.tick_params(axis="x", labelrotation=90, labelsize=7)
    axis.set(xlabel="" if which == "class" else which, ylabel="normalised k* (log)")


def class_size(rows):
    """Draw Gamma' and mean normalised k* against the number of images a class, and what shuffled labels give."""
    import matplotlib.pyplot as plt

    style.theme()
    figure, axes = plt.subplots(1, 2, figsize=(9.6, 3.6))
    palette = style.colours(rows["family"].values)
    sizes = rows["class_size"].values
    for axis, name, words in (
        (axes[0], "size_skewness", "Γ' (mean skewness)"),
        (axes[1], "size_mean_rank", "mean normalised k* (log)"),
    ):
        for line, family in zip(rows[name].values, rows["family"].values):
            axis.plot(sizes, line, color=palette[family], lw=1, alpha=0.7)
        axis.plot(sizes, rows[f"{name}_floor"].values[0], color=style.INK, ls=":", lw=1.5)
        axis.annotate("labels shuffled", (sizes[-1], rows[f"{name}_floor"].values[0][-1]), fontsize=8,
                      xytext=(-4, 5), textcoords="offset points", ha="right")  # fmt: skip
        axis.set(xscale="log", xlabel="images a class (log)", ylabel=words)
        axis.set_xticks(sizes, [str(size) for size in sizes])
        axis.minorticks_off()
    axes[1].set_yscale("log")
    style.legend(figure, rows, recipes=False)
    return figure


def clean_against_attacked(rows):
    """Draw Gamma' and mean normalised k* of the same images clean and attacked, one line for each network."""
    import matplotlib.pyplot as plt

    style.theme()
    if "condition" not in rows.dims:
        return style.nothing("no attacked features were measured here")
    figure, axes = plt.subplots(1, 2, figsize=(8.6, 3.6))
    palette = style.colours(rows["family"].values)
    for axis, name, words in (
        (axes[0], "shift_skewness", "Γ' (mean skewness)"),
        (axes[1], "shift_mean_rank", "mean normalised k* (log)"),
    ):
        for ends, family, recipe in zip(rows[name].values, rows["family"].values, rows["recipe"].values):
            marker = style.RECIPES.get(recipe, ("", "o"))[1]
            axis.plot([0, 1], ends, color=palette[family], marker=marker, lw=1, ms=5, alpha=0.8)
        axis.set_xticks([0, 1], ["clean", str(rows["shift"].values[0]).partition(" on ")[0]])
        axis.set(xlim=(-0.25, 1.25), ylabel=words)
    axes[1].set_yscale("log")
    style.legend(figure, rows)
    return figure


def adversarial_pairs(table):
    """Draw Gamma' and mean normalised k* of plain and adversarially trained networks, one line a family."""
    import matplotlib.pyplot as plt

    style.theme()
    figure, axes = plt.subplots(1, 2, figsize=(7.2, 3.2))
    palette = style.colours(table["family"]) if len(table) else {}
    for axis, quantity, words in (
        (axes[0], "Gamma'", "Γ' (mean skewness)"),
        (axes[1], "mean k*", "mean normalised k* (log)"),
    ):
        labelled = set()
        for _, line in table.iterrows():
            ends = [line[f"{quantity} plain"], line[f"{quantity} pgd"]]
            family = line["family"]
            label = style.FAMILIES.get(family, (family,))[0] if family not in labelled else None
            labelled.add(family)
            axis.plot([0, 1], ends, "o-", color=palette[line["family"]], label=label, lw=1.6)
        axis.set_xticks([0, 1], ["plain", "adversarial"])
        axis.set(xlim=(-0.25, 1.25), ylabel=words)
    axes[1].set_yscale("log")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper")
    return figure
