"""The images of a network with the lowest k*: where to look first for a wrong label or an image unlike its class."""

from robustshape.analysis import style

ABREAST = 4  # images in one panel


def gallery(rows, model: str, n: int = 12):
    """Draw the images of a network with the lowest k*, each over its nearest foreign neighbour, four to a panel.

    Images come from the reader's own copy of the data set; where there is none, their ids stand in their places.
    """
    import matplotlib.pyplot as plt

    style.theme()
    row, panels = rows.sel(model=model), []
    wanted = {str(sample) for kind in ("suspect", "suspect_neighbour") for sample in row[kind].values[:n]}
    pictures, names = _pictures(str(row["dataset"].values), str(row["reading"].values), wanted)
    for first in range(0, min(n, row.sizes["place"]), ABREAST):
        figure, axes = plt.subplots(2, ABREAST, figsize=(style.PANEL, 2.9))
        for column, place in zip(axes.T, range(first, min(n, row.sizes["place"]))):
            for axis, kind in zip(column, ("suspect", "suspect_neighbour")):
                sample, label = str(row[kind].values[place]), int(row[f"{kind}_label"].values[place])
                if sample in pictures:
                    image = pictures[sample]
                    axis.imshow(image[..., 0] if image.shape[2] == 1 else image, cmap="gray_r")
                else:
                    axis.text(0.5, 0.5, _short(sample.rpartition("/")[2]), ha="center", va="center")
                axis.set_box_aspect(1)
                axis.set_title(_short(names.get(label, str(label))), fontweight="normal", loc="center", pad=3)
            column[0].set_xlabel(f"k* {int(row['suspect_rank'].values[place])}", labelpad=1)
        for axis in axes.flat:
            axis.set(xticks=[], yticks=[])
            axis.set_visible(bool(axis.get_title(loc="center")))
        panels.append(figure)
    return panels


def _short(words: str, most: int = 11) -> str:
    """Return the first name of a class or the end of an id, as long as there is room for."""
    first = words.partition(",")[0]
    return style.literal(first if len(first) <= most else f"{first[: most - 1]}…")


def _pictures(dataset: str, reading: str, wanted: set[str]):
    """Return the wanted images of a data set by id, and the names of its classes; empty where it is not here."""
    import warnings

    from robustshape import datasets
    from robustshape.errors import RobustshapeError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that a copy is another is said where it is measured
        try:
            pictures = datasets.pictures_of(dataset, sorted(wanted), reading=reading)
            names = datasets.load(dataset, reading="native").attrs["class_names"]
        except RobustshapeError:
            return {}, {}
    return pictures, dict(enumerate(names))
