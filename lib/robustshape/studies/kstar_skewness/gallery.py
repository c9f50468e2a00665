"""The images of a network with the lowest k*: where to look first for a wrong label or an image unlike its class."""

from robustshape.analysis import style


def gallery(rows, model: str, n: int = 12):
    """Draw the images of a network with the lowest k*, each over its nearest foreign neighbour.

    Images come from the reader's own copy of the data set; where there is none, their ids stand in their places.
    """
    import matplotlib.pyplot as plt

    style.theme()
    row = rows.sel(model=model)
    wanted = {str(sample) for kind in ("suspect", "suspect_neighbour") for sample in row[kind].values[:n]}
    pictures, names = _pictures(str(row["dataset"].values), str(row["reading"].values), wanted)
    figure, axes = plt.subplots(2, n, figsize=(0.95 * n, 2.9))
    for column, place in zip(axes.T, range(n)):
        for axis, kind in zip(column, ("suspect", "suspect_neighbour")):
            sample = str(row[kind].values[place])
            label = int(row[f"{kind}_label"].values[place])
            if sample in pictures:
                image = pictures[sample]
                axis.imshow(image[..., 0] if image.shape[2] == 1 else image, cmap="gray_r")
            else:
                axis.text(0.5, 0.5, sample.replace("/", "/\n"), ha="center", va="center", fontsize=6)
            axis.set(xticks=[], yticks=[])
            axis.set_title(names.get(label, str(label)), fontsize=8, fontweight="normal", pad=3)
        column[0].set_xlabel(f"k* {int(row['suspect_rank'].values[place])}", fontsize=8, labelpad=1)
    axes[0, 0].set_ylabel("lowest k*", fontsize=8)
    axes[1, 0].set_ylabel("nearest\nforeign", fontsize=8)
    return figure


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
