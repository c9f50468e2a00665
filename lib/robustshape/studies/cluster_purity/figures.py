"""Figures of the purity study; each takes the study's rows and returns a matplotlib Figure."""

import numpy as np

from robustshape import statistics, style
from robustshape.studies.cluster_purity.analyse import indicators, null_of, p_purity
from robustshape.studies.ratios import robustness


def _with_fit(axis, x, y, rows) -> None:
    style.scatter(axis, x, y, rows)
    if len(x) > 2:
        line = statistics.fit_line(x, y)
        ends = np.array([x.min(), x.max()])
        axis.plot(ends, line.intercept + line.slope * ends, color=style.INK, lw=1, alpha=0.6, zorder=1)


def purity_against_robustness(rows):
    """Draw R against p_purity, after the paper's Fig. 1, and against clean accuracy alone."""
    import matplotlib.pyplot as plt

    style.theme()
    figure, axes = plt.subplots(1, 2, figsize=(9.2, 4.0), sharey=True)
    y, known = robustness(rows), indicators(rows)
    for axis, name, words, title in (
        (axes[0], "p_purity", "p_purity = k-means purity / clean accuracy", "the indicator"),
        (axes[1], "clean accuracy", "clean accuracy", "accuracy alone"),
    ):
        x = known[name]
        _with_fit(axis, x, y, rows)
        axis.set(xlabel=words)
        axis.set_title(f"{title}: r = {statistics.pearson(x, y):+.2f}", loc="left")
    axes[0].set_ylabel("R = corrupted / clean accuracy")
    style.legend(figure, rows)
    return figure


def denominator_null(rows, *, draws: int = 1000, seed: int = 0):
    """Draw what r(p_purity, R) would be if the purities said nothing, and what it is."""
    import matplotlib.pyplot as plt
    import seaborn as sns

    style.theme()
    y = robustness(rows)
    null = null_of(rows, y, draws=draws, seed=seed)
    low, high = statistics.interval(null)
    figure, axis = plt.subplots(figsize=(6.4, 3.0))
    sns.histplot(null, bins=50, color="#b9c6d3", edgecolor="white", lw=0.3, ax=axis)
    axis.axvspan(low, high, color="#b9c6d3", alpha=0.25, zorder=0)
    axis.axvline(statistics.pearson(p_purity(rows), y), color=style.ACCENT, lw=2)
    axis.text(
        statistics.pearson(p_purity(rows), y), 1.02, "measured", transform=axis.get_xaxis_transform(),
        color=style.ACCENT, ha="center", fontsize=9,
    )  # fmt: skip
    axis.set(
        xlim=(-1, 1), yticks=[], ylabel="permutations", xlabel="r(p_purity, R) with the purities permuted"
    )
    axis.spines["left"].set_visible(False)
    return figure


def r_by_group(table):
    """Draw r of each indicator with R by group of corruptions, with its interval over families."""
    import matplotlib.pyplot as plt

    style.theme()
    names, groups = list(dict.fromkeys(table["indicator"])), list(dict.fromkeys(table["target"]))
    palette = dict(zip(names, [style.ACCENT, "#3b6ea8", "#8a8a8a", "#5a8f4e"]))
    figure, axis = plt.subplots(figsize=(7.2, 0.62 * len(groups) + 1.2))
    for j, name in enumerate(names):
        for i, group in enumerate(groups):
            line = table[(table["indicator"] == name) & (table["target"] == group)].iloc[0]
            height = i + (j - (len(names) - 1) / 2) * 0.22
            axis.plot([line["low"], line["high"]], [height, height], color=palette[name], lw=1.4)
            axis.plot(line["r"], height, "o", color=palette[name], ms=5, label=name if i == 0 else None)
    axis.axvline(0, color=style.INK, lw=0.8)
    axis.set_yticks(range(len(groups)), groups)
    axis.invert_yaxis()
    axis.set(xlim=(-1.02, 1.02), xlabel="r with R (bar: 95 % interval, families resampled)")
    figure.legend(loc="outside right upper")
    return figure
