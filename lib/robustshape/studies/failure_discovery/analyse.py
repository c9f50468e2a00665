"""What the rows say of single classifiers, of pairs of them, and of attributes and classes."""

import numpy as np

from robustshape import statistics
from robustshape.generators.attributes import of_quality
from robustshape.models.zoo_names import parts_of, without_seed
from robustshape.studies.failure_discovery import movements

LOST = 0.05  # a class is hit if the probability decreases by as much
SHIFTS = {  # what 1 is of a shift, in words and beside a number
    "std": ("standard deviations", " sd"),
    "range": ("shares of the range", " of the range"),
    "raw": ("units of the style", ""),
}
REPAIRED_ON = {  # what each measure of `repair.MEASURES` is the accuracy on
    "failures": "held-out failures",
    "moved": "held-out moved images",
    "clean": "real, clean",
    "corrupted": "real, corrupted",
}
MILD_NOISE, STEEP = ("gaussian_noise", "impulse_noise"), ("gaussian_blur", "contrast")


def kinds(rows) -> dict[str, list[str]]:
    """Return the classifiers of each kind, in order: the runs of one kind differ by the seed alone."""
    found = {}
    for model in map(str, rows.model.values):
        found.setdefault(without_seed(model), []).append(model)
    return found


def shift_unit(rows) -> tuple[str, str]:
    """Return the unit of the rows' shifts, in words and as it stands beside a number."""
    return SHIFTS[str(np.ravel(rows["shift_unit"].values)[0]) if "shift_unit" in rows else "std"]


def clean_trained(rows):
    """Return the rows of networks of ours that saw clean digits only."""
    ours = [parts_of(m) is not None for m in rows.model.values]
    plain = (rows["recipe"].values == "plain") | (rows["recipe"].values == "sgd")
    return rows.isel(model=np.flatnonzero(np.array(ours) & plain))


def by_training(rows) -> dict[str, list[str]]:
    """Return the classifiers that were trained on clean digits and the others, in words with their number."""
    clean = [str(m) for m in clean_trained(rows).model.values]
    others = [str(m) for m in rows.model.values if str(m) not in clean]
    found = {"trained on clean digits": clean, "trained otherwise": others}
    return {f"{words} ({len(models)})": models for words, models in found.items() if models}


def profile_contrast(row) -> float:
    """Return how much more blur and contrast take at severity 3 than noise, as fractions of clean accuracy (failure-1).

    The mean over Gaussian blur and contrast minus the larger of Gaussian and impulse noise; NaN where one is missing.
    """
    under, known = row["corrupted_accuracy"], set(map(str, row.corruption.values))
    if not known >= {*MILD_NOISE, *STEEP} or 3 not in row.severity.values:
        return float("nan")
    lost = 1 - under.sel(severity=3) / row["accuracy"]
    return float(lost.sel(corruption=list(STEEP)).mean() - lost.sel(corruption=list(MILD_NOISE)).max())


def chosen_over_random(row) -> float:
    """Return how much more the chosen dimensions take than random ones, mean over classes (failure-2)."""
    chosen, random = decreases_of_choices(row)
    return float(chosen.mean() - random.mean())


def decreases_of_choices(row):
    """Return the mean decrease under chosen and random dimensions in the worse direction, each (class,)."""
    worse = row["fall"].transpose("dimension", "way", "class").max("way").values
    at = np.arange(worse.shape[1])
    chosen = row["chosen"].transpose("class", "rank").values.astype(int)
    return worse[chosen, at[:, None]].mean(axis=1), worse[row["random"].values.astype(int)].mean(axis=0)


def names(row) -> np.ndarray:
    """Return what each dimension is called (dimension,): the attribute that it changes most; "" if none enough."""
    return movements.names(row["effect"].transpose("dimension", "way", "attribute")).astype(str)


def decreases_along(row) -> np.ndarray:
    """Return the decrease (attribute, class) of the probability at the scene's distance along each attribute's direction.

    In the way that is worse on average over classes; NaN for an attribute that styles do not change.
    """
    decreases = worse_way(either_way(row["walk_probability"], float(row["distance"])))[1]
    return np.where(np.isfinite(row["explained"].values)[:, None], decreases, np.nan)


def either_way(walks, distance: float) -> np.ndarray:
    """Return the decrease (way, attribute, class) of the probability at the place nearest to +-distance, upwards first."""
    walks = walks.transpose("attribute", "class", "place")
    there = np.stack([walks.sel(place=way * distance, method="nearest").values for way in (1, -1)])
    return walks.sel(place=0.0).values - there


def worse_way(either: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the way (attribute,) that decreases more on average over classes, and its decreases (attribute, class)."""
    way = either.mean(axis=2).argmax(axis=0)
    return way, either[way, np.arange(either.shape[1])]


def classes_hit(row) -> float:
    """Return the share of classes that the direction of noise, blur or contrast hits, mean over them (failure-3)."""
    decreases = decreases_along(row)[np.isin(row.attribute.values, of_quality())]
    known = np.isfinite(decreases).all() and len(decreases)
    return float((decreases >= LOST).mean()) if known else float("nan")


def unevenness(decreases) -> np.ndarray:
    """Return how unevenly decreases (k, class) spread over classes: 0 evenly, 1 in one class; NaN where there are none.

    (largest - mean of the others) / (largest + mean of the others), increases counted as 0.

    >>> unevenness(np.array([[0.5, 0.5], [0.4, -0.1], [0.0, 0.0]])).tolist()
    [0.0, 1.0, nan]
    """
    decreases = np.sort(np.asarray(decreases, dtype=float).clip(0), axis=1)
    largest, others = decreases[:, -1], decreases[:, :-1].mean(axis=1)
    both = largest + others
    return np.divide(largest - others, both, out=np.full(len(decreases), np.nan), where=both > 0)


def shape_over_quality(row) -> float:
    """Return how much more class-specific directions of shape are than those of image quality (failure-4)."""
    spread, quality = unevenness(decreases_along(row)), np.isin(row.attribute.values, of_quality())
    if not np.isfinite(spread[~quality]).any() or not np.isfinite(spread[quality]).any():
        return float("nan")
    return float(np.nanmean(spread[~quality]) - np.nanmean(spread[quality]))


def hurt(rows, names: list[str]):
    """Return the mean decrease of each class under the directions of each attribute, upwards and downwards.

    Parameters
    ----------
    names : list of str
        Classifiers over which the mean is taken.

    Returns
    -------
    pandas.DataFrame
        A line for each attribute and way ("noise +"), a column for each class.
    """
    import pandas as pd

    either = _of_classifiers(rows, names)
    lines = {
        f"{attribute} {sign}": either[way, i]
        for i, attribute in enumerate(_attributes(rows))
        for way, sign in enumerate("+-")
    }
    return pd.DataFrame(lines, index=rows["class"].values).T


def spread(rows, names: list[str]):
    """Return how each attribute's direction hits the classes, in the way that is worse on average; takes what `hurt` takes.

    Returns
    -------
    pandas.DataFrame
        A line for each attribute: the way ("noise +"), the mean decrease, the share of classes that it hits (a decrease of
        at least `LOST`), and its `unevenness` over classes.
    """
    import pandas as pd

    ways, decreases = worse_way(_of_classifiers(rows, names))
    return pd.DataFrame(
        {
            "direction": [f"{attribute} {'+-'[way]}" for attribute, way in zip(_attributes(rows), ways)],
            "mean decrease": decreases.mean(axis=1),
            "classes hit": (decreases >= LOST).mean(axis=1),
            "unevenness": unevenness(decreases),
        }
    )


def _of_classifiers(rows, names: list[str]) -> np.ndarray:
    walks = rows["walk_probability"].sel(model=names).mean("model")
    return either_way(walks, float(rows["distance"].values[0]))


def _attributes(rows) -> list[str]:
    return [str(attribute).replace("_", " ") for attribute in rows.attribute.values]


def contrasts(rows) -> list[tuple[str, str]]:
    """Return the pairs of kinds that a reader will compare: the same network otherwise trained, then other networks."""
    found, about = list(kinds(rows)), {}
    for name, models in kinds(rows).items():
        first = rows.sel(model=models[0])
        about[name] = str(first["family"].values), str(first["recipe"].values)
    same_network = [(a, b) for i, a in enumerate(found) for b in found[i + 1 :] if about[a][0] == about[b][0]]
    same_training = [
        (a, b) for i, a in enumerate(found) for b in found[i + 1 :] if about[a][1] == about[b][1]
    ]
    return same_network + same_training


def compared(rows, first: str, second: str):
    """Return where two kinds of classifiers differ on the same moved images, paired.

    Returns
    -------
    pandas.DataFrame
        For each attribute, and for all together, the mean accuracy over all places of its walk but the start, of both, and
        their difference with Student's intervals: over pairs of runs of one seed, and over the moved samples of the first
        pair.
    """
    import pandas as pd

    all_kinds = kinds(rows)
    pairs = list(zip(all_kinds[first], all_kinds[second]))
    away = rows.place.values != 0
    lines = []
    everywhere = rows["walk_right"].isel(place=np.flatnonzero(away)).astype(float)
    for attribute in [*map(str, rows.attribute.values), "all"]:
        right = everywhere.mean("attribute") if attribute == "all" else everywhere.sel(attribute=attribute)
        of_runs = [right.sel(model=list(models)).mean(("place", "walked")).values for models in zip(*pairs)]
        of_samples = [right.sel(model=model).mean("place").values for model in pairs[0]]
        runs = statistics.paired_difference(of_runs[1], of_runs[0])
        samples = statistics.paired_difference(of_samples[1], of_samples[0])
        lines.append(
            {
                "attribute": attribute, "first": float(of_runs[0].mean()), "second": float(of_runs[1].mean()),
                "difference": runs.estimate, "low": runs.low, "high": runs.high, "runs": runs.n,
                "sample_low": samples.low, "sample_high": samples.high, "samples": samples.n,
            }
        )  # fmt: skip
    return pd.DataFrame(lines)


def repairs(rows, names: list[str]):
    """Return what training on failures changes, over classifiers that had failures in both halves.

    Returns
    -------
    pandas.DataFrame
        For each measure of `repair.MEASURES` the mean before, after training on failures, after training on any moved
        images, and the difference of the first two with Student's interval over classifiers.
    """
    import pandas as pd

    if "repair" not in rows:
        return pd.DataFrame()
    table = rows["repair"].sel(model=names).dropna("model", how="all")
    if not table.sizes["model"]:
        return pd.DataFrame()
    lines = []
    for measure in map(str, table.measure.values):
        before, after, control = (table.sel(measure=measure).isel(state=k).values for k in range(3))
        gain = statistics.paired_difference(after, before)
        over = statistics.paired_difference(after, control)
        lines.append(
            {
                "measure": measure, "before": before.mean(), "after": after.mean(), "control": control.mean(),
                "gain": gain.estimate, "low": gain.low, "high": gain.high,
                "over_control": over.estimate, "over_low": over.low, "over_high": over.high, "n": gain.n,
            }
        )  # fmt: skip
    return pd.DataFrame(lines)


def repair_table(rows):
    """Return a line for each classifier that was repaired, state and kind of images, with its accuracy; may be empty."""
    import pandas as pd

    if "repair" not in rows:
        return pd.DataFrame()
    table = rows["repair"].to_dataframe("accuracy")["accuracy"].dropna().reset_index()
    whom = {model: words for words, models in by_training(rows).items() for model in models}
    table["trained on"] = table["model"].map(whom)
    table["images"] = table["measure"].map(REPAIRED_ON)
    return table
