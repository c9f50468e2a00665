"""The one visual language: names, colours, markers and the look of every figure.

Colour says the architecture's family, the marker says how it was trained; both stand in one legend.
"""

import os

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
INK = "#333333"
ACCENT = "#b5462f"


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
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": INK,
            "axes.titlesize": 11,
            "axes.titleweight": "bold",
            "axes.labelsize": 10,
            "xtick.labelsize": 9,
            "ytick.labelsize": 9,
            "legend.fontsize": 8.5,
            "legend.frameon": False,
        },
    )
    mpl.rcParams["svg.hashsalt"] = "robustshape"
    if form := os.environ.get(FORM):
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats(form)


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


def scatter(axis, x, y, rows, *, errors=None) -> None:
    """Draw one point a model in its colour and marker; `errors` (2, model) are drawn along y."""
    palette = colours(rows["family"].values)
    for i, (family, recipe) in enumerate(zip(rows["family"].values, rows["recipe"].values)):
        marker = RECIPES.get(recipe, ("", "o"))[1]
        if errors is not None:
            axis.plot([x[i], x[i]], errors[:, i], color=palette[family], lw=1, alpha=0.5, zorder=2)
        axis.scatter(
            x[i], y[i], color=palette[family], marker=marker, s=46, edgecolor="white", lw=0.6, zorder=3
        )


def names(axis, x, y, labels, *, size: float = 6.5) -> None:
    """Write each point's name beside it where no other name stands; one that finds no place is left out."""
    axis.margins(0.08)
    figure = axis.figure
    figure.canvas.draw()  # or the text has no extent yet
    taken = []
    for i in np.argsort(-np.asarray(y)):
        for dx, dy in ((5, 3), (5, -8), (-5, 3), (-5, -8), (5, 10), (5, -15), (-5, 10), (-5, -15)):
            text = axis.annotate(
                labels[i], (x[i], y[i]), xytext=(dx, dy), textcoords="offset points", fontsize=size,
                ha="left" if dx > 0 else "right", color="#555555",
            )  # fmt: skip
            box = text.get_window_extent()
            inside = axis.bbox.x0 <= box.x0 and box.x1 <= axis.bbox.x1
            if inside and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            text.remove()


def legend(figure, rows, *, recipes: bool = True, **where) -> None:
    """Add one legend: families by colour and (if asked) recipes by marker, only those that occur."""
    from matplotlib.lines import Line2D

    palette = colours(rows["family"].values)
    families = [f for f in palette if f in set(rows["family"].values)]
    shown = [r for r in RECIPES if recipes and r in set(rows["recipe"].values)]
    handles = [
        Line2D([], [], color=palette[f], marker="o", ls="", label=FAMILIES.get(f, (f,))[0]) for f in families
    ] + [Line2D([], [], color=INK, marker=RECIPES[r][1], ls="", label=RECIPES[r][0]) for r in shown]
    figure.legend(handles=handles, **({"loc": "outside right upper"} | where))


def nothing(why: str):
    """Return a figure that says why there is nothing to draw."""
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(6, 1))
    axis.text(0.5, 0.5, why, ha="center", va="center", color=INK)
    axis.set_axis_off()
    return figure


def table(frame, digits: int = 3):
    """Return a pandas.DataFrame (or a dictionary, as two columns) as a Markdown table for a notebook.

    Numbers are rounded to `digits` decimals, NaN shows as a dash, and an empty table as a sentence.
    """
    import pandas as pd
    from IPython.display import Markdown

    if isinstance(frame, dict):
        frame = pd.DataFrame({"": list(frame), "value": list(frame.values())})
    if frame.empty:
        return Markdown("*Nothing to show.*")
    lines = [[str(name) for name in frame.columns], ["---"] * len(frame.columns)]
    lines += [[_cell(value, digits) for value in row] for row in frame.itertuples(index=False)]
    return Markdown("\n".join("| " + " | ".join(line) + " |" for line in lines))


def _cell(value, digits: int) -> str:
    if isinstance(value, float):
        return "–" if value != value else f"{value:.{digits}f}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).replace("|", "\\|")
