"""Figures of the comparison: what each indicator says beyond accuracy."""

import numpy as np

from robustshape.analysis import style

WORDS = {
    "p_kmeans": "k-means purity / accuracy",
    "p_multicut": "multicut purity / accuracy",
    "p_purity": "p_purity (their product)",
    "log_mean_rank": "log mean normalised k*",
}


def words(name: str) -> str:
    """Return what figures and tables call an indicator.

    >>> words("p_purity"), words("silhouette")
    ('p_purity (their product)', 'silhouette')
    """
    return WORDS.get(name, name.replace("_", " "))


def forest(table, target: str):
    """Draw the partial r of each indicator with a target given clean accuracy, its 95 % interval, and r beside it.

    Parameters
    ----------
    table : pandas.DataFrame
        Of `analyse.screen_table`.
    target : str
        In words.
    """
    import matplotlib.pyplot as plt

    style.theme()
    known = table.dropna(subset=["partial r", "low"])
    if known.empty:
        return style.nothing("too few families to correlate anything: at least four are needed")
    place = np.arange(len(known))[::-1]
    figure, axis = plt.subplots(figsize=(6.4, 0.9 + 0.25 * len(known)))
    axis.axvline(0, color=style.INK, lw=0.8)
    axis.hlines(place, known["low"], known["high"], color=style.ACCENT, lw=1.6)
    axis.plot(
        known["partial r"], place, "o", color=style.ACCENT, label="given clean accuracy (95 % interval)"
    )
    axis.plot(known["r"], place, "|", color=style.INK, ms=9, label="r alone")
    axis.set_yticks(place, [words(str(name)) for name in known["indicator"]])
    axis.set(xlim=(-1, 1), xlabel=f"correlation with {target}")
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return figure


def against_accuracy(table):
    """Draw R of every network against its clean accuracy, coloured by clan, those outside their band faint."""
    import matplotlib.pyplot as plt
    import seaborn as sns

    style.theme()
    recipes = list(dict.fromkeys(table["recipe"]))
    figure, axes = plt.subplots(
        1, len(recipes), figsize=(2.3 * len(recipes) + 1.4, 2.9), sharey=True, squeeze=False
    )
    clans = sorted(set(table["clan"]))
    palette = dict(zip(clans, sns.color_palette("colorblind", max(6, len(clans)))))
    for axis, recipe in zip(axes[0], recipes):
        own = table[table["recipe"] == recipe]
        for clan, its in own.groupby("clan"):
            axis.scatter(
                its["clean"], its["R"], s=30, color=palette[clan], label=clan or "other", edgecolor="white", lw=0.5,
                alpha=np.where(its["in_band"], 1.0, 0.25),
            )  # fmt: skip
        axis.set(title=style.RECIPES.get(recipe, (recipe,))[0], xlabel="clean accuracy")
    axes[0, 0].set_ylabel("R")
    handles = {label: handle for axis in axes[0] for handle, label in zip(*axis.get_legend_handles_labels())}
    figure.legend(handles.values(), handles.keys(), loc="outside right upper")
    return figure
