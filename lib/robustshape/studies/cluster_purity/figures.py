"""Figures of the purity study beside those that its notebook draws itself: each returns one panel, or None for nothing."""

import numpy as np

from robustshape import statistics
from robustshape.analysis import style
from robustshape.analysis.matched import matched
from robustshape.analysis.robustness import robustness
from robustshape.studies.cluster_purity.analyse import null_of
from robustshape.studies.cluster_purity.compared import (
    ACCURACY,
    P_PURITY,
    VARIANTS,
    indicators,
    words,
)

COLOURS = {P_PURITY: style.ACCENT, ACCURACY: "#8a8a8a"}


def denominator_null(rows, *, draws: int = 1000, seed: int = 0):
    """Draw what r(p_purity, R) would be if the purities said nothing, and what it is."""
    import seaborn as sns

    x, y = indicators(rows)[P_PURITY], robustness(rows)
    there = np.isfinite(x) & np.isfinite(y)
    if there.sum() < 3:
        return None
    measured = statistics.pearson(x[there], y[there])
    figure, axis = style.panel(height=2.4)
    sns.histplot(
        null_of(rows, P_PURITY, y, draws=draws, seed=seed),
        bins=40,
        color="#b9c6d3",
        edgecolor="white",
        ax=axis,
    )
    axis.axvline(measured, color=style.ACCENT, lw=2)
    axis.annotate(
        "measured", (measured, 1.02), xycoords=("data", "axes fraction"), color=style.ACCENT, ha="center"
    )
    axis.set(xlim=(-1, 1), yticks=[], ylabel="", xlabel="r(p_purity, R), purities permuted")
    axis.spines["left"].set_visible(False)
    return figure


def r_by_group(predictions):
    """Draw r of p_purity and of clean accuracy with R by group of corruptions, and under attack."""
    if not len(predictions):
        return None
    goals = list(dict.fromkeys(predictions["target"]))
    figure, axis = style.panel(height=0.5 * len(goals) + 1.2)
    for j, name in enumerate(COLOURS):
        lines = predictions[predictions["indicator"] == name].set_index("target").loc[goals]
        style.forest(axis, goals, lines["r"], lines["low"], lines["high"], COLOURS[name], words(name), j / 4)
    axis.set(xlabel="r with the share of accuracy kept")
    style.legend_below(axis, 1)
    return figure


def r_of_variants(predictions):
    """Draw r with R of every way to make an indicator of the two purities, and what permuted purities give."""
    lines = predictions[(predictions["target"] == "all") & predictions["indicator"].isin(list(VARIANTS))]
    if not len(lines):
        return None
    lines = lines.set_index("indicator").loc[list(VARIANTS)]
    labels = [words(name) for name in lines.index]
    figure, axis = style.panel(height=4.6)
    style.forest(axis, labels, lines["r"], lines["low"], lines["high"], style.ACCENT, "measured")
    null = lines["null_mean"], lines["null_low"], lines["null_high"]
    style.forest(axis, labels, *null, "#9aa7b3", "purities permuted", 0.25)
    axis.set(xlabel="r with R")
    style.legend_below(axis, 1)
    return figure


def rival_ranking(rivals):
    """Draw the partial r with R given clean accuracy of every indicator on the same draws."""
    lines = rivals[rivals["indicator"] != ACCURACY].dropna(subset="partial")
    if not len(lines):
        return None
    lines = lines.sort_values("partial", ascending=False)
    labels = ["p_purity" if name == P_PURITY else words(name) for name in lines["indicator"]]
    figure, axis = style.panel(height=0.27 * len(labels) + 0.9)
    style.forest(axis, labels, lines["partial"], lines["partial_low"], lines["partial_high"], style.ACCENT)
    axis.set(xlabel="partial r with R given accuracy")
    return figure


def purity_by_clusters(rows):
    """Draw purity against the number of clusters: k-means with more of them, multicuts that cut less or more."""
    from matplotlib import ticker

    if "ratio" not in rows.dims:
        return []
    palette = style.colours(rows["family"].values)
    n_classes = rows["n_classes"].values
    panels = []
    for title in ("k-means", "multicut (dots: as calibrated)"):
        figure, axis = style.panel()
        for i, family in enumerate(rows["family"].values):
            row = rows.isel(model=i)
            if title == "k-means":
                clusters = row["ratio"].values * n_classes[i]
                purity = row["kmeans_by_ratio"].mean("closer").transpose("ratio").values
            else:
                clusters = row["clusters_by_shift"].mean("closer").transpose("shift").values
                purity = row["multicut_by_shift"].mean("closer").transpose("shift").values
                used = row["shift"].values == 0
                axis.plot(clusters[used], purity[used], "o", color=palette[family], ms=4)
            axis.plot(clusters, purity, color=palette[family], lw=1, alpha=0.7)
        axis.set(xscale="log", xlabel="number of clusters", ylabel="purity", title=title)
        for kind in (axis.xaxis.set_major_formatter, axis.xaxis.set_minor_formatter):
            kind(ticker.FuncFormatter(lambda x, _: f"{x:g}" if str(int(x))[0] in "125" else ""))
        axis.axvline(n_classes[0], color=style.INK, ls=":", lw=1)
        panels.append(figure)
    return panels


def one_architecture(rows):
    """Draw R against p_purity and against accuracy for the networks of one architecture that was trained in many ways."""
    import seaborn as sns

    from robustshape.studies.cluster_purity.compared import points

    ours = matched(rows)
    if ours is None:
        return []
    known, panels = points(ours), []
    for name in (P_PURITY, ACCURACY):
        figure, axis = style.panel()
        sns.scatterplot(known, x=name, y="R", s=60, **style.by_recipe(known["trained"]), ax=axis)
        style.legend_below(axis)
        panels.append(figure)
    return panels
