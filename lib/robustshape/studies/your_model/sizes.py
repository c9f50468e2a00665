"""How many images of a reader's data go into what, where the parameters leave it open: 0, or the attack ``auto``."""

import numpy as np

from robustshape.datasets.readings import crop_for
from robustshape.errors import InputError

MOST_SAMPLES, MOST_ROBUSTNESS = 5_000, 1_000
MOST_IN_DRAW = 1_000  # images: the time of a multicut grows with their cube
MOST_PER_CLASS, MOST_CLASSES = 100, 10
MOST_ATTACKED = 200
LADDERS = {  # L-infinity budgets by the channels of the images: what is hardly seen on digits is seen on photographs
    1: "pgd linf 0.02 0.05 0.1 0.2",
    3: "pgd linf 1/510 1/255 2/255 4/255 8/255",
}


def completed(given: dict) -> dict:
    """Return the parameters of the study with what they leave open, from the test images of the data set.

    Half of the images show the shape of the feature space and the other half how the network fails, so that no image does
    both; up to two thirds show the shape where that makes 100 of each class, as published networks have. Where nothing is
    corrupted or attacked (``predict_only``), all show the shape.
    """
    from robustshape import datasets

    given = dict(given)
    if given["predict_only"]:
        given |= {"corruptions": [], "attacks": [], "n_robustness": 0}
    whole = datasets.load(given["dataset"], reading="native")
    n, counts = whole.sizes["sample"], _counts(whole, 2 if given["predict_only"] else 4)
    if not given.get("reading") and "path" in whole:  # files of various sizes
        given["reading"] = crop_for(_side(given))
    if not given.get("n_samples"):
        shared = given["predict_only"] or given.get("robustness_dataset")
        given["n_samples"] = min(MOST_SAMPLES, n if shared else _shape_share(n, len(counts)))
    if given["n_samples"] > n - (not given["predict_only"] and not given.get("robustness_dataset")):
        raise InputError(
            f"n_samples is {given['n_samples']:,}, but {given['dataset']} has {n:,} test images, of which some must be left to "
            "show how the network fails; lower it, or leave it at 0"
        )
    if not given.get("n_robustness") and not given["predict_only"]:
        left = (
            len(datasets.load(given["robustness_dataset"]).sample)
            if given.get("robustness_dataset")
            else None
        )
        given["n_robustness"] = min(MOST_ROBUSTNESS, n - given["n_samples"] if left is None else left)
    given["n_classes"], given["per_class"] = drawn(
        counts, given["n_samples"], given["n_classes"], given["per_class"]
    )
    if list(given.get("attacks") or []) == ["auto"]:
        channels = whole.attrs.get("channels") or whole.sizes["channel"]
        given["attacks"] = [f"{LADDERS[channels]} on {min(MOST_ATTACKED, given['n_robustness'])}"]
    return given


def _side(given: dict) -> int | None:
    """Return the longer side that the first network takes, None where it says none."""
    from robustshape.models.network import Network
    from robustshape.values import as_list

    name = as_list(given["models"], "models")[0]
    network = Network.of(name, dataset=given["dataset"], epochs=given.get("epochs", 0))
    size = None if network.trained_here else getattr(network.load().preprocess, "size", None)
    return max(size) if size else None


def _counts(data, fewest: int) -> np.ndarray:
    """Return how many images each class that has any has; raise InputError where that is too few for anything."""
    classes, counts = np.unique(data["label"].values, return_counts=True)
    names = data.attrs["class_names"]
    if len(classes) < 2:
        raise InputError(
            f"{data.attrs['dataset']} has images of one class ({names[classes[0]]}), but at least 2 are needed"
        )
    if counts.min() < fewest:
        few = [str(names[c]) for c in classes[counts < fewest]]
        shown = ", ".join(few[:3]) + (f" and {len(few) - 3} more" if len(few) > 3 else "")
        raise InputError(
            f"{data.attrs['dataset']} has fewer than {fewest} test images of {shown}, the fewest that say something of a class; add "
            "images, or leave these classes out"
        )
    return counts


def drawn(counts, n_samples: int, n_classes: int, per_class: int) -> tuple[int, int]:
    """Return how many classes a draw has, and how many images of each, where 0 leaves it open.

    Half of the classes, so that the others calibrate the multicut, but at most ten; all where there are fewer than four.

    >>> drawn([100] * 10, 500, 0, 0), drawn([1000] * 10, 5000, 0, 0), drawn([60] * 3, 90, 0, 0), drawn([40] * 100, 2000, 0, 0)
    ((5, 50), (5, 100), (3, 30), (10, 20))
    """
    counts = np.sort(np.asarray(counts))
    n_classes = n_classes or (len(counts) if len(counts) < 4 else min(len(counts) // 2, MOST_CLASSES))
    smallest = _smallest_share(counts, n_samples)
    return n_classes, per_class or max(2, min(smallest, MOST_PER_CLASS, MOST_IN_DRAW // n_classes))


def _shape_share(n: int, n_classes: int) -> int:
    """Return how many of n images show the shape of the feature space.

    >>> _shape_share(1000, 10), _shape_share(1500, 10), _shape_share(10_000, 10)
    (500, 1000, 5000)
    """
    half, wanted = (n + 1) // 2, MOST_PER_CLASS * n_classes
    return wanted if half < wanted <= 2 * n // 3 else half


def _smallest_share(counts, n: int) -> int:
    """Return how many of n images the smallest class gets if all get as many as the ascending counts allow."""
    fair = n // len(counts)
    return int(min(counts[0], fair))
