"""Figures of the study of failures: digits on their way to failure, curves, maps, and what repairs."""

import numpy as np

from robustshape.analysis import style
from robustshape.generators.quality import sheet
from robustshape.models import short_name
from robustshape.models.zoo_names import without_seed
from robustshape.studies.failure_discovery import analyse, pictures
from robustshape.studies.failure_discovery.repair import MEASURES, STATES

NO_PICTURES = "the generator of these rows is not here, so its digits cannot be drawn"
LINES = {"plain": "-", "sgd": "-", "corrupted": "--", "noise": ":"}


def _show(axis, image, **options) -> None:
    axis.imshow(
        image[..., 0] if image.shape[2] == 1 else image, cmap="gray", **({"vmin": 0, "vmax": 255} | options)
    )
    axis.set(xticks=[], yticks=[])
    for spine in axis.spines.values():
        spine.set_visible(False)


def samples(rows, generator: str = "", n: int = 14):
    """Draw samples of the generator, a row of digits for each class, not truncated and not selected."""
    import matplotlib.pyplot as plt

    if pictures.of_rows(rows, generator) is None:
        return style.nothing(NO_PICTURES)
    style.theme()
    path = str(pictures.generator_path(generator))
    made = pictures.generator_samples(path, rows.sizes["class"], n, seed=11)
    figure, axis = plt.subplots(figsize=(0.55 * n, 0.55 * rows.sizes["class"]))
    _show(axis, sheet(made, n))
    return figure


def strips(rows, model: str, generator: str = ""):
    """Draw, for each class, a sample on its way along the dimension that the gradient chose first, with p(class) beneath."""
    import matplotlib.pyplot as plt

    drawn = pictures.of_rows(rows, generator)
    if drawn is None:
        return style.nothing(NO_PICTURES)
    style.theme()
    row = rows.sel(model=model).isel(strip=0)
    shifts = row["shift"].values
    step = max(1, (len(shifts) - 1) // 6)
    shown = np.arange(0, len(shifts), step)
    classes = row["class"].values
    figure, axes = plt.subplots(
        len(classes), len(shown), figsize=(0.95 * len(shown) + 2.2, 1.02 * len(classes))
    )
    for c, k in enumerate(classes):
        dimension, sign = int(row["chosen"].values[c, 0]), int(row["strip_sign"].values[c])
        images = drawn.moved(
            int(row["strip_sample"].values[c]), [{dimension: sign * shifts[i]} for i in shown]
        )
        for axis, i, image in zip(axes[c], shown, images):
            _show(axis, image)
            read = int(row["strip_predicted"].values[c, i])
            wrong = read != int(k)
            words = f"{row['strip_probability'].values[c, i]:.2f}" + (f" read as {read}" if wrong else "")
            axis.set_xlabel(words, fontsize=7, labelpad=2, color=style.ACCENT if wrong else style.INK)
            if c == 0:
                axis.set_title(f"{shifts[i]:g}{analyse.shift_unit(row)[1]}", fontsize=8, fontweight="normal")
        named = str(analyse.names(row)[dimension]).replace("_", " ") or "no name"
        where = f"{row['style_layer'].values[dimension]} {int(row['style_channel'].values[dimension])}"
        axes[c, 0].set_ylabel(
            f"{k}: {named}\n{where}", fontsize=7, rotation=0, ha="right", va="center", labelpad=6
        )
    return figure


def attributes(rows):
    """Draw the decrease of each class along each attribute, classifiers of clean and of corrupted digits apart."""
    import matplotlib.pyplot as plt
    import seaborn as sns

    style.theme()
    clean = [str(m) for m in analyse.clean_trained(rows).model.values]
    others = [str(m) for m in rows.model.values if str(m) not in clean]
    panels = [(w, n) for w, n in (("trained on clean digits", clean), ("trained otherwise", others)) if n]
    shown = [analyse.hurt(rows, names) for _, names in panels]
    most = max(0.1, *(float(table.abs().max().max()) for table in shown))
    figure, axes = plt.subplots(
        1, len(panels), figsize=(4.6 * len(panels) + 0.8, 4.2), sharey=True, squeeze=False
    )
    for axis, (words, names), table in zip(axes[0], panels, shown):
        sns.heatmap(
            table, ax=axis, cmap="vlag", vmin=-most, vmax=most, annot=True, fmt=".2f", annot_kws={"size": 6.5},
            cbar=axis is axes[0, -1], cbar_kws={"label": "decrease of p(class)"},
        )  # fmt: skip
        axis.set_title(f"{words} ({len(names)})", loc="left")
        axis.set(xlabel="class", ylabel="")
        axis.tick_params(axis="y", rotation=0)
    return figure


def curves(rows, quantity: str = "accuracy"):
    """Draw accuracy or probability along each attribute's direction: a line for each kind of classifier, bands over runs."""
    import matplotlib.pyplot as plt
    from scipy.stats import t

    style.theme()
    names = [str(a) for a in rows.attribute.values]
    palette = style.colours(rows["family"].values)
    lines = -(-len(names) // 3)
    figure, axes = plt.subplots(
        lines, 3, figsize=(9.6, 0.4 + 2.6 * lines), sharex=True, sharey=True, squeeze=False
    )
    for axis, attribute in zip(axes.flat, names):
        for kind, models in analyse.kinds(rows).items():
            runs = rows[f"walk_{quantity}"].sel(model=models, attribute=attribute).mean("class")
            first = rows.sel(model=models[0])
            mean, n = runs.mean("model").values, len(models)
            look = {
                "color": palette[str(first["family"].values)],
                "ls": LINES.get(str(first["recipe"].values), "-."),
            }
            axis.plot(rows.place, mean, label=short_name(kind), **look)
            if n > 1:
                half = t.ppf(0.975, n - 1) * runs.std("model", ddof=1).values / np.sqrt(n)
                band = (mean - half).clip(0, 1), (mean + half).clip(0, 1)
                axis.fill_between(rows.place, *band, color=look["color"], alpha=0.15, lw=0)
        if quantity == "accuracy":
            judged = rows["judge_accuracy"].isel(model=0).sel(attribute=attribute).mean("class")
            axis.plot(rows.place, judged, color="#999999", lw=1, label="the judge")
        axis.set_title(attribute.replace("_", " "), loc="left")
        axis.set(ylim=(0, 1.02))
    for axis in list(axes.flat)[len(names) :]:
        axis.axis("off")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=5)
    figure.supxlabel(
        f"shift in {analyse.shift_unit(rows)[0]}: less of it to the left, more to the right", fontsize=10
    )
    figure.supylabel({"accuracy": "accuracy", "probability": "p(class)"}[quantity], fontsize=10)
    return figure


def choices(rows):
    """Draw which share of samples fails under one of the first dimensions: by gradient, at random, greedily chosen."""
    import matplotlib.pyplot as plt

    style.theme()
    found = list(analyse.kinds(rows).items())
    figure, axes = plt.subplots(
        1, len(found), figsize=(2.5 * len(found) + 0.6, 2.9), sharey=True, squeeze=False
    )
    looks = {"gradient": (style.ACCENT, "-"), "greedy": (style.INK, "--"), "random": ("#999999", ":")}
    for axis, (kind, models) in zip(axes[0], found):
        covered = rows["covered"].sel(model=models).mean(("model", "class"))
        for choice, (color, line) in looks.items():
            axis.plot(rows["rank"], covered.sel(choice=choice), color=color, ls=line, label=choice)
        axis.set_title(short_name(kind), loc="left")
        axis.set(xlabel="dimensions tried", ylim=(0, 1.02))
    axes[0, 0].set_ylabel("share of samples that fail")
    axes[0, -1].legend(loc="upper left")
    return figure


def flip_maps(rows, n: int = 4):
    """Draw accuracy over two directions at once: a row of maps for the first of each kind, columns the weakest classes."""
    import matplotlib.pyplot as plt

    style.theme()
    found = [models[0] for models in analyse.kinds(rows).values()][:3]
    weakest = rows["map_accuracy"].sel(model=found[0]).mean(("first", "second")).argsort().values[:n]
    figure, axes = plt.subplots(
        len(found),
        n,
        figsize=(2.05 * n + 1.3, 1.95 * len(found) + 0.5),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    first, second = str(rows["map_attributes"].values[0]).replace("_", " ").split(" x ")
    ends = rows["first"].values[0], rows["first"].values[-1]
    step = (ends[1] - ends[0]) / (len(rows["first"]) - 1) / 2
    box = (ends[0] - step, ends[1] + step) * 2
    for line, model in zip(axes, found):
        for axis, c in zip(line, weakest):
            accuracies = rows["map_accuracy"].sel(model=model).isel({"class": c}).transpose("second", "first")
            image = axis.imshow(
                accuracies, origin="lower", extent=box, cmap="cividis", vmin=0, vmax=1, aspect="equal"
            )
            corner = rows["corner"].sel(model=model).isel({"class": c})
            axis.plot(corner.sel(part="first"), corner.sel(part="second"), "x", color="white", ms=6)
            axis.set_title(f"{rows['class'].values[c]}", loc="left", fontsize=9)
        line[0].set_ylabel(f"{short_name(without_seed(model))}\n{second}", fontsize=9)
    for axis in axes[-1]:
        axis.set_xlabel(first, fontsize=9)
    figure.colorbar(image, ax=axes, label="accuracy", shrink=0.8)
    return figure


def corner_cases(rows, generator: str = ""):
    """Draw the corner case of each class: the sample, with either movement alone, and with both, which fails."""
    import matplotlib.pyplot as plt

    drawn = pictures.of_rows(rows, generator)
    if drawn is None:
        return style.nothing(NO_PICTURES)
    row = next(
        (rows.sel(model=m) for m in rows.model.values if np.isfinite(rows["corner"].sel(model=m)).any()), None
    )
    if row is None:
        return style.nothing("no sample fails under two movements together that neither makes fail alone")
    style.theme()
    attributes = str(row["map_attributes"].values).split(" x ")
    along = []
    for name in attributes:
        at = list(map(str, row.attribute.values)).index(name)
        along.append((int(row["direction"].values[at]), int(row["direction_sign"].values[at])))
    having = [c for c in range(row.sizes["class"]) if np.isfinite(row["corner"].values[c]).all()]
    figure, axes = plt.subplots(
        4, len(having), figsize=(0.95 * len(having) + 1.4, 4.3), squeeze=False, gridspec_kw={"hspace": 0.25}
    )
    (d1, s1), (d2, s2) = along
    unit = analyse.shift_unit(row)[1]
    words = ["as it is", attributes[0], attributes[1], "both"]
    for column, c in zip(axes.T, having):
        sample, a, b, read = row["corner"].values[c]
        moves = [
            {},
            {d1: s1 * a},
            {d2: s2 * b},
            {d1: s1 * a, d2: s2 * b} if d1 != d2 else {d1: s1 * a + s2 * b},
        ]
        for axis, image in zip(column, drawn.moved(int(sample), moves)):
            _show(axis, image)
        column[0].set_title(str(row["class"].values[c]), fontsize=9)
        column[1].set_xlabel(f"{a:+g}{unit}", fontsize=7, labelpad=2)
        column[2].set_xlabel(f"{b:+g}{unit}", fontsize=7, labelpad=2)
        column[3].set_xlabel(f"read as {int(read)}", fontsize=7, labelpad=2, color=style.ACCENT)
    for axis, word in zip(axes[:, 0], words):
        axis.set_ylabel(word.replace("_", " "), fontsize=8, rotation=0, ha="right", va="center", labelpad=4)
    return figure


def repair(rows):
    """Draw accuracies before and after training on a classifier's own failures, and on any moved images."""
    import matplotlib.pyplot as plt

    if "repair" not in rows or not np.isfinite(rows["repair"].values.astype(float)).any():
        return style.nothing("no classifier had failures to be trained on")
    style.theme()
    found = [
        (k, rows["repair"].sel(model=m).dropna("model", how="all")) for k, m in analyse.kinds(rows).items()
    ]
    found = [(k, table) for k, table in found if table.sizes["model"]]
    figure, axes = plt.subplots(
        1, len(MEASURES), figsize=(2.4 * len(MEASURES) + 0.8, 3.0), sharey=True, squeeze=False
    )
    words = ("held-out failures", "held-out moved images", "real, clean", "real, corrupted")
    for axis, measure, title in zip(axes[0], MEASURES, words):
        for k, (state, color) in enumerate(zip(STATES, ("#bbbbbb", style.ACCENT, "#3b6ea8"))):
            for i, (_, table) in enumerate(found):
                values = table.sel(measure=measure, state=state).values.astype(float)
                axis.bar(
                    i + 0.27 * (k - 1), values.mean(), 0.25, color=color, label=state if i == 0 else None
                )
                axis.plot([i + 0.27 * (k - 1)] * len(values), values, ".", color=style.INK, ms=3)
        axis.set_title(title, loc="left", fontsize=9)
        axis.set_xticks(
            range(len(found)), [short_name(k) for k, _ in found], rotation=30, ha="right", fontsize=8
        )
        axis.set(ylim=(0, 1.02))
    axes[0, 0].set_ylabel("accuracy")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure
