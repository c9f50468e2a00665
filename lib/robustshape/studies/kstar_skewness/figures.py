"""Figures of the k* study; each takes the study's rows and returns a matplotlib Figure."""

import numpy as np

from robustshape import style
from robustshape.studies.kstar_skewness.analyse import columns


def class_distributions(rows, models=None):
    """Draw the normalised k* of each class, a violin with its box, gamma above: one panel for each model.

    After the figures of Kotyan, Chen, Vargas (2024). `models` default to the one with the lowest and the
    one with the highest Gamma'.
    """
    import matplotlib.pyplot as plt
    import pandas as pd
    import seaborn as sns

    style.theme()
    if models is None:
        gamma = rows["approximate_skewness"].fillna(0).values
        models = [
            str(rows.model.values[i]) for i in dict.fromkeys([int(gamma.argmin()), int(gamma.argmax())])
        ]
    figure, axes = plt.subplots(len(models), 1, figsize=(8.4, 3.1 * len(models)), squeeze=False, sharey=True)
    for axis, model in zip(axes[:, 0], models):
        row = rows.sel(model=model)
        table = pd.DataFrame({"class": row["label"].values, "k": row["normalised_rank"].values})
        sns.violinplot(
            table, x="class", y="k", cut=0, density_norm="width", inner="box", color="#a9bfd6", linewidth=0.8,
            ax=axis,
        )  # fmt: skip
        for i, gamma in enumerate(row["skewness"].values):
            axis.text(i, 1.04, "–" if np.isnan(gamma) else f"{gamma:+.2f}", ha="center", fontsize=8)
        axis.text(-0.62, 1.04, "γ", ha="center", fontsize=9)
        axis.set(ylim=(0, 1), xlabel="", ylabel="normalised k*")
        name = style.words(model, str(row["family"].values), str(row["recipe"].values))
        axis.set_title(f"{name}: Γ' = {float(row['approximate_skewness']):+.2f}", loc="left", pad=20)
    axes[-1, 0].set_xlabel("class")
    return figure


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
    """Draw Gamma' against clean accuracy and against R on the coloured bands, then mean k* against R."""
    import matplotlib.pyplot as plt

    style.theme()
    values = columns(rows)
    floor = float(rows["permuted_skewness"].values[0])
    figure, axes = plt.subplots(1, 3, figsize=(11.5, 3.9))
    bars = rows["approximate_skewness_interval"].values.T
    for axis, target, words in (
        (axes[0], "accuracy", "clean accuracy"),
        (axes[1], "robustness", "R = corrupted / clean accuracy"),
    ):
        style.scatter(axis, values[target], values["approximate_skewness"], rows, errors=bars)
        _bands(axis, floor)
        axis.set(xlabel=words, ylabel="Γ' (mean skewness)")
    mean = rows["mean_normalised_rank"].values
    style.scatter(
        axes[2], values["robustness"], mean, rows, errors=rows["mean_normalised_rank_interval"].values.T
    )
    axes[2].axhline(float(rows["permuted_mean_rank"].values[0]), color=style.INK, ls=":", lw=1)
    axes[2].set(yscale="log", xlabel="R = corrupted / clean accuracy", ylabel="mean normalised k* (log)")
    for axis, title in zip(axes, ("against accuracy", "against robustness", "the same, unsaturated")):
        axis.set_title(title, loc="left")
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
        for _, line in table.iterrows():
            ends = [line[f"{quantity} plain"], line[f"{quantity} pgd"]]
            label = style.FAMILIES.get(line["family"], line["family"])
            axis.plot([0, 1], ends, "o-", color=palette[line["family"]], label=label, lw=1.6)
        axis.set_xticks([0, 1], ["plain", "adversarial"])
        axis.set(xlim=(-0.25, 1.25), ylabel=words)
    axes[1].set_yscale("log")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper")
    return figure
