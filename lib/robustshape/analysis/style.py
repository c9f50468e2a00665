"""The one visual language: names, colours, markers and the look of every figure.

Colour says the architecture's family, the marker says how it was trained; both stand in one legend.
"""

import os
import re

import numpy as np

FORM = "ROBUSTSHAPE_FIGURES"  # the form of figures in a notebook, if it is not png: svg or pdf

FAMILIES = {  # of digits, of small photographs, of ImageNet, of Tiny ImageNet: each set has the colours anew
    "mlp": ("MLP", 0),
    "lenet": ("LeNet", 1),
    "resnet": ("small ResNet", 2),
    "convnext": ("small ConvNeXt", 3),
    "vit": ("small ViT", 4),
    "lenet5": ("LeNet-5 (advertorch)", 5),
    "cnn_a": ("CNN-A", 0),
    "cifar_resnet": ("CIFAR ResNet", 1),
    "vnn_resnet": ("ResNet-2B, 4B", 2),
    "marabou": ("Marabou CNN", 3),
    "resnet8": ("ResNet-8", 4),
    "shufflenetv2": ("ShuffleNetV2", 5),
    "efficientnet_lite": ("EfficientNet-Lite", 0),
    "mobilenetv1": ("MobileNetV1", 1),
    "mobilenetv2": ("MobileNetV2", 2),
    "squeezenet": ("SqueezeNet", 3),
    "tiny_resnet": ("ResNet at 64 px", 0),
}
RECIPES = {  # name of a zoo recipe: words, marker
    "plain": ("plain", "o"),
    "noise": ("noise", "s"),
    "corrupted": ("blur and noise", "<"),
    "augmix": ("AugMix-like", "D"),
    "mixup": ("mixup", "^"),
    "smooth": ("label smoothing", "v"),
    "decay": ("weight decay", "P"),
    "sgd": ("plain SGD", "*"),
    "steps": ("step schedule", "d"),
    "pgd": ("adversarial (PGD)", "X"),
    "fast": ("adversarial (fast)", ">"),
    "provable": ("provably robust", "p"),
    "quantised": ("quantised", "h"),
}
GROUPS = {"noise": "#b5462f", "blur": "#3b6ea8", "weather": "#5a8f4e", "digital": "#8a5aa3"}
BANDS = {  # pattern of a k* distribution: colour, lowest and highest skewness
    "fractured": ("#f6d5cf", 0.5, float("inf")),
    "overlapped": ("#ececec", -0.5, 0.5),
    "clustered": ("#d3e9d7", float("-inf"), -0.5),
}
JOINED = " + "  # between the words of recipes that are joined
MOST_IN_LEGEND = 12
INK = "#333333"
PANEL = 4.3  # inches: two stand abreast in a page's column, one fills that of a phone
ACCENT = "#b5462f"
DIVERGING = "PuOr"  # of what may lie on either side of zero: orange below, purple above


def theme() -> None:
    """Set the look of all figures drawn after this call."""
    import matplotlib as mpl
    import seaborn as sns

    sns.set_theme(
        context="notebook",
        style="ticks",
        palette="colorblind",
        rc={
            "figure.dpi": 150,
            "figure.constrained_layout.use": True,
            "figure.constrained_layout.w_pad": 0.13,  # inches: a digit more in a label, after the layout, is not cut
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": INK,
            "font.size": 10,
            "axes.titlesize": 10,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.labelsize": 10,
            "xtick.labelsize": 10,
            "ytick.labelsize": 10,
            "legend.fontsize": 10,
            "legend.title_fontsize": 10,
            "legend.frameon": False,
        },
    )
    mpl.rcParams["svg.hashsalt"] = "robustshape"
    if form := os.environ.get(FORM):
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats(form)


def panel(width: float = PANEL, height: float = 3.4):
    """Return a matplotlib figure and its axis, as wide as a column of a page: its text is readable on a phone, too."""
    import matplotlib.pyplot as plt

    theme()
    return plt.subplots(figsize=(width, height))


def colours(families) -> dict[str, tuple]:
    """Return a colour for each family: known ones have a fixed one, others follow in alphabetical order."""
    import seaborn as sns

    others = sorted(set(families) - set(FAMILIES))
    place = {name: at for name, (_, at) in FAMILIES.items()} | {name: 6 + i for i, name in enumerate(others)}
    palette = sns.color_palette("colorblind", max(10, 6 + len(others)))
    return {family: palette[at] for family, at in place.items()}


def words(model: str, family: str = "", recipe: str = "") -> str:
    """Return how a model is called in a figure.

    >>> words("zoo:lenet-pgd", "lenet", "pgd"), words("timm:resnet50.a1_in1k")
    ('LeNet, adversarial (PGD)', 'resnet50.a1_in1k')
    """
    from robustshape.models import short_name
    from robustshape.models.zoo_names import parts_of

    if parts_of(model) and family in FAMILIES and recipe in RECIPES:
        return f"{FAMILIES[family][0]}, {RECIPES[recipe][0]}"
    return short_name(model)


def literal(name) -> str:
    """Return a name from outside as a figure shows it: nothing in it is read as mathematics, which may not even parse.

    >>> print(literal("a$b$"), literal(literal("$")))
    a\\$b\\$ \\$
    """
    return re.sub(r"(?<!\\)\$", r"\\$", str(name))


def by_recipe(trained) -> dict:
    """Return what seaborn needs to show how each network was trained by colour and marker.

    Parameters
    ----------
    trained : sequence of str
        Words for each network's recipe, see `trained`.

    Examples
    --------
    >>> by_recipe(["plain", "mixup", "plain"])["hue_order"]
    ['plain', 'mixup']

    Two recipes that are joined have the colour of the first and the marker of the second.

    >>> by_recipe(["noise + mixup"])["markers"]
    {'noise + mixup': '^'}
    """
    import seaborn as sns

    palette = sns.color_palette("colorblind") + sns.color_palette("dark")
    place = {"fast": 12, "provable": 13, "quantised": 15}  # the first ten go round
    known = {
        words: (palette[place.get(name, i % 10)], marker)
        for i, (name, (words, marker)) in enumerate(RECIPES.items())
    }
    order = [words for words in known if words in set(trained)]
    order += sorted(set(trained) - set(order))
    for words in order:
        parts = [known.get(part, (INK, "o")) for part in words.split(JOINED)]
        known[words] = parts[0][0], parts[-1][1]
    return {
        "hue": "trained", "style": "trained", "hue_order": order, "style_order": order,
        "palette": {words: known[words][0] for words in order},
        "markers": {words: known[words][1] for words in order},
    }  # fmt: skip


def trained(recipes) -> list[str]:
    """Return words for recipes of training: the zoo's own ones, "elsewhere" where a network names none.

    >>> trained(["plain", "fast+noise", "alpha=-0.4", ""])
    ['plain', 'adversarial (fast) + noise', 'selectivity alpha -0.4', 'elsewhere']
    """
    return [
        JOINED.join(
            RECIPES.get(part, (part.replace("alpha=", "selectivity alpha ") or "elsewhere",))[0]
            for part in str(recipe).split("+")
        )
        for recipe in recipes
    ]


def legend_below(axis, columns: int = 2) -> None:
    """Move an axis' legend below it, where a narrow panel has room; of many joined recipes it says how they are shown."""
    from matplotlib.lines import Line2D

    handles, labels = axis.get_legend_handles_labels()
    if len(labels) > MOST_IN_LEGEND and any(JOINED in label for label in labels):
        alone = [i for i, label in enumerate(labels) if JOINED not in label]
        handles = [*(handles[i] for i in alone), Line2D([], [], ls="")]
        labels = [*(labels[i] for i in alone), "two: colour, then marker"]
    if axis.get_legend():
        axis.get_legend().remove()
    if len(labels) > 1:
        axis.figure.legend(
            handles,
            [literal(label) for label in labels],
            loc="outside lower left",
            ncols=columns,
            handletextpad=0.3,
        )


def forest(axis, labels, values, low, high, colour, name: str = "", offset: float = 0.0) -> None:
    """Draw a number with its interval for each label, the first on top, and the line of zero.

    Parameters
    ----------
    values, low, high : (label,) float
    name : str
        For the legend.
    offset : float
        By how much of a line these lie lower, where several stand at one label.
    """
    at = np.arange(len(labels)) + offset
    axis.hlines(at, low, high, color=colour, lw=1.6, alpha=0.8)
    axis.plot(values, at, "o", color=colour, ms=5, label=name or None)
    axis.set_yticks(range(len(labels)), [literal(label) for label in labels])
    if not axis.yaxis_inverted():
        axis.invert_yaxis()
        axis.axvline(0, color=INK, lw=0.8)


def names(axis, x, y, labels, *, most: int = 8, size: float = 9.5) -> None:
    """Write the names of the points farthest from the middle beside them, where no other name or point stands."""
    x, y, labels = np.asarray(x, float), np.asarray(y, float), [literal(label) for label in labels]
    there = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if not len(there):
        return
    axis.margins(0.12)
    axis.figure.canvas.draw()  # or the text has no extent yet
    away = [np.abs(v[there] - np.median(v[there])) / (np.ptp(v[there]) or 1.0) for v in (x, y)]
    points = axis.transData.transform(np.column_stack([x[there], y[there]]))
    taken, written = [], 0
    for i in there[np.argsort(-np.hypot(*away))]:
        if written == most:
            break
        for dx, dy in ((6, 3), (-6, 3), (6, -10), (-6, -10)):
            text = axis.annotate(
                labels[i], (x[i], y[i]), xytext=(dx, dy), textcoords="offset points", fontsize=size,
                ha="left" if dx > 0 else "right", color="#444444",
            )  # fmt: skip
            box = text.get_window_extent()
            inside = axis.bbox.x0 <= box.x0 and box.x1 <= axis.bbox.x1
            if (
                inside
                and not any(box.overlaps(o) for o in taken)
                and not any(box.contains(*p) for p in points)
            ):
                taken.append(box)
                written += 1
                break
            text.remove()
