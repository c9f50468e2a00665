"""The training runs of the grid as a table with a line for each, and who they are in words."""

import json

import numpy as np

from robustshape.models import short_name
from robustshape.models.zoo_names import parts_of
from robustshape.studies.class_selectivity.analyse import finished, quantities, ruined

RUINED = "ruined"
PUSHES = {  # towards what alpha pushes a run: colour, marker
    "less selectivity": ("#2b6cb0", "o"),
    "alpha = 0": ("#404040", "o"),
    "more selectivity": ("#c0392b", "o"),
    RUINED: ("#8c8c8c", "X"),
}


def points(rows):
    """Return one line for each finished run of the grid: its alpha and seed, and every number that is followed over alpha.

    Returns
    -------
    pandas.DataFrame
        Indexed by network, with ``alpha``, ``seed``, ``pushed`` (of `PUSHES`), ``floor`` (selectivity with shuffled
        labels), and `analyse.quantities` by their names, such as ``corrupted accuracy``.
    """
    import pandas as pd

    runs = finished(rows)
    alpha = runs["alpha"].values.astype(float)
    less, middle, more, _ = PUSHES
    pushed = np.select([ruined(runs), alpha < 0, alpha > 0], [RUINED, less, more], middle)
    known = {"alpha": alpha, "seed": runs["training_seed"].values, "pushed": pushed}
    known |= quantities(runs) | {"floor": runs["selectivity_floor"].values.astype(float)}
    return pd.DataFrame(
        known, index=pd.Index([short_name(str(m)) for m in runs.model.values], name="network")
    )


def by_push(pushed) -> dict:
    """Return what seaborn needs to show by colour and marker towards what each run was pushed.

    >>> by_push(["alpha = 0", "less selectivity"])["hue_order"]
    ['less selectivity', 'alpha = 0']
    """
    order = [words for words in PUSHES if words in set(pushed)]
    return {
        "hue": "pushed", "style": "pushed", "hue_order": order, "style_order": order,
        "palette": {words: PUSHES[words][0] for words in order},
        "markers": {words: PUSHES[words][1] for words in order},
    }  # fmt: skip


def whom(rows) -> str:
    """Return who was compared, in words: "15 runs of cifar_resnet20 (5 alphas, 3 seeds), 1,000 images; 3 ruined"."""
    runs = finished(rows)
    architecture = parts_of(str(runs.model.values[0])).architecture
    grid = rows.isel(model=np.isfinite(rows["alpha"].values.astype(float)))
    alpha, seed = grid["alpha"].values, grid["training_seed"].values
    alphas = set(runs["alpha"].values.tolist())
    at_each = [len(set(seed[alpha == a].tolist())) for a in alphas]
    least, most = min(at_each), max(at_each)
    seeds = _many(most, "seed") if least == most else f"{least} to {most} seeds"
    lost = int(grid["diverged"].values.astype(bool).sum())
    bad = int(ruined(runs).sum())
    return (
        f"{_many(runs.sizes['model'], 'run')} of {architecture} ({_many(len(alphas), 'alpha')}, {seeds}), "
        f"{_many(int(runs['n_robustness'].values[0]), 'image')}"
        + (f"; {bad} ruined" if bad else "")
        + (f"; {lost} diverged, left out" if lost else "")
    )


def _many(n: int, word: str) -> str:
    return f"{n:,} {word}{'s' * (n != 1)}"


def training(rows) -> str:
    """Return how the runs of the grid were trained, in words; alpha and seed apart, they were trained alike."""
    return schedule(str(finished(rows)["schedule"].values[0]))


def schedule(recipe: str) -> str:
    """Return how a network was trained, in words, from the recipe in its row.

    >>> schedule('{"optimiser": "sgd", "learning_rate": 0.2, "schedule": "one_cycle", "epochs": 8, "batch_size": 128, '
    ...          '"n_images": 20000}')
    '8 epochs of 20,000 images, batches of 128, sgd, one cycle up to a rate of 0.2'
    """
    try:
        r = json.loads(recipe)
        images = f" of {r['n_images']:,} images" if r.get("n_images") else ""
        ways = {"one_cycle": "one cycle up to", "steps": "steps from"}
        how = ways.get(r["schedule"], r["schedule"] + " from")
        return (
            f"{_many(r['epochs'], 'epoch')}{images}, batches of {r['batch_size']}, {r['optimiser']}, "
            f"{how} a rate of {r['learning_rate']:g}"
        )
    except (ValueError, KeyError, TypeError):
        return recipe or "–"
