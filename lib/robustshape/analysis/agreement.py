"""A run of a study beside the published one: do they agree?

Training differs between processors in its last digits, and after some steps in its networks. So a run on another machine
is compared with what another seed changes there: a ratio of 1 is as far away as a second seed is.
"""

import numpy as np

from robustshape.analysis import page
from robustshape.models.zoo_names import without_seed
from robustshape.store.results import published_file, read_published
from robustshape.store.rows import PUBLISHED

SAME = 1e-6  # largest difference of numbers that are the same
ALIKE = 2.0  # largest ratio to what another seed changes
WORDS = {
    "same": "the same numbers", "alike": "as close as another seed", "differs": "further than another seed",
    "unknown": "not told: no published network has two seeds", "lacking": "another shape, or numbers that one lacks",
}  # fmt: skip


def shown(rows, quantities: tuple[str, ...]) -> page.Shown:
    """Return `agreement` as a fold of a page, with what its numbers mean."""
    why = (
        "A network trained on another processor differs in its last digits, and in the end as another seed would. "
        "The ratio is the difference over that of two published seeds of one network, over all numbers of a quantity, "
        f"the largest of the quantities. Up to {ALIKE:g} the runs agree."
    )
    table = agreement(rows, quantities=quantities)
    return page.folded("This run beside the published one", page.paragraph(why), page.table(table))


def agreement(rows, *, quantities: tuple[str, ...]):
    """Compare the rows measured here with the published ones of the same preset.

    Parameters
    ----------
    rows : xarray.Dataset
        Of a study.
    quantities : tuple of str
        Names of numbers, or arrays of numbers, of each model; of an array the table shows the mean.

    Returns
    -------
    pandas.DataFrame
        For each model in both: each quantity here and as published (of an array over what both have, such as the indicators
        in both), whether the two are defined alike (equal keys), the
        largest difference, the ``ratio`` to what another seed changes (`seed_ratio`, the largest of the quantities), and
        in words whether they ``agree``. Empty if there is nothing to compare.
    """
    import pandas

    study, preset = rows.attrs["study"], rows.attrs["preset"]
    if not published_file(study, preset).is_file():
        return pandas.DataFrame()
    stored = read_published(study, preset)
    common = [name for name in quantities if name in rows or name in stored]
    spread = {
        name: stored[name].isel(model=0, drop=True).copy(data=seed_variance(stored, name))
        for name in common
        if name in stored
    }
    lines = []
    for model in map(str, rows.model.values):
        here = rows.sel(model=model)
        if model not in set(map(str, stored.model.values)) or str(here["origin"].item()) == PUBLISHED:
            continue
        there = stored.sel(model=model)
        line = {"model": model, "defined alike": str(here["key"].item()) == str(there["key"].item())}
        gaps, ratios = [], []
        for name in common:
            if name not in here or name not in there:
                gaps.append(np.inf)
                continue
            ours, theirs, varied = shared(here[name], there[name], spread[name])
            line[f"{name} here"], line[f"{name} published"] = _mean(ours), _mean(theirs)
            if ours.shape != theirs.shape or (np.isnan(ours) != np.isnan(theirs)).any():
                gaps.append(np.inf)
            elif ours.size:
                gaps.append(float(np.nan_to_num(abs(ours - theirs)).max()))
                ratios.append(seed_ratio(ours - theirs, varied))
            elif here[name].size or there[name].size:
                gaps.append(np.inf)  # of different things altogether
        gap, ratio = max(gaps, default=0.0), max((r for r in ratios if np.isfinite(r)), default=np.nan)
        lines.append(line | {"largest difference": gap, "ratio": ratio, "agree": WORDS[_word(gap, ratio)]})
    return pandas.DataFrame(lines)


def shared(here, there, *others) -> list[np.ndarray]:
    """Return the numbers that arrays of named things have in common, such as of the indicators in both, in one order.

    Parameters
    ----------
    here, there, *others : xarray.DataArray
        Of one quantity, with the same dimensions.
    """
    import xarray

    if any(one.dims and set(one.dims) != set(here.dims) for one in (there, *others)):
        return [one.values.astype(float) for one in (here, there, *others)]
    try:
        found = xarray.align(here, there, *others, join="inner", copy=False)
    except ValueError:  # a dimension without names has another length
        found = (here, there, *others)
    return [one.transpose(*here.dims).values.astype(float) for one in found]


def _mean(values) -> float:
    return float(values.mean()) if values.size else float("nan")


def _word(gap: float, ratio: float) -> str:
    if gap <= SAME:
        return "same"
    if not np.isfinite(gap):
        return "lacking"
    if np.isnan(ratio):
        return "unknown"
    return "alike" if ratio <= ALIKE else "differs"


def seed_variance(rows, name: str) -> np.ndarray:
    """Return the variance of each number of a quantity over the seeds of a network, pooled over networks.

    Returns
    -------
    float array
        Of the shape of the quantity of one model; NaN where no network has two seeds with that number.
    """
    values = rows[name].transpose("model", ...).values.astype(float)
    networks = np.array([without_seed(str(model)) for model in rows.model.values])
    squares, free = np.zeros(values.shape[1:]), np.zeros(values.shape[1:])
    for network in np.unique(networks):
        own = values[networks == network]
        there = np.isfinite(own)
        count = there.sum(axis=0)
        mean = np.where(there, own, 0).sum(axis=0) / np.maximum(count, 1)
        squares += np.square(np.where(there, own - mean, 0)).sum(axis=0)
        free += np.maximum(count - 1, 0)
    return np.divide(squares, free, out=np.full(squares.shape, np.nan), where=free > 0)


def seed_ratio(difference, variance) -> float:
    """Return a difference over that of two seeds: the root of the mean of ``difference^2 / (2 variance)``.

    Over the numbers that vary between seeds; NaN where none does.

    >>> seed_ratio([3.0, 0.0], [4.5, 4.5]), seed_ratio([0.1], [0.0])
    (0.7071067811865476, nan)
    """
    difference, variance = np.asarray(difference, float), np.asarray(variance, float)
    varies = np.isfinite(difference) & (variance > 0)
    if not varies.any():
        return float("nan")
    return float(np.sqrt(np.mean(difference[varies] ** 2 / (2 * variance[varies]))))
