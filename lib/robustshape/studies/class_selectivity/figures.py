"""Figures of the selectivity study beside those that its notebook draws itself: each returns a list of panels.

Colour is alpha: blue where selectivity is discouraged, red where it is promoted, the darker the farther from 0.
"""

from fractions import Fraction

import numpy as np

from robustshape.analysis import style
from robustshape.studies.class_selectivity.analyse import EITHER, finished
from robustshape.studies.class_selectivity.early_layers import SHIFTS
from robustshape.studies.class_selectivity.reverse import REVERSE, architectures, pairs

BELOW, ABOVE = "#2b6cb0", "#c0392b"  # of a slope on either side of alpha = 0


def colours(alphas) -> dict[float, tuple]:
    """Return a colour for each alpha, dark grey for 0; equal steps for equal ranks, for alphas are spaced unevenly."""
    import seaborn as sns

    palette = {0.0: (0.25, 0.25, 0.25)}
    for sign, ramp in ((-1, "Blues"), (1, "Reds")):
        side = sorted({a for a in alphas if a * sign > 0}, key=abs)
        palette |= dict(zip(side, sns.color_palette(ramp, len(side) + 2)[2:]))
    return palette


def regulariser(points):
    """Draw what alpha does: selectivity beside what shuffled labels give, and clean accuracy.

    Parameters
    ----------
    points : pandas.DataFrame
        Of `runs.points`.
    """
    import seaborn as sns

    panels = []
    for numbers in ({"selectivity": "measured", "floor": "labels shuffled"}, {"accuracy": "accuracy"}):
        figure, axis = style.panel()
        for (name, words), colour in zip(numbers.items(), (style.INK, "#999999")):
            how = {"x": "alpha", "y": name, "color": colour, "ax": axis}
            sns.lineplot(points, errorbar=None, label=words, **how)
            sns.scatterplot(points, s=16, alpha=0.6, **how)
        axis.set(ylabel="class selectivity" if "floor" in numbers else "clean accuracy")
        axis.set_ylim(min(0, axis.get_ylim()[0]), None)
        style.legend_below(axis)
        panels.append(figure)
    return panels


def slope_by_corruption(table):
    """Draw the slopes over alpha of the accuracy under each corruption, raw and over clean accuracy.

    Parameters
    ----------
    table : pandas.DataFrame
        Of `analyse.by_corruption`.
    """
    names, panels = list(dict.fromkeys(table["corruption"])), []
    for kind, words in (("accuracy", "accuracy"), ("R", "accuracy / clean accuracy")):
        figure, axis = style.panel(height=0.27 * len(names) + 1.2)
        for over, colour, offset in zip(EITHER, (BELOW, ABOVE), (0.0, 0.3)):
            part = table[(table["kind"] == kind) & (table["over"] == over)].set_index("corruption").loc[names]
            labels = [name.replace("_", " ") for name in names]
            style.forest(axis, labels, part["slope"], part["low"], part["high"], colour, over, offset)
        axis.set(title=words, xlabel="for each unit of alpha")
        style.legend_below(axis)
        panels.append(figure)
    return panels


def _by_alpha(runs, x, values, **given):
    """Return a panel with a line for each alpha: the mean over seeds of `values` (model, x), where there is a number."""
    figure, axis = style.panel()
    alpha = runs["alpha"].values.astype(float)
    for a, colour in sorted(colours(alpha).items()):
        of_alpha = values[alpha == a]
        there = np.isfinite(of_alpha).any(0) if len(of_alpha) else np.zeros(len(x), bool)
        if there.any():
            means = np.nanmean(of_alpha[:, there], axis=0)
            dots = "." if len(x) < 40 else None
            axis.plot(np.asarray(x)[there], means, marker=dots, color=colour, lw=1.4, label=f"{a:g}")
    axis.set(**given)
    handles, labels = axis.get_legend_handles_labels()
    if len(labels) > 1:
        figure.legend(
            handles,
            labels,
            title="alpha",
            alignment="left",
            loc="outside lower left",
            ncols=5,
            handlelength=1,
        )
    return figure


def _by_layer(runs, values, **given):
    """Return a panel with a line for each alpha over the layers: `values` (model, depth)."""
    known = values.transpose("model", "depth").values.astype(float)
    figure = _by_alpha(runs, runs["depth"].values, known, xlabel="layer", **given)
    figure.axes[0].xaxis.get_major_locator().set_params(integer=True)
    return figure


def attacks(rows):
    """Draw accuracy against the budget of FGSM and of PGD, and against the number of PGD steps."""
    runs, panels = finished(rows), []
    measured = [str(a) for a in runs["attack"].values] if "attack" in runs.dims else []
    for name in ("fgsm", "pgd"):
        own = {Fraction(a.split()[-1]): a for a in measured if a.startswith(f"{name} linf ")}
        if not own:
            continue
        ordered = [own[budget] for budget in sorted(own)]
        shares = runs["robust_accuracy"].sel(attack=ordered).transpose("model", "attack").values
        clean = runs["attacked_clean_accuracy"].sel(attack=ordered[0]).values
        budgets = [0.0, *(255 * float(budget) for budget in sorted(own))]
        panels.append(
            _by_alpha(
                runs, budgets, np.column_stack([clean, shares]).astype(float), title=f"{name.upper()}, by budget",
                xlabel="budget (grey levels of 255)", ylabel="accuracy", ylim=(0, 1),
            )
        )  # fmt: skip
    steps = runs["steps_accuracy"].transpose("model", "step").values.astype(float)
    title = f"PGD at {runs['step_budget'].values[0]}, by steps"
    panels.append(
        _by_alpha(
            runs, runs["step"].values, steps, title=title, xlabel="steps", ylabel="accuracy", ylim=(0, 1)
        )
    )
    return panels


def dimensions(rows, measure: str = "components95"):
    """Draw the dimensionality of each layer: of clean responses, and of their change under every shift."""
    runs = finished(rows)
    return [
        _by_layer(
            runs, runs["dimensionality"].sel(shift=shift, measure=measure), title=words, ylim=(0, None),
            ylabel="dimensions / units",
        )
        for shift, words in SHIFTS.items() if shift != "clean, all"
    ]  # fmt: skip


def gradients(rows):
    """Draw how the units' input gradients vary by layer: over images, over those where they are not zero, over units."""
    runs = finished(rows)
    named = {
        "gradient_over_samples": "over images",
        "gradient_over_active": "over images with a gradient",
        "gradient_over_units": "over units",
    }
    how = {"ylabel": "gradient: deviation / mean"}
    return [_by_layer(runs, runs[name], title=words, **how) for name, words in named.items()]


def selectivity_by_layer(rows):
    """Draw selectivity by layer, and its distribution over units."""
    runs = finished(rows)
    ranks = np.linspace(0, 1, 101)
    units = runs["unit_selectivity"].transpose("model", "unit").values.astype(float)
    found = np.array([np.quantile(own[np.isfinite(own)], ranks) for own in units])
    how = {"ylabel": "class selectivity", "ylim": (0, None)}
    return [
        _by_layer(runs, runs["selectivity"], title="mean of a layer", **how),
        _by_alpha(runs, ranks, found, title="all units", xlabel="share of units below", **how),
    ]


def reverse(rows):
    """Draw the selectivity of networks trained for robustness beside their plain twins, a line for each pair."""
    panels = []
    for recipe, words in REVERSE.items():
        treated, control, names = pairs(rows, recipe)
        if not names:
            continue
        figure, axis = style.panel(height=2.8)
        axis.plot([0, 1], [control, treated], "o-", color=style.INK, lw=1, ms=5, alpha=0.8)
        axis.set_xticks([0, 1], ["plain", words])
        axis.set(
            xlim=(-0.3, 1.3), ylim=(0, 1.1 * max(*treated, *control)), ylabel="class selectivity",
            title=f"{len(names)} pair{'s' * (len(names) != 1)} of {architectures(names)}",
        )  # fmt: skip
        panels.append(figure)
    return panels
