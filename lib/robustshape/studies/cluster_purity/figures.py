"""Figures of the purity study; each takes the study's rows (or a table of them) and returns a matplotlib Figure."""

import numpy as np

from robustshape import statistics
from robustshape.analysis import style
from robustshape.analysis.matched import matched
from robustshape.analysis.robustness import robustness
from robustshape.models import short_name
from robustshape.studies.cluster_purity.analyse import null_of
from robustshape.studies.cluster_purity.compared import (
    ACCURACY,
    P_PURITY,
    VARIANTS,
    indicators,
    targets,
    words,
)

MOST_NAMES = 24  # that a panel has room for
COLOURS = {P_PURITY: style.ACCENT, "kmeans": "#3b6ea8", "multicut": "#5a8f4e", ACCURACY: "#8a8a8a"}


def _with_fit(axis, x, y, rows, *, names: bool) -> None:
    there = np.isfinite(x) & np.isfinite(y)
    style.scatter(axis, x, y, rows)
    if there.sum() > 2:
        line = statistics.fit_line(x[there], y[there])
        ends = np.array([x[there].min(), x[there].max()])
        axis.plot(ends, line.intercept + line.slope * ends, color=style.INK, lw=1, alpha=0.6, zorder=1)
    if names:
        few = rows.sizes["model"] <= MOST_NAMES  # else those trained elsewhere: ours are the many
        chosen = np.flatnonzero(there & (few | (rows["training_seed"].values < 0)))
        labels = [short_name(str(rows.model.values[i])).removeprefix("cifar10_") for i in chosen]
        style.names(axis, x[chosen], y[chosen], labels)


def _title(table, indicator: str, target: str, name: str) -> str:
    line = table[(table["indicator"] == indicator) & (table["target"] == target)].iloc[0]
    if not np.isfinite(line["r"]):
        return f"{name}: too few networks for a correlation"
    low, high = line["low"], line["high"]
    ends = f" ({low:+.2f} to {high:+.2f})" if np.isfinite(low) else ""
    return f"{name}: r = {line['r']:+.2f}{ends}, R² = {line['r_squared']:.2f}"


def purity_against_robustness(rows, predictions):
    """Draw R against p_purity with the networks' names, after the paper's Fig. 1, and against clean accuracy."""
    import matplotlib.pyplot as plt

    style.theme()
    figure, axes = plt.subplots(1, 2, figsize=(11.6, 5.0), sharey=True)
    y, known = robustness(rows), indicators(rows)
    for axis, name, label, title in (
        (axes[0], P_PURITY, "p_purity k-means x multicut, each over clean accuracy", "p_purity"),
        (axes[1], ACCURACY, words(ACCURACY), "accuracy alone"),
    ):
        _with_fit(axis, known[name], y, rows, names=True)
        axis.set(xlabel=label)
        axis.set_title(_title(predictions, name, "all", title), loc="left", fontsize=10)
    axes[0].set_ylabel("R = corrupted / clean accuracy")
    style.legend(figure, rows)
    return figure


def denominator_null(rows, *, draws: int = 1000, seed: int = 0):
    """Draw what r(p_purity, R) would be if the purities said nothing, and what it is."""
    import matplotlib.pyplot as plt
    import seaborn as sns

    x, y = indicators(rows)[P_PURITY], robustness(rows)
    there = np.isfinite(x) & np.isfinite(y)
    if there.sum() < 3:
        return style.nothing("fewer than three networks: nothing to permute")
    style.theme()
    measured = statistics.pearson(x[there], y[there])
    null = null_of(rows, P_PURITY, y, draws=draws, seed=seed)
    low, high = np.nanquantile(null, [0.025, 0.975])
    figure, axis = plt.subplots(figsize=(6.4, 3.0))
    sns.histplot(null, bins=50, color="#b9c6d3", edgecolor="white", lw=0.3, ax=axis)
    axis.axvspan(low, high, color="#b9c6d3", alpha=0.25, zorder=0)
    axis.axvline(measured, color=style.ACCENT, lw=2)
    axis.text(
        measured, 1.02, "measured", transform=axis.get_xaxis_transform(), color=style.ACCENT, ha="center",
        fontsize=9,
    )  # fmt: skip
    axis.set(
        xlim=(-1, 1), yticks=[], ylabel="permutations", xlabel="r(p_purity, R) with the purities permuted"
    )
    axis.spines["left"].set_visible(False)
    return figure


def _forest(axis, labels, series, *, gap: float = 0.2) -> None:
    """Draw r with its interval for each label, `series` (name, colour, r, low, high) one above the other."""
    for j, (name, colour, r, low, high) in enumerate(series):
        at = np.arange(len(labels)) + (j - (len(series) - 1) / 2) * gap
        for height, start, end in zip(at, low, high):
            axis.plot([start, end], [height, height], color=colour, lw=1.4, alpha=0.8)
        axis.plot(r, at, "o", color=colour, ms=4.5, label=name)
    axis.axvline(0, color=style.INK, lw=0.8)
    axis.set_yticks(range(len(labels)), labels)
    axis.invert_yaxis()
    axis.set(xlim=(-1.02, 1.02))


def _by_target(table, names, title: str):
    import matplotlib.pyplot as plt

    style.theme()
    goals = list(dict.fromkeys(table["target"]))
    figure, axis = plt.subplots(figsize=(7.6, 0.62 * len(goals) + 1.2))
    series = []
    for name in names:
        lines = table[table["indicator"] == name].set_index("target").loc[goals]
        short = {P_PURITY: "p_purity", "kmeans": "k-means purity", "multicut": "multicut purity"}
        series.append((short.get(name, name), COLOURS[name], lines["r"], lines["low"], lines["high"]))
    _forest(axis, goals, series)
    axis.set(xlabel=title)
    figure.legend(loc="outside right upper")
    return figure


def r_by_group(predictions):
    """Draw r of p_purity, both purities and clean accuracy with R by group of corruptions, and under attack."""
    return _by_target(predictions, COLOURS, "r with R (bar: 95 % interval over families)")


def r_of_variants(predictions):
    """Draw r with R of every way to make an indicator of the two purities, and what permuted purities give."""
    import matplotlib.pyplot as plt

    style.theme()
    lines = predictions[(predictions["target"] == "all") & predictions["indicator"].isin(list(VARIANTS))]
    lines = lines.set_index("indicator").loc[list(VARIANTS)]
    figure, axis = plt.subplots(figsize=(7.6, 3.6))
    measured = ("measured", style.ACCENT, lines["r"], lines["low"], lines["high"])
    null = ("purities permuted", "#9aa7b3", lines["null_mean"], lines["null_low"], lines["null_high"])
    _forest(axis, [words(name) for name in lines.index], [measured, null])
    axis.set(xlabel="r with R (bar: 95 %)")
    figure.legend(loc="outside right upper")
    return figure


def rival_ranking(rivals):
    """Draw r with R of every indicator on the same draws, and its partial r given clean accuracy."""
    import matplotlib.pyplot as plt

    style.theme()
    labels = [words(name) if name != P_PURITY else "p_purity" for name in rivals["indicator"]]
    labels = [f"{label} *" if p < 0.05 else label for label, p in zip(labels, rivals["holm"])]
    figure, axes = plt.subplots(1, 2, figsize=(10.4, 0.3 * len(labels) + 1.2), sharey=True)
    _forest(axes[0], labels, [("r with R", style.ACCENT, rivals["r"], rivals["low"], rivals["high"])])
    _forest(
        axes[1],
        labels,
        [("given accuracy", "#3b6ea8", rivals["partial"], rivals["partial_low"], rivals["partial_high"])],
    )
    axes[0].invert_yaxis()  # shared: the first one turned it already
    starred = any(label.endswith("*") for label in labels)
    axes[0].set(xlabel="r with R" + (" (*: after Holm's correction, too)" if starred else ""))
    axes[1].set(xlabel="partial r with R given clean accuracy")
    return figure


def purity_by_clusters(rows):
    """Draw purity against the number of clusters: k-means with more of them, multicuts that cut less or more."""
    import matplotlib.pyplot as plt
    from matplotlib import ticker

    if "ratio" not in rows.dims:
        return style.nothing("no draw was looked at more closely (n_closer is 0)")
    style.theme()
    palette = style.colours(rows["family"].values)
    figure, axes = plt.subplots(1, 2, figsize=(9.6, 3.8), sharey=True)
    n_classes = rows["n_classes"].values
    for i, family in enumerate(rows["family"].values):
        row = rows.isel(model=i)
        kmeans = row["kmeans_by_ratio"].mean("closer").transpose("ratio").values
        axes[0].plot(row["ratio"].values * n_classes[i], kmeans, color=palette[family], lw=1, alpha=0.7)
        clusters = row["clusters_by_shift"].mean("closer").transpose("shift").values
        multicut = row["multicut_by_shift"].mean("closer").transpose("shift").values
        axes[1].plot(clusters, multicut, color=palette[family], lw=1, alpha=0.7)
        used = row["shift"].values == 0
        axes[1].plot(clusters[used], multicut[used], "o", color=palette[family], ms=4)
    for axis, title in zip(axes, ("k-means", "multicut (dots: as calibrated)")):
        axis.set(xscale="log", xlabel="number of clusters")
        for kind in (axis.xaxis.set_major_formatter, axis.xaxis.set_minor_formatter):
            kind(ticker.FuncFormatter(lambda x, _: f"{x:g}" if str(int(x))[0] in "125" else ""))
        axis.axvline(n_classes[0], color=style.INK, ls=":", lw=1)
        axis.set_title(title, loc="left")
    axes[0].set_ylabel("purity")
    style.legend(figure, rows, recipes=False)
    return figure


def one_architecture(rows):
    """Draw R, and accuracy under attack over clean accuracy, against p_purity and accuracy for one architecture."""
    import matplotlib.pyplot as plt

    ours = matched(rows)
    if ours is None:
        return style.nothing("no architecture was trained under several recipes here")
    style.theme()
    known, goals = indicators(ours), targets(ours)
    shown = ("all", "not trained on", "under attack")
    goals = {name: goals[name] for name in shown if name in goals}
    figure, axes = plt.subplots(
        2, len(goals), figsize=(2.9 * len(goals) + 1.4, 5.4), sharex="row", squeeze=False
    )
    for line, (name, label) in zip(axes, ((P_PURITY, "p_purity"), (ACCURACY, words(ACCURACY)))):
        for axis, (goal, values) in zip(line, goals.items()):
            style.scatter(axis, known[name], values, ours)
            axis.set(xlabel=label)
            there = np.isfinite(known[name])
            r = statistics.pearson(known[name][there], values[there])
            axis.set_title(f"{goal}: r = {r:+.2f}", loc="left", fontsize=9)
        line[0].set_ylabel("kept share of accuracy")
    style.legend(figure, ours)
    return figure
