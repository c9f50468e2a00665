"""What every study's row has: accuracies of the network, and what it is."""

from robustshape.datasets.selection import FIRST_VERSION
from robustshape.measurements import attacked, corrupted, features
from robustshape.measurements.population import Population
from robustshape.models.network import Network

N_LOOKED_AT = 200  # images that tell whether another normalisation does better
SHARE = "1"  # the unit of a share
VARIABLES = {  # of a row: what it is, and its unit where it has one
    "accuracy": ("clean accuracy on the robustness images", SHARE),
    "indicator_accuracy": ("clean accuracy on the indicator's images", SHARE),
    "corrupted_accuracy": ("accuracy under each corruption at each severity", SHARE),
    "attacked_clean_accuracy": ("clean accuracy on the images that an attack tries", SHARE),
    "robust_accuracy": ("accuracy under each attack and those before it on the ladder", SHARE),
    "n_attacked": ("images that an attack tries", "images"),
    "robust": ("whether an image is still classified rightly under an attack; -1: not tried", ""),
    "family": ("architecture's family", ""),
    "recipe": ("how the network was trained", ""),
    "trains_on": ("corruptions seen in training, comma-separated", ""),
    "training_seed": ("seed of the training; -1: not trained here", ""),
    "layer": ("classifying layer, whose input is the penultimate features", ""),
    "preprocessing": ("what happens to an image before the network sees it, as JSON", ""),
    "warnings": (
        "what is odd about the network on the robustness images, a sentence a line; empty: nothing",
        "",
    ),
    "at_chance": ("whether it classifies no better than chance, so that R says nothing", ""),
    "dataset": ("data set of the indicator's images", ""),
    "reading": ("how the images are read", ""),
    "checksum": ("checksum of the data set", ""),
    "n_samples": ("images of the indicator", "images"),
    "n_robustness": ("images of the robustness", "images"),
    "robustness_dataset": ("data set of the robustness images", ""),
    "robustness_reading": ("how the robustness images are read", ""),
    "corrupted": ("where corrupted images come from", ""),
    "seed": ("seed of the choice of images, the corruptions and the attacks", ""),
    "provenance": ("code, versions, device and seconds, as JSON", ""),
    "diverged": ("whether the network's training diverged, so that there are no numbers", ""),
    "key": ("hash of what defines the row", ""),
    "origin": ("measured here, or published", ""),
    "preset": ("name of the set of parameters", ""),
    "study": ("name of the study", ""),
}

COORDINATES = {
    "model": ("row: the network's name, and in what it differs from other rows of that network", ""),
    "corruption": ("kind of corruption", ""),
    "severity": ("severity of the corruption, from 1", ""),
    "attack": ("attack: name, norm and radius", ""),
    "attacked_sample": ("image that is attacked", ""),
}

NUMBERS = tuple(
    name for name in VARIABLES if "accuracy" in name
)  # the rest says how and on what was measured


def about(population: Population, network: Network):
    """Return what is known of a network without its numbers, and of the images: the part that even a diverged one has."""
    import xarray

    clean, held_out = population.clean.load(), population.held_out.load()
    return xarray.Dataset().assign(
        dataset=population.dataset,
        reading=str(clean.attrs["reading"]),
        checksum=clean.attrs["checksum"],
        n_samples=population.n_samples or population.clean.n,
        n_robustness=population.n_robustness,
        robustness_dataset=population.held_out.dataset,
        robustness_reading=str(held_out.attrs["reading"]),
        corrupted=population.corrupted,
        seed=population.seed,
        diverged=False,
    )


def of_network(population: Population, network: Network):
    """Return the part of a network's row that every study has, and the seconds that its pieces took.

    Returns
    -------
    xarray.Dataset
        Those of `VARIABLES` that were measured: ``corrupted_accuracy (corruption, severity)``; with a ladder of
        attacks ``robust_accuracy``, ``attacked_clean_accuracy`` and ``n_attacked (attack)`` and
        ``robust (attack, attacked_sample)``, see `robustshape.measurements.attacked`.
    dict
        Seconds by what was computed, for the provenance.
    """
    import xarray

    clean = [features.open_features(network, part) for part in population.selections]
    classifier, row = network.load(population.clean.load()), xarray.Dataset()
    seconds = {"features": sum(store.attrs["seconds"] for store in clean)}
    if population.corruptions:
        right = corrupted.correct(network, population.corrupted_images)
        row["corrupted_accuracy"] = right.mean("sample", keep_attrs=False)
        seconds["corruptions"] = right.attrs["seconds"]
    if population.attacks:
        found, seconds["attacks"] = _under_attack(population, network)
        row = row.merge(found, combine_attrs="drop")
    known = classifier.about
    row = row.merge(about(population, network)).assign(
        indicator_accuracy=features.accuracy(clean[0]),
        accuracy=features.accuracy(clean[-1]),
        family=known.get("family", network.name),
        recipe=known.get("recipe", ""),
        trains_on=",".join(known.get("trains_on", ())),
        training_seed=classifier.identity.get("seed", -1),
        layer=classifier.head,
        preprocessing=classifier.preprocessing(),
        **odd(population, network, clean[-1]),
    )
    return row, seconds


def unequal_classes(rows) -> str:
    """Return a line about published rows whose attacked images are not of every class alike, "" for others."""
    if int(rows.attrs.get("first_images", 1)) >= FIRST_VERSION or "n_attacked" not in rows:
        return ""
    if not (rows["n_attacked"] < rows["n_robustness"]).any():
        return ""
    return (
        "accuracy under attack is that of the first images here, not as many of each class; source=measure takes as many of "
        "each\n"
    )


def odd(population: Population, network: Network, store) -> dict:
    """Return the ``warnings`` about a network in words, one a line, and whether it is ``at_chance``, so that R says nothing."""
    from robustshape import datasets
    from robustshape.measurements.classes import class_columns
    from robustshape.models.oddities import at_chance, better_normalised, differing, oddities

    logits, labels = store["logits"].values, store["label"].values
    found = oddities(logits, labels)
    if not network.trained_here:
        looked_at = population.held_out.places(N_LOOKED_AT)
        data = population.held_out.first(N_LOOKED_AT)
        classifier = network.load(data)
        images, columns = datasets.pixels(data), class_columns(classifier, data)
        again = differing(logits[looked_at], classifier.logits(images)[:, columns])
        better = "" if again else better_normalised(classifier, images, labels[looked_at], columns)
        found += filter(None, [again, better])
    for sentence in found:
        print(f"{network.name}: {sentence}")
    return {"warnings": "\n".join(found), "at_chance": bool(at_chance(logits.argmax(1), labels))}


def _under_attack(population: Population, network: Network):
    """Return the accuracy under each attack of the ladder, what became of each image (-1: not tried), and the seconds."""
    import numpy as np
    import xarray

    found = attacked.correct(network, population.held_out, population.attacks, population.seed)
    found = found.rename(sample="attacked_sample").reset_coords(["name", "norm", "eps"], drop=True)
    places = population.held_out.places(int(found["n"].max()))
    tried = found["robust"].isel(attacked_sample=places)
    clean = features.open_features(network, population.held_out)
    right = (clean["logits"].argmax("class") == clean["label"]).values
    row = xarray.Dataset(
        {
            "attacked_clean_accuracy": (
                "attack",
                [right[places[: int(n)]].mean() for n in found["n"].values],
            ),
            "robust_accuracy": tried.astype(float).mean("attacked_sample"),
            "n_attacked": found["n"],
            "robust": tried.fillna(-1).astype(np.int8),
        }
    )
    return row, float(found["seconds"].sum())
