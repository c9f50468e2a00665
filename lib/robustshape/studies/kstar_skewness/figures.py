"""Figures of the k* study beside those that its notebook draws itself: each returns its panels, [] for nothing."""

import numpy as np

from robustshape.analysis import style
from robustshape.analysis.matched import matched
from robustshape.studies.kstar_skewness.analyse import (
    half_sample_interval,
    named,
    points,
    words_for_attack,
)

PLOT_NAMES = {"tsne": "t-SNE", "umap": "UMAP"}
MEAN_RANK = "mean normalised k*"
MOST_CLASSES = 10  # with a violin of their own
MOST_NAMED = 6  # lines with a name at their end
LOG_STEPS = (
    (3, range(1, 10)),
    (20, (1, 2, 5)),
    (300, (1, 3)),
    (float("inf"), (1,)),
)  # ticks by how far an axis goes
TWO = ("#8db4d8", "#e8b08f")  # of two networks in one panel


def rank_axis(axis) -> None:
    """Make an axis of `MEAN_RANK` (matplotlib's x or y axis) logarithmic, with ticks that are readable numbers."""
    from matplotlib import ticker

    axis._set_axes_scale("log")
    low, high = axis.get_view_interval()
    steps = next(steps for most, steps in LOG_STEPS if high / low < most)
    axis.set_major_locator(ticker.LogLocator(subs=steps))
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(ticker.NullFormatter())
    axis.set_label_text(MEAN_RANK)


def floor(axis, rows) -> None:
    """Draw what shuffled labels give of `MEAN_RANK` as a dotted line across the x axis, where networks come near it."""
    chance = float(rows["permuted_mean_rank"].mean())
    if chance > 0.3 * float(rows["mean_normalised_rank"].min()):
        axis.axvline(chance, color=style.INK, ls=":", lw=1)
        axis.annotate(
            "labels shuffled", (chance, 0.02), xycoords=("data", "axes fraction"), rotation=90, ha="right"
        )


def distributions(rows, models=()):
    """Draw the normalised k* of each class of two networks, one above the line of the class and one below it.

    After the figures of Kotyan, Chen, Vargas (2024). Of many classes some are drawn, evenly spaced in the order of gamma.

    Parameters
    ----------
    rows : xarray.Dataset
    models : sequence of str
        By default the networks with the lowest and the highest Gamma'.
    """
    import pandas as pd
    import seaborn as sns

    chosen = named(rows, list(models))[:2]
    called = {model: _called(rows.sel(model=model)) for model in chosen}
    classes = _classes(rows.sel(model=chosen[0]))
    table = pd.concat(
        pd.DataFrame({"class": row["label"].values, "k": row["normalised_rank"].values, "network": called[model]})
        for model, row in ((model, rows.sel(model=model)) for model in chosen)
    )  # fmt: skip
    figure, axis = style.panel(height=1.4 + 0.36 * len(classes))
    sns.violinplot(
        table[table["class"].isin(classes)], x="k", y="class", hue="network", order=classes, orient="h", split=True,
        log_scale=True, cut=0, density_norm="width", inner="quart", linewidth=0.7, gap=0.1,
        palette=dict(zip(called.values(), TWO)), ax=axis,
    )  # fmt: skip
    for i, model in enumerate(chosen):
        axis.text(1.12 + 0.17 * i, 1.01, "γ", transform=axis.transAxes, ha="right", color=_dark(i))
        for line, gamma in enumerate(rows["skewness"].sel(model=model).values[classes]):
            text = "–" if np.isnan(gamma) else f"{gamma:+.1f}"
            place = {"transform": axis.get_yaxis_transform(), "ha": "right", "va": "center"}
            axis.text(1.12 + 0.17 * i, line, text, color=_dark(i), **place)
    rank_axis(axis.xaxis)
    axis.set(xlabel="normalised k*", ylabel="class")
    style.legend_below(axis, 1)
    return figure


def _dark(i: int) -> tuple:
    """Return the colour of one of `TWO` networks, dark enough for text."""
    from matplotlib.colors import to_rgb

    return tuple(0.6 * part for part in to_rgb(TWO[i]))


def _called(row) -> str:
    name = style.literal(
        style.words(str(row["model"].values), str(row["family"].values), str(row["recipe"].values))
    )
    return f"{name}: Γ' = {float(row['approximate_skewness']):+.2f}"


def _classes(row) -> np.ndarray:
    """Return the classes of one network that are drawn."""
    gamma = row["skewness"].values
    if len(gamma) <= MOST_CLASSES:
        return np.arange(len(gamma))
    places = np.linspace(0, len(gamma) - 1, MOST_CLASSES).round().astype(int)
    return np.argsort(gamma, kind="stable")[places]


def adversarial_pairs(table):
    """Draw the mean normalised k* of plain and adversarially trained networks of a family, or a pair of runs, and the mean.

    Parameters
    ----------
    table : pandas.DataFrame
        `analyse.adversarial_pairs`.
    """
    if not len(table):
        return []
    figure, axis = style.panel()
    ends = 10 ** table[["plain", "adversarial"]]
    axis.plot([0, 1], ends.values.T, "o-", color="#9aa7b3", lw=1, ms=4, alpha=0.7)
    axis.plot([0, 1], 10 ** table[["plain", "adversarial"]].mean(), "o-", color=style.ACCENT, lw=2.5)
    axis.set(xlim=(-0.2, 1.6 if len(table) <= MOST_NAMED else 1.2))
    axis.set_xticks([0, 1], ["plain", style.RECIPES[table.attrs["recipe"]][0]])
    rank_axis(axis.yaxis)
    lowest = 0.0
    for family, end in ends["adversarial"].sort_values().items() if len(table) <= MOST_NAMED else ():
        at = max(axis.transAxes.inverted().transform(axis.transData.transform((1, end)))[1], lowest)
        lowest = at + 0.065
        axis.text(1.06, at, style.literal(style.FAMILIES.get(family, (family,))[0]), va="center", color="#444444",
                  transform=axis.get_xaxis_transform())  # fmt: skip
    return figure


def gamma(rows):
    """Draw Gamma' on the bands of the patterns against R, accuracy under attack, and clean accuracy.

    After Figs. 3 and 4 of Kotyan, Chen, Vargas (2024). Bars are intervals over images from recomputed half-samples.
    """
    import seaborn as sns

    known, panels = points(rows), []
    bars = half_sample_interval(rows, "approximate_skewness")
    for target in known.columns.intersection(["R", "under attack", "clean accuracy"], sort=False):
        figure, axis = style.panel(height=3.8)
        axis.vlines(known[target], *bars, color=style.INK, lw=0.8, alpha=0.3)
        sns.scatterplot(known, x=target, y="Gamma'", s=45, **style.by_recipe(known["trained"]), ax=axis)
        _bands(axis, float(rows["permuted_skewness"].mean()))
        axis.set(xlabel=words_for_attack(rows) if target == "under attack" else target, ylabel="Γ'")
        style.legend_below(axis)
        panels.append(figure)
    return panels


def _bands(axis, chance: float) -> None:
    """Colour the bands of the patterns behind a figure of Gamma', and draw what shuffled labels give."""
    low, high = axis.get_ylim()
    low, high = min(low, -0.8), max(high, chance + 0.3)
    for name, (colour, start, end) in style.BANDS.items():
        axis.axhspan(max(start, low), min(end, high), color=colour, zorder=0, lw=0)
        middle = (max(start, low) + min(end, high)) / 2
        axis.annotate(name, (1.02, middle), xycoords=("axes fraction", "data"), va="center",
                      annotation_clip=False, color="#555555", fontsize=9)  # fmt: skip
    axis.axhline(chance, color=style.INK, ls=":", lw=1)
    axis.text(0.02, chance, "labels shuffled", transform=axis.get_yaxis_transform(), va="bottom")
    axis.set_ylim(low, high)


def one_architecture(rows):
    """Draw mean k* and accuracy under attack of one architecture under each recipe, a point for each run."""
    import seaborn as sns

    ours = matched(rows)
    if ours is None:
        return []
    known, panels = points(ours), []
    for number in known.columns.intersection(["mean k*", "under attack", "R"], sort=False):
        shown = style.by_recipe(known["trained"])
        order = shown["hue_order"]
        figure, axis = style.panel(height=max(3.4, 0.24 * len(order) + 0.8))
        sns.stripplot(
            known, x=number, y="trained", hue="trained", order=order, hue_order=order, palette=shown["palette"],
            size=7, jitter=0.15, legend=False, ax=axis,
        )  # fmt: skip
        axis.set(ylabel="", xlabel=words_for_attack(ours) if number == "under attack" else number)
        if number == "mean k*":
            rank_axis(axis.xaxis)
        panels.append(figure)
    return panels


def plots(rows, models):
    """Draw the plots in two dimensions of networks' features, coloured by class, with the share of same-class neighbours.

    Parameters
    ----------
    models : sequence of str
        After Fig. 2 of Kotyan, Chen, Vargas (2024) two networks of one layout; those that are not here are left out.
    """
    import seaborn as sns

    there = [model for model in models if model in set(map(str, rows.model.values))]
    methods = [str(m) for m in rows["embedding"].values] if "embedding" in rows.dims else []
    panels, palette = [], np.array(sns.color_palette("husl", rows.sizes["class"]))
    for model in there:
        row = rows.sel(model=model)
        for method in methods:
            figure, axis = style.panel(height=3.6)
            x, y = row["plot"].sel(embedding=method).values.T
            axis.scatter(x, y, c=palette[row["plot_label"].values], s=5, lw=0)
            hit = float(row["plot_hit"].sel(embedding=method))
            axis.set(xticks=[], yticks=[], title=f"{_called(row)}\n{PLOT_NAMES[method]}, hit {hit:.2f}")
            panels.append(figure)
    return panels


def class_size(rows):
    """Draw Gamma' and mean normalised k* against the number of images a class, and what shuffled labels give."""
    if rows.sizes["class_size"] < 2:
        return []
    panels, sizes = [], rows["class_size"].values
    for name, words in (("size_skewness", "Γ'"), ("size_mean_rank", MEAN_RANK)):
        figure, axis = style.panel()
        axis.plot(sizes, rows[name].transpose("class_size", "model"), color=style.ACCENT, lw=1, alpha=0.35)
        chance = rows[f"{name}_floor"].mean("model").values
        axis.plot(sizes, chance, color=style.INK, ls=":", lw=1.5)
        middle = (sizes[len(sizes) // 2], chance[len(sizes) // 2])
        axis.annotate("labels shuffled", middle, xytext=(0, 4), textcoords="offset points")
        axis.set(xscale="log", xlabel="images a class", ylabel=words)
        apart = [size for size in sizes if size == sizes[-1] or size < 0.7 * sizes[-1]]
        axis.set_xticks(apart, [str(size) for size in apart])
        axis.minorticks_off()
        if name == "size_mean_rank":
            rank_axis(axis.yaxis)
        panels.append(figure)
    return panels


def clean_against_attacked(rows):
    """Draw Gamma' and mean normalised k* of the same images clean and attacked, one line for each network."""
    if "condition" not in rows.dims:
        return []
    panels, recipes = [], style.trained(rows["recipe"].values)
    palette = style.by_recipe(recipes)["palette"]
    for name, words in (("shift_skewness", "Γ'"), ("shift_mean_rank", MEAN_RANK)):
        figure, axis = style.panel()
        for recipe, colour in palette.items():
            its = rows[name].transpose("condition", "model").values[:, np.array(recipes) == recipe]
            lines = axis.plot([0, 1], its, "o-", color=colour, lw=1, ms=4, alpha=0.7)
            lines[0].set_label(recipe)
        axis.set_xticks([0, 1], ["clean", str(rows["shift"].values[0]).partition(" on ")[0]])
        axis.set(xlim=(-0.25, 1.25), ylabel=words)
        if name == "shift_mean_rank":
            rank_axis(axis.yaxis)
        style.legend_below(axis)
        panels.append(figure)
    return panels
