"""Figures of the selectivity study. Colour is alpha, blue where selectivity is discouraged, red where promoted."""

import numpy as np

from robustshape.analysis import style
from robustshape.studies.class_selectivity.analyse import finished, quantities, smallest_attack
from robustshape.studies.class_selectivity.early_layers import SHIFTS
from robustshape.studies.class_selectivity.reverse import REVERSE, architectures, pairs


def colours(alphas) -> dict[float, tuple]:
    """Return a colour for each alpha, dark grey for 0; equal steps for equal ranks, for alphas are spaced unevenly."""
    import seaborn as sns

    palette = {0.0: (0.25, 0.25, 0.25)}
    for sign, cold in ((-1, True), (1, False)):
        side = sorted({a for a in alphas if a * sign > 0}, key=abs)
        ramp = sns.color_palette("Blues" if cold else "Reds", len(side) + 2)[2:]
        palette |= dict(zip(side, ramp))
    return palette


def _over_alpha(axis, alpha, values, *, color=style.INK, label=None):
    """Draw every run, the mean at each alpha, and Student's 95 % interval over seeds (of three or more)."""
    from scipy.stats import t

    axis.plot(alpha, values, ".", color=color, ms=4, alpha=0.5)
    places, means, halves = [], [], []
    for a in np.unique(alpha):
        there = values[(alpha == a) & np.isfinite(values)]
        if len(there):
            places.append(a)
            means.append(there.mean())
            n = len(there)
            halves.append(t.ppf(0.975, n - 1) * there.std(ddof=1) / np.sqrt(n) if n > 2 else 0)
    if places:
        axis.errorbar(places, means, halves, color=color, lw=1.4, capsize=2, elinewidth=0.8, label=label)


def dose_response(rows):
    """Draw selectivity, clean and corrupted accuracy, R, accuracy under attack and Jacobian norm against alpha."""
    import matplotlib.pyplot as plt

    style.theme()
    runs = finished(rows)
    alpha, known = runs["alpha"].values.astype(float), quantities(runs)
    figure, axes = plt.subplots(2, 3, figsize=(10.4, 5.6), sharex=True)
    flat = axes.flat
    _over_alpha(flat[0], alpha, known["selectivity"])
    _over_alpha(
        flat[0],
        alpha,
        runs["selectivity_floor"].values.astype(float),
        color="#999999",
        label="labels shuffled",
    )
    flat[0].legend()
    flat[0].set(title="class selectivity", ylim=(min(0, flat[0].get_ylim()[0]), None))
    _over_alpha(flat[1], alpha, known["accuracy"])
    flat[1].set_title("clean accuracy", loc="center")
    _over_alpha(flat[2], alpha, known["corrupted accuracy"])
    flat[2].set_title("accuracy under corruption")
    _over_alpha(flat[3], alpha, known["R"])
    flat[3].set_title("R = corrupted / clean")
    for name, color in (("fgsm", "#3b6ea8"), ("pgd", style.ACCENT)):
        if attack := smallest_attack(runs, name):
            values = runs["robust_accuracy"].sel(attack=attack).values.astype(float)
            label = f"{name.upper()} {attack.split()[-1]}"
            _over_alpha(flat[4], alpha, values, color=color, label=label)
    strongest = next((str(s) for s in runs["strongest"].values if s), "")
    if strongest:
        _over_alpha(flat[4], alpha, known["under the strongest"], color="#8a5aa3", label=f"up to {strongest}")
    if flat[4].get_legend_handles_labels()[0]:
        flat[4].legend()
    flat[4].set_title("accuracy under attack")
    _over_alpha(flat[5], alpha, 10 ** known["log10 Jacobian norm"])
    flat[5].set(title="Jacobian norm of the logits", yscale="log")
    for axis in axes[1]:
        axis.set_xlabel("alpha")
    return figure


def slope_by_corruption(table):
    """Draw the slopes over alpha of the accuracy under each corruption, raw and over clean accuracy, on either side of 0.

    Filled: alpha <= 0; open: alpha >= 0.
    """
    import matplotlib.pyplot as plt

    from robustshape.corruptions import GROUPS

    style.theme()
    group = {name: g for g, names in GROUPS.items() for name in names}
    names = list(dict.fromkeys(table["corruption"]))
    figure, axes = plt.subplots(1, 2, figsize=(9.6, 0.9 + 0.32 * len(names)), sharey=True)
    for axis, kind, title in zip(axes, ("accuracy", "R"), ("accuracy", "accuracy / clean accuracy")):
        for over, up, filled in (("alpha <= 0", 0.14, True), ("alpha >= 0", -0.14, False)):
            part = table[(table["kind"] == kind) & (table["over"] == over)].set_index("corruption")
            for place, name in enumerate(reversed(names)):
                line, color = part.loc[name], style.GROUPS.get(group.get(name), style.INK)
                axis.plot([line["low"], line["high"]], [place + up] * 2, color=color, lw=1.2)
                axis.plot(
                    line["slope"], place + up, "o", color=color, ms=4.5, mfc=color if filled else "white"
                )
        axis.axvline(0, color=style.INK, lw=0.8, ls=":")
        axis.set_title(title)
        axis.set_xlabel("change for each unit of alpha")
    axes[0].set_yticks(range(len(names)), [n.replace("_", " ") for n in reversed(names)])
    return figure


def _by_alpha(axis, runs, x, values, palette, **look):
    """Draw a line for each alpha: the mean over seeds of `values` (model, x)."""
    alpha = runs["alpha"].values.astype(float)
    for a in np.unique(alpha):
        axis.plot(x, np.nanmean(values[alpha == a], axis=0), color=palette[a], lw=1.5, label=f"{a:g}", **look)


def _by_layer(axis, runs, values, palette):
    """Draw a line for each alpha over the layers that have a number: the mean over seeds of `values` (model, depth)."""
    values = values.transpose("model", "depth").values.astype(float)
    there = np.isfinite(values).any(0)
    _by_alpha(axis, runs, runs["depth"].values[there], values[:, there], palette)
    axis.set_xlabel("layer")


def attacks(rows):
    """Draw accuracy against the budget of FGSM and PGD, and against the number of PGD steps, coloured by alpha."""
    import matplotlib.pyplot as plt

    style.theme()
    runs = finished(rows)
    palette = colours(runs["alpha"].values.astype(float))
    figure, axes = plt.subplots(1, 3, figsize=(10.4, 3.4), sharey=True)
    for axis, name in zip(axes, ("fgsm", "pgd")):
        measured = [str(a) for a in runs["attack"].values] if "attack" in runs.dims else []
        measured = [a for a in measured if a.startswith(f"{name} linf ")]
        measured.sort(key=lambda a: _number(a.split()[-1]))
        if measured:
            budgets = [0.0, *(255 * _number(a.split()[-1]) for a in measured)]
            shares = (
                runs["robust_accuracy"].sel(attack=measured).transpose("model", "attack").values.astype(float)
            )
            clean = runs["attacked_clean_accuracy"].sel(attack=measured[0]).values.astype(float)
            _by_alpha(axis, runs, budgets, np.column_stack([clean, shares]), palette, marker="o", ms=3)
        axis.set(title=f"{name.upper()}, by budget", xlabel="eps (grey levels of 255)")
    _by_alpha(
        axes[2], runs, runs["step"].values,
        runs["steps_accuracy"].transpose("model", "step").values.astype(float), palette, marker="o", ms=3,
    )  # fmt: skip
    axes[2].set(title=f"PGD at {runs['step_budget'].values[0]}, by steps", xlabel="steps")
    axes[0].set(ylabel="accuracy", ylim=(0, 1))
    _legend(figure, palette)
    return figure


def _number(words: str) -> float:
    from fractions import Fraction

    return float(Fraction(words))


def _legend(figure, palette):
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=palette[a], lw=2, label=f"{a:g}") for a in sorted(palette)]
    figure.legend(handles=handles, title="alpha", loc="outside right upper")


def dimensions(rows, measure: str = "components95"):
    """Draw the dimensionality of each layer, coloured by alpha: clean responses, and their change under every shift.

    All of the same images.
    """
    import matplotlib.pyplot as plt

    style.theme()
    runs = finished(rows)
    palette = colours(runs["alpha"].values.astype(float))
    shown = {shift: words for shift, words in SHIFTS.items() if shift != "clean, all"}
    figure, axes = plt.subplots(1, len(shown), figsize=(10.4, 3.2), sharey=True)
    for axis, (shift, words) in zip(axes, shown.items()):
        _by_layer(axis, runs, runs["dimensionality"].sel(shift=shift, measure=measure), palette)
        axis.set_title(words, fontsize=10)
    axes[0].set_ylabel("components for 95 % / units")
    _legend(figure, palette)
    return figure


def gradients(rows):
    """Draw how the units' input gradients vary by layer: over images, over those where they are not zero, over units."""
    import matplotlib.pyplot as plt

    style.theme()
    runs = finished(rows)
    palette = colours(runs["alpha"].values.astype(float))
    figure, axes = plt.subplots(1, 3, figsize=(10.4, 3.2))
    for axis, name, words in (
        (axes[0], "gradient_over_samples", "over images"),
        (axes[1], "gradient_over_active", "over images, not zero"),
        (axes[2], "gradient_over_units", "over units"),
    ):
        _by_layer(axis, runs, runs[name], palette)
        axis.set_title(words)
    axes[0].set_ylabel("standard deviation / mean of |du/dx|")
    _legend(figure, palette)
    return figure


def selectivity_by_layer(rows):
    """Draw selectivity by layer, and its distribution over units, coloured by alpha."""
    import matplotlib.pyplot as plt

    style.theme()
    runs = finished(rows)
    alpha = runs["alpha"].values.astype(float)
    palette = colours(alpha)
    figure, axes = plt.subplots(1, 2, figsize=(9.6, 3.4))
    _by_layer(axes[0], runs, runs["selectivity"], palette)
    axes[0].set(title="mean of a layer", ylabel="class selectivity", ylim=(0, None))
    for a in np.unique(alpha):
        units = np.sort(runs["unit_selectivity"].values.astype(float)[alpha == a].ravel())
        units = units[np.isfinite(units)]
        axes[1].plot(units, np.linspace(0, 1, len(units)), color=palette[a], lw=1.5)
    axes[1].set(title="all units", xlabel="class selectivity", ylabel="share of units below")
    _legend(figure, palette)
    return figure


def reverse(rows):
    """Draw the selectivity of networks trained for robustness beside their plain twins, a line for each pair."""
    import matplotlib.pyplot as plt

    style.theme()
    found = {words: pairs(rows, recipe) for recipe, words in REVERSE.items()}
    found = {words: known for words, known in found.items() if known[2]}
    if not found:
        return style.nothing("no network trained with AugMix or PGD stands beside the grid")
    figure, axes = plt.subplots(1, len(found), figsize=(3.6 * len(found), 3.2), sharey=True, squeeze=False)
    axes = axes[0]
    for axis, (words, (treated, control, names)) in zip(axes, found.items()):
        for before, after in zip(control, treated):
            axis.plot([0, 1], [before, after], "o-", color=style.INK, lw=1, ms=5, alpha=0.8)
        axis.set_xticks([0, 1], ["plain", words])
        axis.set_xlim(-0.3, 1.3)
        axis.set_title(f"{len(names)} pairs of {architectures(names)}")
    axes[0].set(
        ylabel="class selectivity", ylim=(0, 1.08 * max(max(t.max(), c.max()) for t, c, _ in found.values()))
    )
    return figure
