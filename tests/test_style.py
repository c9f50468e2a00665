import io

import numpy as np
import pandas as pd
import seaborn

from robustshape.analysis import style
from robustshape.models.recipes import CHANGES, PLAIN


def test_every_family_and_recipe_of_the_zoo_has_a_name_a_colour_and_a_marker_of_its_own():
    families = {name.rstrip("0123456789") for name in PLAIN}
    assert families <= set(style.FAMILIES) and set(CHANGES) <= set(style.RECIPES)
    assert len({marker for _, marker in style.RECIPES.values()}) == len(style.RECIPES)
    palette = style.colours(families)
    for together in (("mlp", "lenet", "resnet", "convnext", "vit"), ("cnn_a", "cifar_resnet")):
        assert len({tuple(palette[family]) for family in together}) == len(together)


def test_a_family_keeps_its_colour_whoever_is_beside_it():
    assert style.colours(["vit"])["vit"] == style.colours(["aaa", "mlp", "vit"])["vit"]


def test_names_do_not_overlap_and_one_without_a_place_is_left_out():
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(4, 4))
    x, y = np.array([0.0, 1.0, *[0.5] * 12]), np.array([0.0, 1.0, *[0.5] * 12])
    axis.scatter(x, y)
    style.names(axis, x, y, [f"network {i}" for i in range(14)])
    boxes = [text.get_window_extent() for text in axis.texts]
    assert {"network 0", "network 1"} <= {text.get_text() for text in axis.texts} and len(boxes) < 14
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    plt.close(figure)


def test_no_two_recipes_share_a_colour():
    words = style.trained(style.RECIPES)
    palette = style.by_recipe(words)["palette"]
    assert len({tuple(colour) for colour in palette.values()}) == len(style.RECIPES)


def test_the_label_of_an_axis_is_not_cut_where_a_tall_legend_changes_its_ticks():
    recipes = ["plain", "noise", "augmix", "mixup", "smooth", "decay", "pgd", "fast"]
    words = style.trained([*recipes, *(f"{name}+decay" for name in recipes[1:6])])
    points = pd.DataFrame(
        {"x": np.linspace(0.4, 0.9, 13), "R": np.linspace(0.685, 0.925, 13), "trained": words}
    )
    figure, axis = style.panel()
    seaborn.scatterplot(points, x="x", y="R", **style.by_recipe(points["trained"]), ax=axis)
    style.legend_below(axis)
    style.names(axis, points["x"], points["R"], words, most=5)
    drawn, places = axis.yaxis.label.draw, []

    def draw(renderer):
        places.append(axis.yaxis.label.get_window_extent(renderer).x0)
        drawn(renderer)

    axis.yaxis.label.draw = draw
    figure.savefig(io.BytesIO(), format="svg")
    assert places[-1] >= 0
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert len(legend) == 9 and legend[-1] == "two: colour, then marker"  # not thirteen lines
