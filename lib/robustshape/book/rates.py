"""How often the rule of a verdict errs and decides, drawn once and kept in ``data/verdict_rates.csv``.

Every line is drawn from a seed of its own, so that a single one can be drawn again. The file is written by
``python -m robustshape.book.rates`` from the project's folder.
"""

from pathlib import Path

FILE = Path("data") / "verdict_rates.csv"
DRAWS = 2000
FAMILIES, RECIPES = (6, 12, 24, 48), (1, 4)
SMALLEST = 0.3
EFFECTS = (0.0, SMALLEST, 2 * SMALLEST)


def line(families: int, recipes: int, effect: float) -> dict:
    """Return one line of the table: the shares of each verdict, and how often the interval covers.

    Parameters
    ----------
    families, recipes : int
        Of the population that is drawn.
    effect : float
        True correlation.

    Returns
    -------
    dict
        See `robustshape.statistics.simulation.verdict_table`.
    """
    import numpy as np

    from robustshape.statistics.simulation import verdict_table

    rng = np.random.default_rng([families, recipes, round(100 * effect)])
    return verdict_table(
        rng=rng, draws=DRAWS, families=(families,), recipes=(recipes,), effects=(effect,), smallest=SMALLEST
    ).iloc[0].to_dict()  # fmt: skip


def read(root: Path):
    """Return the kept table as a pandas.DataFrame."""
    import pandas as pd

    return pd.read_csv(root / FILE)


if __name__ == "__main__":
    import pandas as pd

    every = [line(g, m, effect) for g in FAMILIES for m in RECIPES for effect in EFFECTS]
    pd.DataFrame(every).astype({"families": int, "recipes": int}).to_csv(FILE, index=False)
